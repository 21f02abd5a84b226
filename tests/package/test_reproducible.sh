#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two builds of the Debian packages give the same bytes: in other folders, by
# other users, with another umask, time, time zone, locale and number of jobs.
# Both are on one kind of file system: CPack adds up sizes of folders, which
# differ between kinds, for Installed-Size.
#
#     test_reproducible.sh BUDDYLAB SOURCE_DIR [FOLDER]
#
# FOLDER (default: a temporary one) keeps both builds.
set -euo pipefail
source_dir=$2
work=${3-}
for tool in git dpkg-shlibdeps file scdoc; do
	command -v "$tool" >/dev/null || {
		echo "skipped: $tool not found; .ci/install test package" >&2
		exit 77
	}
done
pkg-config --exists libtracecmd libtracefs || {
	echo "skipped: no libtracecmd; .ci/install trace" >&2
	exit 77
}
scratch=${work:-$(mktemp -d "${TMPDIR:-/tmp}/buddylab-first-XXXXXX")}
mkdir -p "$scratch"
second=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-the-second-XXXXXX")
first=
clean() {
	[[ -z $first ]] || kill "$first" 2>/dev/null || true
	rm -rf "$second"
	[[ -n $work ]] || rm -rf "$scratch"
}
trap clean EXIT
unset CMAKE_C_COMPILER_LAUNCHER SOURCE_DATE_EPOCH CFLAGS LDFLAGS
export CCACHE_DISABLE=1 TMPDIR=/tmp

# tree FOLDER: the sources without what git knows of them.
tree() {
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$source_dir" && git ls-files -z --cached --others --exclude-standard |
		xargs -0 cp --parents -t "$1")
}

# The commands of docs/releasing.md.
cat >"$scratch/build.sh" <<-'SH'
	set -e
	cd "$1"
	cmake --preset deb
	cmake --build --preset deb -j "$2"
	cd build/deb
	umask 022 # CPack gives the members of the archive what it leaves
	cpack
SH

tree "$scratch/a"
tree "$second/b/deeper"
varied="folder, umask, time zone, locale, jobs"
as=()
if [[ $(id -u) -eq 0 ]] && command -v setpriv >/dev/null; then
	chown -R 65534:65534 "$second"
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	varied+=", user"
fi
if command -v faketime >/dev/null; then
	as+=(faketime -f +400d)
	varied+=", time"
fi
chmod 755 "$scratch"

run() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -30 "$log" >&2
	return 1
}
cp "$scratch/build.sh" "$second/build.sh"
run "$scratch/a.log" env TZ=UTC LC_ALL=C HOME=/nonexistent/a \
	bash -c 'umask 022; exec bash "$@"' - "$scratch/build.sh" "$scratch/a" 2 &
first=$!
run "$scratch/b.log" env TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANGUAGE=tr \
	HOME=/nonexistent/b "${as[@]}" \
	bash -c 'umask 027; exec bash "$@"' - "$second/build.sh" "$second/b/deeper" 3
wait "$first"
first=

sums() {
	(cd "$1/build/deb" && find cli/buddylab man completion ./*.deb \
		-type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}
sums "$scratch/a" >"$scratch/a.sums"
sums "$second/b/deeper" >"$scratch/b.sums"
echo "varied: $varied"
grep -E '(buddylab|\.deb)$' "$scratch/a.sums"
if ! diff -u "$scratch/a.sums" "$scratch/b.sums"; then
	[[ -z $work ]] || cp -r "$second/b/deeper" "$scratch/b"
	echo "the builds differ; diffoscope on two of the files says where" >&2
	exit 1
fi
echo "$(wc -l <"$scratch/a.sums") files are the same"
