/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What surrounds `run-cell` for make, GNU parallel and Slurm. */
#include "cli/plan_scripts.h"

#include <stdio.h>

/* MaxArraySize of slurm.conf is 1001 by default, and no index reaches it. */
#define SLURM_MAX_ARRAY 1001

void plan_commands(const struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++)
		printf("%s --cell %s\n", p->run, p->ids[i]);
}

/* What is the engine's own; everything else is quoted for the shell already. */
static void put_doubled(const char *text, char special)
{
	for (; *text; text++) {
		putchar(*text);
		if (*text == special)
			putchar(special);
	}
}

/*
 * A cell that fails (`-`) leaves the others alone; the status of collect, 3 if
 * cells are missing, then fails the whole.
 */
void plan_make(const struct plan *p)
{
	size_t i;

	printf("# make -f THIS -j 8; with a result there is nothing to do\n"
	       ".PHONY: all cells\nall: cells\n\t");
	put_doubled(p->collect, '$');
	printf("\ncells:");
	for (i = 0; i < p->nr; i++)
		printf(" \\\n\tcell-%s", p->ids[i]);
	printf("\n");
	for (i = 0; i < p->nr; i++) {
		printf(".PHONY: cell-%s\ncell-%s:\n\t-", p->ids[i],
		       p->ids[i]);
		put_doubled(p->run, '$');
		printf(" --cell %s\n", p->ids[i]);
	}
}

/*
 * The status of parallel is how many cells failed; that of collect, 3 if cells
 * are missing, says the same, and is the one that all engines have.
 */
void plan_parallel(const struct plan *p)
{
	printf("#!/bin/sh\n"
	       "# %zu cells for GNU parallel; arguments are its own options:\n"
	       "#   sh THIS -j 8                        on this machine\n"
	       "#   sh THIS -S 8/one,8/two              on hosts that share this folder\n"
	       "#   sh THIS -S 8/one,8/two --bf EXP.ini \\\n"
	       "#      --return DIR/cells/@CELL@.json --cleanup    on other hosts\n"
	       "# Run again, it does what has no result.\n"
	       "parallel -q --workdir . -I @CELL@ \"$@\" %s --cell @CELL@ <<'CELLS'\n",
	       p->nr, p->run);
	for (size_t i = 0; i < p->nr; i++)
		printf("%s\n", p->ids[i]);
	printf("CELLS\nexec %s\n", p->collect);
}

/*
 * Scheduling costs a second or more a task, so cells are put together. A cell
 * that fails, or a node that dies, leaves the others alone, and what is there is
 * collected in any case.
 */
void plan_slurm(const struct plan *p)
{
	const size_t chunk = p->chunk ? p->chunk :
			     (p->nr + PLAN_MAX_TASKS - 1) / PLAN_MAX_TASKS;
	const size_t tasks = chunk ? (p->nr + chunk - 1) / chunk : 0;

	if (tasks > SLURM_MAX_ARRAY)
		fprintf(stderr, "buddylab plan: warning: %zu tasks; Slurm takes "
			"%d in an array unless its MaxArraySize is larger: "
			"--chunk %zu\n", tasks, SLURM_MAX_ARRAY,
			(p->nr + SLURM_MAX_ARRAY - 1) / SLURM_MAX_ARRAY);
	printf("#!/bin/sh\n"
	       "# %zu cells as a Slurm job array, %zu a task, and a job that "
	       "collects them.\n"
	       "# Arguments are options of sbatch: sh THIS --partition=long\n"
	       "# Run again, it does what has no result.\n"
	       "set -e\n"
	       "mkdir -p %s/slurm\n", p->nr, chunk, p->dir);
	if (p->nr) {
		printf("array=$(sbatch --parsable --job-name=buddylab "
		       "--array=0-%zu \\\n"
		       "\t--output=", tasks - 1);
		put_doubled(p->dir, '%');
		printf("/slurm/%%A_%%a.log \"$@\" <<'CELLS'\n"
		       "#!/bin/sh\nset -- \\\n");
		for (size_t i = 0; i < p->nr; i++)
			printf("\t%s \\\n", p->ids[i]);
		printf("\n"
		       "shift $((SLURM_ARRAY_TASK_ID * %zu))\n"
		       "left=%zu code=0\n"
		       "for cell; do\n"
		       "\t[ $left -gt 0 ] || break\n"
		       "\tleft=$((left - 1))\n"
		       "\t%s --cell \"$cell\" || code=$?\n"
		       "done\n"
		       "exit $code\n"
		       "CELLS\n"
		       ")\n", chunk, chunk, p->run);
	}
	printf("sbatch --parsable --job-name=buddylab-collect%s \\\n"
	       "\t--output=",
	       p->nr ? " --dependency=afterany:\"${array%%;*}\"" : "");
	put_doubled(p->dir, '%');
	printf("/slurm/%%j.log \"$@\" <<'COLLECT'\n"
	       "#!/bin/sh\n%s\nCOLLECT\n", p->collect);
}
