#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages: lintian finds no error and nothing to warn of, they hold
# what manifest.txt lists and what policy asks for beyond it, and what is in
# them works: unpacked into a folder, and installed and removed by dpkg there.
#
#     test_deb.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER
#
# BUILD_DIR is any build; that of the preset deb is the one to ship.
build_dir=$3 cmake=$4 compiler=$5
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
# shellcheck source=tests/package/manifest.sh
. "$source_dir/tests/package/manifest.sh"
for tool in dpkg-shlibdeps dpkg-deb file lintian pkg-config scdoc; do
	if ! command -v "$tool" >/dev/null; then
		echo "skipped: $tool not found; .ci/install package" >&2
		exit 77
	fi
done
version=$("$buddylab" --version)
version=${version#buddylab }

"${cmake%cmake}cpack" --config "$build_dir/CPackConfig.cmake" -B out >cpack.txt 2>&1 || {
	cat cpack.txt >&2
	exit 1
}
arch=$(dpkg --print-architecture)
debs=("out/buddylab_$version-1_$arch.deb" "out/libbuddylab-dev_$version-1_$arch.deb")
check "names of the packages" ls "${debs[@]}" >/dev/null

# A build for another prefix than /usr has its libraries in lib.
suppress=()
if ! dpkg-deb -c "${debs[1]}" | grep -q 'usr/lib/[a-z0-9_]*-linux-gnu/pkgconfig'; then
	suppress=(--suppress-tags pkg-config-unavailable-for-cross-compilation)
fi
what=lintian
lintian --allow-root --fail-on error,warning "${suppress[@]}" "${debs[@]}" \
	>lintian.txt 2>&1 || fail "$(<lintian.txt)"

# field PACKAGE NAME PATTERN
field() {
	what="$2 of ${debs[$1]##*/}"
	out=$(dpkg-deb -f "${debs[$1]}" "$2")
	[[ $out =~ $3 ]] || fail "is not like '$3'"
}
field 0 Package '^buddylab$'
field 0 Section '^science$'
field 0 Priority '^optional$'
field 0 Maintainer '^[^<]+ <[^@ ]+@[^@ ]+>$'
field 0 Depends 'libc6 \(>= .*libjansson4.*libzstd1'
field 0 Recommends 'gnuplot-nox .*parallel.*python3-matplotlib'
field 0 Description '^laboratory for .*'
field 1 Section '^libdevel$'
field 1 Depends "^buddylab \(= $version-1\), .*libxxhash-dev"

packages=(buddylab libbuddylab-dev)
components=(program development)
for i in 0 1; do
	name=${packages[i]}
	mkdir "$name"
	dpkg-deb -x "${debs[i]}" "$name"
	dpkg-deb -e "${debs[i]}" "$name.control"
	what="files of $name"
	doc=share/doc/$name
	{
		expand_manifest "${components[i]}" |
			grep -vE 'doc/buddylab/(LICENSE|CHANGELOG.md)$' |
			sed 's/^share\/man\/.*/&.gz/'
		printf '%s\n' "$doc"/{copyright,changelog.gz,changelog.Debian.gz} \
			"share/lintian/overrides/$name"
	} | LC_ALL=C sort >want.txt
	files_below "$name/usr" >got.txt
	diff -u --label wanted want.txt --label packed got.txt >diff.txt ||
		fail "$(<diff.txt)"
	out=$(dpkg-deb -c "${debs[i]}" | grep -vE '^(-rw-r--r--|[d-]rwxr-xr-x) root/root ')
	stdout_empty
	what="md5sums of $name"
	(cd "$name" && md5sum --quiet -c "../$name.control/md5sums") >md5.txt 2>&1 ||
		fail "$(<md5.txt)"
	[[ $(wc -l <"$name.control/md5sums") -eq $(wc -l <got.txt) ]] ||
		fail "files are missing"
	what="paths of the build in $name"
	found=$(naming "$build_dir" "$name"; naming "$source_dir" "$name")
	[[ -z $found ]] || fail "$found"
done
what="the changelog"
out=$(zcat buddylab/usr/share/doc/buddylab/changelog.Debian.gz)
stdout_has "buddylab ($version-1)"
out=$(zcat buddylab/usr/share/doc/buddylab/changelog.gz)
stdout_has "## $version"
what="the program"
out=$(file buddylab/usr/bin/buddylab)
stdout_has ", stripped"
library=$(find libbuddylab-dev -name libbuddylab.a)
out=$(readelf -SW "$library" | grep -E 'gnu\.lto|debug_info')
stdout_empty

# As installed: the program, an experiment of its own, manual and completion.
root=$PWD/root/usr
mkdir root
cp -a buddylab/. libbuddylab-dev/. root
buddylab=$root/bin/buddylab
expect 0 --version
stdout_has "buddylab $version"
expect 0 list reporters
stdout_has page_reporting
expect 0 run "$root/share/buddylab/experiments/first.ini" -o first --seeds 1 --format none
expect 0 report first
stdout_has "reporting      1"
expect 0 reproduce tlb-walk
what="the manual"
out=$(zcat "$root/share/man/man1/buddylab-run.1.gz")
stdout_has ".TH \"buddylab-run\" \"1\""
if command -v man >/dev/null; then
	MANPATH=$root/share/man man -w buddylab-experiment >/dev/null ||
		fail "man does not find a page"
fi
check "completion of bash" bash -n "$root/share/bash-completion/completions/buddylab"
check "completion of zsh" grep -q '^#compdef buddylab' "$root/share/zsh/site-functions/_buddylab"
consume "$root" "$buddylab"

# By dpkg itself, which leaves nothing when it removes.
if [[ $(id -u) -eq 0 ]]; then
	what="dpkg --root"
	mkdir -p other/var/lib/dpkg/{info,updates} other/var/log
	touch other/var/lib/dpkg/{status,available}
	dpkg=(dpkg --root="$PWD/other" --force-depends --force-script-chrootless)
	"${dpkg[@]}" -i "${debs[@]}" >dpkg.txt 2>&1 || fail "$(<dpkg.txt)"
	[[ $(other/usr/bin/buddylab --version) == "buddylab $version" ]] ||
		fail "it does not run"
	"${dpkg[@]}" -P libbuddylab-dev buddylab >dpkg.txt 2>&1 || fail "$(<dpkg.txt)"
	out=$(find other/usr -type f 2>/dev/null)
	stdout_empty
fi
finish
