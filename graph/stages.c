/* The table of stage builders, and what they share. */
#include "graph/stages.h"

#include <stdio.h>

int
stages_none(Stager *s, const Node *n)
{
	(void)s;
	(void)n;
	return NOT_APPLICABLE;
}

static StageBuilder *const builders[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) stages_##stages,
	OP_LIST(X)
#undef X
};

StageBuilder *
stage_builder(Op op)
{
	return builders[op] == stages_none ? NULL : builders[op];
}

static bool
has_elements(const Graph *g, const int *value, int n)
{
	for (int i = 0; i < n; i++)
		if (value[i] != NO_VALUE && !value_count(&g->value.v[value[i]]))
			return false;
	return true;
}

int
stages_of_node(Stager *s, const Node *n)
{
	if (!has_elements(s->g, n->in, n->nin) || !has_elements(s->g, n->out, n->nout))
		return NOT_APPLICABLE;
	return builders[n->op](s, n);
}

static int
tensor_for(Stager *s, int value, TensorKind kind, const char *prefix)
{
	const Value *v = &s->g->value.v[value];
	char name[TASK_NAME_MAX];

	snprintf(name, sizeof name, "%s%d", prefix, s->t->tensor.n);
	s->tensor[value] = task_tensor(s->t, kind, name, v->type, v->rank, v->dim);
	return s->tensor[value];
}

int
stager_read(Stager *s, int value)
{
	if (s->tensor[value] != TASK_NONE)
		return s->tensor[value];
	if (s->g->value.v[value].is_const)
		return tensor_for(s, value, TENSOR_CONST, "w");
	return tensor_for(s, value, TENSOR_IN, "x");
}

int
stager_write(Stager *s, int value)
{
	return tensor_for(s, value, TENSOR_TMP, "t");
}

int
stager_temporary(Stager *s, const char *name, DType type, int rank, const int64_t *dim)
{
	char full[TASK_NAME_MAX];

	snprintf(full, sizeof full, "%s%d", name, s->t->tensor.n);
	return task_tensor(s->t, TENSOR_TMP, full, type, rank, dim);
}

int
stager_literal(Stager *s, const char *name, DType type, int rank, const int64_t *dim,
	       const double *v)
{
	int i = stager_temporary(s, name, type, rank, dim);
	TaskTensor *x = &s->t->tensor.v[i];

	x->kind = TENSOR_LIT;
	x->lit = arena_copy(s->t->arena, v, (size_t)tensor_count(x) * sizeof *v);
	return i;
}

Index
over_axis(Stager *s, int stage, const char *name, int64_t extent, bool reduce)
{
	if (extent == 1)
		return index_const(0);
	return index_axis(stage_axis(s->t, stage, name, extent, reduce));
}

Over
stage_over(Stager *s, int tensor, int rank, const int64_t *dim)
{
	Over o = {.stage = task_stage(s->t, tensor), .rank = rank};

	for (int d = 0; d < rank; d++) {
		const char name[] = {(char)('a' + d), 0};

		o.at[d] = over_axis(s, o.stage, name, dim[d], false);
	}
	s->t->stage.v[o.stage].out_ix = arena_copy(s->t->arena, o.at, sizeof o.at);
	return o;
}

int
over_load(Stager *s, const Over *o, int value)
{
	int tensor = stager_read(s, value);
	const TaskTensor *x = &s->t->tensor.v[tensor];
	Index ix[TASK_RANK_MAX];

	for (int d = 0; d < x->rank; d++)
		ix[d] = x->dim[d] == 1 ? index_const(0) : o->at[d + o->rank - x->rank];
	return expr_load(s->t, tensor, ix);
}

void
stage_value(Stager *s, int stage, int value)
{
	s->t->stage.v[stage].value = value;
}

/* A reduction whose axes all had extent 1 keeps one, so that acc has something to combine. */
void
stage_reduce(Stager *s, int stage, Combiner c, DType acc, int body)
{
	Stage *q = &s->t->stage.v[stage];

	if (q->nspatial == q->naxes)
		stage_axis(s->t, stage, "one", 1, true);
	q->comb = c;
	q->acc_type = acc;
	q->body = body;
}

int
stage_acc(Stager *s, int stage)
{
	return expr_acc(s->t, s->t->stage.v[stage].acc_type);
}

const Value *
node_in(const Stager *s, const Node *n, int i)
{
	return i < n->nin && n->in[i] != NO_VALUE ? &s->g->value.v[n->in[i]] : NULL;
}

const Value *
node_out(const Stager *s, const Node *n, int i)
{
	return i < n->nout && n->out[i] != NO_VALUE ? &s->g->value.v[n->out[i]] : NULL;
}

DType
node_type(const Stager *s, const Node *n)
{
	return value_type(s->g->value.v[n->in[0]].type);
}

bool
node_scalar(const Stager *s, const Node *n, int i, double *v)
{
	const Value *x = node_in(s, n, i);

	if (!x || !x->is_const || !x->data || value_count(x) != 1)
		return false;
	*v = dtype_get(x->type, x->data, 0);
	return true;
}
