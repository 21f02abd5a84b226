#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion: what bash and zsh offer at a place is what the program takes there.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

expect 0 completion bash
cp out.txt buddylab.bash
expect 0 completion zsh
cp out.txt _buddylab
check "bash reads its script" bash -n buddylab.bash
check "bash reads its script twice, with unset variables an error" \
	bash -uc '. ./buddylab.bash; . ./buddylab.bash'
expect 2 completion
stderr_has "bash or zsh"
expect 2 completion zhs
stderr_has "did you mean 'zsh'?"

# offers LINE WORDS...: with the cursor behind WORDS there is such a line.
offers() {
	local want=$1
	shift
	what="completion of '$*'"
	out=$(bash "$source_dir/tests/cli/completion.bash" ./buddylab.bash "$@")
	err=
	grep -Fqx -- "$want" <<<"$out" || fail "'$want' is not offered"
}

offers_not() {
	local want=$1
	shift
	what="completion of '$*'"
	out=$(bash "$source_dir/tests/cli/completion.bash" ./buddylab.bash "$@")
	! grep -Fqx -- "$want" <<<"$out" || fail "'$want' is offered"
}

offers run ''
offers run-cell run
offers_not plan run
offers --step-by-step run --
offers_not --cell run --
offers --cell run-cell --c
offers slurm plan --format ''
offers slurm plan --format = s
offers make plan --format =
offers 6.12 replay --kernel 6
offers zone_bitmap replay --reporter z
offers page_fault1 stream-diff --workload page
offers resident plot --figure ''
offers reporter.design= run --set reporter.des
offers page_reporting run --set reporter.design = page
offers on run --set guest.shuffle =
offers kernels list k
offers import help im
touch here.ini
mkdir folder
offers here.ini run he
offers folder report fo
offers folder run -o fo
offers_not here.ini run -o ''

# Every option of every command's help, and nothing else.
while read -r command; do
	want=$("$buddylab" "$command" --help |
		grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' |
		sort -u)
	got=$(bash "$source_dir/tests/cli/completion.bash" ./buddylab.bash \
		"$command" -- | sort)
	what="options of $command"
	[[ $got == "$want" ]] || fail "$got instead of $want"
done < <("$buddylab" --help | grep -oE '^  [a-z][a-z-]* ' | tr -d ' ' | grep -v help)

# Every key that bash offers for --set is one that the program knows.
write_small
offers guest.memory= run --set guest.m
while read -r key; do
	expect 2 plan small.ini --set "$key@"
	[[ $err != *"unknown key"* || $key == reporter.* || $key == host.* ]] ||
		fail "${key%=} is unknown"
done < <(bash "$source_dir/tests/cli/completion.bash" ./buddylab.bash \
	run --set guest.)

if command -v zsh >/dev/null; then
	check "zsh reads its script" zsh -n _buddylab
	check "zsh completes in a terminal" \
		python3 "$source_dir/tests/cli/zsh_completes.py" ./_buddylab
fi
finish
