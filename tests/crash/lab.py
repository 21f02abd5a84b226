#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of this folder share: commands that write, folders for them to
write in, and what has to be true after something happened to them.

Of a result, `wall` is host time and left out of comparisons; all else has to be
the same bytes.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SLOW_INI = """[experiment]
title = Crash
seeds = 1..3
sample = 20ms
[guest]
memory = 256M
base = 1M
[phase fill]
workload = memhog
size = 100%
[phase measure]
workload = page_fault1
duration = 60ms,120ms
[variant one]
[variant two]
reporter.design = page_reporting
"""

SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM,
           "HUP": signal.SIGHUP, "PIPE": signal.SIGPIPE,
           "KILL": signal.SIGKILL}
SKIPPED = 77
PATIENCE = 240  # of a machine that has much else to do


class Command:
    """One command line: what it needs, what it makes, how it ends."""

    def __init__(self, name, argv, needs=(), makes=(), codes=(0,),
                 stdout=False, compare=True, kill=False, slow=False):
        self.name = name
        self.argv = argv
        self.needs = needs
        self.makes = makes
        self.codes = codes
        self.stdout = stdout
        self.compare = compare
        self.kill = kill
        self.slow = slow  # takes seconds


def commands(source, cell):
    trace = str(source / "tests/data/traces/memhog")
    return [
        Command("run-j1", ["run", "slow.ini", "-o", "o", "-j", "1"],
                ["slow.ini"], ["o"], stdout=True, kill=True),
        Command("run-j2", ["run", "slow.ini", "-o", "o", "-j", "2"],
                ["slow.ini"], ["o"], stdout=True, kill=True),
        Command("run-cell", ["run-cell", "slow.ini", "--cell", cell, "-o",
                             "o"], ["slow.ini"], ["o"], kill=True),
        Command("collect", ["collect", "slow.ini", "-o", "done"],
                ["slow.ini", "done"], ["done"], kill=True),
        Command("accept", ["accept", "done", "--baseline", "base.jsonl"],
                ["done", "base.jsonl"], ["base.jsonl"], kill=True),
        Command("check", ["check", "done", "--baseline", "same.jsonl",
                          "--junit", "j.xml"], ["done", "same.jsonl"],
                ["j.xml"], stdout=True),
        Command("report", ["report", "done", "--format", "html"], ["done"],
                stdout=True),
        Command("plot-dumb", ["plot", "done", "--figure", "resident"],
                ["done"], stdout=True),
        Command("plot-svg", ["plot", "done", "--terminal", "svg"], ["done"],
                ["done/figures"]),
        Command("import", ["import", "t.txt", "-o", "t.blt"], ["t.txt"],
                ["t.blt"], kill=True),
        Command("export", ["export", "in.blt", "--format", "perfetto", "-o",
                           "t.json"], ["in.blt"], ["t.json"], kill=True),
        Command("record", ["record", "-q", "-o", "r.blt", "--", "sh", "-c",
                           "for i in 1 2 3 4 5 6 7 8; do sleep 0.02; done"],
                [], ["r.blt"], compare=False, kill=True),
        Command("replay", ["replay", trace + "/req.txt.zst", "--snapshot",
                           trace + "/before.snap.zst"], stdout=True),
        Command("conformance", ["conformance", "--streams", "2", "--memory",
                                "64M", "--case", "stream-*"], stdout=True,
                codes=(0, SKIPPED), compare=False, slow=True),
        Command("bench", ["bench", "order0-pair", "replay", "--repeat", "1",
                          "--format", "json", "-o", "b.json"], [],
                ["b.json"], compare=False, slow=True),
        Command("calibrate", ["calibrate", "--time", "1s", "--memory", "64M",
                              "--format", "json", "-o", "c.json"], [],
                ["c.json"], compare=False, codes=(0, SKIPPED), slow=True),
        Command("solve", ["calibrate", "--solve", "solve.ini", "--target",
                          "solve.target", "--zero-share", "0.3"],
                ["solve.ini", "solve.target"], stdout=True),
        Command("reproduce", ["reproduce", "thp-order", "--data",
                              str(source / "bench"), "-o", "o", "--no-budget",
                              "--seeds", "1..1"], [], ["o"], stdout=True,
                codes=(0, 1), slow=True),
    ]


