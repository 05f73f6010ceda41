#!/bin/sh
# What must hold of the source as text: layers, sizes, format. Prints every violation.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u |
	while read -r f; do [ ! -f "$f" ] || echo "$f"; done >"$work/files"

complain() { # TITLE: violations, one a line, on standard input
	cat >"$work/found"
	[ -s "$work/found" ] || return 0
	echo "$1:" >&2
	sed 's/^/  /' "$work/found" >&2
	touch "$work/failed"
}

# One third-party library is included by one folder: header, who may.
cat >"$work/headers" <<'TABLE'
^(msgpack\.h|msgpack/)	^(wire|tests)/
^openssl/		^(trust/channel_tls\.c$|tests/)
^uv\.h			^rpc_(client|server)/net\.[ch]$
^sqlite3\.h		^(db|tests)/
^(protobuf-c/|onnx\.pb-c)	^(graph|tests)/
^llvm-c/		^codegen/
^(cjson/|cJSON)		^base/json\.c$
^nettle/	^base/hash\.c$
^seccomp\.h		^(rpc_server/sandbox_seccomp\.c$|tests/)
^curl/			^fetch/transfer\.c$
^cmocka\.h		^tests/
TABLE
xargs grep -nE '^#[ ]*include[ ]*[<"]' <"$work/files" |
	sed -E 's/^([^:]*):([0-9]*):#[ ]*include[ ]*[<"]([^>"]*).*/\1 \2 \3/' >"$work/includes"

awk 'NR == FNR { header[++n] = $1; who[n] = $2; next }
	{ for (i = 1; i <= n; i++) if ($3 ~ header[i] && $1 !~ who[i]) print $1 ":" $2 ": " $3 }
' "$work/headers" "$work/includes" | complain "a third-party header outside its folder"

# An include of one of our folders needs a link to its library, direct or through others. The
# folders of tests, benchmarks and examples may use everything.
for f in */CMakeLists.txt; do
	tr '\n' ' ' <"$f" | sed -E 's/hone_(library|program)\(/\nHONE /g' | sed -n 's/^HONE //p' |
		sed 's/).*//' | awk -v folder="${f%/*}" '{
			for (i = 2; i <= NF && $i != "LINKS"; i++);
			for (i++; i <= NF; i++) print folder, $1, $i }'
done >"$work/links"
awk 'FILENAME ~ /links$/ {
		of[$2] = $1
		from[++n] = $1
		to[n] = $3
		next
	}
	FNR == 1 {
		for (i = 1; i <= n; i++) if (to[i] in of) may[from[i], of[to[i]]] = 1
		do {
			more = 0
			for (x in may)
				for (i = 1; i <= n; i++) {
					split(x, p, SUBSEP)
					if (from[i] == p[2] && to[i] in of && !((p[1], of[to[i]]) in may)) {
						may[p[1], of[to[i]]] = 1
						more = 1
					}
				}
		} while (more)
		for (l in of) folder[of[l]] = 1
	}
	{
		split($1, a, "/")
		split($3, b, "/")
		if (a[1] ~ /^(tests|bench|examples)$/ || a[1] == b[1] || !(b[1] in folder)) next
		if (!((a[1], b[1]) in may)) print $1 ":" $2 ": " $3
	}
' "$work/links" "$work/includes" | complain "an include that the folder's links do not allow"

# Sizes: functions start and end with a brace in the first column.
xargs awk 'FNR == 1 { start = 0 }
	/^{$/ { start = FNR }
	/^}/ && start {
		if (FNR - start + 1 > 100) print FILENAME ":" start ": function of " FNR - start + 1 " lines"
		start = 0
	}
	FNR == 601 { print FILENAME ": more than 600 lines" }
	{
		line = $0
		gsub(/[\200-\277]/, "", line)
		width = 0
		for (i = 1; i <= length(line); i++)
			width = substr(line, i, 1) == "\t" ? width + 8 - width % 8 : width + 1
		if (width > 100) print FILENAME ":" FNR ": " width " columns"
	}
' <"$work/files" | complain "too large"

# Every limit of the agent is looked at by something.
sed -n 's/^[[:space:]]*X(\([a-z_]*\), .*/\1/p' rpc_server/limits.h | while read -r limit; do
	grep -qE "limits(\.|->)$limit\>|[a-z]->$limit\>" rpc_server/*.c || echo "rpc_server/limits.h: $limit"
done | complain "a limit nobody looks at"

# Wall time steps, so it is for labels: who writes one is listed. Everything else asks clock_ns.
labels='^(base/clock\.[ch]|db/rows\.c|cli/cmd_(log_verify|regress)\.c|tuner/setup\.c|rpc_server/(log_file|journal|server)\.c|tests/.*|bench/.*):'
xargs grep -nE '\<(time|ftime|gettimeofday|timespec_get)\(|CLOCK_REALTIME|clock_wall_s' <"$work/files" |
	grep -vE "$labels" | complain "wall time" || true

# Every source file says what it is for.
while read -r f; do
	head -c 2 "$f" | grep -q '/\*' || echo "$f"
done <"$work/files" | complain "no comment at the top"

format=$(command -v clang-format-14 || command -v clang-format || true)
case $("${format:-false}" --version 2>/dev/null || true) in
*"version 14."*) xargs "$format" --dry-run -Werror <"$work/files" 2>&1 |
	grep -E 'error:' | complain "not formatted" || true ;;
*) echo "clang-format 14 is not here" | complain "format" ;;
esac

[ ! -e "$work/failed" ]
