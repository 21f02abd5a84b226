#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files of at most 1 KiB that ask for much: more memory than there is, or for
# ever. Each is answered within ten seconds and 4 GiB, with its exit status and
# a message that says what the limit is. docs/limits.md is the list.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

traces=$source_dir/tests/data/traces/memhog
# The shadow of the sanitizer alone is terabytes of address space, and slow.
memory=4194304 seconds=10
if nm "$buddylab" 2>/dev/null | grep __asan_init >/dev/null; then
	memory=unlimited seconds=60
fi

# bomb STATUS MESSAGE ARGS...: all of MESSAGE is on stderr.
bomb() {
	local want=$1 message=$2 got
	shift 2
	what="buddylab $*"
	# Processor time: on a busy machine a minute passes with little of it.
	(ulimit -v "$memory" && ulimit -t "$seconds" &&
		exec timeout -k 1 $((seconds * 10)) "$buddylab" "$@") \
		>out.txt 2>err.txt </dev/null
	got=$?
	out=$(head -c 2000 out.txt | tr -d '\0')
	err=$(head -c 4000 err.txt | tr -d '\0')
	[[ $got -eq $want ]] || fail "exit status $got, expected $want"
	stderr_has "$message"
}

# small FILE: at most 1 KiB, as all of them.
small() {
	[[ $(stat -c %s "$1") -le 1024 ]] || fail "$1 is larger than 1 KiB"
}

# exp GUEST PHASE [HOST [EXPERIMENT]]: bomb.ini with these lines.
exp() {
	printf '[experiment]\n%b\n[guest]\nbase = 1M\n%b\n' \
		"${4:-}" "$1" >bomb.ini
	printf '[host]\nmemory = 1T\n%b\n[phase a]\n%b\n' "${3:-}" \
		"$2" >>bomb.ini
	small bomb.ini
}
idle='workload = idle\nduration = 1ms'
mkfifo pipe

# Sizes that are no sizes, and those that are.
while IFS='|' read -r guest phase host status message; do
	exp "$guest" "$phase" "$host"
	bomb "$status" "$message" run bomb.ini -o out --format none
done <<-ROWS
	memory = 1E|$idle||2|'1E' is not a size
	memory = 100T|$idle||2|allowed are 16M to 8T
	memory = 64M\ncpus = 1000000|$idle||2|allowed are 0 to 1024
	memory = 64M|$idle\ntasks = 5000||2|allowed are 1 to 4096
	memory = 64M|workload = idle\nduration = 1000000h||2|is not a time
	memory = 64M|workload = idle\nduration = 1000000m||2|allowed are
	memory = 64M|workload = memhog\nsize = 8T||3|more than the guest's memory
	memory = 64M|$idle|guests = 65|2|allowed are 1 to 64
	memory = 64M|$idle\niterations = 99999999999999999999||2|iterations
	memory = 64M|workload = page_fault1\niterations = nan||2|is not a plain number
	memory = 64M|$idle|pull_below = inf|2|is not a size
	memory = 64M\nbase = -1|$idle||2|base
ROWS

# Legal, and larger than this machine: said before, and done when told to.
exp 'memory = 8T' 'workload = memhog\nsize = 100%' 'guests = 64\nmemory = 64T'
sed -i 's/^memory = 1T$//' bomb.ini
if [[ $memory != unlimited ]]; then
	bomb 2 "simulates 137438953472 guest pages, which may take 3145728 MiB" \
		run bomb.ini -o out --format none
	stderr_has "this program can have 4096 MiB"
	stderr_has "--large runs it"
	bomb 3 "cannot build the guest: out of memory" \
		run bomb.ini -o out --format none --large
	id=$("$buddylab" plan bomb.ini | cut -c1-32)
	bomb 2 "--large runs it" run-cell bomb.ini --cell "$id" -o out
fi
exp 'memory = 512G' "$idle" '' 'seeds = 1..1000'
bomb 2 "1000 cells at a time may take 3072000 MiB of memory, and all of them" \
	run bomb.ini -o out --format none -j 1000
