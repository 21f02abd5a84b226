#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The workflow of docs/ci.md from end to end: the repository that it describes,
# with the files as they stand there; the steps of its workflow in fresh clones,
# as a runner takes them; a regression that is planted, found, repeated by the
# command that is printed, and taken back; a change that is accepted; and an
# experiment that no longer fits its baseline.
#
#     test_ci_workflow.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER SANITIZERS
# shellcheck source=tests/plugin/installed.sh
. "$2/tests/plugin/installed.sh"

python=python3
python3 -c 'import yaml' 2>/dev/null || python=/usr/bin/python3
if ! "$python" -c 'import yaml' 2>/dev/null || ! command -v git >/dev/null; then
	echo "skipped: needs git and python3-yaml: .ci/install test" >&2
	exit 77
fi
if [[ -n $instrumented ]]; then
	echo "skipped: a plugin of the page is built without sanitizers" >&2
	exit 77
fi
export HOME=$scratch GIT_CONFIG_NOSYSTEM=1
git config --global user.name Tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY

# block NAME: the code that follows the line "`NAME`:" in the page.
block() {
	awk -v name="\`$1\`:" '
		$0 == name { wanted = 1; next }
		wanted && /^```/ { if (inside) exit; inside = 1; next }
		inside { print }' "$source_dir/docs/ci.md"
}

# accept_block: the commands that make a baseline.
accept_block() {
	awk '/^The first baseline/ { wanted = 1; next }
		wanted && /^```/ { if (inside) exit; inside = 1; next }
		inside { print }' "$source_dir/docs/ci.md"
}

# steps: the steps of the workflow that run something, one base64 line each.
steps() {
	"$python" - "$1" <<-'END'
		import base64, sys, yaml
		flow = yaml.safe_load(open(sys.argv[1]))
		assert True in flow or "on" in flow, "no trigger"
		for job in flow["jobs"].values():
		    assert "runs-on" in job
		    for step in job["steps"]:
		        assert ("uses" in step) != ("run" in step), step
		        if "run" in step:
		            assert step["name"], step
		            text = step["name"] + "\n" + step["run"]
		            print(base64.b64encode(text.encode()).decode())
	END
}

# workflow STATUS: clone and run the steps; in ./clone, log.txt and summary.md.
workflow() {
	local want=$1 got=0 line name script
	what="workflow that should end with $want"
	rm -rf clone summary.md
	git clone -q repo clone || fail "cannot clone"
	while read -r line; do
		name=$(base64 -d <<<"$line" | head -1)
		script=$(base64 -d <<<"$line" | tail -n +2)
		# Stands for a build from source: it is installed already.
		[[ $name == "Install buddylab" ]] && continue
		(cd clone && GITHUB_ACTIONS=true \
			GITHUB_STEP_SUMMARY=$scratch/summary.md \
			bash --noprofile --norc -eo pipefail -c "$script") \
			>log.txt 2>&1
		got=$?
		[[ $got -eq 0 ]] || break
	done < <(steps clone/.github/workflows/gate.yml)
	out=$(<log.txt) err=
	[[ $got -eq $want ]] || fail "it ended with $got"
}

commit() {
	if ! git -C repo add -A || ! git -C repo commit -qm "$1"; then
		fail "cannot commit"
	fi
}

accept() {
	(cd repo && accept_block | bash -e) >accept.txt 2>&1 ||
		fail "accept: $(cat accept.txt)"
	rm -rf repo/out repo/mine.so
}

# The repository of the page.
git init -q repo
mkdir -p repo/ci repo/.github/workflows
for file in gate.ini thresholds.ini ci/gate.sh .github/workflows/gate.yml; do
	block "$file" >"repo/$file"
	[[ -s repo/$file ]] || fail "docs/ci.md lacks $file"
done
printf 'out/\nmine.so\nmessage.txt\n' >repo/.gitignore
{
	sed -e 's/skeleton/mine/g' \
		-e 's/reporter\/reporter\.h/reporter\/plugin.h/' \
		"$(pkg-config --variable=skeleton buddylab-reporter)"
	echo 'BUDDYLAB_REPORTER_PLUGIN(mine_reporter);'
} >repo/mine.c
[[ $(steps repo/.github/workflows/gate.yml | wc -l) -ge 2 ]] ||
	fail "the workflow runs nothing"
if command -v shellcheck >/dev/null; then
	check "ci/gate.sh" shellcheck repo/ci/gate.sh
fi

# Without a baseline there is no pass.
commit "A design and its gate"
workflow 4
stdout_has "there is no such baseline"
accept
commit "A baseline"

workflow 0
stdout_has "compared over the seeds: "
grep -q '^## buddylab check: equal' summary.md || fail "no summary"
grep -q '^::' log.txt && fail "notes without a reason"

# The same source in another build: other bytes, nothing moved.
sed -i 's/cc -std=gnu11 -O2/cc -std=gnu11 -O1 -g/' repo/ci/gate.sh
commit "Build with -O1"
workflow 0
stdout_has "note: the plugin is another build in 5 cells"

# A regression of one line.
sed -i 's,s->nr < mine_options(r)->capacity,& / 2,' repo/mine.c
git -C repo diff --quiet && fail "nothing was planted"
commit "mine: tidy up"
workflow 1
stdout_has "moved: 5 of 10 cells"
stdout_has "variant mine, seed 1: "
stdout_has "reporter.list_visits "
stdout_has "::error file=gate.jsonl,line="
grep -q '^## buddylab check: moved' summary.md || fail "no summary"
grep -q '<failure' clone/out/junit.xml || fail "no failure in junit.xml"
[[ -s clone/out/report.md ]] || fail "no report to keep"
# The command that is printed repeats the cell, and gives the value named.
repeat=$(sed -n 's/^    to repeat: //p' log.txt | head -1)
value=$(sed -n 's/^    reporter.list_visits [0-9]* -> \([0-9]*\).*/\1/p' log.txt |
	head -1)
what="$repeat"
(cd clone && bash -c "$repeat") >repeat.txt 2>&1 || fail "$(cat repeat.txt)"
grep -q "\"reporter.list_visits\":$value," clone/again/cells/*.json ||
	fail "list_visits is not $value"

# Taken back, it passes; meant, it is accepted with a message.
git -C repo revert --no-edit HEAD >/dev/null
workflow 0
sed -i 's,s->nr < mine_options(r)->capacity,& / 2,' repo/mine.c
accept
grep -q 'Cells: 5 moved, 5 unchanged, 0 added, 0 removed.' repo/message.txt ||
	fail "message: $(cat repo/message.txt)"
commit "mine: half an array at a time, and that is meant"
workflow 0

# An experiment that the baseline is not of.
sed -i 's/^seeds = .*/seeds = 1..6/' repo/gate.ini
commit "One more seed"
workflow 4
stdout_has "0 cells missing, 2 not in the baseline"
finish
