/* The operators of hone's Graph: one X-macro that feeds the kernels, shape inference, the stage
 * builders and the text form. Freestanding.
 *
 * These are normalised operators: the importer resolves opset differences, defaults and run-time
 * shapes, so that one name has one meaning. What an attribute holds after normalisation is said
 * beside it below. ONNX operators that are not here (Sum, Split, Flatten, GlobalAveragePool,
 * Constant, Shape...) are rewritten by the importer into those that are, or fold away.
 *
 * To add an operator: one line here, the kernel, shape inference and stages it names, and one line
 * in graph/import_ops.h (ARCHITECTURE.md, section 7).
 */
#ifndef KERNELS_OPS_H
#define KERNELS_OPS_H

/* name, kernel ref_*, shape inference infer_*, stages stages_*, inputs min, max, outputs max,
 * attributes by name. Stages "none": computed by an extern task that calls the kernel. */
#define OP_LIST(X)                                                                                 \
	/* elementwise, one operand */                                                             \
	X(Neg, neg, same, unary, 1, 1, 1, "")                                                      \
	X(Abs, abs, same, unary, 1, 1, 1, "")                                                      \
	X(Exp, exp, same, unary, 1, 1, 1, "")                                                      \
	X(Log, log, same, unary, 1, 1, 1, "")                                                      \
	X(Sqrt, sqrt, same, unary, 1, 1, 1, "")                                                    \
	X(Reciprocal, reciprocal, same, unary, 1, 1, 1, "")                                        \
	X(Erf, erf, same, unary, 1, 1, 1, "")                                                      \
	X(Tanh, tanh, same, unary, 1, 1, 1, "")                                                    \
	X(Sin, sin, same, none, 1, 1, 1, "")                                                       \
	X(Cos, cos, same, none, 1, 1, 1, "")                                                       \
	X(Sigmoid, sigmoid, same, unary, 1, 1, 1, "")                                              \
	X(Relu, relu, same, unary, 1, 1, 1, "")                                                    \
	X(HardSwish, hardswish, same, unary, 1, 1, 1, "")                                          \
	X(Floor, floor, same, unary, 1, 1, 1, "")                                                  \
	X(Ceil, ceil, same, unary, 1, 1, 1, "")                                                    \
	X(Round, round, same, unary, 1, 1, 1, "")                                                  \
	X(Sign, sign, same, unary, 1, 1, 1, "")                                                    \
	X(Softplus, softplus, same, unary, 1, 1, 1, "")                                            \
	X(Softsign, softsign, same, unary, 1, 1, 1, "")                                            \
	X(Not, not, same, unary, 1, 1, 1, "")                                                      \
	X(HardSigmoid, hardsigmoid, same, unary, 1, 1, 1, "alpha beta")                            \
	X(LeakyRelu, leakyrelu, same, unary, 1, 1, 1, "alpha")                                     \
	X(ThresholdedRelu, thresholdedrelu, same, unary, 1, 1, 1, "alpha")                         \
	X(Elu, elu, same, unary, 1, 1, 1, "alpha")                                                 \
	X(Celu, celu, same, unary, 1, 1, 1, "alpha")                                               \
	X(Selu, selu, same, unary, 1, 1, 1, "alpha gamma")                                         \
	X(Gelu, gelu, same, unary, 1, 1, 1, "approximate")                                         \
	X(Cast, cast, cast, unary, 1, 1, 1, "to")                                                  \
	X(Clip, clip, clip, clip, 1, 3, 1, "")                                                     \
	/* elementwise, several operands, NumPy broadcasting */                                    \
	X(Add, add, broadcast, binary, 2, 2, 1, "")                                                \
	X(Sub, sub, broadcast, binary, 2, 2, 1, "")                                                \
	X(Mul, mul, broadcast, binary, 2, 2, 1, "")                                                \
	X(Div, div, broadcast, binary, 2, 2, 1, "")                                                \
	X(Pow, pow, pow, binary, 2, 2, 1, "")                                                      \
	X(Mod, mod, broadcast, mod, 2, 2, 1, "fmod")                                               \
	X(Min, min, broadcast, binary, 2, 2, 1, "")                                                \
	X(Max, max, broadcast, binary, 2, 2, 1, "")                                                \
	X(PRelu, prelu, prelu, binary, 2, 2, 1, "")                                                \
	X(Equal, equal, compare, binary, 2, 2, 1, "")                                              \
	X(Greater, greater, compare, binary, 2, 2, 1, "")                                          \
	X(Less, less, compare, binary, 2, 2, 1, "")                                                \
	X(GreaterOrEqual, greaterorequal, compare, binary, 2, 2, 1, "")                            \
	X(LessOrEqual, lessorequal, compare, binary, 2, 2, 1, "")                                  \
	X(And, and, compare, binary, 2, 2, 1, "")                                                  \
	X(Or, or, compare, binary, 2, 2, 1, "")                                                    \
	X(Xor, xor, compare, binary, 2, 2, 1, "")                                                  \
	X(Where, where, where, where, 3, 3, 1, "")                                                 \
	/* contractions */                                                                         \
	X(Conv, conv, conv, conv, 2, 3, 1, "kernel strides pads dilations group")                  \
	X(ConvTranspose, convtranspose, convtranspose, convtranspose, 2, 3, 1,                     \
	  "kernel strides pads dilations group output_padding")                                    \
	X(Gemm, gemm, gemm, gemm, 2, 3, 1, "alpha beta transA transB")                             \
	X(MatMul, matmul, matmul, matmul, 2, 2, 1, "")                                             \
	/* of integers of up to 32 bits, summed in i32; what the zero points of ONNX's operators   \
	 * add is in the bias, or in nodes beside it. `value` is what pads hold */                 \
	X(ConvInteger, convinteger, convinteger, conv, 2, 3, 1,                                    \
	  "kernel strides pads dilations group value")                                             \
	X(MatMulInteger, matmulinteger, matmulinteger, matmul, 2, 2, 1, "")                        \
	/* windows, normalisation, reductions */                                                   \
	X(AveragePool, averagepool, pool, averagepool, 1, 1, 1,                                    \
	  "kernel strides pads dilations ceil_mode count_include_pad")                             \
	X(MaxPool, maxpool, pool, maxpool, 1, 1, 2,                                                \
	  "kernel strides pads dilations ceil_mode storage_order")                                 \
	X(BatchNormalization, batchnormalization, channelwise, batchnormalization, 5, 5, 1,        \
	  "epsilon")                                                                               \
	X(InstanceNormalization, instancenormalization, channelwise, instancenormalization, 3, 3,  \
	  1, "epsilon")                                                                            \
	X(LayerNormalization, layernormalization, layernormalization, layernormalization, 2, 3, 3, \
	  "axis epsilon")                                                                          \
	X(LRN, lrn, lrn, lrn, 1, 1, 1, "size alpha beta bias")                                     \
	X(Softmax, softmax, along, softmax, 1, 1, 1, "axis")                                       \
	X(LogSoftmax, logsoftmax, along, softmax, 1, 1, 1, "axis")                                 \
	X(ReduceSum, reducesum, reduce, reduce, 1, 1, 1, "axes keepdims")                          \
	X(ReduceMean, reducemean, reduce, reduce, 1, 1, 1, "axes keepdims")                        \
	X(ReduceMax, reducemax, reduce, reduce, 1, 1, 1, "axes keepdims")                          \
	X(ReduceMin, reducemin, reduce, reduce, 1, 1, 1, "axes keepdims")                          \
	X(ReduceProd, reduceprod, reduce, reduce, 1, 1, 1, "axes keepdims")                        \
	X(ReduceL1, reducel1, reduce, reduce, 1, 1, 1, "axes keepdims")                            \
	X(ReduceL2, reducel2, reduce, reduce, 1, 1, 1, "axes keepdims")                            \
	X(ReduceSumSquare, reducesumsquare, reduce, reduce, 1, 1, 1, "axes keepdims")              \
	X(ReduceLogSum, reducelogsum, reduce, reduce, 1, 1, 1, "axes keepdims")                    \
	X(ReduceLogSumExp, reducelogsumexp, reduce, reduce, 1, 1, 1, "axes keepdims")              \
	X(ArgMax, argmax, argreduce, argreduce, 1, 1, 1, "axis keepdims select_last_index")        \
	X(ArgMin, argmin, argreduce, argreduce, 1, 1, 1, "axis keepdims select_last_index")        \
	/* movement */                                                                             \
	X(Reshape, reshape, given, reshape, 1, 1, 1, "")                                           \
	X(Transpose, transpose, transpose, transpose, 1, 1, 1, "perm")                             \
	X(Expand, expand, given, expand, 1, 1, 1, "")                                              \
	X(Tile, tile, given, tile, 1, 1, 1, "")                                                    \
	X(Concat, concat, concat, concat, 1, 1024, 1, "axis")                                      \
	X(Slice, slice, given, slice, 1, 1, 1, "starts steps")                                     \
	X(Gather, gather, gather, gather, 2, 2, 1, "axis")                                         \
	X(Pad, pad, pad, pad, 1, 1, 1, "pads pad_mode value")                                      \
	X(Resize, resize, given, resize, 1, 1, 1,                                                  \
	  "resize_mode transform nearest scales roi cubic_a exclude_outside extrapolation "        \
	  "antialias")                                                                             \
	X(DepthToSpace, depthtospace, depthtospace, depthtospace, 1, 1, 1, "blocksize crd")        \
	X(SpaceToDepth, spacetodepth, spacetodepth, spacetodepth, 1, 1, 1, "blocksize")            \
	X(Trilu, trilu, trilu, trilu, 1, 1, 1, "upper k")                                          \
	/* recurrence and quantisation */                                                          \
	X(LSTM, lstm, lstm, none, 3, 8, 3,                                                         \
	  "hidden_size direction activations activation_alpha activation_beta clip input_forget "  \
	  "layout")                                                                                \
	X(QuantizeLinear, quantizelinear, quantize, quantize, 2, 3, 1, "axis")                     \
	X(DequantizeLinear, dequantizelinear, dequantize, dequantize, 2, 3, 1, "axis")

