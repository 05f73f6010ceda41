/* Products, convolutions, pools, normalisations and reductions against independent values. */
#include "kernel_case.h"

static void
products(void **state)
{
	static const char *const cases[] = {
		"Gemm alpha=1 beta=1 transA=0 transB=0 : f32[2,2] 1 2 3 4 | f32[2,1] 1 1 | f32[1] "
		"10 "
		"-> f32[2,1] 13 17",
		"Gemm alpha=2 beta=0.5 transA=1 transB=0 : f32[2,2] 1 2 3 4 | f32[2,2] 1 0 0 1 | "
		"f32[2,1] 10 20 "
		"-> f32[2,2] 7 11 14 18",
		"Gemm alpha=1 beta=1 transA=0 transB=1 : f32[1,3] 1 2 3 | f32[2,3] 1 1 1 0 1 0 "
		"-> f32[1,2] 6 2",
		"Gemm alpha=1 beta=2 transA=1 transB=1 : i32[2,1] 3 4 | i32[2,2] 1 2 3 4 | i32[] "
		"1 "
		"-> i32[1,2] 13 27",
		"Gemm alpha=0.5 beta=1 transA=0 transB=0 : i32[1,1] 7 | i32[1,1] -1 "
		"-> i32[1,1] -3",
		"Gemm alpha=0.5 beta=0.5 transA=0 transB=0 : u64[1,1] 9223372036854775808 | "
		"u64[1,1] 1 | u64[1] 9223372036854775808 "
		"-> u64[1,1] 9223372036854775808",
		"Gemm alpha=1 beta=1 transA=0 transB=0 : i64[1,2] 4294967296 1 | i64[2,1] "
		"2147483648 -1 "
		"-> i64[1,1] 9223372036854775807",
		"Gemm alpha=1 beta=1 transA=0 transB=0 : f32[1,0] | f32[0,2] | f32[2] 1 2 "
		"-> f32[1,2] 1 2",
		"MatMul : f32[2,2] 1 2 3 4 | f32[2,2] 5 6 7 8 -> f32[2,2] 19 22 43 50",
		"MatMul : f32[2] 1 2 | f32[2,2] 5 6 7 8 -> f32[2] 19 22",
		"MatMul : f32[2,2] 1 2 3 4 | f32[2] 5 6 -> f32[2] 17 39",
		"MatMul : f32[2] 1 2 | f32[2] 3 4 -> f32[] 11",
		"MatMul : f32[2,1,1,2] 1 2 3 4 | f32[2,2,1] 1 0 0 1 -> f32[2,2,1,1] 1 2 3 4",
		"MatMul : f32[2] 1 1 | f32[2,2,1] 1 2 3 4 -> f32[2,1] 3 7",
		"MatMul : u8[1,2] 200 100 | u8[2,1] 2 1 -> u8[1,1] 244",
		"MatMul : f32[2,0] | f32[0,2] -> f32[2,2] 0 0 0 0",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
convolutions(void **state)
{
	static const char *const cases[] = {
		"Conv kernel=2,3 strides=1,2 pads=1,0,0,2 dilations=1,1 group=1 : f32[1,1,3,4] "
		"1.25 1.25 0 -0.75 -1.75 -0.5 -0.25 -1.75 -1.75 2 0.5 -1 | f32[1,1,2,3] -0.25 2 "
		"1.5 1.5 -0.5 -0 | f32[1] 0.75 "
		"-> f32[1,1,3,2] 2 1.125 0.5625 -0.25 -3.8125 -1.4375",
		"Conv kernel=2 strides=2 pads=1,1 dilations=3 group=2 : f32[1,4,5] -1.75 0.25 -1 "
		"1.5 -1.75 0.75 1.5 -1 1.5 1.5 -2 0.75 -2 0 -0.25 -1.25 -0.75 1.25 -0.75 -1.5 | "
		"f32[2,2,2] 0.75 -0.25 1.25 -1 -0.75 1.25 0 0 "
		"-> f32[1,2,2] 1.25 1 -2.5 -0.875",
		"Conv kernel=2,1,2 strides=1,1,1 pads=0,0,1,1,0,0 dilations=1,1,1 group=1 : "
		"f32[1,1,2,2,2] -1 -2 1.75 -1.75 1.5 -0.5 1.75 -0.5 | f32[2,1,2,1,2] 1.75 0.25 -1 "
		"1 0.75 0.75 -0.25 -1 | f32[2] 0.5 -1.5 "
		"-> f32[1,2,2,2,2] 1.75 -3.75 2.6875 0.875 0.875 3 0.9375 3.4375 -3.75 -3.625 "
		"-1.9375 -1.4375 -0.375 -0.75 -0.1875 -0.5625",
		"ConvTranspose kernel=3,2 strides=2,1 pads=1,0,0,0 dilations=1,2 group=1 "
		"output_padding=1,0 : f32[1,1,2,2] 0.75 0.5 -0.5 1.25 | f32[1,1,3,2] -1.25 -0.5 "
		"1.25 -0.5 0.75 0.5 | f32[1] 1.75 "
		"-> f32[1,1,5,4] 2.6875 2.375 1.375 1.5 2.9375 0.5625 2.375 1.375 1.125 3.3125 2 "
		"1.125 1.375 2.6875 1.5 2.375 1.75 1.75 1.75 1.75",
		"ConvTranspose kernel=2 strides=3 pads=0,1 dilations=2 group=2 output_padding=2 : "
		"f32[1,2,3] 2 1 1.25 -1.5 0.75 1.5 | f32[2,2,2] -0.5 0.25 -0 1.75 -0.75 -0.5 -2 "
		"-0.25 "
		"-> f32[1,4,10] -1 0 0.5 -0.5 0 0.25 -0.625 0 0.3125 0 0 0 3.5 0 0 1.75 0 0 "
		"2.1875 0 1.125 0 0.75 -0.5625 0 -0.375 -1.125 0 -0.75 0 3 0 0.375 -1.5 0 -0.1875 "
		"-3 0 -0.375 0",
		/* a window that only meets padding gives the bias */
		"Conv kernel=1 strides=2 pads=2,2 dilations=1 group=1 : f32[1,1,1] 5 | f32[1,1,1] "
		"2 | f32[1] 1 "
		"-> f32[1,1,3] 1 11 1",
		"Conv kernel=3,3 strides=1,1 pads=0,0,0,0 dilations=1,1 group=1 : f32[0,1,3,3] | "
		"f32[1,1,3,3] 1 1 1 1 1 1 1 1 1 "
		"-> f32[0,1,1,1]",
		"Conv kernel=1,1 strides=1,1 pads=0,0,0,0 dilations=1,1 group=1 : f16[1,2,1,2] 1 "
		"2 3 4 | f16[1,2,1,1] 2 1 "
		"-> f16[1,1,1,2] 5 8",
		/* empty lists are strides and dilations of 1, no pads */
		"Conv kernel=2 group=1 : f64[1,1,3] 1 2 3 | f64[1,1,2] 1 10 -> f64[1,1,2] 21 32",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
pools(void **state)
{
	static const char *const cases[] = {
		"AveragePool kernel=2 strides=1 pads=1,1 count_include_pad=0 : f32[1,1,3] 2 4 6 "
		"-> f32[1,1,4] 2 3 5 6",
		"AveragePool kernel=2 strides=1 pads=1,1 count_include_pad=1 : f32[1,1,3] 2 4 6 "
		"-> f32[1,1,4] 1 3 5 3",
		/* beyond the padded input, which ceil_mode reaches, nothing counts */
		"AveragePool kernel=3 strides=2 pads=0,1 ceil_mode=1 count_include_pad=1 : "
		"f32[1,1,5] 1 2 3 4 5 "
		"-> f32[1,1,3] 2 4 2.5",
		"AveragePool kernel=2,2 strides=2,1 dilations=1,2 pads=0,1,0,0 "
		"count_include_pad=0 : f32[1,1,2,3] 1 2 3 4 5 6 "
		"-> f32[1,1,1,2] 3.5 3.5",
		"AveragePool kernel=1 strides=3 pads=2,0 count_include_pad=0 : f32[1,1,2] 1 2 "
		"-> f32[1,1,2] nan 2",
		"MaxPool kernel=2 strides=2 pads=1,0 : f32[1,2,3] -1 -2 -3 4 6 5 "
		"-> f32[1,2,2] -1 -2 4 6 | i64[1,2,2] 0 1 3 4",
		"MaxPool kernel=2,2 strides=1,1 dilations=2,1 storage_order=0 : f32[1,1,3,2] 1 2 "
		"9 9 4 3 "
		"-> f32[1,1,1,1] 4 | i64[1,1,1,1] 4",
		"MaxPool kernel=2,2 strides=1,1 dilations=2,1 storage_order=1 : f32[1,1,3,2] 1 2 "
		"9 9 4 3 "
		"-> f32[1,1,1,1] 4 | i64[1,1,1,1] 2",
		"MaxPool kernel=1,1 storage_order=1 : f32[1,1,2,3] 1 2 3 4 5 6 "
		"-> f32[1,1,2,3] 1 2 3 4 5 6 | i64[1,1,2,3] 0 2 4 1 3 5",
		"MaxPool kernel=3 : f32[1,1,3] 1 nan 2 -> f32[1,1,1] nan | -",
		"MaxPool kernel=2 : u64[1,1,3] 18446744073709551615 0 0 "
		"-> u64[1,1,2] 18446744073709551615 0 | i64[1,1,2] 0 1",
		"MaxPool kernel=2 strides=2 ceil_mode=1 : i8[1,1,3] -128 -128 -5 "
		"-> i8[1,1,2] -128 -5 | i64[1,1,2] 0 2",
		"MaxPool kernel=1 strides=3 pads=2,0 : f32[1,1,2] 1 2 "
		"-> f32[1,1,2] -inf 2 | i64[1,1,2] -1 1",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
normalisations(void **state)
{
	static const char *const cases[] = {
		"BatchNormalization epsilon=0 : f32[1,2,2] 1 2 3 4 | f32[2] 2 1 | f32[2] 0 10 | "
		"f32[2] 1 3 | f32[2] 4 0.25 "
		"-> f32[1,2,2] 0 1 10 12",
		"BatchNormalization epsilon=1 : f16[2,1] 1 5 | f32[1] 1 | f32[1] 0 | f32[1] 1 | "
		"f32[1] 3 "
		"-> f16[2,1] 0 2",
		"InstanceNormalization epsilon=0 : f32[1,2,2] 1 3 10 10.5 | f32[2] 1 2 | f32[2] 0 "
		"1 "
		"-> f32[1,2,2] -1 1 -1 3",
		"LayerNormalization axis=1 epsilon=0 : f32[2,2] 1 3 5 9 | f32[2] 1 2 | f32[2] 0 1 "
		"-> f32[2,2] -1 3 -1 3 | f32[2,1] 2 7 | f32[2,1] 1 0.5",
		"LayerNormalization axis=0 epsilon=0 : f32[2,2] 1 3 5 7 | f32[1] 1 "
		"-> f32[2,2] -1.34164079 -0.447213595 0.447213595 1.34164079 | - | f32[1,1] "
		"0.447213595",
		"LayerNormalization axis=1 epsilon=0 : f32[2,2] 1 3 5 9 | f32[2,1] 1 10 | - "
		"-> f32[2,2] -1 1 -10 10 | f32[2,1] 2 7",
		"LRN size=3 alpha=3 beta=1 bias=1 : f32[1,3,1,1] 1 2 3 "
		"-> f32[1,3,1,1] 0.166666667 0.133333333 0.214285714",
		"LRN size=2 alpha=2 beta=0.5 bias=0 : f32[1,3,1] 3 4 12 "
		"-> f32[1,3,1] 0.6 0.316227766 1",
		"Softmax axis=1 : f32[1,3,2] 0 1000 0 1000 0 1000 "
		"-> f32[1,3,2] 0.333333333 0.333333333 0.333333333 0.333333333 0.333333333 "
		"0.333333333",
		"Softmax axis=0 : f32[2] 0 1.09861229 -> f32[2] 0.25 0.75",
		"Softmax axis=0 : f32[2] -inf 0 -> f32[2] 0 1",
		"Softmax axis=0 : f32[2] nan 0 -> f32[2] nan nan",
		"LogSoftmax axis=0 : f64[2] 0 1000 -> f64[2] -1000 0",
		"LogSoftmax axis=1 : f32[2,2] 0 0 5 5 "
		"-> f32[2,2] -0.693147181 -0.693147181 -0.693147181 -0.693147181",
		"Softmax axis=1 : f32[2,0] -> f32[2,0]",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
reductions(void **state)
{
	static const char *const cases[] = {
		"ReduceSum axes=1 keepdims=1 : f32[2,3] 1 2 3 4 5 6 -> f32[2,1] 6 15",
		"ReduceSum axes=0 keepdims=0 : f32[2,3] 1 2 3 4 5 6 -> f32[3] 5 7 9",
		"ReduceSum axes=0,2 : f32[2,2,2] 1 2 3 4 5 6 7 8 -> f32[2] 14 22",
		"ReduceSum axes= : f32[2,2] 1 2 3 4 -> f32[] 10",
		"ReduceSum axes=1 : f32[2,0] -> f32[2] 0 0",
		"ReduceSum axes=0 : i8[3] 100 100 100 -> i8[] 44",
		"ReduceSum axes=0 : f32[3] 16777216 1 1 -> f32[] 16777218",
		"ReduceMean axes=0 : f32[3] 1 2 6 -> f32[] 3",
		"ReduceMean axes=0 : i32[2] -3 -4 -> i32[] -3",
		"ReduceMean axes=0 : u64[1] 18446744073709551615 -> u64[] 18446744073709551615",
		"ReduceMean axes=0 : f32[0] -> f32[] nan",
		"ReduceMean axes=0 : i32[0] -> i32[] 0",
		"ReduceMax axes=0 : f32[3] -3 -1 -2 -> f32[] -1",
		"ReduceMax axes=0 : f32[3] -3 nan -2 -> f32[] nan",
		"ReduceMax axes=0 : f32[0] -> f32[] -inf",
		"ReduceMax axes=0 : u64[2] 1 18446744073709551615 -> u64[] 18446744073709551615",
		"ReduceMax axes=0 : bool[2] 0 1 -> bool[] 1",
		"ReduceMax axes=0 : u8[0] -> u8[] 0",
		"ReduceMin axes=0 : f16[3] -3 -1 inf -> f16[] -3",
		"ReduceMin axes=0 : f32[2] nan 1 -> f32[] nan",
		"ReduceMin axes=0 : i64[2] 9223372036854775807 -9223372036854775808 "
		"-> i64[] -9223372036854775808",
		"ReduceMin axes=0 : i16[0] -> i16[] 32767",
		"ReduceMin axes=0 : bool[0] -> bool[] 1",
		"ReduceProd axes=0 : f32[3] 2 3 4 -> f32[] 24",
		"ReduceProd axes=0 : i32[0] -> i32[] 1",
		"ReduceProd axes=0 : i64[3] 4294967296 4294967296 3 -> i64[] 0",
		"ReduceL1 axes=0 : f32[2] -3 4 -> f32[] 7",
		"ReduceL1 axes=0 : i8[2] -128 -1 -> i8[] -127",
		"ReduceL2 axes=0 : f32[2] -3 4 -> f32[] 5",
		"ReduceL2 axes=0 : i32[2] 3 5 -> i32[] 5",
		"ReduceSumSquare axes=0 : f32[2] -3 4 -> f32[] 25",
		"ReduceSumSquare axes=0 : u32[2] 65536 1 -> u32[] 1",
		"ReduceLogSum axes=0 : f32[2] 1 6.3890561 -> f32[] 2",
		"ReduceLogSum axes=0 : f32[0] -> f32[] -inf",
		"ReduceLogSum axes=0 : i32[1] 0 -> i32[] -2147483648",
		"ReduceLogSumExp axes=0 : f32[2] 1000 1000 -> f32[] 1000.69315",
		"ReduceLogSumExp axes=0 : f32[2] -inf -inf -> f32[] -inf",
		"ReduceLogSumExp axes=0 : f32[2] 1 inf -> f32[] inf",
		"ReduceLogSumExp axes=0 : i64[2] 10 10 -> i64[] 10",
		"ArgMax axis=0 : f32[3] 1 5 5 -> i64[] 1",
		"ArgMax axis=0 select_last_index=1 : f32[3] 1 5 5 -> i64[] 2",
		"ArgMax axis=1 keepdims=1 : i8[2,2] 1 2 -3 -128 -> i64[2,1] 1 0",
		"ArgMax axis=0 : f32[3] 1 nan 5 -> i64[] 1",
		"ArgMax axis=0 : f32[2] -0 0 -> i64[] 0",
		"ArgMin axis=0 : f32[2,3] 1 2 3 0 5 3 -> i64[3] 1 0 0",
		"ArgMin axis=0 select_last_index=1 : u64[3] 18446744073709551615 1 1 -> i64[] 2",
		"ArgMin axis=0 : i64[2] -9223372036854775808 0 -> i64[] 0",
	};

	(void)state;
	CHECK_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products),   cmocka_unit_test(convolutions),
		cmocka_unit_test(pools),      cmocka_unit_test(normalisations),
		cmocka_unit_test(reductions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
