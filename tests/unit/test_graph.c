/* Graph: building, text, checks, folding, running, sweeping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

/* first half of the SHA-256 of the six floats */
#define WEIGHTS_DIGEST "24ae2dfe8df57c1b80e54cef3d90ac3b"

static const float weights[] = {1, 2, 3, 4, 5, 6};

/* y = leaky(x * w) */
static Graph *
small_graph(void)
{
	static const double alpha = 0.1;
	const char *p = "p", *y = "y 1";
	KAttr attr = attr_float(ATTR_alpha, &alpha);
	Graph *g = graph_new("small");
	int in[2], product;

	in[0] = graph_add_value(g, "x", DT_F32, 2, (int64_t[]){1, 2});
	vec_push(g->arena, &g->input, in[0]);
	in[1] = graph_add_const(g, "w", DT_F32, 2, (int64_t[]){2, 3}, weights, true);
	product = graph_add(
		g, &(NodeSpec){.op = OP_MatMul, .name = "product", .nin = 2, .in = in, .out = &p},
		NULL);
	assert_true(product >= 0);
	product = graph_add(g,
			    &(NodeSpec){.op = OP_LeakyRelu,
					.nin = 1,
					.in = &product,
					.nattr = 1,
					.attr = &attr,
					.out = &y},
			    NULL);
	assert_true(product >= 0);
	vec_push(g->arena, &g->output, product);
	return g;
}

static void
prints_and_reads_back(void **state)
{
	Graph *g = small_graph(), *again;
	Str text = {0}, text_again = {0};
	Digest d = graph_digest(g), d_again;
	Err e = {0};

	(void)state;
	graph_print(g, &text);
	assert_string_equal(text.s, "graph small\n"
				    "in x f32[1,2]\n"
				    "const w f32[2,3] " WEIGHTS_DIGEST "\n"
				    "node product p f32[1,3] = MatMul(x, w)\n"
				    "node LeakyRelu_1 \"y 1\" f32[1,3] = LeakyRelu(p) alpha=0.1\n"
				    "out \"y 1\"\n");
	assert_int_equal(graph_parse(text.s, &again, &e), OK);
	graph_print(again, &text_again);
	assert_string_equal(text.s, text_again.s);
	d_again = graph_digest(again);
	assert_true(digest_equal(&d, &d_again));
	assert_int_equal(graph_check(again, &e), OK);
	str_fini(&text);
	str_fini(&text_again);
	graph_free(g);
	graph_free(again);
}

static void
names_are_quoted_when_they_must(void **state)
{
	static const char *const name[] = {"-",      "a b",        "quote\"back\\slash", "l\nf",
					   "a,b(c)", "\xc3\xa4:0", "plain/Name.1:0"};
	Graph *g = graph_new("names \x01"), *again;
	Str text = {0};
	Err e = {0};
	int id = 0;

	(void)state;
	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		id = graph_add_value(g, name[i], DT_F32, 0, NULL);
		vec_push(g->arena, &g->input, id);
	}
	id = graph_add(g, &(NodeSpec){.op = OP_Relu, .name = "n", .nin = 1, .in = &id}, NULL);
	vec_push(g->arena, &g->output, id);
	graph_print(g, &text);
	assert_int_equal(graph_parse(text.s, &again, &e), OK);
	for (int i = 0; i < g->value.n; i++)
		assert_string_equal(g->value.v[i].name, again->value.v[i].name);
	assert_string_equal(again->name, g->name);
	str_fini(&text);
	graph_free(g);
	graph_free(again);
}

