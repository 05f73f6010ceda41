/* Small models to tune. */
#ifndef TESTS_UNIT_TUNE_CASE_H
#define TESTS_UNIT_TUNE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "graph/import.h"
#include "tests/unit/onnx_make.h"

/* Ends m. */
static inline Graph *
tune_case_import(OnnxMake *m)
{
	ImportReport report;
	Graph *g = NULL;
	const void *bytes;
	size_t size;
	Err e = {0};

	bytes = onnx_write_pack(m, &size);
	import_report_init(&report);
	if (graph_import_memory(bytes, size, NULL, NULL, &g, &report, &e))
		fail_msg("%s", e.msg);
	import_report_fini(&report);
	onnx_make_fini(m);
	return g;
}

/* A matrix product of 8 rows, 256 terms and 64 columns. */
static inline Graph *
tune_case_product(void)
{
	static float w[256 * 64];
	OnnxMake m;

	rng_fill(DT_F32, w, sizeof w / sizeof *w, 1, -1, 1);
	onnx_make_init(&m, 13);
	onnx_make_input(&m, "x", DT_F32, "8,256");
	onnx_make_const(&m, "w", DT_F32, "256,64", w);
	onnx_make_node(&m, "MatMul", "x w", "y");
	onnx_make_output(&m, "y");
	return tune_case_import(&m);
}

enum { TUNE_CASE_CHAIN = 5 };

/* Matrix products one behind the other, each of a shape of its own. */
static inline Graph *
tune_case_chain(void)
{
	static float w[64 * 64];
	OnnxMake m;

	rng_fill(DT_F32, w, sizeof w / sizeof *w, 1, -1, 1);
	onnx_make_init(&m, 13);
	onnx_make_input(&m, "x0", DT_F32, "8,16");
	for (int i = 0; i < TUNE_CASE_CHAIN; i++) {
		char shape[32], name[2][16], in[32];

		snprintf(shape, sizeof shape, "%d,%d", 16 + 8 * i, 24 + 8 * i);
		snprintf(name[0], sizeof name[0], "w%d", i);
		snprintf(name[1], sizeof name[1], "x%d", i + 1);
		snprintf(in, sizeof in, "x%d w%d", i, i);
		onnx_make_const(&m, name[0], DT_F32, shape, w);
		onnx_make_node(&m, "MatMul", in, name[1]);
	}
	onnx_make_output(&m, "x5");
	return tune_case_import(&m);
}

/* A convolution 3x3 with Relu, and a dense layer. */
static inline Graph *
tune_case_model(void)
{
	static float w[8 * 4 * 9], b[8], d[8 * 64 * 10];
	OnnxMake m;

	rng_fill(DT_F32, w, sizeof w / 4, 1, -1, 1);
	rng_fill(DT_F32, b, sizeof b / 4, 2, -1, 1);
	rng_fill(DT_F32, d, sizeof d / 4, 3, -1, 1);
	onnx_make_init(&m, 13);
	onnx_make_input(&m, "x", DT_F32, "1,4,10,10");
	onnx_make_const(&m, "w", DT_F32, "8,4,3,3", w);
	onnx_make_const(&m, "b", DT_F32, "8", b);
	onnx_make_const(&m, "d", DT_F32, "512,10", d);
	onnx_make_node(&m, "Conv", "x w b", "c");
	onnx_make_node(&m, "Relu", "c", "r");
	onnx_make_node(&m, "Flatten", "r", "f");
	onnx_make_node(&m, "MatMul", "f d", "y");
	onnx_make_output(&m, "y");
	return tune_case_import(&m);
}

/* A convolution 3x3, and one whose result the first one's is added to. */
static inline Graph *
tune_case_residual(void)
{
	static float w[16 * 16 * 9];
	const int64_t pads[] = {1, 1, 1, 1};
	OnnxMake m;

	rng_fill(DT_F32, w, sizeof w / 4, 1, -1, 1);
	onnx_make_init(&m, 13);
	onnx_make_input(&m, "x", DT_F32, "1,16,8,8");
	onnx_make_const(&m, "w", DT_F32, "16,16,3,3", w);
	onnx_write_ints(&m, onnx_make_node(&m, "Conv", "x w", "a"), "pads", 4, pads);
	onnx_write_ints(&m, onnx_make_node(&m, "Conv", "a w", "b"), "pads", 4, pads);
	onnx_make_node(&m, "Add", "a b", "y");
	onnx_make_output(&m, "y");
	return tune_case_import(&m);
}

#endif
