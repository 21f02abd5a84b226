#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Failure injections from outside. Every one of bench/experiments/injections.ini
# brings about what is expected of it; the contrary of each expectation fails,
# and so do expectations where nothing was injected. Events and injections that
# are switched off leave the cell's id alone; mistakes are named at their place.
#
#     tests/bench/test_injections.sh BUDDYLAB SOURCE_FOLDER [PART..]
#
# Parts are the functions part_* below; all of them without one.
set -u -o pipefail
buddylab=$(realpath "$1")
file=$2/bench/experiments/injections.ini
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-injections-XXXXXX")
trap 'rm -rf "$out"' EXIT
failures=0

fail() {
	echo "FAIL: $1" >&2
	failures=$((failures + 1))
}

# run STATUS WHAT ARGS...: messages are left in $out/err.
run() {
	local want=$1 what=$2 got
	shift 2
	rm -rf "$out/cells"
	"$buddylab" run "$file" -o "$out/cells" --format none "$@" \
		2>"$out/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return
	fail "$what: exit status $got, expected $want"
	head -5 "$out/err" >&2
}

# mutated EXPECTATION VARIANT[,..] [ARGS]: all of them fail for that reason.
mutated() {
	local word=$1 only=$2 nr
	shift 2
	run 1 "$only with expect = $word" --only "$only" \
		--set "inject.it.expect=$word" "$@"
	nr=$(grep -c "injection it ([a-z_]*): expected $word" "$out/err")
	[ "$nr" -eq "$(tr , '\n' <<<"$only" | wc -l)" ] ||
		fail "$only with expect = $word: $nr of them say why"
}

# list A B C: A,B,C
list() {
	local IFS=,
	echo "$*"
}

# An experiment without the sections.
cat >"$out/bare.ini" <<END
[phase a]
workload = idle
duration = 1s
END

part_as_expected() {
	# With the words of the table.
	run 0 "all injections"
}

part_contrary_blocks() {
	mutated '!unmarked' \
		"$(list report_error-page_reporting \
			report_error-hinted_boundary \
			host_rejects-page_reporting \
			host_rejects-hinted_boundary)"
	mutated '!none_lost' \
		"$(list host_rejects-zone_bitmap \
			alloc_fails-percpu_array \
			isolate_refused-hinted_boundary)"
	mutated '!not_discarded' \
		"$(list host_ignores-page_reporting \
			host_ignores-hinted_boundary \
			host_ignores-zone_bitmap \
			host_ignores-percpu_array \
			host_ignores-balloon \
			poison-page_reporting \
			vfio-page_reporting \
			vfio-hinted_boundary \
			vfio-balloon)"
	mutated '!cold_but_backed' \
		"$(list host_ignores-page_reporting \
			host_ignores-hinted_boundary)"
	mutated '!bounded' \
		"$(list host_slow-page_reporting \
			host_slow-hinted_boundary \
			host_slow-zone_bitmap \
			host_slow-percpu_array \
			small_guest-hinted_boundary \
			small_guest-page_reporting \
			small_guest-scaled)"
	mutated '!stall_is_wait' host_slow-pull_bitmap
}

part_contrary_guest() {
	mutated '!blocked' \
		"$(list host_hangs-page_reporting \
			host_hangs-hinted_boundary \
			host_hangs-balloon)"
	mutated '!pass_ends' alloc_fails-page_reporting
	mutated '!spins' alloc_fails-hinted_boundary
	mutated '!list_left' isolate_refused-page_reporting
	mutated '!not_in_flight' alloc_race-page_reporting,alloc_race-hinted_boundary
	mutated '!merge_unmarked' buddy_race-page_reporting,buddy_race-hinted_boundary
	mutated '!type_followed' type_race-page_reporting
	mutated '!one_more_pass' free_storm-page_reporting
	mutated '!again' migrate_race-balloon
	mutated '!marks_kept' unregister-page_reporting
	mutated '!one_pass' clock_jump-page_reporting,clock_jump-hinted_boundary
	mutated '!retry_pause' oom_inflate-balloon,oom_inflate-deflate_on_oom
	mutated 'host.pglazyfreed=0' host_pressure-page_reporting
	mutated '!footprint_rises' host_khugepaged-page_reporting
}

