#!/bin/sh
# hone doctor: here, on a device, with logs whole and damaged, without its tools.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"

healthy() { # OPTION...
	ok "$hone" doctor "$@"
	says '^ok +agent '
	says '^(ok|note) +multiply-add +[0-9.e+]+ GFLOPS, the cost model assumes [0-9.]+: '
	says '^(ok|note) +L1 .*GB/s'
	says '^(ok|note) +memory reads .*GB/s'
	says '^(ok|note) +drift .* %'
	says '^ok +linker .*LLD'
	says '^ok +compiler .*LLVM'
	says_not '^problem'
}

figures() {
	json "$hone" doctor --json
	for key in fma_gflops fma_least_gflops dot_gops l1_gbs l2_gbs l3_gbs dram_gbs tick_ns \
		findings assumed advice; do
		grep -q "\"$key\"" json || fail "the JSON has no $key"
	done
	grep -q '"problems":[^0-9]*0' json || fail "a problem"
}

logs() {
	ok "$hone" tune "$model" --log good.db --trials 2
	healthy --log good.db
	says '^ok +log +good.db: sound, [0-9]+ rows, [0-9]+ of them right$'
	refused 1 "1 problems" "$hone" doctor --log nowhere.db
	"$hone" doctor --log nowhere.db >printed 2>&1 || true
	says '^problem +log +.*nowhere.db'
	[ ! -e nowhere.db ] || fail "a log was made"
	head -c 300 good.db >half.db
	refused 1 "1 problems" "$hone" doctor --log half.db
	refused 1 "1 problems" "$hone" doctor --log "$model"
}

owner() {
	ok "$hone" zoo tiny_resnet8 -o resnet.onnx
	"$hone" tune resnet.onnx --log busy.db --trials 64 >first.out 2>&1 &
	first=$!
	children="$children $first"
	wait_for 20 grep -q "^$first$" busy.db.lock
	wait_for 20 test -s busy.db
	ok "$hone" doctor --log busy.db
	says "^note +log owner +process $first is writing"
	kill "$first"
	ended 0 "$first"
}

# Nothing that fails keeps the rest from being looked at.
broken() {
	refused 1 "1 problems" "$hone" doctor --device /nowhere/agent
	"$hone" doctor --device /nowhere/agent --log good.db >printed 2>&1 || true
	says '^problem +agent .*nowhere'
	says '^ok +linker'
	says '^ok +log +good.db: sound'
	HONE_LLD=/nowhere/ld.lld refused 1 "1 problems" "$hone" doctor
	HONE_LLD=/nowhere/ld.lld "$hone" doctor >printed 2>&1 || true
	says '^problem +linker .*/nowhere/ld.lld'
	HONE_LLD=/bin/false refused 1 "1 problems" "$hone" doctor
	refused 2 "operand" "$hone" doctor "$model"
}

healthy
start_agent socket --socket "$work/agent"
healthy --device "$work/agent"
kill "$agent"
ended 0 "$agent"
start_agent tcp --listen 127.0.0.1:0 --insecure-no-auth
healthy --device "$(sed -n 's/.*listening on //p' tcp.said)"
says '^note +access '
kill "$agent"
ended 0 "$agent"
figures
logs
owner
broken
nothing_left
