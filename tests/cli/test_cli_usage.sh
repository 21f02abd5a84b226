#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands, options, help, version, lists.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

expect 0 --version
[[ $out =~ ^buddylab\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "no version"
stderr_empty

expect 0 --help
stdout_has "usage: buddylab COMMAND"
stderr_empty
for command in run plan run-cell status collect step replay list; do
	stdout_has "  $command "
done

# No command at all is a mistake; the help goes to stderr then.
expect 2
stdout_empty
stderr_has "usage: buddylab COMMAND"

for command in run plan run-cell status collect step replay list; do
	expect 0 "$command" --help
	stdout_has "usage: buddylab $command"
	stderr_empty
	help=$out
	expect 0 help "$command"
	[[ $out == "$help" ]] || fail "help $command differs from --help"
done
expect 2 help nosuch
stderr_has "unknown command 'nosuch'"

expect 2 rnu
stdout_empty
stderr_is "buddylab: error: unknown command 'rnu'; did you mean 'run'?; see buddylab --help"
expect 2 xyzzy
stderr_is "buddylab: error: unknown command 'xyzzy'; see buddylab --help"

# Full names only: the beginning of one is not enough.
write_small
expect 2 plan --onl one small.ini
stderr_has "unknown option --onl; did you mean --only?"
expect 2 plan --seed=1 small.ini
stderr_has "unknown option --seed; did you mean --seeds?"
expect 2 plan small.ini --onyl one
stderr_has "unknown option --onyl; did you mean --only?"
expect 2 plan small.ini -q
stderr_has "unknown option -q"
expect 2 plan small.ini --only
stderr_has "--only wants a value"
expect 2 plan
stderr_has "no experiment file is named"
expect 2 plan small.ini other.ini
stderr_has "one experiment file only; 'other.ini' is one more"
expect 2 plan small.ini --format mak
stderr_has "unknown format 'mak'; did you mean 'make'?"
expect 2 run small.ini -j 0
stderr_has "--jobs wants a number from 1 to 1024, not '0'"
expect 2 run small.ini --format tabel
stderr_has "did you mean 'table'?"
expect 2 run-cell small.ini
stderr_has "--cell is missing"
expect 2 run-cell small.ini --cell 123
stderr_has "the experiment has no cell '123'"

# Options before, behind and between words, with = and without.
for args in "small.ini --seeds=7 --only one" "--seeds 7 small.ini --only one" \
	"--seeds 7 --only=one -o dir small.ini" \
	"--seeds 7 --only=one -odir -- small.ini"; do
	# shellcheck disable=SC2086
	expect 0 plan $args
	[[ $out =~ ^[0-9a-f]{32}\ \ variant\ one,\ seed\ 7$ ]] ||
		fail "not the one cell"
done

for topic in reporters hypervisors workloads kernels options counters figures; do
	expect 0 list "$topic"
	[[ -n $out ]] || fail "nothing is listed"
	stderr_empty
done
expect 0 list reporters
stdout_has "page_reporting"
expect 0 list options
stdout_has "[phase NAME]"
stdout_has "default 100ms"
stdout_has "with workload = trace:"
expect 0 list counters
stdout_has "host.thp_split_pmd"
expect 0 list kernels
[[ $(awk '{ print $1 }' <<<"$out") == "5.3
5.7
5.10
6.1
6.12.0
6.12
6.18" ]] || fail "not the seven profiles"
stdout_has "stands on recorded runs"
stdout_has "stands on worked examples only"
expect 0 list rules
stdout_has "tail-placement"
expect 2 replay x --snapshot y --without tail-placment
stderr_has "did you mean \"tail-placement\"?"
expect 2 list kernel
stderr_has "unknown topic 'kernel'; did you mean 'kernels'?"
expect 2 list kernels options
stderr_has "one topic only"

# A result that cannot be written is a failure.
what="buddylab list >/dev/full"
"$buddylab" list >/dev/full 2>err.txt
[[ $? -eq 3 ]] || fail "exit status is not 3"


# Every list is JSON too, with a name in each object.
for topic in reporters hypervisors workloads kernels options counters columns \
	figures rules thresholds; do
	expect 0 list "$topic" --format json
	check "list $topic is JSON" python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))
assert rows and all(row["name"] for row in rows)' out.txt
done
expect 2 list --format json
stderr_has "--format json wants a topic"
expect 2 list nosuch --format json
finish