part_contrary_counts() {
	mutated '!guest_runs' \
		"$(list host_slow-page_reporting host_hangs-balloon host_slow-per_free)"
	mutated '!footprint_kept' "$(list host_ignores-page_reporting vfio-hinted_boundary)"
	mutated '!no_refaults' "$(list host_ignores-page_reporting vfio-page_reporting)"
	mutated '!no_retry' "$(list report_error-page_reporting host_rejects-page_reporting)"
	mutated '!marks_honoured' unregister-page_reporting
	mutated 'reporter.report_errors=0' "$(list report_error-per_free host_rejects-per_free)"
	mutated '!removed_is_left' hot_remove-zone_bitmap,hot_remove-page_reporting
	mutated 'lock.contended=0' vcpu_storm-percpu_array,vcpu_storm-pull_bitmap
	mutated 'alloc.cold_allocs_order10<50' shuffle_on-page_reporting
	mutated 'alloc.cold_allocs_order10>=50' shuffle_off-page_reporting
	mutated 'host.thp_fault_fallback=0' no_huge_pages-page_reporting
}

part_nothing_injected() {
	# Where nothing fails, what a failure brings about is not to be seen.
	watch=(--set inject.it.kind=watch)
	mutated not_discarded host_ignores-page_reporting,vfio-hinted_boundary "${watch[@]}"
	mutated footprint_kept \
		"$(list host_ignores-page_reporting vfio-hinted_boundary)" "${watch[@]}"
	mutated no_refaults host_ignores-page_reporting "${watch[@]}"
	mutated reporter.report_errors=2 report_error-per_free "${watch[@]}"
	mutated not_idle host_hangs-page_reporting "${watch[@]}"
	mutated merge_unmarked buddy_race-page_reporting "${watch[@]}"
	mutated 'reporter.report_errors>0' report_error-page_reporting "${watch[@]}"
	mutated 'reporter.report_calls>=3' small_guest-scaled --set reporter.scale_capacity=off
	mutated guest.oom_kill=0 oom_inflate-deflate_on_oom --set reporter.deflate_on_oom=off

	# An injection that nothing gives an opportunity is no success.
	run 1 "no opportunity" --only host_slow-page_reporting --set reporter.enabled=off
	grep -q 'did not happen' "$out/err" || fail "no opportunity: no reason given"

	# Blocks of an answer to the host stay on the lists, and no list follows them.
	for kind in alloc_race type_race; do
		run 1 "$kind of an answer" --only host_slow-pull_bitmap \
			--set "inject.it.kind=$kind"
		grep -q 'did not happen' "$out/err" || fail "$kind of an answer"
	done
}

part_waiting() {
	# Words that only a wrong design or host breaks are in tests/sim/test_expect.c.

	# Whoever waits for ever is named, whatever the sampling; one of several CPUs,
	# too, that waits inside a call.
	for sample in 0s 1ms; do
		run 3 "an answer that never comes" --only host_slow-pull_bitmap \
			--set inject.it.kind=host_hangs \
			--set experiment.sample=$sample
		grep -E 'the phase cannot end: guest 1 waits for pull_bitmap' "$out/err" |
			grep -E '\(task 1 since 0\.[0-9]+ s, task 2 since 0\.' |
			grep -q 'the host never answers 1 of its requests' ||
			fail "sample = $sample: not said who waits for whom"
	done
	run 3 "a call that never comes back" --only host_ignores-per_free \
		--set inject.it.kind=host_hangs
	grep -E 'CPU [01] of guest 1 waits for ever, since ' "$out/err" |
		grep -q 'the host never answers a call of per_free' ||
		fail "not said which CPU waits in a call"

	# The pause of a balloon is that of its option.
	run 0 "a long pause" --only oom_inflate-balloon --set reporter.retry=400ms
	mutated '!retry_pause' oom_inflate-balloon --set reporter.retry=400ms

	# Two runs, two orders of the queue: the same bytes.
	run 0 "first of two" --only migrate_race-balloon
	cp "$out/cells/cells.jsonl" "$out/first"
	run 0 "second of two" --only migrate_race-balloon --set inject.it.enabled=on
	for f in "$out/first" "$out/cells/cells.jsonl"; do
		sed -E 's/"wall":\{[^}]*\}//' "$f" >"$f.exact"
	done
	cmp -s "$out/first.exact" "$out/cells/cells.jsonl.exact" ||
		fail "two runs of one cell differ"
}

