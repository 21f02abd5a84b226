# SPDX-License-Identifier: GPL-2.0-or-later
# What bash would offer: completion.bash SCRIPT WORD... puts the cursor behind
# the last word. `=` is a word of its own, as readline cuts them.
. "$1"
shift
COMP_WORDS=(buddylab "$@")
COMP_CWORD=$#
_buddylab
printf '%s\n' "${COMPREPLY[@]}"
