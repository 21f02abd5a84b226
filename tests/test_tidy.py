#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants violations in a small tree and expects tidy.py to name each.

    tests/test_tidy.py          all cases
    tests/test_tidy.py -k RULE  those whose name contains RULE
"""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import tidy  # noqa: E402
import tidy_rules as rules  # noqa: E402

C_TOP = "%s\n/* A file of the test. */\n" % rules.SPDX_C
CMAKE_TOP = "# %s\n" % rules.SPDX


def header(path, body):
    guard = path.replace("/", "_").replace(".", "_").upper()
    return C_TOP + "#ifndef %s\n#define %s\n%s#endif\n" % (guard, guard, body)


# A tree without violations, with what the rules look at twice.
CLEAN = {
    "README.md": "# A tree\n\nSee /proc/buddyinfo and /usr/bin/time, [docs]"
    "(docs/a.md#top), [folder](docs/), [x](https://example.org/docs/b.md).\n",
    "docs/a.md": "# A\n\n[up](../README.md) [here](#top)\n",
    "docs/fidelity.md": "| order (`alloc/zone.c`) | deviation: none |\n"
    "| order (`alloc/buddy.c`) | modelled |\n",
    "include/CMakeLists.txt": CMAKE_TOP + "folder(include SOURCES words.c)\n",
    "include/words.h": header("include/words.h", "int words(void);\n"),
    "include/words.c": C_TOP + """#include "include/words.h"

/* time() and rand() in a comment, and "rand()" in a text, are fine. */
static const char *const names[] = { "time(", "rand()", NULL };
static const struct { int a; } table[] = { { 1 }, { 2 } };
struct later;
enum word { WORD_ONE, WORD_TWO };
extern const int shared;
typedef int (*callback)(void *ctx);
int (*words_pick(int nr))(void);
__attribute__((noreturn, cold)) static void die(void);

/* docs/a.md says more. */
static _Thread_local char message[100];
static _Thread_local const char *context;

