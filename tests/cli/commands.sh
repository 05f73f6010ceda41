#!/bin/sh
# Exit statuses and messages, JSON, bundles.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"
images 0 256 | npy 1,1,8,8 >image.npy
images 1 256 | npy 1,1,8,8 >other.npy

usage() {
	for command in tune compile run verify bench inspect replay zoo; do
		ok "$hone" $command --help
		says "^usage: hone $command"
		refused 2 "--nonsense" "$hone" $command --nonsense "$model"
	done
	refused 2 frobnicate "$hone" frobnicate
	refused 2 "--trials" "$hone" tune "$model" --trials none
	refused 2 "expected one of mixed descent" "$hone" tune "$model" --search guess
	refused 2 "--log" "$hone" compile "$model" -o out --log
	refused 2 "no --input for 'image'" "$hone" run "$model"
	refused 2 "input 'image' has rank 4, 1 extents are given; sizes are those of the --input files" \
		"$hone" run "$model" --input short.npy
	refused 2 "input 'image'" "$hone" run "$model" --input low.npy
	refused 2 nowhere "$hone" compile "$model" --target nowhere -o out
}

bad_files() {
	head -c 3000 "$model" >half.onnx
	head -c 3000 /dev/zero >zero.onnx
	for command in tune run verify bench inspect; do
		refused 2 nowhere.onnx "$hone" $command nowhere.onnx
		refused 2 half.onnx "$hone" $command half.onnx
		refused 2 zero.onnx "$hone" $command zero.onnx
	done
	refused 2 half.onnx "$hone" compile half.onnx -o out
	refused 2 image.npy "$hone" compile "$model" --log image.npy -o out
	refused 2 image.npy "$hone" tune "$model" --log image.npy
	refused 2 half.npy "$hone" run "$model" --input half.npy
	! ls -d tuning.db out 2>/dev/null || fail "a refused command left files"
}

# All that is not supported in one list, before anything else happens.
unsupported() {
	LC_ALL=C sed 's/MaxPool/MaxPooX/g; s/Relu/Rela/g' "$model" >unsupported.onnx
	for command in "tune --log x.db" "compile -o out" run verify bench; do
		# shellcheck disable=SC2086
		refused 3 "node 'pool': MaxPooX" "$hone" $command unsupported.onnx
		says "node 'r1': Rela"
		says "node 'r3': Rela"
	done
	refused 3 unsupported.onnx "$hone" inspect unsupported.onnx
	"$hone" inspect unsupported.onnx >printed 2>&1 || true
	says "pool.*MaxPooX"
	[ ! -e x.db ] || fail "a log was made for a model that is not supported"
}

# Names in a model may be a stranger's: a terminal obeys none of them.
strange_names() {
	escape=$(printf '\033')
	LC_ALL=C sed 's/scores/\x1b[2Jab/g' "$model" >strange.onnx
	ok "$hone" inspect strange.onnx
	says "2Jab"
	says_not "$escape"
	LC_ALL=C sed 's/Relu/\x1b[2J/g' "$model" >strange.onnx
	refused 3 "2J" "$hone" tune strange.onnx --log x.db
	says_not "$escape"
	refused 3 "2J" "$hone" inspect strange.onnx
	says_not "$escape"
}

no_device() {
	for command in tune "run --input image.npy" "verify --layers" bench "compile -o o"; do
		# shellcheck disable=SC2086
		refused 4 /nowhere/agent "$hone" $command "$model" --device /nowhere/agent
	done
	refused 4 127.0.0.1:1 "$hone" bench "$model" --device 127.0.0.1:1
}

one_tuner_a_log() {
	ok "$hone" zoo tiny_resnet8 -o resnet.onnx
	"$hone" tune resnet.onnx --log busy.db --trials 64 >first.out 2>&1 &
	first=$!
	children="$children $first"
	wait_for 20 grep -q "^$first$" busy.db.lock
	refused 4 "process $first" "$hone" tune resnet.onnx --log busy.db
	ok "$hone" log show busy.db
	kill "$first"
	ended 0 "$first"
	grep -q "goes on from here" first.out || fail "nobody says how to go on"
	ok "$hone" compile resnet.onnx --log busy.db -o stopped
}

