#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `report --format openmetrics`: the reference parser takes it, and finds every
# counter of every cell with its labels.
#
#     tests/bench/test_openmetrics.sh BUDDYLAB SOURCE_FOLDER
set -u -o pipefail
buddylab=$(realpath "$1")
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-metrics-XXXXXX")
trap 'rm -rf "$out"' EXIT

# Debian's, where its packages are.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import prometheus_client' 2>"$out/err"; then
	echo "python3-prometheus-client is not installed" >&2
	exit 77
fi
cat >"$out/exp.ini" <<'INI'
[experiment]
title = a "quoted" \ title
seeds = 1..2
[guest]
memory = 256M
topology = core:2 pu:1
[host]
memory = 8G
[phase fill]
workload = memhog
size = 50%,60%
[variant first]
reporter.design = none
[variant second]
reporter.design = page_reporting
INI
if ! "$buddylab" run "$out/exp.ini" -o "$out/r" --format none 2>"$out/err"; then
	cat "$out/err" >&2
	exit 1
fi
"$buddylab" report "$out/r" --format openmetrics >"$out/text" || exit 1
exec "$python" - "$out/text" "$out/r/cells.jsonl" <<'PY'
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

text = open(sys.argv[1], encoding="utf-8").read()
found = {}
for family in text_string_to_metric_families(text):
    for s in family.samples:
        key = (s.name, s.labels["variant"], s.labels["seed"],
               s.labels["phase_fill_size"])
        assert key not in found, key
        assert s.labels["experiment"] == 'a "quoted" \\ title', s.labels
        found[key] = s.value
nr = 0
for line in open(sys.argv[2], encoding="utf-8"):
    cell = json.loads(line)
    for kind, end in (("counters", "_total"), ("metrics", "")):
        for name, value in cell[kind].items():
            key = ("buddylab_" + name.replace(".", "_") + end,
                   cell["variant"], str(cell["seed"]),
                   cell["axes"]["phase.fill.size"])
            assert found[key] == value, (key, found.get(key), value)
            nr += 1
assert nr == len(found) and nr > 100, (nr, len(found))
PY
