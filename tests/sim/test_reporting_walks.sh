#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Walks of page_reporting that are counted give what walks that are made give.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" >"$dir/counted" 2>/dev/null || { cat "$dir/counted"; exit 1; }
"$2" >"$dir/made" 2>/dev/null || { cat "$dir/made"; exit 1; }
grep -q '^reporter.list_visits ' "$dir/made" || { echo "no counters"; exit 1; }
cmp "$dir/counted" "$dir/made" || { diff "$dir/counted" "$dir/made" | head -40; exit 1; }
