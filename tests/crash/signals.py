#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals at random points of every command that runs long or writes: no half
file, nothing left behind, no child left running, and the same command gives the
same bytes afterwards.
"""
import os
import signal
import time

import lab as crash

# Ended by it, or by an exit status that says so (128 + n; 130 of a command
# that goes on from where it was).
def ended_by(code, number):
    return code in (-number, 128 + number, 130)


def strike(lab, command, name, delay, group, reference, again):
    number = crash.SIGNALS[name]
    cwd = lab.folder(command)
    process = lab.start(command, cwd)
    time.sleep(delay)
    if group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    code, out, err = lab.finish(process)
    left = lab.survivors(process.pid)
    if left:
        os.killpg(process.pid, signal.SIGKILL)
        raise crash.Failure("still running: %s" % left)
    recorded = command.name == "record" and code >= 0
    if not (ended_by(code, number) or code in command.codes or recorded):
        raise crash.Failure("exit status %d: %s" % (code, err))
    lab.check_whole(cwd)
    if name != "KILL":
        left = lab.leftovers(cwd)
        if left:
            raise crash.Failure("left behind: %s" % left)
    # After all of them the same command; seconds for some, so once for these.
    if not command.slow or again:
        lab.check_again(command, cwd, reference)
    return ended_by(code, number)


def body(lab, tally, chosen, args, rng):
    struck = 0
    for command in chosen:
        reference = lab.reference(command)
        names = rng.sample(sorted(crash.SIGNALS), args.signals)
        if command.kill and "KILL" not in names:
            names.append("KILL")
        for name in names:
            for i in range(args.tries):
                delay = rng.uniform(0.002, reference[3])
                group = rng.random() < 0.5
                what = "%s after %.4f s%s" % (command.name, delay,
                                              ", the group" * group)

                def one(command=command, name=name, delay=delay, group=group,
                        reference=reference, again=i == 0):
                    nonlocal struck
                    struck += strike(lab, command, name, delay, group,
                                     reference, again)
                tally.add("SIG" + name, what, one)
    print("ended by the signal: %d" % struck)


if __name__ == "__main__":
    crash.main(body, __doc__)
