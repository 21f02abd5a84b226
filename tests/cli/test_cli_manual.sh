#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual: a page a command, with each of its options, and none cut short.
# Third argument: the folder of the pages.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
man=$3
[[ -d $man/man1 ]] || {
	echo "no manual was made: scdoc is not installed" >&2
	exit 77
}

# page FILE: its text without roff's escapes, in $out.
page() {
	what="manual page $1"
	err=
	out=$(tr -d '\\' <"$man/$1")
	stdout_has "SEE ALSO"
	stdout_has ".SH NAME"
}

"$buddylab" --help | grep -oE '^  [a-z][a-z-]* ' | tr -d ' ' | grep -v help >names
page man1/buddylab.1
while read -r command; do
	stdout_has "buddylab-$command"
done <names
while read -r command; do
	page "man1/buddylab-$command.1"
	while read -r option; do
		stdout_has "$option"
	done < <("$buddylab" "$command" --help |
		grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
done <names
[[ $(find "$man/man1" -name '*.1' | wc -l) -eq $(($(wc -l <names) + 1)) ]] ||
	fail "there are other pages than those of the commands"

page man5/buddylab-experiment.5
grep -q '00000000' "$man/man5/buddylab-experiment.5" &&
	fail "a range is spelled without a unit"
"$buddylab" list options | grep -oE '^  [a-z0-9_]+ +[A-Z]' |
	grep -oE '[a-z0-9_]+ ' | tr -d ' ' | sort -u >keys
[[ $(wc -l <keys) -gt 100 ]] || fail "the list of keys is short"
while read -r key; do
	stdout_has "$key"
done <keys

if command -v man >/dev/null && man --version >/dev/null 2>&1; then
	for file in "$man"/man?/*; do
		warnings=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$file" 2>&1 \
			>/dev/null)
		what="man -l $file"
		[[ -z $warnings ]] || fail "$warnings"
	done
fi
finish
