#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What SECURITY.md promises: files of strangers run no program, write no file
# that was not named, move no cursor, and load no code.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

write_small
expect 0 run small.ini -o kept --format none
e=$'\e' c1=$'\302\233'

# clean FILE...: no control character of ASCII, none of U+0080 to U+009F.
clean() {
	if LC_ALL=C grep -aqP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' \
		"$@"; then
		fail "a control character is shown"
	fi
}
nothing_ran() {
	[[ -z $(find . -name 'ran*') ]] || fail "a command of the file was run"
}

# Messages name what is wrong, and no sequence of it reaches the terminal.
printf '%s[2J%s31m foo\n' "$e" "$c1" >bad.step
printf '[gu%s[31mest]\nx%s2J = 1\n' "$e" "$c1" >bad.ini
printf 'x%s31m%s]0;t\a = 1\n' "$c1" "$e" >bad.prices
printf '{"schema":"%s"}\n' "$c1" >bad.jsonl
for words in "step bad.step" "plan bad.ini" "replay bad.step --snapshot bad.step" \
	"plan small.ini --set host.prices=bad.prices" "report bad.jsonl" \
	"import bad.step -o x.blt" "list ${e}[2J${c1}31m" "${e}[2J${c1}m" \
	"run no${c1}file${e}.ini"; do
	# shellcheck disable=SC2086
	"$buddylab" $words >out.txt 2>err.txt </dev/null
	what=$words
	[[ -s err.txt ]] || fail "no message"
	clean out.txt err.txt
done
expect 2 plan bad.ini
stderr_has "bad.ini:2:3: error: control character 0x9b"

# Results whose every name is an attack: through JSON, all bytes are possible.
cp -r kept evil
python3 - <<'PYTHON' || fail "python3"
import json

evil = ("\x1b]0;t\x07\x1b[2J\u009b31m`touch ranA` $(touch ranB)'; "
        "system('touch ranC') \" !touch ranD\nsystem \"touch ranE\" "
        "<script>alert(1)</script> %s %n | @x")
lines = []
for line in open("kept/cells.jsonl", encoding="utf-8"):
    cell = json.loads(line)
    cell["variant"] = "=cmd|'/C x'!A0" + cell["variant"] + evil
    cell["experiment"] = evil
    cell["axes"] = {"host.x" + evil: "+1+cmd|x" + evil}
    for phase in cell["phases"]:
        phase["name"] += evil
    for part in ("counters", "metrics"):
        cell[part]["x" + evil] = 3
    cell["options"]["x" + evil] = "y" + evil
    lines.append(json.dumps(cell) + "\n")
open("evil/cells.jsonl", "w", encoding="utf-8").writelines(lines)
PYTHON
for format in cover table md csv json html openmetrics; do
	expect 0 report evil --format $format
	clean out.txt err.txt
	case $format in
	md | html) [[ $out != *"<script>alert"* ]] || fail "HTML is passed on" ;;
	csv)
		stdout_has "\"'=cmd|'/C x'!A0"
		stdout_has "\"'+1+cmd|x"
		;;
	esac
done
for words in "compare kept evil" "compare evil kept --format md" \
	"check evil --baseline kept --junit j.xml --tap" \
	"check kept --baseline evil" "status small.ini -o evil"; do
	what=$words
	# shellcheck disable=SC2086
	"$buddylab" $words >out.txt 2>err.txt </dev/null
	clean out.txt err.txt
done
for backend in gnuplot matplotlib; do
	for terminal in dumb svg; do
		[[ $backend$terminal != matplotlibdumb ]] || continue
		what="plot --backend $backend --terminal $terminal"
		"$buddylab" plot evil --backend $backend --figure throughput \
			--terminal $terminal >out.txt 2>err.txt
		clean out.txt err.txt
	done
done
nothing_ran

# The line to repeat a run is for a shell: nothing that a shell would run.
# shellcheck disable=SC2016
for line in 'x.ini; touch ranF' 'x.ini $(touch ranF)' 'x.ini `touch ranF`' \
	"x.ini 'a' | touch ranF" "x.ini 'a"; do
	printf 'buddylab run %s\n' "$line" >evil/command
	expect 0 report evil --format cover
	[[ $out != *ranF* && $out == *"buddylab "*EXP.ini* ]] ||
		fail "a command of the folder is proposed: $line"
done
printf "buddylab run 'a b'\\\\''s.ini' -o out --set guest.memory=1G\n" \
	>evil/command
expect 0 report evil --format cover
stdout_has "'a b'\\''s.ini' -o out --set"

# A pipe where a file of the folder should be is not waited for.
rm evil/command && mkfifo evil/command
for id in $("$buddylab" plan small.ini | cut -c1-32); do
	rm -f "evil/series/$id.csv"
	mkfifo "evil/series/$id.csv"
done
for words in "report evil" "plot evil" "report evil --format html"; do
	what="$words, with pipes"
	# shellcheck disable=SC2086
	timeout 60 "$buddylab" $words >out.txt 2>err.txt </dev/null
	[[ $? -ne 124 ]] || fail "it waits for a writer"
done

