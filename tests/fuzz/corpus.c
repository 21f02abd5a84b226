/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: every input that is kept for a target, among them all that once
 * broke it, and every beginning of the small ones that have a name; those that
 * a campaign found are called by a sum of their bytes. `fuzz_NAME FILE...` runs
 * these files only.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT (1u << 20)
#define SUM_DIGITS 40u
#define CUT_UP_TO 400 /* bytes; larger inputs are run whole only */

static size_t load(const char *path, uint8_t *data)
{
	FILE *f = fopen(path, "r");
	size_t size;

	CHECK_MSG(f, "cannot open %s", path);
	size = fread(data, 1, LARGEST_INPUT, f);
	fclose(f);
	return size;
}

static bool is_named(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return strlen(name) != SUM_DIGITS ||
	       strspn(name, "0123456789abcdef") != SUM_DIGITS;
}

static void run_file(const char *path)
{
	uint8_t *data = malloc(LARGEST_INPUT), *exact;
	size_t size, cut;

	CHECK(data);
	check_set_context(path);
	size = load(path, data);
	cut = size <= CUT_UP_TO && is_named(path) ? 0 : size;
	for (; cut <= size; cut++) {
		/* Its own block, so that a read behind the end is seen. */
		exact = malloc(cut ? cut : 1);
		CHECK(exact);
		memcpy(exact, data, cut);
		LLVMFuzzerTestOneInput(exact, cut);
		free(exact);
	}
	check_set_context(NULL);
	free(data);
}

static unsigned int run_folder(const char *folder)
{
	struct dirent **names;
	int i, n = scandir(folder, &names, NULL, alphasort);
	unsigned int nr = 0;
	char path[4096];

	CHECK_MSG(n >= 0, "cannot list %s", folder);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
			 names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			run_file(path);
			nr++;
		}
		free(names[i]);
	}
	free(names);
	return nr;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0;
	int i;

	for (i = 1; i < argc; i++, nr++)
		run_file(argv[i]);
	if (argc == 1)
		nr = run_folder(FUZZ_CORPUS);
	printf("%u inputs\n", nr);
	return nr ? 0 : 1;
}
