/* The kernels as a whole: none is missing, each takes exactly its element types, scratch, bitcode.
 */
#include "kernel_case.h"
#include "kernels/bitcode.h"

enum {
	FLOATS = 1 << DT_F32 | 1 << DT_F64 | 1 << DT_F16 | 1 << DT_BF16,
	BOOLS = 1 << DT_BOOL,
	ALL = (1 << DT_COUNT) - 1,
	NUMBERS = ALL & ~BOOLS,
	SMALL_FLOATS = FLOATS & ~(1 << DT_F64),
	SMALL_INTS = 1 << DT_I8 | 1 << DT_U8 | 1 << DT_I16 | 1 << DT_U16,
	SUMMED_INTS = SMALL_INTS | 1 << DT_I32,
	INDICES = 1 << DT_I32 | 1 << DT_I64
};

/* A small call for every operator, in which the type under test stands as T. */
static const struct {
	const char *text;
	int types;
} list[] = {
	{"Neg : T[2] 1 0 -> T[2] _ _", NUMBERS},
	{"Abs : T[2] 1 0 -> T[2] _ _", NUMBERS},
	{"Exp : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Log : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Sqrt : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Reciprocal : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Erf : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Tanh : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Sin : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Cos : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Sigmoid : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Relu : T[2] 1 0 -> T[2] _ _", NUMBERS},
	{"HardSwish : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Floor : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Ceil : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Round : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Sign : T[2] 1 0 -> T[2] _ _", NUMBERS},
	{"Softplus : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Softsign : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Not : T[2] 1 0 -> T[2] _ _", BOOLS},
	{"HardSigmoid alpha=1 beta=0 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"LeakyRelu alpha=1 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"ThresholdedRelu alpha=1 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Elu alpha=1 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Celu alpha=1 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Selu alpha=1 gamma=1 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Gelu approximate=0 : T[2] 1 0 -> T[2] _ _", FLOATS},
	{"Cast to=0 : T[2] 1 0 -> f32[2] 1 0", ALL},
	{"Cast to=12 : T[2] 1 0 -> bool[2] 1 0", ALL},
	{"Cast to=7 : f32[2] 1 0 -> T[2] 1 0", ALL},
	{"Clip : T[2] 1 0 | T[] 0 | T[] 1 -> T[2] 1 0", NUMBERS},
	{"Add : T[2] 1 2 | T[] 3 -> T[2] 4 5", NUMBERS},
	{"Sub : T[2] 3 2 | T[] 1 -> T[2] 2 1", NUMBERS},
	{"Mul : T[2] 1 2 | T[] 3 -> T[2] 3 6", NUMBERS},
	{"Div : T[2] 6 4 | T[] 2 -> T[2] 3 2", NUMBERS},
	{"Pow : T[2] 2 3 | f32[] 2 -> T[2] 4 9", NUMBERS},
	{"Pow : f32[2] 2 3 | T[] 2 -> f32[2] 4 9", NUMBERS},
	{"Mod fmod=1 : T[2] 7 4 | T[] 4 -> T[2] 3 0", NUMBERS},
	{"Min : T[2] 1 3 | T[] 2 -> T[2] 1 2", NUMBERS},
	{"Max : T[2] 1 3 | T[] 2 -> T[2] 2 3", NUMBERS},
	{"PRelu : T[2] 1 3 | T[] 2 -> T[2] 1 3", NUMBERS},
	{"Equal : T[2] 1 0 | T[] 1 -> bool[2] 1 0", ALL},
	{"Greater : T[2] 1 2 | T[] 1 -> bool[2] 0 1", NUMBERS},
	{"Less : T[2] 1 0 | T[] 1 -> bool[2] 0 1", NUMBERS},
	{"GreaterOrEqual : T[2] 1 0 | T[] 1 -> bool[2] 1 0", NUMBERS},
	{"LessOrEqual : T[2] 1 2 | T[] 1 -> bool[2] 1 0", NUMBERS},
	{"And : T[1] 1 | T[1] 1 -> bool[1] _", BOOLS},
	{"Or : T[1] 1 | T[1] 1 -> bool[1] _", BOOLS},
	{"Xor : T[1] 1 | T[1] 1 -> bool[1] _", BOOLS},
	{"Where : bool[2] 1 0 | T[2] 1 1 | T[2] 0 0 -> T[2] 1 0", ALL},
	{"Where : T[2] 1 0 | f32[2] 1 1 | f32[2] 0 0 -> f32[2] _ _", BOOLS},
	{"Conv kernel=1 group=1 : T[1,1,2] 1 2 | T[1,1,1] 3 -> T[1,1,2] 3 6", FLOATS},
	{"ConvTranspose kernel=1 group=1 : T[1,1,2] 1 2 | T[1,1,1] 3 -> T[1,1,2] 3 6", FLOATS},
	{"Gemm alpha=1 beta=1 : T[1,1] 2 | T[1,1] 3 | T[1] 1 -> T[1,1] 7", NUMBERS},
	{"MatMul : T[1,1] 2 | T[1,1] 3 -> T[1,1] 6", NUMBERS},
	{"ConvInteger kernel=1 group=1 value=0 : T[1,1,2] 1 2 | i8[1,1,1] 3 -> i32[1,1,2] 3 6",
	 SUMMED_INTS},
	{"ConvInteger kernel=2 pads=1,1 group=1 value=5 : u8[1,1,2] 1 2 | T[1,1,2] 3 1 | i32[1] 10 "
	 "-> i32[1,1,3] 26 15 21",
	 SUMMED_INTS},
	{"MatMulInteger : T[1,2] 2 1 | u8[2,1] 3 4 -> i32[1,1] 10", SUMMED_INTS},
	{"MatMulInteger : i8[1,2] 2 -1 | T[2,1] 3 4 -> i32[1,1] 2", SUMMED_INTS},
	{"AveragePool kernel=2 : T[1,1,2] 1 3 -> T[1,1,1] 2", FLOATS},
	{"MaxPool kernel=2 : T[1,1,2] 1 3 -> T[1,1,1] 3", NUMBERS},
	{"BatchNormalization epsilon=0 : T[1,1] 3 | T[1] 2 | T[1] 1 | T[1] 2 | T[1] 1 "
	 "-> T[1,1] 3",
	 FLOATS},
	{"InstanceNormalization epsilon=0 : T[1,1,2] 1 3 | T[1] 1 | T[1] 0 -> T[1,1,2] -1 1",
	 FLOATS},
	{"LayerNormalization axis=0 epsilon=0 : T[2] 1 3 | T[2] 1 1 -> T[2] -1 1", FLOATS},
	{"LRN size=1 alpha=1 beta=1 bias=1 : T[1,1,1] 1 -> T[1,1,1] 0.5", FLOATS},
	{"Softmax axis=0 : T[2] 0 0 -> T[2] 0.5 0.5", FLOATS},
	{"LogSoftmax axis=0 : T[1] 0 -> T[1] 0", FLOATS},
	{"ReduceSum axes=0 : T[2] 1 2 -> T[] 3", NUMBERS},
	{"ReduceMean axes=0 : T[2] 1 3 -> T[] 2", NUMBERS},
	{"ReduceMax axes=0 : T[2] 1 0 -> T[] 1", ALL},
	{"ReduceMin axes=0 : T[2] 1 0 -> T[] 0", ALL},
	{"ReduceProd axes=0 : T[2] 3 2 -> T[] 6", NUMBERS},
	{"ReduceL1 axes=0 : T[2] 1 2 -> T[] 3", NUMBERS},
	{"ReduceL2 axes=0 : T[2] 3 4 -> T[] 5", NUMBERS},
	{"ReduceSumSquare axes=0 : T[2] 1 2 -> T[] 5", NUMBERS},
	{"ReduceLogSum axes=0 : T[1] 1 -> T[] 0", NUMBERS},
	{"ReduceLogSumExp axes=0 : T[1] 2 -> T[] 2", NUMBERS},
	{"ArgMax axis=0 : T[2] 1 2 -> i64[] 1", NUMBERS},
	{"ArgMin axis=0 : T[2] 1 2 -> i64[] 0", NUMBERS},
	{"Reshape : T[2] 1 0 -> T[1,2] 1 0", ALL},
	{"Transpose perm=1,0 : T[1,2] 1 0 -> T[2,1] 1 0", ALL},
	{"Expand : T[1] 1 -> T[2] 1 1", ALL},
	{"Tile : T[2] 1 0 -> T[4] 1 0 1 0", ALL},
	{"Concat axis=0 : T[1] 1 | T[1] 0 -> T[2] 1 0", ALL},
	{"Slice starts=1 steps=-1 : T[2] 1 0 -> T[2] 0 1", ALL},
	{"Gather axis=0 : T[2] 1 0 | i64[2] 1 0 -> T[2] 0 1", ALL},
	{"Gather axis=0 : f32[2] 1 0 | T[2] 1 0 -> f32[2] 0 1", INDICES},
	{"Pad pads=1,0 pad_mode=0 value=1 : T[1] 0 -> T[2] 1 0", ALL},
	{"Resize resize_mode=0 transform=3 nearest=2 scales=2 : T[2] 1 0 -> T[4] 1 1 0 0", ALL},
	{"Resize resize_mode=1 transform=3 scales=2 : T[2] 1 3 -> T[4] 1 2 3 3", NUMBERS},
	{"DepthToSpace blocksize=1 crd=0 : T[1,1,1,1] 1 -> T[1,1,1,1] 1", ALL},
	{"SpaceToDepth blocksize=1 : T[1,1,1,1] 1 -> T[1,1,1,1] 1", ALL},
	{"Trilu upper=0 k=0 : T[1,2] 1 1 -> T[1,2] 1 0", ALL},
	{"LSTM hidden_size=1 : T[1,1,1] 0 | T[1,4,1] 0 0 0 0 | T[1,4,1] 0 0 0 0 -> T[1,1,1,1] 0",
	 FLOATS},
	{"QuantizeLinear axis=0 : T[1] 4 | f32[] 2 -> i8[1] 2", SMALL_FLOATS | 1 << DT_I32},
	{"QuantizeLinear axis=0 : f32[1] 4 | T[] 2 -> i8[1] 2", SMALL_FLOATS},
	{"QuantizeLinear axis=0 : f32[1] 4 | f32[] 2 -> T[1] 2", SMALL_INTS},
	{"DequantizeLinear axis=0 : T[1] 4 | f32[] 2 -> f32[1] 8", SMALL_INTS | 1 << DT_I32},
	{"DequantizeLinear axis=0 : i8[1] 4 | T[] 2 -> T[1] 8", SMALL_FLOATS},
};

