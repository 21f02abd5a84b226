#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A clock that is wrong, jumps or races (libfaketime): results are of virtual
time, so they are the same bytes; what is measured of this host is not negative.
"""
import glob
import json
import os
import sys

import lab as crash

SKIPPED = 77
PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1",
          "/usr/lib/faketime/libfaketimeMT.so.1",
          "/usr/lib64/faketime/libfaketimeMT.so.1")

# What, FAKETIME, and more of the environment.
CLOCKS = (
    ("100 years ahead", "+36500d", {}),
    ("before 1970", "@1969-12-31 23:00:00", {}),
    ("after 2038", "@2038-01-19 03:14:06", {}),
    ("1000 times as fast", "+0 x1000", {}),
    ("1000 times as slow", "+0 x0.001", {}),
    ("stands still", "2020-01-01 00:00:00", {}),
)
# Real time only, as ntpd or a person with root changes it: the monotonic clock
# goes on as it did.
JUMPS = (
    ("jumps back", ["+0", "-1000d", "+0", "-10d"]),
    ("jumps ahead", ["+0", "+3650d", "+7300d"]),
)


def library():
    for pattern in PLACES:
        found = sorted(glob.glob(pattern))
        if found:
            return found[0]
    return None


def with_env(lab, command, cwd, env, between=None):
    process = lab.start(command, cwd, env=dict(lab.env, **env))
    if between:
        between(process)
    return lab.finish(process)


def check(lab, command, reference, code, out, err, cwd):
    if code not in command.codes:
        raise crash.Failure("exit status %d: %s" % (code, err))
    left = lab.leftovers(cwd)
    if left:
        raise crash.Failure("left behind: %s" % left)
    made = lab.contents(command, cwd)
    if command.compare and made != reference[2]:
        raise crash.Failure("other bytes")
    if command.stdout and command.compare and out != reference[1]:
        raise crash.Failure("another output")
    for path in cwd.rglob("*.json"):
        wall = json.loads(path.read_bytes()).get("wall", {})
        for name in ("seconds", "shared_seconds"):
            if not 0 <= wall.get(name, 0) < 1e6:
                raise crash.Failure("wall.%s is %s" % (name, wall[name]))


def wrong(lab, command, reference, preload, fake, more):
    cwd = lab.folder(command)
    env = {"LD_PRELOAD": preload, "FAKETIME": fake, **more}
    code, out, err = with_env(lab, command, cwd, env)
    check(lab, command, reference, code, out, err, cwd)


def jumping(lab, command, reference, preload, steps, rng):
    """The file that libfaketime reads changes while the command runs."""
    cwd = lab.folder(command)
    rc = lab.top / "faketime.rc"
    rc.write_text(steps[0] + "\n")
    env = {"LD_PRELOAD": preload, "FAKETIME_TIMESTAMP_FILE": str(rc),
           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def change(process):
        for step in steps[1:]:
            try:
                process.wait(rng.uniform(0.01, 0.2))
                return
            except crash.subprocess.TimeoutExpired:
                pass
            new = rc.with_suffix(".new")
            new.write_text(step + "\n")
            os.replace(new, rc)

    code, out, err = with_env(lab, command, cwd, env, change)
    check(lab, command, reference, code, out, err, cwd)


def body(lab, tally, chosen, args, rng):
    preload = library()
    for command in chosen:
        if command.slow or command.name.startswith("plot"):
            continue
        reference = lab.reference(command)
        names = rng.sample(range(len(CLOCKS)), min(args.signals, len(CLOCKS)))
        for i in names:
            what, fake, more = CLOCKS[i]
            # The recorded program would sleep for as long.
            if "slow" in what and command.name == "record":
                continue
            tally.add(what, command.name,
                      lambda fake=fake, more=more: wrong(
                          lab, command, reference, preload, fake, more))
        for what, steps in JUMPS:
            for _ in range(args.tries):
                tally.add(what, command.name,
                          lambda steps=steps: jumping(
                              lab, command, reference, preload, steps, rng))


if __name__ == "__main__":
    if not library():
        print("libfaketime is not installed")
        sys.exit(SKIPPED)
    crash.main(body, __doc__)
