/* npy: NumPy's files and ONNX's tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "graph/onnx_tensor.h"
#include "onnx_make.h"

/* A file: version, header text padded to its length, elements. */
static size_t
make_file(char *out, int version, const char *header, const void *data, size_t size)
{
	size_t n = strlen(header), at = 0;

	memcpy(out, "\x93NUMPY", 6);
	out[6] = (char)version;
	out[7] = 0;
	out[8] = (char)(n & 255);
	out[9] = (char)(n >> 8);
	at = 10;
	if (version > 1)
		out[at++] = 0, out[at++] = 0;
	memcpy(out + at, header, n);
	memcpy(out + at + n, data, size);
	return at + n + size;
}

static void
every_type_round_trips(void **state)
{
	char path[] = "/tmp/hone_test_XXXXXX";
	const int64_t dim[] = {2, 3};

	(void)state;
	close(mkstemp(path));
	for (int type = 0; type < DT_COUNT; type++)
		for (int rank = 0; rank <= 2; rank++) {
			Npy a, b;

			assert_int_equal(npy_init(&a, (DType)type, rank, dim, NULL), OK);
			for (int64_t i = 0; i < npy_count(&a); i++)
				dtype_put(a.type, a.data, (size_t)i, (double)(i + 1));
			assert_int_equal(npy_write(path, &a, NULL), OK);
			assert_int_equal(npy_read(path, &b, NULL), OK);
			assert_int_equal(b.type, type);
			assert_int_equal(b.rank, rank);
			assert_memory_equal(a.dim, b.dim, sizeof a.dim);
			assert_memory_equal(a.data, b.data, npy_bytes(&a));
			assert_int_equal((uintptr_t)b.data % 64, 0);
			npy_fini(&a);
			npy_fini(&b);
		}
	unlink(path);
}

/* As numpy.save writes np.arange(6, dtype=...).reshape(2, 3, order='F'): elements in memory order.
 */
static void
headers_of_numpy_are_read(void **state)
{
	static const struct {
		int version;
		const char *header;
		int16_t want[6];
	} list[] = {
		{1,
		 "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }  \n",
		 {0, 1, 2, 3, 4, 5}},
		{2,
		 "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n",
		 {0, 2, 4, 1, 3, 5}},
		{3,
		 "{\"shape\":(2L,3L),\"fortran_order\":False,\"descr\":\"<i2\"}",
		 {0, 1, 2, 3, 4, 5}},
	};
	const int16_t data[] = {0, 1, 2, 3, 4, 5};
	char file[256];
	Npy t;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t n = make_file(file, list[i].version, list[i].header, data, sizeof data);

		assert_int_equal(npy_decode(file, n, &t, NULL), OK);
		assert_int_equal(t.rank, 2);
		assert_int_equal(t.dim[0], 2);
		assert_int_equal(t.dim[1], 3);
		assert_memory_equal(t.data, list[i].want, sizeof list[i].want);
		npy_fini(&t);
	}
}

static void
bad_files_are_refused_by_name(void **state)
{
	static const struct {
		const char *header;
		int code;
		const char *text;
	} list[] = {
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", ERR_UNSUPPORTED,
		 "big-endian"},
		{"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", ERR_UNSUPPORTED,
		 "<c8"},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", ERR_UNSUPPORTED, "|O"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", ERR_INPUT,
		 "4 bytes of elements, expected 8"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
		 ERR_UNSUPPORTED, "extent"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }",
		 ERR_INPUT, "dictionary"},
		{"{'descr': '<f4', 'fortran_order': False, }", ERR_INPUT, "dictionary"},
		{"{'descr': '<f4', 'fortran_order': 1, 'shape': (1,), }", ERR_INPUT, "dictionary"},
		{"{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", ERR_INPUT, "dictionary"},
		{"", ERR_INPUT, "dictionary"},
	};
	char file[256];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t n = make_file(file, 1, list[i].header, "\0\0\0", 4);
		Err e = {0};
		Npy t;

		assert_int_equal(npy_decode(file, n, &t, &e), list[i].code);
		assert_non_null(strstr(e.msg, list[i].text));
		assert_null(t.data);
	}
	assert_int_equal(npy_read("/nonexistent.npy", &(Npy){0}, NULL), ERR_IO);
}

static void
every_cut_is_an_error(void **state)
{
	char file[256], *copy;
	size_t n = make_file(file, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }",
			     "abcd", 4);
	Npy t;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		copy = malloc(cut + 1); /* so that a read beyond the end is seen */
		memcpy(copy, file, cut);
		assert_int_equal(npy_decode(copy, cut, &t, NULL), ERR_INPUT);
		free(copy);
	}
}

static int
decode(OnnxMake *m, const Onnx__TensorProto *t, Npy *out)
{
	size_t size = onnx__tensor_proto__get_packed_size(t);
	uint8_t *bytes = arena_alloc(m->arena, size);

	onnx__tensor_proto__pack(t, bytes);
	return onnx_tensor_decode(bytes, size, out, NULL);
}

static void
onnx_tensors_in_their_encodings(void **state)
{
	const float raw[] = {1.5f, -2};
	int32_t halves[] = {0x3c00, 0xc000}, bytes[] = {-1, 255};
	uint64_t longs[] = {7, UINT64_MAX};
	Onnx__TensorProto *t;
	OnnxMake m;
	Npy out;

	(void)state;
	onnx_make_init(&m, 13);
	t = onnx_make_tensor(&m, "t", DT_F32, "2", raw);
	assert_int_equal(decode(&m, t, &out), OK);
	assert_memory_equal(out.data, raw, sizeof raw);
	npy_fini(&out);

	t = onnx_make_tensor(&m, "t", DT_F16, "2", NULL);
	t->int32_data = halves;
	t->n_int32_data = 2;
	assert_int_equal(decode(&m, t, &out), OK);
	assert_true(dtype_get(DT_F16, out.data, 0) == 1 && dtype_get(DT_F16, out.data, 1) == -2);
	npy_fini(&out);

	t->data_type = dtype_to_onnx(DT_U8);
	t->int32_data = bytes;
	assert_int_equal(decode(&m, t, &out), OK);
	assert_int_equal(((uint8_t *)out.data)[0], 255);
	npy_fini(&out);

	t = onnx_make_tensor(&m, "t", DT_U64, "2", NULL);
	t->uint64_data = longs;
	t->n_uint64_data = 2;
	assert_int_equal(decode(&m, t, &out), OK);
	assert_memory_equal(out.data, longs, sizeof longs);
	npy_fini(&out);

	t->n_uint64_data = 1; /* fewer elements than the shape says */
	assert_int_equal(decode(&m, t, &out), ERR_INPUT);
	t->n_uint64_data = 0;
	t->data_type = 8;
	assert_int_equal(decode(&m, t, &out), ERR_UNSUPPORTED);
	assert_int_equal(onnx_tensor_decode("\xff", 1, &out, NULL), ERR_INPUT);
	onnx_make_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_round_trips),
		cmocka_unit_test(headers_of_numpy_are_read),
		cmocka_unit_test(bad_files_are_refused_by_name),
		cmocka_unit_test(every_cut_is_an_error),
		cmocka_unit_test(onnx_tensors_in_their_encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
