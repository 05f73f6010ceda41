#!/bin/sh
# An agent behind a real sshd: hone knows it by name, looks at it and tunes over it; nothing of it
# is left when the connection ends. The server listens on loopback, with keys made here.
#
# Usage: tests/ssh.sh BIN     BIN: folder of hone and rpc_server
set -eu
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
port=${PORT:-22022}
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
	echo "ssh.sh: $*" >&2
	exit 1
}

daemon=$(command -v sshd || echo /usr/sbin/sshd)
[ -x "$daemon" ] || fail "no sshd here"
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/own"
cp "$work/own.pub" "$work/allowed"
cat >"$work/sshd.conf" <<END
ListenAddress 127.0.0.1
Port $port
HostKey $work/host
AuthorizedKeysFile $work/allowed
PidFile $work/pid
StrictModes no
PasswordAuthentication no
UsePAM no
END
cat >"$work/ssh.conf" <<END
Host board
  HostName 127.0.0.1
  Port $port
  User $(id -un)
  IdentityFile $work/own
  IdentitiesOnly yes
  UserKnownHostsFile $work/known
  StrictHostKeyChecking accept-new
END
"$daemon" -D -e -f "$work/sshd.conf" 2>"$work/said" &
server=$!

# hone calls ssh by its name; only the configuration is ours.
mkdir "$work/path"
printf '#!/bin/sh\nexec %s -F %s/ssh.conf "$@"\n' "$(command -v ssh)" "$work" >"$work/path/ssh"
chmod +x "$work/path/ssh"
PATH=$work/path:$PATH XDG_CONFIG_HOME=$work/config
export PATH XDG_CONFIG_HOME

tries=0
until ssh board true 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || { cat "$work/said" >&2; fail "sshd does not answer"; }
	sleep 0.1
done

"$bin/hone" device add rack "ssh:board:$bin/rpc_server" || fail "device add"
"$bin/hone" doctor --device rack >"$work/doctor" || { cat "$work/doctor"; fail "doctor"; }
"$bin/hone" zoo ds_cnn -o "$work/model.onnx"
"$bin/hone" tune "$work/model.onnx" --device rack --log "$work/log.db" --trials 4 --json \
	>"$work/tuned" || fail "tune"
grep -q '"trials"' "$work/tuned" || fail "nothing was measured"
"$bin/hone" log show "$work/log.db" >"$work/rows" && [ -s "$work/rows" ] || fail "an empty log"

# The agent ends with its connection.
tries=0
while pgrep -f "$bin/rpc_server --stdio" >/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || fail "an agent is left behind"
	sleep 0.1
done

# A host that refuses is told as such, and at once.
: >"$work/allowed"
if "$bin/hone" doctor --device rack >"$work/doctor" 2>&1; then
	fail "a refused key passed"
fi
grep -qi 'permission denied\|publickey' "$work/doctor" || { cat "$work/doctor"; fail "no reason"; }
echo "ssh.sh: tuned, looked at and refused over ssh"
