#!/bin/sh
# A board that is emulated. Bundles for it, linked by the cross compiler and run by the emulator,
# compared with the reference kernels' outputs; and where there is an agent for it, models tuned
# through that agent from here. Not one of ctest's: tests/run.sh boards builds what it takes.
#
# Usage: tests/cli/board.sh FOLDER arm64|armhf|riscv64      FOLDER: of hone for this machine
# The agent is build/BOARD/bin/rpc_server.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# targets: hone's names, each with the emulator's; called: what the agent says it is, tuned: through it
board=$2 called=
case $board in
arm64)
	compiler=aarch64-linux-gnu-gcc emulator=qemu-aarch64-static
	cpu=cortex-a72 called=cortex-a72 targets=cortex-a72=cortex-a72
	;;
armhf) # programs of 32 bits cannot ask for the core
	compiler=arm-linux-gnueabihf-gcc emulator=qemu-arm-static
	cpu=cortex-a7 called=armv7l targets=cortex-a7=cortex-a7
	;;
riscv64)
	compiler=riscv64-linux-gnu-gcc emulator=qemu-riscv64-static
	targets="rv64gc=rv64 rv64gcv=rv64,v=true,vlen=128,vext_spec=v1.0"
	targets="$targets rv64gcv=rv64,v=true,vlen=256,vext_spec=v1.0"
	;;
*) fail "no board '$board'" ;;
esac
emulator=$(command -v $emulator) || fail "no $emulator"
agent_program=$root/build/$board/bin/rpc_server
cd "$work"

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

# model NAME INPUT BYTES OUTPUT: the model, an input on which this machine is right, and the shape of
# its output
model() {
	[ -e "$1.onnx" ] || ok "$hone" zoo "$1" -o "$1.onnx"
	fill "$3" | npy "$2" >"$1.npy"
	ok "$hone" verify "$1.onnx" --input "$1.npy" --layers
	says_not WRONG
	shape=$4
}

# right NAME FOLDER CPU: the bundle does what the reference kernels do
right() {
	ok "$compiler" -O2 -static "-I$2" -include "$1.h" "-DMODEL=$1" \
		"-DSIZES=$(echo "$1" | tr '[:lower:]' '[:upper:]')" "$root/examples/run.c" "$2/$1.o" -o "$2/run"
	ok "$emulator" -cpu "$3" "$2/run" "$2/$1.weights.bin" "$1.npy" "$2/output"
	npy "$shape" <"$2/output" >"$2/output.npy"
	ok "$hone" verify "$1.onnx" --input "$1.npy" --expect "$2/output.npy"
	says_not WRONG
}

# untuned NAME [OPTION...]: for each target
untuned() {
	name=$1
	shift
	for target in $targets; do
		ok "$hone" compile "$name.onnx" --target "${target%%=*}" -o "$name.${target%%=*}" "$@"
		says estimate
		says_not 'exact|family'
		right "$name" "$name.${target%%=*}" "${target#*=}"
	done
}

# The emulator's kernel does not start programs of the board's kind, so the agent cannot start itself.
start_board() {
	printf '#!/bin/sh\nexec %s -cpu %s -0 hone_runner %s\n' "$emulator" "$cpu" "$agent_program" >runner
	chmod +x runner
	"$emulator" -cpu "$cpu" "$agent_program" --listen 127.0.0.1:0 --insecure-no-auth --name board \
		--runner "$work/runner" >board.said 2>&1 &
	agent=$!
	children="$children $agent"
	wait_for 10 grep -q "listening on" board.said
	address=$(sed -n 's/.*listening on //p' board.said)
	"$hone" doctor --device "$address" >"$work/printed" 2>&1 || true
	says "emulated $called"
	says 'note +emulation'
}

# tuned NAME TASKS: through the agent. Its times are of an emulated machine and count for no other.
tuned() {
	[ -n "$called" ] || return 0
	ok "$hone" tune "$1.onnx" --device "$address" --log log.db --trials 4
	says "over $2 of $2 tasks"
	ok "$hone" compile "$1.onnx" --device "$address" --log log.db -o "$1.tuned"
	says exact
	says_not estimate
	right "$1" "$1.tuned" "$cpu"
	ok "$hone" verify "$1.onnx" --device "$address" --log log.db --layers
	says_not WRONG
	untuned "$1" --log log.db
}

[ -z "$called" ] || start_board
model ds_cnn 1,1,49,10 1960 1,12
tuned ds_cnn 7
untuned ds_cnn
model tiny_resnet8 1,3,32,32 12288 1,10
tuned tiny_resnet8 12
untuned tiny_resnet8
model mobilenet_v2 1,3,224,224 602112 1,1000
untuned mobilenet_v2
if [ -n "$called" ]; then
	kill "$agent"
	ended 0 "$agent"
fi

# Dot products of bytes: of like signs, of unlike ones, and as a board says that it has them.
if [ "$board" = arm64 ]; then
	cp "$root/tests/cli/bytes.onnx" .
	model bytes 1,8,9,9 2592 1,12,9,9
	targets="cortex-a72=cortex-a72 cortex-a76=max neoverse-v1=max"
	untuned bytes
	ok "$hone" compile bytes.onnx --target cortex-a76 --dump code -o bytes.code
	says 'sdot.*4b\['
	cpu=max called=aarch64
	start_board
	ok "$hone" tune bytes.onnx --device "$address" --log log.db --trials 2
	says "over 3 of 3 tasks"
	ok "$hone" compile bytes.onnx --device "$address" --log log.db --dump code -o bytes.tuned
	says '(usdot|sudot)'
	ok "$hone" verify bytes.onnx --device "$address" --log log.db --layers
	says_not WRONG
	kill "$agent"
	ended 0 "$agent"
fi
nothing_left
