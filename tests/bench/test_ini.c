/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The INI reader: what it understands, and what it says about mistakes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ini.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

/* All of it as "[type|name] key=value ..." in one line. */
static void flatten(const struct ini *ini, char *out, size_t size)
{
	const struct ini_section *s;
	const struct ini_entry *e;
	size_t n = 0;

	out[0] = '\0';
	for (s = ini->sections; s; s = s->next) {
		n += (size_t)snprintf(out + n, size - n, "%s[%s|%s]",
				      n ? " " : "", s->type, s->name);
		for (e = s->entries; e; e = e->next)
			n += (size_t)snprintf(out + n, size - n, " %s=%s",
					      e->key, e->value);
	}
}

struct good_row {
	const char *text, *expected;
};

static const struct good_row good_rows[] = {
	{ "", "" },
	{ "[a]\nx = 1\n", "[a|] x=1" },
	{ "[a]\nx=1", "[a|] x=1" },
	{ "\xef\xbb\xbf[a]\r\nx = 1\r\n", "[a|] x=1" },
	{ "  [ a ]  \n\t x =  1 2\t \n", "[a|] x=1 2" },
	{ "# c\n; c\n[a] # c\nx = 1 # c\ny = 2 ; c\n", "[a|] x=1 y=2" },
	{ "[a]\nx = 1#2;3\n", "[a|] x=1#2;3" },
	{ "[a]\nx = # c\n", "[a|] x=" },
	{ "[a]\nx = b=c\n", "[a|] x=b=c" },
	{ "[a one]\n[a  two ]\nv.x = 1\n", "[a|one] [a|two] v.x=1" },
	/* Indented lines are lines of their own. */
	{ "[a]\n  x = 1\n  y = 2\n", "[a|] x=1 y=2" },
};

static void test_ini__understands(void **state)
{
	/* Scenario: one spelling a row; sections and pairs come out. */
	struct scratch *s = *state;

	for (unsigned int i = 0; i < sizeof(good_rows) / sizeof(*good_rows);
	     i++) {
		struct arena a = { 0 };
		struct ini *ini = calloc(1, sizeof(*ini));
		char text[256];

		scratch_write("t.ini", good_rows[i].text);
		assert_non_null(ini);
		ASSERT_U64(test_row(i), ini_read(ini, &a, "t.ini", &s->diag),
			   0);
		flatten(ini, text, sizeof(text));
		assert_string_equal(text, good_rows[i].expected);
		arena_free(&a);
		free(ini);
	}
	assert_string_equal(scratch_text(s), "");
}

struct bad_row {
	const char *text, *messages;
};

static const struct bad_row bad_rows[] = {
	{ "x = 1\n", "t.ini:1:1: error: 'x' stands before the first "
	  "[section]\n" },
	{ "[a\n", "t.ini:1:1: error: section header is not closed by ']'\n" },
	{ "[]\n", "t.ini:1:2: error: section header without a name\n" },
	{ "[a] b\n", "t.ini:1:5: error: 'b' behind the section header; "
	  "nothing may follow ']'\n" },
	{ "[a]\nx\n", "t.ini:2:1: error: expected 'key = value' or "
	  "'[section]'\n" },
	{ "[a]\n = 1\n", "t.ini:2:2: error: '=' without a key before it\n" },
	{ "[a]\nx y = 1\n", "t.ini:2:2: error: blank in the key 'x y'\n" },
	{ "[a]\nx = \x01\n", "t.ini:2:5: error: control character 0x01\n" },
	{ "[a]\nx = 1\n\tx = 2\n", "t.ini:3:2: error: 'x' was already set on "
	  "t.ini:2\n" },
	{ "[a]\n[b]\n[a]\n", "t.ini:3:1: error: section [a] was already "
	  "opened on t.ini:1\n" },
	{ "[a b]\n[a b]\n", "t.ini:2:1: error: section [a b] was already "
	  "opened on t.ini:1\n" },
	{ "[a]\ninclude = no.ini\n", "t.ini:2:11: error: included file "
	  "'no.ini' cannot be opened: No such file or directory\n" },
	{ "[a]\ninclude =\n", "t.ini:2:10: error: 'include' without a file "
	  "name\n" },
	{ "include = t.ini\n", "t.ini:1:11: error: 't.ini' includes itself\n" },
	/* All of them, not the first. */
	{ "[a\nx\n[b]\ny\ny = 1\n",
	  "t.ini:1:1: error: section header is not closed by ']'\n"
	  "t.ini:2:1: error: expected 'key = value' or '[section]'\n"
	  "t.ini:4:1: error: expected 'key = value' or '[section]'\n" },
};