/* The text with the type's name for T. */
static void
with_type(const char *text, DType type, char *out, size_t size)
{
	size_t n = 0;

	for (; *text && n + 8 < size; text++)
		if (*text == 'T' && text[1] == '[')
			n += (size_t)snprintf(out + n, size - n, "%s", dtype_name(type));
		else
			out[n++] = *text;
	out[n] = '\0';
}

static void
kernels_take_exactly_their_types(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		for (int type = 0; type < DT_COUNT; type++) {
			Case c;

			with_type(list[i].text, (DType)type, text, sizeof text);
			if (list[i].types & 1 << type) {
				check_case(text);
				continue;
			}
			case_parse(&c, text);
			if (case_run(&c) != -1)
				fail_msg("%s: not refused", text);
			case_fini(&c);
		}
}

static void
no_kernel_goes_untested(void **state)
{
	(void)state;
	for (int op = 0; op < OP_COUNT; op++) {
		size_t length = strlen(case_ops[op]), i = 0;

		while (i < sizeof list / sizeof *list &&
		       (strncmp(list[i].text, case_ops[op], length) || list[i].text[length] != ' '))
			i++;
		if (i == sizeof list / sizeof *list)
			fail_msg("no case for %s", case_ops[op]);
		assert_non_null(case_kernels[op]);
	}
}

static void
scratch_depends_on_shapes_alone(void **state)
{
	Case c;

	(void)state;
	case_parse(&c, "LSTM hidden_size=3 : f32[0,1,1] | f32[1,12,1] 0 0 0 0 0 0 0 0 0 0 0 0 | "
		       "f32[1,12,3] 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
		       "0 0 0 0 0 -> f32[0,1,1,3]");
	for (int i = 0; i < c.call.nin; i++) {
		free(c.in[i].data);
		c.in[i].data = NULL;
	}
	assert_int_equal(kernel_scratch(OP_LSTM, &c.call), 8 * 6 * 3);
	assert_int_equal(kernel_scratch(OP_Add, &c.call), 0);
	case_fini(&c);
}

static void
bitcode_is_embedded(void **state)
{
	static const unsigned char magic[] = {'B', 'C', 0xc0, 0xde};

	(void)state;
	assert_true(kernels_lp64_bc_end - kernels_lp64_bc > 10000);
	assert_memory_equal(kernels_lp64_bc, magic, sizeof magic);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_take_exactly_their_types),
		cmocka_unit_test(no_kernel_goes_untested),
		cmocka_unit_test(scratch_depends_on_shapes_alone),
		cmocka_unit_test(bitcode_is_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
