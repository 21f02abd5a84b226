# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of tests/tidy.py, as data."""

import re

# Headers of a folder that others may include; all others are private to it.
# True: every header is public.
PUBLIC_HEADERS = {
    "include": True,
    "alloc": {"alloc.h", "gfp.h", "hooks.h", "profile.h"},
    "trace": True,
    "record": {"record.h"},
    "hypervisor": {"hypervisor.h", "conformance.h"},
    "workloads": {"workload.h"},
    "guest": {"guest.h"},
    "reporter": {"counters.h", "env.h", "plugin.h", "reporter.h",
                 "request.h", "sync_env.h"},
    "replay": {"replay.h", "rules.h", "step.h", "stream.h"},
    "sim": {"sim.h", "cost.h", "events.h", "walk.h"},
    "bench": {"bench.h"},
    "cli": set(),
    "kernel": set(),
    "tests": set(),
}

BELOW_SIM = ["alloc", "trace", "hypervisor", "workloads", "guest", "reporter",
             "replay"]

# Who may include whom, beside itself: public headers only.
MAY_INCLUDE = {
    "include": [],
    "alloc": ["include"],
    "hypervisor": ["include"],
    "trace": ["include"],
    "record": ["include", "trace"],
    "workloads": ["include", "trace"],
    "guest": ["include", "alloc"],
    "reporter": ["include", "alloc"],
    "replay": ["include", "alloc", "trace", "reporter"],
    "sim": ["include"] + BELOW_SIM,
    "bench": ["include", "sim"],
    "cli": ["include", "sim", "bench", "record"] + BELOW_SIM,
    "kernel": ["include", "alloc", "reporter"],
}
# May include everything, private headers too.
SEES_ALL = {"tests"}

FILE_LINES_MAX = 800
FILE_LINES_WARN = 500
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100

CLOCK = ("reads the host's clock; virtual time comes from sim/, host time "
         "is measured in cli/ and bench/")
RANDOM = "is not repeatable; use include/rng.h"
LIBRARY = "ends the program from inside a library; return an error"
LOCALE = "depends on the locale"
UNBOUNDED = "writes without a bound"
ENVIRONMENT = "reads the environment; settings come from files and options"

# Calls and the folders in which they are fine.
BANNED_CALLS = {
    "time": (CLOCK, {"cli", "bench"}),
    "clock": (CLOCK, {"cli", "bench"}),
    "clock_gettime": (CLOCK, {"cli", "bench", "record"}),
    "gettimeofday": (CLOCK, {"cli", "bench"}),
    "localtime": (CLOCK, {"cli", "bench"}),
    "gmtime": (CLOCK, {"cli", "bench"}),
    "rand": (RANDOM, set()),
    "srand": (RANDOM, set()),
    "rand_r": (RANDOM, set()),
    "random": (RANDOM, set()),
    "srandom": (RANDOM, set()),
    "drand48": (RANDOM, set()),
    "lrand48": (RANDOM, set()),
    "getrandom": (RANDOM, set()),
    "getpid": (RANDOM, {"cli", "bench", "tests"}),
    "getenv": (ENVIRONMENT, {"cli", "tests"}),
    "secure_getenv": (ENVIRONMENT, {"cli", "tests"}),
    "setlocale": (LOCALE, set()),
    "exit": (LIBRARY, {"cli", "tests"}),
    "abort": (LIBRARY, {"tests"}),
    "assert": ("is compiled out; use CHECK of include/check.h", set()),
    "sprintf": (UNBOUNDED, set()),
    "vsprintf": (UNBOUNDED, set()),
    "strcpy": (UNBOUNDED, set()),
    "strcat": (UNBOUNDED, set()),
    "gets": (UNBOUNDED, set()),
    "alloca": (UNBOUNDED, set()),
    "atoi": ("hides errors; use the parsers of include/option.h", set()),
    "atol": ("hides errors; use the parsers of include/option.h", set()),
    "atof": ("hides errors and depends on the locale", set()),
    "strtok": ("keeps hidden state", set()),
}
# Single files that may, and why.
CALL_EXCEPTIONS = {
    ("include/check.c", "abort"),  # the one place where CHECK ends a run
    ("include/guard.c", "secure_getenv"),  # TMPDIR reaches no result
    ("include/guard.c", "getpid"),  # a forked child owns nothing of its parent
}

