#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab kernel-reporter` with input that is odd, broken or dangerous: what
# was there stays, the message says what is wrong, and the same tree makes the
# same plugin wherever it is.
#
#     test_kernel_script.sh BUDDYLAB SOURCES SCRATCH
# shellcheck source=tests/cli/lib.sh
files=$(mkdir -p "$3" && cd "$3" && pwd)
sh "$2/tests/kernel/tree.sh" "$files" || exit
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
stock=$files/linux-source-6.1
header=include/linux/page_reporting.h

# fresh [SED-COMMAND [FILE]]: ./tree is the stock tree with that change.
fresh() {
	rm -rf tree
	mkdir -p tree/mm tree/include/linux
	cp "$stock"/mm/page_reporting.[ch] tree/mm
	cp "$stock/$header" tree/include/linux
	[[ $# -eq 0 ]] || sed -i "$1" "tree/${2:-mm/page_reporting.c}"
}
# in_loop TEXT: TEXT stands among the variables of page_reporting_cycle().
in_loop() { fresh "s/^	long budget;/	long budget; $1/"; }
make() { expect "$1" kernel-reporter --tree tree -o made.so "${@:2}"; }
same() { cmp -s "$1" stock.so || fail "$1 is not the plugin of the stock tree"; }

fresh
make 0
stderr_is ""
mv made.so stock.so

# Names of directories.
odd="a \"b\" 'c' \$HOME,d=e #f%s;g(h)&\\i*[x]"
cp -r tree "$odd"
expect 0 kernel-reporter --tree "$odd" -o "$odd/made.so" --keep "$odd/keep"
same "$odd/made.so"
mkdir "shim $odd"
cp -r "$source_dir"/{include,alloc,reporter,kernel} "shim $odd"
make 0 --shim "shim $odd"
same made.so
cp -r tree ./-tree
expect 0 kernel-reporter --tree=-tree -o -made.so
same ./-made.so
expect 2 kernel-reporter --tree $'x\ny' -o made.so
stderr_has "a path with a newline"

# Compilers.
CC="$CC -g0" make 0
same made.so
make 3 --cc nosuch-cc
stderr_has "nosuch-cc: no such compiler"
make 3 --cc "nosuch-cc -m64"
stderr_has "no such compiler"
make 3 --cc /bin/false
stderr_has "does not compile"
TMPDIR=$scratch/nowhere make 3
stderr_has "set TMPDIR"

# What is not ours to write.
cp -r tree before
make 2 --keep tree
stderr_has "--keep tree: not empty"
make 2 --keep stock.so
stderr_has "not a directory"
expect 2 kernel-reporter --tree tree -o tree/mm/page_reporting.c
stderr_has "that is the source"
ln -s tree/$header link.so
expect 2 kernel-reporter --tree tree -o link.so
stderr_has "that is the source"
what="sources after that"
diff -r before tree >/dev/null || fail "they changed"
make 0 --keep kept
make 0 --keep kept
what="what is kept"
cmp -s kept/mm/page_reporting.c "$stock/mm/page_reporting.c" || fail "is not the file"

# Half a tree.
for file in mm/page_reporting.c mm/page_reporting.h $header; do
	fresh
	: >"tree/$file"
	make 2
	stderr_has "tree/$file: has no page_reporting_"
	stderr_has "is it cut off?"
	rm "tree/$file"
	make 2
	stderr_has "tree/$file: cannot be read; is this a kernel tree of 5.7"
	mkdir "tree/$file"
	make 2
	stderr_has "cannot be read"
done

# What the shim does not know is named, each of several, with its place.
not_known() { stderr_has "$1 (first used in mm/page_reporting.c:$line) is not known"; }
line=$(grep -n '^	long budget;' "$stock/mm/page_reporting.c" | cut -d: -f1)
in_loop 'trace_foo(1); ktime_t t = ktime_get(); zone->vm_stat[0]++;'
make 3
for symbol in trace_foo ktime_t ktime_get vm_stat; do not_known $symbol; done
stderr_has "mm/page_reporting.c:$line:"
in_loop 'struct folio *f = 0; f->flags++;'
make 3
not_known folio
in_loop 'of_another_file(1);'
echo 'int of_another_file(int x);' >>tree/$header
make 3
not_known of_another_file
stderr_has "calls what is in another file"
in_loop ')'
make 3
stderr_has "mm/page_reporting.c:$line:"
in_loop 'int unused;'
make 0
stderr_has "unused variable"
fresh '1i #include "../../etc/passwd"'
make 2
stderr_has "outside the tree"
fresh '1i #include "../kernel/sched/sched.h"'
make 0

# Several changes at once, in all three files.
fresh 's/PAGE_REPORTING_CAPACITY \* 16/PAGE_REPORTING_CAPACITY * BUDGET/
s/^int page_reporting_register/static bool once;\nmodule_param(once, bool, 0444);\n&/
1i #include <linux/sched/clock.h>'
sed -i 's/^extern unsigned int page_reporting_order/#define BUDGET 16\n&/' \
	tree/mm/page_reporting.h
sed -i 's/unsigned int order;/&\n	unsigned int more;/' tree/$header
make 0
stderr_is ""

# One more than the largest order, spelled as the largest, is not 6.4's.
fresh 's/order < MAX_ORDER;/order <= MAX_ORDER - 1;/'
make 0
what="<= MAX_ORDER - 1"
cmp -s made.so stock.so || fail "order 10 is left out"
exit "$((failures > 0))"
