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

start_agent open --listen 127.0.0.1:0 --insecure-no-auth
grep -q "warning: no authentication" open.said || fail "no warning"
at=$(sed -n 's/.*listening on //p' open.said)
ok "$hone" tune "$model" --device "$at" --log open.db --trials 2
says "warning: no authentication"
json "$hone" log show open.db --json
grep -q '"insecure":[^,]*true' json || fail "rows do not say that the agent was open"
kill "$agent"
ended 0 "$agent"

# Over TCP by a name and a key.
export XDG_CONFIG_HOME="$work/config"
start_agent tcp --listen 127.0.0.1:0 --keys keys
at=$(sed -n 's/.*listening on //p' tcp.said)
[ "$(stat -c %a keys/default.key)" = 600 ] || fail "others may read the key"
ok "$hone" device list
refused 2 "no device of that name" "$hone" bench "$model" --device board
ok "$hone" device add board "$at" --key keys/default.key
says "$("$bin/rpc_server" --list-keys --keys keys | sed -n 's/^default.* //p')"
refused 2 "exists already" "$hone" device add board "$at" --key keys/default.key
refused 4 "wants a key" "$hone" bench "$model" --device "$at"
everything board
ok "$bin/rpc_server" --keys keys --add-key guest --role read-only
ok "$hone" device add looker "$at" --key - <keys/guest.key
refused 4 "read-only" "$hone" run "$model" --device looker --input image.npy --output-dir there
ok "$hone" device list
says '^board +reachable'
json "$hone" device list --json
grep -q '"role":[^,]*"read-only"' json || fail "no role"
refused 4 "read-only" "$hone" device drain looker
refused 2 "nobody holds it" "$hone" device kick board
ok "$hone" device drain board
says 'drained'
ok "$hone" device list
says '^board .*nobody, draining'
refused 4 "being drained" "$hone" bench "$model" --device board --wait no
refused 4 "position 1 in line" "$hone" tune "$model" --device board --log new.db --wait 1s
"$hone" bench "$model" --device board >bench.said 2>&1 &
bench=$!
wait_for 10 grep -q "waiting for 'board': position 1, being drained" bench.said
ok "$hone" device list
says '^board .*nobody, 1 wait, draining'
ok "$hone" device kick board --all --why "go home"
ended 4 "$bench"
grep -q "sent away: kicked by default: go home" bench.said || fail "not told: $(cat bench.said)"
ok "$hone" device drain board --off
ok "$hone" bench "$model" --device board --wait no
chmod 644 keys/guest.key
refused 2 "mode 0644" "$hone" device add other "$at" --key keys/guest.key
refused 4 "the key was refused" "$hone" bench "$model" --device looker
ok "$hone" device list
says '^looker +refused key'
kill "$agent"
ended 0 "$agent"
ok "$hone" device list
says '^board +unreachable'
ok "$hone" device remove board looker
refused 2 "no device of that name" "$hone" device remove board

# Through a command, as ssh would.
ok "$hone" device add near "exec:$bin/rpc_server --stdio 2>/dev/null"
ok "$hone" verify "$model" --device near --input image.npy --expect here/0_scores.npy
ok "$hone" device remove near
nothing_left
