#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Designs with a planted defect: a swarm finds it, makes the cell small, says
# how to repeat it, and does all of it again in the same way.
#
#     test_swarm_plugin.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER SANITIZERS
# shellcheck source=tests/plugin/installed.sh
. "$(dirname "$0")/installed.sh"

# broken NAME SED...: the skeleton, reporting at once, with edits.
broken() {
	local name=$1 edits=()
	shift
	for edit; do edits+=(-e "$edit"); done
	{
		sed -e 's/"reporter\/reporter.h"/"reporter\/plugin.h"/' \
			-e "s/\.name = \"skeleton\"/.name = \"$name\"/" \
			-e 's/\.def = "0",/.def = "32",/' \
			-e 's/\.def = "1s"/.def = "1ms"/' "${edits[@]}" \
			"$(pkg-config --variable=skeleton buddylab-reporter)"
		echo 'BUDDYLAB_REPORTER_PLUGIN(skeleton_reporter);'
	} >"$name.c"
	plugin "$name"
}

# finds NAME SEED CELLS WHY: violations for that reason, small ones.
finds() {
	local name=$1 seed=$2 cells=$3 why=$4 file lines
	expect 1 swarm --seed "$seed" --cells "$cells" --reporter-plugin "./$name.so" \
		-o "$name" --shrink 400
	stdout_has "$why"
	stdout_has "to repeat: buddylab swarm --seed $seed --cell"
	file=$(find "$name" -name '*.ini' | sort | head -1)
	what="small cell of $name"
	lines=$(grep -vc '^#' "$file")
	[[ $lines -le 8 ]] || fail "$lines lines are left: $(cat "$file")"
	grep -q "design = $name" "$file" || fail "design $name is not in it"
	expect 1 swarm "$file" --reporter-plugin "./$name.so"
	stdout_has "$why"
}

# reporting NAME PFN: a design that tells the host that the block of 2 MiB there
# is free, 1 ms after 1 ms, whatever the guest does with it. Its check() is blind.
reporting() {
	broken "$1" '/^static void skeleton_process/,/^}/s/^	r->counters.passes++;$/&\
	s->entries[0] = (struct page_report){ .order = 9, .pfn = '"$2"' };\
	s->nr = 1;\
	if (r->env->report(r->env->ctx, s->entries, 1))\
		return;\
	s->state = WITH_HOST;\
	s->more = true;\
	return;/' \
		'/^static void put_back/,/^}/s/i < s->nr/i < 0 \&\& err/' \
		's/return "skeleton:.*"/return NULL/'
}

# Block after block from the end of memory, used or not: nothing of the guest's
# own state is wrong.
reporting thief 'alloc_end_pfn(r->env->view) - 512 * (pfn_t)(1 + r->counters.passes % 16)'
finds thief 5 46 "conservation: guest"

# It puts every block back twice.
broken keeper '/^static void put_back/,/^}/s/^		r->env->unlock(/\
		r->env->putback(r->env->ctx, e->pfn, e->order, 0);\
&/'
finds keeper 3 20 "CHECK failed"

# The same again, with cells beside each other.
what="the same twice"
mkdir again
cp keeper/*.ini again
expect 1 swarm --seed 3 --cells 20 --reporter-plugin ./keeper.so -o keeper \
	--shrink 400 --jobs 2
check "small cells are the same" diff -r keeper again

# What crashes, and what never ends, takes nothing with it.
cat >one.ini <<-'INI'
	[guest]
	memory = 64M
	base = 0
	[reporter]
	design = DESIGN
	[phase fill]
	workload = memhog
	size = 50%
INI
what="designs that crash and hang"
broken crasher 's/^	r->counters.passes++;$/	*(volatile char *)1 = 1;/'
broken looper 's/^	r->counters.passes++;$/	for (;;)\
		r->counters.passes++;/'
sed 's/DESIGN/crasher/' one.ini >crasher.ini
sed 's/DESIGN/looper/' one.ini >looper.ini
expect 1 swarm crasher.ini --reporter-plugin ./crasher.so
[[ $instrumented ]] || stdout_has "killed by signal 11"
stdout_has "1 violations"
expect 1 swarm looper.ini --reporter-plugin ./looper.so --limit 1s
stdout_has "it did not end within its time limit"

# What is beyond the guest's memory is ignored by the host, and noted nowhere.
reporting beyond '(pfn_t)1 << 31'
sed 's/DESIGN/beyond/' one.ini >beyond.ini
expect 0 swarm beyond.ini --reporter-plugin ./beyond.so

# The same design without a defect.
broken honest
expect 0 swarm --seed 5 --cells 46 --reporter-plugin ./honest.so
stdout_has " 0 violations"
finish
