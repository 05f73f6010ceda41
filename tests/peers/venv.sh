#!/bin/sh
# Makes a Python virtual environment with ONNX Runtime in FOLDER (build/peers/venv unless given) and
# prints its interpreter: $(tests/peers/venv.sh) tests/peers/forms.py
set -eu
cd "$(dirname "$0")/../.."

venv=$(realpath -m "${1:-build/peers/venv}")
[ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
"$venv/bin/python" -c 'import numpy, onnx, onnxruntime' 2>/dev/null ||
	"$venv/bin/python" -m pip install -q numpy onnx onnxruntime >&2
echo "$venv/bin/python"
