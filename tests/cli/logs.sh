#!/bin/sh
# Logs that travel: merge, verify, forget, doctor; pull and push with a server on loopback; exports.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"

made() { # two logs of one model, which share no measurement
	ok "$hone" tune "$model" --log one.db --trials 2 --seed 1
	ok "$hone" tune "$model" --log two.db --trials 2 --seed 2
}

rows() { # LOG: how many
	"$hone" log export "$1" | grep -c '^task='
}

merged() {
	ok "$hone" log merge all.db one.db two.db
	says "^one.db: $(rows one.db) added, 0 known, 0 skipped, [0-9]+ texts, 1 plans$"
	says "^two.db: $(rows two.db) added, 0 known, 0 skipped, [0-9]+ texts, 0 plans$"
	ok "$hone" log merge all.db two.db one.db
	says "^two.db: 0 added, $(rows two.db) known"
	[ "$(rows all.db)" = $(($(rows one.db) + $(rows two.db))) ] || fail "rows were lost"
	refused 2 "is the log itself" "$hone" log merge all.db ./all.db
	refused 2 "no.db" "$hone" log merge all.db no.db
	[ ! -e no.db ] || fail "a log was made"
	json "$hone" tune "$model" --log all.db --trials 2 --json
	grep -q '"trials":[^0-9]*0,' json || fail "what was merged was measured again"
}

checked() {
	ok "$hone" log verify all.db
	says "^all.db: $(rows all.db) rows, [0-9]+ texts, 0 faults$"
	ok "$hone" log doctor all.db
	says '^ok +file +all.db: sound$'
	json "$hone" log doctor all.db --json
	cp all.db bad.db
	sqlite3 bad.db "UPDATE trial SET status = 'FINE' WHERE id = 2; UPDATE trial SET generator = 'old'
		WHERE id = 3; UPDATE trial SET insecure = 1 WHERE id = 4"
	refused 1 "1 faults" "$hone" log verify bad.db
	"$hone" log verify bad.db >printed 2>&1 || true
	says "^row 2: status: 'FINE' is not known$"
	sqlite3 bad.db "UPDATE trial SET time = 9000000000000000000 WHERE id = 5" # a date of no calendar
	for command in show best "export --format t4 -o late" "forget --insecure"; do
		# shellcheck disable=SC2086
		ok "$hone" log $command bad.db
	done
	ok "$hone" log doctor bad.db
	says '^note +generator .*old \(1\)'
	says '^note +insecure +1 rows'
	says "^note +status .*'FINE'"
	ok "$hone" log forget bad.db --insecure
	says '^would remove 1 rows'
	ok "$hone" log forget bad.db --insecure --yes
	says '^1 rows removed'
	ok "$hone" log forget bad.db --model "$model" --before 2001-01-01
	says '^would remove 0 rows$'
	ok "$hone" log forget bad.db --model "$model" --yes
	[ "$(rows bad.db)" = 0 ] || fail "rows of the model are left"
	refused 2 "which rows" "$hone" log forget all.db --yes
	for date in yesterday 1970-01-01 2026-02-31; do
		refused 2 "--before: '$date'" "$hone" log forget all.db --before $date --yes
	done
	refused 2 "--status" "$hone" log forget all.db --status FINE
}

boards() { # whose rows are of one board says no names, others do
	ok "$hone" log show one.db
	says ' time +schedule$'
	cp one.db boards.db
	sqlite3 boards.db "UPDATE trial SET session = '1-1.' || (1 + id % 2);
		INSERT INTO text (kind, digest, body) VALUES ('board', '1-1.1', 'rack-1'),
			('board', '1-1.2', 'rack-number-2')"
	ok "$hone" log show boards.db
	says ' time +board +schedule$'
	says '^ +1 .*Z +rack-number-2  '
	says '^ +2 .*Z +rack-1         '
	json "$hone" log show boards.db --json
	[ "$(grep -c '"board":.*"rack-1"' json)" = "$(sqlite3 boards.db \
		"SELECT count(*) FROM trial WHERE session = '1-1.1'")" ] || fail "other boards"
}

