#!/bin/sh
# Packages, unpacked into a folder: what is in them, and that the tools there tune a model on the agent
# there. The second argument is the folder of the build. Exits with 77 where packages cannot be made.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

build=$2
command -v cpack >/dev/null && command -v dpkg-shlibdeps >/dev/null || exit 77

cd "$work"
ok cpack --config "$build/CPackConfig.cmake" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip -B "$work/made"
mkdir there
for deb in made/*.deb; do
	ok dpkg-deb -x "$deb" there
done
arch=$(dpkg --print-architecture)
version=$(sed -n 's/^project(hone VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
agent_deb=made/hone-agent_${version}_$arch.deb
hone_deb=made/hone_${version}_$arch.deb

# Who owns what, and which modes: programs and folders 755, everything else 644.
for deb in "$agent_deb" "$hone_deb"; do
	dpkg-deb -c "$deb" >printed
	says 'share/man/man[18]/.*\.gz$'
	says 'share/doc/.*/copyright$'
	grep -vE '^(drwxr-xr-x|-rwxr-xr-x) root/root .*(/|/usr/bin/[a-z-]+)$|^-rw-r--r-- root/root ' printed >odd || true
	[ ! -s odd ] || fail "modes: $(cat odd)"
done
for program in there/usr/bin/*; do
	if command -v readelf >/dev/null; then
		readelf -dS "$program" >printed
		says_not 'RPATH|RUNPATH|\.debug_info'
	fi
done
ok dpkg-deb -f "$agent_deb" Depends
says 'libc6'
says_not 'LLVM|libllvm|sqlite|protobuf'
ok dpkg-deb -f "$hone_deb" Depends
says "hone-agent \(= $version\), lld-[0-9]+"
says 'libllvm'
ok dpkg-deb --ctrl-tarfile "$agent_deb"
dpkg-deb -e "$agent_deb" control
for script in postinst prerm postrm; do
	[ -x control/$script ] && sh -n control/$script || fail "$script"
done
same control/conffiles "$root/deploy/debian/conffiles"
while read -r file; do
	[ -f "there$file" ] || fail "no $file"
done <control/conffiles
if command -v systemd-sysusers >/dev/null; then
	mkdir -p sys/etc
	ok systemd-sysusers --root="$work/sys" "$work/there/usr/lib/sysusers.d/hone.conf"
	grep -q '^hone:' sys/etc/passwd || fail "no user hone"
fi

# They work: a private agent is found, and a service as the package configures it serves.
bin=$work/there/usr/bin
hone=$bin/hone
export XDG_CONFIG_HOME="$work/config"
ok "$hone" tune "$digits/digits.onnx" --trials 1 --log own.db
says 'over 5 of 5 tasks'
"$bin/hone-rpc-server" --config there/etc/hone/rpc_server.conf --listen 127.0.0.1:0 --keys keys \
	>said 2>&1 &
agent=$!
children="$children $agent"
wait_for 10 grep -q "listening on" said
ok "$hone" device add board "$(sed -n 's/.*listening on //p' said)" --key keys/default.key
ok "$hone" tune "$digits/digits.onnx" --device board --trials 1 --log far.db
says 'over 5 of 5 tasks'
ok "$hone" compile "$digits/digits.onnx" --device board --log far.db -o bundle
says 'exact'
kill "$agent"
ended 0 "$agent"
nothing_left