part_host_short() {
	# A guest that does nothing is asked as soon as the host is short, and the
	# swap device is busy with what had to go.
	local args=(--only host_slow-pull_bitmap
		--set event.pull.enabled=off --set inject.it.phase=quiet
		--set inject.it.kind=host_pressure --set inject.it.value=3500M
		--set host.swap=4G --set host.swap_bandwidth=500M)

	run 0 "a pull" "${args[@]}" --set host.pull_below=256M \
		--set "inject.it.expect=reporter.report_calls>0 host.swap_wait_ns>0"
	run 0 "no pull" "${args[@]}" --set host.pull_below=0 \
		--set "inject.it.expect=reporter.report_calls=0 host.swap_wait_ns>0"
}

# bad TEXT MESSAGE: an experiment with that behind it is refused, exit 2.
bad() {
	cat "$out/bare.ini" - <<<"$1" >"$out/bad.ini"
	(cd "$out" && "$buddylab" plan bad.ini >/dev/null 2>err)
	[ $? -eq 2 ] || fail "accepted: $1"
	grep -qF "bad.ini:$2" "$out/err" || {
		fail "not said: $2"
		cat "$out/err" >&2
	}
}

part_mistakes() {
	# Switched off: the id of an experiment without the sections.
	cat "$out/bare.ini" - >"$out/off.ini" <<END
[event e]
enabled = off
action = compact_memory
[inject i]
enabled = off
kind = vfio
END
	[ "$("$buddylab" plan "$out/bare.ini")" = "$("$buddylab" plan "$out/off.ini")" ] ||
		fail "events and injections that are off change the id"
	"$buddylab" plan "$out/off.ini" --set event.e.enabled=on,off >"$out/plan"
	if [ "$(sort -u "$out/plan" | cut -c1-32 | wc -l)" -ne 2 ] ||
		! grep -q 'event.e.enabled=on' "$out/plan"; then
		fail "plan does not show an axis of an event"
	fi

	bad $'[event e]' "4:1: error: [event e] has no 'action'"
	bad $'[inject e]' "4:1: error: [inject e] has no 'kind'"
	bad $'[event e]\naction = drop_cache' "5:10: error: action: 'drop_cache'"
	bad $'[event e]\naction = drop_caches\nvalue = 4' "6:9: error: value: 4 is nothing"
	bad $'[event e]\naction = drop_caches' "4:1: error: event.e.value: 0 is nothing"
	bad $'[event e]\naction = gigantic_page\nvalue = 6M' \
		"6:9: error: value: 6291456 bytes are no range of memory"
	bad $'[event e]\nphase = b\naction = drop_caches' "5:9: error: phase: 'b'"
	bad $'[event e]\naction = compact_memory\nevery = 1ns' \
		"6:9: error: every: 1ns is too short; the shortest is 1us"
	bad $'[event e]\naction = compact_memory\nguest = 2' \
		"6:9: error: guest: there is no guest 2; [host] guests = 1"
	bad $'[inject e]\nkind = vfio\nguest = 64' \
		"6:9: error: guest: there is no guest 64; [host] guests = 1"
	bad $'[event e]\nactoin = drop_caches' \
		"5:1: error: unknown key 'actoin' in [event e]; did you mean 'action'?"
	bad $'[inject i]\nkind = oom_inflate\nvalue = 8M' \
		"6:9: error: value: oom_inflate wants more than there is; [guest] memory"
	bad $'[reporter]\ndesign = mine' \
		"5:10: error: design: 'mine' is not known"
	grep -q -- '--reporter-plugin FILE' "$out/err" || fail "no word of plugins"
	bad $'[inject i]\nkind = vfio\nexpect = !=5' \
		"6:10: error: expect: there is no counter ''"
	bad $'[inject i]\nkind = vfio\nexpect = boundd' \
		"6:10: error: expect: 'boundd' is nothing that can be expected"
	grep -q "did you mean 'bounded'?" "$out/err" || fail "no better word"
	bad $'[inject i]\nkind = vfio\nexpect = host.foo>1' \
		"6:10: error: expect: there is no counter 'host.foo'"
	bad $'[inject i]\nkind = vfio\n[variant v]\ninject.j.at = 1s' \
		"7:1: error: there is no [inject j]"
}

parts=("${@:3}")
[ "${#parts[@]}" -gt 0 ] || mapfile -t parts < <(
	compgen -A function part_ | sed 's/^part_//')
for part in "${parts[@]}"; do
	declare -F "part_$part" >/dev/null || {
		echo "there is no part $part" >&2
		exit 2
	}
	"part_$part"
done

[ "$failures" -eq 0 ] || echo "$failures failures" >&2
[ "$failures" -eq 0 ]