class Failure(Exception):
    pass


class Lab:
    def __init__(self, program, source, tools=()):
        self.source = Path(source).resolve()
        self.top = Path(tempfile.mkdtemp(prefix="crash-lab-"))
        # A copy: another user may start it, and a build may go on meanwhile.
        self.program = str(self.top / "buddylab")
        shutil.copy2(program, self.program)
        self.inputs = self.top / "inputs"
        self.temporary = self.top / "tmp"
        self.inputs.mkdir()
        self.temporary.mkdir()
        self.env = dict(os.environ, TMPDIR=str(self.temporary), LC_ALL="C")
        self.number = 0
        self.write_inputs()
        cell = self.sh("plan", "slow.ini").split()[0]
        self.commands = {c.name: c for c in commands(self.source, cell)}

    def write_inputs(self):
        (self.inputs / "slow.ini").write_text(SLOW_INI)
        (self.inputs / "solve.ini").write_text(
            SLOW_INI.replace("60ms,120ms", "200ms\ntasks = 1,2\nthp = on")
            .replace("sample = 20ms\n", ""))
        (self.inputs / "solve.target").write_text(
            "[target]\npage_fault1@1 = 900000 | this test\n")
        self.sh("run", "slow.ini", "-o", "done", "--format", "none")
        shutil.copy(self.inputs / "done/cells.jsonl",
                    self.inputs / "same.jsonl")
        self.sh("run", "slow.ini", "-o", "older", "--format", "none",
                "--set", "guest.memory=192M")
        os.rename(self.inputs / "older/cells.jsonl",
                  self.inputs / "base.jsonl")
        shutil.rmtree(self.inputs / "older")
        trace = self.source / "tests/data/streams/page_fault1-6.1.blt"
        shutil.copy(trace, self.inputs / "in.blt")
        (self.inputs / "t.txt").write_bytes(subprocess.run(
            [self.program, "export", str(trace)], check=True,
            stdout=subprocess.PIPE).stdout)

    def sh(self, *argv):
        done = subprocess.run([self.program, *argv], cwd=self.inputs,
                              env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              errors="replace")
        if done.returncode:
            raise Failure("%s: exit %d: %s" % (argv, done.returncode,
                                               done.stderr))
        return done.stdout

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def folder(self, command):
        """A new folder with what the command needs in it."""
        self.number += 1
        path = self.top / ("%s-%d" % (command.name, self.number))
        path.mkdir()
        for name in command.needs:
            if (self.inputs / name).is_dir():
                shutil.copytree(self.inputs / name, path / name)
            else:
                shutil.copy(self.inputs / name, path / name)
        return path

    def start(self, command, cwd, prefix=(), argv=None, **more):
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        more.setdefault("env", self.env)
        return subprocess.Popen(
            [*prefix, self.program, *(argv or command.argv)], cwd=cwd,
            stdin=subprocess.DEVNULL, start_new_session=True, **more)

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failure("hangs for %d s" % PATIENCE) from None
        return process.returncode, out, (err or b"").decode(errors="replace")

    def run(self, command, cwd, **more):
        return self.finish(self.start(command, cwd, **more))

    # ---- what has to be true ----

    def survivors(self, session):
        """Processes of a session, after they had time to end."""
        for _ in range(100):
            left = session_members(session)
            if not left:
                return []
            time.sleep(0.05)
        return left

    def leftovers(self, cwd):
        return ([str(p.relative_to(cwd)) for p in sorted(cwd.rglob(".*.tmp"))]
                + sorted(os.listdir(self.temporary)))

    def contents(self, command, cwd):
        """Everything that the command made, comparable."""
        made = {}
        for name in command.makes:
            top = cwd / name
            files = sorted(top.rglob("*")) if top.is_dir() else [top]
            for path in files:
                if path.is_file():
                    made[str(path.relative_to(cwd))] = comparable(path)
        return made

    def check_whole(self, cwd):
        """Every file of results is whole: half of one is of no format."""
        for path in cwd.rglob("*"):
            if path.name.startswith(".") or not path.is_file():
                continue
            try:
                if path.suffix == ".json":
                    json.loads(path.read_bytes())
                elif path.suffix == ".jsonl":
                    for line in path.read_bytes().splitlines():
                        json.loads(line)
            except ValueError as e:
                raise Failure("%s is not whole: %s" % (path, e)) from None
            if path.suffix == ".blt":
                done = subprocess.run([self.program, "info", str(path)],
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
                if done.returncode:
                    raise Failure("%s is not whole: %s" % (path, done.stderr))
            if path.suffix == ".xml" and not path.read_bytes().rstrip(
                    ).endswith(b"</testsuites>"):
                raise Failure("%s is not whole" % path)

    def reference(self, command):
        """Undisturbed: exit status, output, files, seconds."""
        cwd = self.folder(command)
        began = time.monotonic()
        code, out, err = self.run(command, cwd)
        took = time.monotonic() - began
        if code not in command.codes:
            raise Failure("%s: undisturbed exit status %d: %s"
                          % (command.name, code, err))
        left = self.leftovers(cwd)
        if left:
            raise Failure("%s: undisturbed leaves %s" % (command.name, left))
        made = self.contents(command, cwd)
        shutil.rmtree(cwd)
        return code, out, made, took

    def check_again(self, command, cwd, reference):
        """The same command ends as if nothing had been."""
        code, out, err = self.run(command, cwd)
        if code not in command.codes:
            raise Failure("again: exit status %d: %s" % (code, err))
        left = self.leftovers(cwd)
        if left:
            raise Failure("again: left behind: %s" % left)
        self.check_whole(cwd)
        made = self.contents(command, cwd)
        if sorted(made) != sorted(reference[2]):
            raise Failure("again: files %s, not %s"
                          % (sorted(made), sorted(reference[2])))
        if not command.compare:
            return
        for name, content in made.items():
            if content != reference[2][name]:
                raise Failure("again: %s has other bytes" % name)
        if command.stdout and out != reference[1]:
            raise Failure("again: another output")


def comparable(path):
    data = path.read_bytes()
    if path.suffix not in (".json", ".jsonl"):
        return data
    return b"\n".join(strip_wall(line) for line in data.splitlines())


def strip_wall(line):
    try:
        value = json.loads(line)
    except ValueError:
        return line
    if isinstance(value, dict):
        value.pop("wall", None)
    return json.dumps(value).encode()


def session_members(session):
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(entry))
    return found


