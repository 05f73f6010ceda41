#!/bin/sh
# What takes too long for every change: long fuzzing and random testing, the other LLVM, the thread
# sanitizer, the ONNX test data, the comparison with other runtimes, and emulated cores. Runs
# every step, says at the end which failed.
#
# Usage: tests/nightly.sh [STEP...]    steps: run random kill sandbox chaos fuzz llvm19 tsan conformance report ssh verdicts regress peers arm
set -u
cd "$(dirname "$0")/.."

step_run() {
	tests/run.sh
}

step_random() {
	cmake --preset release >/dev/null && cmake --build --preset release --target test_random &&
		build/release/tests/test_random "${SEED:-1}" 2000
}

step_kill() {
	cmake --preset release >/dev/null &&
		cmake --build --preset release --target test_kill test_log_faults &&
		HONE_LOG_KILLS=10000 HONE_SEED="${SEED:-1}" build/release/tests/test_log_faults &&
		HONE_KILLS=500 HONE_SEED="${SEED:-1}" build/release/tests/test_kill
}

step_sandbox() {
	cmake --preset release >/dev/null && cmake --build --preset release --target test_sandbox &&
		HONE_KILLS_OF_RUNNERS=10000 build/release/tests/test_sandbox
}

# The network breaks at every byte of an exchange, plain and encrypted; honest handshakes among
# silent connections.
step_chaos() {
	cmake --preset release >/dev/null &&
		cmake --build --preset release --target test_chaos test_access &&
		HONE_CHAOS=all build/release/tests/test_chaos &&
		HONE_HONEST=2000 build/release/tests/test_access
}

step_fuzz() {
	tests/fuzz.sh "${FUZZ_SECONDS:-60}"
}

step_llvm19() {
	HONE_LLVM=19 deploy/scripts/deps.sh &&
		cmake -S . -B build/llvm19 -G Ninja -DHONE_LLVM=19 -DCMAKE_BUILD_TYPE=Release \
			-DCMAKE_C_FLAGS_RELEASE="-O2 -g1" >/dev/null &&
		cmake --build build/llvm19 &&
		ctest --test-dir build/llvm19 --output-on-failure -j "$(nproc)"
}

# Long tests that have nothing to show it are left out.
step_tsan() {
	cmake --preset tsan >/dev/null && cmake --build --preset tsan &&
		HONE_TEST_QUICK=1 ctest --test-dir build/tsan --output-on-failure -LE serial
}

# Other code for the same cases than ctest's: the plainest, and that of smaller vectors.
step_conformance() {
	cmake --preset release >/dev/null && cmake --build --preset release --target compiled &&
		tests/conformance/table.sh --check build/release/bin/compiled -s &&
		tests/conformance/table.sh --check build/release/bin/compiled -t x86-64-v3
}

# Pages of reports in a browser; the pictures in build/report are for somebody to look at.
step_report() {
	HONE_DEPS=chromium deploy/scripts/deps.sh &&
		cmake --preset release >/dev/null &&
		cmake --build --preset release --target hone rpc_server &&
		tests/report.sh build/release/bin build/report
}

# An agent behind sshd.
step_ssh() {
	HONE_DEPS="openssh-server openssh-client procps" deploy/scripts/deps.sh &&
		cmake --preset release >/dev/null &&
		cmake --build --preset release --target hone rpc_server &&
		tests/ssh.sh build/release/bin
}

# Verdicts on simulated boards, statistics and forms of results against what others compute and read.
step_verdicts() {
	cmake --preset release >/dev/null &&
		cmake --build --preset release --target regress_noise &&
		build/release/bin/bench/regress_noise 3000 &&
		python=$(tests/peers/venv.sh --reports) && "$python" tests/peers/ranks.py &&
		"$python" tests/peers/reports.py
}

# Every model there is, untuned and tuned, and the newer forms of operators, against ONNX Runtime;
# what is exported for other tuners, read by them.
step_peers() {
	cmake --preset release >/dev/null &&
		cmake --build --preset release --target hone rpc_server &&
		python=$(tests/peers/venv.sh) && "$python" tests/peers/forms.py &&
		"$python" tests/peers/verify_all.py --tuned --trials 8 &&
		python=$(tests/peers/venv.sh --tuners) && "$python" tests/peers/exports.py
}

# What a verdict of `hone regress` is worth on this machine, while it is quiet and while it is not.
step_regress() {
	cmake --preset release >/dev/null &&
		cmake --build --preset release --target hone rpc_server &&
		bench/regress.sh build/release/bin
}

# Code for Arm and RISC-V cores, emulated, against ONNX Runtime.
step_arm() {
	HONE_DEPS=$(cat tests/cross.txt) deploy/scripts/deps.sh &&
		cmake --preset release >/dev/null && cmake --build --preset release --target hone &&
		python=$(tests/peers/venv.sh) && "$python" tests/peers/arm.py
}

[ $# -gt 0 ] || set -- run random kill sandbox chaos fuzz llvm19 tsan conformance report ssh verdicts regress peers arm
failed=
for step in "$@"; do
	started=$(date +%s)
	echo "== $step"
	"step_$step" || failed="$failed $step"
	echo "== $step: $(($(date +%s) - started)) s"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
echo "all passed: $*"
