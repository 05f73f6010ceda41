#!/bin/sh
# What `hone regress` is worth on this machine, with a model of the zoo: false alarms among equal
# sides, how often 5 % are found, the same while the neighbour core is loaded, and how long a run
# takes when nothing changed. A false alarm ends it with 1. Takes about 25 minutes; see
# docs/RELIABILITY.md for figures. Everything measures on core 0.
#
# Usage: bench/regress.sh BIN [MODEL [N [STEP...]]]     default mobilenet_v2, 200; N of equal sides,
#                                                       N/2 of a slower one
# Steps: quiet (all kernels in turn), one (KERNEL alone, Conv_24 unless set), loaded, unchanged
set -eu

bin=$(cd "$1" && pwd)
model=${2:-mobilenet_v2}
n=${3:-200}
if [ $# -lt 3 ]; then shift $#; else shift 3; fi
[ $# -gt 0 ] || set -- quiet one loaded unchanged

work=$(mktemp -d)
load=
clean_up() {
	[ -z "$load" ] || kill "$load" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

cd "$work"
"$bin/hone" zoo "$model" -o model.onnx >/dev/null

step_quiet() {
	echo "== quiet"
	taskset -c 0 "$bin/hone" regress model.onnx --self-test "$n" 2>/dev/null
}

step_one() {
	echo "== one kernel"
	taskset -c 0 "$bin/hone" regress model.onnx --self-test "$n" --kernel "${KERNEL:-Conv_24}" \
		2>/dev/null
}

# INCONCLUSIVE is allowed, REGRESSED is not.
step_loaded() {
	echo "== a load on core 1"
	taskset -c 1 sh -c 'while :; do :; done' &
	load=$!
	taskset -c 0 "$bin/hone" regress model.onnx --self-test "$n" 2>/dev/null
	kill "$load"
	load=
}

step_unchanged() {
	echo "== nothing changed"
	taskset -c 0 "$bin/hone" regress baseline set model.onnx 2>/dev/null
	began=$(date +%s)
	taskset -c 0 "$bin/hone" regress model.onnx --format csv:result.csv 2>/dev/null
	echo "$(($(wc -l <result.csv) - 1)) entries in $(($(date +%s) - began)) s"
}

for step in "$@"; do
	"step_$step"
done
