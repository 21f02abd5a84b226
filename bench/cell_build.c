/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one choice of settings to the structs that sim/ is called with. Names
 * of files are resolved here, their contents are digested, the price list is
 * read and the topology is looked up: a cell that was built needs nothing of
 * the experiment file any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/experiment.h"
#include "include/check.h"
#include "include/input.h"

enum cache_kind { CACHE_DIGEST, CACHE_TOPOLOGY, CACHE_PRICES };

/* What was found out once about a name; most cells share all of it. */
struct build_cache {
	enum cache_kind kind;
	const char *name;
	char text[OPTION_STRING_SIZE];
	unsigned int cpus;
	struct price_list *prices;
	struct build_cache *next;
};

static struct build_cache *cache_find(const struct cell_build *b,
				      enum cache_kind kind, const char *name)
{
	struct build_cache *c;

	for (c = *b->cache; c; c = c->next)
		if (c->kind == kind && !strcmp(c->name, name))
			return c;
	return NULL;
}

static struct build_cache *cache_add(const struct cell_build *b,
				     enum cache_kind kind, const char *name)
{
	struct build_cache *c = arena_alloc(&b->e->arena, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = kind;
	c->name = arena_strdup(&b->e->arena, name);
	if (!c->name)
		return NULL;
	c->next = *b->cache;
	*b->cache = c;
	return c;
}

/* XXH3-128 of a file's bytes; -errno. */
static int digest_file(const char *path, uint64_t most,
		       char out[DIGEST_HEX_SIZE])
{
	int fd = input_open(path, most), err = 0;
	struct stat st;
	void *data;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		err = -errno;
	if (!err && !st.st_size)
		digest_bytes_hex("", 0, out);
	if (!err && st.st_size) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			    fd, 0);
		if (data == MAP_FAILED) {
			err = -errno;
		} else {
			digest_bytes_hex(data, (size_t)st.st_size, out);
			munmap(data, (size_t)st.st_size);
		}
	}
	close(fd);
	return err;
}

static int path_error(const struct cell_build *b, struct setting *s,
		      const char *path, int err)
{
	setting_item_error(s, &b->e->ini, b->d, 0, "%s: cannot read '%s': %s",
			   s->key, path, input_error(-err));
	/* A trace is input of the run, as is memory; the rest is the experiment. */
	return s->kind == SECTION_PHASE || err == -ENOMEM ? -EIO : -EINVAL;
}

static int load_prices(const struct cell_build *b, const char *path,
		       const struct price_list **out)
{
	struct build_cache *c = cache_find(b, CACHE_PRICES, path);
	int err = 0;

	if (!c) {
		c = cache_add(b, CACHE_PRICES, path);
		if (!c)
			return -ENOMEM;
		c->prices = arena_alloc(&b->e->arena, sizeof(*c->prices));
		if (!c->prices)
			return -ENOMEM;
		price_list_default(c->prices);
		if (path[0])
			err = price_list_read(c->prices, path, b->d);
	}
	*out = c->prices;
	return err ? -EINVAL : 0;
}

/* Put the resolved name into the options and remember what was written. */
static int set_path(const struct cell_build *b, struct cell_body *body,
		    struct setting *s, char *member)
{
	struct cell_path *p = &body->paths[body->nr_paths];
	struct build_cache *c;
	const char *path;
	int err;

	if (!member[0])
		return 0;
	path = path_from(&b->e->arena, s->dir, member);
	if (!path)
		return -ENOMEM;
	if (strlen(path) >= OPTION_STRING_SIZE)
		return path_error(b, s, path, -ENAMETOOLONG);
	CHECK_LT(body->nr_paths, CELL_MAX_PATHS);
	c = cache_find(b, CACHE_DIGEST, path);
	if (!c) {
		c = cache_add(b, CACHE_DIGEST, path);
		if (!c)
			return -ENOMEM;
		err = digest_file(path, s->kind == SECTION_PHASE ? 0 :
				  PRICE_FILE_MAX, c->text);
		if (err)
			return path_error(b, s, path, err);
	}
	p->at = member;
	p->written = arena_strdup(&b->e->arena, member);
	memcpy(p->digest, c->text, sizeof(p->digest));
	memset(member, 0, OPTION_STRING_SIZE);
	memcpy(member, path, strlen(path));
	body->nr_paths++;
	return p->written ? 0 : -ENOMEM;
}

/* `file:x.xml` is relative to where it is written. */
static int topology_text(const struct cell_build *b, const struct setting *s,
			 const char *text, const char **out)
{
	*out = text;
	if (s && !strncmp(text, "file:", 5)) {
		const char *path = path_from(&b->e->arena, s->dir, text + 5);

		*out = path ? arena_printf(&b->e->arena, "file:%s", path) :
			      NULL;
	}
	return *out ? 0 : -ENOMEM;
}