stderr_has "does; most workloads need a small part of that: --large runs it"
exp 'memory = 64M' 'workload = idle\nduration = 1s' '' 'sample = 1ns'
bomb 3 "more than 1000000 samples" run bomb.ini -o out --format none

# Products of small things.
sweep='workload = idle\ntasks = 1..1000\nduration = '
while IFS='|' read -r phase experiment status message; do
	exp 'memory = 64M' "$phase" '' "$experiment"
	bomb "$status" "$message" plan bomb.ini
done <<-ROWS
	$idle\ntasks = 1..1000000000||2|an axis of more than 1000 values
	$idle|seeds = 1..1000000000000000000|2|an axis of more than 1000 values
	$idle|seeds = 1..99999999999999999999|2|is not a range
	${sweep}1ms..1000ms||2|makes 1000000 cells; at most 100000 are allowed
	${sweep}1ms..1000ms|seeds = 1..1000|2|makes 1000000000 cells
ROWS
bomb 2 "makes 1000000000 cells; at most 1000000 are allowed" \
	plan bomb.ini --large
exp 'memory = 64M' "$idle" '' "$(printf 'seeds = 1..1000')"
cat >>bomb.ini <<-INI
	[phase b]
	workload = memhog
	size = 1..1000
	tasks = 1..1000
	warmup = 1ns..1000ns
	stagger = 1ns..1000ns
	iterations = 1..1000
	[phase c]
	workload = memhog
	size = 1..1000
INI
bomb 2 "makes more cells than can be counted" plan bomb.ini

# Files that files name.
while IFS='|' read -r guest phase host status message; do
	exp "memory = 64M\n$guest" "$phase" "$host"
	bomb "$status" "$message" plan bomb.ini
done <<-ROWS
	include = /dev/zero|$idle||2|'/dev/zero' cannot be opened: not a regular file
	include = pipe|$idle||2|'pipe' cannot be opened: not a regular file
	include = bomb.ini|$idle||2|'bomb.ini' includes itself
	include = ./bomb.ini|$idle||2|was already opened on
	|$idle|prices = pipe|2|cannot read 'pipe': not a regular file
	topology = file:pipe|$idle||2|'file:pipe': it is not a regular file
	|workload = trace\nfile = pipe||3|cannot read 'pipe': not a regular file
	topology = pack:1000 core:1000 pu:1000|$idle||2|has more than 1024 processing units
	topology = pu:4(indexes=0,1,2,4000000000)|$idle||2|has indexes above 65535
	topology = nodes:1 cpus:0*4000000000|$idle||2|a list is numbers
ROWS
bomb 3 "pipe: error: is not a regular file" report pipe
bomb 3 "pipe: error: is not a regular file" compare pipe pipe
truncate -s 1T holes
bomb 3 "holes:1: error: line is longer than 16777216 bytes" report holes
bomb 2 "the script is longer than 64 MiB" step holes
bomb 2 "is larger than 1048576 bytes" plan holes
bomb 3 "no line tells the format" import holes -o x.blt
exp 'memory = 64M' "$idle" 'prices = holes'
bomb 2 "the file is too large" plan bomb.ini
rm holes

# XML: laughs, what is outside, nests, and a CPU whose set is half a gigabyte.
object='<object type="Machine" os_index="0" cpuset="0x1" nodeset="0x1">'
pu='<object type="PU" cpuset="0x1" nodeset="0x1" os_index='
{
	printf '<!DOCTYPE topology [<!ENTITY a "%s">' 0123456789
	last=a
	for next in b c d e f g h i; do
		printf '<!ENTITY %s "&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;">' \
			$next $last $last $last $last $last $last $last $last
		last=$next
	done
	printf ']><topology version="2.0">&i;</topology>\n'
} >laughs.xml
printf '<!DOCTYPE topology [<!ENTITY x SYSTEM "/dev/zero">]>%s' \
	"<topology version='2.0'>$object&x;</object></topology>" >outside.xml
