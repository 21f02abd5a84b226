#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the tests notice deliberate errors? Runs those of mutants.txt.

    run.py [--work DIR] [--jobs N]          all of them
    run.py --only A017,page_reporting       by identifier, or part of file:function
    run.py --survivors                      those that the last run left
    run.py --systematic                     errors made by rule (operators.py)
    run.py --report                         the table of the last run again
    run.py --quick SECONDS                  no more than this for each mutant
    run.py --tests alloc,reporter           the tests of these folders

The copy with its mutants is built once; then each mutant is switched on and the
tests that reach its place are run, the cheapest first, until one fails. A test
that takes ten times as long as it should has noticed, too; this is counted
apart. Results are kept in the work folder, so that a run that was stopped goes
on where it was; --again starts over.

Exit status: 0 all are noticed or explained; 1 one survives, or one that is
explained as a survivor is noticed after all; 3 the copy does not build.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading
import time

import mutate
import operators

MOST_MUTANTS = 65536
# Folders whose tests are built and run. What runs for long comes last.
FOLDERS = ("alloc", "reporter", "guest", "sim", "step", "model", "replay")
PROGRAM = {"sim", "step", "replay"}     # folders with scripts that run buddylab
LEFT_OUT = {"slow", "tidy", "perf", "mutants", "mutation", "host"}
LONGEST = 60.0      # seconds; a test beyond is left out
PATIENCE = 10.0     # times as long as with no mutant, and as many seconds