# Links in a folder of results are replaced, not written through.
cp -r kept links
rm -f links/cells.jsonl links/command links/cells/* links/series/*
mkdir links/figures
echo precious >victim
for id in $("$buddylab" plan small.ini | cut -c1-32); do
	ln -s ../../victim "links/cells/$id.json"
	ln -s ../../victim "links/series/$id.csv"
done
ln -s ../victim links/cells.jsonl
ln -s ../victim links/command
for name in throughput memory holds resident huge footprint tradeoff; do
	for end in gp py csv svg; do
		ln -s ../../victim "links/figures/$name.$end"
	done
done
expect 0 run small.ini -o links --format none
check "the link's file is as it was" test "$(cat victim)" = precious
check "and so are the results" \
	test "$(without_wall links/cells.jsonl)" = \
	"$(without_wall kept/cells.jsonl)"
for backend in gnuplot matplotlib; do
	what="plot links --backend $backend"
	"$buddylab" plot links --terminal svg --backend $backend \
		>out.txt 2>err.txt
	[[ $(cat victim) == precious ]] || fail "a figure went through a link"
done
# A file that the user names may be a link, and stays one.
cp kept/cells.jsonl base.jsonl
ln -s base.jsonl link.jsonl
expect 0 accept kept --baseline link.jsonl
check "a named link stays" test -L link.jsonl

# Where others may write, a link with the name of a temporary file is no way
# out.
mkdir open
for ((i = 0; i < 20; i++)); do
	ln -s ../victim "open/.j.xml.$i.tmp"
done
expect 0 check kept --baseline kept --junit open/j.xml
check "no link was followed" test "$(cat victim)" = precious
check "the report is there" test -s open/j.xml

# The user's mask holds for all that is made.
(umask 077 && "$buddylab" run small.ini -o masked --format none)
what="umask 077"
[[ -z $(find masked -perm /077) ]] || fail "others can read what was made"

# Plans are scripts: names are words, whatever is in them.
dir="a b'c\$(touch ranG)\`touch ranH\`\$X;touch ranI;&|<>*?#\"{}%"
mkdir "$dir"
cp small.ini "$dir/e.ini"
mkdir bin
ln -s "$buddylab" bin/buddylab
# Jobs run where they are submitted; the real one is in tests/engines.
cat >bin/sbatch <<-'SBATCH'
	#!/bin/sh
	cat >"job.$$"
	for i in 0 1 2 3; do
		SLURM_ARRAY_TASK_ID=$i sh "job.$$" >&2 || exit
	done
	echo 7
SBATCH
chmod +x bin/sbatch
for format in make parallel slurm; do
	expect 0 plan "$dir/e.ini" -o "$dir/out" --format $format
	case $format in
	make | parallel) command -v $format >/dev/null || continue ;;
	esac
	rm -rf "$dir/out"
	cp out.txt plan
	case $format in
	make) PATH=$PWD/bin:$PATH make -s -f plan >log 2>&1 ;;
	*) PATH=$PWD/bin:$PATH sh -e plan >log 2>&1 ;;
	esac
	what="plan --format $format, run"
	[[ $(find "$dir/out/cells" -name '*.json' | wc -l) -eq 4 ]] ||
		fail "not all cells are there: $(cat log)"
done
nothing_ran
broken=$'two\ntouch ranJ'
mkdir "$broken"
cp small.ini "$broken/e.ini"
for format in make parallel slurm; do
	expect 2 plan "$broken/e.ini" --format $format
	stdout_empty
	stderr_has "a name with a line break"
	expect 2 plan small.ini -o "$broken" --format $format
done

# Code is loaded from the file that was named, and from no other place: a bare
# name is one in the current folder, not one that the loader looks for.
mkdir lib
printf 'int x;\n' | ${CC:-cc} -x c -shared -fPIC -o lib/mine.so - 2>/dev/null
if [[ -s lib/mine.so ]]; then
	export LD_LIBRARY_PATH=$PWD/lib
	expect 2 plan small.ini --reporter-plugin mine.so
	stderr_has "No such file or directory"
	unset LD_LIBRARY_PATH
fi
for line in 'plugin = ./lib/mine.so' 'design = ./lib/mine.so' \
	'reporter-plugin = ./lib/mine.so'; do
	{
		cat small.ini
		printf '[reporter]\n%s\n' "$line"
	} >plugin.ini
	expect 2 plan plugin.ini
	stderr_has "plugin.ini:"
done

# A trace.dat names events, and its library has plugins for them: none is
# loaded, not even from the user's own folder.
dat=$(find "$source_dir/tests/data" -name '*.dat' | head -1)
if [[ -n $dat && -s lib/mine.so ]] && command -v strace >/dev/null; then
	mkdir -p home/.local/lib/traceevent/plugins
	cp lib/mine.so home/.local/lib/traceevent/plugins/plugin_mine.so
	what="import $dat"
	HOME=$PWD/home TRACEEVENT_PLUGIN_DIR=$PWD/lib strace -f -o trace.log \
		-e trace=openat "$buddylab" import "$dat" -o x.blt >out.txt 2>&1
	[[ -s trace.log ]] || fail "strace wrote nothing"
	! grep 'plugin_[a-z0-9_]*\.so' trace.log || fail "a plugin was loaded"
	! grep "$PWD/lib/mine.so" trace.log || fail "a plugin was loaded"
fi

# GNU parallel replaces what is in braces, some of it with what Perl computes.
for name in 'a{= print STDERR "PWN" =}b.ini' 'job{#}.ini' '@CELL@.ini'; do
	cp small.ini "$name"
	expect 2 plan "$name" --format parallel
	stderr_has "GNU parallel would replace part of a name"
	stdout_empty
	expect 0 plan "$name" --format slurm
done

finish