class Tally:
    """kind -> [tries, survived]; printed as a table in the end."""

    def __init__(self):
        self.rows = {}
        self.failures = []

    def add(self, kind, what, check):
        row = self.rows.setdefault(kind, [0, 0])
        row[0] += 1
        try:
            check()
            row[1] += 1
        except Failure as e:
            self.failures.append("%s: %s: %s" % (kind, what, e))
            print("FAIL: %s: %s: %s" % (kind, what, str(e)[:600]), flush=True)

    def end(self):
        print("%-34s %7s %9s" % ("kind", "tries", "survived"))
        for kind, (tries, survived) in self.rows.items():
            print("%-34s %7d %9d" % (kind, tries, survived))
        print("%-34s %7d %9d" % (
            "all", sum(r[0] for r in self.rows.values()),
            sum(r[1] for r in self.rows.values())))
        return 1 if self.failures else 0


def main(body, about):
    p = argparse.ArgumentParser(description=about)
    p.add_argument("program")
    p.add_argument("source")
    p.add_argument("--tries", type=int, default=1,
                   help="of each command and kind")
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--signals", type=int, default=5,
                   help="of them, chosen by chance for each command")
    p.add_argument("--only", default=None, help="commands, with commas")
    args = p.parse_args()
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 32)
    print("to repeat: %s %s %s --tries %d --signals %d --seed %d%s" % (
        sys.argv[0], args.program, args.source, args.tries, args.signals,
        args.seed,
        " --only " + args.only if args.only else ""), flush=True)
    lab = Lab(args.program, args.source)
    tally = Tally()
    try:
        chosen = [c for c in lab.commands.values()
                  if not args.only or c.name in args.only.split(",")]
        body(lab, tally, chosen, args, random.Random(args.seed))
    finally:
        lab.close()
    sys.exit(tally.end())
