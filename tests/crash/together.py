#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Several processes on one folder of results: they end rightly, and what is in
the folder in the end is what one of them alone would have made.
"""
import shutil
import time

import lab as crash

ERRORS_OF_A_GATE = (0, 1, 3, 4)


def compare(lab, cwd, reference, names):
    lab.check_whole(cwd)
    left = lab.leftovers(cwd)
    if left:
        raise crash.Failure("left behind: %s" % left)
    for name in names:
        if crash.comparable(cwd / name) != reference[name]:
            raise crash.Failure("%s has other bytes" % name)


def all_of(lab, command, cwd, lines, delay):
    """Start each line `delay` after the one before; (code, out, err) of each."""
    started = []
    for argv in lines:
        started.append(lab.start(command, cwd, argv=argv))
        time.sleep(delay)
    return [lab.finish(p) for p in started]


def same_experiment(lab, reference, nr, delay):
    command = lab.commands["run-j2"]
    cwd = lab.folder(command)
    for code, _, err in all_of(lab, command, cwd, [command.argv] * nr, delay):
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    compare(lab, cwd, reference, reference)


def cells_of_a_cluster(lab, reference):
    """One process a cell, each twice, as an engine that retries starts them."""
    command = lab.commands["run-cell"]
    cwd = lab.folder(command)
    ids = [line.split()[0] for line in lab.sh("plan", "slow.ini").splitlines()]
    lines = [["run-cell", "slow.ini", "--cell", i, "-o", "o"]
             for i in ids[:4] for _ in (0, 1)]
    for code, _, err in all_of(lab, command, cwd, lines, 0):
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    compare(lab, cwd, reference, ["o/cells/%s.json" % i for i in ids[:4]])


def different_experiments(lab, reference, delay):
    """Both leave all their cells; the list is of the one that ended last."""
    command = lab.commands["run-j2"]
    cwd = lab.folder(command)
    other = command.argv + ["--set", "guest.memory=192M"]
    ended = all_of(lab, command, cwd, [command.argv, other], delay)
    for code, _, err in ended:
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    lists = [crash.comparable(cwd / "o/cells.jsonl")]
    for argv in (command.argv, other):
        code, _, err = lab.finish(lab.start(command, cwd, argv=argv))
        if code or "had a result already" not in err:
            raise crash.Failure("cells are missing: %s" % err)
        lists.append(crash.comparable(cwd / "o/cells.jsonl"))
    if lists[0] not in lists[1:] or lists[1] != reference["o/cells.jsonl"]:
        raise crash.Failure("a mixed list")


def readers(lab, reference, rng):
    """Whoever reads meanwhile sees nothing, or something whole."""
    command = lab.commands["run-j1"]
    cwd = lab.folder(command)
    shutil.copy(lab.inputs / "base.jsonl", cwd)
    process = lab.start(command, cwd)
    lines = [["report", "o"], ["collect", "slow.ini", "-o", "o"],
             ["accept", "o", "--baseline", "base.jsonl"],
             ["status", "slow.ini", "-o", "o"],
             ["check", "o", "--baseline", "base.jsonl"]]
    while process.poll() is None:
        code, _, err = lab.finish(lab.start(command, cwd,
                                            argv=rng.choice(lines)))
        if code not in ERRORS_OF_A_GATE:
            process.kill()
            raise crash.Failure("a reader: exit status %d: %s" % (code, err))
        lab.check_whole(cwd)
    code, _, err = lab.finish(process)
    if code:
        raise crash.Failure("exit status %d: %s" % (code, err))
    lab.run(lab.commands["collect"], cwd)
    code, _, err = lab.finish(lab.start(command, cwd))
    compare(lab, cwd, reference, reference)


def one_baseline(lab, reference, delay):
    command = lab.commands["accept"]
    cwd = lab.folder(command)
    for code, _, err in all_of(lab, command, cwd, [command.argv] * 4, delay):
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    compare(lab, cwd, reference, reference)


def one_output(lab, reference, delay):
    command = lab.commands["import"]
    cwd = lab.folder(command)
    for code, _, err in all_of(lab, command, cwd, [command.argv] * 4, delay):
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    compare(lab, cwd, reference, reference)


def killed_beside_a_living_one(lab, reference, delay):
    """What one that was killed left goes; what the other writes stays."""
    command = lab.commands["run-j2"]
    cwd = lab.folder(command)
    first = lab.start(command, cwd)
    second = lab.start(command, cwd)
    time.sleep(delay)
    second.kill()
    lab.finish(second)
    third = lab.start(command, cwd)
    for p in (first, third):
        code, _, err = lab.finish(p)
        if code:
            raise crash.Failure("exit status %d: %s" % (code, err))
    lab.survivors(second.pid)
    code, _, err = lab.finish(lab.start(command, cwd))
    compare(lab, cwd, reference, reference)


def body(lab, tally, chosen, args, rng):
    run = lab.reference(lab.commands["run-j2"])
    accept = lab.reference(lab.commands["accept"])
    blt = lab.reference(lab.commands["import"])
    for _ in range(args.tries):
        delay = rng.uniform(0, run[3] / 2)
        nr = rng.choice([2, 3])
        tally.add("same experiment", "%d, %.4f s apart" % (nr, delay),
                  lambda: same_experiment(lab, run[2], nr, delay))
        tally.add("different experiments", "%.4f s apart" % delay,
                  lambda: different_experiments(lab, run[2], delay))
        tally.add("run-cell of one cell twice", "",
                  lambda: cells_of_a_cluster(lab, run[2]))
        tally.add("readers beside a run", "", lambda: readers(lab, run[2], rng))
        tally.add("accept at once", "%.4f s apart" % (delay / 50),
                  lambda: one_baseline(lab, accept[2], delay / 50))
        tally.add("import at once", "%.4f s apart" % (delay / 50),
                  lambda: one_output(lab, blt[2], delay / 50))
        tally.add("killed beside a living one", "after %.4f s" % delay,
                  lambda: killed_beside_a_living_one(lab, run[2], delay))


if __name__ == "__main__":
    crash.main(body, __doc__)
