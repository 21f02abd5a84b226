/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast a replay is: a trace is turned into a .blt, which is replayed again
 * and again on one core. Prints events a second of the records alone, without
 * reading snapshots and building the allocator. A measurement: nothing is
 * asserted but that the replay works.
 *
 *     bench_replay TRACE SNAPSHOT [ROUNDS [text|blt]]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "include/option.h"
#include "replay/replay.h"
#include "trace/blt.h"
#include "trace/source.h"

/* Of this process: others on the machine do not count. */
static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) *
		       NSEC_PER_SEC +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static int copy_events(struct trace_source *src, struct blt_writer *w)
{
	struct trace_event ev;
	int ret, err = 0;

	while (!err && (ret = trace_next(src, &ev)) == 1) {
		const struct trace_task *t = trace_source_task(src, ev.task);

		err = t ? blt_task(w, t, &ev.task) : 0;
		if (!err)
			err = blt_put(w, &ev);
	}
	return err ? err : ret;
}

static int to_blt(const char *trace, const char *blt, struct diag *d)
{
	const struct trace_options o = { .format = TRACE_FORMAT_AUTO };
	struct trace_source *src;
	struct blt_writer *w;
	int err = trace_open(&src, trace, &o, d);

	if (err)
		return err;
	err = blt_create(&w, blt,
			 &(struct blt_info){
				 .kernel = trace_source_kernel(src),
				 .source = trace_source_format(src) }, d);
	if (!err) {
		err = copy_events(src, w);
		if (err)
			blt_abort(w);
		else
			err = blt_commit(w, trace_source_stats(src));
	}
	trace_close(src);
	return err;
}

/* One replay; *ns of its records. */
static int run_once(const struct replay_options *o, struct diag *d,
		    struct replay_result *res, uint64_t *ns)
{
	struct req_record rec;
	struct replay_step step;
	struct replay *r;
	uint64_t start;
	int ret = replay_open(&r, o, d);

	if (ret)
		return ret;
	start = cpu_ns();
	while ((ret = replay_next(r, &rec)) == 1)
		replay_apply(r, &rec, &step);
	*ns = cpu_ns() - start;
	if (!ret)
		ret = replay_finish(r, res);
	replay_close(r);
	return ret;
}

static int measure(const struct replay_options *o, unsigned int rounds,
		   struct diag *d)
{
	uint64_t best = UINT64_MAX;
	struct replay_result res;

	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t ns = 0;
		int err = run_once(o, d, &res, &ns);

		if (err)
			return err;
		best = ns < best ? ns : best;
	}
	printf("%s: %u events, predicted %llu of %llu, best of %u rounds: "
	       "%.3f ms, %.2f million events/s\n",
	       o->stream, res.events, (unsigned long long)res.predicted,
	       (unsigned long long)res.allocations, rounds, (double)best / 1e6,
	       (double)res.events * 1e3 / (double)best);
	return 0;
}

int main(int argc, char **argv)
{
	struct diag d = { .out = stderr };
	char blt[] = "/tmp/bench-replay-XXXXXX";
	struct replay_options o = { 0 };
	uint64_t rounds = 5;
	int fd, err;

	if (argc < 3 || (argc > 3 && (parse_u64(argv[3], &rounds) ||
				      !rounds || rounds > 1000))) {
		fprintf(stderr, "usage: bench_replay TRACE SNAPSHOT [ROUNDS [text|blt]]\n");
		return 2;
	}
	o.before = argv[2];
	o.stream = argv[1];
	if (argc < 5 || strcmp(argv[4], "text") != 0) {
		fd = mkstemp(blt);
		if (fd < 0)
			return 3;
		close(fd);
		o.stream = blt;
	}
	err = o.stream == blt ? to_blt(argv[1], blt, &d) : 0;
	if (!err)
		err = measure(&o, (unsigned int)rounds, &d);
	if (o.stream == blt)
		unlink(blt);
	return err ? 3 : 0;
}
