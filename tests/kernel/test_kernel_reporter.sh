#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_kernel_reporter.sh DIFFERENTIAL SOURCES SCRATCH: the kernel's own file,
# compiled as it is, does the same as ours, call by call; changed in one place
# it does not, so the comparison can fail; and what the shim does not know is
# named, with advice.
set -eu

differential=$1 sources=$2 scratch=$3
here=$(dirname -- "$0")
make=$sources/scripts/buddylab-kernel-reporter

sh "$here/tree.sh" "$scratch"
tree=$scratch/linux-source-6.1
fail() {
	echo "FAILED: $1"
	exit 1
}

"$make" --tree "$tree" -o "$scratch/kernel.so" ||
	fail "mm/page_reporting.c does not compile"
KERNEL_REPORTER=$scratch/kernel.so "$differential" ||
	fail "the kernel's file and ours differ"

# mutate WHAT SED-COMMAND: a tree with that change.
mutant=$scratch/mutant
mutate() {
	rm -rf "$mutant"
	mkdir -p "$mutant/mm" "$mutant/include/linux"
	cp "$tree"/mm/page_reporting.[ch] "$mutant/mm"
	cp "$tree/include/linux/page_reporting.h" "$mutant/include/linux"
	sed -i "$1" "$mutant/mm/page_reporting.c"
	! cmp -s "$tree/mm/page_reporting.c" "$mutant/mm/page_reporting.c" ||
		fail "nothing to change: $1"
}

while read -r change; do
	mutate "$change"
	"$make" --tree "$mutant" -o "$scratch/mutant.so" ||
		fail "changed file does not compile: $change"
	if KERNEL_REPORTER=$scratch/mutant.so "$differential" \
		>"$scratch/mutant.log" 2>&1; then
		fail "nobody saw: $change"
	fi
	grep -q "differ\|ours" "$scratch/mutant.log" ||
		fail "no difference is named: $change"
done <<'END'
s/PAGE_REPORTING_CAPACITY \* 16/PAGE_REPORTING_CAPACITY * 15/
s/(2 \* HZ)/(1 * HZ)/
s/if (budget < 0)/if (budget <= 0)/
/Reset next/,/exit on/s/next = .*/next = list_last_entry(list, struct page, lru);/
END

mutate 's/^	long budget;/	long budget = folio_of_the_day(page);/'
if "$make" --tree "$mutant" -o "$scratch/mutant.so" \
	2>"$scratch/mutant.log"; then
	fail "an unknown function compiles"
fi
grep -q 'folio_of_the_day (first used in mm/page_reporting.c:[0-9]*) is not known' \
	"$scratch/mutant.log" || fail "no advice on an unknown function"
if "$make" --tree "$scratch/nowhere" -o "$scratch/mutant.so" \
	2>"$scratch/mutant.log"; then
	fail "a tree that is not there compiles"
fi
grep -q 'is this a kernel tree' "$scratch/mutant.log" ||
	fail "no advice on a missing tree"