class Bench:
    """The copy, its build and what its tests do with no mutant on."""

    def __init__(self, work, mutants, jobs, folders):
        self.work, self.mutants, self.jobs = work, mutants, jobs
        self.folders = folders
        self.copy, self.build = work / "src", work / "build"
        self.tests = {}
        self.locks = collections.defaultdict(threading.Lock)

    def make(self):
        mutate.write_copy(self.copy, self.mutants)
        log = open(self.work / "build.log", "w")
        steps = [["cmake", "-S", self.copy, "-B", self.build, "-G", "Ninja",
                  "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O1 -w",
                  "-DCMAKE_C_COMPILER_LAUNCHER=" +
                  ("ccache" if which("ccache") else "")],
                 ["ninja", "-C", self.build, f"-j{self.jobs}"] +
                 ["buddylab"] * bool(set(self.folders) & PROGRAM) +
                 [f"tests/{f}/all" for f in self.folders]]
        for step in steps:
            if subprocess.run([str(s) for s in step], stdout=log,
                              stderr=log).returncode:
                fail(f"{step[0]} failed; see {log.name}")

    def list_tests(self):
        done = subprocess.run(["ctest", "--show-only=json-v1"],
                              cwd=self.build, capture_output=True, check=True)
        for test in json.loads(done.stdout)["tests"]:
            props = {p["name"]: p["value"] for p in test["properties"]}
            folder = pathlib.Path(props["WORKING_DIRECTORY"]).name
            if folder in self.folders and "command" in test and \
                    not LEFT_OUT & set(props.get("LABELS", [])):
                env = dict(e.split("=", 1)
                           for e in props.get("ENVIRONMENT", []))
                self.tests[test["name"]] = {
                    "command": test["command"], "folder": folder,
                    "source": source_of(test["command"][0]),
                    "cwd": props["WORKING_DIRECTORY"], "env": env}

    def execute(self, name, number, patience, reached=None):
        """(exit status, seconds); None: it was not waited for."""
        test = self.tests[name]
        env = dict(os.environ, **test["env"], BUDDYLAB_MUTANT=str(number))
        if reached:
            env["BUDDYLAB_REACHED"] = str(reached)
        began = time.monotonic()
        with self.locks[name] if is_script(test) else threading.Lock():
            proc = subprocess.Popen(test["command"], cwd=test["cwd"], env=env,
                                    stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL,
                                    start_new_session=True)
            try:
                status = proc.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(proc.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            proc.wait()
        return status, time.monotonic() - began

    def stamp(self, name):
        """Changes with the programs and scripts of a test."""
        files = [pathlib.Path(c) for c in self.tests[name]["command"]]
        return max(f.stat().st_mtime_ns for f in files if f.is_file())

    def baseline(self):
        """Which places each test reaches, and in what time."""
        kept = self.work / "baseline.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        left_out = {}

        def one(name):
            old = known.get(name)
            if old and old["stamp"] == self.stamp(name):
                if old["why"]:
                    left_out[name] = old["why"]
                return name, old["seconds"], set(old["reached"])
            path = self.work / f"reached.{name}"
            path.write_bytes(bytes(MOST_MUTANTS))
            status, seconds = self.execute(name, 0, LONGEST, path)
            data = path.read_bytes()
            path.unlink()
            if status != 0:
                left_out[name] = "too long" if status is None else \
                    f"exit {status}"
            reached = [i for i, b in enumerate(data) if b]
            known[name] = {"stamp": self.stamp(name), "seconds": seconds,
                           "why": left_out.get(name), "reached": reached}
            return name, seconds, set(reached)

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for name, seconds, reached in pool.map(one, list(self.tests)):
                self.tests[name].update(seconds=seconds, reached=reached)
        kept.write_text(json.dumps(known))
        for name in left_out:
            del self.tests[name]
        return left_out


def source_of(program, tree=mutate.SOURCE):
    """Of the test's own file, as far as it is known by its name, and of the
    files beside it that are no tests: one of them may be a part of it."""
    name = pathlib.Path(program).name + ".c"
    files = set()
    for own in tree.glob("tests/*/" + name):
        files |= {own} | {p for p in own.parent.glob("*.[ch]")
                          if not p.name.startswith("test_")}
    data = b"".join(p.read_bytes() for p in sorted(files))
    return hashlib.sha1(data).hexdigest()[:12]


def which(program):
    return any(os.access(os.path.join(d, program), os.X_OK)
               for d in os.environ["PATH"].split(":"))


def is_script(test):
    return not test["command"][0].startswith(test["cwd"])


def fail(message):
    print(f"run.py: {message}", file=sys.stderr)
    sys.exit(3)


def key_of(mutant):
    """A result is of this text at this place."""
    text = "\0".join((mutant.file, mutant.function, mutant.old, mutant.new))
    return mutant.name + " " + hashlib.sha1(text.encode()).hexdigest()[:12]


class Run:
    def __init__(self, bench, results, path, quick):
        self.bench, self.results, self.path = bench, results, path
        self.quick = quick
        self.lucky = collections.Counter()  # (function, test): kills
        self.lock = threading.Lock()

    def order(self, number, mutant):
        """Those first that are likely to notice for what they cost."""
        place = mutant.file, mutant.function
        folder, name = mutant.file.split("/")
        stem = re.sub(r"(_cycle|_scan|_map|_may|_step|_pages)?\.[ch]$", "",
                      name)

        def cost(test):
            t = self.bench.tests[test]
            likely = 1 + 8 * (t["folder"] == folder) + \
                12 * (test.startswith("test_" + stem)) + \
                (4 if t["folder"] == "model" and folder == "alloc" or
                 "contract" in test and folder == "reporter" else 0) + \
                20 * self.lucky[place, test] + self.lucky[folder, test]
            return (t["seconds"] + 0.02) / likely

        return sorted((n for n, t in self.bench.tests.items()
                       if number in t["reached"]), key=cost)

    def judge(self, number, mutant):
        """A test that passed before is not asked again, unless it changed."""
        passed = dict(self.results.get(key_of(mutant), {}).get("passed", {}))
        tests = self.order(number, mutant)
        spent = 0
        for name in tests:
            test = self.bench.tests[name]
            stamp, seconds = test["source"], test["seconds"]
            if passed.get(name) == stamp or \
                    self.quick and spent + seconds > self.quick:
                continue
            spent += seconds
            status, _ = self.bench.execute(
                name, number, PATIENCE + PATIENCE * seconds)
            if status == 0:
                passed[name] = stamp
                continue
            with self.lock:
                self.lucky[(mutant.file, mutant.function), name] += 1
                self.lucky[mutant.file.split("/")[0], name] += 0.2
            how = "timeout" if status is None else \
                "abort" if status < 0 else "test"
            return {"verdict": "killed", "by": name, "how": how}
        return {"verdict": "survived" if tests else "unreached",
                "passed": passed}

    def all(self, numbered):
        began = time.monotonic()

        def one(item):
            result = self.judge(*item)
            with self.lock:
                self.results[key_of(item[1])] = result
                self.save()
                if result["verdict"] != "killed":
                    print(f"{result['verdict']}: {item[1].name} "
                          f"{item[1].file}:{item[1].function}: "
                          f"{item[1].meaning}", flush=True)

        with concurrent.futures.ThreadPoolExecutor(self.bench.jobs) as pool:
            list(pool.map(one, numbered))
        return time.monotonic() - began

    def save(self):
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(self.results, indent=0,
                                        sort_keys=True))
        temporary.rename(self.path)


