#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands of the documentation, and follows its links.

    tests/docs/commands.py BUDDYLAB SOURCE_FOLDER [--all] [--list] [PAGE..]

A command is a line of an indented block that begins with `buddylab`, `./run`
and the like, or with the prompt `$ `. The commands of a page are run in order,
in a folder of the page's own that has bench/ and tests/ in it. What stands below
a command with a prompt is what it must print; `...` is any number of lines.

What else there is to know about a command stands in commands.txt beside this
file: which need a setup, which fail on purpose, which another test runs, and
which are long. The long ones are run with --all only; without it an experiment
is planned, which still reads the file and all of the options.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

WORDS = ("buddylab", "sh", "buddylab-record", "buddylab-snapshot", "cmake", "cpack",
         "ctest", "./run", "./test", "tests/", "./buddylab-record")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Command:
    """One command of a page and what is printed below it."""

    def __init__(self, page, line, text, prompt):
        self.page, self.line, self.text, self.prompt = page, line, text, prompt
        self.output = []

    def where(self):
        return f"{self.page}:{self.line}"


def blocks(text):
    """Indented or fenced blocks as lists of (line number, line)."""
    block, fenced, blank = [], False, True
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and (block or blank)):
            block.append((number, line if fenced else line[4:]))
            continue
        elif not line.strip() and block:
            block.append((number, ""))
            continue
        blank = not line.strip()
        if block:
            yield block
        block = []
    if block:
        yield block


def unfinished(text):
    return text.endswith(("\\", "|", "&&")) or \
        text.count("(") > text.count(")")


def is_command(line):
    first = line.split(" ")[0]
    return first == "$" or first.startswith(WORDS) and \
        (first in WORDS or first.startswith(("tests/", "./"))) or \
        line.startswith(("(cd ", "printf ", "# buddylab"))


def commands_of(page, text):
    found = []
    for block in blocks(text):
        lines, last = iter(block), None
        for number, line in lines:
            if not is_command(line):
                if last and last.prompt:
                    last.output.append(line)
                continue
            prompt = line.startswith("$ ")
            line = line[2:] if line.startswith(("$ ", "# ")) else line
            while unfinished(line.rstrip()):
                line = line.rstrip().removesuffix("\\") + \
                    next(lines, (0, ")"))[1].lstrip("> ").join("  ")
            if not prompt:
                line = re.split(r"\s{3,}(?=[^ -])|\s{2,}#", line)[0]
            last = Command(page, number, line.strip(), prompt)
            found.append(last)
    return found


class Rules:
    """commands.txt: page, what the command matches, what to do, with what."""

    def __init__(self, path):
        self.rows, self.setups = [], {}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.strip() or line.startswith("#"):
                    continue
                parts = [p.strip() for p in line.split(" :: ")]
                if parts[1] == "setup":
                    self.setups.setdefault(parts[0], []).append(parts[2])
                    continue
                self.rows.append({"line": number, "page": parts[0],
                                  "match": re.compile(parts[1]),
                                  "do": parts[2],
                                  "what": parts[3] if parts[3:] else "",
                                  "used": False})

    def find(self, command):
        for row in self.rows:
            if row["page"] in ("*", command.page) and \
                    row["match"].search(command.text):
                row["used"] = True
                return row["do"], row["what"]
        return "run", ""


def same_output(wanted, got):
    """`...` in wanted is any number of lines of got."""
    while wanted and not wanted[-1].strip():
        wanted = wanted[:-1]
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else
                      re.escape(line.rstrip()) + r"[ ]*\n" for line in wanted)
    return re.fullmatch(pattern, got.rstrip("\n") + "\n") is not None


