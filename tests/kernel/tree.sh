#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tree.sh DIR [RELEASE]: the few files of linux-source-RELEASE (6.1) that the
# tests compile, in DIR/linux-source-RELEASE. From the package if it is
# installed; else that of 6.1 is downloaded, once, without being installed. 77
# with a reason where neither can be had.
set -eu

dir=$1
release=${2:-6.1}
archive=/usr/src/linux-source-$release.tar.xz
top=linux-source-$release

skip() {
	echo "skipped: $1"
	exit 77
}

mkdir -p "$dir"
cd "$dir"
[ ! -e "$top/complete" ] || [ ! -e "$top/mm/shuffle.h" ] || exit 0
if [ ! -r "$archive" ]; then
	[ "$release" = 6.1 ] || skip "linux-source-$release is not installed"
	for tool in apt-get dpkg-deb; do
		command -v "$tool" >/dev/null || skip "linux-source-$release is \
not installed, and there is no $tool to fetch it"
	done
	timeout 300 apt-get download -q "linux-source-$release" >fetch.log 2>&1 ||
		skip "linux-source-$release cannot be had: $(tail -n 1 fetch.log)"
	dpkg-deb --fsys-tarfile linux-source-"$release"_*.deb |
		tar -x "./usr/src/$top.tar.xz"
	rm -f linux-source-"$release"_*.deb
	archive=$PWD/usr/src/$top.tar.xz
fi
command -v xz >/dev/null || skip "no xz to unpack $archive"
# --occurrence: the rest of the archive is not even read.
tar -xJf "$archive" --occurrence=1 "$top/mm/page_reporting.c" \
	"$top/mm/page_reporting.h" "$top/include/linux/page_reporting.h" \
	"$top/include/linux/mmzone.h" "$top/mm/shuffle.c" "$top/mm/shuffle.h"
rm -rf usr
touch "$top/complete"
