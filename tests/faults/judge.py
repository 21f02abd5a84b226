# SPDX-License-Identifier: GPL-2.0-or-later
"""What may and what must be left after a fault; see driver.py."""

import os
import re

SANITIZER = re.compile(r"(Sanitizer|runtime error:|CHECK failed|Assertion|"
                       r"double free|corrupted|stack smashing)")
# Host time, and which process wrote it.
WALL = re.compile(rb',?"wall":\{[^{}]*\}|"wall_s":[0-9.e+-]+')
TEMPORARY = re.compile(r"(^|/)\.[^/]*\.tmp$")
INPUTS = (".ini", ".target", ".step")
# Faults of libraries that cannot be told or survived; docs/robustness.md.
HWLOC = re.compile(r"/sys/")
TRACECMD = re.compile(r"trace\.dat$")


def tree(folder):
    """name: content, host times left out; folders do not count."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as f:
                found[os.path.relpath(full, folder)] = WALL.sub(b"", f.read())
    return found


class Expected:
    def __init__(self, scenario, status, stdout, stderr, before, after):
        self.scenario = scenario
        self.same = scenario.same
        self.status = status
        self.stdout = WALL.sub(b"", stdout)
        self.stderr = stderr
        self.before = before
        self.after = after


def is_temporary(name):
    return bool(TEMPORARY.search(name))


def is_partial(name, content, after):
    """A list of results without those that failed: whole lines of it."""
    if not name.endswith("cells.jsonl") or (content and
                                            not content.endswith(b"\n")):
        return False
    return set(content.splitlines()) <= set(after.splitlines())


def judge_tree(e, found, failed=False):
    for name, content in e.before.items():
        if name not in found:
            yield f"lost: {name} is gone"
    for name, content in found.items():
        before, after = e.before.get(name), e.after.get(name)
        if is_temporary(name) or content in (before, after):
            continue
        if after is None:
            if before is None:
                yield f"{name}: nobody expects that file"
            else:
                yield f"lost: {name} was changed"
        elif is_partial(name, content, after) and before is None:
            continue
        elif failed and e.scenario.partial and name.startswith(
                e.scenario.partial):
            continue
        elif e.same or before is not None:
            yield f"lost: {name} is neither the old nor the new one"


def failed_name(what):
    """The file that a call was about, without what makes it temporary."""
    path = what.split(" ", 1)[1] if " " in what else ""
    name = os.path.basename(path.split(" (deleted)")[0].strip())
    m = re.match(r"\.(.*?)(\.\d+)?\.tmp$", name)
    return m.group(1) if m else name


def judge_message(kind, what, stderr):
    if not stderr.strip():
        yield "no message"
        return
    if kind[0] in ("alloc", "mmap"):
        if not re.search(r"memory|allocate", stderr):
            yield "the message does not speak of memory"
        return
    name = failed_name(what)
    if (kind[0] in ("open", "read", "write", "sync", "close", "rename",
                    "mkdir") and name and not kind[2] and
            name not in stderr and not what.endswith(".out") and
            not re.match(r"\S+ (pipe|socket|/proc|/sys|/dev)", what)):
        yield f"the message does not name {name}"


def judge_status(e, kind, what, status, stdout, stderr):
    if status is None:
        yield "it hung"
    elif status < 0 or status in (99, 125):
        yield f"ended by signal or sanitizer: {status}"
    elif status == e.status:
        if e.same and WALL.sub(b"", stdout) != e.stdout:
            yield "success, but the output differs"
        if re.search(r"\berror:", stderr) and "error:" not in e.stderr:
            yield "success, but an error was printed"
    elif status == 3:
        yield from judge_message(kind, what, stderr)
    elif status == 77 and e.scenario.command == "conformance":
        if "skipped:" not in stderr:
            yield "skipped without a reason"
    elif status == 2 and kind[0] in ("open", "read", "stat", "readdir"):
        if (not any(end in stderr for end in INPUTS) and
                failed_name(what) not in stderr):
            yield "status 2, but no input is at fault"
        yield from judge_message(kind, what, stderr)
    else:
        yield f"exit status {status}, undisturbed {e.status}"


def is_spared(e, kind, what):
    """hwloc leaves out what it cannot read; libtracecmd ends by a signal."""
    return kind[0] in ("open", "read", "stat", "readdir") and bool(
        HWLOC.search(what) or
        (e.scenario.name == "import-dat" and TRACECMD.search(what)))


def after_fault(e, kind, what, status, stdout, stderr, found):
    problems = list(judge_status(e, kind, what, status, stdout, stderr))
    if SANITIZER.search(stderr):
        problems.append("a sanitizer or a check speaks")
    problems += judge_tree(e, found, "cells failed" in stderr)
    if status == e.status:
        problems += [f"success, but {name} is not there"
                     for name in e.after if name not in found]
        problems += [f"success, but {name} is the old one"
                     for name, text in e.after.items()
                     if e.same and name in found and found[name] != text]
    return problems


def after_rerun(e, done, status, stdout, stderr, found):
    """done: what the run with the fault was to write is written."""
    problems = []
    if status != e.status:
        problems.append(f"again: exit status {status}: {stderr[-200:]}")
    if e.same and not (done and e.scenario.once) and WALL.sub(b"", stdout) != e.stdout:
        problems.append("again: the output differs")
    for name in found:
        if is_temporary(name):
            problems.append(f"again: {name} is left")
        elif name not in e.after:
            problems.append(f"again: {name} was not expected")
        elif e.same and found[name] != e.after[name]:
            problems.append(f"lost: again: {name} differs")
    problems += [f"lost: again: {name} is not there" for name in e.after
                 if name not in found]
    return problems
