#!/bin/sh
# What a service needs: its unit, its configuration file, and manual pages that are true.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

service=$root/deploy/service
agent_program=$bin/rpc_server

# The configuration file: what is printed is such a file, and means the same.
ok "$agent_program" --config "$service/rpc_server.conf" --print-config
says "^listen = 0.0.0.0:9000 +# $service/rpc_server.conf:4\$"
says '^clients = 256 +# default$'
cp "$work/printed" "$work/first.conf"
ok "$agent_program" --config "$work/first.conf" --print-config --clients 7
says '^clients = 7 +# command line$'
ok "$agent_program" --config "$work/first.conf" --print-config
sed 's/ *#.*//' "$work/first.conf" >"$work/first"
sed 's/ *#.*//' "$work/printed" >"$work/second"
same "$work/first" "$work/second"
printf 'socket = %s\nclient = 3\n' "$work/agent" >"$work/bad.conf"
refused 2 "bad.conf:2: 'client': no such setting" "$agent_program" --config "$work/bad.conf"
printf 'socket = %s/agent\n' "$work" >"$work/good.conf"
start_agent file --config "$work/good.conf"
ok "$hone" doctor --device "$work/agent"
layers=$(grep -o 'in [0-9]* of [0-9]* layers' "$work/printed" || true)
kill "$agent"
ended 0 "$agent"

# The unit, as the package has it but for the place of the program.
if command -v systemd-analyze >/dev/null; then
	sed "s,/usr/bin/hone-rpc-server,$agent_program," "$service/hone-rpc-server.service" \
		>"$work/hone-rpc-server.service"
	ok systemd-analyze verify --man=no "$work/hone-rpc-server.service"
	[ ! -s "$work/printed" ] || fail "systemd-analyze has something to say"
	systemd-analyze security --offline=true --threshold=25 --no-pager \
		"$work/hone-rpc-server.service" >"$work/printed" 2>&1 || fail "too much is exposed"
fi

# What the unit forbids is not missed: as many layers, and a search. SystemCallFilter adds to a list, or
# takes from it, groups of calls and single ones; @default is always there.
under_filter=$bin/../tests/under_filter
if command -v systemd-analyze >/dev/null && [ -x "$under_filter" ]; then
	systemd-analyze syscall-filter >"$work/groups" 2>/dev/null
	awk 'function each(word, yes, i, n, member) {
			if (word !~ /^@/) { allowed[word] = yes; return }
			n = split(members[word], member, " ")
			for (i = 1; i <= n; i++) each(member[i], yes)
		}
		FILENAME ~ /groups$/ {
			if (/^@/) group = $1
			else if (NF == 1) members[group] = members[group] " " $1
			next
		}
		FNR == 1 { each("@default", 1) }
		sub(/^SystemCallFilter=/, "") {
			yes = !sub(/^~/, "")
			for (k = 1; k <= NF; k++) each($k, yes)
		}
		END { for (call in allowed) if (allowed[call]) print call }
	' "$work/groups" "$service/hone-rpc-server.service" >"$work/calls"
	grep -qx openat "$work/calls" && ! grep -qx setuid "$work/calls" || fail "which calls?"
	"$under_filter" "$work/calls" "$agent_program" --socket "$work/agent" \
		--blob-folder "$work/blobs" --log-file "$work/log" >"$work/unit.said" 2>&1 &
	agent=$!
	children="$children $agent"
	wait_for 10 grep -q "listening on" "$work/unit.said"
	ok "$hone" doctor --device "$work/agent"
	says "${layers:-layers}"
	ok "$hone" tune "$digits/digits.onnx" --device "$work/agent" --log "$work/log.db" --trials 1
	says 'over 5 of 5 tasks'
	kill "$agent"
	ended 0 "$agent"
fi

# The pages say what the programs say.
mkdir "$work/man"
ok "$root/docs/man/update.sh" "$bin" "$work/man"
for page in "$root"/docs/man/*.[1-8]; do
	diff -u "$page" "$work/man/${page##*/}" >"$work/printed" ||
		fail "${page##*/} is not what --help says: run docs/man/update.sh"
	if command -v man >/dev/null && command -v groff >/dev/null; then
		man --warnings -E UTF-8 -l "$page" 2>"$work/printed" >/dev/null
		[ ! -s "$work/printed" ] || fail "man --warnings ${page##*/}"
	fi
	if command -v mandoc >/dev/null; then
		ok mandoc -Tlint -Wwarning "$page"
	fi
done
nothing_left
