#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which branches do the tests take? Per folder, against a goal.

    coverage.py                    build, run the tests, report; some minutes
    coverage.py --tests REGEX      run only these tests, add to what was counted
    coverage.py --report           run nothing, report what was counted
    coverage.py --show PREFIX      and print each branch left in these files
    coverage.py --build DIR --jobs N

Needs gcc and gcovr (.ci/install coverage). A branch is one way out of a
condition as gcc compiles it without optimisation; the branches of CHECK lines
end the run and are left out, which docs/coverage.md explains. Goals per folder
stand in coverage_goal.txt; every function with a branch left has a line with
the reason in coverage_left.txt, and every line there such a function.

Writes DIR/report/coverage.json and coverage.txt (by file). Exit status: 0 the
goals are met, 1 one is missed, or a test fails, or the list of what is left is
not right, 3 something did not build, 77 gcovr is missing.
"""

import argparse
import bisect
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent
GOALS = HERE / "coverage_goal.txt"
LEFT = HERE / "coverage_left.txt"
LABELS = "unit|contract|golden|fuzz|smoke|host"
NOT_LABELS = "slow|tidy|perf|mutants"
# The rule: what a statement that begins so decides ends the run by abort().
CHECK_LINE = re.compile(r"\s*CHECK(_MSG|_CMP|_EQ|_LE|_LT)?\(")


class Sum:
    """Covered and all of lines, branches, and branches outside CHECK."""

    def __init__(self):
        self.lines = [0, 0]
        self.raw = [0, 0]
        self.branches = [0, 0]

    def add(self, other):
        for mine, theirs in ((self.lines, other.lines), (self.raw, other.raw),
                             (self.branches, other.branches)):
            mine[0] += theirs[0]
            mine[1] += theirs[1]

    def row(self, name):
        return "%-32s %6d %7.2f%% %6d %7.2f%% %6d %7.2f%% %5d" % (
            name, self.lines[1], percent(self.lines), self.raw[1],
            percent(self.raw), self.branches[1], percent(self.branches),
            self.branches[1] - self.branches[0])


HEADER = "%-32s %6s %8s %6s %8s %6s %8s %5s" % (
    "", "lines", "", "raw", "", "branch", "", "left")


def percent(pair):
    return 100.0 * pair[0] / pair[1] if pair[1] else 100.0


def fail(message, status=3):
    print("coverage: " + message, file=sys.stderr)
    sys.exit(status)


def run(command, log):
    """COMMAND with its output in the file LOG; is it well?"""
    with open(log, "wb") as out:
        return subprocess.run(command, cwd=SOURCE, stdout=out,
                              stderr=subprocess.STDOUT).returncode == 0


def build(folder, jobs):
    configure = ["cmake", "--preset", "coverage", "-B", str(folder)]
    if shutil.which("ccache"):
        configure.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
    for step, log in ((configure, "configure.log"),
                      (["cmake", "--build", str(folder), "-j", str(jobs)],
                       "build.log")):
        if not run(step, folder / log):
            fail("%s failed; see %s" % (step[0], folder / log))


def run_tests(folder, jobs, tests):
    command = ["ctest", "--test-dir", str(folder), "-j", str(jobs),
               "--output-on-failure", "-L", LABELS, "-LE", NOT_LABELS]
    if tests:
        command += ["-R", tests]
    else:
        for counts in folder.rglob("*.gcda"):
            counts.unlink()
    log = folder / "tests.log"
    if run(command, log):
        return True
    print("coverage: tests failed; see %s" % log, file=sys.stderr)
    return False


def count(folder, folders, jobs):
    """The files of FOLDERS as gcovr sees them, merged over their users."""
    out = folder / "report" / "gcovr.json"
    command = ["gcovr", "--root", str(SOURCE), "--object-directory",
               str(folder), "-j", str(jobs), "--json", str(out),
               "--filter", "(%s)/" % "|".join(folders)]
    # What others make of these folders' headers is nobody's goal.
    command += [str(folder / name) for name in folders]
    if not run(command, folder / "report" / "gcovr.log"):
        fail("gcovr failed; see %s" % (folder / "report" / "gcovr.log"))
    with open(out, encoding="utf-8") as data:
        return json.load(data)["files"]


def look(entry):
    """Sum of one file, and its branches left: (line, function, text)."""
    text = (SOURCE / entry["file"]).read_text(encoding="utf-8").split("\n")
    functions = sorted((f["lineno"], f["name"]) for f in entry["functions"])
    starts = [f[0] for f in functions]
    total, left = Sum(), []
    for line in entry["lines"]:
        if line.get("gcovr/noncode"):
            continue
        number = line["line_number"]
        taken = [b["count"] > 0 for b in line["branches"]]
        now = Sum()
        now.lines = [int(line["count"] > 0), 1]
        now.raw = [sum(taken), len(taken)]
        if not CHECK_LINE.match(text[number - 1]):
            now.branches = now.raw
            at = bisect.bisect_right(starts, number)
            if not all(taken):
                left.append((number, functions[at - 1][1] if at else "?",
                             "".join("+" if t else "-" for t in taken) + " " +
                             text[number - 1].strip()))
        total.add(now)
    return total, left


def entries(path):
    """Lines of PATH without comments, cut at the first run of blanks."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip() and not line.startswith("#"):
            yield line.split(None, 1)


