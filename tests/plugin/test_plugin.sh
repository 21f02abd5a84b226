#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --reporter-plugin: a design built against the installed headers does what the
# same design compiled in does, its builds are told apart, and whatever is wrong
# with a file is said.
#
#     test_plugin.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER SANITIZERS
# shellcheck source=tests/plugin/installed.sh
. "$(dirname "$0")/installed.sh"

# The published claims and their experiments are installed, and found.
expect 0 reproduce tlb-walk
stdout_has "2 MiB on both"
expect 1 reproduce thp-order
stdout_has "lost to 4 KiB units"

# The skeleton under another name; `edit` is one more sed command.
skeleton() {
	local name=$1 edit=${2-}
	{
		sed -e 's/"reporter\/reporter.h"/"reporter\/plugin.h"/' \
			-e "s/\.name = \"skeleton\"/.name = \"$name\"/" \
			-e "$edit" \
			"$(pkg-config --variable=skeleton buddylab-reporter)"
		echo 'BUDDYLAB_REPORTER_PLUGIN(skeleton_reporter);'
	} >"$name.c"
	plugin "$name"
}

cat >exp.ini <<-'INI'
	[experiment]
	title = A plugin beside its twin
	[guest]
	memory = 128M
	base = 1M
	[phase fill]
	workload = memhog
	size = 60%
	[phase settle]
	workload = idle
	duration = 5s
	[reporter]
	capacity = 16
	[variant twin]
	reporter.design = skeleton
	[variant mine]
	reporter.design = mine
INI

skeleton mine
field() { grep "\"variant\":\"$1\"" cells.jsonl | grep -o "\"$2\":[^,}]*"; }

# The same calls, events and counters as the design that is compiled in.
expect 0 run exp.ini --reporter-plugin ./mine.so -o out --format none -j 2
cp out/cells.jsonl .
what="plugin against twin"
[[ -n $(field mine digest) && $(field mine digest) == "$(field twin digest)" ]] ||
	fail "digests differ: $(field mine digest) $(field twin digest)"
[[ $(field mine reporter.pages) == "$(field twin reporter.pages)" ]] ||
	fail "pages reported differ"
[[ $(field mine reporter.pages) != '"reporter.pages":0' ]] ||
	fail "nothing was reported"
[[ $(field mine reporter.plugin) == *xxh3:* ]] || fail "no digest of the file"
[[ -z $(field twin reporter.plugin) ]] || fail "a digest without a plugin"

