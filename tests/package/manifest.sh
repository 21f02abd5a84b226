# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of what is shipped; tests/cli/lib.sh comes first, and cmake
# and compiler are set.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

files_below() {
	(cd "$1" && find . ! -type d | sed 's/^\.\///' |
		sed -E 's/^lib\/[a-z0-9_]+-linux-[a-z0-9]+\//lib\//' | LC_ALL=C sort)
}

# naming PATH DIR [I]: files below DIR that name PATH as a path of its own (the
# sources may be in /buddylab, and share/buddylab is in most files); I: of texts.
naming() {
	printf '%s' "$1" | sed 's/[][\\.*^$+?(){}|]/\\&/g' |
		sed 's/.*/(^|[^A-Za-z0-9_.}~\/-])&(\/|[^A-Za-z0-9_.-]|$)/' |
		LC_ALL=C grep -rlE"${3:-a}" -f - "$2"
}

# expand_manifest COMPONENT: the paths that manifest.txt asks for.
expand_manifest() {
	local component path from names file commands
	commands=$("$buddylab" --help | grep -oE '^  [a-z][a-z-]* ' |
		tr -d ' ' | grep -vx help)
	while read -r component path from names; do
		[[ $component == "$1" ]] || continue
		path=${path/#LIB/lib}
		if [[ $path == *COMMAND* ]]; then
			for file in $commands; do
				echo "${path/COMMAND/$file}"
			done
		elif [[ $path == */\*\* ]]; then
			find "$source_dir/$from" -type f -name "$names" \
				-printf "${path%\*\*}%P\n"
		else
			echo "$path"
		fi
	done <"$source_dir/tests/package/manifest.txt" | LC_ALL=C sort
}

# consume ROOT PROGRAM: what others build against the tree in ROOT: a plugin by
# CMake and one by pkg-config, which PROGRAM loads, and a program with the
# library.
consume() {
	local root=$1 program=$2 pc flags
	pc=$(dirname "$(find "$root" -name buddylab.pc)")
	mkdir consumer
	cat >consumer/own.c <<-'C'
		#include <stdio.h>
		#include "reporter/sync_env.h"
		int main(void)
		{
			const struct alloc_profile *p = alloc_profile_find("6.1");
			printf("%s %d\n", skeleton_reporter.name, p && sync_env_init);
			return 0;
		}
	C
	sed -e 's/"reporter\/reporter.h"/"reporter\/plugin.h"/' \
		-e 's/\.name = "skeleton"/.name = "mine"/' \
		"$root/share/buddylab/reporter/skeleton.c" >consumer/mine.c
	echo 'BUDDYLAB_REPORTER_PLUGIN(skeleton_reporter);' >>consumer/mine.c
	cat >consumer/CMakeLists.txt <<-'CMAKE'
		cmake_minimum_required(VERSION 3.20)
		project(consumer LANGUAGES C)
		find_package(buddylab 0.1 REQUIRED)
		buddylab_reporter_plugin(mine mine.c)
		add_executable(own own.c)
		target_link_libraries(own PRIVATE buddylab::buddylab)
	CMAKE
	what="consumer by CMake"
	if "$cmake" -S consumer -B consumer/build -DCMAKE_PREFIX_PATH="$root" \
		-DCMAKE_C_COMPILER="$compiler" >cmake.txt 2>&1 &&
		"$cmake" --build consumer/build >>cmake.txt 2>&1; then
		[[ $(consumer/build/own) == "skeleton 1" ]] ||
			fail "the library does not work"
	else
		fail "$(<cmake.txt)"
	fi
	uses_plugin "$program" consumer/build/mine.so

	what="consumer by pkg-config"
	read -ra flags <<<"$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs buddylab)"
	"$compiler" -o own consumer/own.c "${flags[@]}" || fail "it does not build"
	[[ $(./own) == "skeleton 1" ]] || fail "the library does not work"
	read -ra flags <<<"$(PKG_CONFIG_PATH=$pc pkg-config --cflags buddylab-reporter)"
	"$compiler" -shared -fPIC -O1 "${flags[@]}" -o mine.so consumer/mine.c ||
		fail "the plugin does not build"
	uses_plugin "$program" ./mine.so
}

# uses_plugin PROGRAM FILE
uses_plugin() {
	what="$1 with $2"
	"$1" list reporters --reporter-plugin "$2" 2>&1 | grep -q '^ *mine ' ||
		fail "the program does not take the plugin"
}
