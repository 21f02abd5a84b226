#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shell scripts that ship, and these tests of them, are shellcheck-clean.
command -v shellcheck >/dev/null || {
	echo "shellcheck not found"
	exit 77
}
cd "$1" || exit 1
exec shellcheck -x -P "$1" scripts/buddylab-record scripts/buddylab-kernel-reporter \
	tests/scripts/*.sh tests/kernel/*.sh
