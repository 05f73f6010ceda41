#!/bin/sh
# Makes the cost model that ships anew, from the recorded set, and says how well it ranks layers that
# it was not trained with. To be called when features, rules or the set have changed.
#
# Usage: bench/costmodel.sh BIN     BIN: folder of hone
set -eu

cd "$(dirname "$0")/.."
"$1/hone" costmodel train tests/replay/*.txt -o search_space/cost_x86_64.txt
