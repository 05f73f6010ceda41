#!/bin/sh
# Everything a change must pass: dependencies, build, all tests. Ends with 0 only if all passed.
set -eu
cd "$(dirname "$0")/.."

deploy/scripts/deps.sh
cmake --preset release
cmake --build --preset release
ctest --test-dir build/release --output-on-failure -j "$(nproc)"
