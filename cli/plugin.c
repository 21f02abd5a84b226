/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a design from a shared object. Code that is loaded can do whatever
 * the program can; what is tested here is that it was meant for this program
 * and is complete, so that a mistake is a message and not a crash.
 *
 * Nothing is unloaded: options, names and calls of a design are used until the
 * end of the process.
 */
#include "cli/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/registry.h"
#include "reporter/plugin.h"

#define MAX_PLUGIN_BYTES (UINT64_C(1) << 30)
#define WHY_SIZE 512

void plugins_init(struct plugins *p)
{
	unsigned int n = 0;

	memset(p, 0, sizeof(*p));
	for (; registry.reporters[n] && n < PLUGIN_MAX_REPORTERS; n++)
		p->reporters[n] = registry.reporters[n];
	p->nr_reporters = n;
	p->registry = registry;
	p->registry.reporters = p->reporters;
	p->registry.reporter_digests = p->digests;
}

/* 0, or 1 with a sentence. */
__attribute__((format(printf, 2, 3)))
static int say(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY_SIZE, fmt, ap);
	va_end(ap);
	return 1;
}

/*
 * Is all there that the loader will map? Of a file that was cut off it would
 * find out by SIGBUS. Whatever else is wrong with it dlopen() says.
 */
static bool cut_off(const char *data, size_t size)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	size_t i;

	if (size < SELFMAG || memcmp(data, ELFMAG, SELFMAG))
		return false;
	if (size < sizeof(head))
		return true;
	memcpy(&head, data, sizeof(head));
	if (head.e_phentsize != sizeof(part))
		return false;
	if (head.e_phoff > size ||
	    head.e_phnum > (size - head.e_phoff) / sizeof(part))
		return true;
	for (i = 0; i < head.e_phnum; i++) {
		memcpy(&part, data + head.e_phoff + i * sizeof(part),
		       sizeof(part));
		if (part.p_type == PT_LOAD &&
		    (part.p_offset > size ||
		     part.p_filesz > size - part.p_offset))
			return true;
	}
	return false;
}

/* Results of two builds of a design are not the same cell. */
static int read_digest(const char *path, char out[DIGEST_HEX_SIZE], char *why)
{
	FILE *f = fopen(path, "rb");
	void *data = NULL;
	struct stat st;
	int err = 0;

	if (!f)
		return say(why, "%s", strerror(errno));
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))
		err = say(why, "not a regular file");
	else if ((uint64_t)st.st_size > MAX_PLUGIN_BYTES)
		err = say(why, "larger than 1 GiB");
	else if (!(data = malloc((size_t)st.st_size + 1)))
		err = say(why, "out of memory");
	else if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		err = say(why, "cannot be read");
	else if (cut_off(data, (size_t)st.st_size))
		err = say(why, "ends too early; it was not copied or built to "
			  "its end");
	else
		digest_bytes_hex(data, (size_t)st.st_size, out);
	free(data);
	fclose(f);
	return err;
}

/* A bare name would be looked for in the system's library folders. */
static void *open_object(const char *path, char *why)
{
	char *whole = realpath(path, NULL);
	void *handle = whole ? dlopen(whole, RTLD_NOW | RTLD_LOCAL) : NULL;
	const char *error;

	if (!whole) {
		say(why, "%s", strerror(errno));
	} else if (!handle) {
		error = dlerror();
		/* The message begins with the path. */
		if (error && !strncmp(error, whole, strlen(whole)) &&
		    error[strlen(whole)] == ':')
			error += strlen(whole) + 2;
		say(why, "no shared object that fits this program: %s",
		    error ? error : "unknown reason");
	}
	free(whole);
	return handle;
}

static int check_abi(const struct buddylab_reporter_plugin *d, char *why)
{
	if (d->abi != BUDDYLAB_REPORTER_ABI)
		return say(why, "built for reporter ABI %u, this program has "
			   "ABI %u; build it again with the headers of this "
			   "version", d->abi, BUDDYLAB_REPORTER_ABI);
	if (d->layout != BUDDYLAB_REPORTER_LAYOUT)
		return say(why, "built for reporter ABI %u as this program is, "
			   "but with other structures (layout %llx, this "
			   "program has %llx); build it again with the headers "
			   "of this version", d->abi,
			   (unsigned long long)d->layout,
			   (unsigned long long)BUDDYLAB_REPORTER_LAYOUT);
	if (!d->ops)
		return say(why, "%s.ops is NULL", BUDDYLAB_REPORTER_SYMBOL);
	return 0;
}

/* As experiment files write names. */
static bool good_name(const char *name)
{
	return name && name[0] >= 'a' && name[0] <= 'z' && strlen(name) < 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") ==
		       strlen(name);
}