exported() {
	for form in t4 kernel-tuner; do
		ok "$hone" log export one.db --format $form -o $form
		[ "$(ls $form | wc -l)" = 5 ] || fail "not a file for each task: $(ls $form)"
		json cat "$(find $form -type f | head -n 1)"
		grep -q '"algorithm":' json || fail "no parameters"
		refused 2 "here are 5" "$hone" log export one.db --format $form
	done
	cp one.db hostile.db
	sqlite3 hostile.db "UPDATE keys SET task = '../../' || id"
	ok "$hone" log export hostile.db --format t4 -o deep/er
	[ "$(ls deep/er | wc -l)" = 5 ] || fail "files beside the folder"
	sqlite3 hostile.db "UPDATE trial SET status = char(27) || '[2J', sched = char(155) || char(27) || '[31m',
		reason = iif(id % 2, char(27) || 'c', ''); UPDATE keys SET device = char(27) || ']0;x', form = char(27)"
	for command in show best doctor verify; do
		"$hone" log $command hostile.db >printed 2>&1 || true
		! grep -q "$(printf '\033')" printed || fail "log $command sends what a terminal obeys"
	done
	ok "$hone" log export one.db --format csv -o one.csv
	[ "$(grep -c '^[0-9]' one.csv)" = "$(rows one.db)" ] || fail "rows were lost"
	refused 2 "'xml', expected one of text csv" "$hone" log export one.db --format xml
}

start_server() {
	mkdir served
	python3 "$root/tests/cli/file_server.py" served >port &
	children="$children $!"
	wait_for 20 test -s port
	url=http://127.0.0.1:$(cat port)
}

# served LOG NAME: as the server's file, with its digest
serve() {
	rm -f "served/$2"
	sqlite3 "$1" "VACUUM INTO 'served/$2'"
	(cd served && sha256sum "$2" >"$2.sha256")
}

pulled() {
	serve two.db two.db
	cp one.db mine.db
	ok "$hone" log pull "$url/two.db" -o mine.db
	says "two.db: $(rows two.db) added, 0 known"
	ok "$hone" log pull "$url/moved/two.db" -o fresh.db
	[ "$(rows fresh.db)" = "$(rows two.db)" ] || fail "rows were lost"
	ok "$hone" log pull served/two.db -o near.db
	ok "$hone" log pull "file://$work/served/two.db" -o near.db
	says ' 0 added, [0-9]+ known'
	[ ! -e mine.db.part ] && [ ! -e near.db.part ] || fail "a part is left"
}

# A broken connection: what came stays, and only the rest is fetched.
interrupted() {
	size=$(stat -c %s served/two.db)
	echo 30000 >served.cut
	refused 4 "in the middle" "$hone" log pull "$url/two.db" -o cut.db
	[ "$(stat -c %s cut.db.part)" = 30000 ] || fail "the part is not what came"
	[ ! -e cut.db ] || fail "a log was made of half a file"
	ok "$hone" log pull "$url/two.db" -o cut.db
	says "$size bytes, $((size - 30000)) of them now"
	tail -n 1 served.requests >printed
	says "^GET /two.db bytes=30000- 206 $((size - 30000))$"
	head -c 5000 /dev/zero >cut.db.part # of another file
	ok "$hone" log pull "$url/two.db" -o cut.db
	echo 30000 >served.cut
	refused 4 "in the middle" "$hone" log pull "$url/two.db" -o whole.db
	touch served.norange
	ok "$hone" log pull "$url/two.db" -o whole.db
	says "$size bytes, $size of them now"
	rm served.norange
}

# Bytes that are not those of the digest, files that are no logs: nothing is changed.
not_believed() {
	serve two.db flipped.db
	printf 'X' | dd of=served/flipped.db bs=1 seek=20000 conv=notrunc 2>dd.said
	cp mine.db before.db
	refused 1 "SHA-256" "$hone" log pull "$url/flipped.db" -o mine.db
	same mine.db before.db
	[ ! -e mine.db.part ] || fail "what is not believed is kept"
	refused 1 "SHA-256" "$hone" log pull "$url/two.db" -o mine.db --sha256 "$(printf '%064d' 7)"
	refused 2 "64 hex digits" "$hone" log pull "$url/two.db" -o mine.db --sha256 1234
	head -c 9000 /dev/zero >served/zero.db
	(cd served && sha256sum zero.db >zero.db.sha256)
	refused 2 zero.db "$hone" log pull "$url/zero.db"
	head -c 20000 served/two.db >served/half.db
	(cd served && sha256sum half.db >half.db.sha256)
	refused 2 half.db "$hone" log pull "$url/half.db"
	ls zero.db half.db zero.db.part half.db.part 2>/dev/null && fail "refused files are left"
	same mine.db before.db
}

