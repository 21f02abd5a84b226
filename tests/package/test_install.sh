#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `cmake --install`: exactly the files of manifest.txt, by component, below
# DESTDIR; nothing in them names the folders of the build or of the first
# prefix, so that the tree can be moved, and works where it was moved to.
#
#     test_install.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER INSTRUMENTED
build_dir=$3 cmake=$4 compiler=$5 instrumented=$6
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
# shellcheck source=tests/package/manifest.sh
. "$source_dir/tests/package/manifest.sh"

# installed COMPONENT ARGS...: as a packager does it, below $PWD/COMPONENT.
installed() {
	local component=$1
	shift
	what="cmake --install --component $component"
	DESTDIR=$PWD/$component "$cmake" --install "$build_dir" \
		--prefix "$prefix" --component "$component" >install.txt 2>&1 ||
		fail "$(<install.txt)"
}

prefix=$PWD/first
without=()
[[ -d $build_dir/man ]] || without=(-e share/man)
for component in program development; do
	installed $component
	what="files of $component"
	[[ ! -e $prefix ]] || fail "DESTDIR is not heeded"
	expand_manifest $component >want.txt
	files_below "$component$prefix" >got.txt
	if [[ ${#without[@]} -gt 0 ]]; then
		grep -v "${without[@]}" want.txt >less.txt
		mv less.txt want.txt
	fi
	diff -u --label manifest.txt want.txt --label installed got.txt >diff.txt ||
		fail "$(<diff.txt)"
	what="modes of $component"
	odd=$(find "$component$prefix" \( -type f ! -perm 644 ! -perm 755 \) -o \
		\( -type d ! -perm -755 \))
	[[ -z $odd ]] || fail "$odd"
done

# The two together, moved.
mkdir moved
cp -a "program$prefix/." "development$prefix/." moved
rm -rf program development
what="paths in the installed files"
for path in "$prefix" "$build_dir" "$source_dir"; do
	found=$(naming "$path" moved I)
	[[ -z $found ]] || fail "$path in $found"
done
[[ -z $instrumented ]] || finish
consume "$PWD/moved" "$PWD/moved/bin/buddylab"
finish
