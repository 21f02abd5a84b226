/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the step interpreter: a script is read into an array of checked
 * commands (step_script.c, step_parse.c, step_args.c), then run one by one
 * (step.c, step_commands.c, step_print.c, step_reporters.c).
 */
#ifndef REPLAY_STEP_INTERNAL_H
#define REPLAY_STEP_INTERNAL_H

#include "alloc/alloc.h"
#include "replay/step.h"

#define STEP_MAX_ZONES 4 /* DMA, DMA32, Normal, Movable */
#define STEP_MAX_CAPACITY 1024

/* What a script may say where: all of CONFIG stands before any OPERATION. */
enum step_class {
	STEP_CONFIG,    /* shape of the guest */
	STEP_SETTING,   /* changes a setting, at any time */
	STEP_OPERATION, /* works on the guest; the only class to be repeated */
};

/* Options after the positional arguments; bits of step_def.options. */
#define STEP_OPT_CPU 0x1u
#define STEP_OPT_ZONE 0x2u
#define STEP_OPT_ORDER 0x4u
#define STEP_OPT_CAPACITY 0x8u
#define STEP_OPT_BUDDY 0x10u
#define STEP_OPT_NOFRAGMENT 0x20u
#define STEP_OPT_HIGHATOMIC 0x40u
#define STEP_OPT_BATCHES 0x80u
/* No options: what the command's time grows with. */
#define STEP_WALKS_ZONES 0x100u
#define STEP_WALKS_CPUS 0x200u

/* Shape of the guest, in the order in which the script gives it. */
struct step_config {
	const struct alloc_profile *profile; /* NULL = default */
	unsigned int nr_cpus;           /* 0 = default */
	unsigned int pageblock_order;   /* 0 = default */
	unsigned int nr_zones;
	struct alloc_zone_config zones[STEP_MAX_ZONES]; /* ascending by start */
	unsigned int zone_line;         /* of the last zone, for messages */
};

struct step_def;

/* One checked command. Which members are set depends on its definition. */
struct step_cmd {
	const struct step_def *def;
	uint32_t line, column;
	uint32_t repeat;          /* how often to run it */
	uint32_t options;         /* STEP_OPT_* given */
	uint32_t cpu;
	uint32_t nr_numbers;
	uint64_t number[3];       /* positional numbers, in order */
	uint32_t capacity, batches;
	uint32_t first_word, nr_words; /* shuffle words, in step_script.words */
	uint8_t zone;             /* index in step_config.zones */
	uint8_t zone_type;        /* enum zone_type of a FOR or new zone */
	uint8_t order;
	uint8_t type;             /* enum migratetype */
	uint8_t choice;           /* index of a chosen word */
	uint8_t profile;          /* index in alloc_profile_names() */
};

struct step;

struct step_def {
	const char *name;
	enum step_class class;
	const char *args;         /* one letter per argument: step_args.c */
	uint32_t options;         /* STEP_OPT_* accepted */
	const char *usage;
	/* CONFIG: add to cfg; NULL or what is wrong. */
	const char *(*configure)(struct step_config *cfg,
				 const struct step_cmd *c);
	/* Others: check what the text alone cannot tell; NULL or the reason. */
	const char *(*check)(const struct step_config *cfg,
			     const struct step_cmd *c);
	/* 0, or -errno after a message. */
	int (*run)(struct step *s, const struct step_cmd *c);
};

/* NULL-named entry ends the table. */
extern const struct step_def step_defs[];

struct step_script {
	struct step_config cfg;
	struct step_cmd *cmds;
	size_t nr_cmds, max_cmds;
	uint64_t *words;          /* shuffle words of all commands */
	size_t nr_words, max_words;
	uint64_t nr_steps;        /* commands to run, repeats included */
	uint64_t nr_walked;       /* pages that they look at, at most */
	uint64_t check_every;     /* of the last `check` so far */
};

/* A word of a line: not NUL-terminated. */
struct step_word {
	const char *text;
	size_t len;               /* 0 = end of the line */
	unsigned int column;
};

struct step_parser {
	struct diag *diag;
	const char *file;
	unsigned int line;
	const char *start, *pos, *end; /* of the line */
	struct step_script *script;
	bool config_known;        /* script->cfg is whole, names are known */
	bool failed;              /* this line has an error */
};

/* ---- step_parse.c: words, numbers, messages ---- */

struct step_word step_next_word(struct step_parser *p);
bool step_word_is(struct step_word w, const char *text);
/* Decimal, or hexadecimal after 0x; false if w is no number of at most max. */
bool step_word_number(struct step_word w, uint64_t max, uint64_t *out);
__attribute__((format(printf, 3, 4)))
void step_parse_error(struct step_parser *p, unsigned int column,
		      const char *fmt, ...);
/* "what 'word'; did you mean 'x'? allowed: a, b, c" */
void step_unknown_word(struct step_parser *p, struct step_word w,
		       const char *what, const char *const *names);

/* ---- step_args.c ---- */

/* Arguments and options of c->def from the rest of the line. */
void step_parse_args(struct step_parser *p, struct step_cmd *c);

/* ---- step_script.c ---- */

/* 0, -EINVAL after messages, -ENOMEM, -EIO. Destroy in every case. */
int step_script_read(struct step_script *script, FILE *in, const char *name,
		     struct diag *d);
void step_script_destroy(struct step_script *script);

/* ---- running ---- */

