#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the gate catch what it is there for? Regressions of one line.

    mutants.py [--work DIR] [--only NAME] [--jobs N]
    mutants.py --list
    mutants.py --dry      does the table still fit the source and docs/ci.md?

Each is planted in a copy of the source, built, run on the experiments of the
shipped baselines, and has to be caught by `buddylab check`. The copy as it is
has to pass. With --work the copy and its build are kept and reused, so that a
second run compiles only what has changed; ccache is used where it is installed.
Exit status: 0 all are caught, 1 one survives, 3 something did not build or run.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {".git", "build", "out", "tests", "docs", "__pycache__"}
# Every shipped baseline with the experiment it is of.
GATES = ("gate", "quick")

# Name, file, the line as it is, the line as it becomes.
MUTANTS = [
    ("budget ignored", "reporter/page_reporting_cycle.c",
     "return page_reporting_options(r)->budget && s->budget < 0;",
     "return page_reporting_options(r)->budget && s->budget < -1000;"),
    ("rotation dropped", "reporter/page_reporting_cycle.c",
     "\tif (last != VISIT_NEXT && pfn != PFN_NONE)\n\t\trotate(r, pfn);",
     "\tif (last == VISIT_NEXT && pfn != PFN_NONE)\n\t\trotate(r, pfn);"),
    ("list end swapped", "reporter/page_reporting_cycle.c",
     "\tdefault:\n\t\tenv->putback(env->ctx, e->pfn, e->order, mt);",
     "\tdefault:\n\t\tenv->putback_tail(env->ctx, e->pfn, e->order, mt);"),
    ("delay halved", "reporter/page_reporting.c",
     "r->env->schedule(r->env->ctx, page_reporting_options(r)->delay_ns);",
     "r->env->schedule(r->env->ctx, page_reporting_options(r)->delay_ns / 2);"),
    ("mark kept on merge", "reporter/page_reporting.c",
     "\tif (!(alloc_block_marks(r->env->view, pfn) & BLOCK_REPORTED))\n"
     "\t\treturn;",
     "\tif (!(alloc_block_marks(r->env->view, pfn) & BLOCK_REPORTED) ||\n"
     "\t    why == UNMARK_MERGE)\n\t\treturn;"),
    ("mark kept on a merged block", "reporter/hinted_boundary_cycle.c",
     "\t\t    alloc_block_order(a, e->pfn) != e->order) {",
     "\t\t    alloc_block_order(a, e->pfn) < e->order) {"),
    ("boundary walks from the head", "reporter/hinted_boundary_cycle.c",
     "return alloc_list_last(a, s->zone, order, mt);",
     "return alloc_list_first(a, s->zone, order, mt);"),
    ("order lowered", "reporter/hinted_boundary.c",
     "\t\t\t      alloc_pageblock_order(r->env->view);\n"
     "\ts->capacity = (unsigned int)o->capacity;",
     "\t\t\t      alloc_pageblock_order(r->env->view) - 1;\n"
     "\ts->capacity = (unsigned int)o->capacity;"),
    ("capacity off by one", "reporter/zone_bitmap.c",
     "s->capacity = (unsigned int)o->capacity;",
     "s->capacity = (unsigned int)o->capacity - 1;"),
    ("stale bits kept", "reporter/zone_bitmap_scan.c",
     "\tif (was_free || always) {", "\tif (was_free) {"),
    ("pcp lists not drained", "reporter/percpu_array.c",
     "\tr->env->drain_pcp(r->env->ctx, cpu);\n", ""),
    ("watermark not asked", "reporter/page_reporting.c",
     "\tif (alloc_watermark_ok(r->env->view, zone, 0, mark, 0))\n"
     "\t\treturn true;",
     "\tif (alloc_watermark_ok(r->env->view, zone, 0, 0, 0))\n"
     "\t\treturn true;"),
    ("threshold off by one", "reporter/percpu_array.c",
     "\tif (c->state == ARRAY_CAPTURE && c->nr >= s->threshold)\n"
     "\t\twake(r, cpu);\n}",
     "\tif (c->state == ARRAY_CAPTURE && c->nr > s->threshold)\n"
     "\t\twake(r, cpu);\n}"),
    ("answer not awaited", "reporter/pull_bitmap_map.c",
     "\t\tbitmap_set(s->taken, pfn);\n\t\treturn true;",
     "\t\tbitmap_set(s->taken, pfn);\n\t\treturn false;"),
    ("pages given back in the other order", "reporter/balloon_step.c",
     "\twhile (nr--) {\n\t\tconst struct page_report *e = &entries[nr];\n\n"
     "\t\tballoon_adjust_managed",
     "\tfor (unsigned int i = 0; i < nr; i++) {\n"
     "\t\tconst struct page_report *e = &entries[i];\n\n"
     "\t\tballoon_adjust_managed"),
    ("freed pages taken for zero", "reporter/host_zeroed.c",
     "\t(void)cpu;\n"
     "\tbitmap_clear_range(s->known_zero, pfn, order_nr_pages(order));",
     "\t(void)cpu;"),
]


