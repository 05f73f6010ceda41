#!/bin/sh
# Everything a change must pass: packages, release build, lint, all tests; the same tests built with
# sanitizers; the agent built alone, and for boards that are emulated; a few seconds of every fuzz
# target.
#
# Usage: tests/run.sh [STEP...]     steps: deps release lint agent boards asan fuzz (default: all)
# Environment: HONE_LLVM (22); FUZZ_SECONDS (5)
set -eu
cd "$(dirname "$0")/.."

llvm=${HONE_LLVM:-22}

build() { # PRESET [TARGET...]
	preset=$1
	shift
	cmake --preset "$preset" -DHONE_LLVM="$llvm" >/dev/null
	cmake --build --preset "$preset" ${1:+--target "$@"}
}

# A test that fails beside others is run once more, alone: what else a machine of two cores does may
# take all the time that a test leaves for something. What fails then too is wrong.
run_tests() { # BUILD
	ctest --test-dir "$1" --output-on-failure -j "$(nproc)" && return
	echo "== again, alone"
	ctest --test-dir "$1" --output-on-failure --rerun-failed --no-tests=error
}

step_deps() {
	deploy/scripts/deps.sh
}

step_release() {
	build release
	run_tests build/release
}

step_lint() {
	tests/lint.sh
}

# A board has no LLVM, SQLite or protobuf, and a small one no OpenSSL.
step_agent() {
	for tls in ON OFF; do
		dir=build/agent
		[ $tls = ON ] || dir=build/agent-plain
		cmake -S . -B $dir -G Ninja -DHONE_AGENT_ONLY=ON -DHONE_TLS=$tls \
			-DCMAKE_BUILD_TYPE=Release >/dev/null
		cmake --build $dir
		if ldd $dir/bin/rpc_server | grep -E 'LLVM|sqlite|protobuf'; then
			echo "run.sh: rpc_server links what boards do not have" >&2
			return 1
		fi
	done
	if build/agent-plain/bin/rpc_server --listen 127.0.0.1:0 2>/dev/null; then
		echo "run.sh: an agent without TLS listens on TCP" >&2
		return 1
	fi
}

# Bundles for emulated boards; those that have agents tune them too.
step_boards() {
	HONE_DEPS=$(cat tests/cross.txt) deploy/scripts/deps.sh
	build release hone
	for board in arm64 armhf; do
		deploy/scripts/sysroot.sh "$board"
		build "$board"
		build "$board-stdio"
	done
	deploy/scripts/package.sh arm64 armhf
	printf '%s\n' arm64 armhf riscv64 |
		xargs -n 1 -P "$(nproc)" tests/cli/board.sh build/release/bin
}

# Compiling and running kernels is slow here and says little about C: fewer of them.
step_asan() {
	build asan
	(
		export HONE_TEST_QUICK=1 ASAN_OPTIONS=detect_stack_use_after_return=1
		export UBSAN_OPTIONS=print_stacktrace=1
		run_tests build/asan
	)
}

step_fuzz() {
	tests/fuzz.sh "${FUZZ_SECONDS:-5}"
}

[ $# -gt 0 ] || set -- deps release lint agent boards asan fuzz
for step in "$@"; do
	started=$(date +%s)
	echo "== $step"
	"step_$step"
	echo "== $step: $(($(date +%s) - started)) s"
done
echo "all passed: $*"
