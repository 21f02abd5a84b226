#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The HTML report: one file that loads nothing, well-formed, with hostile names
# shown as text; and in a real browser, where there is one, a table is sorted by
# a click and light and dark differ.
#
#     tests/bench/test_html.sh BUDDYLAB SOURCE_FOLDER
set -u -o pipefail
buddylab=$(realpath "$1")
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-html-XXXXXX")
trap 'rm -rf "$out"' EXIT
failures=0

fail() {
	echo "FAIL: $1" >&2
	failures=$((failures + 1))
}

cat >"$out/exp.ini" <<'INI'
[experiment]
title = <script>alert(1)</script> & "quoted"
seeds = 1..2
sample = 100ms
[guest]
memory = 256M
topology = core:2 pu:1
[host]
memory = 8G
[phase fill]
workload = memhog
size = 50%
[phase measure]
workload = page_fault1
tasks = 1,2
duration = 200ms
[variant first]
reporter.design = none
[variant second]
reporter.design = page_reporting
INI
if ! "$buddylab" run "$out/exp.ini" -o "$out/r" --format none 2>"$out/err"; then
	cat "$out/err" >&2
	exit 1
fi
# No experiment has such a name; a file of results from a stranger may.
sed -i 's|"variant":"first"|"variant":"<b>first</b>"|
s|"variant": "first"|"variant": "<b>first</b>"|' "$out/r/cells.jsonl"
"$buddylab" report "$out/r" --format html >"$out/page.html" 2>"$out/err" ||
	fail "exit status $?: $(cat "$out/err")"
[ -s "$out/err" ] && ! command -v gnuplot >/dev/null || [ ! -s "$out/err" ] ||
	fail "messages: $(cat "$out/err")"
"$buddylab" report "$out/r" --format html 2>/dev/null |
	cmp - "$out/page.html" || fail "a second page has other bytes"

python3 - "$out/page.html" <<'PY' || fail "the page is not well-formed"
import html.parser
import sys

VOID = {"meta", "img", "br"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.count = {}
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("href", "action"), f"{tag} loads {value}"
            assert name != "src" or value.startswith("data:"), value

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.text += data


text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
page.close()
assert not page.open, page.open
assert page.count["script"] == 1, "a script came in with a name"
assert "b" not in page.count, "a tag came in with a name"
assert '<script>alert(1)</script> & "quoted"' in page.text
assert "<b>first</b>" in page.text
assert page.count["table"] == 4, page.count
assert "guest.memory" in page.text and "reporter.design" in page.text
PY

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
	echo "no chromium: the page was not looked at in a browser" >&2
	exit $((failures != 0))
fi

# dom PAGE ARGS: what a browser makes of it.
dom() {
	local page=$1
	shift
	HOME=$out timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
		--user-data-dir="$out/profile" "$@" "file://$page" 2>/dev/null
}

# Sort the first table by its fourth column, twice: the largest comes first.
sed 's|</body>|<script>for (const i of [1, 2])\
document.querySelector("th[data-column=\\"2\\"] button").click();\
document.title = Array.from(document.querySelectorAll("table")[0]\
.tBodies[0].rows, r => r.cells[2].dataset.v).join(" ") + " " +\
document.querySelector("th[data-column=\\"2\\"]").ariaSort;\
</script></body>|' "$out/page.html" >"$out/clicked.html"
dom "$out/clicked.html" --dump-dom >"$out/dom"
title=$(sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$out/dom")
read -ra words <<<"$title"
[ "${words[-1]-}" = descending ] || fail "not sorted: title is '$title'"
printf '%s\n' "${words[@]:0:${#words[@]}-1}" >"$out/order"
sort -rg "$out/order" | cmp -s - "$out/order" ||
	fail "not in descending order: $title"
[ "$(wc -l <"$out/order")" -eq 4 ] || fail "not four rows: $title"
[ "$(sort -u "$out/order" | wc -l)" -gt 1 ] || fail "all rows are alike"

for scheme in 0 1; do
	dom "$out/page.html" --blink-settings=preferredColorScheme=$scheme \
		--window-size=400,300 --screenshot="$out/look-$scheme.png"
	[ -s "$out/look-$scheme.png" ] || fail "no picture of look $scheme"
done
cmp -s "$out/look-0.png" "$out/look-1.png" && fail "light and dark are alike"
exit $((failures != 0))
