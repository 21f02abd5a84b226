#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Press the tab key in a real zsh: zsh_completes.py SCRIPT."""
import os
import pty
import select
import sys
import time

# What is typed, and what the line has to become.
ROWS = [
    ("buddylab comple", "buddylab completion"),
    ("buddylab plan --format=sl", "--format=slurm"),
    ("buddylab plan --format sl", "--format slurm"),
    ("buddylab replay --kernel 6.12.", "--kernel 6.12.0"),
    ("buddylab run --set reporter.des", "reporter.design="),
    ("buddylab run --set reporter.design=pull", "reporter.design=pull_bitmap"),
    ("buddylab run --set=guest.shuffle=of", "guest.shuffle=off"),
]
START = ("PS1='>'; autoload -Uz compinit; compinit -u -D; . %s; unsetopt beep;"
         " print rea''dy\n")


def read_until(fd, text, seconds):
    """What the terminal shows until `text` is in it, or None."""
    seen, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 65536).decode(errors="replace")
        if text in seen:
            return seen
    print(f"waited for {text!r}, have {seen!r}", file=sys.stderr)
    return None


def main():
    try:
        pid, fd = pty.fork()
    except OSError as error:
        print(f"not tried: no terminal ({error})", file=sys.stderr)
        return 0
    if not pid:
        os.environ["TERM"] = "dumb"
        os.execvp("zsh", ["zsh", "-f", "-i"])
    os.write(fd, (START % sys.argv[1]).encode())
    ok = read_until(fd, "ready", 60) is not None
    for typed, wanted in ROWS:
        if not ok:
            break
        # ^U clears the line, # turns it into a comment before it is run.
        os.write(fd, b"\x15" + typed.encode() + b"\t")
        ok = read_until(fd, wanted, 30) is not None
    os.write(fd, b"\x15exit\n")
    os.close(fd)
    os.waitpid(pid, 0)
    return 0 if ok else 1


sys.exit(main())
