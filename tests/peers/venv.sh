#!/bin/sh
# Makes a Python virtual environment with ONNX Runtime in FOLDER (build/peers/venv unless given) and
# prints its interpreter: $(tests/peers/venv.sh) tests/peers/forms.py
# --tuners: also Kernel Tuner and jsonschema, for exports.py
# --reports: also SciPy, statsmodels, xmlschema and a copy of the SARIF schema, for ranks.py and reports.py
# --peers: also OpenVINO and ncnn (with its converter pnnx, which wants PyTorch), for bench/peers.py.
set -eu
cd "$(dirname "$0")/../.."

packages="numpy onnx onnxruntime"
if [ "${1:-}" = --peers ]; then
	packages="$packages openvino ncnn pnnx"
	shift
fi
if [ "${1:-}" = --tuners ]; then
	packages="$packages kernel_tuner jsonschema"
	shift
fi
if [ "${1:-}" = --reports ]; then
	packages="numpy scipy statsmodels xmlschema pydantic_sarif"
	shift
fi
venv=$(realpath -m "${1:-build/peers/venv}")
[ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
"$venv/bin/python" -c "import $(echo "$packages" | sed 's/ /, /g')" 2>/dev/null ||
	"$venv/bin/python" -m pip install -q $packages >&2
echo "$venv/bin/python"
