# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/cli/lib.sh
# Programs on a real jemalloc: the same digests with and without random
# addresses, with one worker and with two, whatever MALLOC_CONF says; decay and
# the reporter show in the host's memory; errors name the key.
source "$(dirname "$0")/lib.sh" "$@"

cat >jemalloc.ini <<-'INI'
	[experiment]
	title = Programs on jemalloc
	seeds = 1,2
	[guest]
	memory = 512M
	[reporter]
	design = page_reporting
	[phase run]
	workload = jemalloc
	size = 96M
	tasks = 2
	waves = 2
	dirty_decay = 500ms
	muzzy_decay = 0s
	idle = 2s
	[phase rest]
	workload = idle
	duration = 10s
	[variant asleep]
	[variant background]
	phase.run.background = on
	[variant lazy]
	phase.run.muzzy_decay = 1s
INI

digests() {
	sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/' "$1/cells.jsonl"
}

expect 0 run jemalloc.ini -o random
digests random >random.txt
[[ $(sort -u random.txt | wc -l) -eq 6 ]] || fail "not six results"
for n in 2 3; do
	export MALLOC_CONF=dirty_decay_ms:0,abort:true,narenas:7
	expect 0 run jemalloc.ini -o "random$n" -j "$n"
	unset MALLOC_CONF
	digests "random$n" >again.txt
	check "repeated run $n" cmp random.txt again.txt
done

if setarch -R true 2>/dev/null; then
	what="setarch -R buddylab run"
	setarch -R "$buddylab" run jemalloc.ini -o fixed >out.txt 2>err.txt ||
		fail "exit status"
	digests fixed >again.txt
	check "without random addresses" cmp random.txt again.txt
else
	echo "setarch -R is not allowed here: not compared"
fi

# No option that can be misread.
for set in phase.run.max_size=8 phase.run.dirty_decay=1500us \
	   phase.run.muzzy_decay=700ms; do
	expect 3 run jemalloc.ini -o wrong --set "$set"
	stderr_has "workload jemalloc: "
done
finish
