#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# manual.sh PROGRAM DIR OUT: all pages of the manual into OUT/man1 and OUT/man5.
set -e
program=$1
dir=$2
out=$3
rm -rf "$out"
mkdir -p "$out/man1" "$out/man5"
for page in $("$program" --list); do
	case $page in
	buddylab) file=man1/buddylab.1 ;;
	experiment) file=man5/buddylab-experiment.5 ;;
	*) file=man1/buddylab-$page.1 ;;
	esac
	"$program" "$page" "$dir" >"$out/page.scd"
	scdoc <"$out/page.scd" >"$out/$file" || {
		echo "manual.sh: scdoc does not take $page; see $out/page.scd" >&2
		exit 1
	}
done
rm "$out/page.scd"
