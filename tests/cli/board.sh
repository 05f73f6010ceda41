#!/bin/sh
# A board that is emulated: an agent built for it, models tuned through that agent from here, and
# their bundles linked by the cross compiler, run by the emulator and compared with the reference
# kernels' outputs. Not one of ctest's: tests/run.sh boards builds what it takes.
#
# Usage: tests/cli/board.sh FOLDER arm64|armhf [CORE]      FOLDER: of hone for this machine
# The agent is build/BOARD/bin/rpc_server.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

board=$2
case $board in
arm64)
	compiler=aarch64-linux-gnu-gcc emulator=qemu-aarch64-static core=${3:-cortex-a72}
	called=$core
	;;
armhf) # programs of 32 bits cannot ask for the core
	compiler=arm-linux-gnueabihf-gcc emulator=qemu-arm-static core=${3:-cortex-a7}
	called=armv7l
	;;
*) fail "no board '$board'" ;;
esac
emulator=$(command -v $emulator) || fail "no $emulator"
agent_program=$root/build/$board/bin/rpc_server
cd "$work"

# What an agent cannot do by itself there: start programs of its own kind.
printf '#!/bin/sh\nexec %s -cpu %s -0 hone_runner %s\n' "$emulator" "$core" "$agent_program" >runner
chmod +x runner

# fill BYTES: as many, of numbers between 0 and 1
fill() {
	left=$1
	while [ "$left" -gt 0 ]; do
		images 0 "$left" >part
		[ -s part ] || fail "no numbers"
		cat part
		left=$((left - $(wc -c <part)))
	done
}

# right MODEL FOLDER: the bundle does what the reference kernels do
right() {
	name=$(basename "$2"/*.json .json)
	ok "$compiler" -O2 -static "-I$2" -include "$name.h" "-DMODEL=$name" \
		"-DSIZES=$(echo "$name" | tr "[:lower:]" "[:upper:]")" "$root/examples/run.c" "$2/$name.o" -o "$2/run"
	ok "$emulator" -cpu "$core" "$2/run" "$2/$name.weights.bin" "$name.npy" "$2/output"
	npy "$shape" <"$2/output" >"$2/output.npy"
	ok "$hone" verify "$1" --input "$name.npy" --expect "$2/output.npy"
	says_not WRONG
}

# model NAME INPUT BYTES OUTPUT: the model, an input on which this machine is right, and the shape of
# its output
model() {
	ok "$hone" zoo "$1" -o "$1.onnx"
	fill "$3" | npy "$2" >"$1.npy"
	ok "$hone" verify "$1.onnx" --input "$1.npy" --layers
	says_not WRONG
	shape=$4
}

name=board
"$emulator" -cpu "$core" "$agent_program" --listen 127.0.0.1:0 --insecure-no-auth --name board \
	--runner "$work/runner" >board.said 2>&1 &
agent=$!
children="$children $agent"
wait_for 10 grep -q "listening on" board.said
address=$(sed -n 's/.*listening on //p' board.said)

# Times of an emulated machine are marked, and count for no other.
"$hone" doctor --device "$address" >"$work/printed" 2>&1 || true
says "emulated $called"
says 'note +emulation'
tuned() { # MODEL TASKS
	ok "$hone" tune "$1.onnx" --device "$address" --log log.db --trials 4
	says "over $2 of $2 tasks"
	ok "$hone" compile "$1.onnx" --device "$address" --log log.db -o "$1.tuned"
	says exact
	says_not estimate
	ok "$hone" verify "$1.onnx" --device "$address" --log log.db --layers
	says_not WRONG
	right "$1.onnx" "$1.tuned"
	ok "$hone" compile "$1.onnx" --target "$core" --log log.db -o "$1.core"
	says estimate
	says_not 'exact|target +[0-9]|family'
	right "$1.onnx" "$1.core"
}

model ds_cnn 1,1,49,10 1960 1,12
tuned ds_cnn 7
model tiny_resnet8 1,3,32,32 12288 1,10
tuned tiny_resnet8 12
model mobilenet_v2 1,3,224,224 602112 1,1000
ok "$hone" compile mobilenet_v2.onnx --target "$core" -o mobilenet_v2.core
right mobilenet_v2.onnx mobilenet_v2.core

kill "$agent"
ended 0 "$agent"
nothing_left