class Page:
    """The commands of one page in a folder of its own."""

    def __init__(self, name, args, rules, tests):
        self.name, self.args, self.rules, self.tests = name, args, rules, tests
        self.counts = {}
        self.errors = []
        self.folder = None

    def error(self, command, text):
        self.errors.append(f"{command.where()}: {command.text}\n    {text}")

    def count(self, kind):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return kind

    def shell(self, text):
        env = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
        env["PATH"] = os.path.dirname(self.args.buddylab) + ":" + env["PATH"]
        return subprocess.run(["bash", "-c", text], cwd=self.folder, env=env,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=3600, check=False)

    def execute(self, command, status):
        result = self.shell(command.text)
        if result.returncode != status:
            self.error(command, f"exit status {result.returncode}, not "
                       f"{status}: {(result.stderr or result.stdout)[:600]}")
        elif command.prompt and "".join(command.output).strip():
            if same_output(command.output, result.stdout):
                return self.count("compared")
            self.error(command, "prints something else:\n" + result.stdout)
        return self.count("run")

    def plan(self, command):
        text = re.sub(r"\bbuddylab run\b", "buddylab plan", command.text)
        text = re.sub(r" (-j \d+|--format \S+)", "", text)
        if text == command.text or "buddylab plan" not in text:
            return self.count("long")
        result = self.shell(text)
        if result.returncode:
            self.error(command, f"cannot be planned: {result.stderr[:600]}")
        return self.count("planned")

    def one(self, command):
        do, what = self.rules.find(command)
        if do == "test":
            if what not in self.tests:
                self.error(command, f"there is no test {what}")
            return self.count("by a test")
        if do == "not":
            return self.count("not")
        if do == "long" and not self.args.all:
            return self.plan(command)
        if do == "as":
            command.text, command.output = what, []
        return self.execute(command, int(what) if do == "exit" else 0)

    def run(self, commands):
        with tempfile.TemporaryDirectory(prefix="buddylab-docs-") as folder:
            self.folder = folder
            for name in ("bench", "tests", "docs", "reporter"):
                os.symlink(os.path.join(self.args.source, name),
                           os.path.join(folder, name))
            for text in self.rules.setups.get(self.name, []):
                result = self.shell(text)
                if result.returncode:
                    self.errors.append(f"{self.name}: setup {text}: "
                                       f"{result.stderr[:600]}")
            for command in commands:
                kind = self.one(command)
                if self.args.list:
                    print(f"{kind:10} {command.where():32} {command.text}")


def anchors(text):
    """Names that a page's headings have on a forge."""
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def check_links(pages):
    errors, count = [], 0
    for page, text in pages.items():
        prose = re.sub(r"^    .*$", "", text, flags=re.M)
        for target in LINK.findall(prose):
            if target.startswith(("http:", "https:", "mailto:")):
                continue
            count += 1
            path, _, anchor = target.partition("#")
            name = os.path.normpath(os.path.join(os.path.dirname(page), path)) \
                if path else page
            if not os.path.exists(name):
                errors.append(f"{page}: link to {target}: no such file")
            elif anchor and name in pages and anchor not in anchors(pages[name]):
                errors.append(f"{page}: link to {target}: no such heading")
    return errors, count


def read_pages(source):
    os.chdir(source)
    names = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
    for folder, _, files in os.walk("docs"):
        names += [os.path.join(folder, f) for f in files if f.endswith(".md")]
    pages = {}
    for name in sorted(n for n in names if os.path.exists(n)):
        with open(name, encoding="utf-8") as f:
            pages[name] = f.read()
    return pages


def known_tests(build):
    result = subprocess.run(["ctest", "--test-dir", build, "-N"], text=True,
                            stdout=subprocess.PIPE, check=False)
    return set(re.findall(r"Test +#\d+: (\S+)", result.stdout))


def main():
    parser = argparse.ArgumentParser(description="run the documentation")
    parser.add_argument("buddylab")
    parser.add_argument("source")
    parser.add_argument("--all", action="store_true", help="long ones, too")
    parser.add_argument("--list", action="store_true", help="say each")
    parser.add_argument("pages", nargs="*")
    args = parser.parse_args()
    args.buddylab = os.path.abspath(args.buddylab)
    args.source = os.path.abspath(args.source)
    rules = Rules(os.path.join(args.source, "tests/docs/commands.txt"))
    tests = known_tests(os.path.dirname(os.path.dirname(args.buddylab)))
    pages = read_pages(args.source)
    errors, links = check_links(pages)
    total = {}
    for name, text in pages.items():
        if args.pages and name not in args.pages:
            continue
        page = Page(name, args, rules, tests)
        commands = commands_of(name, text)
        if commands:
            page.run(commands)
        errors += page.errors
        for kind, n in page.counts.items():
            total[kind] = total.get(kind, 0) + n
    if not args.pages:
        errors += [f"commands.txt:{r['line']}: matches no command"
                   for r in rules.rows if not r["used"]]
    for error in errors:
        print(error, file=sys.stderr)
    print(f"{links} links; commands: " +
          ", ".join(f"{n} {kind}" for kind, n in sorted(total.items())))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
