#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks without room, limits on a process, output that goes nowhere and names
that nobody expects. A command that cannot do its work says so and ends with 3;
what was there stays; with room it gives what it always gives.

The disks are tmpfs in a mount namespace of their own; without permission for one
those cases are left out, and said so.
"""
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import lab as crash

ROOM = 32 << 20
INSIDE = "BUDDYLAB_CRASH_INSIDE"


def mount(*args):
    subprocess.run(["mount", *args], check=True)


def expect(code, err, wanted, words=()):
    if code not in wanted:
        raise crash.Failure("exit status %d: %s" % (code, err))
    if code == 3 and not err.strip():
        raise crash.Failure("exit status 3 and no message")
    if code == 3 and words and not any(w in err for w in words):
        raise crash.Failure("another message: %s" % err)


def after(lab, command, cwd, reference):
    """It failed or not: nothing half, nothing left, and then all is well."""
    lab.check_whole(cwd)
    left = lab.leftovers(cwd)
    if left:
        raise crash.Failure("left behind: %s" % left)
    lab.check_again(command, cwd, reference)


class Disk:
    """A folder on a file system of its own, with what a command needs."""

    def __init__(self, lab, command):
        self.path = lab.top / ("disk-%d" % lab.number)
        source = lab.folder(command)
        self.path.mkdir()
        mount("-t", "tmpfs", "-o", "size=%d" % ROOM, "crash", str(self.path))
        shutil.copytree(source, self.path, dirs_exist_ok=True)
        shutil.rmtree(source)

    def fill(self, free):
        """All but `free` bytes, in pages, are taken."""
        st = os.statvfs(self.path)
        size = max(st.f_bavail * st.f_bsize - free, 0)
        with open(self.path / "filler", "wb") as f:
            os.posix_fallocate(f.fileno(), 0, max(size, 1))

    def unfill(self):
        (self.path / "filler").unlink()

    def remount(self, option):
        mount("-o", "remount," + option, str(self.path))

    def close(self):
        subprocess.run(["umount", "-l", str(self.path)], check=False)


def on_disk(lab, command, reference, spoil, mend, words):
    disk = Disk(lab, command)
    try:
        spoil(disk)
        code, _, err = lab.run(command, disk.path)
        expect(code, err, (*command.codes, 3), words)
        mend(disk)
        after(lab, command, disk.path, reference)
        return code
    finally:
        disk.close()


def disks(lab, tally, command, reference, args, rng):
    full = ("No space left", "cannot write", "cannot create")

    for _ in range(args.tries):
        free = rng.choice([0, 4096, 8192, 16384, 1 << 16])
        tally.add("full disk", "%s, %d bytes free" % (command.name, free),
                  lambda: on_disk(lab, command, reference,
                                  lambda d: d.fill(free),
                                  lambda d: d.unfill(), full))
    more = rng.randrange(4)

    def inodes(disk):
        st = os.statvfs(disk.path)
        disk.remount("nr_inodes=%d" % (st.f_files - st.f_ffree + more))

    tally.add("no inodes", "%s, %d free" % (command.name, more),
              lambda: on_disk(lab, command, reference, inodes,
                              lambda d: d.remount("nr_inodes=10000"), full))
    tally.add("read-only", command.name,
              lambda: on_disk(lab, command, reference,
                              lambda d: d.remount("ro"),
                              lambda d: d.remount("rw"), ("Read-only",)))


# ---- limits on a process ----

def limited(lab, command, reference, which, value, **more):
    cwd = lab.folder(command)
    if "user" in more:
        for path in (lab.top, lab.temporary, cwd, *cwd.rglob("*")):
            os.chmod(path, 0o777)
    process = lab.start(command, cwd, preexec_fn=lambda: resource.setrlimit(
        which, (value, value if which != resource.RLIMIT_CPU
                else value + 5)), **more)
    code, _, err = lab.finish(process)
    expect(code, err, (*command.codes, 3, crash.SKIPPED))
    if lab.survivors(process.pid):
        raise crash.Failure("still running")
    after(lab, command, cwd, reference)


def limits(lab, tally, command, reference, args, rng):
    for _ in range(args.tries):
        for name, which, values in (
                ("RLIMIT_FSIZE", resource.RLIMIT_FSIZE,
                 [0, 1, 512, 4095, 4096, 10000]),
                ("RLIMIT_NOFILE", resource.RLIMIT_NOFILE,
                 list(range(4, 16))),
                ("RLIMIT_AS", resource.RLIMIT_AS,
                 [m << 20 for m in (24, 40, 64, 96, 160, 300)])):
            value = rng.choice(values)
            tally.add(name, "%s, %d" % (command.name, value),
                      lambda which=which, value=value: limited(
                          lab, command, reference, which, value))
    more = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    tally.add("RLIMIT_NPROC", command.name,
              lambda: limited(lab, command, reference, resource.RLIMIT_NPROC,
                              1, **more))


def processor_time(lab, tally):
    """A worker that may not go on is a cell that failed."""
    command = lab.commands["run-j2"]

    def one():
        cwd = lab.folder(command)
        process = lab.start(
            command, cwd, argv=["run", "slow.ini", "-o", "o", "--set",
                                "phase.measure.duration=1000s", "--seeds",
                                "1..1"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU,
                                                  (1, 3)))
        code, _, err = lab.finish(process)
        expect(code, err, (3,), ("killed by signal 24",))
        left = lab.survivors(process.pid) or lab.leftovers(cwd)
        if left:
            raise crash.Failure("left: %s" % left)
    tally.add("RLIMIT_CPU", "run", one)


# ---- where the output goes ----

def nowhere(lab, command, reference, ignore):
    """A reader that has gone: an end without a word."""
    cwd = lab.folder(command)
    read_end, write_end = os.pipe()
    os.close(read_end)
    how = signal.SIG_IGN if ignore else signal.SIG_DFL
    process = lab.start(command, cwd, stdout=write_end, restore_signals=False,
                        preexec_fn=lambda: signal.signal(signal.SIGPIPE, how))
    os.close(write_end)
    code, _, err = lab.finish(process)
    printed = bool(reference[1])
    if printed and code not in (-signal.SIGPIPE, 128 + signal.SIGPIPE):
        raise crash.Failure("exit status %d: %s" % (code, err))
    if "roken pipe" in err:
        raise crash.Failure("not quiet: %s" % err)
    after(lab, command, cwd, reference)


def bad_stream(lab, command, reference, closed):
    cwd = lab.folder(command)
    prefix = ["sh", "-c", 'exec "$@" ' + (">&-" if closed else ">/dev/full"),
              "sh"]
    code, _, err = lab.finish(lab.start(command, cwd, prefix=prefix))
    printed = bool(reference[1])
    expect(code, err, (3,) if printed else command.codes)
    after(lab, command, cwd, reference)


def streams(lab, tally, command, reference):
    tally.add("stdout closed", command.name,
              lambda: bad_stream(lab, command, reference, True))
    tally.add("stdout on a full device", command.name,
              lambda: bad_stream(lab, command, reference, False))
    tally.add("reader gone", command.name,
              lambda: nowhere(lab, command, reference, False))
    tally.add("reader gone, SIGPIPE ignored", command.name,
              lambda: nowhere(lab, command, reference, True))


# ---- the folder goes away ----

def removed(lab, command, reference, delay):
    cwd = lab.folder(command)
    process = lab.start(command, cwd)
    time.sleep(delay)
    for _ in range(100):
        try:
            shutil.rmtree(cwd / "o")
            break
        except FileNotFoundError:
            time.sleep(0.005)
        except OSError:
            continue
    code, _, err = lab.finish(process)
    expect(code, err, (*command.codes, 3))
    if lab.survivors(process.pid):
        raise crash.Failure("still running")
    after(lab, command, cwd, reference)


# ---- names ----

NAMES = [b"100%s%n%d", b"it's \"q\"", b"\xff\xfe\x80", b"a b ",
         b"$(touch pwned)", b"`touch pwned`;x", b"<&>", "\u00fc\u20ac".encode(),
         b"n" * 200, b"/".join([b"d" * 50] * 40), b"-o", b"\x1b[31m", b"\\",
         b"a\nb"]


def named(lab, reference, name):
    command = lab.commands["run-j2"]
    cwd = lab.folder(command)
    out = os.path.join(b".", name)

    def call(*argv):
        code, text, err = lab.finish(lab.start(command, cwd, argv=argv))
        expect(code, err, (0,))
        return text

    call("run", "slow.ini", "-o", out, "--format", "none")
    listed = (cwd / os.fsdecode(out) / "cells.jsonl")
    if crash.comparable(listed) != reference[2]["o/cells.jsonl"]:
        raise crash.Failure("other bytes")
    call("report", out)
    json.loads(call("report", out, "--format", "json"))
    call("report", out, "--format", "html")
    call("check", out, "--baseline", out, "--junit", out + b"/j.xml")
    call("accept", out, "--baseline", out)
    shutil.copy(lab.inputs / "t.txt", cwd / os.fsdecode(out + b"/t.txt"))
    call("import", out + b"/t.txt", "-o", out + b"/t.blt")
    call("info", out + b"/t.blt")
    call("export", out + b"/t.blt", "--format", "perfetto", "-o",
         out + b"/t.json")
    json.loads((cwd / os.fsdecode(out + b"/t.json")).read_bytes())
    if (cwd / "pwned").exists():
        raise crash.Failure("a shell was given the name")


def too_deep(lab):
    command = lab.commands["run-cell"]
    cwd = lab.folder(command)
    argv = [command.argv[0], "slow.ini", "--cell", command.argv[3], "-o",
            "/".join(["d" * 50] * 100)]
    code, _, err = lab.finish(lab.start(command, cwd, argv=argv))
    expect(code, err, (2,), ())


def body(lab, tally, chosen, args, rng):
    with_disks = os.environ.get(INSIDE) == "1"
    if not with_disks:
        print("left out: no permission for a mount namespace")
    for command in chosen:
        if command.name in ("bench", "conformance", "calibrate"):
            continue
        reference = lab.reference(command)
        if command.makes:
            limits(lab, tally, command, reference, args, rng)
            if with_disks:
                disks(lab, tally, command, reference, args, rng)
        streams(lab, tally, command, reference)
        if command.name.startswith("run"):
            for _ in range(args.tries):
                delay = rng.uniform(0, reference[3])
                tally.add("folder removed", "%s after %.4f s"
                          % (command.name, delay),
                          lambda: removed(lab, command, reference, delay))
    if args.only and "names" not in args.only.split(","):
        return
    processor_time(lab, tally)
    reference = lab.reference(lab.commands["run-j2"])
    for name in NAMES:
        tally.add("names", repr(name)[:40],
                  lambda name=name: named(lab, reference, name))
    tally.add("names", "too deep", lambda: too_deep(lab))


def enter_namespace():
    if INSIDE in os.environ:
        return
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "crash", "/mnt"]
    can = shutil.which("unshare") and not subprocess.run(
        probe, stderr=subprocess.DEVNULL).returncode
    os.environ[INSIDE] = "1" if can else "0"
    if can:
        # As root no user namespace is wanted: it would forbid other users.
        how = "-m" if os.geteuid() == 0 else "-rm"
        os.execvp("unshare", ["unshare", how, sys.executable, *sys.argv])


if __name__ == "__main__":
    enter_namespace()
    crash.main(body, __doc__)
