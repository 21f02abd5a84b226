#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Static analysis of the sources; any finding that is not accepted fails.

    analyse.py cppcheck|clang-tidy|gcc BUILD [--jobs N] [--deep] [FOLDER...]

BUILD has a compile_commands.json. FOLDER: only sources below it. --deep: the
analyser of clang, too, which takes twenty times as long. The findings that are
meant stand in accepted.txt, each with its number and its reason; one that no
longer occurs fails as well when all sources are looked at. Exit 0 if all is
accepted, 1 if not, 77 if the tool is missing.
"""
import collections
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
PROGRAMS = {"cppcheck": "cppcheck", "clang-tidy": "clang-tidy", "gcc": "gcc"}
FINDING = re.compile(r"^([^:\s][^:]*):(\d+):(?:\d+:)? "
                     r"(?:warning|error|style|performance|portability): "
                     r"(.*) \[(-W)?([A-Za-z][\w.,=+-]*)\]$")
ANALYSER = "clang-analyzer-"
# What belongs to the analyser's message and not to the compiler's command.
DROPPED = {"-Werror", "ccache"}


def sources(build, folders):
    """Command of each source of the program: no test, every file once."""
    commands = {}
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        for entry in json.load(file):
            path = pathlib.Path(entry["file"])
            try:
                name = path.resolve().relative_to(ROOT)
            except ValueError:
                continue
            if name.parts[0] in ("tests", "build"):
                continue
            if folders and name.parts[0] not in folders:
                continue
            commands.setdefault(str(name), entry)
    return dict(sorted(commands.items()))


def cppcheck(commands, _build, jobs):
    """One process for all: it looks at calls between files."""
    with tempfile.NamedTemporaryFile("w", suffix=".list") as listed:
        listed.write("\n".join(commands) + "\n")
        listed.flush()
        yield ["cppcheck", "--quiet", "-j", str(jobs), "--std=c11",
               "--enable=warning,performance,portability,style",
               "--platform=unix64", "--library=posix,gnu", "--max-configs=1",
               "-D__x86_64__", "-U__SANITIZE_ADDRESS__", "-I", ".",
               "--inline-suppr", "--suppressions-list=" +
               str(HERE / "cppcheck.supp"),
               "--template={file}:{line}: warning: {message} [{id}]",
               "--file-list=" + listed.name], ROOT


def clang_tidy(commands, build, _jobs, deep=False):
    depth = [] if deep else ["--checks=-" + ANALYSER + "*"]
    for name in commands:
        yield ["clang-tidy", "--quiet", "-p", str(build), *depth,
               str(ROOT / name)], ROOT


def gcc(commands, _build, _jobs):
    """Leaks are left to the sanitizers and valgrind: what a structure owns,
    the analyser of gcc 12 takes for lost."""
    for entry in commands.values():
        words = [w for w in shlex.split(entry["command"]) if w not in DROPPED
                 and not w.startswith("-O") and "sanitize" not in w]
        words[words.index("-o") + 1] = os.devnull
        words[0] = "gcc"
        yield words + ["-O1", "-U_FORTIFY_SOURCE", "-fanalyzer",
                       "-Wno-analyzer-malloc-leak",
                       "-fdiagnostics-plain-output"], \
            pathlib.Path(entry["directory"])


def run(job):
    words, folder = job
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True,
                          check=False)
    text = done.stdout + "\n" + done.stderr
    # A tool that does not understand its arguments finds nothing, too.
    if done.returncode and not any(findings(text)):
        sys.exit(f"{words[0]} ended with {done.returncode}:\n{text[-3000:]}")
    return text


def findings(text):
    """(file, check, line, message) of each, named once, in our tree."""
    for line in text.splitlines():
        match = FINDING.match(line)
        if not match:
            continue
        path = pathlib.Path(match[1])
        if path.is_absolute() or ".." in path.parts:
            try:
                path = path.resolve().relative_to(ROOT)
            except ValueError:
                continue
        yield str(path), match[5], int(match[2]), match[3]


def accepted(tool):
    """Number of findings by file and check."""
    allowed = {}
    with open(HERE / "accepted.txt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            words = line.split(None, 4)
            if len(words) != 5 or words[0] not in PROGRAMS or \
                    not words[3].isdigit():
                sys.exit(f"accepted.txt:{number}: error: expected TOOL FILE "
                         "CHECK NUMBER REASON")
            if words[0] == tool:
                allowed[words[1], words[2]] = int(words[3])
    return allowed


def judge(tool, found, whole, deep):
    allowed = {key: nr for key, nr in accepted(tool).items()
               if deep or not key[1].startswith(ANALYSER)}
    if tool == "gcc":
        found = {item for item in found if item[1].startswith("analyzer-")}
    by_key = collections.defaultdict(list)
    for path, check, line, message in sorted(found):
        by_key[path, check].append((line, message))
    failed = False
    for (path, check), list_ in by_key.items():
        if len(list_) == allowed.get((path, check), 0):
            continue
        if len(list_) < allowed.get((path, check), 0) and not whole:
            continue
        failed = True
        for line, message in list_:
            print(f"{path}:{line}: {message} [{check}]")
        print(f"{path}: {len(list_)} of {check}, accepted are "
              f"{allowed.get((path, check), 0)}")
    for path, check in allowed:
        if whole and (path, check) not in by_key:
            failed = True
            print(f"accepted.txt: {tool} no longer finds {check} in {path}: "
                  "take the line out")
    print(f"{tool}: {len(found)} findings, {sum(allowed.values())} accepted")
    return failed


def main(argv):
    if len(argv) < 3 or argv[1] not in PROGRAMS:
        sys.exit(__doc__)
    tool, build = argv[1], pathlib.Path(argv[2]).resolve()
    folders = argv[3:]
    jobs = os.cpu_count() or 1
    if "--jobs" in folders:
        at = folders.index("--jobs")
        jobs = int(folders[at + 1])
        del folders[at:at + 2]
    start = {"cppcheck": cppcheck, "clang-tidy": clang_tidy, "gcc": gcc}[tool]
    deep = "--deep" in folders
    if deep:
        folders.remove("--deep")
        start = functools.partial(clang_tidy, deep=True)
    if not shutil.which(PROGRAMS[tool]):
        print(f"{PROGRAMS[tool]} is not installed (.ci/packages): skipped")
        return SKIPPED
    commands = sources(build, folders)
    if not commands:
        sys.exit(f"{build}: no source to look at")
    found = set()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        iterator = start(commands, build, jobs)
        # As a generator may hold a file that its process reads.
        if tool == "cppcheck":
            for job in iterator:
                found.update(findings(run(job)))
        else:
            for text in pool.map(run, list(iterator)):
                found.update(findings(text))
    return 1 if judge(tool, found, not folders, deep) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