static void test_ini__names_each_mistake(void **state)
{
	/* Scenario: mistakes, with the messages as golden text. */
	struct scratch *s = *state;

	for (unsigned int i = 0; i < sizeof(bad_rows) / sizeof(*bad_rows);
	     i++) {
		struct arena a = { 0 };
		struct ini *ini = calloc(1, sizeof(*ini));

		scratch_write("t.ini", bad_rows[i].text);
		assert_non_null(ini);
		assert_int_equal(ini_read(ini, &a, "t.ini", &s->diag),
				 -EINVAL);
		assert_string_equal(scratch_text(s), bad_rows[i].messages);
		arena_free(&a);
		free(ini);
	}
}

static int read_once(struct scratch *s, const char *path, char *flat,
		     size_t size)
{
	struct arena a = { 0 };
	struct ini *ini = calloc(1, sizeof(*ini));
	int ret;

	assert_non_null(ini);
	ret = ini_read(ini, &a, path, &s->diag);
	flatten(ini, flat, size);
	arena_free(&a);
	free(ini);
	return ret;
}

static void test_ini__include_stands_in_its_place(void **state)
{
	/*
	 * Scenario: a file in a folder includes one beside it, which goes on
	 * with the section, opens another, and does not leave it open.
	 */
	struct scratch *s = *state;
	char flat[200];

	assert_int_equal(system("mkdir -p d/e"), 0);
	scratch_write("d/t.ini", "[a]\nx = 1\ninclude = e/u.ini\nz = 3\n");
	scratch_write("d/e/u.ini", "y = 2\n[b]\nw = 4\ninclude = v.ini\n");
	scratch_write("d/e/v.ini", "v = 5\n");
	assert_int_equal(read_once(s, "d/t.ini", flat, sizeof(flat)), 0);
	assert_string_equal(flat, "[a|] x=1 y=2 z=3 [b|] w=4 v=5");
	scratch_write("d/e/v.ini", "v\n");
	assert_int_equal(read_once(s, "d/t.ini", flat, sizeof(flat)), -EINVAL);
	assert_string_equal(scratch_text(s),
		"d/e/v.ini:1:1: error: expected 'key = value' or '[section]' "
		"(included from d/e/u.ini:4, from d/t.ini:3)\n");
}

static void test_ini__depth_is_limited(void **state)
{
	/* Scenario: ten files, each includes the next. */
	struct scratch *s = *state;
	char path[16], text[64], flat[64];

	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "%d.ini", i);
		snprintf(text, sizeof(text), "include = %d.ini\n", i + 1);
		scratch_write(path, text);
	}
	assert_int_equal(read_once(s, "0.ini", flat, sizeof(flat)), -EINVAL);
	assert_non_null(strstr(scratch_text(s), "8.ini:1:11: error: cannot "
			       "include '9.ini': more than 8 files inside each "
			       "other"));
}

static void test_ini__sizes_are_limited(void **state)
{
	/* Scenario: a line, a file and a text that are too much. */
	struct scratch *s = *state;
	char *big = malloc(INI_MAX_FILE_BYTES + 2), flat[64];

	assert_non_null(big);
	memset(big, 'x', INI_MAX_FILE_BYTES + 2);
	scratch_write_bytes("t.ini", big, INI_MAX_LINE + 1);
	assert_int_equal(read_once(s, "t.ini", flat, 64), -EINVAL);
	assert_string_equal(scratch_text(s), "t.ini:1:1: error: line of 4097 "
			    "bytes; at most 4096 are allowed\n");
	memset(big, '\n', INI_MAX_FILE_BYTES + 2);
	scratch_write_bytes("t.ini", big, INI_MAX_FILE_BYTES);
	assert_int_equal(read_once(s, "t.ini", flat, 64), 0);
	scratch_write_bytes("t.ini", big, INI_MAX_FILE_BYTES + 1);
	assert_int_equal(read_once(s, "t.ini", flat, 64), -EINVAL);
	assert_string_equal(scratch_text(s), "t.ini: error: "
			    "is larger than 1048576 bytes\n");
	scratch_write_bytes("t.ini", "[a]\nx = 1\0 2\n", 13);
	assert_int_equal(read_once(s, "t.ini", flat, 64), -EINVAL);
	assert_string_equal(scratch_text(s), "t.ini:2:1: error: zero byte; "
			    "this is no text file\n");
	free(big);
}

static void test_ini__missing_file_is_an_error(void **state)
{
	/* Scenario: no such file, and a folder. */
	struct scratch *s = *state;
	char flat[64];

	assert_int_equal(read_once(s, "no.ini", flat, 64), -EINVAL);
	assert_int_equal(read_once(s, ".", flat, 64), -EINVAL);
	assert_string_equal(scratch_text(s),
		"no.ini: error: cannot be opened: No such "
		"file or directory\n"
		".: error: cannot be read: Is a directory\n");
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_ini__understands),
	CASE(test_ini__names_each_mistake),
	CASE(test_ini__include_stands_in_its_place),
	CASE(test_ini__depth_is_limited),
	CASE(test_ini__sizes_are_limited),
	CASE(test_ini__missing_file_is_an_error),
};

TEST_MAIN(cases)