def table(mutants, results):
    """Text of what became of them; the number of open questions."""
    rows = collections.defaultdict(collections.Counter)
    killers, out, wrong = collections.Counter(), [], 0
    for m in mutants:
        r = results.get(key_of(m))
        if not r:
            continue
        for row in (rows[m.file.split("/")[0]], rows["all"]):
            row["made"] += 1
            if r["verdict"] == "killed":
                row["killed"] += 1
                row[r["how"]] += 1
            else:
                row["explained" if m.why else "open"] += 1
        if r["verdict"] == "killed":
            killers[r["by"]] += 1
            if m.why:
                wrong += 1
                out.append(f"{m.name} is explained as a survivor, but "
                           f"{r['by']} notices it")
        elif not m.why:
            wrong += 1
            out.append(f"{m.name} {m.file}:{m.function}: {m.meaning} "
                       f"({r['verdict']})")
    head = ("folder", "made", "killed", "by a test", "by a check", "timeouts",
            "explained", "open", "killed %")
    lines = ["".join(f"{h:>12}" for h in head)]
    for name in sorted(rows, key=lambda n: (n == "all", n)):
        r = rows[name]
        cells = (name, r["made"], r["killed"], r["test"], r["abort"],
                 r["timeout"], r["explained"], r["open"],
                 f"{100 * r['killed'] / r['made']:.1f}")
        lines.append("".join(f"{c:>12}" for c in cells))
    lines += ["", "first to notice:"]
    lines += [f"{n:>6} {name}" for name, n in killers.most_common(25)]
    return "\n".join(out + [""] * bool(out) + lines), wrong


def selected(mutants, args, results):
    numbered = list(enumerate(mutants, 1))
    if args.only:
        wanted = args.only.split(",")
        numbered = [(i, m) for i, m in numbered if m.name in wanted or
                    any(w in f"{m.file}:{m.function}" for w in wanted)]
    elif args.survivors:
        numbered = [(i, m) for i, m in numbered if results.get(
            key_of(m), {}).get("verdict") not in ("killed", None)]
    elif not args.again:
        numbered = [(i, m) for i, m in numbered if key_of(m) not in results]
    return numbered


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path,
                        default=mutate.SOURCE / "build" / "mutation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--tests", default=",".join(FOLDERS))
    parser.add_argument("--quick", type=float, metavar="SECONDS")
    for flag in ("survivors", "systematic", "report", "again"):
        parser.add_argument("--" + flag, action="store_true")
    args = parser.parse_args()
    # A mutant that aborts is no crash that anybody looks into.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work = args.work / ("systematic" if args.systematic else "list")
    work.mkdir(parents=True, exist_ok=True)
    try:
        mutants = operators.make() if args.systematic else \
            mutate.parse(mutate.LIST.read_text())
        path = work / "results.json"
        results = json.loads(path.read_text()) if path.exists() else {}
        if not args.report:
            bench = Bench(work.absolute(), mutants, args.jobs,
                          args.tests.split(","))
            began = time.monotonic()
            bench.make()
            bench.list_tests()
            left_out = bench.baseline()
            print(f"{len(mutants)} mutants, {len(bench.tests)} tests; built "
                  f"and tried in {time.monotonic() - began:.0f} s", flush=True)
            for name, reason in sorted(left_out.items()):
                print(f"not used: {name} ({reason})", flush=True)
            run = Run(bench, results, path, args.quick)
            seconds = run.all(selected(mutants, args, results))
            print(f"run in {seconds:.0f} s")
    except mutate.Stale as error:
        fail(error)
    text, wrong = table(mutants, results)
    print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