/* Every line of a text broken: an error with the line's number. */
static void
broken_text_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} list[] = {
		{"", "line 1: expected 'graph'"},
		{"graph g\nin x f32[2]\nin x f32[2]\n", "line 3: 'x' is there twice"},
		{"graph g\nin x f33[2]\n", "line 2: expected an element type"},
		{"graph g\nin x f32[-2]\n", "line 2: extent -2"},
		{"graph g\nin x f32[1,1,1,1,1,1,1,1,1]\n", "at most 8 axes"},
		{"graph g\nin \"x f32[2]\n", "a closed name"},
		{"graph g\nin \"x\\q\" f32[2]\n", "a closed name"},
		{"graph g\nconst w f32[2] 12\n", "digest"},
		{"graph g\nin x f32[2]\nout y\n", "no value 'y'"},
		{"graph g\nin x f32[2]\nout x\n", "comes from no node"},
		{"graph g\nin x f32[2]\nnode n y f32[2] = Reluu(x)\n", "no operator 'Reluu'"},
		{"graph g\nin x f32[2]\nnode n y f32[2] = Relu(z)\n", "no value 'z'"},
		{"graph g\nin x f32[2]\nnode n y f32[2] = Relu(x) slope=1\n", "an attribute"},
		{"graph g\nin x f32[2]\nnode n y f32[2] = Elu(x) alpha=\n", "a number"},
		{"graph g\nin x f32[2]\nnode n y f32[2] = Elu(x) axis=1\n",
		 "Elu has no attribute axis"},
		{"graph g\nin x f32[2]\nnode n y f32[3] = Relu(x)\n", "than inferred"},
		{"graph g\nin x f32[2]\nnode n y f32[2], z f32[2] = Relu(x)\n", "2 outputs"},
		{"graph g\nin x f32[2]\nnode n x f32[2] = Relu(x)\n", "'x' is there twice"},
		{"graph g\nin x f32[2] junk\n", "the end of the line"},
		{"graph g\nvalue x f32[2]\n", "'in', 'const', 'node' or 'out'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Graph *g;
		Err e = {0};

		assert_int_equal(graph_parse(list[i].text, &g, &e), ERR_INPUT);
		if (!strstr(e.msg, list[i].error))
			fail_msg("%s\nsays: %s\nexpected: %s", list[i].text, e.msg, list[i].error);
		assert_null(g);
	}
}

static void
break_input(Graph *g)
{
	g->node.v[0].in[0] = g->node.v[1].out[0];
}

static void
break_shape(Graph *g)
{
	g->value.v[g->node.v[0].out[0]].dim[1] = 4;
}

static void
break_type(Graph *g)
{
	g->value.v[1].type = DT_F64;
}

static void
break_producer(Graph *g)
{
	g->value.v[g->node.v[1].out[0]].producer = 0;
}

static void
break_name(Graph *g)
{
	g->value.v[1].name = "x";
}

static void
break_constant(Graph *g)
{
	g->value.v[1].data = NULL;
}

static void
break_output(Graph *g)
{
	g->output.v[0] = 0;
}

static void
break_attr(Graph *g)
{
	g->node.v[1].nattr = 0;
}

static void
break_kind(Graph *g)
{
	g->input.n = 0;
}

static void
check_sees_every_fault(void **state)
{
	static void (*const fault[])(Graph *) = {break_input,    break_shape, break_type,
						 break_producer, break_name,  break_constant,
						 break_output,   break_attr,  break_kind};

	(void)state;
	for (size_t i = 0; i < sizeof fault / sizeof *fault; i++) {
		Graph *g = small_graph();
		Err e = {0};

		assert_int_equal(graph_check(g, &e), OK);
		fault[i](g);
		assert_int_equal(graph_check(g, &e), ERR_CHECK);
		assert_true(e.msg[0]);
		graph_free(g);
	}
}

static void
runs_through_kernels(void **state)
{
	/* x * w = 1*1 - 2*4, 1*2 - 2*5, 1*3 - 2*6 = -7 -8 -9 */
	const float x[] = {1, -2}, want[] = {-0.7f, -0.8f, -0.9f};
	Graph *g = small_graph();
	const void *data = x;
	Arena *a = arena_new();
	void *all[8];
	const float *y;

	(void)state;
	assert_int_equal(graph_run(g, a, &data, all, NULL), OK);
	y = all[g->output.v[0]];
	for (int i = 0; i < 3; i++)
		assert_float_equal(y[i], want[i], 1e-6);
	assert_ptr_equal(all[1], g->value.v[1].data);
	arena_free(a);
	graph_free(g);
}

static void
folds_constants(void **state)
{
	Graph *g = small_graph();
	int sum = graph_add_node(g, &(NodeSpec){.op = OP_Add, .nin = 2, .in = (int[]){1, 1}}, NULL);
	int keep = graph_add_node(g, &(NodeSpec){.op = OP_Relu, .nin = 1, .in = &g->output.v[0]},
				  NULL);
	int v = g->node.v[sum].out[0], last = g->node.v[keep].out[0];

	(void)state;
	assert_int_equal(graph_fold_node(g, sum, NULL), OK);
	assert_true(g->value.v[v].is_const);
	for (int i = 0; i < 6; i++)
		assert_true(((const float *)g->value.v[v].data)[i] == 2 * weights[i]);
	assert_int_equal(g->node.n, 3);
	assert_int_equal(g->value.v[last].producer, 2);
	assert_int_equal(graph_check(g, NULL), OK);
	graph_free(g);
}

