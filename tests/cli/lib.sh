# Helpers of the command line's tests, which are called with the folder of the programs. Each test
# has a folder of its own, $work, which goes with it.
# shellcheck shell=sh disable=SC2034
set -eu

bin=$(cd "$1" && pwd)
hone=$bin/hone
root=$(cd "$(dirname "$0")/../.." && pwd)
digits=$root/examples/digits
work=$(mktemp -d)
work=$(cd "$work" && pwd -P)
children=
mkdir "$work/tmp"
export TMPDIR="$work/tmp" XDG_RUNTIME_DIR="$work/tmp" XDG_STATE_HOME="$work/state"

clean_up() {
	for pid in $children; do
		kill "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() { # TEXT: ends the test; shows what the last command said
	echo "FAILED: $*" >&2
	[ ! -s "$work/printed" ] || sed 's/^/    /' "$work/printed" >&2
	exit 1
}

# ok COMMAND...: it ends with 0; what it printed is in $work/printed
ok() {
	"$@" >"$work/printed" 2>&1 || fail "exit status $?: $*"
}

# refused STATUS TEXT COMMAND...: it ends with that status and says TEXT on stderr
refused() {
	want=$1 text=$2 got=0
	shift 2
	"$@" >/dev/null 2>"$work/printed" || got=$?
	[ "$got" = "$want" ] || fail "exit status $got, expected $want: $*"
	grep -qF -- "$text" "$work/printed" || fail "does not say '$text': $*"
}

says() { # PATTERN: the last command printed that
	grep -qE -- "$1" "$work/printed" || fail "nothing like '$1'"
}

says_not() { # PATTERN
	! grep -qE -- "$1" "$work/printed" || fail "there is '$1'"
}

same() { # FILE FILE
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# json COMMAND...: it prints JSON on stdout; checked where there is a Python. In $work/json.
json() {
	"$@" >"$work/json" 2>"$work/printed" || fail "exit status $?: $*"
	head -c 1 "$work/json" | grep -q '[[{]' || fail "no JSON: $*"
	! command -v python3 >/dev/null || python3 -m json.tool "$work/json" >/dev/null 2>"$work/printed" ||
		fail "bad JSON: $*"
}

# npy SHAPE: an array of f32, shape as in Python without brackets, of the bytes on stdin
npy() {
	printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"
	cat
}

# images FIRST BYTES: numbers from the test images, FIRST counted in images of 8x8
images() {
	tail -c +$((129 + 256 * $1)) "$digits/test_images.npy" | head -c "$2"
}

wait_for() { # SECONDS COMMAND...: until it succeeds
	tries=$(($1 * 50))
	shift
	while ! "$@" 2>/dev/null; do
		[ "$tries" -gt 0 ] || fail "never came true: $*"
		tries=$((tries - 1))
		sleep 0.02
	done
}

# start_agent NAME OPTION...: rpc_server; its number is in $agent, what it says in $work/NAME.said
start_agent() {
	name=$1
	shift
	"$bin/rpc_server" "$@" >"$work/$name.said" 2>&1 &
	agent=$!
	children="$children $agent"
	wait_for 10 grep -q "listening on" "$work/$name.said"
}

# ended STATUS PID: that process ends with that status
ended() {
	got=0
	wait "$2" || got=$?
	[ "$got" = "$1" ] || fail "process ended with $got, expected $1"
}

nothing_left() { # of temporary files
	[ -z "$(ls -A "$work/tmp")" ] || fail "left behind: $(ls -A "$work/tmp")"
}
