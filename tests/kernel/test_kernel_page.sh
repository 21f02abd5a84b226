#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/try-your-patch.md as it is written: its change, its commands, its table.
# And in the simulator as a whole the unchanged file is our page_reporting:
# same digests, same counters.
#
#     test_kernel_page.sh BUDDYLAB SOURCES SCRATCH
# shellcheck source=tests/cli/lib.sh
files=$(mkdir -p "$3" && cd "$3" && pwd)
sh "$2/tests/kernel/tree.sh" "$files" || exit
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
page=$source_dir/docs/try-your-patch.md

mkdir bin lab
ln -s "$buddylab" bin/buddylab
ln -s "$source_dir/bench" lab/bench
cp -r "$files/linux-source-6.1" linux
cp -r linux stock
PATH=$scratch/bin:$PATH
old=$(sed -n 's/^    -\(	.*\)/\1/p' "$page")
new=$(sed -n 's/^    +\(	.*\)/\1/p' "$page")
what="the change on the page"
grep -qF -- "$old" linux/mm/page_reporting.c || fail "the file lacks '$old'"
awk -v old="$old" -v new="$new" '$0 == old { print new; next } { print }' \
	stock/mm/page_reporting.c >linux/mm/page_reporting.c
cmp -s linux/mm/page_reporting.c stock/mm/page_reporting.c &&
	fail "it changes nothing"

cd lab || exit 1
sed -n 's/^    \$ //p' "$page" >commands
what="commands of the page"
[[ $(wc -l <commands) -eq 3 ]] || fail "not three"
while read -r command; do
	what=$command
	eval "$command" >out.txt 2>err.txt </dev/null ||
		fail "exit status $?: $(cat err.txt)"
done <commands
for variant in variant merged mine; do
	what="row $variant"
	row=$(grep "^$variant " out.txt)
	grep -qxF -- "    $row" "$page" || fail "the page lacks '$row'"
done

# The stock file: another name, another place, the same bytes each time.
expect 0 kernel-reporter --tree ../stock --name mine -o stock.so
(cd .. && "$buddylab" kernel-reporter --tree stock --name mine -o again.so)
what="the same file twice"
cmp -s stock.so ../again.so || fail "the plugins differ"
# Two guests of one host: the file's variables are each guest's own.
for guests in 1 2; do
	expect 0 run bench/experiments/patch.ini --reporter-plugin ./stock.so \
		-o stock$guests --format none --seeds 1..1 \
		--set host.guests=$guests --set guest.memory=8G
	cells=stock$guests/cells.jsonl
	value() { grep "\"variant\":\"$1\"" "$cells" | grep -o "\"$2\":[^,}]*"; }
	what="the stock file and page_reporting, guests: $guests"
	for field in digest reporter.pages reporter.report_calls \
		reporter.rotations reporter.list_visits \
		reporter.longest_hold reporter.refault_pages; do
		mine=$(value mine "$field")
		[[ -n $mine && $mine == "$(value merged "$field")" ]] ||
			fail "$field: $mine, and merged $(value merged "$field")"
	done
done

expect 2 kernel-reporter
stderr_has "--tree DIR is missing"
expect 2 kernel-reporter --tree nowhere
stderr_has "is this a kernel tree"
expect 2 kernel-reporter --tree ../stock --name 'a b'
stderr_has "letters a-z"

# A file that is cut off, and an output that cannot be: what was there stays.
expect 2 kernel-reporter --tree ../stock -o /dev/full
stderr_has "not a regular file"
check_device=$(stat -c %F /dev/full)
[[ $check_device == "character special file" ]] || fail "/dev/full is gone"
expect 3 kernel-reporter --tree ../stock -o /proc/mine.so
stderr_has "cannot be written"
cp -r ../stock ../cut
: >../cut/mm/page_reporting.c
expect 2 kernel-reporter --tree ../cut -o stock.so
stderr_has "is it cut off?"
cmp -s stock.so ../again.so || fail "the earlier plugin is gone"
mkdir -p full
if mount -t tmpfs -o size=8k buddylab-test full 2>/dev/null; then
	echo earlier >full/mine.so
	expect 3 kernel-reporter --tree ../stock -o full/mine.so
	stderr_has "No space left on device"
	[[ $(cat full/mine.so) == earlier ]] || fail "the earlier file is gone"
	[[ -z $(find full -name '*.so.*') ]] || fail "half a file is left"
	umount full
fi
exit "$((failures > 0))"
