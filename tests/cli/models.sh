#!/bin/sh
# Small models, untuned and tuned: every layer against the reference kernels, and those in
# ../shared/models, where that is, against their stored outputs. Hardly any time in extern steps.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

trials=${HONE_TEST_QUICK:+2}
trials=${trials:-8}
zoo="ds_cnn tiny_resnet8 vww_mobilenet conv_1d bert_layer"
shared="mnist8 kws_fp32 resnet8_cifar resnet8_cifar_qdq dtln_stage1 mobilenetv2_035_128"
if [ -n "${HONE_TEST_QUICK:-}" ]; then
	zoo="ds_cnn conv_1d"
	shared="mnist8 dtln_stage1"
fi

tune() { # MODEL NAME
	ok "$hone" tune "$1" --log "$work/$2.db" --trials "$trials"
	says '^model: untuned .* over ([0-9]+) of \1 tasks'
	says_not 'WRONG|IMPLAUSIBLE'
}

# share MODEL NAME MAX: of the time expected in reference kernels, at most so much
share() {
	json "$hone" compile "$1" --log "$work/$2.db" -o "$work/$2" --json
	sed -n 's/.*"extern_share":[^0-9]*\([0-9.e-]*\).*/\1/p' "$work/json" |
		awk -v max="$3" '$1 <= max { fine = 1 } END { exit !fine }' ||
		fail "$2: too much in reference kernels: $(grep extern_share "$work/json")"
	rm -r "${work:?}/$2"
}

layers() { # MODEL NAME
	ok "$hone" verify "$1" --layers
	says '^layer '
	tune "$1" "$2"
	ok "$hone" verify "$1" --layers --log "$work/$2.db"
	says_not WRONG
	share "$1" "$2" 0.05
	echo "$2: every layer is right, untuned and tuned"
}

stored() { # NAME: against the outputs that lie beside the model
	dir=$root/../shared/models/$1
	model=$dir/$1.onnx r=1e-3 a=1e-4 most=0.05
	[ ! -f "$dir/$1.tol" ] || read -r r a _ <"$dir/$1.tol"
	case $1 in dtln* | *qdq) most=1 ;; esac
	set -- "$1" --rtol "$r" --atol "$a"
	for f in "$dir/$1".input*.npy; do
		set -- "$@" --input "$f"
	done
	for f in "$dir/$1".output*.npy; do
		set -- "$@" --expect "$f"
	done
	name=$1
	shift
	ok "$hone" verify "$model" "$@"
	tune "$model" "$name"
	ok "$hone" verify "$model" "$@" --log "$work/$name.db"
	says '^output 0 '
	share "$model" "$name" "$most"
	echo "$name: outputs as stored, untuned and tuned"
}

layers "$digits/digits.onnx" digits
for name in $zoo; do
	ok "$hone" zoo "$name" -o "$work/$name.onnx"
	layers "$work/$name.onnx" "$name"
done
for name in $shared; do
	if [ -d "$root/../shared/models/$name" ]; then
		stored "$name"
	fi
done
# Integers: every product a dot product of bytes, where the machine has these.
bytes=$root/tests/cli/bytes.onnx
layers "$bytes" bytes
for target in cascadelake=direct alderlake=direct cortex-a55=signs cortex-a76=signs neoverse-v1=direct; do
	ok "$hone" compile "$bytes" --target "${target%%=*}" --dump sched -o "$work/bytes"
	[ "$(grep -A1 "^${target#*=}" "$work/printed" | grep -c 'dot=c')" = 2 ] ||
		fail "not two dot products for $target: $(cat "$work/printed")"
	rm -r "${work:?}/bytes"
done
nothing_left
