/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a topology is written as in results, which has to be the same on every
 * machine and hold all that shapes a guest: the node of each CPU, distances,
 * last-level caches. A regular machine of which no more is known keeps hwloc's
 * one line; any other is told in lists, whose items are
 *
 *     7        one
 *     7*4      four times 7
 *     0..3*4   each of 0, 1, 2, 3 four times
 *
 * and whose numbers may end in K or M (binary).
 */
#include "sim/topology_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_VALUES ALLOC_MAX_CPUS

struct list {
	unsigned int nr;
	uint32_t values[MAX_VALUES];
};

/* ---- reading ---- */

enum word { NODES, CORES, CPUS, DISTANCES, CACHES, CPU_CACHES, NR_WORDS };

static const char *const words[NR_WORDS] = {
	"nodes:", "cores:", "cpus:", "distances:", "caches:", "cpu_caches:",
};

static int find_word(const char *at)
{
	for (int i = 0; i < NR_WORDS; i++)
		if (!strncmp(at, words[i], strlen(words[i])))
			return i;
	return -1;
}

size_t topology_text_head(const char *text)
{
	const char *at = text;
	size_t end = 0;

	for (;;) {
		at += strspn(at, " ");
		if (!*at || find_word(at) >= 0)
			return end;
		at += strcspn(at, " ");
		end = (size_t)(at - text);
	}
}

static bool take_number(const char **at, uint32_t *out)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		n = n * 10 + (uint64_t)(**at - '0');
		if (n > UINT32_MAX)
			return false;
	}
	if (**at == 'K' || **at == 'M') {
		n <<= **at == 'K' ? 10 : 20;
		(*at)++;
	}
	*out = (uint32_t)n;
	return n <= UINT32_MAX;
}

/* One item of a list; false if it is none or does not fit. */
static bool take_item(const char **at, struct list *l)
{
	uint32_t first, last, times = 1;

	if (!take_number(at, &first))
		return false;
	last = first;
	if (!strncmp(*at, "..", 2)) {
		*at += 2;
		if (!take_number(at, &last) || last < first)
			return false;
	}
	if (**at == '*') {
		++*at;
		if (!take_number(at, &times) || !times)
			return false;
	}
	if (last - first >= MAX_VALUES || times > MAX_VALUES ||
	    (last - first + 1) * times > MAX_VALUES - l->nr)
		return false;
	for (uint32_t i = 0; i < (last - first + 1) * times; i++)
		l->values[l->nr++] = first + i / times;
	return true;
}

static bool take_list(const char **at, struct list *l)
{
	l->nr = 0;
	while (take_item(at, l)) {
		if (!**at || **at == ' ')
			return true;
		if (*(*at)++ != ',')
			return false;
	}
	return false;
}

static bool all_below(const struct list *l, uint32_t limit)
{
	for (unsigned int i = 0; i < l->nr; i++)
		if (l->values[i] >= limit)
			return false;
	return true;
}

static void set_distance(struct topology *t, unsigned int from,
			 unsigned int to, uint32_t value)
{
	t->distance[from * t->nr_nodes + to] = (uint8_t)value;
}

/*
 * One for all, or one for each pair, or the matrix. As in numa_set_distance
 * and slit_valid, only a node itself is at distance 10.
 */
static const char *set_distances(struct topology *t, const struct list *l)
{
	const unsigned int n = t->nr_nodes, pairs = n * (n - 1) / 2;
	const uint32_t *v = l->values;

	if (l->nr != 1 && l->nr != pairs && l->nr != n * n)
		return "distances: has to name one number, one of each pair "
		       "of nodes, or all";
	t->has_distances = true;
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = i; j < n; j++) {
			const bool full = l->nr == n * n && n > 1;
			uint32_t a = TOPOLOGY_LOCAL_DISTANCE, b;

			if (full)
				a = l->values[i * n + j];
			else if (i != j)
				a = l->nr == 1 ? *v : *v++;
			b = full ? l->values[j * n + i] : a;
			if (a > 254 || b > 254 ||
			    (i == j) != (a == TOPOLOGY_LOCAL_DISTANCE) ||
			    (i != j && (a < 10 || b <= 10)))
				return "distances: are 10 from a node to "
				       "itself and 11 to 254 to others";
			set_distance(t, i, j, a);
			set_distance(t, j, i, b);
		}
	}
	return NULL;
}

