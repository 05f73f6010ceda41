#!/bin/sh
# hone report: a page and a text of the same log, selection, and what is refused.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"

occurs() { # COUNT PATTERN FILE: lines
	found=$(grep -c -- "$2" "$3") || true
	[ "$found" = "$1" ] || fail "$found lines like '$2' in $3, expected $1"
}

page() {
	ok "$hone" tune "$model" --log tuned.db --trials 3
	ok "$hone" report tuned.db -o page.html
	says "page.html: 1 section"
	occurs 1 "<script>" page.html
	occurs 0 "https\\?:" page.html
	occurs 5 "<details class=task" page.html
	grep -q '>digits on ' page.html || fail "the page does not name the model"
	grep -q '95 % interval\|nothing was faster beyond doubt' page.html || fail "no race"
	grep -q '>Conv+Relu 1x24x8x8<' page.html || fail "no name of a task"
	grep -q 'peak [0-9.]* GFLOPS' page.html || fail "no peak in the roofline"
	ok "$hone" report tuned.db
	same report.html page.html
}

text() {
	ok "$hone" report tuned.db --terminal
	says "^digits on .*, 1 thread"
	says "^model: .* times as fast as untuned"
	says "^Conv.Relu 1x24x8x8 +1 +3 "
	says "^algorithm +direct"
	says "rows disturbed"
	LC_ALL=C grep -q "$(printf '\033')" printed && fail "colours in a pipe"
	awk 'length($0) > 100 { exit 1 }' printed || fail "more than 100 columns"
}

selected() {
	ok "$hone" report tuned.db --terminal --graph digits
	cp printed by_name
	ok "$hone" report tuned.db --terminal --model "$model"
	same printed by_name
	digest=$("$hone" log show tuned.db | sed -n 's/^task \([0-9a-f]*\) .*/\1/p' | head -n 1)
	ok "$hone" report tuned.db --terminal --task "$digest"
	says "warning: 4 tasks of the model have no row"
	ok "$hone" report tuned.db --terminal --target linux
	refused 2 "no row of the log is meant; it has rows of" \
		"$hone" report tuned.db --terminal --device Z80
	refused 2 "no session of the log says that it tuned that" \
		"$hone" report tuned.db --graph nowhere
	ok "$hone" zoo ds_cnn -o ds_cnn.onnx
	refused 2 "no row of the log is of a task of this model" \
		"$hone" report tuned.db --model ds_cnn.onnx
	refused 2 "--model and --graph" "$hone" report tuned.db --model "$model" --graph digits
}

# Rows from elsewhere come without what a session says; their texts are anybody's.
foreign() {
	"$hone" log export tuned.db | sed 's/reason=[^\t]*/reason=<script>alert(1)<\/script>/' >text
	ok "$hone" log import foreign.db text
	ok "$hone" report foreign.db -o foreign.html
	occurs 1 "<script>" foreign.html
	grep -q "tasks of no known model" foreign.html || fail "a model out of nowhere"
	ok "$hone" report foreign.db --terminal --task 0
	ok "$hone" report foreign.db --terminal --model "$model"
	says "^digits on "
	says_not "have no row"
}

refusals() {
	refused 2 nowhere.db "$hone" report nowhere.db
	refused 2 "not a database" "$hone" report "$model"
	refused 2 "--terminal and --output" "$hone" report tuned.db --terminal -o x.html
	refused 2 no/such "$hone" report tuned.db -o no/such/x.html
	! "$hone" report tuned.db --terminal >/dev/full 2>printed || fail "nothing is wrong"
	says "standard output: "
	refused 2 "No space left" "$hone" report tuned.db -o /dev/full
}

page
text
selected
foreign
refusals
nothing_left