struct step_reporters;

struct step {
	struct alloc *a;
	FILE *out;
	struct diag *diag;
	const char *file;
	const struct step_script *script;
	const struct step_cmd *cmd; /* being run */
	struct alloc_hooks hooks;
	bool pcp_on;              /* `pcp off` is the default */
	bool pcp_ready;           /* the guest has per-CPU pagesets */
	bool events, drain_events;
	uint64_t *words;          /* runtime shuffle words still to come */
	size_t nr_words, room_words, next_word;
	const uint64_t *boot_words; /* of a running shuffle-zone, or NULL */
	size_t nr_boot_words;
	bool words_short;         /* a shuffle word was wanted and missing */
	struct step_reporters *reporters; /* NULL until one is used */
	struct step_watch *watch; /* NULL until `check` */
	bool special;             /* there may be types that do not merge */
	/* Told of every block that the script gets; or NULL. */
	void (*taken)(void *ctx, pfn_t pfn, unsigned int order);
	void *taken_ctx;
};

/* Message at the running command; -EINVAL. */
__attribute__((format(printf, 2, 3)))
int step_error(struct step *s, const char *fmt, ...);
/* Give the allocator the hooks that the script needs now. */
void step_update_hooks(struct step *s);

/* step_checks.c: NULL or what is wrong, to follow the command's name. */
const char *step_configure_kernel(struct step_config *cfg,
				  const struct step_cmd *c);
const char *step_configure_cpus(struct step_config *cfg,
				const struct step_cmd *c);
const char *step_configure_pageblock_order(struct step_config *cfg,
					   const struct step_cmd *c);
const char *step_configure_zone(struct step_config *cfg,
				const struct step_cmd *c);
const char *step_check_cpu(const struct step_config *cfg,
			   const struct step_cmd *c);
const char *step_check_block(const struct step_config *cfg,
			     const struct step_cmd *c);
const char *step_check_range(const struct step_config *cfg,
			     const struct step_cmd *c);
const char *step_check_alloc(const struct step_config *cfg,
			     const struct step_cmd *c);
const char *step_check_pageblock(const struct step_config *cfg,
				 const struct step_cmd *c);
const char *step_check_pcp(const struct step_config *cfg,
			   const struct step_cmd *c);
const char *step_check_watermark(const struct step_config *cfg,
				 const struct step_cmd *c);
const char *step_check_shuffle(const struct step_config *cfg,
			       const struct step_cmd *c);
const char *step_check_report(const struct step_config *cfg,
			      const struct step_cmd *c);
/* Does the block lie inside one zone? */
bool step_block_in_zone(const struct step_config *cfg, uint64_t pfn,
			unsigned int order);

/* step_print.c */
int step_print_lists(struct step *s, const struct step_cmd *c);
int step_print_pcplists(struct step *s, const struct step_cmd *c);
int step_print_types(struct step *s, const struct step_cmd *c);
int step_print_state(struct step *s, const struct step_cmd *c);
/* The files of /proc of the same names. */
int step_print_buddyinfo(struct step *s, const struct step_cmd *c);
int step_print_pagetypeinfo(struct step *s, const struct step_cmd *c);
int step_print_zoneinfo(struct step *s, const struct step_cmd *c);
int step_print_vmstat(struct step *s, const struct step_cmd *c);
void step_print_event(struct step *s, const struct alloc_event *ev);
char step_type_letter(enum migratetype mt);

/* step_reporters.c */
int step_report(struct step *s, const struct step_cmd *c);
int step_hint(struct step *s, const struct step_cmd *c);
/* Does a hinted cycle of the zone stand still, and where is its boundary? */
bool step_boundary(const struct step *s, unsigned int zone, unsigned int order,
		   enum migratetype mt, pfn_t *boundary);
/* Does the host have pages of [start, end), in a batch not acknowledged? */
bool step_host_has(const struct step *s, pfn_t start, pfn_t end);
/* How many pages does it have? */
uint64_t step_host_pages(const struct step *s);
void step_reporters_destroy(struct step *s);

/* step_watch.c: what has to hold; nothing without `check` */
int step_set_check(struct step *s, const struct step_cmd *c);
int step_settle(struct step *s, const struct step_cmd *c);
void step_watch_destroy(struct step *s);
/* All invariants now: a CHECK with the place. */
void step_watch_walk(const struct step *s);
/* The script has a block, or has pages no more. */
void step_watch_take(struct step *s, pfn_t pfn, unsigned int order);
void step_watch_give(struct step *s, pfn_t start, pfn_t end);
/* A request to a zone's lists found nothing. */
void step_watch_failed(const struct step *s, unsigned int zone,
		       unsigned int order);
/* A first attempt found pfn. */
void step_watch_first(const struct step *s, const struct step_cmd *c,
		      pfn_t pfn);
void step_watch_drained(const struct step *s, bool one, unsigned int only);
/* A block will be isolated, and has been put back. */
void step_watch_isolate(struct step *s, pfn_t pfn, unsigned int order);
void step_watch_putback(const struct step *s, pfn_t pfn, unsigned int order);
void step_watch_after(struct step *s);

/* step_script.c: a line as it comes, and whether it may stand there. */
void step_parse_line(struct step_parser *p, struct step_cmd *c);
/* step.c */
int step_create_guest(struct step *s);
int step_run_cmd(struct step *s, const struct step_cmd *c);

#endif
