/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reporter on a small guest; see rig.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/reporter/rig.h"
#include "tests/test.h"

#define MAX_PASSES 100000

static void set_option(const struct option_table *t, char *word, void *base)
{
	char *value = strchr(word, '=');
	const struct option_desc *o;
	char why[256];

	assert_non_null(value);
	*value++ = '\0';
	o = option_find(t, word);
	if (!o)
		fail_msg("no option %s", word);
	if (option_parse(o, value, base, why, sizeof(why)))
		fail_msg("%s: %s", word, why);
}

void *rig_options(const struct reporter_ops *ops, const char *words)
{
	void *base = calloc(1, ops->options.size + 1);
	char *copy = strdup(words), *save = NULL;

	assert_non_null(base);
	assert_non_null(copy);
	option_defaults(&ops->options, base);
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		set_option(&ops->options, word, base);
	free(copy);
	return base;
}

__attribute__((format(printf, 2, 3)))
static void append(struct rig *rig, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(rig->text + rig->used, RIG_TEXT_SIZE - rig->used, fmt,
		      ap);
	va_end(ap);
	assert_true(n >= 0);
	/* Long runs are judged by their counters, not by this text. */
	if (rig->used + (size_t)n < RIG_TEXT_SIZE)
		rig->used += (size_t)n;
}

static void keep_report(void *ctx, const struct page_report *entries,
			unsigned int nr)
{
	struct rig *rig = ctx;

	append(rig, "%s{", rig->used ? " " : "");
	for (unsigned int i = 0; i < nr; i++)
		append(rig, "%s%u", i ? "," : "", entries[i].pfn);
	append(rig, "}");
}

struct rig *rig_start(struct alloc *a, const struct reporter_ops *ops,
		      const char *options, const struct sync_env_config *cfg)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct sync_env_config c = { 0 };
	char why[256] = "no reason given";

	assert_non_null(rig);
	if (cfg)
		c = *cfg;
	rig->a = a;
	rig->options = rig_options(ops, options);
	c.ops = ops;
	c.options = rig->options;
	if (!c.watch.report) {
		c.watch.ctx = rig;
		c.watch.report = keep_report;
	}
	if (sync_env_init(&rig->env, a, &c, why, sizeof(why)))
		fail_msg("%s: %s", ops->name, why);
	sync_env_hooks(&rig->env, &rig->hooks);
	alloc_set_hooks(a, &rig->hooks);
	sync_env_start(&rig->env);
	rig_assert_valid(rig);
	return rig;
}

void rig_stop(struct rig *rig)
{
	sync_env_stop(&rig->env);
	rig_assert_valid(rig);
	ASSERT_U64("stopped", rig->env.out_pages, 0);
	assert_true(rig->env.reporter.ops->idle(&rig->env.reporter));
	alloc_set_hooks(rig->a, NULL);
	sync_env_destroy(&rig->env);
	free(rig->options);
	free(rig);
}

unsigned int rig_run(struct rig *rig)
{
	unsigned int passes = 0;

	for (; sync_env_run_pass(&rig->env); passes++) {
		rig_assert_valid(rig);
		assert_true(passes < MAX_PASSES);
	}
	return passes;
}

void rig_assert_valid(const struct rig *rig)
{
	const char *broken = sync_env_check(&rig->env);

	if (!broken)
		broken = alloc_check(rig->a);
	if (broken)
		fail_msg("%s: %s", rig->env.reporter.ops->name, broken);
}

void rig_assert_reports(const char *row, struct rig *rig, const char *expected)
{
	if (strcmp(rig->text, expected) != 0)
		fail_msg("%s: reports are\n\t%s\nexpected\n\t%s", row,
			 rig->text, expected);
	rig->used = 0;
	rig->text[0] = '\0';
}

const struct reporter_counters *rig_counters(const struct rig *rig)
{
	return &rig->env.reporter.counters;
}
