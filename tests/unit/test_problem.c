/* What surrounds candidates: regions of stored tensors, expected outputs, checks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/nests.h"
#include "tuner/problem.h"

enum { ELEMENT = 1, BORDER = 2, LANE = 4, FOREIGN = 8 };

/* What lies at an index that may reach into the slack. */
static int
class_of(const Form *f, const TaskTensor *x, const int64_t *ix)
{
	int c = ELEMENT;

	for (int d = 0; d < x->rank; d++) {
		bool inside = ix[d] >= 0 && ix[d] < x->dim[d];

		if (!inside && f->foreign >> d & 1)
			return FOREIGN;
		if (!inside)
			c = d == f->block_dim || c == LANE ? LANE : BORDER;
	}
	return c;
}

/* Class of every element of the buffer, by walking all indices. */
static void
classify(const Form *f, const TaskTensor *x, const Layout *l, int *class)
{
	int64_t lo[TASK_RANK_MAX], hi[TASK_RANK_MAX], ix[TASK_RANK_MAX], at[TASK_RANK_MAX];
	Layout first = *l; /* its index 0 is the first element stored */
	int d;

	first.base = 0;

	for (d = 0; d < x->rank; d++) {
		lo[d] = ix[d] = -f->lo[d];
		hi[d] = x->dim[d] + f->hi[d];
		if (d == f->block_dim)
			hi[d] = (hi[d] + f->block - 1) / f->block * f->block;
	}
	do {
		for (d = 0; d < x->rank; d++)
			at[d] = ix[d] - lo[d];
		class[layout_at(&first, at)] = class_of(f, x, ix);
		for (d = x->rank - 1; d >= 0 && ++ix[d] == hi[d]; d--)
			ix[d] = lo[d];
	} while (d >= 0);
}

static void
mark(const Region *r, const Layout *l, int *seen, int bit)
{
	assert_true(r->whole);
	for (int i = 0; i < r->n; i++) {
		assert_true(nest_inside(&r->nest[i], (uint64_t)l->count));
		for (NestWalk w = nest_walk(&r->nest[i]); w.left; nest_next(&w))
			seen[w.at] |= bit;
	}
}

static void
check_form(Form f, const TaskTensor *x)
{
	Layout l = form_layout(&f, x->dim, x->type, 0);
	int *class = calloc((size_t)l.count, sizeof *class);
	int *seen = calloc((size_t)l.count, sizeof *seen);
	Region all = region_elements(&f, x), border = region_border(&f, x);
	Region lanes = region_lanes(&f, x), foreign = region_foreign(&f, x);
	uint64_t elements = 0;

	classify(&f, x, &l, class);
	mark(&all, &l, seen, ELEMENT);
	mark(&border, &l, seen, BORDER);
	mark(&lanes, &l, seen, LANE);
	mark(&foreign, &l, seen, FOREIGN);
	for (int64_t i = 0; i < l.count; i++) { /* patches: the last one counts */
		int last = seen[i] & FOREIGN  ? FOREIGN
			   : seen[i] & BORDER ? BORDER
					      : seen[i] & (LANE | ELEMENT);

		assert_int_equal(last, class[i]);
		elements += class[i] == ELEMENT;
	}
	assert_int_equal(elements, tensor_count(x));
	free(class);
	free(seen);
}

static void
regions_tell_elements_from_what_surrounds_them(void **state)
{
	TaskTensor x = {.type = DT_F32, .rank = 4, .dim = {2, 20, 3, 5}};
	Form f = form_plain(4);

	(void)state;
	check_form(f, &x);
	f.lo[2] = f.hi[2] = f.lo[3] = 1;
	check_form(f, &x);
	f = form_channels_last(4);
	f.lo[2] = 2;
	f.hi[3] = 3;
	check_form(f, &x);
	f.foreign = 1u << 3;
	check_form(f, &x);
	f = form_blocked(4, 1, 8); /* 20 channels: a partial block */
	check_form(f, &x);
	f.lo[2] = f.hi[2] = f.lo[3] = f.hi[3] = 1;
	check_form(f, &x);
	f.foreign = 1u << 2;
	check_form(f, &x);
	f = form_blocked(4, 1, 10);
	f.lo[1] = 10; /* a part of a concatenation */
	f.hi[1] = 20;
	f.foreign = 1u << 1;
	check_form(f, &x);
}

/* y = 2 x + t[j], with t looked up through indices i. */
static const char text[] = "task\n"
			   "  in x f32[6,20]\n"
			   "  in i i32[6]\n"
			   "  const t f32[9]\n"
			   "  out y f32[6,20]\n"
			   "  stage a:6 b:20\n"
			   "    y[a,b] = x[a,b] * 2 + t[@i[a]]\n";

static void
fill(const BufferSpec *b, void *to)
{
	Err e = {0};

	assert_int_equal(fill_buffer((DType)b->type, to, b->bytes, &b->fill, NULL, 0, &e), OK);
}

/* Of a batch for finalists, or not: what the contents of its buffers give is what its checks
 * expect. */
