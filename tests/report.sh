#!/bin/sh
# Opens pages of `hone report` and `hone regress` in Chromium without a window: no error, nothing fetched, the scripts
# work, and pictures for somebody to look at: wide, dark, of a phone.
#
# Usage: tests/report.sh BIN OUT [LOG...]     BIN: folder of hone; OUT: where pages and pictures go.
# Without a log, one is made here by tuning two models.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$browser" ] || { echo "report.sh: no Chromium here" >&2; exit 1; }

fail() {
	echo "report.sh: $*" >&2
	exit 1
}

# open_page PAGE OPTION...: what it says on its console is in $work/said
open_page() {
	page=$1
	shift
	timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
		--no-first-run --disable-extensions --user-data-dir="$work/profile" \
		--enable-logging=stderr --virtual-time-budget=5000 "$@" "file://$page" \
		>"$work/printed" 2>"$work/said" || fail "$page: the browser ended with $?"
	if grep -E 'CONSOLE|Uncaught|SyntaxError|Content Security Policy' "$work/said"; then
		fail "$page: it says something on its console"
	fi
}

picture() { # PAGE NAME WIDTH HEIGHT [OPTION...]
	page=$1 to=$out/$2.png size=$3,$4
	shift 4
	open_page "$page" --window-size="$size" --screenshot="$to" "$@"
	[ -s "$to" ] || fail "no picture $to"
	echo "$to"
}

# The page with a script behind it that uses what page.js makes.
script() { # PAGE
	cp "$1" "$work/tried.html"
	cat >>"$work/tried.html" <<-'END'
		<script>
		const heads = document.querySelectorAll("table.sort th button");
		for (const head of heads) head.click();
		for (const head of heads) head.click();
		const table = document.querySelector("table.sort");
		table.querySelectorAll("th button")[2].click();
		const trials = Array.from(table.tBodies[0].rows, r => Number(r.cells[2].dataset.v));
		const list = document.querySelector(".picker select");
		list.selectedIndex = list.options.length - 1;
		list.dispatchEvent(new Event("change"));
		const at = document.querySelector("circle[data-tip]");
		at.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: 5, clientY: 5}));
		document.title = JSON.stringify({
			sorted: trials.every((v, i) => !i || trials[i - 1] >= v),
			open: document.getElementById(list.value).open,
			tip: document.getElementById("tip").textContent === at.dataset.tip,
			wide: document.documentElement.scrollWidth <= innerWidth,
			titles: document.querySelectorAll("svg title").length});
		</script>
	END
	open_page "$work/tried.html" --window-size=412,900 --dump-dom
	grep -o '<title>.*</title>' "$work/printed" | sed 's/&quot;/"/g' | head -n 1 >"$work/title"
	grep -qF '{"sorted":true,"open":true,"tip":true,"wide":true,"titles":0}' "$work/title" ||
		fail "$1: its scripts do not work: $(cat "$work/title")"
}

page() { # NAME: of $out/NAME.html
	if grep -qE '(src|href)=.?https?:|@import|url\(' "$out/$1.html"; then
		fail "$out/$1.html: it fetches something"
	fi
	script "$out/$1.html"
	picture "$out/$1.html" "$1" 1200 5000
	picture "$out/$1.html" "$1-dark" 1200 3000 --blink-settings=preferredColorScheme=0
	picture "$out/$1.html" "$1-phone" 500 3500
}

# The tuned model against the one that was not, whatever the answer is.
regress() { # MODEL LOG
	status=0
	"$bin/hone" regress baseline set "$1" --baseline "$work/baseline" >"$work/printed" 2>&1 ||
		fail "setting a baseline: $(tail -n 3 "$work/printed")"
	"$bin/hone" regress "$1" --log "$2" --baseline "$work/baseline" \
		--format html:"$out/regress.html" >"$work/printed" 2>&1 || status=$?
	case $status in
	0 | 1 | 6) page regress ;;
	*) fail "comparing: exit status $status: $(tail -n 3 "$work/printed")" ;;
	esac
}

if [ $# = 0 ]; then
	"$bin/hone" zoo tiny_resnet8 -o "$work/tiny_resnet8.onnx" >/dev/null
	for model in "$root/examples/digits/digits.onnx" "$work/tiny_resnet8.onnx"; do
		"$bin/hone" tune "$model" --log "$work/tuned.db" --trials 16 >"$work/printed" 2>&1 ||
			fail "tuning: $(tail -n 3 "$work/printed")"
	done
	regress "$root/examples/digits/digits.onnx" "$work/tuned.db"
	set -- "$work/tuned.db"
fi
for log in "$@"; do
	name=${log##*/}
	name=${name%.*}
	"$bin/hone" report "$log" -o "$out/$name.html"
	page "$name"
done