by_name() {
	refused 4 "404 Not Found" "$hone" log pull "$url/nothing.db"
	rm served/two.db.sha256
	refused 4 "--sha256" "$hone" log pull "$url/two.db" -o bare.db
	ok "$hone" log pull "$url/two.db" -o bare.db --sha256 "$(sha256sum <served/two.db | cut -c 1-64)"
	refused 4 "connection refused" "$hone" log pull http://127.0.0.1:1/two.db
	refused 2 "expected http" "$hone" log pull ftp://127.0.0.1/two.db
	refused 2 "names no file" "$hone" log pull http://127.0.0.1:1 -o none.db
	refused 2 "names no file" "$hone" inspect http://127.0.0.1:1
	refused 2 "another kind of place" "$hone" log pull "$url/to-file/two.db"
	refused 1 "more than 1000 bytes" "$hone" log pull "$url/two.db" -o large.db --max 1000 \
		--sha256 "$(printf '%064d' 7)"
	refused 1 "more than 1048576 bytes" "$hone" log pull "$url/endless.db"
	touch served.stall
	refused 4 "nothing came" "$hone" log pull "$url/two.db" --stall 1s
	rm served.stall
}

pushed() {
	ok "$hone" log push one.db "$url/shared.db"
	ok "$hone" log pull "$url/shared.db" -o back.db
	[ "$(rows back.db)" = "$(rows one.db)" ] || fail "rows were lost"
	(cd served && ok sha256sum -c shared.db.sha256)
	ok "$hone" log push one.db "$url/shared.db"
	says 'there already'
	touch -d '1 hour ago' two.db
	refused 4 "pull it first" "$hone" log push two.db "$url/shared.db"
	ok "$hone" log push two.db "$url/shared.db" --force
	touch -d 'now + 1 hour' all.db
	touch served.race
	refused 4 "meanwhile" "$hone" log push all.db "$url/shared.db"
	touch served.race
	refused 4 "meanwhile" "$hone" log push all.db "$url/other.db"
	ok "$hone" log push all.db "$url/third.db"
	ok "$hone" log push one.db "file://$work/served/file.db"
	ok "$hone" log pull served/file.db -o from_file.db
	refused 4 "connection refused" "$hone" log push one.db http://127.0.0.1:1/x.db
	refused 2 "names no file" "$hone" log push one.db "$url/"
	nothing_left
}

models() {
	cp "$model" served/
	(cd served && sha256sum digits.onnx >digits.onnx.sha256)
	export XDG_CACHE_HOME="$work/cache"
	ok "$hone" compile "$url/digits.onnx" -o fetched
	ok "$hone" compile "$model" -o plain
	same fetched/digits.json plain/digits.json
	rm served/digits.onnx
	ok "$hone" inspect "$url/digits.onnx" # a copy is here
	says_not fetching
	digest=$(sha256sum <"$model" | cut -c 1-64)
	ok "$hone" inspect "http://127.0.0.1:1/digits.onnx#sha256=$digest"
	refused 4 "connection refused" "$hone" inspect http://127.0.0.1:1/digits.onnx
	printf 'X' >>"cache/hone/files/$digest/digits.onnx"
	refused 4 "404 Not Found" "$hone" inspect "$url/digits.onnx"
}

made
boards
merged
checked
exported
if ! command -v python3 >/dev/null; then
	echo "no python3: no server to pull from" >&2
	exit 0
fi
start_server
if ! "$hone" log pull "$url/nothing.db" 2>&1 | grep -q "404"; then
	refused 3 "not supported" "$hone" log pull "$url/nothing.db"
	exit 0
fi
pulled
interrupted
not_believed
by_name
pushed
models
