/* LSTM and quantisation against independent values. */
#include "kernel_case.h"

static void
lstm(void **state)
{
	static const char *const cases[] = {
		"LSTM hidden_size=1 direction=0 clip=0 input_forget=0 layout=0 activations=2,1,1 "
		"activation_alpha=0,0,0 activation_beta=0,0,0 : f32[2,1,2] 1.25 1.25 0 -0.75 | "
		"f32[1,4,2] -1.75 -0.5 -0.25 -1.75 -1.75 2 0.5 -1 | f32[1,4,1] -0.25 2 1.5 1.5 | "
		"f32[1,8] -0.5 -0 0.75 -1.75 0.25 -1 1.5 -1.75 "
		"-> f32[2,1,1,1] -0.0013081423 -0.29187059",
		"LSTM hidden_size=2 direction=1 clip=0 input_forget=0 layout=0 activations=2,1,1 "
		"activation_alpha=0,0,0 activation_beta=0,0,0 : f32[2,2,1] 0.75 1.5 -1 1.5 | "
		"f32[1,8,1] 1.5 -2 0.75 -2 0 -0.25 -1.25 -0.75 | f32[1,8,2] 1.25 -0.75 -1.5 0.75 "
		"-0.25 1.25 -1 -0.75 1.25 0 0 -1 -2 1.75 -1.75 1.5 | f32[1,16] -0.5 1.75 -0.5 "
		"1.75 0.25 -1 1 0.75 0.75 -0.25 -1 0.5 -1.5 0.75 0.5 -0.5 | - | f32[1,2,2] 1.25 "
		"-1.25 -0.5 1.25 | f32[1,2,2] -0.5 0.75 0.5 1.75 | f32[1,6] 2 1 1.25 -1.5 0.75 "
		"1.5 "
		"-> - | f32[1,2,2] 0.015928278 -0.18533939 -0.096658066 0.02221027 | f32[1,2,2] "
		"0.059596851 -0.24547116 -0.37609422 1.4878016",
		"LSTM hidden_size=1 direction=2 clip=0 input_forget=0 layout=0 "
		"activations=2,1,1,2,1,1 activation_alpha=0,0,0,0,0,0 activation_beta=0,0,0,0,0,0 "
		": f32[2,2,1] -0.5 0.25 -0 1.75 | f32[2,4,1] -0.75 -0.5 -2 -0.25 0.5 1.75 1.75 "
		"-0.75 | f32[2,4,1] 2 -1.25 1.25 -1.25 -0.5 -1.75 1.5 1.25 | f32[2,8] -1.5 0 -1 "
		"-0 0.25 -1.5 1.5 -1 -0.25 -1.75 -2 -1.25 -0.75 1.75 1.5 -0 | i32[2] 2 1 | "
		"f32[2,2,1] -0.25 0.75 1.5 -0.75 "
		"-> f32[2,2,2,1] -0.028852202 -0.032918435 -0.040346857 -0.30237681 -0.041030277 "
		"0 0.0055336221 0 | - | f32[2,2,1] -0.22197695 -0.49707183 -0.1389634 -0.37106398",
		"LSTM hidden_size=1 direction=2 clip=0 input_forget=0 layout=1 "
		"activations=2,1,1,2,1,1 activation_alpha=0,0,0,0,0,0 activation_beta=0,0,0,0,0,0 "
		": f32[2,3,1] 1.25 0.5 0 -0.5 1 0.75 | f32[2,4,1] 0.75 -2 -1.75 -1.5 -1.25 -1.25 "
		"-1.75 -1.25 | f32[2,4,1] 0.5 1.5 -0.5 -0.5 -0.25 0.75 1.25 1.75 | - | i32[2] 0 3 "
		"| f32[2,2,1] -0.5 -0.75 0.75 1.25 | f32[2,2,1] -1 0 1.5 1 "
		"-> f32[2,3,2,1] 0 0 0 0 0 0 0.71917993 0.24084471 -0.15210189 0.0076477099 "
		"-0.082917452 0.3178992 | f32[2,2,1] 0 0 -0.082917452 0.24084471 | f32[2,2,1] 0 0 "
		"-0.61804157 0.38729078",
		"LSTM hidden_size=1 direction=0 clip=0.5 input_forget=1 layout=0 "
		"activations=2,1,1 activation_alpha=0,0,0 activation_beta=0,0,0 : f32[2,1,1] 0.25 "
		"-0.75 | f32[1,4,1] -0 -1.75 -1.75 0 | f32[1,4,1] -0 1.25 -2 0.25 | f32[1,8] -0 "
		"0.5 1 0 0.25 -0 0.5 -1 | - | - | - | f32[1,3] 0.25 0.75 -1.25 "
		"-> f32[2,1,1,1] -0.11865532 -0.22050215 | f32[1,1,1] -0.22050215 | f32[1,1,1] "
		"-0.37028787",
		"LSTM hidden_size=1 direction=2 clip=0 input_forget=0 layout=0 "
		"activations=7,3,4,9,6,8 activation_alpha=0.20000000000000001,0.5,0.25,0,1.5,0.5 "
		"activation_beta=0.5,0.25,0,0,0.5,0 : f32[1,1,1] 2 | f32[2,4,1] 1 1.75 -0.75 "
		"-0.25 -1 -1.75 -2 -1 | f32[2,4,1] 1.5 -1.25 0.75 -1 -1.75 -1.25 0.75 0 | "
		"f32[2,8] 0.25 -0.25 -1 -0 1.75 -1.25 1 -1 -1.25 -0.75 -1.75 1.75 -0.5 -1.25 -2 "
		"-1.75 "
		"-> f32[1,2,1,1] -0.1125 -0.76313585 | f32[2,1,1] -0.1125 -0.76313585 | "
		"f32[2,1,1] -0.5 0.90188783",
		"LSTM hidden_size=1 direction=2 clip=0 input_forget=0 layout=0 "
		"activations=2,5,10,0,0,1 activation_alpha=0,0.25,0,0,0,0 "
		"activation_beta=0,0,0,0,0,0 : f32[1,1,1] -1.25 | f32[2,4,1] -0.25 0.5 2 1.5 -1 "
		"0.5 1.75 -1.5 | f32[2,4,1] 1.5 -0.5 1.25 -0.75 0.5 0 -1.5 1 | f32[2,8] 1.25 -0 "
		"-0.5 1.75 -0.5 1.5 -0.25 -0.5 -0.5 -1.75 -1 -1 -1.75 0.25 -0.25 -2 "
		"-> f32[1,2,1,1] 0.4892129 0 | f32[2,1,1] 0.4892129 0 | f32[2,1,1] 0 0",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
quantisation(void **state)
{
	static const char *const cases[] = {
		/* half to even after the division in f32 */
		"QuantizeLinear axis=0 : f32[6] 0.5 1.5 2.5 -0.5 300 -300 | f32[] 1 | u8[] 0 "
		"-> u8[6] 0 2 2 0 255 0",
		"QuantizeLinear axis=0 : f32[3] 1 -1 1000 | f32[1] 0.5 | i8[1] 10 "
		"-> i8[3] 12 8 127",
		"QuantizeLinear axis=0 : f32[2] 1 -1 | f32[] 0.5 | - -> i8[2] 2 -2",
		"QuantizeLinear axis=1 : f32[2,2] 1 1 2 2 | f32[2] 1 0.5 | u16[2] 0 7 "
		"-> u16[2,2] 1 9 2 11",
		"QuantizeLinear axis=0 : f32[2,2] 1 1 2 2 | f32[2] 1 0.5 | i16[2] 0 -7 "
		"-> i16[2,2] 1 1 -3 -3",
		"QuantizeLinear axis=0 : i32[2] 7 -7 | f32[] 2 -> i8[2] 4 -4",
		"QuantizeLinear axis=0 : f16[2] 1 3 | f16[] 2 | u8[] 1 -> u8[2] 1 3",
		"QuantizeLinear axis=0 : bf16[1] nan | bf16[] 2 | i8[] 1 -> i8[1] 0",
		/* 0.35 / 0.1 is 3.5 in f32 and rounds to 4; in double it lies below */
		"QuantizeLinear axis=0 : f32[1] 0.35 | f32[] 0.1 -> i8[1] 4",
		"DequantizeLinear axis=0 : u8[3] 0 128 255 | f32[] 0.5 | u8[] 128 "
		"-> f32[3] -64 0 63.5",
		"DequantizeLinear axis=0 : i8[2,2] 1 2 3 4 | f32[2] 1 10 -> f32[2,2] 1 2 30 40",
		"DequantizeLinear axis=1 : i8[2,2] 1 2 3 4 | f32[2] 1 10 | i8[2] 0 2 "
		"-> f32[2,2] 1 0 3 20",
		"DequantizeLinear axis=0 : i32[1] 2147483647 | f32[] 2 -> f32[1] 4294967296",
		"DequantizeLinear axis=0 : u16[1] 65535 | f16[] 2 -> f16[1] inf",
		"DequantizeLinear axis=0 : i16[1] -32768 | bf16[] 2 | i16[] 32767 "
		"-> bf16[1] -131072",
	};

	(void)state;
	CHECK_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lstm),
		cmocka_unit_test(quantisation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
