#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every Python file compiles, and pyflakes finds nothing, if it is there.
#
#     python.sh SOURCE-FOLDER
set -eu -o pipefail
cd "$1"
mapfile -t files < <(find plots scripts tests bench -name '*.py' \
	-not -path '*/build/*' | sort)
python3 -B - "${files[@]}" <<'PYTHON'
import sys

for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        compile(file.read(), name, "exec")
print(len(sys.argv) - 1, "files compile")
PYTHON
if command -v pyflakes3 >/dev/null; then
	# plots/*.py follow plots/common.py in one file, and use its names.
	mapfile -t own < <(printf '%s\n' "${files[@]}" | grep -v '^plots/')
	pyflakes3 "${own[@]}"
	echo "pyflakes3 finds nothing in ${#own[@]} files"
fi
