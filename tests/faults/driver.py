# SPDX-License-Identifier: GPL-2.0-or-later
"""Lets calls of the program fail, one a run, and judges what is left.

    driver.py PROGRAM SHIM SOURCE [--stride K] [--only NAME,..] [--kinds K,..]
              [--seconds S] [--pinned FILE] [--jobs N] [--sanitized LIB]
              [--json FILE] [--once FILE]

For each scenario and kind of fault: run it undisturbed, count its calls of
that kind (of memory: the places that ask for it), then once for each of them
with that call failing, and after each once more without. All must hold:

- The exit status is the undisturbed one, and then all bytes are too and no
  error is printed; or it is 3 (2 if an input could not be read) with a message
  that says what failed. No signal, no hang, no report of a sanitizer.
- Each file is what it was, what it is to become, or not there yet. Nothing
  that was there is lost; a list of results holds whole results.
- The same command without the fault gives the bytes of an undisturbed run,
  and no temporary file is left.

Exit status: 0 all held; 1 not; 77 the kernel or the machine cannot do it.
"""

import argparse
import collections
import concurrent.futures
import errno
import functools
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import judge      # noqa: E402
import scenarios  # noqa: E402

STATE_SIZE = 16 + 1024 + 2 * 65536 * 8
TIMEOUT = 60
COUNTING = 600      # to tell where each allocation comes from takes its time
KINDS = {}
for _spec in ("alloc:ENOMEM", "alloc:ENOMEM:sticky", "mmap:ENOMEM",
              "mmap:ENOMEM:sticky", "open:EMFILE", "open:EACCES", "read:EIO",
              "read:EINTR", "read:short", "write:ENOSPC",
              "write:ENOSPC:sticky", "write:EIO", "write:EINTR",
              "write:short", "sync:EIO", "close:EIO", "rename:ENOSPC",
              "mkdir:ENOSPC", "stat:EIO", "readdir:EIO", "pipe:EMFILE",
              "process:EAGAIN", "process:EAGAIN:sticky", "wait:EINTR",
              "lock:ENOLCK"):
    _class, _error, *_sticky = _spec.split(":")
    KINDS[_spec] = (_class, getattr(errno, _error, 0), bool(_sticky))


