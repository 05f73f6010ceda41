#!/bin/sh
# ARCHITECTURE.md, section 2, names every source file of the library folders, and nothing else. Under
# the heading "### FOLDER/", what stands in backquotes and ends in .c, .h, .S or .[ch] is the name of a
# file of that folder, or a pattern as the shell knows them (ref_*.c, arena.[ch]). Prints what is not so.
set -eu
cd "$(dirname "$0")/.."

page=ARCHITECTURE.md
folders="base trust kernels graph search_space codegen wire rpc_server rpc_client db fetch tuner deploy report regress cli"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "FOLDER PATTERN", a line each
awk '/^#/ { folder = "" }
	/^### [a-z_]*\// { folder = $2; sub(/\/.*/, "", folder) }
	folder && /^(- |  )/ {
		n = split($0, part, "`")
		for (i = 2; i <= n; i += 2)
			if (part[i] ~ /^[a-z0-9_*]+\.(\[ch\]|c|h|S)$/) print folder, part[i]
	}
' $page >"$work/named"

matches() { # FILE PATTERN
	# shellcheck disable=SC2254
	case $1 in $2) return 0 ;; esac
	return 1
}

for folder in $folders; do
	for path in "$folder"/*.[chS]; do
		while read -r where pattern; do
			[ "$where" = "$folder" ] && matches "${path#*/}" "$pattern" && continue 2
		done <"$work/named"
		echo "$path is not in $page"
	done
done >"$work/found"

while read -r where pattern; do
	# shellcheck disable=SC2086
	set -- $where/$pattern
	[ -e "$1" ] || echo "$page names $where/$pattern, which is not there"
done <"$work/named" >>"$work/found"

cat "$work/found" >&2
[ ! -s "$work/found" ]