int words(void)
{
	static const int few[2] = { 1, 2 };
	int mytime(int), the_random = mytime(few[0]);

	return table[0].a + the_random + (names[0] != NULL);
}
""",
    "alloc/CMakeLists.txt": CMAKE_TOP
    + "foreach(unit zone buddy)\n  one(${unit}.c)\nendforeach()\n",
    "alloc/alloc.h": header("alloc/alloc.h", '#include "include/words.h"\n'),
    "alloc/private.h": header("alloc/private.h", ""),
    "alloc/zone.c": C_TOP + '#include "alloc/private.h"\n'
    + "\n/*\n * Deviation: none. See docs/fidelity.md.\n */\n",
    "alloc/buddy.c": C_TOP + '#include "alloc/alloc.h"\n',
    "tests/CMakeLists.txt": CMAKE_TOP + "add_subdirectory(alloc)\n",
    "tests/alloc/CMakeLists.txt": CMAKE_TOP
    + "test(test_zone SOURCES test_zone.c ../model/naive.c)\n"
    + "test(b SOURCES ${PROJECT_SOURCE_DIR}/tests/model/other.c)\n",
    "bench/CMakeLists.txt": CMAKE_TOP + "function(bench name)\n"
    + "  one(test_${name}.c)\nendfunction()\nbench(speed unit)\n",
    "bench/test_speed.c": C_TOP,
    "tests/model/naive.c": C_TOP,
    "tests/model/other.c": C_TOP,
    "tests/alloc/test_zone.c": C_TOP + '#include "alloc/private.h"\n'
    + "static int counter;\n",
}

LONG_FUNCTION = "int words(void)\n{\n" + "\t;\n" * 67 + "}\n"
VERY_LONG_FUNCTION = "int words(void)\n{\n" + "\t;\n" * 68 + "}\n"

# (rule, path, text after the C top or whole text, line it is reported on)
PLANTED = [
    ("include-table", "include/words.c", '#include "alloc/alloc.h"\n', 3),
    ("include-table", "alloc/zone.c", '#include "sim/sim.h"\n', 3),
    ("include-table", "alloc/zone.c", '\n# include "zone.h"\n', 4),
    ("include-table", "guest/mm.c", '#include "alloc/private.h"\n', 3),
    ("include-table", "bench/run.c", '#include "reporter/reporter.h"\n', 3),
    ("include-table", "extra/new.c", "int x(void);\n", 1),
    ("file-length", "include/words.c", "\n" * 799, 801),
    ("function-length", "include/words.c", "\n" + VERY_LONG_FUNCTION, 4),
    ("function-length", "include/words.c",
     "__attribute__((cold)) static\nint\nwords(int a,\n\tint b)\n{\n"
     + "\t;\n" * 69 + "}\n", 5),
    ("line-length", "include/words.c", "/* " + "x" * 100 + " */\n", 3),
    ("line-length", "include/words.c", "\t" * 12 + "int x;\n", 3),
    ("banned-call", "include/words.c", "int a = f(time (NULL));\n", 3),
    ("banned-call", "alloc/zone.c", "\n\tclock_gettime(0, &t);\n", 4),
    ("banned-call", "bench/run.c", "int a = rand();\n", 3),
    ("banned-call", "sim/engine.c", "\tsrand(1); random();\n", 3),
    ("banned-call", "sim/engine.c", '\tgetenv("HOME");\n', 3),
    ("banned-call", "bench/run.c", "\tsprintf(a, b);\n", 3),
    ("banned-call", "tests/alloc/test_zone.c", "\tassert(a);\n", 3),
    ("no-float", "sim/engine.c", "\tdouble share;\n", 3),
    ("no-float", "alloc/zone.c", "int f(float a);\n", 3),
    ("mutable-global", "include/words.c", "static int counter;\n", 3),
    ("mutable-global", "include/words.c", "\nint counter = 3;\n", 4),
    ("mutable-global", "include/words.c", "const char *name;\n", 3),
    ("mutable-global", "include/words.c",
     "static const char *names[] = { 0 };\n", 3),
    ("mutable-global", "include/words.c", "static struct list head;\n", 3),
    ("mutable-global", "include/words.c", "int (*hook)(void);\n", 3),
    ("mutable-global", "include/words.c",
     "static _Thread_local int depth;\n", 3),
    ("mutable-global", "include/words.c", "extern int shared;\n", 3),
    ("mutable-global", "include/words.c",
     "int f(void)\n{\n\tstatic int calls;\n\n\treturn calls;\n}\n", 5),
    ("mutable-global", "include/words.c",
     "struct pair { int a, b; } pair;\n", 3),
    ("mutable-global", "sim/engine.c",
     "static volatile sig_atomic_t stop;\n", 3),
    ("machine-path", "include/words.c", '/* /wo' 'rk/main/x */\n', 3),
    ("machine-path", "README.md", "see /home/me/x\n", 1),
    ("machine-path", "README.md", "\nin /tmp/build-x/y\n", 2),
    ("registry-host", "README.md", "get it from pypi.org\n", 1),
    ("outside-paper", "include/words.c", "/* as spec 4.2 says */\n", 3),
    ("outside-paper", "README.md", "as in spec/alloc.md\n", 1),
    ("broken-link", "include/words.c", "/* see docs/lost.md */\n", 3),
    ("broken-link", "README.md", "\n[x](docs/lost.md#top)\n", 2),
    ("broken-link", "docs/a.md", "[x](b.md)\n", 1),
    ("deviation", "alloc/zone.c", "\n/*\n * Deviation: unlisted.\n */\n", 5),
    ("deviation", "alloc/buddy.c",
     "/* Deviation: see docs/fidelity.md. */\n", 3),
    ("experiment", "bench/experiments/lost.ini", "[phase a]\n", 1),
    ("dead-file", "include/lost.c", "int lost(void);\n", 1),
    ("dead-file", "alloc/uddy.c", "int lost(void);\n", 1),
    ("dead-file", "bench/test_pace.c", "int lost(void);\n", 1),
    ("blanks", "include/words.c", "int x(void); \n", 3),
    ("blanks", "include/words.c", "int x(void);\r\n", 3),
    ("blanks", "README.md", "no newline", 1),
]

WHOLE = [
    ("spdx", "include/words.c", "/* A file. */\n", 1),
    ("spdx", "include/CMakeLists.txt", "folder(include)\n", 1),
    ("spdx", "check", "#!/bin/sh\n", 1),
    ("purpose", "include/words.c", rules.SPDX_C + "\n#include <a.h>\n", 2),
    ("header-guard", "include/words.h", C_TOP + "#pragma once\n", 1),
    ("header-guard", "include/words.h", C_TOP
     + "#ifndef WORDS_H\n#define WORDS_H\n#endif\n", 1),
    ("missing-file", "include/CMakeLists.txt", CMAKE_TOP
     + "folder(include SOURCES words.c gone.c)\n", 2),
]


def run_on(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8", newline="") as f:
                f.write(text)
        return tidy.check_tree(root)[0]


class TidyTest(unittest.TestCase):
    maxDiff = None

    def expect(self, rule, path, text, line):
        found = run_on({**CLEAN, path: text})
        self.assertIn((path, line, rule),
                      [(p, n, r) for p, n, r, _ in found],
                      "not found in %r: got %r" % (text[:80], found))

    def test_clean_tree_has_no_violation(self):
        # A tree that uses every exception of the rules.
        self.assertEqual(run_on(CLEAN), [])

    def test_planted_violations_are_named(self):
        # Each row breaks one rule on one known line.
        for rule, path, text, line in PLANTED:
            with self.subTest(rule=rule, path=path, text=text[:40]):
                top = C_TOP if path.endswith(".c") else ""
                self.expect(rule, path, top + text, line)
        for rule, path, text, line in WHOLE:
            with self.subTest(rule=rule, path=path):
                self.expect(rule, path, text, line)

    def test_every_rule_is_planted(self):
        # A rule that nothing can break is not tested.
        planted = {row[0] for row in PLANTED + WHOLE}
        self.assertEqual(planted, set(rules.RULES))

    def test_limits_are_inclusive(self):
        # A function of 70 lines and a line of 100 columns are fine.
        text = C_TOP + LONG_FUNCTION + "/* %s */\n" % ("x" * 94)
        self.assertEqual(run_on({**CLEAN, "include/words.c": text}), [])

    def test_long_file_is_a_warning_first(self):
        # 501 lines are reported, but do not fail.
        found = run_on({**CLEAN, "include/words.c": C_TOP + "\n" * 499})
        self.assertEqual([row[2] for row in found], ["file-length"])
        self.assertTrue(found[0][3].startswith("warning:"))

    def test_bootstrap_tolerance_hides_missing_files_only(self):
        # The marker in cmake/folder.cmake: listed files may be missing.
        files = {**CLEAN, "cmake/folder.cmake": CMAKE_TOP + "# BOOTSTRAP\n",
                 "include/CMakeLists.txt": WHOLE[-1][2]}
        self.assertEqual(run_on(files), [])

    def test_signal_flag_is_fine_in_cli(self):
        # A handler can reach nothing else.
        text = C_TOP + "static volatile sig_atomic_t stop;\n"
        files = {**CLEAN, "cli/main.c": text,
                 "cli/CMakeLists.txt": CMAKE_TOP + "program(main.c)\n"}
        self.assertEqual(run_on(files), [])

    def test_tables_are_complete(self):
        # Every folder of the include table has a list of public headers.
        known = set(rules.MAY_INCLUDE) | rules.SEES_ALL
        self.assertEqual(known, set(rules.PUBLIC_HEADERS))
        for allowed in rules.MAY_INCLUDE.values():
            self.assertLessEqual(set(allowed), known)


if __name__ == "__main__":
    unittest.main(verbosity=1)