verified() {
	ok "$hone" run "$model" --input image.npy --output-dir outputs
	ok "$hone" verify "$model" --input image.npy --expect outputs/0_scores.npy
	ok "$hone" verify "$model" --input image=image.npy --expect outputs/0_scores.npy --layers
	refused 1 "not as expected" "$hone" verify "$model" --input other.npy \
		--expect outputs/0_scores.npy
	refused 2 "expected one for each of the 1" "$hone" verify "$model" --input image.npy
	ok "$hone" verify "$model" --input other.npy --expect outputs/0_scores.npy --atol 1e9
	refused 1 "layers are not" "$hone" verify "$model" --layers --rtol 0 --atol 0
}

output_names() {
	ok "$hone" zoo ds_cnn -o ds_cnn.onnx
	images 0 1960 | npy 1,1,49,10 >features.npy
	ok "$hone" run ds_cnn.onnx --input features.npy --output-dir named
	[ "$(ls named)" = 0_probs.npy ] || fail "outputs are $(ls named)"
}

printed_json() {
	json "$hone" tune "$model" --log tuned.db --trials 4 --json
	json "$hone" tune "$model" --log tuned.db --trials 4 --json
	grep -q '"trials":[^0-9]*0,' json || fail "the second run measured again"
	refused 2 "--dump and --json" "$hone" tune "$model" --log tuned.db --json --dump plan
	json "$hone" compile "$model" --log tuned.db -o tuned --json
	json "$hone" bench "$model" --json
	for key in min_ms median_ms p95_ms runs; do
		grep -q "\"$key\"" json || fail "bench does not tell $key"
	done
	json "$hone" inspect "$model" --json
	json cat tuned/digits.json
}

# What the log does not decide is listed and not measured; what it decides is as good as a search.
nothing_measured() {
	refused 1 "5 of 5 tasks are not decided by none.db: Conv" \
		"$hone" tune "$model" --log none.db --no-measure
	ok "$hone" tune "$model" --log tuned.db --trials 4 --no-measure
	refused 1 "are not decided by tuned.db" \
		"$hone" tune "$model" --log tuned.db --trials 6 --no-measure
	ok "$hone" tune "$model" --log stats.db --trials 2 --stats
	says 'waiting for the device'
	says 'comparing outputs'
}

efforts() {
	refused 2 "'heroic', expected one of estimate measure patient exhaustive" \
		"$hone" tune "$model" --log effort.db --effort heroic
	[ ! -e effort.db ] || fail "a log was made"
	json "$hone" tune "$model" --log effort.db --effort estimate --json
	grep -q '"trials":[^0-9]*5,' json || fail "an estimate is more than one trial a task"
	"$hone" log show effort.db >printed
	says_not 'winner|untuned time'
	ok "$hone" tune "$model" --log effort.db --effort exhaustive --trials 6
	says 'interval'
	json "$hone" tune "$model" --log effort.db --effort estimate --json
	grep -q '"trials":[^0-9]*0,' json || fail "less effort measured again"
	ok "$hone" compile "$model" --log effort.db -o effort
	says_not estimate
	"$hone" log show effort.db >printed
	says 'of the untuned time, 95 % interval'
}

# What is learnt from a log proposes; what this version's candidates have no numbers for is refused.
cost_model() {
	ok "$hone" tune "$model" --log learn.db --trials 8 --search random
	ok "$hone" costmodel train learn.db -o learnt.txt
	says 'pairs in order'
	ok "$hone" tune "$model" --log learnt.db --trials 6 --cost-model learnt.txt
	"$hone" log show --json learnt.db >printed
	says '"prior"'
	sed 's/tile_a/tile_z/' learnt.txt >other.txt
	refused 2 "other.txt: trees text, line 2: column 5 is 'tile_z'" \
		"$hone" tune "$model" --log learnt.db --cost-model other.txt
	refused 2 "--output" "$hone" costmodel train learn.db
	ok "$hone" tune "$model" --log shipped.db --trials 6 --cost-model default --no-warm --stats
	says 'known elsewhere, of 0 tasks'
}

