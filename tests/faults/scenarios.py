# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that are tried: each with what it needs and what it writes.

needs: what it finds in its folder, made once by fixtures(). same: False where
what it writes holds times, so that only its kind can be compared. most: no
more faults than that of a kind (a slow command). partial: what it draws of the
cells that are there, where some have failed. mmap and the like stand in
driver.py.
"""

import os
import subprocess

SMALL = """[experiment]
title = Small
seeds = 1,2
[guest]
memory = 64M
base = 1M
[phase fill]
workload = memhog
size = 50%
[phase measure]
workload = page_fault1
duration = 5ms
[variant one]
[variant two]
reporter.design = page_reporting
"""
SERIES = """[experiment]
title = Series
sample = 1ms
map = 2ms
[guest]
memory = 64M
base = 1M
topology = core:2 pu:1
[phase fill]
workload = memhog
size = 50%
[phase measure]
workload = page_fault2
duration = 5ms
tasks = 1,2
[variant balloon]
reporter.design = balloon
"""
TRACE = """[guest]
memory = 64M
base = 1M
topology = this
[host]
hypervisor = mock
prices = prices.ini
[phase recorded]
workload = trace
file = sort.blt
"""
SOLVE = """[guest]
memory = 64M
base = 4M
[host]
memory = 4G
[phase measure]
workload = page_fault1
map_size = 4M
duration = 1s
"""
# Enough cells for `collect` to have others read them.
MANY = """[experiment]
seeds = 1..70
[guest]
memory = 64M
base = 1M
[phase measure]
workload = page_fault1
duration = 10us
"""
TUNE = """[experiment]
seeds = 1,2
[guest]
memory = 64M
base = 1M
[phase measure]
workload = page_fault1
duration = 5ms
[variant two]
reporter.design = page_reporting
reporter.delay = 1ms
"""
TARGET = "[target]\npage_fault1@1 = 500000 | made up for this test\n"
THRESHOLDS = "[thresholds]\ndefault = 5%\n"
STEP = """kernel 6.1
zone Normal 0 8192
cpus 2
pcp 7 42
boot 1024 2048
alloc M 3
alloc U 0 cpu=1
lists
pcplists
report order=9 capacity=2
state
"""
PREDICTION = """[prediction]
title = memory left
experiment = ../../small.ini
only = one,two
[quantity left]
variant = two
phase = fill
metric = host_rss_end_bytes
as = value
divide = 1048576
unit = MiB
decimals = 0
"""
PUBLISHED = """[published]
source = made up for this test
calibrated = nothing
[row left]
title = left
value = 44
judge = band 100
"""
WRITTEN = {"small.ini": SMALL, "series.ini": SERIES, "trace.ini": TRACE,
           "many.ini": MANY, "tune.ini": TUNE, "solve.ini": SOLVE, "solve.target": TARGET,
           "thresholds.ini": THRESHOLDS, "script.step": STEP}
DATA = {
    "sort.blt": "programs/sort.blt",
    "perf.txt": "formats/perf-ns.txt",
    "ftrace.txt": "formats/ftrace-6.1.txt",
    "proc.txt": "formats/ftrace-6.1.procstats.txt",
    "bpftrace.txt": "formats/bpftrace.txt",
    "trace.dat": "formats/trace.dat",
    "req.txt.zst": "traces/page_fault1-thp/req.txt.zst",
    "pf.blt": "traces/page_fault1-thp/trace.blt",
    "before.zst": "traces/page_fault1-thp/before.snap.zst",
    "after.zst": "traces/page_fault1-thp/after.snap.zst",
    "stream.blt": "streams/memhog-6.1.blt",
}


class Scenario:
    def __init__(self, name, args, needs="", same=True, most=None,
                 partial=""):
        self.name = name
        self.args = args.split()
        self.needs = needs.split()
        self.same = same
        self.most = most
        self.partial = partial
        self.command = self.args[0]
        # What moved has moved: a second time nothing does.
        self.once = self.command == "accept"


S = Scenario
ALL = [
    S("run", "run small.ini -o out -j 1", "small.ini"),
    S("run-two-workers", "run small.ini -o out -j 2 --format json",
      "small.ini"),
    S("run-on", "run small.ini -o half -j 1 --format cover",
      "small.ini half"),
    S("run-again", "run small.ini -o out -j 1 --format jsonl",
      "small.ini out"),
    S("run-series-map", "run series.ini -o out -j 1 --format none",
      "series.ini"),
    S("run-trace", "run trace.ini -o out -j 1 --format none",
      "trace.ini sort.blt prices.ini"),
    S("run-cell", "run-cell small.ini -o out --cell {cell}", "small.ini"),
    S("run-cell-on", "run-cell small.ini -o half --cell {cell}",
      "small.ini half"),
    S("collect", "collect small.ini -o out", "small.ini out"),
    S("collect-many", "collect many.ini -o many -j 2", "many.ini many",
      most=24),
    S("status", "status small.ini -o half --missing", "small.ini half"),
    S("status-json", "status small.ini -o out --format json",
      "small.ini out"),
    S("plan", "plan small.ini", "small.ini"),
    S("plan-make", "plan series.ini --format make", "series.ini"),
    S("plan-parallel", "plan small.ini --format parallel", "small.ini"),
    S("plan-slurm", "plan small.ini --format slurm", "small.ini"),
    S("plan-json", "plan small.ini --format json", "small.ini"),
    S("check", "check out --baseline base.jsonl", "out base.jsonl"),
    S("check-moved", "check moved --baseline base.jsonl --junit junit.xml "
      "--tap", "moved base.jsonl"),
    S("check-json", "check moved --baseline out --format json", "moved out"),
    S("accept", "accept moved --baseline base.jsonl", "moved base.jsonl"),
    S("accept-json", "accept moved --baseline base.jsonl --format json",
      "moved base.jsonl"),
    S("compare", "compare out moved", "out moved"),
] + [
    S(f"compare-{f}", f"compare out moved --format {f}", "out moved")
    for f in ("table", "md", "csv", "json", "cover")
] + [
    S(f"report-{f}", f"report out --format {f}", "out")
    for f in ("table", "md", "csv", "json", "cover", "html", "openmetrics")
] + [
    S(f"report-{f}", f"report out --format cover --layout {f}", "out")
    for f in ("mmtests", "benchstat", "lkp")
] + [
    S("plot-dumb", "plot out --figure throughput", "out", most=60),
    S("plot-svg", "plot series --terminal svg", "series", most=60),
    S("import-perf", "import perf.txt -o t.blt", "perf.txt"),
    S("import-over", "import bpftrace.txt -o pf.blt", "bpftrace.txt pf.blt"),
    S("import-ftrace", "import ftrace.txt -o t.blt", "ftrace.txt"),
    S("import-request", "import req.txt.zst -o t.blt", "req.txt.zst"),
    S("import-blt", "import pf.blt -o t.blt", "pf.blt"),
    S("import-dat", "import trace.dat -o t.blt", "trace.dat", most=150),
    S("export-text", "export pf.blt -o t.txt", "pf.blt"),
    S("export-perfetto", "export perf.txt --format perfetto", "perf.txt"),
    S("info", "info pf.blt", "pf.blt"),
    S("info-json", "info perf.txt --format json", "perf.txt"),
    S("replay", "replay req.txt.zst --snapshot before.zst --expect after.zst"
      " --hints all", "req.txt.zst before.zst after.zst"),
    S("replay-threads", "replay pf.blt --snapshot before.zst --threads 2"
      " --format json --kernel 6.1", "pf.blt before.zst", same=False),
    S("replay-proc", "replay ftrace.txt --assume proc.txt --proc proc.txt"
      " --limit 200", "ftrace.txt proc.txt"),
    S("stream-diff", "stream-diff stream.blt --workload memhog"
      " --set size=16M --lines 1", "stream.blt"),
    S("step", "step script.step", "script.step"),
    S("record", "record -o t.blt -- /bin/true", same=False),
    S("reproduce", "reproduce tlb-walk -o out --data {bench}"),
    S("reproduce-run", "reproduce mini -o out --data claims -j 1",
      "claims small.ini"),
    S("reproduce-list", "reproduce --list --data {bench}"),
    S("list", "list"),
    S("list-options", "list options"),
    S("list-counters-json", "list counters --format json"),
    S("calibrate-solve", "calibrate --solve solve.ini --target solve.target"
      " --zero-share 0.5 -j 1", "solve.ini solve.target",
      most=150),
    S("bench-list", "bench --list"),
    S("bench", "bench size-ratio --repeat 1 -o bench.txt", same=False,
      most=30),
    S("completion-bash", "completion bash"),
    S("completion-zsh", "completion zsh"),
    S("swarm", "swarm --seed 4 --cells 1 --shrink 2 -o swarm", same=False,
      most=150),
    S("swarm-two-workers", "swarm --seed 6 --cells 2 --shrink 2 -j 2"
      " --format json -o swarm", same=False, most=60),
    S("tune", "tune tune.ini -o out -j 1 --vary reporter.order=0,4"
      " --objective measure:throughput:max --objective measure:reports:min",
      "tune.ini", most=60, partial="out/figures/"),
    S("kernel-reporter", "kernel-reporter --tree none -o made.so"),
    S("conformance", "conformance --streams 0 --case punch-4k",
      same=False, most=30),
]


def run(program, folder, *args):
    subprocess.run([program, *args], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def keep_half(folder):
    """The results of a run that was stopped half way."""
    cells = sorted(os.listdir(os.path.join(folder, "cells")))
    for name in cells[1::2]:
        os.unlink(os.path.join(folder, "cells", name))
        os.unlink(os.path.join(folder, "series", name[:-5] + ".csv"))
    os.unlink(os.path.join(folder, "cells.jsonl"))


def make_claim(folder):
    """A claim small enough to be predicted again for each fault."""
    for part in ("predictions", "published"):
        os.makedirs(os.path.join(folder, "claims", part))
    for part, text in (("predictions", PREDICTION),
                       ("published", PUBLISHED)):
        with open(os.path.join(folder, "claims", part, "mini.ini"), "w",
                  encoding="utf-8") as out:
            out.write(text)


def fixtures(folder, program, source):
    """Fills the folder; returns what braces in arguments stand for."""
    for name, text in WRITTEN.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    for name, path in DATA.items():
        with open(os.path.join(source, "tests/data", path), "rb") as f, \
             open(os.path.join(folder, name), "wb") as out:
            out.write(f.read())
    with open(os.path.join(source, "bench/prices/e5-2630v3.ini"),
              encoding="utf-8") as f, \
         open(os.path.join(folder, "prices.ini"), "w",
              encoding="utf-8") as out:
        out.write(f.read())
    run(program, folder, "run", "small.ini", "-o", "out")
    run(program, folder, "run", "small.ini", "-o", "half")
    run(program, folder, "run", "series.ini", "-o", "series")
    run(program, folder, "run", "many.ini", "-o", "many")
    run(program, folder, "run", "small.ini", "-o", "moved", "--set",
        "phase.fill.size=25%")
    keep_half(os.path.join(folder, "half"))
    make_claim(folder)
    run(program, folder, "accept", "out", "--baseline", "base.jsonl")
    plan = subprocess.run([program, "plan", "small.ini"], cwd=folder,
                          check=True, capture_output=True, text=True)
    cells = set(os.listdir(os.path.join(folder, "half", "cells")))
    missing = [w for w in plan.stdout.split()
               if len(w) == 32 and w + ".json" not in cells]
    return {"cell": missing[0], "bench": os.path.join(source, "bench")}