def sync(target):
    """Copy what is built; files that are the same keep their time."""
    wanted = set()
    for folder, names, files in os.walk(SOURCE):
        names[:] = [n for n in names if n not in SKIPPED]
        for name in files:
            path = pathlib.Path(folder, name).relative_to(SOURCE)
            copy, text = target / path, (SOURCE / path).read_bytes()
            wanted.add(path)
            if not copy.exists() or copy.read_bytes() != text:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(text)
    for copy in [p for p in target.rglob("*") if p.is_file()]:
        if copy.relative_to(target) not in wanted:
            copy.unlink()


def run(command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True,
                          text=True, check=False, **more)


class Bench:
    """A copy of the source and its build."""

    def __init__(self, work, jobs):
        self.source = work / "src"
        self.build = work / "build"
        self.out = work / "out"
        self.jobs = jobs
        self.program = self.build / "cli" / "buddylab"
        self.source.mkdir(parents=True, exist_ok=True)
        sync(self.source)
        # Paths in the cache are as seen from here: a new folder finds them.
        self.env = dict(os.environ, CCACHE_BASEDIR=str(work),
                        CCACHE_NOHASHDIR="1")
        # A step of CI says what it finds once, and not for each mutant.
        self.env.pop("GITHUB_ACTIONS", None)

    def configure(self):
        command = ["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                   "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF"]
        if shutil.which("ccache"):
            command.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
        return run(command, env=self.env)

    def compile(self):
        return run(["cmake", "--build", self.build, "--target", "buddylab",
                    "--parallel", self.jobs], env=self.env)

    def check(self, name):
        """(exit status, verdict as JSON or None, messages) of one gate."""
        shutil.rmtree(self.out, ignore_errors=True)
        done = run([self.program, "run",
                    self.source / f"bench/experiments/{name}.ini", "-o",
                    self.out, "--format", "none", "-j", self.jobs])
        if done.returncode not in (0, 3):
            return done.returncode, None, done.stderr
        verdict = run([self.program, "check", self.out, "--baseline",
                       self.source / f"bench/baselines/{name}.jsonl",
                       "--format", "json"], env=self.env)
        try:
            return (verdict.returncode, json.loads(verdict.stdout),
                    done.stderr + verdict.stderr)
        except ValueError:
            return verdict.returncode, None, done.stderr + verdict.stderr


def named(verdict):
    """Cells, designs and the counter that moved in most cells."""
    moved, variants = {}, []
    for cell in verdict["differences"]:
        if cell["variant"] not in variants:
            variants.append(cell["variant"])
        for value in cell["values"]:
            if value["phase"] is None and isinstance(value["was"], int):
                moved.setdefault(value["name"], []).append(
                    (value["was"], value["is"]))
    text = f"{len(verdict['differences'])} cells"
    if moved:
        # The design's own counters say more than what follows from them.
        name = max(moved, key=lambda n: (n.startswith("reporter."),
                                         n.startswith("host."),
                                         len(moved[n])))
        was, now = (sum(v[i] for v in moved[name]) for i in (0, 1))
        text += f"; {name} {was} -> {now}"
    return text + f" ({', '.join(variants[:3])}" + \
        (", ...)" if len(variants) > 3 else ")")


def dry():
    """0 if every mutant can be planted and stands in the documentation."""
    rows = (SOURCE / "docs" / "ci.md").read_text()
    status = 0
    for name, path, was, _ in MUTANTS:
        times = (SOURCE / path).read_text().count(was)
        if times != 1:
            print(f"{name}: {path} has {times} times\n{was}")
            status = 1
        if f"| {name} | `{path}` |" not in rows:
            print(f"{name}: docs/ci.md has no row for it")
            status = 1
    return status


def plant(bench, mutant):
    """Returns the text to put back."""
    _, path, was, now = mutant
    file = bench.source / path
    text = file.read_text()
    if text.count(was) != 1:
        raise SystemExit(f"mutants: {path} has {text.count(was)} times\n{was}\n"
                         "the table in this file has to follow the source")
    file.write_text(text.replace(was, now))
    return text


def try_mutant(bench, mutant):
    """'caught', 'survived' or 'broken', and what there is to say."""
    text = plant(bench, mutant)
    try:
        built = bench.compile()
        if built.returncode:
            return "broken", (built.stdout + built.stderr)[-2000:]
        for gate in GATES:
            status, verdict, messages = bench.check(gate)
            if status == 1 and verdict:
                return "caught", f"{gate}: {named(verdict)}"
            if status == 4:
                first = (messages.splitlines() or [""])[0]
                return "caught", f"{gate}: cells are missing; {first[:200]}"
            if status:
                return "broken", messages[-2000:]
        return "survived", ""
    finally:
        (bench.source / mutant[1]).write_text(text)


def unchanged(bench):
    """The copy as it is: 0 if it passes every gate."""
    for step in (bench.configure, bench.compile):
        done = step()
        if done.returncode:
            print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
            return 3
    for gate in GATES:
        status, _, messages = bench.check(gate)
        if status:
            print(f"mutants: without any mutant, {gate} fails ({status})\n"
                  f"{messages}", file=sys.stderr)
            return 3
    return 0


def try_all(bench, mutants):
    start = time.monotonic()
    status = unchanged(bench)
    if status:
        return status
    print(f"unchanged: passes ({time.monotonic() - start:.0f} s)", flush=True)
    counts = {"caught": 0, "survived": 0, "broken": 0}
    for mutant in mutants:
        begin = time.monotonic()
        outcome, text = try_mutant(bench, mutant)
        counts[outcome] += 1
        print(f"{outcome}: {mutant[0]} ({mutant[1]}): {text} "
              f"[{time.monotonic() - begin:.0f} s]", flush=True)
    print(f"{counts['caught']} of {len(mutants)} caught "
          f"({time.monotonic() - start:.0f} s)")
    if counts["broken"]:
        return 3
    return 1 if counts["survived"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", help="folder to keep the build in")
    parser.add_argument("--only", help="mutants with this in their name")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    if args.dry:
        return dry()
    mutants = [m for m in MUTANTS if not args.only or args.only in m[0]]
    if args.list or not mutants:
        for name, path, *_ in MUTANTS:
            print(f"{name}: {path}")
        return 0 if args.list else 2
    if args.work:
        return try_all(Bench(pathlib.Path(args.work).resolve(), args.jobs),
                       mutants)
    with tempfile.TemporaryDirectory(prefix="buddylab-mutants-") as work:
        return try_all(Bench(pathlib.Path(work), args.jobs), mutants)


if __name__ == "__main__":
    sys.exit(main())
