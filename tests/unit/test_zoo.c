/* Zoo: every model imports and has its published shape, parameters and multiply-adds; equal seeds
 * give equal bytes; activations stay of order 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "graph/import.h"
#include "graph/onnx_read.h"
#include "graph/zoo.h"

/* Parameters as frameworks count them: without the statistics of batch normalisations. */
static const struct Known {
	const char *name, *in, *out;
	int64_t params, macs;
	bool is_big; /* only where HONE_NIGHTLY is set */
	bool runs;   /* small enough for reference kernels */
} known[] = {
	{"resnet18", "f32[1,3,224,224]", "f32[1,1000]", 11689512, 1814073344, false, false},
	{"resnet50", "f32[1,3,224,224]", "f32[1,1000]", 25557032, 4089184256, true, false},
	{"mobilenet_v1", "f32[1,3,224,224]", "f32[1,1000]", 4231976, 568740352, false, false},
	{"mobilenet_v2", "f32[1,3,224,224]", "f32[1,1000]", 3504872, 300774272, false, false},
	{"squeezenet1_1", "f32[1,3,224,224]", "f32[1,1000]", 1235496, 349151936, false, false},
	{"vgg16", "f32[1,3,224,224]", "f32[1,1000]", 138357544, 15470264320, true, false},
	{"ds_cnn", "f32[1,1,49,10]", "f32[1,12]", 23756, 2656768, false, true},
	{"tiny_resnet8", "f32[1,3,32,32]", "f32[1,10]", 78186, 12501632, false, true},
	{"vww_mobilenet", "f32[1,3,96,96]", "f32[1,2]", 216322, 7489664, false, true},
	{"mlp", "f32[128,768]", "f32[128,768]", 18889728, 2415919104, false, false},
	{"conv_1d", "f32[1,1,8000]", "f32[1,35]", 26915, 7675584, false, true},
	{"bert_layer", "f32[1,128,768]", "f32[1,128,768]", 7087872, 931135488, false, false},
};

enum { KNOWN = sizeof known / sizeof *known };

typedef struct Built {
	Arena *arena;
	const void *bytes;
	size_t size;
	Graph *graph;
	Err e;
} Built;

static void
build(Built *b, const char *name)
{
	ImportReport rep;

	*b = (Built){.arena = arena_new()};
	import_report_init(&rep);
	if (zoo_build(name, 1, b->arena, &b->bytes, &b->size, &b->e) ||
	    graph_import_memory(b->bytes, b->size, NULL, NULL, &b->graph, &rep, &b->e))
		fail_msg("%s: %s", name, b->e.msg);
	import_report_fini(&rep);
}

static void
release(Built *b)
{
	graph_free(b->graph);
	arena_free(b->arena);
}

static bool
is_statistic(const Onnx__GraphProto *g, const char *name)
{
	for (size_t i = 0; i < g->n_node; i++)
		if (!strcmp(g->node[i]->op_type, "BatchNormalization") &&
		    (!strcmp(g->node[i]->input[3], name) || !strcmp(g->node[i]->input[4], name)))
			return true;
	return false;
}

/* Elements of the float initializers that have an extent and are no statistics. */
static int64_t
count_params(Built *b)
{
	Onnx__ModelProto *model;
	int64_t sum = 0;

	assert_int_equal(onnx_unpack_model(b->arena, b->bytes, b->size, &model, &b->e), OK);
	for (size_t i = 0; i < model->graph->n_initializer; i++) {
		const Onnx__TensorProto *t = model->graph->initializer[i];
		int64_t count = t->n_dims > 0;

		for (size_t k = 0; k < t->n_dims; k++)
			count *= t->dims[k];
		if (t->data_type == dtype_to_onnx(DT_F32) && !is_statistic(model->graph, t->name))
			sum += count;
	}
	return sum;
}

