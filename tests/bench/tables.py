#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the documentation are made by runs, not typed.

    tests/bench/tables.py BUDDYLAB SOURCE_FOLDER [--all|--update [PAGE..]]

A table stands between two comments, the first of which says what to run:

    <!-- buddylab run bench/experiments/designs.ini --only none -->
    <!-- buddylab reproduce largepages3 -->
    <!-- end -->

Behind a bar, the columns of a second look at the same cells may follow. With
`tested:` in front the table is small enough to be made again by a test, which
is what this program does without --update; it then fails if a number moved.
With --all it makes them all, which takes minutes, and changes none.
"""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(
    r"^<!-- (?P<tested>tested: )?buddylab (?P<what>run|reproduce) "
    r"(?P<args>[^|\n]*?)"
    r"(?: \| (?P<columns>[^\n]*?))? -->\n(?P<body>.*?)^<!-- end -->\n",
    re.M | re.S)
PAGES = ("docs/designs.md", "docs/ablations.md", "docs/thp-order.md",
         "docs/guests-that-fit.md", "docs/several-guests.md",
         "docs/largepages3.md", "docs/open-questions.md",
         "docs/reproduce.md", "docs/record.md", "docs/jemalloc.md")


class Runs:
    """Each experiment is run once, whatever is shown of it."""

    def __init__(self, buddylab, scratch):
        self.buddylab = buddylab
        self.scratch = scratch
        self.folders = {}

    def command(self, words, fine=(0,)):
        done = subprocess.run([self.buddylab] + words, text=True,
                              capture_output=True, check=False)
        if done.returncode not in fine:
            sys.exit(f"buddylab {' '.join(words)}: status "
                     f"{done.returncode}\n{done.stderr}")
        return done.stdout

    def folder(self, args):
        if args not in self.folders:
            path = os.path.join(self.scratch, str(len(self.folders)))
            self.command(["run", *args.split(), "-o", path,
                          "--format", "none"])
            self.folders[args] = path
        return self.folders[args]

    def reproduce(self, args):
        """A miss is status 1, and stays in the table."""
        path = os.path.join(self.scratch, "reproduce")
        form = [] if "--format" in args else ["--format", "md"]
        return self.command(["reproduce", *args.split(), "--data", "bench",
                             "-o", path, *form], (0, 1))

    def table(self, args, columns):
        words = ["report", self.folder(args), "--format", "md"]
        if columns:
            words += ["--columns", columns]
        return rows(self.command(words))


def rows(text):
    lines = text.splitlines()
    return "".join(f"{line}\n" for line in lines if line[:1] == "|")


def body(runs, what, args, columns):
    text = f"\n    buddylab {what} {args}\n"
    if what == "reproduce":
        said = runs.reproduce(args)
        table = re.search(r"^\|", said, re.M).start()
        return f"{text}\n{said[table:].rstrip()}\n\n"
    if columns:
        name = os.path.basename(args.split()[0]).removesuffix(".ini")
        text += f'    buddylab report out/{name} --columns "{columns}"\n'
    return f"{text}\n{runs.table(args, columns)}\n"


def remade(text, runs, everything):
    def replace(m):
        if not everything and not m["tested"]:
            return m[0]
        start = m[0][:m.start("body") - m.start(0)]
        return (start + body(runs, m["what"], m["args"], m["columns"]) +
                "<!-- end -->\n")
    return BLOCK.sub(replace, text)


def main():
    buddylab, source, *rest = sys.argv[1:]
    buddylab = os.path.abspath(buddylab)
    update = rest[:1] == ["--update"]
    everything = update or rest[:1] == ["--all"]
    os.chdir(source)
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        runs = Runs(buddylab, scratch)
        for page in rest[1:] or PAGES:
            with open(page, encoding="utf-8") as f:
                old = f.read()
            new = remade(old, runs, everything)
            if new == old:
                continue
            wrong.append(page)
            if update:
                with open(page, "w", encoding="utf-8") as f:
                    f.write(new)
    if update or not wrong:
        return 0
    print(f"the tables of {', '.join(wrong)} are not what runs give; to "
          "update them:\n  tests/bench/tables.py BUDDYLAB . --update",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