# Counters are integers: these folders have no floating point at all.
NO_FLOAT = {"include", "alloc", "trace", "hypervisor", "workloads", "guest",
            "reporter", "replay", "sim"}
# But for ratios derived from counters, which a reader may recompute.
FLOAT_EXCEPTIONS = {"sim/sim.h", "sim/stats.c"}

# File-scope or function-static variables may change only where they hold the
# text of a message, one per thread.
MESSAGE_TEXT = re.compile(r"\b_Thread_local\s+(?:const\s+)?char\b")
# A signal handler can only reach such a variable.
SIGNAL_FLAG = re.compile(r"\bvolatile\s+sig_atomic_t\b")
SIGNAL_FOLDERS = {"cli", "bench"}

# A file of the kernel has variables, and code that is called without saying for
# which guest; these two exchange them. So is the clock that jemalloc reads.
# What a signal handler has to remove, it can only find there (guard); and a
# request for memory that a test lets fail has no argument that says so.
# The JSON library tells nobody that it had no memory, but for its allocator.
MUTABLE_EXCEPTIONS = {"include/guard.c", "workloads/jemalloc_arena.c",
                      "bench/json_memory.c", "tests/starve.c",
                      "kernel/guest.c", "kernel/guest.h",
                      "kernel/plugin.c", "kernel/plugin.h"}

# Places of one machine, and hosts that a build must not need.
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:work|farm|home|root|Users|tmp/build)[\w.-]*/")
REGISTRY_HOSTS = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|crates\.io|registry\.npmjs\.org"
    r"|proxy\.golang\.org|rubygems\.org|deb\.debian\.org|docker\.io)\b")

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
SPDX_C = "/* " + SPDX + " */"

SKIPPED_FOLDERS = {".git", "build", "out", "__pycache__", ".cache"}
# Recorded input and expected output: kept as they are.
DATA_FOLDERS = ("tests/data/", "tests/golden/", "tests/fuzz/corpus/",
                "bench/baselines/")
CODE = (".c", ".h", ".py", ".cmake", ".sh", ".gp", ".ini")
TEXT = CODE + (".md", ".txt", ".json", ".scd", ".yml")
# These hold the patterns themselves.
SELF = ("tests/tidy_rules.py", "tests/test_tidy.py")

# Papers that are not in the tree: the tree cites kernel functions with their
# release, mails and publications.
OUTSIDE_PAPERS = re.compile(
    r"\bspec(?:ification)? (?:section )?[A-Z]?\.?\d|\bspec/|\bDESIGN\.md\b"
    r"|\bDESIGN section\b")

RULES = {
    "include-table": "a folder includes only what the table allows",
    "file-length": "at most %d lines; a warning above %d"
                   % (FILE_LINES_MAX, FILE_LINES_WARN),
    "function-length": "at most %d lines" % FUNCTION_LINES_MAX,
    "line-length": "at most %d columns of code" % LINE_COLUMNS_MAX,
    "spdx": "the licence is named on top of each file",
    "purpose": "a C file says under the licence what it is for",
    "header-guard": "a header is guarded by its path in capitals",
    "banned-call": "calls that break determinism or hide errors",
    "no-float": "no floating point where counters are made",
    "mutable-global": "no file-scope or function-static variable changes",
    "machine-path": "no path of one machine",
    "registry-host": "no host that a build would have to reach",
    "outside-paper": "no reference to a paper that is not in the tree",
    "broken-link": "every document that is pointed to exists",
    "deviation": "a deviation is a row of docs/fidelity.md that names its file",
    "experiment": "every experiment is in the list of the documentation",
    "dead-file": "every source is listed in a CMakeLists.txt",
    "missing-file": "every listed source exists",
    "blanks": "no trailing blanks, no CR, a newline at the end",
}
