#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever moves, the gate sees it and names it; nothing is left out.

    test_check_random.py BUDDYLAB BASELINE.jsonl [SEED [ROUNDS]]

Each round changes one thing in a copy of the baseline, at random: a counter, a
metric, a time or the digest of a run or of a phase, a counter that goes or comes,
a cell that goes, comes or gets another id, another seed, other settings. `check`
has to fail with the right status, for this cell alone, and with this value.
"""

import copy
import json
import os
import random
import subprocess
import sys
import tempfile


def pick_values(rng, cell):
    """The run or one of its phases: (phase or None, object)."""
    n = rng.randint(0, len(cell["phases"]))
    return (None, cell) if n == 0 else \
        (cell["phases"][n - 1]["name"], cell["phases"][n - 1])


def change_counter(rng, cell):
    phase, o = pick_values(rng, cell)
    name = rng.choice(sorted(o["counters"]))
    o["counters"][name] += rng.choice([1, -1, 1000])
    o["counters"][name] = max(0, o["counters"][name])
    return phase, name


def drop_counter(rng, cell):
    phase, o = pick_values(rng, cell)
    names = sorted(n for n, v in o["counters"].items() if v)
    name = rng.choice(names)
    del o["counters"][name]
    return phase, name


def add_counter(rng, cell):
    phase, o = pick_values(rng, cell)
    name = rng.choice(["a.first", "zz.last", "host.middle"])
    o["counters"][name] = rng.randint(1, 2**62)
    return phase, name


def change_metric(rng, cell):
    phase, o = pick_values(rng, cell)
    name = rng.choice(sorted(o["metrics"]))
    value = o["metrics"][name]
    o["metrics"][name] = value * (1 + 1e-9) if value else 1e-6
    return phase, "metric." + name


def drop_metric(rng, cell):
    phase, o = pick_values(rng, cell)
    names = sorted(n for n, v in o["metrics"].items() if v)
    name = rng.choice(names)
    del o["metrics"][name]
    return phase, "metric." + name


def change_time(rng, cell):
    phase, o = pick_values(rng, cell)
    name = "virtual_ns" if phase is None else \
        rng.choice(["start_ns", "end_ns", "measured_ns", "iterations"])
    o[name] += 1
    return phase, name


def change_digest(rng, cell):
    at = rng.randrange(32)
    text = cell["digest"]
    other = "0" if text[at] != "0" else "f"
    cell["digest"] = text[:at] + other + text[at + 1:]
    return None, "digest"


def drop_phase(rng, cell):
    if len(cell["phases"]) < 2:
        return change_digest(rng, cell)
    del cell["phases"][rng.randrange(len(cell["phases"]))]
    return None, "phases"


VALUES = [change_counter, change_counter, drop_counter, add_counter,
          change_metric, drop_metric, change_time, change_digest, drop_phase]


def drop_cell(rng, cells, at):
    del cells[at]
    return {"missing"}


def add_cell(rng, cells, at):
    other = copy.deepcopy(cells[at])
    other["id"] = f"{rng.getrandbits(128):032x}"
    other["variant"] += "-other"
    cells.insert(rng.randint(0, len(cells)), other)
    return {"extra"}


def other_id(rng, cells, at):
    """As other settings, another trace or another seed give it."""
    cells[at]["id"] = f"{rng.getrandbits(128):032x}"
    return {"missing", "extra"}


CELLS = [drop_cell, add_cell, other_id]


def write(path, cells):
    with open(path, "w", encoding="utf-8") as f:
        for cell in cells:
            f.write(json.dumps(cell) + "\n")


def check(buddylab, new, base):
    done = subprocess.run([buddylab, "check", new, "--baseline", base,
                           "--format", "json"], capture_output=True, text=True,
                          check=False)
    return done.returncode, json.loads(done.stdout)


def values_round(rng, cells, at):
    """What was changed, and what the gate should say."""
    change = rng.choice(VALUES)
    before = json.dumps(cells[at])
    phase, name = change(rng, cells[at])
    if json.dumps(cells[at]) == before:
        return change.__name__, 0, None
    return f"{change.__name__} {phase} {name}", 1, (phase, name)


def judge(status, verdict, want, named, cell_id):
    """'' or what is wrong."""
    if status != want:
        return f"exit status {status}, expected {want}"
    found = verdict["differences"]
    if want == 0:
        return "" if not found else "a difference out of nothing"
    if len(found) != 1 or found[0]["cell"] != cell_id:
        return f"{len(found)} cells differ"
    said = [(v["phase"], v["name"]) for v in found[0]["values"]]
    if named[1] == "phases":
        return "" if named in said else f"it names {said[:5]}"
    if said != [named]:
        return f"it names {said[:5]}"
    if cell_id not in found[0]["repeat"]:
        return "no command repeats it"
    return ""


def one_round(rng, buddylab, folder, baseline):
    """(what was done, '' or what is wrong)."""
    cells = copy.deepcopy(baseline)
    at = rng.randrange(len(cells))
    base, new = (os.path.join(folder, n) for n in ("base", "new"))
    write(base, baseline)
    if rng.random() < 0.8:
        what, want, named = values_round(rng, cells, at)
        write(new, cells)
        status, verdict = check(buddylab, new, base)
        return what, judge(status, verdict, want, named, cells[at]["id"])
    change = rng.choice(CELLS)
    statuses = change(rng, cells, at)
    write(new, cells)
    status, verdict = check(buddylab, new, base)
    found = {d["status"] for d in verdict["differences"]}
    if status != 4 or found != statuses:
        return change.__name__, f"exit status {status}, {found}"
    return change.__name__, ""


def main():
    buddylab, path = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 150
    rng = random.Random(seed)
    with open(path, encoding="utf-8") as f:
        all_cells = [json.loads(line) for line in f]
    failures = 0
    with tempfile.TemporaryDirectory(prefix="buddylab-check-") as folder:
        for n in range(rounds):
            some = rng.sample(all_cells, min(len(all_cells), 6))
            what, wrong = one_round(rng, buddylab, folder, some)
            if wrong:
                failures += 1
                print(f"round {n}, {what}: {wrong}")
    print(f"{rounds} rounds, {failures} failures")
    if failures:
        print(f"to repeat: {' '.join(sys.argv[:3])} {seed} {rounds}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