static const char *set_cpus(struct topology *t, const struct list *l)
{
	if (!all_below(l, t->nr_nodes))
		return "cpus: names a node that nodes: does not have";
	t->nr_cpus = l->nr;
	for (unsigned int i = 0; i < l->nr; i++)
		t->cpu_node[i] = (uint8_t)l->values[i];
	return NULL;
}

static const char *set_caches(struct topology *t, const struct list *l)
{
	t->nr_caches = l->nr;
	memcpy(t->cache_size, l->values, l->nr * sizeof(*l->values));
	return NULL;
}

/* A number past the last one is a CPU without. */
static const char *set_cpu_caches(struct topology *t, const struct list *l)
{
	if (!t->nr_caches || l->nr != t->nr_cpus ||
	    !all_below(l, t->nr_caches + 1))
		return "cpu_caches: has to name a cache of caches: for every "
		       "CPU";
	for (unsigned int i = 0; i < l->nr; i++)
		t->cpu_cache[i] = l->values[i] < t->nr_caches ?
				  (uint16_t)l->values[i] : TOPOLOGY_NO_CACHE;
	return NULL;
}

static const char *set_word(struct topology *t, int word, const struct list *l)
{
	switch (word) {
	case NODES:
		t->nr_nodes = l->values[0];
		return l->nr == 1 && t->nr_nodes &&
		       t->nr_nodes <= ALLOC_MAX_NODES ? NULL :
		       "nodes: has to be 1 to 16";
	case CORES:
		t->nr_cores = l->values[0];
		return l->nr == 1 ? NULL : "cores: has to be one number";
	case CPUS:
		return set_cpus(t, l);
	case DISTANCES:
		return set_distances(t, l);
	case CACHES:
		return set_caches(t, l);
	default:
		return set_cpu_caches(t, l);
	}
}

/* What a word needs to stand before it. */
static const char *order_error(int word, unsigned int seen, bool own_head)
{
	if (word < 0)
		return "words are nodes: cores: cpus: distances: caches: "
		       "cpu_caches:, and come after what hwloc reads";
	if (seen >> word)
		return "words come once, in the order nodes: cores: cpus: "
		       "distances: caches: cpu_caches:";
	if (word <= CPUS && !own_head)
		return "nodes:, cores: and cpus: stand instead of another "
		       "description, not beside it";
	if (own_head && word > CPUS && !(seen >> CPUS & 1))
		return "nodes: and cpus: are missing";
	if (own_head && word > NODES && !(seen & 1))
		return "nodes: is missing";
	return NULL;
}

int topology_text_parse(struct topology *t, const char *text, char *why,
			size_t why_size)
{
	const bool own_head = !t->nr_cpus;
	const char *reason = NULL, *at = text;
	unsigned int seen = 0;
	struct list l;

	for (at += strspn(at, " "); *at && !reason; at += strspn(at, " ")) {
		const int word = find_word(at);

		reason = order_error(word, seen, own_head);
		if (reason)
			break;
		seen |= 1u << word;
		at += strlen(words[word]);
		reason = take_list(&at, &l) ? set_word(t, word, &l) :
			 "a list is numbers as 7, 7*4, 0..3 or 0..3*4, "
			 "with commas between";
	}
	if (!reason && !t->nr_cpus)
		reason = "cpus: is missing";
	if (!reason && (seen >> CACHES & 1) != (seen >> CPU_CACHES & 1))
		reason = "caches: and cpu_caches: need each other";
	if (!reason && own_head && !(seen >> CORES & 1))
		t->nr_cores = t->nr_cpus;
	if (!reason)
		return 0;
	snprintf(why, why_size, "%s", reason);
	return -EINVAL;
}

