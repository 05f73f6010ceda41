/* The ONNX operators the importer takes: one line each.
 *
 * name (with its domain unless it is the default one), first and last opset in which the import
 * function knows its meaning (0: no last), import function import_*, operator of the graph that
 * most of them emit, inputs min, max, outputs max, attributes it may carry. Older forms of an
 * operator are handled by its import function. Operators that rows share are told apart by `op`.
 */
#ifndef GRAPH_IMPORT_OPS_H
#define GRAPH_IMPORT_OPS_H

#include "graph/importer.h"

#define CONV_ATTRS   "auto_pad dilations group kernel_shape pads strides"
#define POOL_ATTRS   "auto_pad ceil_mode dilations kernel_shape pads strides"
#define REDUCE_ATTRS "axes keepdims noop_with_empty_axes"
#define RESIZE_ATTRS                                                                   \
	"antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside " \
	"extrapolation_value keep_aspect_ratio_policy mode nearest_mode"
#define LSTM_ATTRS                                                                              \
	"activation_alpha activation_beta activations clip direction hidden_size input_forget " \
	"layout output_sequence"

#define ONNX_OP_LIST(X)                                                                           \
	/* elementwise */                                                                         \
	X("Neg", 6, 0, direct, Neg, 1, 1, 1, "")                                                  \
	X("Abs", 6, 0, direct, Abs, 1, 1, 1, "")                                                  \
	X("Exp", 6, 0, direct, Exp, 1, 1, 1, "")                                                  \
	X("Log", 6, 0, direct, Log, 1, 1, 1, "")                                                  \
	X("Sqrt", 6, 0, direct, Sqrt, 1, 1, 1, "")                                                \
	X("Reciprocal", 6, 0, direct, Reciprocal, 1, 1, 1, "")                                    \
	X("Erf", 9, 0, direct, Erf, 1, 1, 1, "")                                                  \
	X("Tanh", 6, 0, direct, Tanh, 1, 1, 1, "")                                                \
	X("Sin", 7, 0, direct, Sin, 1, 1, 1, "")                                                  \
	X("Cos", 7, 0, direct, Cos, 1, 1, 1, "")                                                  \
	X("Sigmoid", 6, 0, direct, Sigmoid, 1, 1, 1, "")                                          \
	X("Relu", 6, 0, direct, Relu, 1, 1, 1, "")                                                \
	X("HardSwish", 14, 0, direct, HardSwish, 1, 1, 1, "")                                     \
	X("Floor", 6, 0, direct, Floor, 1, 1, 1, "")                                              \
	X("Ceil", 6, 0, direct, Ceil, 1, 1, 1, "")                                                \
	X("Round", 11, 0, direct, Round, 1, 1, 1, "")                                             \
	X("Sign", 9, 0, direct, Sign, 1, 1, 1, "")                                                \
	X("Softplus", 1, 0, direct, Softplus, 1, 1, 1, "")                                        \
	X("Softsign", 1, 0, direct, Softsign, 1, 1, 1, "")                                        \
	X("Not", 1, 0, direct, Not, 1, 1, 1, "")                                                  \
	X("HardSigmoid", 6, 0, activation, HardSigmoid, 1, 1, 1, "alpha beta")                    \
	X("LeakyRelu", 6, 0, activation, LeakyRelu, 1, 1, 1, "alpha")                             \
	X("ThresholdedRelu", 10, 0, activation, ThresholdedRelu, 1, 1, 1, "alpha")                \
	X("Elu", 6, 0, activation, Elu, 1, 1, 1, "alpha")                                         \
	X("Celu", 12, 0, activation, Celu, 1, 1, 1, "alpha")                                      \
	X("Selu", 6, 0, activation, Selu, 1, 1, 1, "alpha gamma")                                 \
	X("Gelu", 20, 0, gelu, Gelu, 1, 1, 1, "approximate")                                      \
	X("com.microsoft.Gelu", 6, 0, gelu, Gelu, 1, 1, 1, "")                                    \
	X("Cast", 6, 0, cast, Cast, 1, 1, 1, "to saturate")                                       \
	X("CastLike", 15, 0, castlike, Cast, 2, 2, 1, "saturate")                                 \
	X("Clip", 6, 0, clip, Clip, 1, 3, 1, "min max")                                           \
	X("Add", 6, 0, binary, Add, 2, 2, 1, "broadcast axis")                                    \
	X("Sub", 6, 0, binary, Sub, 2, 2, 1, "broadcast axis")                                    \
	X("Mul", 6, 0, binary, Mul, 2, 2, 1, "broadcast axis")                                    \
	X("Div", 6, 0, binary, Div, 2, 2, 1, "broadcast axis")                                    \
	X("Pow", 6, 0, binary, Pow, 2, 2, 1, "broadcast axis")                                    \
	X("Equal", 1, 0, binary, Equal, 2, 2, 1, "broadcast axis")                                \
	X("Greater", 1, 0, binary, Greater, 2, 2, 1, "broadcast axis")                            \
	X("Less", 1, 0, binary, Less, 2, 2, 1, "broadcast axis")                                  \
	X("And", 1, 0, binary, And, 2, 2, 1, "broadcast axis")                                    \
	X("Or", 1, 0, binary, Or, 2, 2, 1, "broadcast axis")                                      \
	X("Xor", 1, 0, binary, Xor, 2, 2, 1, "broadcast axis")                                    \
	X("GreaterOrEqual", 12, 0, direct, GreaterOrEqual, 2, 2, 1, "")                           \
	X("LessOrEqual", 12, 0, direct, LessOrEqual, 2, 2, 1, "")                                 \
	X("Mod", 10, 0, mod, Mod, 2, 2, 1, "fmod")                                                \
	X("PRelu", 6, 0, prelu, PRelu, 2, 2, 1, "")                                               \
	X("Where", 9, 0, direct, Where, 3, 3, 1, "")                                              \
	X("Min", 6, 0, nary, Min, 1, 1024, 1, "")                                                 \
	X("Max", 6, 0, nary, Max, 1, 1024, 1, "")                                                 \
	X("Sum", 6, 0, nary, Add, 1, 1024, 1, "")                                                 \
	X("Mean", 6, 0, mean, Add, 1, 1024, 1, "")                                                \
	/* contractions and windows */                                                            \
	X("Conv", 1, 0, conv, Conv, 2, 3, 1, CONV_ATTRS)                                          \
	X("ConvTranspose", 1, 0, convtranspose, ConvTranspose, 2, 3, 1,                           \
	  CONV_ATTRS " output_padding output_shape")                                              \
	X("Gemm", 6, 0, gemm, Gemm, 2, 3, 1, "alpha beta broadcast transA transB")                \
	X("MatMul", 1, 0, direct, MatMul, 2, 2, 1, "")                                            \
	X("AveragePool", 1, 0, pool, AveragePool, 1, 1, 1, POOL_ATTRS " count_include_pad")       \
	X("MaxPool", 1, 0, pool, MaxPool, 1, 1, 2, POOL_ATTRS " storage_order")                   \
	X("GlobalAveragePool", 1, 0, globalpool, ReduceMean, 1, 1, 1, "")                         \
	X("GlobalMaxPool", 1, 0, globalpool, ReduceMax, 1, 1, 1, "")                              \
	/* normalisation */                                                                       \
	X("BatchNormalization", 6, 0, batchnorm, BatchNormalization, 5, 5, 5,                     \
	  "epsilon is_test momentum spatial training_mode")                                       \
	X("InstanceNormalization", 6, 0, instancenorm, InstanceNormalization, 3, 3, 1, "epsilon") \
	X("LayerNormalization", 17, 0, layernorm, LayerNormalization, 2, 3, 3,                    \
	  "axis epsilon stash_type")                                                              \
	X("LRN", 1, 0, lrn, LRN, 1, 1, 1, "alpha beta bias size")                                 \
	X("Softmax", 1, 0, softmax, Softmax, 1, 1, 1, "axis")                                     \
	X("LogSoftmax", 1, 0, softmax, LogSoftmax, 1, 1, 1, "axis")                               \
	/* reductions */                                                                          \
	X("ReduceSum", 1, 0, reduce, ReduceSum, 1, 2, 1, REDUCE_ATTRS)                            \
	X("ReduceMean", 1, 0, reduce, ReduceMean, 1, 2, 1, REDUCE_ATTRS)                          \
	X("ReduceMax", 1, 0, reduce, ReduceMax, 1, 2, 1, REDUCE_ATTRS)                            \
	X("ReduceMin", 1, 0, reduce, ReduceMin, 1, 2, 1, REDUCE_ATTRS)                            \
	X("ReduceProd", 1, 0, reduce, ReduceProd, 1, 2, 1, REDUCE_ATTRS)                          \
	X("ReduceL1", 1, 0, reduce, ReduceL1, 1, 2, 1, REDUCE_ATTRS)                              \
	X("ReduceL2", 1, 0, reduce, ReduceL2, 1, 2, 1, REDUCE_ATTRS)                              \
	X("ReduceSumSquare", 1, 0, reduce, ReduceSumSquare, 1, 2, 1, REDUCE_ATTRS)                \
	X("ReduceLogSum", 1, 0, reduce, ReduceLogSum, 1, 2, 1, REDUCE_ATTRS)                      \
	X("ReduceLogSumExp", 1, 0, reduce, ReduceLogSumExp, 1, 2, 1, REDUCE_ATTRS)                \
	X("ArgMax", 1, 0, argreduce, ArgMax, 1, 1, 1, "axis keepdims select_last_index")          \
	X("ArgMin", 1, 0, argreduce, ArgMin, 1, 1, 1, "axis keepdims select_last_index")          \
	/* shapes */                                                                              \
	X("Identity", 1, 0, identity, Reshape, 1, 1, 1, "")                                       \
	X("Dropout", 6, 0, dropout, Reshape, 1, 3, 2, "is_test ratio seed")                       \
	X("Reshape", 5, 0, reshape, Reshape, 2, 2, 1, "allowzero")                                \
	X("Flatten", 1, 0, flatten, Reshape, 1, 1, 1, "axis")                                     \
	X("Squeeze", 1, 0, squeeze, Reshape, 1, 2, 1, "axes")                                     \
	X("Unsqueeze", 1, 0, unsqueeze, Reshape, 1, 2, 1, "axes")                                 \
	X("Shape", 1, 0, shape, Reshape, 1, 1, 1, "start end")                                    \
	X("Size", 1, 0, size, Reshape, 1, 1, 1, "")                                               \
	/* movement */                                                                            \
	X("Transpose", 1, 0, transpose, Transpose, 1, 1, 1, "perm")                               \
	X("Expand", 8, 0, expand, Expand, 2, 2, 1, "")                                            \
	X("Tile", 6, 0, tile, Tile, 2, 2, 1, "")                                                  \
	X("Concat", 4, 0, concat, Concat, 1, 1024, 1, "axis")                                     \
	X("Split", 2, 0, split, Slice, 1, 2, 1024, "axis num_outputs split")                      \
	X("Slice", 1, 0, slice, Slice, 1, 5, 1, "axes ends starts")                               \
	X("Gather", 1, 0, gather, Gather, 2, 2, 1, "axis")                                        \
	X("Pad", 2, 0, pad, Pad, 1, 4, 1, "mode pads value")                                      \
	X("Resize", 10, 0, resize, Resize, 1, 4, 1, RESIZE_ATTRS)                                 \
	X("Upsample", 7, 9, upsample, Resize, 1, 2, 1, "mode scales")                             \
	X("DepthToSpace", 1, 0, depthtospace, DepthToSpace, 1, 1, 1, "blocksize mode")            \
	X("SpaceToDepth", 1, 0, spacetodepth, SpaceToDepth, 1, 1, 1, "blocksize")                 \
	X("Trilu", 14, 0, trilu, Trilu, 1, 2, 1, "upper")                                         \
	/* constants */                                                                           \
	X("Constant", 1, 0, constant, Expand, 0, 0, 1,                                            \
	  "value value_float value_floats value_int value_ints")                                  \
	X("ConstantOfShape", 9, 0, constantofshape, Expand, 1, 1, 1, "value")                     \
	X("Range", 11, 0, range, Expand, 3, 3, 1, "")                                             \
	X("EyeLike", 9, 0, eyelike, Expand, 1, 1, 1, "dtype k")                                   \
	X("OneHot", 9, 0, onehot, Where, 3, 3, 1, "axis")                                         \
	/* recurrence and quantisation */                                                         \
	X("LSTM", 7, 0, lstm, LSTM, 3, 8, 3, LSTM_ATTRS)                                          \
	X("QuantizeLinear", 10, 0, quantize, QuantizeLinear, 2, 3, 1,                             \
	  "axis block_size output_dtype saturate")                                                \
	X("DequantizeLinear", 10, 0, dequantize, DequantizeLinear, 2, 3, 1, "axis block_size")    \
	X("DynamicQuantizeLinear", 11, 0, dynamicquantize, QuantizeLinear, 1, 1, 3, "")           \
	X("ConvInteger", 10, 0, integer, ConvInteger, 2, 4, 1, CONV_ATTRS)                        \
	X("MatMulInteger", 10, 0, integer, MatMulInteger, 2, 4, 1, "")                            \
	X("QLinearConv", 10, 0, qlinear, ConvInteger, 8, 9, 1, CONV_ATTRS)                        \
	X("QLinearMatMul", 10, 0, qlinear, MatMulInteger, 8, 8, 1, "")

#define X(name, since, until, fn, op, in_min, in_max, out_max, attrs) ImportFn import_##fn;
ONNX_OP_LIST(X)
#undef X

#endif
