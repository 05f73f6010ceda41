#!/bin/sh
# Runs every fuzz target for some seconds, as many at a time as there are cores; stops at a finding.
#
# Usage: tests/fuzz.sh [SECONDS [NAME...]]     NAME: task_text for fuzz_task_text; default all
# Environment: HONE_LLVM (22), BUILD (build/fuzz)
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-5}
[ $# = 0 ] || shift
llvm=${HONE_LLVM:-22}
build=${BUILD:-build/fuzz}
corpus=$build/corpus
found=$build/found

cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER="clang-$llvm" -DHONE_LLVM="$llvm" \
	-DHONE_FUZZ=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE="-O1 -g1" >/dev/null
cmake --build "$build" --target fuzz

# Seeds: what the kernel tests hold, cut at its section lines; models and tensors of the ONNX test
# data; whatever lies in tests/fuzz/corpus/NAME.
seed() { # NAME: makes its folder, to which others are added
	mkdir -p "$corpus/$1"
	[ ! -d "tests/fuzz/corpus/$1" ] || cp tests/fuzz/corpus/"$1"/* "$corpus/$1"
}

kernel_texts() {
	awk -v task="$corpus/task_text/" -v sched="$corpus/sched_text/" '
		/^task$/ || /^form( |$)/ || /^sched$/ {
			kind = $1
			if (kind == "task") { text = "" }
			if (kind == "form") { n++; print text > (task n ".txt") }
			if (kind == "sched") { s++; next }
		}
		/^ *#/ { next }
		kind == "task" { text = text $0 "\n" }
		kind == "form" { print > (task n ".txt") }
		kind == "sched" { print > (sched s ".txt") }
	' tests/kernels/*.txt
}

onnx_data() {
	data=/usr/share/libonnx-testdata/data/node
	[ -d $data ] || return 0
	i=0
	for f in $(find $data -name model.onnx -size -2k | sort | awk 'NR % 8 == 1'); do
		cp "$f" "$corpus/onnx/$((i += 1)).onnx"
	done
	for f in $(find $data -name '*.pb' -size -1k | sort | awk 'NR % 40 == 1'); do
		cp "$f" "$corpus/npy/$((i += 1)).pb"
	done
}

for f in tests/fuzz/fuzz_*.c; do
	name=${f##*/fuzz_}
	seed "${name%.c}"
done
kernel_texts
onnx_data
echo 'int f(int x) { static int n; return n += x; }' |
	"clang-$llvm" -x c -shared -nostdlib -fPIC -O1 -o "$corpus/image/small.so" -

# Says what came of it in one go: others run beside it.
run() { # FILE NAME
	if "$1" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix="$found/$2-" -print_final_stats=1 "$corpus/$2" \
		>"$build/$2.log" 2>&1; then
		echo "fuzz_$2, $seconds s: $(awk '/number_of_executed_units/ { runs = $2 }
			/new_units_added/ { new = $2 } END { print runs " runs, " new " new" }' \
			"$build/$2.log")"
	else
		tail -60 "$build/$2.log"
		echo "fuzz.sh: fuzz_$2 found something; inputs are in $found" >&2
		touch "$build/failed"
	fi
}

# All take the same time, so one that is done waits for nobody.
mkdir -p "$found"
rm -f "$build/failed"
cores=$(nproc) running=0
for f in "$build"/fuzz/fuzz_*; do
	name=${f##*/fuzz_}
	[ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	run "$f" "$name" &
	running=$((running + 1))
	[ $((running % cores)) != 0 ] || wait
	[ ! -e "$build/failed" ] || break
done
wait
[ ! -e "$build/failed" ]