static int check_calls(const struct reporter_ops *ops, char *why)
{
	const struct { const char *name; bool given; } calls[] = {
		{ "summary", ops->summary }, { "options.descs",
		ops->options.descs }, { "init", ops->init },
		{ "start", ops->start }, { "process", ops->process },
		{ "drain", ops->drain }, { "stop", ops->stop },
		{ "idle", ops->idle }, { "check", ops->check },
		{ "destroy", ops->destroy },
		{ "notify_order (free_notify needs it)",
		  ops->notify_order || !ops->free_notify },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!calls[i].given)
			return say(why, "design '%s' leaves out %s", ops->name,
				   calls[i].name);
	return 0;
}

static size_t value_size(enum option_type type)
{
	switch (type) {
	case OPTION_BOOL:
		return sizeof(bool);
	case OPTION_SHARE:
		return sizeof(struct option_share);
	case OPTION_NAME:
		return sizeof(unsigned int);
	case OPTION_STRING:
		return OPTION_STRING_SIZE;
	default:
		return sizeof(uint64_t);
	}
}

static bool taken_key(const struct option_table *t, const struct option_desc *o)
{
	return !strcmp(o->name, "design") || !strcmp(o->name, "enabled") ||
	       !strcmp(o->name, "plugin") || option_find(t, o->name) != o;
}

static int check_option(const struct reporter_ops *ops,
			const struct option_desc *o, void *values, char *why)
{
	char text[160];

	if (!good_name(o->name))
		return say(why, "design '%s' has an option with the name '%s'; "
			   "allowed are lower-case letters, digits, _ - .",
			   ops->name, o->name);
	if (taken_key(&ops->options, o))
		return say(why, "design '%s' has an option '%s', which is "
			   "taken", ops->name, o->name);
	if (o->type > OPTION_STRING || !o->help || !o->unit || !o->def ||
	    (o->type == OPTION_NAME && !o->names))
		return say(why, "option '%s' of design '%s' needs a type, help, "
			   "unit (\"\" if none), def, and names if it is an "
			   "OPTION_NAME", o->name, ops->name);
	if (o->offset + value_size(o->type) > ops->options.size)
		return say(why, "option '%s' of design '%s' lies outside of "
			   "options.size", o->name, ops->name);
	if (option_parse(o, o->def, values, text, sizeof(text)))
		return say(why, "default of option '%s' of design '%s': %s",
			   o->name, ops->name, text);
	return 0;
}

static int check_options(const struct reporter_ops *ops, char *why)
{
	void *values = calloc(1, ops->options.size + 1);
	int err = values ? 0 : say(why, "out of memory");

	for (const struct option_desc *o = ops->options.descs;
	     !err && o->name; o++)
		err = check_option(ops, o, values, why);
	free(values);
	return err;
}

static int check_ops(const struct plugins *p, const struct reporter_ops *ops,
		     char *why)
{
	if (!good_name(ops->name))
		return say(why, "the name of a design is of lower-case letters, "
			   "digits, _ - ., not '%s'",
			   ops->name ? ops->name : "(null)");
	for (unsigned int i = 0; i < p->nr_reporters; i++) {
		if (strcmp(p->reporters[i]->name, ops->name))
			continue;
		return say(why, "design '%s' is %s already; choose another name",
			   ops->name, p->digests[i] ? "loaded" : "compiled in");
	}
	if (check_calls(ops, why))
		return 1;
	return check_options(ops, why);
}

static int load(struct plugins *p, const char *path, char *why)
{
	char *digest = p->digest[p->nr];
	const struct buddylab_reporter_plugin *d;
	void *handle;

	if (read_digest(path, digest, why))
		return 1;
	handle = open_object(path, why);
	if (!handle)
		return 1;
	d = dlsym(handle, BUDDYLAB_REPORTER_SYMBOL);
	if (!d)
		return say(why, "no symbol %s; end the file of the design with "
			   "BUDDYLAB_REPORTER_PLUGIN(ops)",
			   BUDDYLAB_REPORTER_SYMBOL);
	if (check_abi(d, why) || check_ops(p, d->ops, why))
		return 1;
	p->paths[p->nr++] = path;
	p->digests[p->nr_reporters] = digest;
	p->reporters[p->nr_reporters++] = d->ops;
	return 0;
}

int plugins_take(struct plugins *p, const struct args *a)
{
	char why[WHY_SIZE];

	if (p->nr == PLUGIN_MAX || p->nr_reporters == PLUGIN_MAX_REPORTERS)
		return args_error(a, "more than %d --reporter-plugin",
				  PLUGIN_MAX);
	if (!load(p, a->value, why))
		return 0;
	return args_error(a, "--reporter-plugin %s: %s", a->value, why);
}

const struct reporter_ops *plugins_find(const struct plugins *p,
					const struct args *a, const char *name)
{
	const char *names[PLUGIN_MAX_REPORTERS + 1] = { NULL };

	for (unsigned int i = 0; i < p->nr_reporters; i++) {
		names[i] = p->reporters[i]->name;
		if (!strcmp(names[i], name))
			return p->reporters[i];
	}
	args_unknown(a, "reporter", name, names, "reporters");
	return NULL;
}
