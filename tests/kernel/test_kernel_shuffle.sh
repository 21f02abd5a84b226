#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_kernel_shuffle.sh DIFFERENTIAL SOURCES SCRATCH GUEST: mm/shuffle.c, compiled as
# it is, gives the free lists that alloc/shuffle.c gives; changed in one place
# it does not. With KERNEL_TREE=DIR only the file of that tree is compared.
set -eu

differential=$1 sources=$2 scratch=$3 guest=$4
here=$(cd "$(dirname -- "$0")" && pwd)
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $1"
	exit 1
}

# build TREE: $work/shuffle.so. All headers but mm/shuffle.h are the shim. $cc
# may have options.
build() {
	rm -rf "$work/stage"
	mkdir -p "$work/stage/include" "$work/stage/mm"
	cp "$1/mm/shuffle.c" "$1/mm/shuffle.h" "$work/stage/mm"
	sed -n 's/^#include *[<"]\([^>"]*\)[>"].*/\1/p' \
		"$1/mm/shuffle.c" "$1/mm/shuffle.h" >"$work/headers"
	while read -r header; do
		case $header in
		shuffle.h) continue ;;
		*/*) file=$work/stage/include/$header ;;
		*) file=$work/stage/mm/$header ;;
		esac
		mkdir -p "$(dirname -- "$file")"
		echo '#include "tests/kernel/shuffle_shim.h"' >"$file"
	done <"$work/headers"
	# 6.4 to 6.7: MAX_ORDER is the largest order, not one more.
	largest=''
	! grep -q 'SHUFFLE_ORDER[[:space:]]*MAX_ORDER$' "$1/mm/shuffle.h" ||
		largest=-DMAX_ORDER=10
	# shellcheck disable=SC2086
	(cd "$work/stage" && $cc -std=gnu11 -O2 -fPIC -shared -Wall \
		-fvisibility=hidden -fno-strict-aliasing $largest \
		-Wl,-Bsymbolic -Iinclude -Imm -I"$sources" \
		mm/shuffle.c "$guest" -o "$work/shuffle.so") ||
		fail "mm/shuffle.c of $1 does not compile"
}

compare() {
	KERNEL_SHUFFLE=$work/shuffle.so "$differential"
}

if [ -n "${KERNEL_TREE:-}" ]; then
	build "$KERNEL_TREE"
	compare
	exit
fi

sh "$here/tree.sh" "$scratch"
tree=$scratch/linux-source-6.1
build "$tree"
compare || fail "the file of 6.1 and ours differ"
if sh "$here/tree.sh" "$scratch" 6.12; then
	build "$scratch/linux-source-6.12"
	compare || fail "the file of 6.12 and ours differ"
fi

mutant=$work/mutant
while read -r change; do
	rm -rf "$mutant"
	mkdir -p "$mutant/mm"
	cp "$tree"/mm/shuffle.[ch] "$mutant/mm"
	sed -i "$change" "$mutant/mm/shuffle.c" "$mutant/mm/shuffle.h"
	! cmp -s "$tree/mm/shuffle.c" "$mutant/mm/shuffle.c" ||
		! cmp -s "$tree/mm/shuffle.h" "$mutant/mm/shuffle.h" ||
		fail "nothing to change: $change"
	build "$mutant"
	if compare >"$work/log" 2>&1; then
		fail "nobody saw: $change"
	fi
	grep -q "the kernel's" "$work/log" ||
		fail "no difference is named: $change: $(cat "$work/log")"
done <<'END'
s/SHUFFLE_RETRY 10/SHUFFLE_RETRY 9/
s/rand >>= 1/rand >>= 2/
s/rand_bits = 64/rand_bits = 63/
s/page_j != page_i/true/
s/get_pageblock_migratetype(page_j) != migratetype/0/
s/if (buddy_order(page) != order)/if (0)/
s/ALIGN(start_pfn, order_pages)/ALIGN(start_pfn + 1, order_pages)/
s/(MAX_ORDER-1)/(MAX_ORDER-2)/
END
