#!/bin/sh
# hone regress: the path of the README from tuning to a red build, and everything that is refused.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"
# What is looked for is large, so fewer pairs than usual are enough, and a busy machine will do.
cat >policy.json <<'JSON'
{"version": 1, "family_error": 0.2, "canary_limit": 10,
 "pairs": {"first": 6, "step": 6, "most": 12, "dropped": 1000}}
JSON
# Sanitizers take their time: one kernel is enough there.
only=
[ -z "${HONE_TEST_QUICK:-}" ] || only="--kernel c2"

usage() {
	for command in "" baseline "baseline set" "baseline list" "baseline export" history; do
		# shellcheck disable=SC2086
		ok "$hone" regress $command --help
		says "^usage: hone regress"
	done
	refused 2 "baselines/digits/baseline.txt" "$hone" regress "$model"
	refused 2 "expected NAME or NAME:FILE" "$hone" regress "$model" --format picture
	refused 2 "no baselines there" "$hone" regress baseline list
	refused 2 "nowhere" "$hone" regress baseline show nowhere
	refused 2 "not an exported baseline" "$hone" regress baseline import "$model" there
	[ ! -e there ] || fail "a refused command left files"
}

# Tune, keep a baseline, and its schedules as text.
set_baseline() {
	ok "$hone" tune "$model" --trials 4 --log tuning.db
	ok "$hone" log export tuning.db --best -o schedules.txt
	ok "$hone" regress baseline set "$model" --log tuning.db --processes 1
	says "^baselines/digits: [0-9]+ kernels of digits on "
	ok "$hone" regress baseline list
	says "^baselines/digits +[0-9]+ kernels"
	ok "$hone" regress baseline show baselines/digits
	says "exact"
	ok "$hone" regress baseline export baselines/digits one.file
	ok "$hone" regress baseline import one.file again
	diff -r baselines/digits again >printed || fail "an exported baseline is another one"
	size=$(du -sk baselines | cut -f1)
	[ "$size" -lt 1000 ] || fail "a baseline of $size KiB"
}

# Nothing changed: every kernel has the same bytes.
unchanged() {
	ok "$hone" log import ci.db schedules.txt
	ok "$hone" regress "$model" --log ci.db --policy policy.json --format terminal --format junit:same.xml \
		--history results
	says UNCHANGED
	says_not "REGRESSED|INCONCLUSIVE"
	grep -q 'failures="0"' same.xml || fail "failures where nothing changed"
	[ "$(find results -name '*.json' | wc -l)" = 1 ] || fail "no result in the history"
	ok "$hone" regress history results
}

# The schedule of one kernel without vectors: the build turns red, and says why.
slower() {
	task=$(awk '/^kernel c2$/ { found = 1 } found && /^\ttask/ { print $2; exit }' \
		baselines/digits/baseline.txt)
	awk -v row="^task=$task" '$0 ~ row { gsub(/(vec|dot|vl)=[a-z0-9]+ /, "") } { print }' \
		schedules.txt >slow.txt
	! cmp -s schedules.txt slow.txt || fail "no schedule was changed"
	ok "$hone" log import slow.db slow.txt
	status=0
	# shellcheck disable=SC2086
	"$hone" regress "$model" --log slow.db --policy policy.json $only --format terminal \
		--format json:slow.json >printed 2>told || status=$?
	[ "$status" = 1 ] || { cat printed told >&2; fail "exit status $status, expected 1"; }
	grep -q "REGRESSED" printed || fail "nobody says what regressed"
	grep -q "hone regress $model --log slow.db --policy policy.json --kernel '*c2" printed ||
		fail "no command to measure it again"
	grep -q '"verdict":[[:space:]]*"REGRESSED"' slow.json || fail "the JSON does not say it"
}

# The board is another one, or there is none: 4, and the outputs are written all the same.
no_board() {
	mkdir -p other && cp -r baselines/digits other/digits
	sed -i 's/^\tcores .*/\tcores 77/' other/digits/baseline.txt
	refused 4 "cores 77, here" "$hone" regress "$model" --baseline other/digits --log ci.db \
		--format junit:none.xml
	grep -q "cores 77, here" none.xml || fail "JUnit does not say why there is nothing"
	refused 4 "/nowhere/agent" "$hone" regress "$model" --log ci.db --device /nowhere/agent
	refused 4 "/nowhere/agent" "$hone" regress baseline set "$model" --device /nowhere/agent
}

# The text of a baseline may be a stranger's: a terminal obeys nothing of it.
strangers() {
	mkdir -p strange && cp -r baselines/digits strange/digits
	sed -i 's/^name .*/name \\x1b[2Jdigits/; s/^\tcpu .*/\tcpu \\x1b[2J/; s/^kernel c2/kernel \\x1b[2J/' \
		strange/digits/baseline.txt
	escape=$(printf '\033')
	ok "$hone" regress baseline show strange/digits
	says "^model +.*2Jdigits"
	says_not "$escape"
	ok "$hone" regress baseline list strange
	says_not "$escape"
	refused 4 "cpu '" "$hone" regress "$model" --baseline strange/digits --log ci.db
	says_not "$escape"
	printf 'baseline 1\nname \033[2J\n' >strange/digits/baseline.txt
	refused 2 "no control characters" "$hone" regress baseline show strange/digits
	says_not "$escape"
}

other_options() {
	refused 2 "set with another --strict" "$hone" regress "$model" --log ci.db --strict
	refused 2 "'nobody', which neither" "$hone" regress "$model" --log ci.db --kernel nobody
	says_not "see --log"
	refused 2 "see --log" "$hone" regress "$model" --kernel nobody
	sed -i '5s/^/x/' other/digits/baseline.txt
	refused 2 "other/digits/baseline.txt:5" "$hone" regress "$model" --baseline other/digits
}

usage
set_baseline
unchanged
slower
no_board
strangers
other_options
nothing_left