printf '<topology version="2.0">%s' "$(printf '<object>%.0s' {1..100})" \
	>nest.xml
for number in '"4000000000"' "'65536'" '"&#52;000000000"' ' = "+4000000000"'; do
	i=$((${i:-0} + 1))
	printf '<topology version="2.0">%s%s%s/></object></topology>' \
		"$object" "$pu" "$number" | sed 's/= *=/=/' >"number$i.xml"
done
# Without a number it is the last of 2^32: sets of 512 MiB, and an assertion.
printf '<topology version="2.0">%s<object type="PU" cpuset="0x1"/>%s' \
	"$object" '</object></topology>' >number5.xml
printf '<topology version="2.0">%s<object type="NUMANode" os="0"/>%s' \
	"$object" '</object></topology>' >number6.xml
while read -r file message; do
	small "$file"
	exp "memory = 64M\ntopology = file:$file" "$idle"
	bomb 2 "$message" plan bomb.ini
done <<-ROWS
	laughs.xml it has entities
	outside.xml it has entities
	nest.xml it is no XML of hwloc
	number1.xml it has a CPU or node with a number above 65535
	number2.xml it has a CPU or node with a number above 65535
	number3.xml it has entities
	number4.xml it has a CPU or node with a number above 65535
	number5.xml it has a CPU or node with a number above 65535, or without one
	number6.xml it has a CPU or node with a number above 65535, or without one
ROWS

# JSON: depth, and numbers that are none.
printf '[%.0s' {1..1000} >nest.jsonl
bomb 3 "not a JSON object" report nest.jsonl
printf '{"schema":1e999}\n' >number.jsonl
bomb 3 "not a JSON object" report number.jsonl
printf '{"schema":99999999999999999999}\n' >number.jsonl
bomb 3 "not a JSON object" report number.jsonl

# Scripts: guests of 1 TiB, and repeats of repeats.
million='repeat 1000000'
while IFS='|' read -r pages commands message; do
	printf 'zone Normal 0 %s\n%b\n' "$pages" "$commands" >bomb.step
	small bomb.step
	bomb 2 "$message" step bomb.step
done <<-ROWS
	268435457|lists|end page frame
	8192|repeat 1000001 alloc M 0|a number from 1 to 1000000
	8192|$million $million alloc M 0|repeat cannot be repeated
	8192|cpus 1025\nlists|number of CPUs
	8192|report capacity=4000000000|capacity
	268435456|boot 0 268435456\n$million lists|at most 17179869184 are allowed
	268435456|$million types 0 524288|at most 17179869184 are allowed
	268435456|boot 0 268435456\n$million report|at most 17179869184 are allowed
	268435456|boot 0 268435456\n$million hint|at most 17179869184 are allowed
	8192|cpus 1024\n$million drain|at most 17179869184 are allowed
	8192|$(printf "$million alloc M 0\\\\n%.0s" {1..11})|more than 10000000 commands
ROWS

# zstd: blocks of one byte each, 32 MiB of a byte, and a window of 2 GiB.
# frame BYTE BLOCKS WINDOW_DESCRIPTOR
frame() {
	printf '\x28\xb5\x2f\xfd\x00%b' "$3"
	for ((i = 1; i < $2; i++)); do
		printf '\x02\x00\x10%b' "$1"
	done
	printf '\x03\x00\x10%b' "$1"
}
frame '\n' 250 '\x38' >lines.zst
frame 'A' 250 '\x38' >line.zst
frame 'A' 1 '\xa8' >window.zst
for file in lines line window; do
	small $file.zst
done
bomb 3 "line is too long; at most 4096 bytes" \
	replay "$traces/req.txt.zst" --snapshot line.zst
bomb 3 "no line tells the format" import lines.zst -o x.blt
bomb 3 "no line tells the format" replay line.zst \
	--snapshot "$traces/before.snap.zst"
bomb 3 "Frame requires too much memory" import window.zst -o x.blt
bomb 3 "Frame requires too much memory" \
	replay "$traces/req.txt.zst" --snapshot window.zst

finish
