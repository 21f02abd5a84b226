/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: scripts made of random commands, most of them possible, some not.
 * Whatever a script says, the interpreter ends with an answer: 0 or an error
 * with its place, never a failed CHECK. `test_step_random SEED` repeats one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "include/rng.h"
#include "include/types.h"
#include "replay/step.h"
#include "tests/test.h"

#define NR_SCRIPTS 400
#define NR_LINES 300

static const char *const kernels[] = { "5.3", "5.7", "5.10", "6.1", "6.12.0",
				       "6.12", "6.18" };
static const char *const zones[] = {
	"zone Normal 0 4096\n",
	"zone DMA32 0 2048\nzone Normal 2048 4096\n",
	"pageblock_order 10\nzone Normal 100 4000\nzone Movable 4000 4100\n",
	"zone DMA 1 1100\nzone DMA32 1100 4097\n",
};

/* $p a page frame, $b a block and its order, $t a type, $n a number, ... */
static const char *const templates[] = {
	"put $b", "put $b", "free $b cpu=$c", "free $b", "free $p 0",
	"alloc $a $o cpu=$c", "alloc $a 0", "alloc $a $o", "alloc $a $o buddy",
	"alloc $a $o nofragment zone=Normal", "alloc $a $o highatomic",
	"drain", "drain cpu=$c", "isolate $b", "putback $b", "lists",
	"pcplists", "types 0 9", "state", "report order=$o capacity=$n",
	"report", "hint capacity=2", "hint batches=1", "hint", "boot $p $p",
	"deferred $p $p", "pageblock $k $t", "lru $p $p", "shuffle $n $n $n",
	"shuffle-zone Normal $n $n $n $n", "pcp $n 42", "pcp off",
	"pcp 3 $n $n", "watermark Normal 0 $n $n", "reserve Normal Movable $n",
	"grouping on", "grouping off", "events all", "events off",
	"repeat $n alloc $a $o", "repeat $n free $p 0", "nonsense",
};

static void put_block(FILE *f, struct rng *r)
{
	unsigned int order = rng_below(r, 8) ? rng_below(r, 4) :
			     rng_below(r, 11);

	fprintf(f, "%u %u", rng_below(r, 4100) >> order << order, order);
}

static void put_value(FILE *f, struct rng *r, char kind)
{
	switch (kind) {
	case 'p':
		fprintf(f, "%u", rng_below(r, 4100));
		break;
	case 'b':
		put_block(f, r);
		break;
	case 'a':
		fputc("UMR"[rng_below(r, 3)], f);
		break;
	case 't':
		fputc("UMRHCI"[rng_below(r, 6)], f);
		break;
	case 'o':
		fprintf(f, "%u", rng_below(r, 11));
		break;
	case 'c':
		fprintf(f, "%u", rng_below(r, 2));
		break;
	case 'k':
		fprintf(f, "%u", rng_below(r, 8));
		break;
	default:
		fprintf(f, "%u", rng_below(r, 60));
	}
}

static void put_line(FILE *f, struct rng *r)
{
	const char *t = templates[rng_below(r, ARRAY_SIZE(templates))];

	for (; *t; t++) {
		if (*t == '$')
			put_value(f, r, *++t);
		else
			fputc(*t, f);
	}
	fputc('\n', f);
}

/*
 * A run ends at the first impossible operation, so scripts are cut down line
 * by line: what failed is left out, and the rest runs further.
 */
struct script {
	char *lines[NR_LINES];
	bool left_out[NR_LINES];
	char head[200];
};

static void make_script(struct script *s, struct rng *r)
{
	int i;

	snprintf(s->head, sizeof(s->head), "kernel %s\n%scpus 2\n",
		 kernels[rng_below(r, ARRAY_SIZE(kernels))],
		 zones[rng_below(r, ARRAY_SIZE(zones))]);
	for (i = 0; i < NR_LINES; i++) {
		size_t size;
		FILE *f = open_memstream(&s->lines[i], &size);

		assert_non_null(f);
		put_line(f, r);
		fclose(f);
		s->left_out[i] = false;
	}
}

static char *join(const struct script *s, size_t *size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, size);
	int i;

	assert_non_null(f);
	fputs(s->head, f);
	for (i = 0; i < NR_LINES; i++)
		fputs(s->left_out[i] ? "\n" : s->lines[i], f);
	fclose(f);
	return text;
}

/* Line number in `s:LINE:COLUMN: error`, 0 if it has none. */
static unsigned int line_of(const char *message)
{
	unsigned int line = 0;

	return sscanf(message, "s:%u:", &line) == 1 ? line : 0;
}

/* Leave out every line that messages name; false if they name none. */
static bool leave_out(struct script *s, char *messages)
{
	unsigned int head = 0;
	bool any = false;
	char *line, *save;
	size_t i;

	for (i = 0; s->head[i]; i++)
		head += s->head[i] == '\n';
	for (line = strtok_r(messages, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned int n = line_of(line);

		if (n > head && n <= head + NR_LINES) {
			s->left_out[n - head - 1] = true;
			any = true;
		}
	}
	return any;
}

static int run_once(const struct script *s, FILE *out, char **messages)
{
	size_t size, msg_size;
	char *text = join(s, &size);
	FILE *in = fmemopen(text, size, "r");
	struct diag d = { .max_errors = NR_LINES };
	int err;

	d.out = open_memstream(messages, &msg_size);
	assert_non_null(in);
	assert_non_null(d.out);
	err = step_run(in, "s", out, &d);
	fclose(in);
	fclose(d.out);
	free(text);
	return err;
}

static void run_seed(uint64_t seed, FILE *out)
{
	char context[80], *messages;
	struct script s;
	struct rng r;
	int i, err, rounds;

	snprintf(context, sizeof(context), "test_step_random %" PRIu64, seed);
	check_set_context(context);
	rng_init(&r, seed, "script", 0);
	make_script(&s, &r);
	for (rounds = 0; rounds < NR_LINES; rounds++) {
		err = run_once(&s, out, &messages);
		if (err && (err != -EINVAL || !leave_out(&s, messages)))
			fail_msg("%s: error %d: %s", context, err, messages);
		free(messages);
		if (!err)
			break;
	}
	assert_int_equal(err, 0);
	for (i = 0; i < NR_LINES; i++)
		free(s.lines[i]);
	check_set_context(NULL);
}

static void test_step__no_script_breaks_the_allocator(void **state)
{
	/* Each script is run until nothing impossible is left in it. */
	const uint64_t *only = *state;
	FILE *out = fopen("/dev/null", "w");
	uint64_t seed;

	assert_non_null(out);
	if (*only)
		run_seed(*only, out);
	for (seed = 1; !*only && seed <= NR_SCRIPTS; seed++)
		run_seed(seed, out);
	fclose(out);
}

int main(int argc, char **argv)
{
	static uint64_t seed;
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_prestate(
			test_step__no_script_breaks_the_allocator, &seed),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
