/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reader of recorded /proc/buddyinfo and /proc/pagetypeinfo, as
 * frag_show_print and pagetypeinfo_showfree_print (5.3 to 6.18) print them.
 * zoneinfo is in procstats_zone.c.
 *
 * Left out: the third part of pagetypeinfo, which needs page_owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/line_reader.h"
#include "trace/procstats_internal.h"

/* Skip blanks, then the word if it is there. */
static bool skip_word(const char **at, const char *word)
{
	const char *p = *at + strspn(*at, " ");
	const size_t len = strlen(word);

	if (strncmp(p, word, len) != 0)
		return false;
	*at = p + len;
	return true;
}

bool proc_number(const char **at, uint64_t *out)
{
	const char *p = *at + strspn(*at, " \t>");
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	*at = p;
	*out = value;
	return true;
}

bool proc_name(const char **at, char out[16])
{
	const char *p = *at + strspn(*at, " ");
	const size_t len = strcspn(p, " ,\n");

	if (!len || len > 15)
		return false;
	memcpy(out, p, len);
	out[len] = '\0';
	*at = p + len;
	return true;
}

/* "Node 0, zone DMA", what all lines of all three files begin with. */
bool proc_zone_line(const char **at, unsigned int *node, char zone[16])
{
	uint64_t n;

	if (!skip_word(at, "Node") || !proc_number(at, &n) || n > UINT16_MAX ||
	    !skip_word(at, ",") || !skip_word(at, "zone") ||
	    !proc_name(at, zone))
		return false;
	*node = (unsigned int)n;
	return true;
}

static bool parse_row(const char *text, enum proc_table table,
		      struct proc_row *row)
{
	const char *at = text;
	unsigned int node;

	*row = (struct proc_row){ .table = (uint8_t)table };
	if (!proc_zone_line(&at, &node, row->zone))
		return false;
	row->node = (uint16_t)node;
	if (table == PROC_TYPES &&
	    (!skip_word(&at, ",") || !skip_word(&at, "type") ||
	     !proc_name(&at, row->type)))
		return false;
	while (row->nr < PROC_MAX_COLUMNS &&
	       proc_number(&at, &row->values[row->nr]))
		row->nr++;
	at += strspn(at, " \t\r\n");
	return row->nr && !*at;
}

static int add_row(struct procstats *p, const struct proc_row *row)
{
	if (p->nr_rows == p->room) {
		const uint32_t room = p->room ? 2 * p->room : 64;
		struct proc_row *rows = realloc(p->rows,
						room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		p->rows = rows;
		p->room = room;
	}
	p->rows[p->nr_rows++] = *row;
	return 0;
}

/* Titles of pagetypeinfo say which table follows; *table = -1: none. */
static bool is_title(struct procstats *p, const char *text, int *table)
{
	const char *at = text;
	uint64_t order;

	if (skip_word(&at, "Page block order:")) {
		if (proc_number(&at, &order) && order < NR_PAGE_ORDERS)
			p->pageblock_order = (unsigned int)order;
		return true;
	}
	if (skip_word(&at, "Pages per block:"))
		return true;
	if (skip_word(&at, "Free pages count per migrate type")) {
		*table = PROC_TYPES;
		return true;
	}
	if (skip_word(&at, "Number of blocks type")) {
		*table = PROC_BLOCKS;
		return true;
	}
	if (skip_word(&at, "Number of mixed blocks")) {
		*table = -1;
		return true;
	}
	return !text[strspn(text, " \t\r\n")];
}

int proc_table_line(struct procstats *p, int *table, const char *text,
		    unsigned int line)
{
	struct proc_row row;

	if (is_title(p, text, table) || *table < 0)
		return 0;
	if (!parse_row(text, (enum proc_table)*table, &row))
		return -EINVAL;
	row.line = line;
	return add_row(p, &row);
}

int procstats_add_text(struct procstats *p, enum proc_table first,
		       const char *text)
{
	int table = (int)first, err = 0;
	unsigned int line = 0;
	char buf[512];

	while (*text && !err) {
		const size_t len = strcspn(text, "\n");
		const size_t kept = len < sizeof(buf) ? len : sizeof(buf) - 1;

		memcpy(buf, text, kept);
		buf[kept] = '\0';
		err = proc_table_line(p, &table, buf, ++line);
		text += len + (text[len] == '\n');
	}
	return err;
}

const struct proc_row *procstats_find(const struct procstats *p,
				      const struct proc_row *like)
{
	for (uint32_t i = 0; i < p->nr_rows; i++) {
		const struct proc_row *row = &p->rows[i];

		if (row->table == like->table && row->node == like->node &&
		    !strcmp(row->zone, like->zone) &&
		    !strcmp(row->type, like->type))
			return row;
	}
	return NULL;
}

void procstats_free(struct procstats *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < p->nr_zones; i++)
		free(p->zones[i].pagesets);
	free(p->rows);
	free(p);
}

