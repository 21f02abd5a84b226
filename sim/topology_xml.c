/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an XML of a machine may hold before hwloc reads it. The number of a CPU
 * or node is a bit in sets that hwloc makes by the dozen, so that one line can
 * ask for gigabytes; and a number that is not spelled out cannot be checked,
 * so entities and other encodings are refused. hwloc writes neither. As it trusts
 * the rest (2.9 ends with SIGSEGV on a set that is no number), a process of its
 * own reads the file before this one does.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/input.h"
#include "include/option.h"
#include "sim/topology_internal.h"

#define TRY_SECONDS 10

/* The number of no device is a bit of a set. */
static const char *const devices[] = { "PCI", "Bridge", "OS", "Misc" };

static bool is_device(const char *type, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (len >= strlen(devices[i]) &&
		    !strncmp(type, devices[i], strlen(devices[i])))
			return true;
	return false;
}

static bool is_small(const char *value, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)value[i]))
			return false;
		n = n * 10 + (uint32_t)(value[i] - '0');
		if (n > TOPOLOGY_MAX_INDEX)
			return false;
	}
	return len > 0;
}

/* An attribute of the object at hand, of the form name="value". */
struct attribute {
	const char *name, *value;
	size_t name_len, len;
};

/* False: the tag ends, or is none. */
static bool next_attribute(const char **at, struct attribute *a)
{
	char quote;

	*at += strspn(*at, " \t\r\n/");
	a->name = *at;
	a->name_len = strcspn(*at, " \t\r\n=><");
	*at += a->name_len;
	*at += strspn(*at, " \t\r\n");
	if (!a->name_len || **at != '=')
		return false;
	++*at;
	*at += strspn(*at, " \t\r\n");
	quote = **at;
	if (quote != '"' && quote != '\'')
		return false;
	a->value = ++*at;
	while (**at && **at != quote)
		++*at;
	a->len = (size_t)(*at - a->value);
	*at += **at != '\0';
	return true;
}

static bool has(const struct attribute *a, const char *name)
{
	return a->name_len == strlen(name) &&
	       !strncmp(a->name, name, a->name_len);
}

/*
 * "PU", "NUMANode" and hwloc's other spellings of these: without a number theirs
 * is 2^32 - 1, and each set of them takes 512 MiB.
 */
static bool needs_number(const char *type, size_t len)
{
	return (len && (type[0] == 'n' || type[0] == 'N')) ||
	       (len > 1 && !strncasecmp(type, "pu", 2));
}

static bool object_fits(const char *at)
{
	bool fits = true, device = false, number = false, needed = false;
	struct attribute a;

	while (next_attribute(&at, &a)) {
		if (has(&a, "type")) {
			device = is_device(a.value, a.len);
			needed = needs_number(a.value, a.len);
		}
		if (has(&a, "os_index")) {
			fits = is_small(a.value, a.len);
			number = true;
		}
	}
	return device || (fits && (number || !needed));
}

static bool is_plain(const char *text)
{
	const char *end = strstr(text, "?>");
	const char *encoding = strstr(text, "encoding");

	/* A library guesses EBCDIC and the like from the first bytes. */
	if (text[strspn(text, "\xef\xbb\xbf \t\r\n")] != '<')
		return false;
	if (encoding && (!end || encoding > end))
		encoding = NULL;
	if (encoding) {
		encoding += strlen("encoding");
		encoding += strspn(encoding, " \t\r\n=\"'");
	}
	return !strstr(text, "<!ENTITY") && !strstr(text, "<!ATTLIST") &&
	       !strstr(text, "&#") &&
	       (!encoding || !strncasecmp(encoding, "UTF-8", 5) ||
		!strncasecmp(encoding, "US-ASCII", 8) ||
		!strncasecmp(encoding, "ISO-8859-", 9));
}

static const char *check_text(const char *text)
{
	const char *at = text;

	if (!is_plain(text))
		return "it has entities, or is in another encoding than UTF-8";
	while ((at = strstr(at, "<object"))) {
		at += strlen("<object");
		if (!object_fits(at))
			return "it has a CPU or node with a number above "
			       "65535, or without one";
	}
	return NULL;
}

/* What topology.c does with it. */
static void try_load(const char *path, bool caches)
{
	char line[OPTION_STRING_SIZE];
	struct hwloc_distances_s *d;
	unsigned int nr = 1;
	hwloc_topology_t t;

	if (hwloc_topology_init(&t))
		return;
	if (!caches)
		hwloc_topology_set_cache_types_filter(t,
				HWLOC_TYPE_FILTER_KEEP_NONE);
	if (!hwloc_topology_set_xml(t, path) && !hwloc_topology_load(t)) {
		if (!hwloc_distances_get_by_type(t, HWLOC_OBJ_NUMANODE, &nr,
						 &d, 0, 0) && nr)
			hwloc_distances_release(t, d);
		hwloc_topology_export_synthetic(t, line, sizeof(line),
				HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_NO_ATTRS);
	}
	hwloc_topology_destroy(t);
}

/* For nothing but to see whether the library survives it. */
static void try_file(const char *path)
{
	const struct rlimit no_core = { 0, 0 }, time = { TRY_SECONDS,
							 TRY_SECONDS };
	const int null = open("/dev/null", O_WRONLY);

	/* Whoever called us may catch what ends this process. */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_CPU, &time);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	try_load(path, true);
	try_load(path, false);
	_exit(0);
}

static const char *check_library(const char *path)
{
	const pid_t pid = fork();
	int status = 1;

	if (pid < 0)
		return "no process can be started";
	if (!pid)
		try_file(path);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? NULL :
	       "hwloc fails on it; it is damaged";
}

const char *topology_xml_check(const char *path)
{
	FILE *f = input_stream(path, TOPOLOGY_MAX_XML);
	const char *why = NULL;
	char *text;
	size_t n;

	if (!f)
		return errno == EFBIG ? "it is larger than 16 MiB" :
		       errno == ENODEV ? "it is not a regular file" :
					 "there is no such file";
	text = malloc(TOPOLOGY_MAX_XML + 1);
	if (!text) {
		fclose(f);
		return "out of memory";
	}
	n = fread(text, 1, TOPOLOGY_MAX_XML, f);
	text[n] = '\0';
	if (ferror(f))
		why = "it cannot be read";
	else if (memchr(text, '\0', n))
		why = "it is no text";
	else
		why = check_text(text);
	free(text);
	fclose(f);
	return why ? why : check_library(path);
}
