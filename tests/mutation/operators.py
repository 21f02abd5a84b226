# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors made by rule, beside those of mutants.txt that somebody thought of.

    boundary   a < b becomes a <= b, and back; likewise > and >=
    equality   a == b becomes a != b, and back
    logic      a && b becomes a || b, and back
    off by 1   a + 1 and a - 1 become a
    condition  if (x) becomes if (!x), where none of the above is in x
    statement  a call, an assignment or a count is left out
    list end   first and last, head and tail, next and prev change places

in the functions of alloc/ and reporter/ but for promises, dumps, tables of
options and what only loads or shows state.
"""

import re

import mutate

SKIPPED = {
    "alloc/alloc.h", "alloc/hooks.h", "alloc/gfp.h", "alloc/profile.h",
    "alloc/check.c", "alloc/profile.c", "alloc/proc.c", "alloc/proc_zone.c",
    "alloc/follow.c", "alloc/pcp_state.c", "alloc/state.c", "alloc/zone.c",
    "reporter/skeleton.c", "reporter/none.c", "reporter/in_flight.c",
    "reporter/sync_env.c", "reporter/sync_env_calls.c"}
SKIPPED_NAMES = re.compile(r"(_check|^check_|prefetch|_destroy$|^emit_)")

FLIPS = [("<", "<=", "boundary"), ("<=", "<", "boundary"),
         (">", ">=", "boundary"), (">=", ">", "boundary"),
         ("==", "!=", "equality"), ("!=", "==", "equality"),
         ("&&", "||", "logic"), ("||", "&&", "logic"),
         ("+ 1", "", "off by 1"), ("- 1", "", "off by 1")]
ENDS = [("first", "last"), ("last", "first"), ("head", "tail"),
        ("tail", "head"), ("next", "prev"), ("prev", "next")]
ENDED = re.compile(r"\b(alloc_)?(list|chunk)_(?:add_|rotate_to_)?"
                   r"(first|last|head|tail|next|prev)\b(?=\()")
DECLARES = re.compile(r"(const|struct|enum|unsigned|static|bool|int|char|"
                      r"size_t|sim_ns_t|\w+_t)\b")
KEYWORDS = re.compile(r"(if|else|for|while|do|switch|case|default|return|"
                      r"goto|break|continue|CHECK\w*|_Static_assert)\b")


class Placed(mutate.Mutant):
    """A mutant whose place is known, because it was looked for there."""
    span = None


def blank(text):
    """The same text with comments, strings and directives as spaces."""
    def spaces(found):
        return re.sub(r"[^\n]", " ", found.group())
    return re.sub(r'/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|'
                  r"^#(?:\\\n|[^\n])*", spaces, text, flags=re.M)


def closing(code, at):
    """Offset of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        if code[i] in "([{":
            depth += 1
        elif code[i] in ")]}":
            depth -= 1
            if depth == 0:
                return i
    return len(code)


def expressions(code, low, high):
    """Spans of conditions, of what is returned and of what is assigned."""
    for found in re.finditer(r"\b(if|while)\s*\(", code[low:high]):
        start = low + found.end()
        yield start, closing(code, start - 1)
    for found in re.finditer(r"\bfor\s*\(", code[low:high]):
        start = low + found.end()
        parts = code[start:closing(code, start - 1)].split(";")
        if len(parts) == 3 and parts[1].strip():
            first = start + len(parts[0]) + 1
            yield first, first + len(parts[1])
    for found in re.finditer(r"\breturn\s+([^;]+);|[\w\])]\s*[-+|&]?="
                             r"(?!=)\s*([^;={},]+);", code[low:high]):
        group = 1 if found.group(1) else 2
        yield low + found.start(group), low + found.end(group)


def flips(code, start, end):
    """(new text, rule) of one expression."""
    text = code[start:end]
    if "{" in text or not text.strip():
        return
    none = True
    for old, new, rule in FLIPS:
        where = {"<": r"(?<![<-])<(?![<=])", ">": r"(?<![>-])>(?![>=])",
                 "+ 1": r"\+ 1\b(?!\s*<<)",
                 "- 1": r"- 1\b"}.get(old, re.escape(old))
        for found in re.finditer(where, text):
            if rule != "off by 1":
                none = False
            yield text[:found.start()] + new + text[found.end():], rule
    for found in ENDED.finditer(text):
        for old, new in ENDS:
            if found.group(3) == old:
                yield text[:found.start(3)] + new + text[found.end(3):], \
                    "list end"
    if none and re.match(r"(if|while)\s*\($",
                         code[code.rfind("\n", 0, start) + 1:start].strip()):
        yield f"!({text})", "condition"


def statements(code, low, high):
    """Spans of simple statements."""
    for found in re.finditer(r"^\t+([A-Za-z_*(+-][^;{}]*;)", code[low:high],
                             flags=re.M):
        text = found.group(1)
        before = code[low:low + found.start(1)].rstrip()
        if DECLARES.match(text) or KEYWORDS.match(text) or \
                not before.endswith((";", "{", "}", ")", "else", "do", ":")):
            continue
        if text.count("(") == text.count(")") and "(void)" not in text[:6]:
            yield low + found.start(1), low + found.end(1)


def of_file(name):
    text = (mutate.SOURCE / name).read_text()
    code = blank(text)
    seen = set()
    for function, low, high in mutate.functions(text):
        if SKIPPED_NAMES.search(function):
            continue
        found = [(s, e, new, rule) for s, e in expressions(code, low, high)
                 for new, rule in flips(code, s, e)]
        for s, e in statements(code, low, high):
            found.append((s, e, "", "statement"))
            found += [(s, e, new, rule) for new, rule in flips(code, s, e)
                      if rule == "list end"]
        for s, e, new, rule in sorted(found):
            if (s, e, new) in seen:
                continue
            seen.add((s, e, new))
            line = text.count("\n", 0, s) + 1
            short = " ".join((new or "left out").split())
            m = Placed(f"{name}:{line}", name, function, f"{rule}: {short}",
                       text[s:e], new, "", line)
            m.span = s, e
            yield m


def make():
    files = [p for folder in ("alloc", "reporter")
             for p in sorted((mutate.SOURCE / folder).glob("*.[ch]"))]
    out = []
    for path in files:
        name = str(path.relative_to(mutate.SOURCE))
        if name in SKIPPED or name.endswith("_check.c") or \
                (name.startswith("reporter") and name.endswith(".h")):
            continue
        out += of_file(name)
    return without_overlaps(out)


def without_overlaps(mutants):
    """What is neither inside the span before it nor after it goes."""
    out, open_spans, last = [], [], None
    for m in sorted(mutants, key=lambda m: (m.file, m.span[0], -m.span[1])):
        if m.file != last:
            open_spans, last = [], m.file
        while open_spans and open_spans[-1][1] <= m.span[0]:
            open_spans.pop()
        if open_spans and m.span[1] > open_spans[-1][1]:
            continue
        if not open_spans or open_spans[-1] != m.span:
            open_spans.append(m.span)
        out.append(m)
    return out
