#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The weight of each rule: who notices when it is taken away?

    rule_weights.py --list               the rules of tests/replay/rules.txt
    rule_weights.py --dry                every rule can be taken away, once
    rule_weights.py WORK [RULE ...]      build in WORK, print a table
        --check      fail if an example that a rule names does not notice
        --no-runs    examples only
        --results F  keep what is found in F (JSON), and do not look again
        --table FILE write the table there (Markdown), between the marks
                     of docs/fidelity.md if the file has them

A private copy of the tree is made in WORK; for each rule its lines in
tests/replay/rules.txt replace the source's, the allocator and the replayer
are built, every recorded run in tests/data/traces is replayed, and the worked
examples and unit tests are run. Nothing of the tree itself is touched.

Exit status: 0, 1 if a check fails, 77 if there is no cmake or ninja.
"""

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RULES = os.path.join(HERE, "rules.txt")
TRACES = os.path.join("tests", "data", "traces")
PROGRAMS = ["tests/step/test_step_examples", "tests/replay/test_replay_records",
            "tests/replay/test_replay"]
TARGETS = ["buddylab", "tests/alloc/all"] + [
    os.path.basename(p) for p in PROGRAMS]
RUN_SECONDS = 120
TEST_SECONDS = 60
MARK = "<!-- rule_weights.py writes this -->"
END_MARK = "<!-- to here -->"
# Tried in turn until a run comes out exactly.
HINTS = ["none", "T", "T,M", "all"]


class Rule:
    def __init__(self, kind, name, what, line):
        self.kind, self.name, self.line = kind, name, line
        self.rule, _, self.without = what.partition(" / ")
        self.hunks = []     # [path, old lines, new lines]
        self.examples = []

    def key(self):
        return "%s %s" % (self.kind, self.name)


def read_rules(path=RULES):
    rules = []
    with open(path, encoding="utf-8") as f:
        for nr, line in enumerate(f, 1):
            line = line.rstrip("\n")
            word, _, rest = line.partition(" ")
            if word in ("rule", "record"):
                name, _, what = rest.partition(": ")
                rules.append(Rule(word, name, what, nr))
            elif word == "file":
                rules[-1].hunks.append([rest, [], []])
            elif word in ("-", "+"):
                rules[-1].hunks[-1][1 if word == "-" else 2].append(rest)
            elif word == "example":
                rules[-1].examples.append(rest)
            elif word and not word.startswith("#"):
                sys.exit("%s:%d: not understood: %s" % (path, nr, line))
    return rules


def places(lines, old):
    """Where these lines stand, whatever their indentation."""
    old = [o.strip() for o in old]
    bare = [line.strip() for line in lines]
    return [i for i in range(len(lines) - len(old) + 1)
            if bare[i:i + len(old)] == old]


def take_away(rule, read):
    """{path: text without the rule}; read(path) is the text with it."""
    texts = {}
    for path, old, new in rule.hunks:
        lines = (texts.get(path) or read(path)).split("\n")
        found = places(lines, old)
        if len(found) != 1:
            raise ValueError("rules.txt:%d: %s: %d places in %s" % (
                rule.line, rule.name, len(found), path))
        lines[found[0]:found[0] + len(old)] = new
        texts[path] = "\n".join(lines)
    return texts


def read_tree(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def dry(rules):
    """Each rule names its place exactly, and something that notices."""
    failed = 0
    seen = set()
    for rule in rules:
        try:
            take_away(rule, read_tree)
            if not rule.examples:
                raise ValueError("rules.txt:%d: %s: no example" % (
                    rule.line, rule.name))
            if (rule.kind, rule.name) in seen:
                raise ValueError("rules.txt:%d: %s: a second time" % (
                    rule.line, rule.name))
        except (ValueError, OSError) as e:
            print(e, file=sys.stderr)
            failed = 1
        seen.add((rule.kind, rule.name))
    return failed


# --- the private copy -----------------------------------------------------

class Copy:
    def __init__(self, work, jobs):
        self.source = os.path.join(work, "source")
        self.build = os.path.join(work, "build")
        self.jobs = str(jobs)
        # Objects of a run that was cut short would pass for new ones.
        shutil.rmtree(self.source, ignore_errors=True)
        shutil.rmtree(self.build, ignore_errors=True)
        skip = shutil.ignore_patterns(".git", "build*", "out", "__pycache__")
        shutil.copytree(ROOT, self.source, symlinks=True, ignore=skip)

    def run(self, args, log):
        with open(os.path.join(self.build, log), "w") as out:
            return subprocess.call(args, stdout=out, stderr=out)

    def configure(self):
        os.makedirs(self.build, exist_ok=True)
        args = ["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                "-DCMAKE_BUILD_TYPE=Release", "-DBUDDYLAB_WERROR=OFF"]
        if shutil.which("ccache"):
            args.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
        return self.run(args, "configure.log")

    def make(self):
        return self.run(["ninja", "-C", self.build, "-j", self.jobs] + TARGETS,
                        "build.log")

    def read(self, path):
        with open(os.path.join(self.source, path), encoding="utf-8") as f:
            return f.read()

    def write(self, texts):
        for path, text in texts.items():
            with open(os.path.join(self.source, path), "w",
                      encoding="utf-8") as f:
                f.write(text)


# --- recorded runs --------------------------------------------------------

def run_names():
    """Folders with a stream and both snapshots, the oldest kernel first."""
    names = []
    top = os.path.join(ROOT, TRACES)
    for name in sorted(os.listdir(top)):
        files = os.listdir(os.path.join(top, name))
        if "req.txt.zst" in files and "before.snap.zst" in files:
            names.append(name)
    return sorted(names, key=lambda n: (kernel_of(n) != "6.1", n))


def kernel_of(name):
    """Profile of a run: its meta.txt begins a line with the kernel."""
    path = os.path.join(ROOT, TRACES, name, "meta.txt")
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            text = f.read()
    found = re.search(r"^kernel\s+(\d+\.\d+)(\.0\b)?", text, re.M)
    if not found:
        return "6.1"
    return "6.12.0" if found.group(2) and found.group(1) == "6.12" \
        else found.group(1)


def replay(copy, name, hints):
    """The run's result, or a word for what became of it."""
    folder = os.path.join(ROOT, TRACES, name)
    args = [os.path.join(copy.build, "cli", "buddylab"), "replay",
            os.path.join(folder, "req.txt.zst"), "--snapshot",
            os.path.join(folder, "before.snap.zst"), "--kernel",
            kernel_of(name), "--hints", hints, "--format", "json"]
    after = os.path.join(folder, "after.snap.zst")
    if os.path.exists(after):
        args += ["--expect", after]
    try:
        done = subprocess.run(args, capture_output=True, timeout=RUN_SECONDS,
                              text=True)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode not in (0, 1):
        return "stops"
    result = json.loads(done.stdout)
    result.pop("wall_s")
    return result


