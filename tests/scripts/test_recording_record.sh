#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab-record with a tracefs and with tools that are only paper.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
record=$2/scripts/buddylab-record
mkdir tools proc sys tracefs tracefs/instances
printf '#!/bin/sh\necho 0\n' >tools/id
chmod +x tools/id
PATH=$PWD/tools:$PATH
export PATH BUDDYLAB_PROC=$PWD/proc BUDDYLAB_SYS=$PWD/sys
export BUDDYLAB_TRACEFS=$PWD/tracefs

# What /proc has, where it matters here.
printf 'processor\t: 0\nprocessor\t: 1\n' >proc/cpuinfo
printf 'MemTotal: 1000000 kB\nMemAvailable: 900000 kB\n' >proc/meminfo
echo 'Node 0, zone DMA 1 2 3' >proc/buddyinfo
echo 'console=ttyS0 page_alloc.shuffle=1' >proc/cmdline
mkdir -p sys/module/page_alloc/parameters
echo Y >sys/module/page_alloc/parameters/shuffle

# A mkdir that makes an instance look like the kernel's, and its rmdir.
events='mm_page_alloc mm_page_free mm_page_free_batched
	mm_page_alloc_zone_locked mm_page_pcpu_drain mm_page_alloc_extfrag'
cat >tools/mkdir <<'SH'
#!/bin/sh
/bin/mkdir "$@" || exit
case $1 in
*/instances/*)
	for event in $EVENTS; do
		/bin/mkdir -p "$1/events/kmem/$event"
	done
	/bin/mkdir -p "$1/per_cpu/cpu0" "$1/per_cpu/cpu1"
	cp "$SAMPLE" "$1/trace"
	for cpu in 0 1; do
		printf 'entries: 9\noverrun: %s\ncommit overrun: 0\n' \
			"$OVERRUN" >"$1/per_cpu/cpu$cpu/stats"
		echo 'dropped events: 1' >>"$1/per_cpu/cpu$cpu/stats"
	done
	;;
esac
SH
cat >tools/rmdir <<'SH'
#!/bin/sh
case $1 in
*/instances/*)
	cp "$1/buffer_size_kb" "$1/trace_clock" "$1/tracing_on" .
	ls "$1"/events/kmem/*/enable >enabled
	exec rm -r "$1"
	;;