static void
check_contents(const Problem *p, const TaskForm *f, const Task *t, bool final, bool other)
{
	Layout lx = form_layout(&f->v[0], t->tensor.v[0].dim, DT_F32, 0);
	Layout ly = form_layout(&f->v[3], t->tensor.v[3].dim, DT_F32, 0);
	Arena *a = arena_new();
	float x[1000], table[9];
	int32_t index[6];
	double want[1000];
	Blobs blobs = {0};
	Batch batch = {0};
	const Blob *records = NULL;
	uint32_t k = 0;

	problem_buffers(p, a, final, &batch);
	problem_checks(p, a, 1, final, &batch, &blobs);
	for (int i = 0; other && i < 2; i++)
		batch.buffers.v[i].fill.seed = batch.buffers.v[i].other_seed;
	assert_true(p->buffer.v[0].bytes <= sizeof x && ly.count <= 1000);
	fill(&batch.buffers.v[0], x);
	fill(&batch.buffers.v[1], index);
	fill(&batch.buffers.v[3], table);
	for (int64_t i = 0; i < 6; i++)
		for (int64_t j = 0; j < 20; j++) {
			assert_true(index[i] >= 0 && index[i] < 9);
			want[layout_at(&ly, (int64_t[]){i, j})] =
				2. * x[layout_at(&lx, (int64_t[]){i, j})] + table[index[i]];
		}
	while (batch.checks.v[k].kind != CHECK_SAMPLES || batch.checks.v[k].other != other)
		assert_true(++k < batch.checks.n);
	for (int i = 0; i < blobs.n; i++)
		if (digest_equal(&blobs.v[i].digest, &batch.checks.v[k].blob))
			records = &blobs.v[i];
	assert_true(records && records->size == 120 * sizeof(CheckRecord));
	for (int i = 0; i < 120; i++) {
		const CheckRecord *r = (const CheckRecord *)records->data + i;

		assert_float_equal(r->expected, want[r->element], 1e-6);
		assert_true(r->tolerance > 0 && r->tolerance < 1e-5);
		want[r->element] = NAN; /* each but once */
	}
	assert_true(isnan(x[layout_at(&lx, (int64_t[]){0, 19}) + 1])); /* pad lane */
	arena_free(a);
}

static void
expectations_follow_from_the_contents(void **state)
{
	Arena *a = arena_new();
	Problem p;
	TaskForm f;
	Err e = {0};
	Task *t;

	(void)state;
	if (task_parse(text, a, &t, &e))
		fail_msg("%s", e.msg);
	f = task_form_plain(a, t);
	f.v[0] = form_blocked(2, 1, 16);
	f.v[0].lo[0] = 1;
	f.v[3].hi[1] = 2;
	f.v[3].border = 7;
	assert_int_equal(problem_build(a, t, &f, &p, &e), OK);
	assert_int_equal(p.buffer.n, 4);
	assert_int_equal(p.ngiven, 1);
	problem_extend(&p);
	for (int k = 0; k < 4; k++)
		check_contents(&p, &f, t, k & 2, k & 1);
	assert_true(p.expected[CONTENTS_FIRST].v[3].value !=
		    p.expected[CONTENTS_SECOND].v[3].value);
	assert_int_equal(p.check.n, 2); /* written; border */
	assert_int_equal(p.check.v[0].kind, CHECK_WRITTEN);
	assert_int_equal(p.check.v[1].kind, CHECK_DENSE);
	assert_int_equal(p.blob.v[0].size, 12 * sizeof(double));
	assert_true(((const double *)p.blob.v[0].data)[11] == 7);
	arena_free(a);
}

static void
equal_literals_share_a_buffer(void **state)
{
	Arena *a = arena_new();
	double v[] = {1, 2, 3}, w[] = {1, 2, 4};
	TaskTensor x = {.kind = TENSOR_LIT, .type = DT_F32, .rank = 1, .dim = {3}, .lit = v};
	Problem p = {.arena = a, .ngiven = 2};

	(void)state;
	assert_int_equal(problem_literal(&p, &x), 2);
	assert_int_equal(problem_literal(&p, &x), 2);
	x.lit = w;
	assert_int_equal(problem_literal(&p, &x), 3);
	x.type = DT_F64;
	assert_int_equal(problem_literal(&p, &x), 4);
	for (int i = 0; p.literal.n < BUFFERS_MAX; i++) {
		w[0] = 10 + i;
		assert_true(problem_literal(&p, &x) >= 0);
	}
	w[0] = 5;
	assert_int_equal(problem_literal(&p, &x), -1);
	arena_free(a);
}

static void
empty_tensors_are_refused(void **state)
{
	Arena *a = arena_new();
	int64_t none[] = {0};
	Task *t = task_new(a);
	TaskForm f;
	Problem p;
	Err e = {0};

	(void)state;
	task_tensor(t, TENSOR_OUT, "y", DT_F32, 1, none);
	f = task_form_plain(a, t);
	assert_int_equal(problem_build(a, t, &f, &p, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "no elements"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_tell_elements_from_what_surrounds_them),
		cmocka_unit_test(expectations_follow_from_the_contents),
		cmocka_unit_test(equal_literals_share_a_buffer),
		cmocka_unit_test(empty_tensors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
