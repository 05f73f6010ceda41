#!/bin/sh
# The table of ONNX's test cases through the compiled path: tests/conformance/table.txt.
#
# Usage: tests/conformance/table.sh [--check] [PROGRAM [OPTION...]]
#   writes the table; with --check compares with it instead, and prints what changed
#   PROGRAM: compiled (default: build/release/bin/compiled), and options for it
#   with --check and HONE_TEST_QUICK every fourth case is run
# Environment: ONNX_TESTDATA (/usr/share/libonnx-testdata/data); JOBS (number of processors)
# Exit: 0; 1 when a case is wrong, crashes, hangs, is gone, or is worse than in the table;
#       77 when the data is not there
set -eu

check=
[ "${1:-}" != --check ] || { check=yes; shift; }
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here/../../build/release/bin/compiled"
data=${ONNX_TESTDATA:-/usr/share/libonnx-testdata/data}

some=
[ -z "$check" ] || [ -z "${HONE_TEST_QUICK:-}" ] || { some=yes; set -- "$@" -e 4; }

if [ ! -d "$data/node" ]; then
	echo "table.sh: skipped: no test data in $data (Debian: libonnx-testdata)"
	exit 77
fi

# The program leaves folders of linkers behind when it ends a case.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

bad=0
"$@" -j "${JOBS:-$(nproc)}" "$data" >"$TMPDIR/all" || bad=$?
[ "$bad" -le 1 ] || exit 1
grep -E '^[^#]* (WRONG|CRASH|HANG) ' "$TMPDIR/all" || true
{
	echo "# Made by tests/conformance/table.sh: case, outcome, why."
	grep '^#' "$TMPDIR/all"
} >"$TMPDIR/table"
grep -v '^#' "$TMPDIR/all" | sed 's/ *$//' >>"$TMPDIR/table"

if [ -z "$check" ]; then
	cp "$TMPDIR/table" "$here/table.txt"
	grep '^#' "$here/table.txt"
	exit "$bad"
fi

# A case that folds away is as good as one that runs.
awk -v some="$some" 'BEGIN { rank["pass"] = rank["folded"] = 2; rank["pass-extern"] = 1 }
	/^#/ { next }
	NR == FNR { was[$1] = $2; next }
	!($1 in was) { print "new: " $0; next }
	{
		if (rank[$2] + 0 < rank[was[$1]] + 0) {
			print "worse: was " was[$1] ": " $0
			worse = 1
		} else if ($2 != was[$1]) {
			print (rank[$2] + 0 > rank[was[$1]] + 0 ? "better" : "other") ": was " was[$1] ": " $0
		}
		delete was[$1]
	}
	END {
		for (name in was) if (!some) { print "gone: " name; worse = 1 }
		exit worse
	}' "$here/table.txt" "$TMPDIR/table" || bad=1
grep '^#' "$TMPDIR/table"
exit "$bad"