esac
exec /bin/rmdir "$@"
SH
chmod +x tools/*
export EVENTS=$events OVERRUN=0 SAMPLE=$2/tests/data/formats/ftrace.txt

# recorded STATUS ARGS...: run the script, compare its exit status.
recorded() {
	local want=$1 got
	shift
	what="buddylab-record $*"
	"$record" "$@" >out.txt 2>err.txt </dev/null
	got=$?
	out=$(<out.txt)
	err=$(<err.txt)
	[[ $got -eq $want ]] || fail "exit status $got, expected $want"
}

recorded 0 --help
stdout_has "usage: buddylab-record"
recorded 2 --tool tracefs
stderr_has "--output is missing"
recorded 2 --output a --tool dtrace
stderr_has "no tool 'dtrace'"
recorded 2 --output a --buffer many
recorded 2 --output a --duration 1 -- true
recorded 2 --output a --surprise
recorded 2 --output
recorded 2 --output a --snapshot --tool trace-cmd
[[ ! -e a ]] || fail "a mistake left a folder behind"

# Two CPUs, one lost event on each: the stats say so, the status too.
recorded 3 --output lost -- touch ran
stderr_has "2 events lost"
check "the command ran" test -e ran
recorded 1 --output lost -- true
stderr_has "not empty"

sed -i '/dropped/d' tools/mkdir
recorded 0 --output good --buffer 128 --clock counter -- sh -c 'exit 5'
stderr_has "good: tracefs, 0 events lost"
check "the trace is the instance's" cmp -s good/trace.txt "$SAMPLE"
check "the buffer is that asked for" grep -qx 128 buffer_size_kb
check "so is the clock" grep -qx counter trace_clock
check "tracing was off at the end" grep -qx 0 tracing_on
[[ $(wc -l <enabled) -eq 6 ]] || fail "not six events were enabled"
[[ -z $(ls tracefs/instances) ]] || fail "an instance was left behind"
for line in 'tool tracefs -' 'command_status 5' 'shuffle Y' 'lost 0' \
    'cmdline console=ttyS0 page_alloc.shuffle=1' 'mm_page_alloc 91'; do
	grep -qx "$line" good/meta.txt || fail "meta.txt lacks '$line'"
done
grep '^@@@' good/procstats.txt >states
printf '@@@ %s\n' 'before buddyinfo' 'before meminfo' 'after buddyinfo' \
	'after meminfo' end | cmp -s - states || fail "wrong states"
(cd good && sed '1,/^--- sha256/d' meta.txt | sha256sum --quiet -c) ||
	fail "checksums do not hold"

OVERRUN=7 recorded 3 --output overrun -- true
stderr_has "14 events lost"
stderr_has "try --buffer"

# With --snapshot the trace is cut to what lies between the two copies.
lines=$(grep -c 'mm_page' "$SAMPLE")
first=$(sed -nE '/mm_page/{s/.* ([0-9]+\.[0-9]+): mm_page.*/\1/p;q}' "$SAMPLE")
cat >tools/python3 <<SH
#!/bin/sh
if [ "\$2" = before ]; then at=$first; else at=999999.0; fi
echo "snap \$2 t=\$at cpus=2" >"\$4"
SH
chmod +x tools/python3
recorded 0 --output snap --snapshot -- true
check "before.snap" test -s snap/before.snap
check "after.snap" test -s snap/after.snap
check "the clock is mono" grep -qx mono trace_clock
left=$(grep -c 'mm_page' snap/trace.txt)
gone=$(grep -c " $first: mm_page" "$SAMPLE")
[[ $left -eq $((lines - gone)) && $gone -gt 0 ]] ||
	fail "$left of $lines events are left, not all but $gone"

# Too large a buffer is refused before anything is touched.
recorded 1 --output huge --buffer 400000 -- true
stderr_has "do not fit"

# A signal in the middle: no instance stays, nothing is called complete.
"$record" --output cut --duration 60 2>err.txt &
pid=$!
for _ in $(seq 100); do
	[[ -n $(ls tracefs/instances) ]] && break
	sleep 0.1
done
sleep 0.5
kill -TERM "$pid"
wait "$pid"
[[ $? -eq 1 ]] || fail "a killed recording ended well"
[[ -z $(ls tracefs/instances) ]] || fail "a signal left an instance behind"
[[ ! -e cut/trace.txt ]] || fail "a killed recording has a trace"

# Not root: said at once.
printf '#!/bin/sh\necho 1000\n' >tools/id
recorded 1 --output user -- true
stderr_has "needs root"
printf '#!/bin/sh\necho 0\n' >tools/id

# trace-cmd only extracts what the instance holds.
cat >tools/trace-cmd <<'SH'
#!/bin/sh
[ "$1" = extract ] || exit 0
[ "$4" = -o ] && echo binary >"$5"
SH
chmod +x tools/trace-cmd
recorded 0 --output tc --tool trace-cmd -- true
check "trace.dat was written" test -s tc/trace.dat

# bpftrace prints CPU by CPU: the script sorts, and counts what was lost.
cat >tools/bpftrace <<'SH'
#!/bin/sh
[ "$1" = --version ] && echo 'bpftrace v0' && exit
echo 'Attaching 7 probes...'
echo "# buddylab bpftrace 1 kernel=$2"
echo '2000 0 7 F 5 0 my prog 1'
echo 'Lost 4 events'
echo '1000 1 8 A 5 0 1 0x100cca kid'
exec sleep 60
SH
chmod +x tools/bpftrace
recorded 3 --output bt --tool bpftrace -- true
cat >want <<EOF
# buddylab bpftrace 1 kernel=$(uname -r)
1000 1 8 A 5 0 1 0x100cca kid
2000 0 7 F 5 0 my prog 1
Lost 4 events
EOF
cmp -s want bt/trace.txt || fail "bpftrace lines: $(cat bt/trace.txt)"
stderr_has "4 events lost"

finish
