#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the rules of the house that no compiler checks.

    tests/tidy.py [ROOT]        check the tree, print file:line: rule: what
    tests/tidy.py --list        the rules, one a line

Exit status: 0 clean, 1 violations. Warnings do not fail. The rules are data in
tests/tidy_rules.py; docs/architecture.md and CONTRIBUTING.md explain them.
tests/test_tidy.py plants one violation per rule and expects it to be found.
"""

import os
import re
import sys

import tidy_rules as rules

# --- reading --------------------------------------------------------------


class Source:
    """One file: its text, and for C the text without comments and strings."""

    def __init__(self, root, path):
        self.path = path
        self.name = os.path.basename(path)
        self.folder = path.split("/")[0] if "/" in path else ""
        with open(os.path.join(root, path), "rb") as f:
            self.bytes = f.read()
        self.text = self.bytes.decode("utf-8", "replace")
        self.lines = self.text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        self.is_c = path.endswith((".c", ".h"))
        self.bare = bare_c(self.text) if self.is_c else ""

    def is_code(self):
        if self.path.endswith(rules.CODE) or self.name == "CMakeLists.txt":
            return True
        return self.text.startswith("#!")


TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)


def blank_out(match):
    """As many lines as the match, and nothing on them but its quotes."""
    text = match.group(0)
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


def bare_c(text):
    return TOKEN.sub(blank_out, text)


def find_files(root):
    found = []
    for top, folders, names in os.walk(root):
        here = os.path.relpath(top, root).replace(os.sep, "/")
        folders[:] = sorted(
            f for f in folders if f not in rules.SKIPPED_FOLDERS
            and not (here == "." and f.startswith("build")))
        for name in sorted(names):
            path = name if here == "." else here + "/" + name
            if path.startswith(rules.DATA_FOLDERS) or os.path.islink(
                    os.path.join(root, path)):
                continue
            if (path.endswith(rules.TEXT) or "." not in name
                    or name.startswith(".")):
                found.append(path)
    return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# --- the shape of C -------------------------------------------------------


def top_level(bare):
    """Yields (offset, text, body) for each top-level piece of a C file.

    body is None, or (start, end) of the braces that ended the piece; inner
    braces of initialisers stay in the text as {}.
    """
    code = DIRECTIVE.sub(blank_out, bare)
    start, i, depth = 0, 0, 0
    piece = []
    brace = None
    while i < len(code):
        c = code[i]
        if c == "{":
            if depth == 0:
                brace = i
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                if "".join(piece).rstrip().endswith(")"):
                    yield start, "".join(piece), (brace, i)
                    piece, start = [], i + 1
                else:
                    piece.append("{}")
        elif depth == 0:
            piece.append(c)
            if c == ";":
                yield start, "".join(piece), None
                piece, start = [], i + 1
        i += 1


def functions(bare):
    """Yields (name, line of the name, lines to the closing brace)."""
    for start, text, body in top_level(bare):
        if body is None:
            continue
        depth = 0
        for i in range(len(text.rstrip()) - 1, -1, -1):
            depth += (text[i] == ")") - (text[i] == "(")
            if depth == 0:
                break
        match = re.search(r"(\w+)\s*$", text[:i])
        if match:
            first = line_of(bare, start + match.start())
            yield match.group(1), first, line_of(bare, body[1]) - first + 1


ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")


def is_mutable(declaration):
    """Is this declaration of one variable one that may be written to?"""
    declarator = declaration.split("=")[0].rstrip(" ;\n")
    if "*" in declarator:
        return not re.match(r"\s*const\b", declarator.rsplit("*", 1)[1])
    return not re.search(r"\bconst\b", declarator)


def file_scope_variables(bare):
    """Yields (line, declaration) of variables defined at file scope."""
    for start, text, body in top_level(bare):
        if body is not None:
            continue
        text_start = start + len(text) - len(text.lstrip())
        text = ATTRIBUTE.sub("", text).strip()
        if re.match(r"typedef\b|_Static_assert\b|;", text):
            continue
        head = text.split("=")[0]
        # A type, or a prototype: parentheses but no (*name).
        if re.match(r"(?:struct|union|enum)\b[^;=]*\{\}\s*;$", text):
            continue
        if re.match(r"(?:struct|union|enum)\s+\w+\s*;$", text):
            continue
        if "(" in head and not re.search(r"\(\s*\*", head):
            continue
        if re.search(r"\(\s*\*\s*\w+\s*\([^()]*\)\s*\)", head):
            continue  # a function that returns a function pointer
        if not re.match(r"[A-Za-z_]", text):
            continue
        yield line_of(bare, text_start), text


STATIC_LOCAL = re.compile(r"^[ \t]+static\s+(?!inline\b)[^;{=]*[;{=]", re.M)

# --- the checks: each yields (path, line, rule, text) ----------------------


def check_includes(source):
    if not source.is_c or source.folder in rules.SEES_ALL:
        return
    allowed = rules.MAY_INCLUDE.get(source.folder)
    if allowed is None:
        yield source.path, 1, "include-table", "C code in a folder that " \
            "the table does not know"
        return
    for number, line in enumerate(source.lines, 1):
        match = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
        if not match:
            continue
        target, _, header = match.group(1).partition("/")
        if target not in rules.PUBLIC_HEADERS:
            yield (source.path, number, "include-table",
                   '"%s" is not spelled from the root' % match.group(1))
            continue
        public = rules.PUBLIC_HEADERS[target]
        if target == source.folder:
            continue
        if target not in allowed:
            yield (source.path, number, "include-table",
                   "%s/ may not include %s/" % (source.folder, target))
        elif public is not True and header not in public:
            yield (source.path, number, "include-table",
                   "%s is private to %s/" % (match.group(1), target))


def check_lengths(source):
    if not source.is_code():
        return
    count = len(source.lines)
    if count > rules.FILE_LINES_MAX:
        yield (source.path, count, "file-length",
               "%d lines, at most %d" % (count, rules.FILE_LINES_MAX))
    elif count > rules.FILE_LINES_WARN:
        yield (source.path, count, "file-length",
               "warning: %d lines, better below %d"
               % (count, rules.FILE_LINES_WARN))
    for number, line in enumerate(source.lines, 1):
        columns = len(line.expandtabs(8))
        if columns > rules.LINE_COLUMNS_MAX:
            yield (source.path, number, "line-length",
                   "%d columns, at most %d" % (columns, rules.LINE_COLUMNS_MAX))


def check_functions(source):
    if not source.is_c:
        return
    for name, line, length in functions(source.bare):
        if length > rules.FUNCTION_LINES_MAX:
            yield (source.path, line, "function-length",
                   "%s() has %d lines, at most %d"
                   % (name, length, rules.FUNCTION_LINES_MAX))


def check_top(source):
    if source.is_c:
        if not source.lines or source.lines[0] != rules.SPDX_C:
            yield (source.path, 1, "spdx", "line 1 is not " + rules.SPDX_C)
        elif len(source.lines) < 2 or not source.lines[1].startswith("/*"):
            yield (source.path, 2, "purpose", "no comment on what it is for")
    elif source.is_code() and not any(
            rules.SPDX in line for line in source.lines[:3]):
        yield (source.path, 1, "spdx", "no " + rules.SPDX)


def check_guard(source):
    if not source.path.endswith(".h"):
        return
    guard = re.sub(r"\W", "_", source.path).upper()
    first = re.search(r"^#ifndef (\w+)\n#define (\w+)$", source.text, re.M)
    if not first or first.group(1) != guard or first.group(2) != guard:
        yield (source.path, 1, "header-guard", "no guard " + guard)


CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")


def check_calls(source):
    if not source.is_c:
        return
    for number, line in enumerate(source.bare.split("\n"), 1):
        for match in CALL.finditer(line):
            name = match.group(1)
            why, folders = rules.BANNED_CALLS.get(name, (None, None))
            if why is None or source.folder in folders:
                continue
            if (source.path, name) not in rules.CALL_EXCEPTIONS:
                yield (source.path, number, "banned-call",
                       "%s() %s" % (name, why))


def check_floats(source):
    if not source.is_c or source.folder not in rules.NO_FLOAT:
        return
    if source.path in rules.FLOAT_EXCEPTIONS:
        return
    for number, line in enumerate(source.bare.split("\n"), 1):
        match = re.search(r"\b(?:float|double)\b", line)
        if match:
            yield (source.path, number, "no-float",
                   "%s in a folder that makes counters" % match.group(0))


def check_mutable(source):
    if not source.is_c or source.folder in rules.SEES_ALL:
        return
    if source.path in rules.MUTABLE_EXCEPTIONS:
        return
    found = list(file_scope_variables(source.bare))
    for match in STATIC_LOCAL.finditer(source.bare):
        if "(" not in match.group(0):
            found.append((line_of(source.bare, match.start()),
                          match.group(0).strip()))
    for line, declaration in found:
        if not is_mutable(declaration):
            continue
        if rules.MESSAGE_TEXT.search(declaration):
            continue
        if (rules.SIGNAL_FLAG.search(declaration)
                and source.folder in rules.SIGNAL_FOLDERS):
            continue
        yield (source.path, line, "mutable-global",
               "'%s' may be written to"
               % " ".join(declaration.split("=")[0].split()))


def check_places(source):
    if source.path in rules.SELF:
        return
    for number, line in enumerate(source.lines, 1):
        match = rules.MACHINE_PATHS.search(line)
        if match:
            yield source.path, number, "machine-path", match.group(0)
        match = rules.OUTSIDE_PAPERS.search(line)
        if match:
            yield source.path, number, "outside-paper", match.group(0)
        match = rules.REGISTRY_HOSTS.search(line)
        if match:
            yield source.path, number, "registry-host", match.group(0)


def check_blanks(source):
    if source.bytes and not source.bytes.endswith(b"\n"):
        yield (source.path, len(source.lines), "blanks",
               "no newline at the end")
    for number, line in enumerate(source.lines, 1):
        if line != line.rstrip():
            yield source.path, number, "blanks", "trailing blanks"


def listed_sources(cmake):
    """(path, line) of the .c files that a CMake file names, and patterns.

    A name with a variable in it, "test_${unit}.c" in a loop or a function, is
    a pattern; it lists a file if what stands for the variable is a word of the
    same CMake file.
    """
    text = re.sub(r"#[^\n]*", "", cmake.text)
    words = set(re.findall(r"[\w-]+", text))
    folder = os.path.dirname(cmake.path)
    names, patterns = [], []
    for match in re.finditer(r"[\w${}./-]+\.c\b", text):
        name = match.group(0)
        name = name.replace("${PROJECT_SOURCE_DIR}/", "/")
        name = name.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
        path = (name[1:] if name[0] == "/"
                else os.path.normpath(os.path.join(folder, name)))
        if "$" in path:
            regex = re.sub(r"\\\$\\{\w+\\}", r"([\\w-]+)", re.escape(path))
            patterns.append((re.compile(regex + "$"), words))
        else:
            names.append((path, line_of(text, match.start())))
    return names, patterns


def is_bootstrap(sources):
    """The build still tolerates listed files that are not written yet."""
    return any(s.path == "cmake/folder.cmake" and "BOOTSTRAP" in s.text
               for s in sources)


MD_LINK = re.compile(r"\]\(([^)#\s]+)[^)\s]*\)")
DOC_NAME = re.compile(r"(?<![\w./])docs/[\w./-]+\.md\b")


COMMENT = re.compile(r"/\*.*?\*/", re.S)
FIDELITY = "docs/fidelity.md"


def check_deviations(sources):
    """Comments that own up to a deviation, against the rows that list them."""
    rows = [line for s in sources if s.path == FIDELITY
            for line in s.lines if line.startswith("|") and "deviation" in line]
    for source in sources:
        if not source.is_c or source.folder in rules.SEES_ALL:
            continue
        for match in COMMENT.finditer(source.text):
            found = match.group(0).find("Deviation:")
            if found < 0:
                continue
            line = line_of(source.text, match.start() + found)
            if FIDELITY not in match.group(0):
                yield (source.path, line, "deviation",
                       "does not point to " + FIDELITY)
            if not any("`%s`" % source.path in row for row in rows):
                yield (source.path, line, "deviation",
                       "no row of %s names this file" % FIDELITY)


EXPERIMENTS = "docs/experiment-file.md"


def check_experiments(sources):
    """What comes with the project stands in the list of its experiments."""
    page = "".join(s.text for s in sources if s.path == EXPERIMENTS)
    for source in sources:
        if source.path.startswith("bench/experiments/") and \
                "`%s`" % source.name not in page:
            yield (source.path, 1, "experiment",
                   "%s does not name it" % EXPERIMENTS)


def check_links(sources):
    """Links of documents, and documents that comments point to."""
    if is_bootstrap(sources):
        return
    paths = {s.path for s in sources}
    folders = {parent for path in paths for parent in parents(path)}
    for source in sources:
        if source.path in rules.SELF:
            continue
        for number, line in enumerate(source.lines, 1):
            named = [m.group(0) for m in DOC_NAME.finditer(line)]
            if source.path.endswith(".md"):
                here = os.path.dirname(source.path)
                named = [os.path.normpath(os.path.join(here, link))
                         for link in MD_LINK.findall(line)
                         if ":" not in link]
            for path in named:
                if path not in paths and path not in folders:
                    yield (source.path, number, "broken-link",
                           "%s does not exist" % path)


def parents(path):
    folder = os.path.dirname(path)
    while folder:
        yield folder
        folder = os.path.dirname(folder)


def check_lists(sources):
    """Sources against the lists in the CMake files, both ways."""
    tolerant = is_bootstrap(sources)
    paths = {s.path for s in sources if s.path.endswith(".c")}
    listed, patterns = set(), []
    for source in sources:
        if source.name != "CMakeLists.txt":
            continue
        names, more = listed_sources(source)
        patterns.extend(more)
        for path, line in names:
            listed.add(path)
            if path not in paths and not tolerant:
                yield (source.path, line, "missing-file",
                       "%s does not exist" % path)
    for path in paths - listed:
        matches = [(regex.match(path), words) for regex, words in patterns]
        if not any(match and set(match.groups()) <= words
                   for match, words in matches):
            yield path, 1, "dead-file", "no CMakeLists.txt lists it"


FILE_CHECKS = [check_includes, check_lengths, check_functions, check_top,
               check_guard, check_calls, check_floats, check_mutable,
               check_places, check_blanks]


def check_tree(root):
    """All violations and warnings of a tree, sorted."""
    sources = [Source(root, path) for path in find_files(root)]
    found = []
    for source in sources:
        for check in FILE_CHECKS:
            found.extend(check(source))
    found.extend(check_lists(sources))
    found.extend(check_links(sources))
    found.extend(check_deviations(sources))
    found.extend(check_experiments(sources))
    return sorted(set(found)), len(sources)


def main(argv):
    if "--help" in argv:
        print(__doc__.strip())
        return 0
    if "--list" in argv:
        for rule, text in rules.RULES.items():
            print("%-16s %s" % (rule, text))
        return 0
    here = os.path.dirname(os.path.abspath(__file__))
    root = argv[1] if len(argv) > 1 else os.path.dirname(here)
    found, count = check_tree(root)
    failures = 0
    for path, line, rule, text in found:
        failures += not text.startswith("warning:")
        print("%s:%d: %s: %s" % (path, line, rule, text))
    print("tidy: %d files, %d violations, %d warnings"
          % (count, failures, len(found) - failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
