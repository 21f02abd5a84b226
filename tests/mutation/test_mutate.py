#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The test of mutate.py: places are found, switches are put in, lists that do
not fit are refused."""

import pathlib
import sys
import tempfile
import unittest

import mutate
import operators
import run

SOURCE = """\
static int lower(int a, int b)
{
	if (a < b)
		return a;
	return b;
}

static __attribute__((noinline))
int twice(int a)
{
	int x = 0;

	x += a;
	x += a;
	return x;
}
"""
LIST = """\
# a comment
@ f.c lower
A1 the limit counts
  - a   < b
  + a <= b
  = why not
@ f.c twice
A2 once
  - int x = 0; @{ x += a; }@
  +
"""


def mutant(old, new="", function="lower"):
    return mutate.Mutant("A1", "f.c", function, "", old, new, "", 1)


class Mutate(unittest.TestCase):
    def test_parse__a_list(self):
        one, two = mutate.parse(LIST)
        self.assertEqual((one.name, one.function, one.new, one.why),
                         ("A1", "lower", "a <= b", "why not"))
        self.assertEqual((two.meaning, two.new), ("once", ""))

    def test_parse__twice_the_same_name(self):
        with self.assertRaises(mutate.Stale):
            mutate.parse(LIST.replace("A2", "A1"))

    def test_locate__whitespace_does_not_matter(self):
        start, end = mutate.locate(SOURCE, mutant("if  (a\n< b)"))
        self.assertEqual(SOURCE[start:end], "if (a < b)")

    def test_locate__a_function_behind_an_attribute(self):
        names = [name for name, _, _ in mutate.functions(SOURCE)]
        self.assertEqual(names, ["lower", "twice"])

    def test_locate__a_line_that_is_gone(self):
        with self.assertRaises(mutate.Stale):
            mutate.locate(SOURCE, mutant("a > b"))

    def test_locate__a_line_that_is_there_twice(self):
        with self.assertRaises(mutate.Stale):
            mutate.locate(SOURCE, mutant("x += a;", function="twice"))

    def test_locate__statements_of_two_levels(self):
        with self.assertRaises(mutate.Stale):
            mutate.locate(SOURCE, mutant("return a; return b;"))

    def test_render__an_expression(self):
        at = SOURCE.index("a < b")
        out = mutate.render(SOURCE, [(at, at + 5, 7, "a <= b")])
        self.assertIn("if ((buddylab_mutated(7) ? (a <= b) : (a < b)))", out)

    def test_render__two_at_one_place_and_one_inside(self):
        out = mutate.render("x = a;", [(0, 6, 1, ""), (0, 6, 2, "x = 0;"),
                                       (4, 5, 3, "b")])
        self.assertEqual(out, "{ if (buddylab_mutated(1)) {  } else "
                         "if (buddylab_mutated(2)) { x = 0; } else "
                         "{ x = (buddylab_mutated(3) ? (b) : (a)); } }")

    def test_render__places_that_overlap(self):
        with self.assertRaises(mutate.Stale):
            mutate.render("a b c", [(0, 3, 1, "x"), (2, 5, 2, "y")])


class Sources(unittest.TestCase):
    """A test that passed is asked again if anything of it has changed."""

    def test_source_of__a_test_and_what_stands_beside_it(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "tests" / "f"
            folder.mkdir(parents=True)
            files = [folder / f for f in ("test_a.c", "world.c", "test_b.c")]
            for file in files:
                file.write_text("1")
            seen = [run.source_of("/x/test_a", pathlib.Path(name))]
            for file in files:
                file.write_text("2")
                seen.append(run.source_of("/x/test_a", pathlib.Path(name)))
            self.assertEqual([a == b for a, b in zip(seen, seen[1:])],
                             [False, False, True])


class Operators(unittest.TestCase):
    def found(self, line):
        text = "int f(int a)\n{\n\t" + line + "\n}\n"
        return {(text[s:e], new, rule)
                for s, e in operators.expressions(text, 0, len(text))
                for new, rule in operators.flips(text, s, e)}

    def test_flips__a_condition(self):
        self.assertEqual(self.found("if (a->b < c && d) x();"), {
            ("a->b < c && d", "a->b <= c && d", "boundary"),
            ("a->b < c && d", "a->b < c || d", "logic")})

    def test_flips__shifts_are_no_comparisons(self):
        self.assertEqual(self.found("return a << b;"), set())

    def test_flips__a_flag_is_negated(self):
        self.assertEqual(self.found("if (ready(a)) x();"), {
            ("ready(a)", "!(ready(a))", "condition")})

    def test_flips__ends_of_lists(self):
        self.assertEqual(self.found("return list_first(a, list);"), {
            ("list_first(a, list)", "list_last(a, list)", "list end")})

    def test_statements__declarations_stay(self):
        text = "void f(void)\n{\n\tint a = 1;\n\n\ta++;\n\tg(a);\n}\n"
        self.assertEqual([text[s:e] for s, e in
                          operators.statements(text, 0, len(text))],
                         ["a++;", "g(a);"])

    def test_make__comments_and_strings_are_left_alone(self):
        text = 'a /* b < c */ "d && e" f'
        self.assertEqual(operators.blank(text), "a" + " " * 22 + "f")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