# tiny_resnet8 has layers for which Winograd F(4x4) is best, measured or not.
strict() {
	ok "$hone" zoo tiny_resnet8 -o resnet.onnx
	ok "$hone" compile resnet.onnx -o loose
	says winograd4
	ok "$hone" compile resnet.onnx --strict -o tight
	says_not winograd4
	ok "$hone" bench tight --strict --runs 60
	refused 2 "was compiled as winograd4" "$hone" bench loose --strict
	ok "$hone" tune "$model" --strict --log strict.db --trials 4
	ok "$hone" compile "$model" --strict --log strict.db -o strict
	says exact
	ok "$hone" compile "$model" --log strict.db -o strict
	says "another tolerance"
	ok "$hone" verify "$model" --strict --log strict.db --layers
}

# A full disk is noticed, however little or much there was to write; a reader may leave.
full_output() {
	for what in "inspect $model" "log export tuned.db" "log best tuned.db" --help; do
		# shellcheck disable=SC2086
		! "$hone" $what >/dev/full 2>printed || fail "$what: nothing is wrong"
		says "standard output: "
	done
	ln -s /dev/full full
	refused 2 "No space left" "$hone" log export tuned.db -o full
	[ -L full ] || fail "a device was replaced by a file"
	"$hone" log export tuned.db 2>printed | head -n 1 >first
	[ ! -s printed ] || fail "a reader that leaves is no error"
	same first - <<-END
		hone log 1
	END
}

bundles() {
	for with in "" "--log tuned.db"; do
		# shellcheck disable=SC2086
		ok "$hone" compile "$model" $with -o one
		# shellcheck disable=SC2086
		ok "$hone" compile "$model" $with -o two
		for f in h o weights.bin json; do
			same one/digits.$f two/digits.$f
		done
		# shellcheck disable=SC2086
		ok "$hone" run "$model" $with --input image.npy --output-dir by_model
		ok "$hone" run one --input image.npy --output-dir by_bundle
		same by_model/0_scores.npy by_bundle/0_scores.npy
		ok "$hone" run one/digits.json --input image.npy --output-dir by_bundle
		same by_model/0_scores.npy by_bundle/0_scores.npy
	done
	ok "$hone" verify one --input image.npy --expect by_model/0_scores.npy
	ok "$hone" bench one
}

replayed() {
	set=$root/tests/replay/depthwise_s2.txt
	json "$hone" replay "$set" --trials 20 --seed 3 --json
	cp json first
	json "$hone" replay "$set" --trials 20 --seed 3 --json
	same first json
	ok "$hone" replay "$set" --search descent
	says "worst of any seed"
	json "$hone" replay "$set" --trials 20 --seed 3 --json --warm "$root/tests/replay/avx2/depthwise_s2.txt"
	ok "$hone" replay "$set" "$root/tests/replay/depthwise.txt" --learn --seed 1
	ok "$hone" replay "$set" --cost-model default
	ok "$hone" costmodel train "$set" -o of_set.txt
	refused 2 "nowhere.txt" "$hone" replay "$set" --warm nowhere.txt
	refused 2 "no strategy is called 'luck'" "$hone" replay "$set" --search luck
	refused 2 "nowhere.txt" "$hone" replay "$set" nowhere.txt
	head -c 2000 "$set" >half.txt
	refused 2 "half.txt: rows: line" "$hone" replay half.txt
}

# The example program over the bundle that the log gave.
example() { # COMPILER
	ok "$1" -O2 -Wall -Wextra -Werror -std=c11 -Ione -include digits.h -DMODEL=digits -DSIZES=DIGITS \
		"$root/examples/run.c" one/digits.o -o program
	ok ./program one/digits.weights.bin image.npy scores.bin
	tail -c 40 by_model/0_scores.npy >scores.want
	same scores.bin scores.want
	echo "$1: the same bytes as hone run"
}

images 0 40 | npy 10, >short.npy
images 0 224 | npy 1,1,7,8 >low.npy
head -c 200 image.npy >half.npy
usage
bad_files
unsupported
strange_names
no_device
one_tuner_a_log
verified
output_names
printed_json
nothing_measured
efforts
cost_model
strict
full_output
bundles
replayed
for compiler in gcc clang clang-22 clang-19 clang-14; do
	if command -v "$compiler" >/dev/null; then
		example "$compiler"
	fi
done
nothing_left
