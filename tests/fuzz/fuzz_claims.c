/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prediction files and files of published values. The same bytes are read as
 * both: each refuses what is the other's, and may not trust it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/reproduce/score.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 16384

/* What names other files would not be repeatable. */
static bool leaves_input(const uint8_t *data, size_t size)
{
	return memmem(data, size, "include", 7) ||
	       memmem(data, size, "this", 4);
}

static void use_claim(const struct claim *c)
{
	CHECK(c->title && c->nr_quantities);
	for (size_t i = 0; i < c->nr_quantities; i++) {
		const struct quantity *q = &c->quantities[i];

		CHECK(*q->name && q->divide > 0 && q->nr_where <= MAX_WHERE);
		CHECK(*q->o.walk || c->experiment);
	}
	for (size_t i = 0; i < c->nr_prices; i++)
		CHECK(c->prices[i].low > 0 && c->prices[i].reason &&
		      c->prices[i].high >= c->prices[i].low);
}

static void use_published(const struct published *p)
{
	CHECK(p->source && p->calibrated);
	for (size_t i = 0; i < p->nr_rows; i++) {
		const struct published_row *r = &p->rows[i];

		CHECK(r->spread >= 0 && r->band >= 0);
		CHECK(r->has_value || r->judge == JUDGE_RANGE ||
		      r->judge == JUDGE_SHOWN);
	}
}

/* A folder whose predictions/x.ini and published/x.ini are the input. */
static void make_folder(char *dir, const char *path)
{
	static const char *const kinds[] = { "predictions", "published" };
	char name[64];

	CHECK(mkdtemp(dir));
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, kinds[i]);
		CHECK(!mkdir(name, 0777));
		snprintf(name, sizeof(name), "%s/%s/x.ini", dir, kinds[i]);
		CHECK(!symlink(path, name));
	}
}

static void remove_folder(const char *dir)
{
	static const char *const names[] = { "/predictions/x.ini",
		"/predictions", "/published/x.ini", "/published", "" };
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", dir, names[i]);
		CHECK(!remove(name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/buddylab-fuzz-XXXXXX";
	struct diag d = { 0 }, e = { 0 };
	struct published p;
	struct fuzz_file f;
	struct claim c;
	int err;

	if (size > LARGEST_INPUT || leaves_input(data, size))
		return 0;
	fuzz_file_open(&f, data, size);
	make_folder(dir, f.path);
	err = claim_read(&c, dir, "x", &d);
	CHECK(!err == !d.nr_errors || err == -ENOMEM);
	if (!err)
		use_claim(&c);
	claim_free(&c);
	err = published_read(&p, dir, "x", &e);
	CHECK(!err == !e.nr_errors || err == -ENOMEM);
	if (!err)
		use_published(&p);
	published_free(&p);
	remove_folder(dir);
	fuzz_file_close(&f);
	return 0;
}
