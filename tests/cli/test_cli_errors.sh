#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What can go wrong, each with its message and its exit status.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

traces=$source_dir/tests/data/traces/host-reporting-memhog

# trace_ini FILE: an experiment that replays that request stream.
trace_ini() {
	cat >trace.ini <<-INI
		[guest]
		kernel = 6.1
		[host]
		memory = 4G
		[phase recorded]
		workload = trace
		file = $1
		before = $traces/before.snap.zst
	INI
}

write_small

# Experiment files: 2.
expect 2 run nosuch.ini
stderr_is "nosuch.ini: error: cannot be opened: No such file or directory"
expect 2 run small.ini --set guest.memroy=1G
stderr_is "--set guest.memroy=1G: error: unknown key 'memroy' in [guest]; did you mean 'memory'?"
sed 's/memory = 64M/memory = 64/' small.ini >wrong.ini
expect 2 run wrong.ini
stderr_has "wrong.ini:5:10: error: memory: '64' is out of range"
sed 's/duration = 5ms/duration = 5/' small.ini >wrong.ini
expect 2 run wrong.ini
stderr_has "wrong.ini:12:12: error: duration: '5' is not a time; allowed is a number with its unit"
expect 2 run small.ini --set guest.topology=pack:banana
stderr_has "error: topology: cannot build topology 'pack:banana'"
expect 2 run small.ini --set "guest.topology=core:2 pu:1" --set guest.cpus=4
stderr_has "has 2 processing units, but cpus = 4"
expect 2 run small.ini --set guest.topology=file:nosuch.xml
stderr_has "cannot build topology 'file:nosuch.xml'"
expect 2 run small.ini --set host.prices=nosuch.ini
stderr_has "prices: cannot read 'nosuch.ini': No such file or directory"
echo "nonsense" >prices.ini
expect 2 run small.ini --set host.prices=prices.ini
stderr_has "prices.ini:1:1: error:"
[[ ! -e out ]] || fail "something was written for a wrong experiment"

# Nothing but messages on stderr, none of them on stdout, if it is no terminal.
stdout_empty

# Traces: 3.
trace_ini nosuch.txt
expect 3 run trace.ini
stderr_is "trace.ini:7:8: error: file: cannot read 'nosuch.txt': No such file or directory"
head -c 20000 "$traces/req.txt.zst" >short.zst
trace_ini short.zst
expect 3 run trace.ini -o out/short
stderr_has "short.zst"
stderr_has "to repeat: buddylab run-cell trace.ini -o out/short --cell "
head -c 200 /dev/zero >zeros.txt
trace_ini zeros.txt
expect 3 run trace.ini -o out/zeros
stderr_has "zeros.txt"
sed "s|^before = .*|before = small.ini|" trace.ini >before.ini
expect 3 run before.ini -o out/before
stderr_has "small.ini"

# A cell that cannot run leaves the others: 3.
expect 3 run small.ini -o out/some --set host.memory=64M,4G --seeds 1
stderr_has "host.memory=64M, seed 1): base (1073741824) is more than memory"
stderr_has "2 of 4 cells failed; the others are kept in out/some"
[[ $(wc -l <out/some/cells.jsonl) -eq 2 ]] || fail "not two results"

# Places that cannot be written to: 3, and nothing is run.
echo x >file
expect 3 run small.ini -o file
stderr_is "buddylab run: error: file/cells: cannot create folder: Not a directory"
expect 3 run small.ini -o /proc/nosuch
stderr_has "buddylab run: error: /proc/nosuch: cannot create folder: "
if [[ $(id -u) -ne 0 ]]; then
	mkdir readonly && chmod a-w readonly
	expect 3 run small.ini -o readonly/out
	stderr_has "cannot create folder: Permission denied"
fi

# A full disk: the results that are there stay, and no half of a file does.
mkdir full
if mount -t tmpfs -o size=64k buddylab-test full 2>/dev/null; then
	expect 0 run small.ini -o full/a --format none --only one --seeds 1
	before=$(cat full/a/cells.jsonl)
	head -c 60000 /dev/zero >full/filler 2>/dev/null
	expect 3 run small.ini -o full/a --format none --seeds 1..9
	stderr_has "No space left on device"
	[[ $(cat full/a/cells.jsonl) == "$before" ]] ||
		fail "cells.jsonl is not what it was"
	[[ -z $(find full -name '*.tmp') ]] || fail "a temporary file is left"
	umount full
else
	echo "no mount: the case of a full disk is left out"
fi

finish
