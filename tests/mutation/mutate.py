#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Deliberate errors: the list, where they go, and a copy of the source that has
them all, each behind a switch.

    mutate.py --check        does every line of mutants.txt still fit the source?
    mutate.py --write DIR    write the copy with the mutants of the list

In the copy the expression of a mutant becomes (switch ? error : as it was), so
that one build serves all of them; runtime.c holds the switch. mutants.txt:

    @ alloc/buddy.c expand         file and function; - for the whole file
    A17 halves go to the tail      identifier, what the error means
      - add_block_head(a, z, x);   the text as it is, once in that function
      + add_block_tail(a, z, x);   the text as it becomes; none: nothing
      = why no test can notice     for a survivor: the proof

Text that ends in ; or } is a statement, other text an expression. Whitespace
is as good as any other. To mutate one of several like places, more of the text
may be given with the part in question between @{ and }@.
"""

import argparse
import collections
import functools
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
LIST = HERE / "mutants.txt"
INCLUDE = '#include "tests/mutation/runtime.h"\n'

Mutant = collections.namedtuple(
    "Mutant", "name file function meaning old new why line")


class Stale(Exception):
    """The list does not fit the source."""


def parse(text):
    """Mutants of a list, in its order."""
    out, place, item = [], None, None

    def close():
        if item is None:
            return
        if not item["-"]:
            raise Stale(f"mutants.txt:{item['line']}: no text to mutate")
        out.append(Mutant(item["name"], place[0], place[1], item["meaning"],
                          "\n".join(item["-"]), "\n".join(item["+"]),
                          " ".join(item["="]), item["line"]))

    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@ "):
            close()
            item, place = None, line.split()[1:]
            if len(place) != 2:
                raise Stale(f"mutants.txt:{number}: want @ FILE FUNCTION")
        elif line[:4] in ("  - ", "  + ", "  = ") and item:
            item[line[2]].append(line[4:])
        elif line.strip() == "+" and item:
            continue
        elif not line[0].isspace() and place:
            close()
            name, _, meaning = line.partition(" ")
            item = {"name": name, "meaning": meaning.strip(), "line": number,
                    "-": [], "+": [], "=": []}
        else:
            raise Stale(f"mutants.txt:{number}: not understood: {line}")
    close()
    names = collections.Counter(m.name for m in out)
    for m in out:
        if names[m.name] > 1:
            raise Stale(f"mutants.txt:{m.line}: {m.name} is there twice")
    return out


@functools.lru_cache(maxsize=None)
def functions(text):
    """(name, first offset, end offset) of the functions of a C file."""
    out, start, at = [], None, 0
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        if line == "{\n":
            first = i
            while first and lines[first - 1].strip() and \
                    not lines[first - 1].rstrip().endswith((";", "*/", "}")):
                first -= 1
            head = "".join(lines[first:i])
            head = re.sub(r"__attribute__\(\(.*?\)\)", "", head)
            found = re.search(r"(\w+)\s*\(", head)
            start = (found.group(1), at) if found else None
        at += len(line)
        if line == "}\n" and start:
            out.append((start[0], start[1], at))
            start = None
    return out


def pattern(old):
    """Regular expression for text in which any whitespace is the same."""
    def words(part):
        return r"\s+".join(re.escape(w) for w in part.split())

    if "@{" not in old:
        return "(" + words(old) + ")"
    before, rest = old.split("@{")
    inside, after = rest.split("}@")
    return (words(before) + r"\s*(" + words(inside) + r")\s*" + words(after))


def locate(text, mutant):
    """Span of the mutated text."""
    spans = [(0, len(text))] if mutant.function == "-" else \
        [(a, b) for name, a, b in functions(text) if name == mutant.function]
    where = f"mutants.txt:{mutant.line}: {mutant.name}: {mutant.file}"
    if len(spans) != 1:
        raise Stale(f"{where} has {len(spans)} functions {mutant.function}()")
    low, high = spans[0]
    found = list(re.finditer(pattern(mutant.old), text[low:high]))
    if len(found) != 1:
        raise Stale(f"{where}: {mutant.function}() has this {len(found)} "
                    f"times, not once: {mutant.old.strip()}")
    start, end = low + found[0].start(1), low + found[0].end(1)
    before = re.sub(r"/\*.*?\*/", "", text[low:start], flags=re.S).rstrip()
    if before.endswith((")", "else")) and mutant.old.rstrip().endswith(";") \
            and text[start:end].count(";") > 1:
        raise Stale(f"{where}: an if or else without braces holds the first "
                    "of these statements only")
    return start, end


def switch(group, original):
    """The text of a place with its mutants, [(number, new text)]."""
    if not original.rstrip().endswith((";", "}")):
        parts = [f"buddylab_mutated({n}) ? ({new}) : " for n, new in group]
        return "(" + "".join(parts) + "(" + original + "))"
    parts = [f"if (buddylab_mutated({n})) {{ {new} }} else "
             for n, new in group]
    return "{ " + "".join(parts) + "{ " + original + " } }"


def render(text, places):
    """`places`: [(start, end, number, new text)], nested or apart."""
    spans = collections.defaultdict(list)
    for start, end, number, new in places:
        spans[start, end].append((number, new))
    order = sorted(spans, key=lambda s: (s[0], -s[1]))

    def inside(low, high, i):
        out, at = [], low
        while i < len(order) and order[i][0] < high:
            start, end = order[i]
            if end > high:
                raise Stale("mutants overlap: "
                            f"{text[start:end]!r} and what is before it")
            body, after = inside(start, end, i + 1)
            out += [text[at:start], switch(spans[start, end], body)]
            at, i = end, after
        return "".join(out) + text[at:high], i

    return inside(0, len(text), 0)[0]


def instrument(mutants, source=SOURCE):
    """{file: text} with every mutant behind its number, from 1 on."""
    places = collections.defaultdict(list)
    texts = {}
    for number, m in enumerate(mutants, 1):
        if m.file not in texts:
            texts[m.file] = (source / m.file).read_text()
        start, end = getattr(m, "span", None) or locate(texts[m.file], m)
        new = re.sub(r"@\{|\}@", "", m.new)
        places[m.file].append((start, end, number, new))
    out = {}
    for name, text in texts.items():
        try:
            out[name] = INCLUDE + render(text, places[name])
        except Stale as error:
            raise Stale(f"{name}: {error}") from None
    return out


def put(path, data):
    """Write a file if it changes: what does not is not built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def tracked():
    """Files of the source, by git or, in a tarball, by walking it."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                          cwd=SOURCE, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        return done.stdout.split("\n")[:-1]
    return [str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*")
            if p.is_file() and p.relative_to(SOURCE).parts[0] not in
            ("build", "out", ".git")]


def write_copy(target, mutants):
    """The source tree with its mutants, and with the switch linked in."""
    cmake = "include/CMakeLists.txt"
    files = instrument(mutants)
    files[cmake] = (SOURCE / cmake).read_text().replace(
        "SOURCES ", "SOURCES ../tests/mutation/runtime.c ", 1)
    wanted = set()
    for name in tracked():
        old, new = SOURCE / name, target / name
        if not old.is_file():
            continue
        wanted.add(name)
        put(new, files[name].encode() if name in files else old.read_bytes())
        new.chmod(old.stat().st_mode)
    for path in [p for p in target.rglob("*") if p.is_file()]:
        if str(path.relative_to(target)) not in wanted:
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", type=pathlib.Path, metavar="DIR")
    args = parser.parse_args()
    try:
        mutants = parse(LIST.read_text())
        if args.write:
            write_copy(args.write, mutants)
        stale = []
        for m in mutants:
            try:
                locate((SOURCE / m.file).read_text(), m)
            except (Stale, OSError) as error:
                stale.append(str(error))
        if stale:
            raise Stale("\n".join(stale))
        instrument(mutants)
    except Stale as error:
        print(error, file=sys.stderr)
        return 1
    by_folder = collections.Counter(m.file.split("/")[0] for m in mutants)
    print(f"{len(mutants)} mutants fit the source: " +
          ", ".join(f"{n} in {f}" for f, n in sorted(by_folder.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
