#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Machines of files and of the environment, and workers on cores of their own.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

write_small
xml=$source_dir/tests/data/topologies

# A guest of another machine's nodes: its results say so, and where a machine
# has other distances, memory beyond a node comes from another one.
cp "$xml/square.xml" near.xml
sed '/<distances2/,/<\/distances2>/d' near.xml >default.xml
sed 's/cache_size="8388608"/cache_size="65536"/' near.xml >cache.xml
cat >nodes.ini <<'INI'
[experiment]
seeds = 1
[guest]
memory = 256M
base = 1M
[phase fill]
workload = memhog
size = 60%
[variant near]
guest.topology = file:near.xml
[variant default]
guest.topology = file:default.xml
[variant cache]
guest.topology = file:cache.xml
INI
digest() {
	sed -n "/\"variant\":\"$2\"/s/.*\"digest\":\"\\([0-9a-f]*\\)\".*/\\1/p" \
		"$1/cells.jsonl"
}
expect 0 run nodes.ini -o nodes
grep -q 'cpus:0..3\*2,0..3\*2 distances:32,16,32\*2,16,32 ' \
	nodes/cells.jsonl || fail "no distances in the results"
[[ -n $(digest nodes near) ]] || fail "no digest"
[[ $(digest nodes near) != $(digest nodes default) ]] ||
	fail "distances change nothing"
expect 0 run nodes.ini -o old --set guest.kernel=5.7
[[ $(digest old near) == $(digest old cache) ]] ||
	fail "caches change a kernel that does not look at them"

# Gaps in the numbers of nodes are the machine's own affair.
sed 's/nodeset="0x00000008"/nodeset="0x00000100"/g
     s/nodeset="0x0000000f"/nodeset="0x00000107"/g
     s/type="NUMANode" os_index="3"/type="NUMANode" os_index="8"/
     s/>0 1 2 3 </>0 1 2 8 </' near.xml >gap.xml
expect 0 plan small.ini --set guest.topology=file:near.xml
near=$out
expect 0 plan small.ini --set guest.topology=file:gap.xml
[[ $out == "$near" ]] || fail "a gap makes another guest"
expect 0 plan small.ini --set 'guest.topology=file:gap.xml distances:20'
[[ $out != "$near" ]] || fail "words after a file are not read"

# The environment does not replace this machine.
expect 0 plan small.ini --set guest.topology=this
here=$out
HWLOC_XMLFILE=$xml/square.xml HWLOC_THISSYSTEM=1 \
	expect 0 plan small.ini --set guest.topology=this
[[ $out == "$here" ]] || fail "HWLOC_XMLFILE is another machine"
HWLOC_SYNTHETIC='pack:4 [numa] core:2 pu:2' \
	expect 0 plan small.ini --set guest.topology=this
[[ $out == "$here" ]] || fail "HWLOC_SYNTHETIC is another machine"

# No sysfs, as in a chroot: nobody asked about this machine.
if unshare -rm mount -t tmpfs none /sys 2>/dev/null; then
	# shellcheck disable=SC2016
	unshare -rm sh -c 'mount -t tmpfs none /sys && exec "$@"' - \
		"$buddylab" run small.ini -o nosys --format none 2>err.txt ||
		fail "no run without sysfs"
	[[ ! -s err.txt ]] || fail "words about this machine: $(cat err.txt)"
fi

# Bound or not, the same results; timed ones name the machine.
expect 0 run small.ini -o free --format none -j 1
expect 0 run small.ini -o bound --format none -j 1 --bind
without_wall free/cells.jsonl >free.txt
without_wall bound/cells.jsonl >bound.txt
check "bound and not bound give the same bytes" cmp free.txt bound.txt
grep -q '"host":"[^"]*Linux' free/cells.jsonl || fail "no host"
grep -q '"cpus":' free/cells.jsonl && fail "bound without --bind"
if grep -q 'hwloc cannot' err.txt; then
	echo "not bound: $err"
else
	grep -q '"cpus":"[0-9]' bound/cells.jsonl || fail "not bound"
fi

# More workers than CPUs run unbound; that is no error.
expect 0 run small.ini -o many --format none -j 1024 --bind
stderr_has "note: cells are not bound to CPUs"
without_wall many/cells.jsonl >many.txt
check "not bound after all" cmp free.txt many.txt

finish
