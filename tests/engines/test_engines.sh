#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One sweep through every engine: run with one worker and with two, make, GNU
# parallel on two hosts, a Slurm of two nodes. Each must leave the same cells.jsonl
# (without `wall`), also when a host or a node dies in the middle.
#     test_engines.sh BUDDYLAB SOURCE ENGINE [SEEDS]      four cells a seed
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
engine=$3 out="" err=""
seeds=${4:-12}
PATH=$(dirname "$buddylab"):$PATH

skip() {
	echo "skipped: $1"
	exit 77
}

cat >sweep.ini <<INI
[experiment]
seeds = 1..$seeds
[guest]
memory = 512M
[host]
memory = 4G
[phase measure]
workload = page_fault1
tasks = 1,2
duration = 2ms
[variant none]
[variant reporting]
reporter.design = page_reporting
reporter.delay = 1ms
INI
cells=$((4 * seeds))

# results DIR: sorted, and without what is the machine's own.
results() {
	without_wall "$1/cells.jsonl" | sort
}

# timed WHAT COMMAND...: says how long it took.
timed() {
	local start=$EPOCHREALTIME name=$1 code
	shift
	"$@"
	code=$?
	awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$name" -v c="$cells" \
		'BEGIN { printf "%-24s %6d cells %8.2f s\n", n, c, b - a }'
	return $code
}

# same DIR WHAT: all cells, as the first run left them.
same() {
	what=$2
	[[ -s $1/cells.jsonl ]] || fail "no cells.jsonl"
	[[ $(wc -l <"$1/cells.jsonl") -eq $cells ]] ||
		fail "$(wc -l <"$1/cells.jsonl") cells of $cells"
	results "$1" >other.txt
	cmp -s first.txt other.txt || fail "other results"
}

run_one() {
	timed "run -j 1" "$buddylab" run sweep.ini -o one -j 1 --format none ||
		fail "run -j 1"
	results one >first.txt
	[[ $(wc -l <first.txt) -eq $cells ]] || fail "cells are missing"
	! grep -q '"wall"' first.txt || fail "wall was not taken out"
}

engine_run() {
	timed "run -j 2" "$buddylab" run sweep.ini -o two -j 2 --format none
	same two "run -j 2"
	# A result is not run again.
	touch mark
	"$buddylab" run sweep.ini -o two -j 2 --format none 2>/dev/null
	what="run again"
	[[ -z $(find two/cells -name '*.json' -newer mark) ]] || fail "cells were run again"
}

engine_make() {
	command -v make >/dev/null || skip "no make"
	expect 0 plan sweep.ini -o made --format make
	cp out.txt sweep.mk
	timed "make -j 2" make -s -j 2 -f sweep.mk >make.txt 2>&1 ||
		fail "make: $(tail -3 make.txt)"
	tail -1 make.txt
	same made "make -j 2"

	# One cell fails: the others are run and collected; the same again does it.
	sed 's, made, flaky,g' sweep.mk >flaky.mk
	mkdir broken
	local id
	id=$(sed -n 's/^cell-\([0-9a-f]*\):.*/\1/p' sweep.mk | sed -n 3p)
	printf '#!/bin/sh\ncase "$*" in *"--cell %s") exit 3 ;; esac\nexec %s "$@"\n' \
		"$id" "$buddylab" >broken/buddylab
	chmod +x broken/buddylab
	PATH=$scratch/broken:$PATH make -s -j 2 -f flaky.mk >make.txt 2>&1
	code=$?
	what="make, a cell fails"
	[[ $code -eq 2 ]] || fail "exit status $code of a sweep with a cell missing"
	[[ $(wc -l <flaky/cells.jsonl) -eq $((cells - 1)) ]] ||
		fail "$(wc -l <flaky/cells.jsonl) cells are collected"
	make -s -j 2 -f flaky.mk >make.txt 2>&1 || fail "the second time"
	same flaky "make again"
}

