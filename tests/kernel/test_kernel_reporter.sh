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

# The digest that docs/kernel-reporter.md has of all guests of a comparison.
on_the_page() {
	cat "$scratch/same.log"
	grep -q "^2000 guests" "$scratch/same.log" || return 0
	digest=$(sed -n 's/^ours *//p' "$scratch/same.log")
	grep -q "$digest" "$sources/docs/kernel-reporter.md" ||
		fail "docs/kernel-reporter.md has another digest than $digest"
}

"$make" --tree "$tree" -o "$scratch/kernel.so" ||
	fail "mm/page_reporting.c does not compile"
KERNEL_REPORTER=$scratch/kernel.so "$differential" >"$scratch/same.log" ||
	fail "the kernel's file and ours differ: $(cat "$scratch/same.log")"
on_the_page

# A release that writes it otherwise, if its package is installed.
if sh "$here/tree.sh" "$scratch" 6.12; then
	"$make" --tree "$scratch/linux-source-6.12" -o "$scratch/later.so" ||
		fail "mm/page_reporting.c of 6.12 does not compile"
	KERNEL_GUESTS=500 KERNEL_REPORTER=$scratch/later.so "$differential" ||
		fail "the file of 6.12 and ours differ"
fi

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
s/if (is_migrate_isolate(mt))/if (0)/
s/int mt = get_pageblock_migratetype(page);/int mt = MIGRATE_MOVABLE;/
s/if (!reported)/if (0)/
s/if (state != PAGE_REPORTING_IDLE)/if (0)/
s/if (!list_is_first(&page->lru, list))/if (0)/
s/low_wmark_pages(zone)/high_wmark_pages(zone)/
END

# Large blocks: an array of 32 of them is more than these guests have free.
mutate 's/^\/\* request page reporting \*\/$//'
capacity='s/\(PAGE_REPORTING_CAPACITY[[:space:]]*\)32/\12/'
sed -i "$capacity" "$mutant/include/linux/page_reporting.h"
"$make" --tree "$mutant" -o "$scratch/mutant.so" ||
	fail "another capacity does not compile"
KERNEL_CAPACITY=2 KERNEL_REPORTER=$scratch/mutant.so "$differential" \
	>"$scratch/same.log" || fail "with arrays of 2 it is not the same: \
$(cat "$scratch/same.log")"
on_the_page

# What would spoil a list ends with a message instead of a walk without end.
mutate 's/list_rotate_to_front(&page->lru, list)/list_rotate_to_front(list, list)/'
"$make" --tree "$mutant" -o "$scratch/mutant.so" ||
	fail "a rotation to the head does not compile"
if KERNEL_REPORTER=$scratch/mutant.so timeout 120 "$differential" \
	>"$scratch/mutant.log" 2>&1; then
	fail "nobody saw a rotation to the head"
fi
grep -q "rotated to its own head" "$scratch/mutant.log" ||
	fail "no message on a rotation to the head"

# The same file as other releases write it: 6.4 to 6.7, and from 6.8 on.
order='if (page_reporting_order == -1) page_reporting_order = prdev->order ?'
set_order='static int set_order(const char *val, const struct kernel_param *kp)'
set_order=$set_order' { return param_set_uint_minmax(val, kp, 0, 10); }'
param_ops='const struct kernel_param_ops param_ops = { .set = \&set_order,'
param_ops=$param_ops' .get = \&param_get_int };'
while read -r last; do
	mutate "s/^unsigned int page_reporting_order = .*/unsigned int \
page_reporting_order = -1; $set_order $param_ops/
s/^module_param(.*/module_param_cb(page_reporting_order, \&param_ops, \
\&page_reporting_order, 0644);/
s/page_reporting_order = prdev->order ?/$order prdev->order/
s/order < MAX_ORDER/order $last/
/^unsigned int page_reporting_order/s/\\n//"
	"$make" --tree "$mutant" -o "$scratch/mutant.so" ||
		fail "order $last: does not compile"
	KERNEL_GUESTS=100 KERNEL_REPORTER=$scratch/mutant.so "$differential" ||
		fail "order $last: it is not the same"
done <<'END'
<= MAX_ORDER
< NR_PAGE_ORDERS
END
# 5.7 to 5.16: no variable, and no wish of the device.
mutate '/^unsigned int page_reporting_order/d;/^module_param/d
s/^	page_reporting_order = .*//;s/page_reporting_order/PAGE_REPORTING_MIN_ORDER/
s/buddy_order(/page_order(/'
sed -i '/extern unsigned int page_reporting_order/d
s/page_reporting_order/PAGE_REPORTING_MIN_ORDER/
1i #define PAGE_REPORTING_MIN_ORDER pageblock_order' "$mutant/mm/page_reporting.h"
sed -i "/unsigned int order;/d;$capacity" "$mutant/include/linux/page_reporting.h"
"$make" --tree "$mutant" -o "$scratch/mutant.so" ||
	fail "the file of 5.10 does not compile"
# One of the guests whose device wishes nothing.
KERNEL_GUEST=9 KERNEL_CAPACITY=2 KERNEL_REPORTER=$scratch/mutant.so "$differential" ||
	fail "the file of 5.10 is not the same"

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