class Driver:
    def __init__(self, args):
        self.args = args
        self.program = os.path.abspath(args.program)
        self.shim = os.path.abspath(args.shim)
        self.root = tempfile.mkdtemp(prefix="buddylab-faults-",
                                     dir=args.scratch)
        self.fixture = os.path.join(self.root, "fixture")
        os.mkdir(self.fixture)
        self.words = scenarios.fixtures(self.fixture, self.program,
                                        os.path.abspath(args.source))
        self.number = 0

    def folder(self, scenario):
        """A new folder with what the scenario needs."""
        work = tempfile.mkdtemp(dir=self.root)
        for name in scenario.needs:
            path = os.path.join(self.fixture, name)
            if os.path.isdir(path):
                shutil.copytree(path, os.path.join(work, name))
            else:
                shutil.copy(path, os.path.join(work, name))
        return work

    def run(self, scenario, work, plan=None, trace=False, limit=TIMEOUT):
        """(status, stdout, stderr, state); status None: it hung."""
        args = [self.program] + [a.format(**self.words)
                                 for a in scenario.args]
        env = dict(os.environ, LC_ALL="C")
        state = work + ".state"
        if plan:
            with open(state, "wb") as f:
                f.truncate(STATE_SIZE)
            env.update(FAULTS=plan, FAULTS_STATE=state,
                       LD_PRELOAD=self.shim, FAULTS_DEPTH=self.args.depth)
            if self.args.sanitized:
                env["LD_PRELOAD"] += ":" + self.args.sanitized
                env["ASAN_OPTIONS"] = ("verify_asan_link_order=0:exitcode=99:"
                                       "allocator_may_return_null=1:"
                                       "handle_sigill=0")
            if trace:
                env["FAULTS_TRACE"] = "1"
        with open(work + ".out", "wb") as out, \
             open(work + ".err", "wb") as err:
            p = subprocess.Popen(args, cwd=work, env=env, stdout=out,
                                 stderr=err, stdin=subprocess.DEVNULL,
                                 start_new_session=True)
            try:
                status = p.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)
                p.wait()
                status = None
        with open(work + ".out", "rb") as f:
            stdout = f.read()
        with open(work + ".err", "rb") as f:
            stderr = f.read().decode("utf-8", "replace")
        found = b""
        if plan:
            with open(state, "rb") as f:
                found = f.read(1040 + 65536 * 8)
            os.unlink(state)
        for end in (".out", ".err"):
            os.unlink(work + end)
        return status, stdout, stderr, found

    def drop(self, work):
        shutil.rmtree(work, ignore_errors=True)

    @functools.lru_cache(maxsize=None)
    def count(self, scenario, class_, error):
        """What can fail: numbers of calls, or sites, in order."""
        work = self.folder(scenario)
        plan = f"{class_}:{error}:0"
        status, _, stderr, state = self.run(scenario, work, plan,
                                            limit=COUNTING)
        self.drop(work)
        if status == 77 and "seccomp" in stderr:
            print(stderr, file=sys.stderr)
            sys.exit(77)
        if status is None or status < 0:
            raise RuntimeError(f"{scenario.name} with {plan}: {status}")
        calls = struct.unpack_from("<Q", state)[0]
        if class_ != "alloc":
            return list(range(1, calls + 1))
        return list(struct.unpack_from(f"<{calls}Q", state, 1040))

    def chosen(self, scenario, kind, kind_name, stride):
        # Which calls count depends on these two errors only.
        error = kind[1] if kind[1] in (0, errno.EINTR) else errno.EIO
        found = self.count(scenario, kind[0], error)
        first = (sum(map(ord, scenario.name + kind_name)) % stride
                 if stride > 1 else 0)
        found = found[first::stride]
        if scenario.most and len(found) > scenario.most:
            found = found[::-(-len(found) // scenario.most)]
        return found

    def undisturbed(self, scenario):
        work = self.folder(scenario)
        before = judge.tree(work)
        status, stdout, stderr, _ = self.run(scenario, work)
        after = judge.tree(work)
        self.drop(work)
        if status in (None, 2):
            raise SystemExit(f"{scenario.name} does not run: {stderr}")
        return judge.Expected(scenario, status, stdout, stderr, before,
                              after)

    def plan(self, kind, which):
        return (f"{kind[0]}:{kind[1]}:{which:x}" +
                (":sticky" if kind[2] else ""))

    def fault(self, scenario, expected, kind_name, which):
        """One fault: (hit, problems, message, what)."""
        kind = KINDS[kind_name]
        work = self.folder(scenario)
        status, stdout, stderr, state = self.run(scenario, work,
                                                 self.plan(kind, which))
        hits = struct.unpack_from("<Q", state, 8)[0]
        what = state[16:1040].split(b"\0")[0].decode("utf-8", "replace")
        if judge.is_spared(expected, kind, what):
            self.drop(work)
            return {"scenario": scenario.name, "command": scenario.command,
                    "kind": kind_name, "which": f"{which:x}", "hit": False,
                    "what": what, "status": status, "problems": [],
                    "stderr": "", "stack": "", "lost": False}
        problems = judge.after_fault(expected, kind, what, status, stdout,
                                     stderr, judge.tree(work))
        again, out, err, _ = self.run(scenario, work)
        done = status == expected.status or "standard output" in stderr
        problems += judge.after_rerun(expected, done,
                                      again, out, err,
                                      judge.tree(work))
        self.drop(work)
        stack = ""
        if hits and problems and not self.args.quick:
            work = self.folder(scenario)
            stack = self.run(scenario, work, self.plan(kind, which), True)[2]
            self.drop(work)
        return {"scenario": scenario.name, "command": scenario.command,
                "kind": kind_name, "which": f"{which:x}", "hit": hits > 0,
                "what": what, "status": status, "problems": problems,
                "stderr": stderr[-3000:], "stack": stack[-3000:],
                "lost": any(p.startswith("lost") for p in problems)}


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("program")
    p.add_argument("shim")
    p.add_argument("source")
    p.add_argument("--stride", type=int, default=1,
                   help="only each Kth call or site")
    p.add_argument("--pinned", help="file of scenarios, kinds and strides, "
                   "instead of --only, --kinds and --stride")
    p.add_argument("--seconds", type=float, help="no more faults after that "
                   "time; a sample of all then, the same each time")
    p.add_argument("--only", help="scenarios, comma-separated, or a prefix "
                   "that ends in *")
    p.add_argument("--kinds", help=f"of {' '.join(KINDS)}; or a class")
    p.add_argument("--depth", default="12", help="callers that tell an "
                   "allocation from others")
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--sanitized", help="path of libasan.so the program uses")
    p.add_argument("--scratch", help="folder for temporary folders")
    p.add_argument("--json", help="write each fault there, one a line")
    p.add_argument("--once", help="a place that asks for memory is tried in "
                   "one scenario only; those of earlier runs are in this file")
    p.add_argument("--quick", action="store_true", help="no stacks")
    return p.parse_args(argv)


def wanted(name, patterns):
    if not patterns:
        return True
    return any(name == p or (p.endswith("*") and name.startswith(p[:-1])) or
               name.split(":")[0] == p for p in patterns.split(","))


def rows(args):
    """(scenarios, kinds, stride), of which all faults are to be tried."""
    if not args.pinned:
        yield args.only, args.kinds, args.stride
        return
    with open(args.pinned, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                only, kinds, stride = line.split()
                yield only, kinds, int(stride)


def work_list(driver, pool, args):
    parts = []
    for only, kinds, stride in rows(args):
        chosen = [s for s in scenarios.ALL if wanted(s.name, only)]
        if not chosen:
            raise SystemExit(f"no scenario is called {only}")
        parts += [(s, [k for k in KINDS if wanted(k, kinds)], stride)
                  for s in chosen]

    def faults_of(part):
        scenario, kinds, stride = part
        expected = driver.undisturbed(scenario)
        return [(scenario, expected, k, which) for k in kinds
                for which in driver.chosen(scenario, KINDS[k], k, stride)]

    return [fault for faults in pool.map(faults_of, parts)
            for fault in faults]


def show(result):
    print(f"FAIL {result['scenario']} {result['kind']} {result['which']} "
          f"({result['what']}), status {result['status']}")
    for problem in result["problems"]:
        print(f"    {problem}")
    for line in result["stderr"].splitlines()[-6:]:
        print(f"    | {line[:200]}")
    sys.stdout.flush()


def table(results):
    tried = collections.Counter()
    survived = collections.Counter()
    for r in results:
        for key in ((r["kind"], r["command"]), (r["kind"], "all"),
                    ("all", r["command"]), ("all", "all")):
            tried[key] += r["hit"]
            survived[key] += r["hit"] and not r["problems"]
    print(f"{'kind':22}{'command':14}{'tried':>8}{'survived':>9}")
    for key in sorted(tried):
        if tried[key] and "all" in key:
            print(f"{key[0]:22}{key[1]:14}{tried[key]:8}{survived[key]:9}")
    lost = sum(r["lost"] for r in results)
    print(f"{lost} lost results; {sum(not r['hit'] for r in results)} plans "
          "whose call did not come, or is a library's own")


def new_places(work, path):
    """Without the places, as hashes of their callers, that were tried."""
    with open(path, "a+", encoding="utf-8") as known:
        known.seek(0)
        tried = set(known.read().split("\n"))
        for job in work:
            place = f"{job[2]} {job[3]:x}"
            if KINDS[job[2]][0] != "alloc":
                yield job
            elif place not in tried:
                tried.add(place)
                known.write(place + "\n")
                yield job


def all_faults(driver, pool, args):
    """The result of each, as it comes; of a sample if the time is short."""
    work = work_list(driver, pool, args)
    if args.once:
        work = list(new_places(work, args.once))
    end = time.monotonic() + (args.seconds or float("inf"))
    if args.seconds:
        random.Random(1).shuffle(work)

    def one(job):
        return driver.fault(*job) if time.monotonic() < end else None

    jobs = [pool.submit(one, job) for job in work]
    for job in concurrent.futures.as_completed(jobs):
        if job.result():
            yield job.result()


def main(argv):
    args = parse(argv)
    if os.uname().machine != "x86_64":
        print("the shim is for x86-64")
        return 77
    driver = Driver(args)
    results = []
    try:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool, \
             open(args.json or os.devnull, "w", encoding="utf-8") as log:
            for result in all_faults(driver, pool, args):
                results.append(result)
                log.write(json.dumps(result) + "\n")
                log.flush()
                if result["problems"]:
                    show(result)
    finally:
        shutil.rmtree(driver.root, ignore_errors=True)
    table(results)
    return 1 if any(r["problems"] for r in results) or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