/* name, kind (INT, INTS, FLOAT, FLOATS), what it holds after normalisation */
#define ATTR_LIST(X)                                                                         \
	X(kernel, INTS)    /* extent of the window per spatial axis */                       \
	X(strides, INTS)   /* per spatial axis */                                            \
	X(pads, INTS)      /* all begins, then all ends; spatial axes (Pad: all axes) */     \
	X(dilations, INTS) /* per spatial axis */                                            \
	X(output_padding, INTS)                                                              \
	X(group, INT)                                                                        \
	X(ceil_mode, INT)                                                                    \
	X(count_include_pad, INT)                                                            \
	X(storage_order, INT)                                                                \
	X(axis, INT)  /* never negative */                                                   \
	X(axes, INTS) /* never negative, ascending; empty means all were given */            \
	X(keepdims, INT)                                                                     \
	X(select_last_index, INT)                                                            \
	X(perm, INTS)                                                                        \
	X(starts, INTS) /* per axis, in range; the extent is the output's */                 \
	X(steps, INTS)  /* per axis, not 0, may be negative */                               \
	X(alpha, FLOAT)                                                                      \
	X(beta, FLOAT)                                                                       \
	X(gamma, FLOAT)                                                                      \
	X(bias, FLOAT)                                                                       \
	X(epsilon, FLOAT)                                                                    \
	X(value, FLOAT) /* what pads hold */                                                 \
	X(size, INT)    /* LRN's window */                                                   \
	X(transA, INT)                                                                       \
	X(transB, INT)                                                                       \
	X(fmod, INT)                                                                         \
	X(approximate, INT) /* Gelu: 0 erf, 1 tanh */                                        \
	X(to, INT)          /* DType */                                                      \
	X(pad_mode, INT)    /* 0 constant, 1 reflect, 2 edge, 3 wrap */                      \
	X(resize_mode, INT) /* 0 nearest, 1 linear, 2 cubic */                               \
	X(transform, INT)   /* 0 half_pixel, 1 pytorch_half_pixel, 2 align_corners,          \
			     * 3 asymmetric, 4 tf_crop_and_resize, 5 half_pixel_symmetric,   \
			     * 6 tf_half_pixel_for_nn */                                     \
	X(nearest, INT)     /* 0 round_prefer_floor, 1 round_prefer_ceil, 2 floor, 3 ceil */ \
	X(scales, FLOATS)   /* per axis: output / input as the model states it */            \
	X(roi, FLOATS)      /* starts, then ends, per axis; only for tf_crop_and_resize */   \
	X(cubic_a, FLOAT)                                                                    \
	X(exclude_outside, INT)                                                              \
	X(extrapolation, FLOAT)                                                              \
	X(antialias, INT)                                                                    \
	X(blocksize, INT)                                                                    \
	X(crd, INT) /* DepthToSpace: 0 DCR, 1 CRD */                                         \
	X(upper, INT)                                                                        \
	X(k, INT)                                                                            \
	X(hidden_size, INT)                                                                  \
	X(direction, INT)           /* 0 forward, 1 reverse, 2 bidirectional */              \
	X(activations, INTS)        /* three per direction, of LstmActivation */             \
	X(activation_alpha, FLOATS) /* one per activation, defaults filled in */             \
	X(activation_beta, FLOATS)  /* the same */                                           \
	X(clip, FLOAT)              /* 0: none */                                            \
	X(input_forget, INT)                                                                 \
	X(layout, INT)