/* What the lines of the section that begins here are. */
enum section { SECTION_NONE, SECTION_TABLE, SECTION_ZONEINFO };

struct parse {
	struct procstats *p;
	const char *path, *when;
	struct diag *d;
	enum section section;
	int table;
	bool in_zone;
};

static void begin_section(struct parse *s, const char *text)
{
	char when[16], name[16];
	const char *at = text + 3;

	s->section = SECTION_NONE;
	s->in_zone = false;
	if (!proc_name(&at, when) || strcmp(when, s->when) != 0 ||
	    !proc_name(&at, name))
		return;
	s->p->found = true;
	if (!strcmp(name, "buddyinfo") || !strcmp(name, "pagetypeinfo")) {
		s->section = SECTION_TABLE;
		s->table = name[0] == 'b' ? PROC_BUDDYINFO : -1;
	} else if (!strcmp(name, "zoneinfo")) {
		s->section = SECTION_ZONEINFO;
	}
}

static int parse_line(struct parse *s, const struct line *line)
{
	int err = 0;

	if (!strncmp(line->text, "@@@", 3))
		begin_section(s, line->text);
	else if (s->section == SECTION_TABLE)
		err = proc_table_line(s->p, &s->table, line->text,
				      line->number);
	else if (s->section == SECTION_ZONEINFO)
		err = proc_zoneinfo_line(s->p, &s->in_zone, line->text);
	if (err == -EINVAL)
		diag_error(s->d,
			   (struct diag_place){ .file = s->path,
						.line = line->number,
						.column = 1 },
			   "not a line of a /proc file of the page allocator");
	else if (err)
		diag_error(s->d, (struct diag_place){ 0 }, "out of memory");
	return err;
}

static int read_lines(struct parse *s, struct line_reader *r)
{
	struct line line;
	int ret, bad = 0;

	while ((ret = line_reader_next(r, &line)) == 1) {
		const int err = parse_line(s, &line);

		if (err == -ENOMEM)
			return err;
		bad |= err;
	}
	return ret < 0 ? ret : bad ? -EINVAL : 0;
}

int procstats_read(struct procstats **out, const char *path, const char *when,
		   struct diag *d)
{
	struct parse s = { .path = path, .when = when, .d = d };
	struct line_reader *r;
	struct procstats *p;
	int err = line_reader_open(&r, path, d);

	*out = NULL;
	if (err)
		return err;
	s.p = p = calloc(1, sizeof(*p));
	err = p ? read_lines(&s, r) : -ENOMEM;
	line_reader_close(r);
	if (p)
		proc_zoneinfo_end(p);
	if (!err && !p->found) {
		diag_error(d, (struct diag_place){ .file = path },
			   "holds no line \"@@@ %s NAME\"", when);
		err = -EINVAL;
	}
	if (err) {
		procstats_free(p);
		return err;
	}
	*out = p;
	return 0;
}
