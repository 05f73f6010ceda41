#!/bin/sh
# Commands that take --device, through an rpc_server at a socket and over TCP.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

model=$digits/digits.onnx
cd "$work"
images 0 256 | npy 1,1,8,8 >image.npy
ok "$hone" run "$model" --input image.npy --output-dir here

everything() { # ADDRESS
	ok "$hone" run "$model" --device "$1" --input image.npy --output-dir there
	same here/0_scores.npy there/0_scores.npy
	ok "$hone" verify "$model" --device "$1" --input image.npy --expect here/0_scores.npy
	ok "$hone" verify "$model" --device "$1" --layers
	says_not WRONG
	json "$hone" bench "$model" --device "$1" --json
	rm -f log.db*
	ok "$hone" tune "$model" --device "$1" --log log.db --trials 4
	says 'over 5 of 5 tasks'
	ok "$hone" verify "$model" --device "$1" --log log.db --input image.npy --expect here/0_scores.npy
	ok "$hone" compile "$model" --device "$1" --log log.db -o bundle
	says 'exact'
	says_not 'estimate'
	ok "$hone" verify bundle --device "$1" --input image.npy --expect here/0_scores.npy
	ok "$hone" bench bundle --device "$1"
}

start_agent socket --socket "$work/agent"
[ "$(stat -c %a agent)" = 600 ] || fail "others may use the socket: $(ls -l agent)"
refused 4 "another server listens" "$bin/rpc_server" --socket "$work/agent"
everything "$work/agent"
kill "$agent"
ended 0 "$agent"
[ ! -e agent ] || fail "the socket is still there"
refused 4 "$work/agent" "$hone" bench "$model" --device "$work/agent"

refused 2 "needs a key" "$bin/rpc_server" --listen 127.0.0.1:0
start_agent tcp --listen 127.0.0.1:0 --insecure-no-auth
grep -q "warning: no authentication" tcp.said || fail "no warning"
everything "$(sed -n 's/.*listening on //p' tcp.said)"
kill "$agent"
ended 0 "$agent"
nothing_left
