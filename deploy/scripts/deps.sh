#!/bin/sh
# Installs the Debian packages that hone builds with. Needs root or sudo, and nothing when all are
# there. HONE_LLVM chooses the version of LLVM (22 by default; 19 is supported too); HONE_DEPS names
# packages to be had besides.
set -eu

llvm=${HONE_LLVM:-22}
packages="gcc libc6-dev clang-$llvm clang-format-14 cmake ninja-build pkg-config git
	llvm-$llvm-dev llvm-$llvm-tools lld-$llvm libclang-rt-$llvm-dev
	libonnx-dev libonnx-testdata libprotobuf-c-dev protobuf-c-compiler
	libmsgpack-dev libuv1-dev libsqlite3-dev sqlite3 libcjson-dev nettle-dev libssl-dev
	libseccomp-dev libcurl4-openssl-dev libcmocka-dev
	${HONE_DEPS:-}"

missing=
for p in $packages; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null; then
	root=sudo
else
	echo "deps.sh: these packages are missing, and there is neither root nor sudo:$missing" >&2
	exit 2
fi
$root apt-get update -q
for p in $missing; do
	apt-cache show "$p" >/dev/null 2>&1 || {
		echo "deps.sh: package $p is not in this machine's package sources" >&2
		exit 2
	}
done
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -q --no-install-recommends $missing