/* Activations of LSTM: name, defaults of alpha and beta. */
#define LSTM_ACTIVATION_LIST(X)  \
	X(Relu, 0, 0)            \
	X(Tanh, 0, 0)            \
	X(Sigmoid, 0, 0)         \
	X(Affine, 1, 0)          \
	X(LeakyRelu, 0.01, 0)    \
	X(ThresholdedRelu, 1, 0) \
	X(ScaledTanh, 1, 1)      \
	X(HardSigmoid, 0.2, 0.5) \
	X(Elu, 1, 0)             \
	X(Softsign, 0, 0)        \
	X(Softplus, 0, 0)

typedef enum LstmActivation {
#define X(name, alpha, beta) LSTM_##name,
	LSTM_ACTIVATION_LIST(X)
#undef X
		LSTM_ACTIVATION_COUNT
} LstmActivation;

typedef enum Op {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) OP_##name,
	OP_LIST(X)
#undef X
		OP_COUNT
} Op;

typedef enum AttrKey {
#define X(name, kind) ATTR_##name,
	ATTR_LIST(X)
#undef X
		ATTR_COUNT
} AttrKey;

typedef enum AttrKind { ATTR_KIND_INT, ATTR_KIND_INTS, ATTR_KIND_FLOAT, ATTR_KIND_FLOATS } AttrKind;

#endif
