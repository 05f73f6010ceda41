#!/bin/sh
# Records the set that tests replay searches over, tests/replay/NAME.txt: some layers of zoo models on
# this machine, which has nothing else to do meanwhile. A layer takes half a minute to
# five, in pieces of less than two.
#
# Usage: bench/record.sh BIN DIR [NAME...]     BIN: folder of the programs
# Environment: RUN (a command that each recording is run under)
set -eu

bin=$1
dir=$2
shift 2
mkdir -p "$dir"

record() { # NAME MODEL TASK TITLE
	[ $# = 4 ] || exit 2
	case " $wanted " in "  " | *" $1 "*) ;; *) return 0 ;; esac
	status=75
	while [ $status = 75 ]; do
		status=0
		${RUN:-} "$bin/bench/record" "$2" "$3" "$4" "$dir/$1.txt" || status=$?
	done
	return $status
}

wanted="$*"
record conv_3x3s2 resnet50 8 "conv 3x3/2 128->128 @56"
record conv_1x1 resnet50 16 "conv 1x1 256->1024 @14"
record conv_1x1_add resnet50 24 "conv 1x1 add 512->2048 @7"
record conv_1x1_small mobilenet_v2 22 "conv 1x1 96->576 @14"
record depthwise mobilenet_v2 1 "depthwise 3x3 32 @112"
record depthwise_s2 mobilenet_v2 26 "depthwise 3x3/2 576 @14"
record winograd_56 resnet50 3 "conv 3x3 64->64 @56"
record winograd_13 squeezenet1_1 14 "conv 3x3 48->192 @13"
record product bert_layer 5 "product 128x768x768"
record product_erf bert_layer 7 "product 128x768x3072 erf"
record softmax bert_layer 3 "softmax 12x128x128"
record maxpool resnet50 1 "max pool 3x3/2 64 @112"
