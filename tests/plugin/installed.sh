# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of plugins: tests/cli/lib.sh, and the program installed
# below $scratch, found as a user finds it.
# shellcheck shell=bash
# shellcheck disable=SC2034
build_dir=$3 cmake=$4 compiler=$5 instrumented=$6
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/cli/lib.sh
. "$here/../cli/lib.sh"

for tool in pkg-config patch; do
	if ! command -v "$tool" >/dev/null; then
		echo "skipped: $tool not found" >&2
		exit 77
	fi
done
prefix=$scratch/prefix
if ! "$cmake" --install "$build_dir" --prefix "$prefix" >install.txt 2>&1; then
	cat install.txt >&2
	exit 1
fi
libdir=$(dirname "$(find "$prefix" -name libbuddylab.a)")
export PATH=$prefix/bin:$PATH
export PKG_CONFIG_PATH=$libdir/pkgconfig
# shellcheck disable=SC2034
buddylab=$prefix/bin/buddylab

# plugin NAME [FLAGS...]: NAME.so of NAME.c.
plugin() {
	local name=$1
	shift
	read -ra flags <<<"$(pkg-config --cflags --libs buddylab-reporter)"
	check "$name.so" "$compiler" -std=gnu11 -O1 -Wall -Wextra \
		-Wno-unused-parameter -Wno-unused-function -shared -fPIC "${flags[@]}" "$@" \
		-o "$name.so" "$name.c"
}
