#!/bin/sh
# Unpacks what rpc_server links, for another architecture, into a folder: static libraries and
# headers of Debian. Nothing is installed, and the machine's own package lists stay as they are.
# Returns at once when the folder is complete. Prints the folder.
#
# Usage: deploy/scripts/sysroot.sh arm64|armhf [DIR]       DIR: build/sysroot-ARCH by default
set -eu
cd "$(dirname "$0")/../.."

arch=${1:-}
case $arch in
arm64 | armhf) ;;
*)
	echo "usage: $0 arm64|armhf [DIR]" >&2
	exit 2
	;;
esac
packages="libuv1-dev libmsgpack-dev nettle-dev libssl-dev libseccomp-dev"

mkdir -p "${2:-build/sysroot-$arch}"
root=$(cd "${2:-build/sysroot-$arch}" && pwd)
stamp="$root/packages.txt"
if [ "$(cat "$stamp" 2>/dev/null)" = "$packages" ]; then
	echo "$root"
	exit 0
fi
[ -f "$stamp" ] || [ -z "$(ls -A "$root")" ] || {
	echo "sysroot.sh: $root holds other files" >&2
	exit 2
}

# An apt of its own: lists, state and downloads lie in a folder that goes at the end; sources, keys
# and how to reach them are the machine's.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/deb"
: >"$work/state/status"
cat >"$work/apt.conf" <<CONF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
CONF
export APT_CONFIG="$work/apt.conf"
# A mirror that lacks one of its lists may do: what is downloaded is checked against the others.
apt-get update -q >&2 || echo "sysroot.sh: not all package lists could be had" >&2
# shellcheck disable=SC2086
(cd "$work/deb" && apt-get download -q $packages >&2)
rm -rf "${root:?}"
mkdir -p "$root"
for deb in "$work"/deb/*.deb; do
	dpkg-deb -x "$deb" "$root"
done
echo "$packages" >"$stamp"
echo "$root"