static struct setting *find_guest_key(const struct cell_build *b,
				      const char *key)
{
	unsigned int i;

	for (i = 0; i < b->v->nr_merged; i++)
		if (b->v->merged[i]->kind == SECTION_GUEST &&
		    !strcmp(b->v->merged[i]->key, key))
			return b->v->merged[i];
	return NULL;
}

/* cpus = 0 takes all; results and ids show how many that are. */
static int set_cpus(const struct cell_build *b, struct cell_body *body,
		    uint64_t nr, struct setting *s)
{
	if (!body->guest.cpus)
		body->guest.cpus = nr;
	if (body->guest.cpus <= nr && nr <= ALLOC_MAX_CPUS)
		return 0;
	if (!s)
		s = find_guest_key(b, "cpus");
	setting_item_error(s, &b->e->ini, b->d, 0, "topology '%s' has %llu "
			   "processing units, but cpus = %llu; at most %d are "
			   "possible", body->guest.topology,
			   (unsigned long long)nr,
			   (unsigned long long)body->guest.cpus,
			   ALLOC_MAX_CPUS);
	return -EINVAL;
}

static int set_topology(const struct cell_build *b, struct cell_body *body,
			struct setting *s)
{
	struct build_cache *c;
	const char *text;
	char why[400];
	int err = topology_text(b, s, body->guest.topology, &text);

	if (err)
		return err;
	c = cache_find(b, CACHE_TOPOLOGY, text);
	if (!c) {
		c = cache_add(b, CACHE_TOPOLOGY, text);
		if (!c)
			return -ENOMEM;
		err = sim_topology_resolve(text, c->text, sizeof(c->text), why,
					   sizeof(why));
		if (err == -ENOMEM)
			return err;
		/* The default of the table is one that resolves. */
		CHECK_MSG(!err || s, "default topology: %s", why);
		if (err) {
			setting_item_error(s, &b->e->ini, b->d, 0,
					   "topology: %s", why);
			return -EINVAL;
		}
		c->cpus = sim_topology_cpus(c->text);
		/* What was resolved has one, if there is memory to look. */
		if (!c->cpus)
			return -ENOMEM;
	}
	memcpy(body->guest.topology, c->text, sizeof(c->text));
	return set_cpus(b, body, c->cpus, s);
}

static const char *chosen_text(const struct cell_build *b, unsigned int i)
{
	return b->v->merged[i]->items[b->choice[i]].text;
}

/* The struct that holds the chooser of a section. */
static void *head_of(struct cell_body *body, const struct setting *s)
{
	switch (s->kind) {
	case SECTION_EXPERIMENT:
		return &body->experiment;
	case SECTION_HOST:
		return &body->host_choice;
	case SECTION_REPORTER:
		return &body->reporter_choice;
	case SECTION_PHASE:
		return &body->workloads[s->phase];
	case SECTION_EVENT:
		return &body->event_phases[s->phase];
	case SECTION_INJECT:
		return &body->inject_phases[s->phase];
	default:
		return NULL;
	}
}

static void *common_of(struct cell_body *body, const struct setting *s)
{
	switch (s->kind) {
	case SECTION_GUEST:
		return &body->guest;
	case SECTION_HOST:
		return &body->host;
	case SECTION_PHASE:
		return &body->phases[s->phase].opt;
	case SECTION_EVENT:
		return &body->events[s->phase].opt;
	case SECTION_INJECT:
		return &body->injects[s->phase].opt;
	default:
		return NULL;
	}
}

static void *family_of(struct cell_body *body, const struct setting *s,
		       unsigned int *member)
{
	switch (s->kind) {
	case SECTION_HOST:
		*member = body->host_choice.member;
		return body->hypervisor_options;
	case SECTION_REPORTER:
		*member = body->reporter_choice.member;
		return body->reporter_options;
	case SECTION_PHASE:
		*member = body->workloads[s->phase].member;
		return (void *)(uintptr_t)
			body->phases[s->phase].workload_options;
	default:
		return NULL;
	}
}

static void parse_checked(const struct option_desc *o, const char *text,
			  void *base)
{
	char why[400];

	/* experiment_check() has parsed it before. */
	CHECK_MSG(!option_parse(o, text, base, why, sizeof(why)), "%s", why);
}

