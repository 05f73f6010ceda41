#!/bin/sh
# From a fresh clone to a measured result: dependencies, build, an agent, a trained model tuned
# through it, compiled, linked into a C program and run; then mobilenet_v2, tuned against untuned.
#
#   deploy/quickstart.sh [FOLDER]     results go to FOLDER (default: build/quickstart)
set -eu
cd "$(dirname "$0")/.."

out=${1:-build/quickstart}
bin=build/release/bin
digits=examples/digits

step() { printf '\n== %s\n' "$*"; }

step "dependencies"
deploy/scripts/deps.sh

step "build"
cmake --preset release >/dev/null
cmake --build --preset release

mkdir -p "$out"
run=$(mktemp -d)
agent=
cleanup() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null || true
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

step "an agent on this machine: the part that runs on a board"
# It makes a key at its first start; who has it may use the agent. `hone device add` gives agent and
# key a name here, in a folder of this run.
export XDG_CONFIG_HOME="$run/config"
$bin/rpc_server --listen 127.0.0.1:0 --keys "$run/keys" >"$run/said" &
agent=$!
for _ in $(seq 100); do
	grep -q 'listening on' "$run/said" && break
	sleep 0.1
done
cat "$run/said"
$bin/hone device add board "$(sed -n 's/.*listening on //p' "$run/said")" --key "$run/keys/default.key"
$bin/hone device list

step "digits: tune through the agent, compile, link into a C program, classify"
$bin/hone tune $digits/digits.onnx --device board --log "$out/tuning.db" --trials 8
$bin/hone compile $digits/digits.onnx --log "$out/tuning.db" -o "$out/digits"
cc -O2 -I "$out/digits" $digits/main.c "$out/digits/digits.o" -o "$out/digits/digits"
"$out/digits/digits" "$out/digits/digits.weights.bin" $digits/test_images.npy $digits/test_labels.npy

step "mobilenet_v2: tune through the agent, verify every layer, tuned against untuned"
$bin/hone zoo mobilenet_v2 -o "$out/mobilenet_v2.onnx"
$bin/hone tune "$out/mobilenet_v2.onnx" --device board --log "$out/tuning.db" --trials 16
$bin/hone verify "$out/mobilenet_v2.onnx" --layers --log "$out/tuning.db" | tail -n 3
$bin/hone bench "$out/mobilenet_v2.onnx"
$bin/hone bench "$out/mobilenet_v2.onnx" --log "$out/tuning.db"

step "done; the tuning log is $out/tuning.db, the bundles lie beside it"