def misses(result):
    if not isinstance(result, dict):
        return None
    return (result["allocations"] - result["predicted"],
            result["lists_differing"] or 0)


def baseline(copy, names):
    """{name: (hints, result)} with every rule in place."""
    base = {}
    for name in names:
        best = None
        for hints in HINTS:
            result = replay(copy, name, hints)
            if not isinstance(result, dict):
                sys.exit("%s %s with all rules in place" % (name, result))
            if best is None or misses(result) < misses(best[1]):
                best = (hints, result)
            if misses(result) == (0, 0):
                break
        base[name] = best
    return base


def cell(result, base):
    """Misses and lists differing; "" if the run did not notice."""
    if result == base:
        return ""
    if not isinstance(result, dict):
        return result
    return "%d/%d" % misses(result)


# --- worked examples ------------------------------------------------------

FAILED = re.compile(r"^\[  FAILED  \] (.*)$", re.M)
STARTED = re.compile(r"^\[ RUN      \] (.*)$", re.M)


def programs(copy):
    found = [os.path.join(copy.build, p) for p in PROGRAMS]
    folder = os.path.join(copy.build, "tests", "alloc")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith("test_") and os.access(path, os.X_OK) and \
                os.path.isfile(path):
            found.append(path)
    return found


def failing(path, folder):
    """Names of the cases that fail; a crash counts as one, and leaves its
    files in `folder`."""
    try:
        done = subprocess.run([path], stdout=subprocess.PIPE, cwd=folder,
                              stderr=subprocess.STDOUT, timeout=TEST_SECONDS)
        text = done.stdout.decode("utf-8", "replace")
        ended = done.returncode in (0, 1)
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b"").decode("utf-8", "replace")
        ended = False
    names = [n for n in FAILED.findall(text) if " test(s)" not in n]
    started = STARTED.findall(text)
    if not ended and started:
        names.append(started[-1])
    return list(dict.fromkeys(names))


def examples(copy, before):
    names = []
    for path in programs(copy):
        names += [n for n in failing(path, copy.build) if n not in before]
    return names


def without_kernel(names):
    """X8 on 5.3, X8 on 6.1: one example."""
    return list(dict.fromkeys(re.sub(r" on \d[\d.]*$", "", n)
                              for n in names))


# --- the table ------------------------------------------------------------

SHOWN = 3


def shown_examples(rule, noticed):
    """Those the rule names, then others, then how many more."""
    known = [n for n in rule.examples if n in noticed]
    rest = [n for n in noticed if n not in known]
    names = (known + rest)[:max(SHOWN, len(known))]
    more = len(noticed) - len(names)
    return ", ".join(names) + (" and %d more" % more if more > 0 else "")


def letters(names):
    return {name: chr(ord("a") + i) for i, name in enumerate(names)}


def print_table(out, kept, rules):
    base = kept["base"]
    key = letters(base)
    if base:
        print("| | run | kernel | hints | misses | lists differing |", file=out)
        print("|---|---|---|---|---|---|", file=out)
    for name, (hints, result) in base.items():
        print("| %s | %s | %s | %s | %d | %d |" % (
            (key[name], name, kernel_of(name), hints) + misses(result)),
            file=out)
    for kind in ("rule", "record"):
        print_rows(out, kept, [r for r in rules if r.kind == kind], key)


