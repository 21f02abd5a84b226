#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The price file of the machine that largepages3 was posted from.

    tests/bench/largepages3.py SOURCE_FOLDER [--update]

Four published rows, four prices; 3 GiB are N = 786,432 pages or 1,536 huge
pages, and w is the price of one reference of a page-table walk, which is not
from these rows:

    again_4k        = N (fill_4k + 4 w)
    store_4k        = N (touch + 4 w)
    first_4k        = N (fault_anon + fill_4k + 4 w)
    first_hugetlbfs = 1536 (fault_thp - 512 touch + 3 w) + N fill_4k

Without --update: does bench/prices/largepages3.ini say that? docs/largepages3.md
"""
import os
import sys

ROWS = "bench/prices/largepages3.rows"
PRICES = "bench/prices/largepages3.ini"
PAGES, HUGE = 786432, 1536
WALK_REF_PS = 1000
FROM = "largepages3"


def read_rows(path):
    """Mean of the runs in picoseconds."""
    rows = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, values = line.split("|")[0].split("=")
                runs = [int(v) for v in values.split(",")]
                rows[name.strip()] = sum(runs) * 1000000 // len(runs)
    return rows


def prices(rows):
    walk = 4 * WALK_REF_PS
    fill = rows["again_4k"] // PAGES - walk
    touch = rows["store_4k"] // PAGES - walk
    anon = (rows["first_4k"] - rows["again_4k"]) // PAGES
    huge = (rows["first_hugetlbfs"] - PAGES * fill) // HUGE
    thp = huge - 3 * WALK_REF_PS + 512 * touch
    return (
        ("fault_thp", thp, "memset, first touch, of hugetlbfs less the fill"),
        ("fault_anon", anon, "memset, first touch less again, of 4 KiB"),
        ("touch", touch, "one store per 4 KiB of 4 KiB less its walk"),
        ("fill_4k", fill, "memset again of 4 KiB less its walk"),
    )


def text(rows):
    lines = [
        "# SPDX-License-Identifier: GPL-2.0-or-later",
        "# Prices of the machine behind largepages3.rows, made of its four "
        "rows by",
        "#   tests/bench/largepages3.py . --update",
        "# All other prices are built in.",
        "[prices]",
    ]
    for name, ps, how in prices(rows):
        lines.append(f"{name} = {ps // 1000}.{ps % 1000:03}ns | baseline | "
                     f"{how}; {FROM}")
    for name in "walk_ref", "guest_walk_ref":
        lines.append(f"{name} = {WALK_REF_PS // 1000}.000ns | literature | "
                     "an entry in the second-level cache, mostly overlapped")
    return "\n".join(lines) + "\n"


def main():
    source, *rest = sys.argv[1:]
    os.chdir(source)
    wanted = text(read_rows(ROWS))
    if rest == ["--update"]:
        with open(PRICES, "w", encoding="utf-8") as f:
            f.write(wanted)
        return 0
    with open(PRICES, encoding="utf-8") as f:
        if f.read() == wanted:
            return 0
    print(f"{PRICES} is not what {ROWS} gives; to update it:\n"
          "  tests/bench/largepages3.py . --update", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
