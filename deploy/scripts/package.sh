#!/bin/sh
# Makes Debian packages: hone-agent and hone for this machine, hone-agent for boards. Prints them.
#
# Usage: deploy/scripts/package.sh [PRESET...]      PRESET: release (default), arm64, armhf
# Environment: OUT, the folder for them (build/packages)
set -eu
cd "$(dirname "$0")/../.."

mkdir -p "${OUT:-build/packages}"
out=$(cd "${OUT:-build/packages}" && pwd)
[ $# -gt 0 ] || set -- release
for preset in "$@"; do
	case $preset in
	arm64 | armhf)
		deploy/scripts/sysroot.sh "$preset" >&2
		targets="rpc_server hone-agent-pages"
		;;
	*) targets="rpc_server hone hone-agent-pages hone-pages" ;;
	esac
	cmake --preset "$preset" >&2
	# shellcheck disable=SC2086
	cmake --build --preset "$preset" --target $targets >&2
	work=$(mktemp -d)
	cpack --config "build/$preset/CPackConfig.cmake" -B "$work" >&2 || {
		cat "$work"/_CPack_Packages/*/DEB/*.log >&2 2>/dev/null || true
		rm -rf "$work"
		exit 1
	}
	for deb in "$work"/*.deb; do
		mv "$deb" "$out"
		echo "$out/${deb##*/}"
	done
	rm -rf "$work"
done