static int64_t
count_macs(const Graph *g)
{
	int64_t sum = 0;

	for (int i = 0; i < g->node.n; i++) {
		const Node *n = &g->node.v[i];
		const Value *w = n->nin > 1 ? &g->value.v[n->in[1]] : NULL;
		const Value *x = &g->value.v[n->in[0]];
		int64_t out = value_count(&g->value.v[n->out[0]]);

		if (n->op == OP_Conv)
			sum += out * value_count(w) / w->dim[0];
		else if (n->op == OP_Gemm || n->op == OP_MatMul)
			sum += out * x->dim[x->rank - 1];
	}
	return sum;
}

static void
expect_shape(const Graph *g, int value, const char *want)
{
	const Value *v = &g->value.v[value];
	Str s = {0};

	shape_print(&s, v->type, v->rank, v->dim);
	assert_string_equal(str_get(&s), want);
	str_fini(&s);
}

static void
models_are_the_published_ones(void **state)
{
	int count;
	const ZooModel *model = zoo_list(&count);

	(void)state;
	assert_int_equal(count, KNOWN);
	for (int i = 0; i < KNOWN; i++) {
		const struct Known *k = &known[i];
		Built b;

		assert_string_equal(model[i].name, k->name);
		if (k->is_big && !getenv("HONE_NIGHTLY"))
			continue;
		build(&b, k->name);
		assert_int_equal(b.graph->input.n, 1);
		assert_int_equal(b.graph->output.n, 1);
		expect_shape(b.graph, b.graph->input.v[0], k->in);
		expect_shape(b.graph, b.graph->output.v[0], k->out);
		assert_int_equal(count_params(&b), k->params);
		assert_int_equal(count_macs(b.graph), k->macs);
		release(&b);
	}
}

static void
seeds_decide_the_bytes(void **state)
{
	Arena *a = arena_new();
	const void *bytes[3];
	size_t size[3];
	Err e = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(zoo_build("ds_cnn", i == 2, a, &bytes[i], &size[i], &e), OK);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(bytes[0], bytes[1], size[0]);
	assert_int_equal(size[0], size[2]);
	assert_memory_not_equal(bytes[0], bytes[2], size[0]);
	arena_free(a);
}

static void
unknown_names_are_told_the_known_ones(void **state)
{
	Arena *a = arena_new();
	const void *bytes;
	size_t size;
	Err e = {0};

	(void)state;
	assert_int_equal(zoo_build("resnet", 0, a, &bytes, &size, &e), ERR_INPUT);
	for (int i = 0; i < KNOWN; i++)
		assert_non_null(strstr(e.msg, known[i].name));
	arena_free(a);
}

static double
root_mean_square(const float *x, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sqrt(sum / (double)n);
}

/* Every value in between is of order 1, and a Softmax is no one-hot vector. */
static void
expect_activations(const Graph *g, const char *model, void *const *all)
{
	for (int i = 0; i < g->node.n; i++) {
		const Node *n = &g->node.v[i];
		const Value *v = &g->value.v[n->out[0]];
		const float *x = all[n->out[0]];
		double rms = root_mean_square(x, value_count(v));

		if (n->op == OP_Softmax) {
			for (int64_t k = 0; k < value_count(v); k++)
				assert_true(x[k] < 0.95F);
		} else if (!(rms > 0.1 && rms < 5)) {
			fail_msg("%s: '%s' has a root mean square of %g", model, v->name, rms);
		}
	}
}

static void
activations_are_of_order_one(void **state)
{
	(void)state;
	for (int i = 0; i < KNOWN; i++) {
		const Value *in;
		const void *data;
		void **all, *x;
		Built b;

		if (!known[i].runs)
			continue;
		build(&b, known[i].name);
		in = &b.graph->value.v[b.graph->input.v[0]];
		data = x = arena_alloc(b.arena, value_bytes(in));
		rng_fill(DT_F32, x, (size_t)value_count(in), 7, -1.7, 1.7); /* variance 1 */
		all = ARENA_ARRAY(b.arena, void *, b.graph->value.n);
		assert_int_equal(graph_run(b.graph, b.arena, &data, all, &b.e), OK);
		expect_activations(b.graph, known[i].name, all);
		release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_the_published_ones),
		cmocka_unit_test(seeds_decide_the_bytes),
		cmocka_unit_test(unknown_names_are_told_the_known_ones),
		cmocka_unit_test(activations_are_of_order_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
