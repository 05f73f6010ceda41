#!/bin/sh
# The ladder: every rung prints its figures beside their gates. Figures are no tests; the exit code
# says only whether the programs ran.
#
#   bench/ladder.sh [--json DIR] [--trials N] [RUNG...]
#
# RUNG: joint micro depthwise chain winograd estimate estimate_v3 untuned peers peers2 guarded
# boards logs propose curve efforts. All of them unless given, about two hours: run it on a machine that does
# nothing else. --json also writes DIR/RUNG.json, a JSON object a line, which bench/tables.py turns
# into the tables of docs/PERFORMANCE.md. Searches are kept in build/bench: delete it to search again; guarded makes
# small ones of its own. PYTHON is the interpreter that `tests/peers/venv.sh --peers` prints, made
# when it is not set.
set -eu
cd "$(dirname "$0")/.."

json="" trials=64
while [ $# -gt 0 ]; do
	case "$1" in
	--json) json=$2; shift 2 ;;
	--trials) trials=$2; shift 2 ;;
	-*) sed -n '2,14p' "$0"; exit 2 ;;
	*) break ;;
	esac
done
bin=build/release/bin/bench kept=build/bench
mkdir -p "$kept" ${json:+"$json"}

# Programs in C print either a table or JSON: with --json the lines are shown as they are.
native() {
	rung=$1
	shift
	if [ -n "$json" ]; then
		"$@" --json | tee "$json/$rung.json"
	else
		"$@"
	fi
}

script() {
	rung=$1
	shift
	: "${PYTHON:=$(tests/peers/venv.sh --peers)}"
	"$PYTHON" "$@" --trials "$trials" --log "$kept/tuning.db" ${json:+--json "$json/$rung.json"}
}

searched() {
	rung=$1
	shift
	native "$rung" "$@" --trials "$trials" --kept "$kept/searches.txt"
}

run() {
	case "$1" in
	joint | micro) native "$1" $bin/"$1" ;;
	depthwise) searched "$1" $bin/depthwise ;;
	chain) searched "$1" $bin/chain direct ;;
	winograd) searched "$1" $bin/chain winograd ;;
	estimate) searched "$1" $bin/estimate ;;
	estimate_v3) searched "$1" $bin/estimate --target x86-64-v3 ;;
	untuned) script "$1" bench/untuned.py ;;
	peers) script "$1" bench/peers.py ;;
	peers2) script "$1" bench/peers.py --threads 2 ;;
	boards) native "$1" $bin/boards ;;
	logs) native "$1" $bin/log_scale ;;
	propose) native "$1" $bin/propose ;;
	curve)
		: "${PYTHON:=$(tests/peers/venv.sh --peers)}"
		"$PYTHON" bench/curve.py ${json:+--json "$json/curve.json"}
		;;
	efforts)
		: "${PYTHON:=$(tests/peers/venv.sh --peers)}"
		"$PYTHON" bench/efforts.py --logs "$kept" ${json:+--json "$json/efforts.json"}
		;;
	guarded) (trials=8; script "$1" bench/guarded.py) ;;
	*) echo "ladder: no rung '$1'" >&2; exit 2 ;;
	esac
}

[ $# -gt 0 ] ||
	set -- joint micro depthwise chain winograd estimate estimate_v3 untuned peers peers2 guarded \
		boards logs propose curve efforts
for rung in "$@"; do
	echo "== $rung"
	run "$rung"
done