static void
sweeps_what_nobody_needs(void **state)
{
	Graph *g = small_graph();
	int dead = graph_add(g, &(NodeSpec){.op = OP_Exp, .nin = 1, .in = (int[]){0}}, NULL);
	int unused = graph_add_value(g, "unused input", DT_I64, 0, NULL);

	(void)state;
	vec_push(g->arena, &g->input, unused);
	graph_add(g, &(NodeSpec){.op = OP_Log, .nin = 1, .in = &dead}, NULL);
	graph_add_const(g, "dead", DT_F32, 0, NULL, weights, true);
	graph_sweep(g);
	assert_int_equal(g->node.n, 2);
	assert_int_equal(g->value.n, 5); /* x w p y, and the input that nobody reads */
	assert_string_equal(g->value.v[g->output.v[0]].name, "y 1");
	assert_string_equal(g->value.v[g->input.v[1]].name, "unused input");
	assert_int_equal(graph_check(g, NULL), OK);
	graph_free(g);
}

/* Worked out by hand: elements of the output times terms of each; a transposed convolution counts
 * elements of the input times what each is added to. */
static void
macs_are_counted(void **state)
{
	static const char text[] =
		"graph g\n"
		"in x f32[1,4,9,7]\nin w f32[6,2,3,3]\nin wt f32[4,5,3,3]\nin a f32[2,3]\n"
		"in m f32[5,1,2,3]\nin n f32[4,3,8]\n"
		"in lx f32[7,2,5]\nin lw f32[1,12,5]\nin lr f32[1,12,3]\n"
		"node conv c f32[1,6,5,4] = Conv(x, w) kernel=[3,3] strides=[2,1] pads=[1,0,1,1] "
		"dilations=[1,2] group=2\n"
		"node deconv d f32[1,5,11,9] = ConvTranspose(x, wt) kernel=[3,3] strides=[1,1] "
		"pads=[0,0,0,0] dilations=[1,1] group=1 output_padding=[0,0]\n"
		"node gemm e f32[2,2] = Gemm(a, a) transB=1\n"
		"node matmul f f32[5,4,2,8] = MatMul(m, n)\n"
		"node lstm h f32[7,1,2,3] = LSTM(lx, lw, lr) hidden_size=3 activations=[2,1,1] "
		"activation_alpha=[0,0,0] activation_beta=[0,0,0]\n"
		"node relu r f32[1,6,5,4] = Relu(c)\n"
		"out r\nout d\nout e\nout f\nout h\n";
	const int64_t want[] = {6 * 5 * 4 * 2 * 9, 4 * 9 * 7 * 5 * 9,    2 * 2 * 3,
				5 * 4 * 2 * 8 * 3, 7 * 2 * 12 * (5 + 3), 0};
	Graph *g;
	Err e = {0};

	(void)state;
	if (graph_parse(text, &g, &e))
		fail_msg("%s", e.msg);
	for (int i = 0; i < g->node.n; i++)
		assert_int_equal(graph_node_macs(g, &g->node.v[i]), want[i]);
	graph_free(g);
}

static void
tables_agree(void **state)
{
	AttrKey key[OP_ATTRS_MAX];

	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const OpInfo *info = op_info((Op)i);
		size_t length = 0;
		Op op;

		assert_true(op_from_name(info->name, &op) && op == (Op)i);
		for (int k = 0; k < op_attrs((Op)i, key); k++)
			length += strlen(attr_name(key[k])) + 1;
		/* every word of the list is an attribute */
		assert_int_equal(length, strlen(info->attrs) + (info->attrs[0] != 0));
	}
	assert_false(op_from_name("Nothing", &(Op){0}));
	assert_false(attr_from_name("nothing", &(AttrKey){0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_and_reads_back),
		cmocka_unit_test(names_are_quoted_when_they_must),
		cmocka_unit_test(broken_text_is_refused),
		cmocka_unit_test(check_sees_every_fault),
		cmocka_unit_test(runs_through_kernels),
		cmocka_unit_test(folds_constants),
		cmocka_unit_test(sweeps_what_nobody_needs),
		cmocka_unit_test(macs_are_counted),
		cmocka_unit_test(tables_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