def judge(sums, goals, left):
    """What is wrong, as sentences."""
    for folder, goal in goals.items():
        if percent(sums[folder].branches) < goal:
            yield "%s: %.2f %% of the branches, the goal is %g %%" % (
                folder, percent(sums[folder].branches), goal)
    reasons = {name.rstrip(":"): why for name, why in entries(LEFT)}
    for name in sorted(left - reasons.keys()):
        yield "%s: branches left, no reason in %s" % (name, LEFT.name)
    for name in sorted(reasons.keys() - left):
        yield "%s: nothing left, drop it from %s" % (name, LEFT.name)


def report(folder, goals, jobs, show):
    sums = {name: Sum() for name in goals}
    by_file, left = [], set()
    for entry in count(folder, goals, jobs):
        total, branches = look(entry)
        sums[entry["file"].split("/")[0]].add(total)
        by_file.append((entry["file"], total))
        left |= {"%s:%s" % (entry["file"], b[1]) for b in branches}
        if show and entry["file"].startswith(show):
            for number, function, text in branches:
                print("%s:%d: %s: %s" % (entry["file"], number, function, text))
    table = [HEADER] + [sums[name].row(name) for name in goals]
    print("\n".join(table))
    with open(folder / "report" / "coverage.txt", "w", encoding="utf-8") as out:
        print("\n".join(table + [t.row(name) for name, t in by_file]), file=out)
    with open(folder / "report" / "coverage.json", "w", encoding="utf-8") as out:
        json.dump({name: vars(s) for name, s in
                   list(sums.items()) + by_file}, out, indent=1, sort_keys=True)
    return list(judge(sums, goals, left))


def main():
    args = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--build", type=pathlib.Path,
                      default=SOURCE / "build" / "coverage")
    args.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args.add_argument("--tests", help="only tests whose name matches")
    args.add_argument("--report", action="store_true", help="run nothing")
    args.add_argument("--show", default="", help="print branches left here")
    args = args.parse_args()
    for tool in ("gcc", "gcovr"):
        if not shutil.which(tool):
            fail("%s is not installed: .ci/install coverage" % tool, 77)
    folder = args.build.resolve()
    (folder / "report").mkdir(parents=True, exist_ok=True)
    passed = True
    if not args.report:
        build(folder, args.jobs)
        passed = run_tests(folder, args.jobs, args.tests)
    goals = {name: float(goal) for name, goal in entries(GOALS)}
    wrong = report(folder, goals, args.jobs, args.show)
    for sentence in wrong:
        print(sentence)
    sys.exit(1 if wrong or not passed else 0)


if __name__ == "__main__":
    main()
