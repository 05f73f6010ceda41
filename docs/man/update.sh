#!/bin/sh
# Writes what programs say of their options (--help) into the manual pages, between the lines
# '.\" options of PROGRAM [COMMAND]' and '.\" end'. With a second folder the pages go there.
#
# Usage: docs/man/update.sh BIN [DIR]      BIN: folder of hone and rpc_server
set -eu

bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
to=${2:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Entries of a help text are two blanks, what is typed, and from column 32 on what it does.
block() { # PROGRAM [COMMAND...]: as paragraphs with a tag
	program=$1
	shift
	"$bin/$program" "$@" --help >"$work/help"
	awk 'function quoted(s) {
			gsub(/\\/, "\\e", s)
			gsub(/-/, "\\-", s)
			return s ~ /^[.'\'']/ ? "\\&" s : s
		}
		/^[a-z].*:$/ { inside = /options:$|settings:$|commands:$/; next }
		!inside || /^$/ { inside = inside && !/^$/; next }
		/^  (    )?[-a-z]/ {
			head = substr($0, 1, 32) ~ / $/ ? substr($0, 1, 32) : $0
			text = substr($0, length(head) + 1)
			gsub(/^ +| +$/, "", head)
			print ".TP"
			print ".B " quoted(head)
			if (text) print quoted(text)
			next
		}
		{ sub(/^ +/, ""); print quoted($0) }
	' "$work/help"
}

for page in "$here"/*.[1-8]; do
	while IFS= read -r line; do
		case $line in
		'.\" options of '*)
			printf '%s\n' "$line"
			# shellcheck disable=SC2086
			block ${line#??? options of }
			inside=yes
			;;
		'.\" end') inside= && printf '%s\n' "$line" ;;
		*) [ -n "${inside:-}" ] || printf '%s\n' "$line" ;;
		esac
	done <"$page" >"$work/page"
	cp "$work/page" "$to/${page##*/}"
done