def print_rows(out, kept, rules, key):
    if not rules:
        return
    runs = "".join(" %s |" % k for k in key.values())
    print("\n| %s | without it |%s examples that notice |" % (
        rules[0].kind, runs), file=out)
    print("|---|---|%s---|" % ("---|" * len(key)), file=out)
    for rule in rules:
        found = kept["rules"].get(rule.key(), {"cells": {}, "noticed": ""})
        cells = [found["cells"].get(name, "?") for name in key]
        print("| `%s`: %s | %s |%s %s |" % (
            rule.name, rule.rule, rule.without,
            "".join(" %s |" % c if c else " |" for c in cells),
            found["noticed"]), file=out)


def write_table(path, kept, rules):
    """The whole file, or what stands between its marks."""
    out = io.StringIO()
    print_table(out, kept, rules)
    text = out.getvalue()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            old = f.read()
        if MARK in old:
            head, _, rest = old.partition(MARK)
            tail = rest.partition(END_MARK)[2]
            text = head + MARK + "\n" + text + END_MARK + tail
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


# --- one rule after the other ---------------------------------------------

def weigh(copy, rule, kept, before, found):
    """Fill in what `found` has not; false if the copy does not compile."""
    todo = [n for n in kept["base"] if n not in found["cells"]]
    if not todo and found["noticed"] is not None:
        return True
    texts = take_away(rule, copy.read)
    saved = {path: copy.read(path) for path in texts}
    copy.write(texts)
    try:
        if copy.make():
            return False
        for name in todo:
            hints, result = kept["base"][name]
            found["cells"][name] = cell(replay(copy, name, hints), result)
        if found["noticed"] is None:
            names = without_kernel(examples(copy, before))
            found["missing"] = [e for e in rule.examples if e not in names]
            found["noticed"] = shown_examples(rule, names)
        return True
    finally:
        copy.write(saved)


def complaint(rule, found):
    """What is wrong, or nothing."""
    if found["missing"]:
        return "%s: taken away, and not noticed by: %s" % (
            rule.name, ", ".join(found["missing"]))
    return None


def load(path):
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    return {"base": {}, "rules": {}}


def store(path, kept):
    if path:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(kept, f, indent=1)
            f.write("\n")


def chosen(rules, names):
    unknown = set(names) - {r.name for r in rules}
    if unknown:
        sys.exit("unknown rule: %s; --list shows all" %
                 ", ".join(sorted(unknown)))
    return [r for r in rules if not names or r.name in names]


def start(args, kept):
    """The copy with all rules in place, and what fails there."""
    copy = Copy(args.work, args.jobs)
    if copy.configure() or copy.make():
        sys.exit("the tree does not build; see %s" % copy.build)
    names = [] if args.no_runs else run_names()
    fresh = baseline(copy, [n for n in names if n not in kept["base"]])
    kept["base"] = {n: fresh.get(n) or kept["base"][n] for n in names}
    before = set(examples(copy, set()))
    for name in sorted(before):
        print("fails with all rules in place: %s" % name, file=sys.stderr)
    for name, (_, result) in kept["base"].items():
        if misses(result) != (0, 0):
            print("%s: %d misses, %d lists differ with all rules in place" %
                  ((name,) + misses(result)), file=sys.stderr)
    return copy, before


def weigh_all(args, rules):
    kept = load(args.results)
    copy, before = start(args, kept)
    failed = 0
    for rule in rules:
        found = kept["rules"].setdefault(
            rule.key(), {"cells": {}, "noticed": None, "missing": []})
        compiles = weigh(copy, rule, kept, before, found)
        wrong = complaint(rule, found) if compiles else \
            "%s: does not compile" % rule.name
        if wrong:
            print(wrong, file=sys.stderr)
            failed = 1
        print("%-8s%-28s%s  %s" % (
            rule.kind, rule.name,
            " ".join(found["cells"].get(n) or "." for n in kept["base"]),
            found["noticed"]), flush=True)
        store(args.results, kept)
    if args.table:
        write_table(args.table, kept, rules)
    return failed if args.check else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--list", action="store_true")
    p.add_argument("--dry", action="store_true")
    p.add_argument("--check", action="store_true")
    p.add_argument("--no-runs", action="store_true")
    p.add_argument("--results", metavar="FILE")
    p.add_argument("--table", metavar="FILE")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("work", nargs="?")
    p.add_argument("rules", nargs="*")
    args = p.parse_args()
    rules = read_rules()
    if args.list:
        for r in rules:
            print("%-8s%-28s%s" % (r.kind, r.name, r.rule))
        return 0
    if args.dry:
        return dry(rules)
    if not args.work:
        p.error("no folder to build in")
    if not shutil.which("cmake") or not shutil.which("ninja"):
        print("cmake or ninja not found")
        return 77
    args.work = os.path.abspath(args.work)
    return weigh_all(args, chosen(rules, args.rules))


if __name__ == "__main__":
    sys.exit(main())