/* ---- writing ---- */

struct out {
	char *begin, *at;
	size_t left;
	bool full;
};

static void put(struct out *o, const char *text)
{
	const size_t len = strlen(text);

	if (o->full || len >= o->left) {
		o->full = true;
		return;
	}
	memcpy(o->at, text, len + 1);
	o->at += len;
	o->left -= len;
}

static void put_number(struct out *o, uint32_t n)
{
	char text[16];

	if (n && !(n & ((1u << 20) - 1)))
		snprintf(text, sizeof(text), "%uM", n >> 20);
	else if (n && !(n & 1023))
		snprintf(text, sizeof(text), "%uK", n >> 10);
	else
		snprintf(text, sizeof(text), "%u", n);
	put(o, text);
}

static unsigned int run_length(const struct list *l, unsigned int from)
{
	unsigned int n = 1;

	while (from + n < l->nr && l->values[from + n] == l->values[from])
		n++;
	return n;
}

static void put_list(struct out *o, int word, const struct list *l)
{
	unsigned int i = 0;

	if (o->at != o->begin)
		put(o, " ");
	put(o, words[word]);
	while (i < l->nr) {
		const unsigned int times = run_length(l, i);
		const uint32_t first = l->values[i];
		uint32_t last = first;
		char text[16];

		for (i += times; i < l->nr && l->values[i] == last + 1 &&
		     run_length(l, i) == times; i += times)
			last++;
		put_number(o, first);
		if (last != first) {
			put(o, "..");
			put_number(o, last);
		}
		if (times > 1) {
			snprintf(text, sizeof(text), "*%u", times);
			put(o, text);
		}
		if (i < l->nr)
			put(o, ",");
	}
}

static void put_one(struct out *o, int word, uint32_t value)
{
	const struct list l = { .nr = 1, .values = { value } };

	put_list(o, word, &l);
}

static bool is_symmetric(const struct topology *t)
{
	const unsigned int n = t->nr_nodes;

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			if (t->distance[i * n + j] != t->distance[j * n + i])
				return false;
	return true;
}

static bool all_equal(const struct list *l)
{
	return run_length(l, 0) == l->nr;
}

static void put_distances(struct out *o, const struct topology *t)
{
	const unsigned int n = t->nr_nodes;
	const bool half = is_symmetric(t);
	struct list l = { .nr = 0 };

	if (n < 2 || !t->has_distances)
		return;
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = half ? i + 1 : 0; j < n; j++)
			l.values[l.nr++] = t->distance[i * n + j];
	if (half && all_equal(&l))
		l.nr = 1;
	/* The defaults are no news. */
	if (l.nr > 1 || l.values[0] != TOPOLOGY_REMOTE_DISTANCE)
		put_list(o, DISTANCES, &l);
}

static void put_caches(struct out *o, const struct topology *t)
{
	struct list l = { .nr = t->nr_caches };

	if (!t->nr_caches)
		return;
	memcpy(l.values, t->cache_size, l.nr * sizeof(*l.values));
	put_list(o, CACHES, &l);
	l.nr = t->nr_cpus;
	for (unsigned int i = 0; i < t->nr_cpus; i++)
		l.values[i] = t->cpu_cache[i] != TOPOLOGY_NO_CACHE ?
			      t->cpu_cache[i] : t->nr_caches;
	put_list(o, CPU_CACHES, &l);
}

int topology_text_print(const struct topology *t, const char *head, char *out,
			size_t out_size)
{
	struct out o = { .begin = out, .at = out, .left = out_size };
	struct list l = { .nr = t->nr_cpus };

	if (head) {
		put(&o, head);
	} else {
		put_one(&o, NODES, t->nr_nodes);
		put_one(&o, CORES, t->nr_cores);
		for (unsigned int i = 0; i < t->nr_cpus; i++)
			l.values[i] = t->cpu_node[i];
		put_list(&o, CPUS, &l);
	}
	put_distances(&o, t);
	put_caches(&o, t);
	return o.full ? -ENOSPC : 0;
}