# In place of ssh: `fake_ssh [options] HOST COMMAND`. Host `two` dies when it has
# started as many commands as the file `two.lives` says. SHELL is what sshd always
# sets: parallel's side on the host runs the command by it, and does nothing
# without, which an environment without SHELL (cron, CI) would hand down here.
write_fake_ssh() {
	cat >fake_ssh <<-'SSH'
		#!/bin/bash
		while [[ $1 == -* ]]; do
			case $1 in -o|-p|-l|-i) shift ;; esac
			shift
		done
		host=$1
		shift
		[[ $1 != -- ]] || shift
		echo "$host" >>hosts.txt
		if [[ $host == two && -e two.lives ]]; then
			[[ $(grep -c two hosts.txt) -le $(cat two.lives) ]] || exit 255
		fi
		SHELL=$(command -v bash) exec bash -c "$*"
	SSH
	chmod +x fake_ssh
}

engine_parallel() {
	command -v parallel >/dev/null || skip "GNU parallel is not installed"
	write_fake_ssh
	export PARALLEL_SSH=$scratch/fake_ssh
	expect 0 plan sweep.ini -o par --format parallel
	cp out.txt sweep.sh
	timed "parallel -S two hosts" sh sweep.sh -S 1/one,1/two --workdir "$PWD" \
		2>err.txt || fail "parallel: $(tail -3 err.txt)"
	same par "GNU parallel on two hosts"
	what="GNU parallel on two hosts"
	[[ $(sort -u hosts.txt | wc -l) -eq 2 ]] || fail "one host did all"

	# A host that dies takes its cells with it; the same script does the rest.
	rm hosts.txt
	echo 5 >two.lives
	sed 's, par, dying,g' sweep.sh >dying.sh
	sh dying.sh -S 1/one,1/two --workdir "$PWD" >out.txt 2>err.txt
	code=$?
	what="GNU parallel, a host dies"
	[[ $code -eq 3 ]] || fail "exit status $code of a sweep with cells missing"
	[[ -s dying/cells.jsonl ]] || fail "what was finished is not collected"
	[[ $(wc -l <dying/cells.jsonl) -lt $cells ]] || fail "no cell is missing"
	rm two.lives
	sh dying.sh -S 1/one,1/two --workdir "$PWD" >out.txt 2>err.txt ||
		fail "the second time: $(tail -3 err.txt)"
	same dying "GNU parallel, the same script again"
}

engine_slurm() {
	# shellcheck source=tests/engines/slurm.sh
	. "$source_dir/tests/engines/slurm.sh"
	for program in "${slurm_programs[@]}"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
	[[ $EUID -eq 0 ]] || skip "slurmd needs root"
	trap 'slurm_stop; cd / && rm -rf "$scratch"' EXIT
	chmod 755 "$scratch"
	slurm_start "$scratch/slurm" || skip "Slurm does not start here"
	expect 0 plan sweep.ini -o slurmed --format slurm --chunk $((cells / 8))
	cp out.txt sweep.sh
	sweep_by_slurm() {
		sh sweep.sh >jobs.txt && slurm_wait
	}
	timed "Slurm, two nodes" sweep_by_slurm || fail "the jobs do not end"
	same slurmed "Slurm"
	what="Slurm"
	[[ $(find slurmed/slurm -name '*_*.log' | wc -l) -eq 8 ]] ||
		fail "not eight tasks"

	# A node that dies in the middle; the others go on, what is there is collected.
	sed 's, slurmed, killed,g;s,=slurmed,=killed,g' sweep.sh >killed.sh
	sh killed.sh --no-requeue >jobs.txt
	for _ in $(seq 300); do
		[[ -n $(find killed/cells -name '*.json' 2>/dev/null) ]] && break
		sleep 0.1
	done
	slurm_kill_node n2
	scontrol update nodename=n2 state=down reason=killed
	what="Slurm, a node dies"
	slurm_wait || fail "the jobs do not end"
	slurm_start_node n2
	scontrol update nodename=n2 state=resume 2>/dev/null
	sh killed.sh >jobs.txt || fail "the second time"
	slurm_wait || fail "the second jobs do not end"
	same killed "Slurm, the same script again"
}

run_one
"engine_$engine"
finish