# It resumes, and another build of the design is another cell.
expect 0 run exp.ini --reporter-plugin ./mine.so -o out --format none
stderr_has "2 of 2 cells had a result already"
expect 0 plan exp.ini --reporter-plugin ./mine.so --only mine
before=$out
plugin mine -DBUILT_AGAIN -g
expect 0 plan exp.ini --reporter-plugin ./mine.so --only mine
[[ $before != "$out" ]] || fail "two builds of a plugin share a cell"
expect 0 plan exp.ini --reporter-plugin ./mine.so --only twin
what="cell that uses no plugin"
[[ $out == "$(field twin id | tr -d '"' | cut -d: -f2)"* ]] ||
	fail "its id depends on the plugin"

# Every command that names designs takes it; a command of `plan` runs as it is.
expect 0 list reporters --reporter-plugin ./mine.so
stdout_has "mine "
expect 0 list options --reporter-plugin ./mine.so
stdout_has "with design = mine:"
expect 0 plan exp.ini --reporter-plugin ./mine.so -o cells --format commands
check "commands of plan" bash -e out.txt
expect 0 status exp.ini --reporter-plugin ./mine.so -o cells
expect 0 collect exp.ini --reporter-plugin ./mine.so -o cells
expect 2 replay none.txt --assume boot --reporter mien --reporter-plugin \
	./mine.so
stderr_has "did you mean 'mine'?"
expect 3 replay none.txt --assume boot --reporter mine --reporter-plugin \
	./mine.so
stderr_has "none.txt"

# An experiment file can choose among what is loaded, and can load nothing.
expect 2 run exp.ini -o never
stderr_has "'mine' is not known"
printf '[reporter]\nplugin = ./mine.so\n' >evil.ini
expect 2 run evil.ini -o never
stderr_has "plugin"

# What is wrong with a file.
refused() {
	local file=$1
	shift
	expect 2 list reporters --reporter-plugin "$file"
	stderr_has "--reporter-plugin $file: $*"
	stdout_empty
}
refused ./missing.so "No such file or directory"
refused . "not a regular file"
echo "not ELF" >text.so
refused ./text.so "no shared object that fits this program"
echo 'int nothing;' >nothing.c
plugin nothing
for size in 20 100 1000 5000; do
	head -c "$size" nothing.so >cut.so
	refused ./cut.so "ends too early"
done
refused ./nothing.so "no symbol buddylab_reporter_plugin"
echo 'void nowhere(void); void f(void); void f(void) { nowhere(); }' >lost.c
plugin lost
refused ./lost.so "no shared object that fits this program"
stderr_has "undefined symbol: nowhere"
skeleton skeleton
refused ./skeleton.so "design 'skeleton' is compiled in already"
skeleton shouting 's/"shouting"/"SHOUTING"/'
refused ./shouting.so "the name of a design is of lower-case letters"
skeleton lame '/\.drain = /d'
refused ./lame.so "design 'lame' leaves out drain"
skeleton greedy 's/"capacity"/"design"/'
refused ./greedy.so "design 'greedy' has an option 'design', which is taken"
skeleton wrong 's/\.def = "1s"/.def = "soon"/'
refused ./wrong.so "default of option 'delay' of design 'wrong'"
skeleton outside 's/OFFSET(delay_ns)/4096/'
refused ./outside.so "option 'delay' of design 'outside' lies outside"
expect 2 list --reporter-plugin ./mine.so --reporter-plugin ./mine.so
stderr_has "design 'mine' is loaded already"

# Built for another version: both numbers are said.
abi=$(pkg-config --variable=abi buddylab-reporter)
cat >future.c <<-C
	#include "reporter/plugin.h"
	extern const struct buddylab_reporter_plugin buddylab_reporter_plugin;
	const struct buddylab_reporter_plugin buddylab_reporter_plugin = {
		.abi = $((abi + 1)),
	};
C
plugin future
refused ./future.so "built for reporter ABI $((abi + 1)), this program has ABI $abi"
sed "s/= $((abi + 1)),/= $abi, .layout = 1,/" future.c >shifted.c
plugin shifted
refused ./shifted.so "built for reporter ABI $abi as this program is, but with other structures"

# The headers name no function that a plugin would not find.
cat "$prefix"/include/buddylab/{alloc,include}/*.h \
	"$prefix"/include/buddylab/reporter/{env,reporter,request}.h |
	grep -v '^static\|^ \*\|^#' |
	grep -oE '^[a-z][a-z0-9_ ]*[ *]\*?[a-z0-9_]+\(' |
	grep -oE '[a-z0-9_]+\($' | tr -d '(' | sort -u >declared.txt
{
	echo '#include "reporter/plugin.h"'
	for header in bitmap check digest rng; do
		echo "#include \"include/$header.h\""
	done
	echo 'const void *all[] = {'
	sed 's/.*/(const void *)&,/' declared.txt
	echo '};'
} >all.c
plugin all
refused ./all.so "no symbol buddylab_reporter_plugin"
what="functions of the headers"
[[ $(wc -l <declared.txt) -gt 80 ]] || fail "too few were found"

# A test of a design's own, on the installed library.
if [[ -z $instrumented ]]; then
	cat >own.c <<-'C'
		#include <stdio.h>
		#include "reporter/sync_env.h"
		int main(void)
		{
			printf("%s %s\n", skeleton_reporter.name,
			       alloc_profile_find("6.1") ? "6.1" : "none");
			return sync_env_init == NULL;
		}
	C
	read -ra flags <<<"$(pkg-config --cflags --libs buddylab)"
	check "own test" "$compiler" -o own own.c "${flags[@]}"
	[[ $(./own) == "skeleton 6.1" ]] || fail "the library does not work"
fi

# The same with CMake.
mkdir project
cat >project/CMakeLists.txt <<-'CMAKE'
	cmake_minimum_required(VERSION 3.20)
	project(mine LANGUAGES C)
	find_package(buddylab 0.1 REQUIRED)
	buddylab_reporter_plugin(mine ../mine.c)
CMAKE
what="find_package"
if "$cmake" -S project -B project/build -DCMAKE_PREFIX_PATH="$prefix" \
	-DCMAKE_C_COMPILER="$compiler" >cmake.txt 2>&1 &&
	"$cmake" --build project/build >>cmake.txt 2>&1; then
	expect 0 list reporters --reporter-plugin project/build/mine.so
	stdout_has "mine "
else
	cat cmake.txt >&2
	fail "the project does not build"
fi
finish
