# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/cli/lib.sh
# `import` from outside: what it prints, what it warns of, what it refuses.
source "$(dirname "$0")/lib.sh" "$@"

samples=$source_dir/tests/data/formats
free='x 9 [000] 1.0: kmem:mm_page_free: pfn=0x10 order=1'

# What was found, on stdout; nothing on stderr.
expect 0 import "$samples/perf-ns.txt" -o a.blt
stderr_empty
stdout_has "a.blt: perf, 99 events of 99 lines, CPUs: 2, tasks: 4, kernel: not named"
stdout_has "  mm_page_alloc                62"

# Told from the content; a pipe and zstd make no difference.
for sample in ftrace bpftrace perf-fields trace-cmd; do
	expect 0 import "$samples/$sample.txt" -o a.blt
	check "a pipe" sh -c "cat $samples/$sample.txt |
		$buddylab import - -o b.blt >pipe.txt"
	check "the same from a pipe" cmp a.blt b.blt
	if command -v zstd >/dev/null; then
		zstd -q -f "$samples/$sample.txt" -o packed
		expect 0 import packed -o b.blt
		check "the same from zstd" cmp a.blt b.blt
	fi
done
expect 0 import "$samples/bpftrace.txt" -o a.blt
stdout_has "kernel: 6.18"

# Losses and a clock that goes back are warnings.
expect 0 import "$samples/bpftrace-lost.txt" -o a.blt
stderr_has "bpftrace-lost.txt: warning: the recorder lost events in 3 places, 1358 or more"
stderr_has "warning: time goes back 13 times"
echo 'Attaching 7 probes...' >empty
echo '# buddylab bpftrace 1 kernel=6.1' >>empty
expect 0 import empty -o a.blt
stderr_has "warning: no event of the page allocator"

# A line that is wrong: all are reported, and nothing is written.
printf '%s\n' "$free" broken "$free" "${free/16/17}x" >bad
echo before >kept.blt
cp "$samples/perf-ns.txt" only-copy
expect 2 import only-copy -o ./only-copy
stderr_has "would be replaced"
cmp -s only-copy "$samples/perf-ns.txt" || fail "the recording was replaced"
expect 3 import bad -o kept.blt
stdout_empty
stderr_has 'bad:2:1: error: "broken" is no event'
stderr_has "bad:4:50: error: order is \"1x\""
check "the old file is kept" grep -q before kept.blt
[[ -z $(find . -name 'kept.blt?*') ]] || fail "a temporary file is left"
printf '%s' "$free" >cut
expect 3 import cut -o a.blt
head -c 300 "$samples/perf-ns.txt" >cut
expect 3 import cut -o a.blt
stderr_has "cut:2: error: cut short: the last line does not end with a newline"

# Not a trace, not there, not to be written.
echo hello >hello
expect 3 import hello -o a.blt
stderr_has "hello:1: error: no line tells the format"
expect 3 import nosuch -o a.blt
stderr_has "nosuch: error: cannot open"
expect 3 import "$samples/perf-ns.txt" -o no/such/folder.blt
expect 3 import "$samples/perf-ns.txt" -o /dev/full

# What a file claims reaches neither the terminal nor JSON as it is.
printf 'e\033[31m-12 [000] ..... 1.000001: mm_page_free: pfn=0x10 order=0\n' >name
expect 0 info name
stdout_has "  e?[31m  "
expect 0 export name
stdout_has " e?[31m-12 "
{
	echo '# tracer: nop'
	echo 'CPU:0 [LOST 18446744073709551615 EVENTS]'
	echo 'CPU:0 [LOST 3 EVENTS]'
	echo 'x-12 [000] ..... 18446744073.709551615: mm_page_free: pfn=0x10 order=0'
} >numbers
expect 0 import numbers -o a.blt
stderr_has "in 2 places, 18446744073709551615 or more"
expect 0 info numbers --format json
stdout_has '"lost": 9223372036854775807'
stdout_has '"first_ns": 9223372036854775807'
tail -n 1 numbers >late
expect 0 export late --format perfetto
[[ $out != *'"ts":0.000'* ]] || fail "a sample before the first event"

# What is read twice cannot be a pipe: it would wait for ever.
mkfifo pipe
expect 3 replay pipe --assume boot
stderr_has "it has to be a file"
expect 2 stream-diff pipe --workload page_fault1
stderr_has "a pipe will not do"
rm pipe

# trace.dat, if this build reads it.
"$buddylab" import "$samples/trace.dat" -o a.blt >/dev/null 2>err.txt
if grep -q "cannot be read by this build" err.txt; then
	expect 3 import "$samples/trace.dat" -o a.blt
else
	expect 0 import "$samples/trace.dat" -o a.blt
	stdout_has "trace.dat, 136 events"
	expect 0 export a.blt
	cp out.txt dat.txt
	expect 0 export "$samples/trace-cmd-ns.txt"
	check "trace.dat and its report" cmp out.txt dat.txt
fi

# Options.
expect 2 import "$samples/perf-ns.txt"
stderr_has "-o T.blt is missing"
expect 2 import -o a.blt
stderr_has "no trace is named"
expect 2 import "$samples/perf-ns.txt" -o a.blt --format prf
stderr_has "unknown format 'prf'"
expect 2 import "$samples/perf-ns.txt" -o a.blt --kernel 6.99
stderr_has "unknown kernel '6.99'"
expect 3 import "$samples/perf-ns.txt" -o a.blt --format bpftrace
stderr_has "is no event; NS CPU PID KIND"
expect 0 import "$samples/perf-ns.txt" -o a.blt --format perf --kernel 6.1
expect 0 info a.blt
stdout_has "6.1"

finish
