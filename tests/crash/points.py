#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL and SIGTERM at every system call by which a file comes to be (strace):
no moment between two of them may leave something that is not whole, and the same
command then gives the same bytes. With --tries 0 at all of them, else at so many
of each command and signal, by chance.
"""
import collections
import re
import shutil
import sys

import lab as crash

CALLS = ("openat", "flock", "write", "fsync", "rename", "renameat2", "unlink",
         "close", "mkdir", "fork", "clone", "wait4")
NAMES = ("run-cell", "collect", "accept", "check", "import", "export",
         "plot-svg")


def points(lab, command):
    """(call, n) for each of them that an undisturbed run makes."""
    cwd = lab.folder(command)
    log = lab.top / "strace.log"
    process = lab.start(command, cwd, prefix=[
        "strace", "-f", "-qq", "-o", str(log), "-e",
        "trace=" + ",".join("?" + c for c in CALLS)])
    code, _, err = lab.finish(process)
    if code not in command.codes:
        return None
    count = collections.Counter()
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match:
            count[match.groups()] += 1
    most = collections.Counter()
    for (_, call), n in count.items():
        most[call] = max(most[call], n)
    return [(call, n) for call in CALLS for n in range(1, most[call] + 1)]


def strike(lab, command, reference, name, call, n):
    cwd = lab.folder(command)
    process = lab.start(command, cwd, prefix=[
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
        "inject=%s:signal=%s:when=%d" % (call, name, n)])
    code, _, err = lab.finish(process)
    left = lab.survivors(process.pid)
    if left:
        raise crash.Failure("still running: %s" % left)
    # A worker that was killed is a cell that failed.
    number = crash.SIGNALS[name]
    if code not in (-number, 128 + number, 130, 3, *command.codes):
        raise crash.Failure("exit status %d: %s" % (code, err))
    lab.check_whole(cwd)
    if name != "KILL":
        left = lab.leftovers(cwd)
        if left:
            raise crash.Failure("left behind: %s" % left)
    lab.check_again(command, cwd, reference)
    shutil.rmtree(cwd)


def body(lab, tally, chosen, args, rng):
    for command in chosen:
        if command.name not in NAMES:
            continue
        reference = lab.reference(command)
        every = points(lab, command)
        if every is None:
            print("left out: strace may not trace here")
            sys.exit(crash.SKIPPED)
        for name in ("KILL", "TERM"):
            some = every
            if args.tries:
                some = rng.sample(every, min(4 * args.tries, len(every)))
            for call, n in some:
                tally.add("SIG%s at a system call" % name,
                          "%s, %s number %d" % (command.name, call, n),
                          lambda call=call, n=n, name=name: strike(
                              lab, command, reference, name, call, n))


if __name__ == "__main__":
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(crash.SKIPPED)
    crash.main(body, __doc__)