/* Keys of the tables of bench/: members are known after this. */
static void apply_heads(const struct cell_build *b, struct cell_body *body)
{
	unsigned int i;

	for (i = 0; i < b->v->nr_merged; i++) {
		const struct setting *s = b->v->merged[i];
		const struct option_desc *o =
			option_find(&b->e->schema.head[s->kind], s->key);

		if (o && strcmp(s->key, "seeds") != 0)
			parse_checked(o, chosen_text(b, i), head_of(body, s));
	}
}

/* Common and member keys; those of members that are not chosen are skipped. */
static int apply_rest(const struct cell_build *b, struct cell_body *body)
{
	const struct schema *schema = &b->e->schema;
	unsigned int i, member = 0;
	int err = 0, path_err;

	for (i = 0; i < b->v->nr_merged; i++) {
		struct setting *s = b->v->merged[i];
		const struct option_desc *o =
			option_find(&schema->common[s->kind], s->key);
		void *base = common_of(body, s);

		if (!o && !option_find(&schema->head[s->kind], s->key)) {
			base = family_of(body, s, &member);
			o = base ? option_find(schema_member(schema, s->kind,
							     member),
					       s->key) : NULL;
		}
		if (!o)
			continue;
		parse_checked(o, chosen_text(b, i), base);
		if (!option_is_path(o))
			continue;
		/* All files that are missing are named, not the first. */
		path_err = set_path(b, body, s, (char *)base + o->offset);
		err = err ? err : path_err;
	}
	return err;
}

static void *new_options(const struct cell_build *b,
			 const struct option_table *t)
{
	void *options = arena_alloc(&b->e->arena, t->size ? t->size : 1);

	if (options)
		option_defaults(t, options);
	return options;
}

static int init_body(const struct cell_build *b, struct cell_body *body)
{
	const struct schema *s = &b->e->schema;
	unsigned int i;

	body->nr_phases = b->e->nr_phases;
	body->phases = arena_array(&b->e->arena, body->nr_phases,
				   sizeof(*body->phases));
	body->workloads = arena_array(&b->e->arena, body->nr_phases,
				      sizeof(*body->workloads));
	if (!body->phases || !body->workloads)
		return -ENOMEM;
	option_defaults(&s->head[SECTION_EXPERIMENT], &body->experiment);
	option_defaults(&s->head[SECTION_HOST], &body->host_choice);
	option_defaults(&s->head[SECTION_REPORTER], &body->reporter_choice);
	option_defaults(&s->common[SECTION_GUEST], &body->guest);
	option_defaults(&s->common[SECTION_HOST], &body->host);
	for (i = 0; i < body->nr_phases; i++) {
		option_defaults(&s->common[SECTION_PHASE],
				&body->phases[i].opt);
		snprintf(body->phases[i].name, sizeof(body->phases[i].name),
			 "%s", b->e->phases[i].name);
	}
	return cell_moments_init(b, body);
}

static void name_plugin(const struct schema *s, struct cell_body *body)
{
	const char *const *digests = s->registry->reporter_digests;
	const char *digest = digests ? digests[body->reporter_choice.member] :
				       NULL;

	if (digest)
		snprintf(body->reporter_plugin, sizeof(body->reporter_plugin),
			 "xxh3:%s", digest);
}

static int init_members(const struct cell_build *b, struct cell_body *body)
{
	const struct schema *s = &b->e->schema;
	unsigned int i;

	body->hypervisor_options = new_options(b,
		schema_member(s, SECTION_HOST, body->host_choice.member));
	body->reporter_options = new_options(b,
		schema_member(s, SECTION_REPORTER,
			      body->reporter_choice.member));
	if (!body->hypervisor_options || !body->reporter_options)
		return -ENOMEM;
	name_plugin(s, body);
	for (i = 0; i < body->nr_phases; i++) {
		const unsigned int member = body->workloads[i].member;
		struct sim_phase_config *p = &body->phases[i];

		p->workload = s->registry->workloads[member];
		p->workload_options = new_options(b,
			schema_member(s, SECTION_PHASE, member));
		if (!p->workload_options)
			return -ENOMEM;
	}
	return 0;
}

int cell_build(const struct cell_build *b, struct cell_body **out)
{
	struct cell_body *body = arena_alloc(&b->e->arena, sizeof(*body));
	int err;

	*out = body;
	if (!body)
		return -ENOMEM;
	err = init_body(b, body);
	if (err)
		return err;
	apply_heads(b, body);
	err = init_members(b, body);
	if (!err)
		err = apply_rest(b, body);
	if (!err)
		err = cell_moments_finish(b, body);
	if (!err)
		err = set_topology(b, body, find_guest_key(b, "topology"));
	if (!err)
		err = load_prices(b, body->host.prices, &body->prices);
	return err ? err : cell_body_finish(body, &b->e->schema,
					    &b->e->arena);
}
