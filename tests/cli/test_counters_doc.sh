#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/counters.md lists exactly the counters that the program has.
#     tests/cli/test_counters_doc.sh BUDDYLAB ROOT
set -euo pipefail

diff <("$1" list counters | sed 's/ *$//') \
	<(sed -n 's/^    //p' "$2/docs/counters.md") ||
	{ echo "docs/counters.md is not what 'buddylab list counters' prints"; exit 1; }
