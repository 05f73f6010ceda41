/* Winograd's F(m x m, 3 x 3): a 3x3 convolution of stride 1 as six stages.
 *
 *   U = G w G^T             constants only: runs when constants are packed
 *   W = B^T x               one-dimensional transforms: the second factors nothing the first did,
 *   V = W B                 so that two of them cost what the usual addition chains cost
 *   M = sum over channels of V * U
 *   Z = A^T M
 *   y = final(Z A)
 *
 * Any stage of the form sum(x[.., p+i-k, q+j-l else 0] * w[.. i .. j ..]) with i and j of extent 3
 * qualifies, whatever its other axes are (groups, batches). Lavin and Gray, arXiv 1509.09308; the
 * points of F(4x4) are 0, 1, -1, 2, -2.
 */
#include <string.h>

#include "search_space/rewrite.h"

static const double bt2[] = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1};
static const double g2[] = {1, 0, 0, .5, .5, .5, .5, -.5, .5, 0, 0, 1};
static const double at2[] = {1, 1, 1, 0, 0, 1, -1, -1};
static const double bt4[] = {4, 0,  -5, 0, 1, 0, 0, -4, -4, 1,  1, 0, 0, 4, -4, -1, 1, 0,
			     0, -2, -1, 2, 1, 0, 0, 2,  -1, -2, 1, 0, 0, 4, 0,  -5, 0, 1};
static const double g4[] = {1. / 4,  0,        0,       -1. / 6, -1. / 6, -1. / 6,
			    -1. / 6, 1. / 6,   -1. / 6, 1. / 24, 1. / 12, 1. / 6,
			    1. / 24, -1. / 12, 1. / 6,  0,       0,       1};
static const double at4[] = {1, 1, 1, 1, 1, 0, 0, 1, -1, 2, -2, 0,
			     0, 1, 1, 4, 4, 0, 0, 1, -1, 8, -8, 1};

/* The convolution found in a stage: its axes and where they index x and w. */
typedef struct Conv {
	const Task *t;
	int stage, x, w;    /* stage; load expressions */
	int p, q, i, j;     /* axes */
	int xp, xq, wi, wj; /* dimensions of x and w */
	int op, oq;         /* dimensions of the output */
	int64_t tiles_p, tiles_q;
} Conv;

typedef struct Rewriting {
	Conv c;
	Task *t;
	Arena *a;
	VEC(Form) form;
	int m, n; /* output and input tile: n = m + 2 */
} Rewriting;

static bool
only_axis(const Index *ix, int axis)
{
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		if (ix->coef[a] != (a == axis))
			return false;
	return ix->via == TASK_NONE && ix->k == 0;
}

/* The spatial axis that ix adds to reduction axis r, both with coefficient 1, or TASK_NONE. */
static int
partner(const Stage *s, const Index *ix, int r)
{
	int found = TASK_NONE;

	if (ix->coef[r] != 1 || ix->via != TASK_NONE)
		return TASK_NONE;
	for (int a = 0; a < s->naxes; a++) {
		if (a == r || !ix->coef[a])
			continue;
		if (a >= s->nspatial || ix->coef[a] != 1 || found != TASK_NONE)
			return TASK_NONE;
		found = a;
	}
	return found;
}

static int
dimension_of(const Index *ix, int rank, int axis)
{
	int found = TASK_NONE;

	for (int d = 0; d < rank; d++)
		if (ix[d].coef[axis]) {
			if (found != TASK_NONE)
				return TASK_NONE;
			found = d;
		}
	return found;
}

static int
rank_of(const Task *t, int load)
{
	return t->tensor.v[t->expr.v[load].tensor].rank;
}

/* Places one tap axis r: dimension of w that is r alone, dimension of x that is axis + r, the
 * axis, and the output dimension it walks. */
static bool
place_tap(const Conv *c, int r, int *axis, int *xd, int *wd, int *od)
{
	const Stage *s = &c->t->stage.v[c->stage];
	const Expr *x = &c->t->expr.v[c->x], *w = &c->t->expr.v[c->w];

	*wd = dimension_of(w->ix, rank_of(c->t, c->w), r);
	*xd = dimension_of(x->ix, rank_of(c->t, c->x), r);
	if (*wd == TASK_NONE || *xd == TASK_NONE || !only_axis(&w->ix[*wd], r))
		return false;
	*axis = partner(s, &x->ix[*xd], r);
	if (*axis == TASK_NONE || dimension_of(x->ix, rank_of(c->t, c->x), *axis) != *xd ||
	    dimension_of(w->ix, rank_of(c->t, c->w), *axis) != TASK_NONE)
		return false;
	*od = dimension_of(s->out_ix, c->t->tensor.v[s->out].rank, *axis);
	return *od != TASK_NONE && only_axis(&s->out_ix[*od], *axis);
}

static bool
find_taps(Conv *c)
{
	const Stage *s = &c->t->stage.v[c->stage];
	int tap[2], n = 0;

	for (int a = s->nspatial; a < s->naxes; a++) {
		int axis, xd, wd, od;

		if (s->axis[a].extent != 3 || !place_tap(c, a, &axis, &xd, &wd, &od))
			continue;
		if (n == 2)
			return false;
		tap[n++] = a;
	}
	if (n != 2 || s->naxes - s->nspatial < 3) /* needs channels to sum over */
		return false;
	c->i = tap[0];
	c->j = tap[1];
	return place_tap(c, c->i, &c->p, &c->xp, &c->wi, &c->op) &&
	       place_tap(c, c->j, &c->q, &c->xq, &c->wj, &c->oq) && c->p != c->q;
}

static bool
is_conv(Conv *c, const Task *t, int stage)
{
	const Stage *s = &t->stage.v[stage];
	const Expr *body;

	*c = (Conv){.t = t, .stage = stage};
	if (s->comb != COMB_SUM || s->acc_type != DT_F32)
		return false;
	body = &t->expr.v[s->body];
	if (body->op != EXPR_MUL || t->expr.v[body->a].op != EXPR_LOAD ||
	    t->expr.v[body->b].op != EXPR_LOAD)
		return false;
	c->x = body->a;
	c->w = body->b;
	if (t->tensor.v[t->expr.v[c->w].tensor].kind != TENSOR_CONST ||
	    t->tensor.v[t->expr.v[c->x].tensor].kind == TENSOR_CONST || t->expr.v[c->w].has_else ||
	    (t->expr.v[c->x].has_else && t->expr.v[c->x].otherwise != 0))
		return false;
	return find_taps(c);
}

static int
add_literal(Rewriting *r, const char *name, int rows, int cols, const double *v)
{
	const int64_t dim[] = {rows, cols};
	int i = task_tensor(r->t, TENSOR_LIT, name, DT_F32, 2, dim);

	r->t->tensor.v[i].lit = arena_copy(r->a, v, (size_t)rows * (size_t)cols * sizeof *v);
	vec_push(r->a, &r->form, form_plain(2));
	return i;
}

/* Axes of the convolution that index a load, tiles and taps apart: the inner axes of a transformed
 * tensor. */
static int
inner_axes(const Conv *c, int load, int axes[STAGE_AXES_MAX])
{
	const Stage *s = &c->t->stage.v[c->stage];
	const Expr *x = &c->t->expr.v[load];
	int n = 0;

	for (int a = 0; a < s->naxes; a++) {
		bool used = false;

		for (int d = 0; d < rank_of(c->t, load); d++)
			used |= x->ix[d].coef[a] != 0;
		if (used && a != c->p && a != c->q && a != c->i && a != c->j)
			axes[n++] = a;
	}
	return n;
}

static int
output_axes(const Conv *c, int axes[STAGE_AXES_MAX])
{
	const Stage *s = &c->t->stage.v[c->stage];
	int n = 0;

	for (int a = 0; a < s->nspatial; a++)
		if (a != c->p && a != c->q)
			axes[n++] = a;
	return n;
}

/* Tensor [first, second, inner..., tiles_p, tiles_q] (tiles left out for weights). Stored with the
 * last inner axis, the channels, innermost. */
static int
add_tensor(Rewriting *r, TensorKind kind, const char *name, int64_t first, int64_t second,
	   const int *axes, int n, bool tiles)
{
	const Stage *s = &r->c.t->stage.v[r->c.stage];
	int64_t dim[TASK_RANK_MAX] = {first, second};
	int rank = 2, at = 0;
	Form f;

	for (int i = 0; i < n; i++)
		dim[rank++] = s->axis[axes[i]].extent;
	if (tiles) {
		dim[rank++] = r->c.tiles_p;
		dim[rank++] = r->c.tiles_q;
	}
	f = form_plain(rank);
	if (tiles && n) { /* a, b, outer axes, tiles, last axis */
		for (int d = 0; d < rank; d++)
			if (d != n + 1)
				f.order[at++] = d;
		f.order[at] = n + 1;
	}
	vec_push(r->a, &r->form, f);
	return task_tensor(r->t, kind, name, DT_F32, rank, dim);
}

/* A stage under construction: maps axes of the convolution to its own. */
typedef struct NewStage {
	int stage;
	int of[STAGE_AXES_MAX]; /* new axis of an old one, or TASK_NONE */
	int a, b, ty, tx;
	Index ix[TASK_RANK_MAX];
} NewStage;

static NewStage
begin_stage(Rewriting *r, int out)
{
	NewStage s = {.stage = task_stage(r->t, out)};

	for (int a = 0; a < STAGE_AXES_MAX; a++)
		s.of[a] = TASK_NONE;
	return s;
}

static void
old_axes(Rewriting *r, NewStage *s, const int *axes, int n, bool reduce)
{
	const Stage *old = &r->c.t->stage.v[r->c.stage];

	for (int i = 0; i < n; i++)
		s->of[axes[i]] = stage_axis(r->t, s->stage, old->axis[axes[i]].name,
					    old->axis[axes[i]].extent, reduce);
}

static void
tile_axes(Rewriting *r, NewStage *s)
{
	s->ty = stage_axis(r->t, s->stage, "ty", r->c.tiles_p, false);
	s->tx = stage_axis(r->t, s->stage, "tx", r->c.tiles_q, false);
}

/* Indices [first, second, inner..., ty, tx]. */
static const Index *
tensor_index(NewStage *s, int first, int second, const int *axes, int n, bool tiles)
{
	int d = 2;

	s->ix[0] = index_axis(first);
	s->ix[1] = index_axis(second);
	for (int i = 0; i < n; i++)
		s->ix[d++] = index_axis(s->of[axes[i]]);
	if (tiles) {
		s->ix[d++] = index_axis(s->ty);
		s->ix[d++] = index_axis(s->tx);
	}
	return s->ix;
}

static void
store_index(Rewriting *r, NewStage *s, const Index *ix)
{
	Stage *q = &r->t->stage.v[s->stage];

	q->out_ix = arena_copy(r->a, ix, sizeof s->ix);
}

static int
literal_load(Rewriting *r, int tensor, int row, int col)
{
	const Index ix[] = {index_axis(row), index_axis(col)};

	return expr_load(r->t, tensor, ix);
}

static void
sum_of(Rewriting *r, NewStage *s, int body)
{
	Stage *q = &r->t->stage.v[s->stage];
	int value = expr_acc(r->t, DT_F32);

	q = &r->t->stage.v[s->stage];
	q->comb = COMB_SUM;
	q->body = body;
	q->value = value;
}

/* An index of the convolution with p, q replaced by m * tile + tap and the rest renamed. */
static Index
renamed(const Rewriting *r, const NewStage *s, const Index *old, int p_tap, int q_tap)
{
	Index ix = {.k = old->k, .via = TASK_NONE};

	for (int a = 0; a < STAGE_AXES_MAX; a++) {
		int32_t c = old->coef[a];

		if (!c || a == r->c.i || a == r->c.j)
			continue;
		if (a == r->c.p || a == r->c.q) {
			ix.coef[a == r->c.p ? s->ty : s->tx] += c * r->m;
			ix.coef[a == r->c.p ? p_tap : q_tap] += c;
		} else {
			ix.coef[s->of[a]] += c;
		}
	}
	return ix;
}

/* U[a,b,w..] = sum G[a,i] G[b,j] w[.. i .. j ..] */
static int
transform_weights(Rewriting *r, int g)
{
	const Expr *w = &r->c.t->expr.v[r->c.w];
	int axes[STAGE_AXES_MAX], n = inner_axes(&r->c, r->c.w, axes), i, j, body;
	int u = add_tensor(r, TENSOR_CONST, "U", r->n, r->n, axes, n, false);
	NewStage s = begin_stage(r, u);
	Index ix[TASK_RANK_MAX];

	s.a = stage_axis(r->t, s.stage, "a", r->n, false);
	s.b = stage_axis(r->t, s.stage, "b", r->n, false);
	old_axes(r, &s, axes, n, false);
	i = stage_axis(r->t, s.stage, "i", 3, true);
	j = stage_axis(r->t, s.stage, "j", 3, true);
	store_index(r, &s, tensor_index(&s, s.a, s.b, axes, n, false));
	for (int d = 0; d < rank_of(r->c.t, r->c.w); d++)
		ix[d] = d == r->c.wi   ? index_axis(i)
			: d == r->c.wj ? index_axis(j)
				       : renamed(r, &s, &w->ix[d], 0, 0);
	body = expr_bin(r->t, EXPR_MUL, literal_load(r, g, s.a, i), literal_load(r, g, s.b, j));
	body = expr_bin(r->t, EXPR_MUL, body, expr_load(r->t, w->tensor, ix));
	sum_of(r, &s, body);
	return u;
}

/* W[a,j,x..,ty,tx] = sum B^T[a,i] x[.. m ty + i - k .., m tx + j - l ..] */
static int
transform_rows(Rewriting *r, int bt)
{
	const Expr *x = &r->c.t->expr.v[r->c.x];
	int axes[STAGE_AXES_MAX], n = inner_axes(&r->c, r->c.x, axes), i, load;
	int w = add_tensor(r, TENSOR_TMP, "W", r->n, r->n, axes, n, true);
	NewStage s = begin_stage(r, w);
	Index ix[TASK_RANK_MAX];

	s.a = stage_axis(r->t, s.stage, "a", r->n, false);
	s.b = stage_axis(r->t, s.stage, "j", r->n, false);
	old_axes(r, &s, axes, n, false);
	tile_axes(r, &s);
	i = stage_axis(r->t, s.stage, "i", r->n, true);
	store_index(r, &s, tensor_index(&s, s.a, s.b, axes, n, true));
	for (int d = 0; d < rank_of(r->c.t, r->c.x); d++)
		ix[d] = renamed(r, &s, &x->ix[d], i, s.b);
	load = expr_load_else(r->t, x->tensor, ix, 0);
	sum_of(r, &s, expr_bin(r->t, EXPR_MUL, literal_load(r, bt, s.a, i), load));
	return w;
}

/* V[a,b,x..,ty,tx] = sum B^T[b,j] W[a,j,x..,ty,tx] */
static int
transform_columns(Rewriting *r, int bt, int w)
{
	int axes[STAGE_AXES_MAX], n = inner_axes(&r->c, r->c.x, axes), j, load;
	int v = add_tensor(r, TENSOR_TMP, "V", r->n, r->n, axes, n, true);
	NewStage s = begin_stage(r, v);

	s.a = stage_axis(r->t, s.stage, "a", r->n, false);
	s.b = stage_axis(r->t, s.stage, "b", r->n, false);
	old_axes(r, &s, axes, n, false);
	tile_axes(r, &s);
	j = stage_axis(r->t, s.stage, "j", r->n, true);
	store_index(r, &s, tensor_index(&s, s.a, s.b, axes, n, true));
	load = expr_load(r->t, w, tensor_index(&s, s.a, j, axes, n, true));
	sum_of(r, &s, expr_bin(r->t, EXPR_MUL, literal_load(r, bt, s.b, j), load));
	return v;
}

/* M[a,b,y..,ty,tx] = sum over the channels V * U */
static int
multiply(Rewriting *r, int v, int u)
{
	const Stage *old = &r->c.t->stage.v[r->c.stage];
	int out[STAGE_AXES_MAX], nout = output_axes(&r->c, out), red[STAGE_AXES_MAX], nred = 0;
	int xs[STAGE_AXES_MAX], nx = inner_axes(&r->c, r->c.x, xs);
	int ws[STAGE_AXES_MAX], nw = inner_axes(&r->c, r->c.w, ws), a, b;
	int m = add_tensor(r, TENSOR_TMP, "M", r->n, r->n, out, nout, true);
	NewStage s = begin_stage(r, m);

	for (int k = old->nspatial; k < old->naxes; k++)
		if (k != r->c.i && k != r->c.j)
			red[nred++] = k;
	s.a = stage_axis(r->t, s.stage, "a", r->n, false);
	s.b = stage_axis(r->t, s.stage, "b", r->n, false);
	old_axes(r, &s, out, nout, false);
	tile_axes(r, &s);
	old_axes(r, &s, red, nred, true);
	store_index(r, &s, tensor_index(&s, s.a, s.b, out, nout, true));
	a = expr_load(r->t, v, tensor_index(&s, s.a, s.b, xs, nx, true));
	b = expr_load(r->t, u, tensor_index(&s, s.a, s.b, ws, nw, false));
	sum_of(r, &s, expr_bin(r->t, EXPR_MUL, a, b));
	return m;
}

/* Z[p,b,y..,ty,tx] = sum A^T[p,a] M[a,b,y..,ty,tx] */
static int
untransform_rows(Rewriting *r, int at, int m)
{
	int axes[STAGE_AXES_MAX], n = output_axes(&r->c, axes), a, load;
	int z = add_tensor(r, TENSOR_TMP, "Z", r->m, r->n, axes, n, true);
	NewStage s = begin_stage(r, z);

	s.a = stage_axis(r->t, s.stage, "p", r->m, false);
	s.b = stage_axis(r->t, s.stage, "b", r->n, false);
	old_axes(r, &s, axes, n, false);
	tile_axes(r, &s);
	a = stage_axis(r->t, s.stage, "a", r->n, true);
	store_index(r, &s, tensor_index(&s, s.a, s.b, axes, n, true));
	load = expr_load(r->t, m, tensor_index(&s, a, s.b, axes, n, true));
	sum_of(r, &s, expr_bin(r->t, EXPR_MUL, literal_load(r, at, s.a, a), load));
	return z;
}

/* The final expression of the convolution at p = m ty + p, q = m tx + q. Tiles may reach past the
 * image: what is loaded there is dropped at the store, but must not be read. */
static int
copy_value(Rewriting *r, const NewStage *s, int e)
{
	Expr x;
	Index *ix;
	int n;

	if (e == TASK_NONE)
		return TASK_NONE;
	x = r->c.t->expr.v[e];
	x.a = copy_value(r, s, x.a);
	x.b = copy_value(r, s, x.b);
	x.c = copy_value(r, s, x.c);
	if (x.ix) {
		n = x.op == EXPR_LOAD ? r->c.t->tensor.v[x.tensor].rank : 1;
		ix = ARENA_ARRAY(r->a, Index, n + 1);
		for (int d = 0; d < n; d++) {
			ix[d] = renamed(r, s, &x.ix[d], s->a, s->b);
			ix[d].via = copy_value(r, s, x.ix[d].via);
			if (x.op == EXPR_LOAD && (x.ix[d].coef[r->c.p] || x.ix[d].coef[r->c.q]))
				x.has_else = true;
		}
		x.ix = ix;
	}
	vec_push(r->a, &r->t->expr, x);
	return r->t->expr.n - 1;
}

/* y[.. m ty + p .., m tx + q ..] = final(sum A^T[q,b] Z[p,b,y..,ty,tx]) */
static void
untransform_columns(Rewriting *r, int at, int z)
{
	const Stage *old = &r->c.t->stage.v[r->c.stage];
	int axes[STAGE_AXES_MAX], n = output_axes(&r->c, axes), b, load, value;
	NewStage s = begin_stage(r, old->out);
	Index ix[TASK_RANK_MAX];

	s.a = stage_axis(r->t, s.stage, "p", r->m, false);
	s.b = stage_axis(r->t, s.stage, "q", r->m, false);
	old_axes(r, &s, axes, n, false);
	tile_axes(r, &s);
	b = stage_axis(r->t, s.stage, "b", r->n, true);
	for (int d = 0; d < r->t->tensor.v[old->out].rank; d++)
		ix[d] = renamed(r, &s, &old->out_ix[d], s.a, s.b);
	store_index(r, &s, ix);
	load = expr_load(r->t, z, tensor_index(&s, s.a, b, axes, n, true));
	sum_of(r, &s, expr_bin(r->t, EXPR_MUL, literal_load(r, at, s.b, b), load));
	value = copy_value(r, &s, old->value);
	r->t->stage.v[s.stage].value = value;
}

static void
replace_stage(Rewriting *r, const double *bt, const double *g, const double *at)
{
	int b_lit = add_literal(r, "BT", r->n, r->n, bt), g_lit = add_literal(r, "G", r->n, 3, g);
	int a_lit = add_literal(r, "AT", r->m, r->n, at);
	int u = transform_weights(r, g_lit), w = transform_rows(r, b_lit);
	int v = transform_columns(r, b_lit, w), m = multiply(r, v, u);

	untransform_columns(r, a_lit, untransform_rows(r, a_lit, m));
}

/* Room for the new names and axes: a stage with few enough of both, in a Task without them. */
static bool
fits(const Conv *c)
{
	static const char *const names[] = {"BT", "G", "AT", "U", "W", "V", "M", "Z"};
	const Stage *s = &c->t->stage.v[c->stage];
	int axes[STAGE_AXES_MAX];

	for (int i = 0; i < c->t->tensor.n; i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			if (!strcmp(c->t->tensor.v[i].name, names[k]))
				return false;
	for (int a = 0; a < s->naxes; a++)
		if (a != c->p && a != c->q && a != c->i && a != c->j &&
		    strchr("abpqij", s->axis[a].name[0]) && !s->axis[a].name[1])
			return false;
	return inner_axes(c, c->x, axes) <= TASK_RANK_MAX - 4 &&
	       output_axes(c, axes) <= TASK_RANK_MAX - 4;
}

static int
winograd(int m, const double *bt, const double *g, const double *at, Arena *a, const Task *t,
	 const TaskForm *f, Task **to, TaskForm *form)
{
	Rewriting r = {.a = a, .m = m, .n = m + 2};
	int stage;

	for (stage = 0; stage < t->stage.n; stage++)
		if (is_conv(&r.c, t, stage))
			break;
	if (stage == t->stage.n || !fits(&r.c))
		return NOT_APPLICABLE;
	r.c.tiles_p = (t->stage.v[stage].axis[r.c.p].extent + m - 1) / m;
	r.c.tiles_q = (t->stage.v[stage].axis[r.c.q].extent + m - 1) / m;
	r.t = task_copy(a, t);
	for (int i = 0; i < f->n; i++)
		vec_push(a, &r.form, f->v[i]);
	r.t->stage.n = stage; /* the stages before; the six; the stages after */
	r.t->stage.v = arena_copy(a, r.t->stage.v, (size_t)t->stage.n * sizeof *r.t->stage.v);
	r.t->stage.cap = t->stage.n;
	replace_stage(&r, bt, g, at);
	for (int i = stage + 1; i < t->stage.n; i++)
		vec_push(a, &r.t->stage, t->stage.v[i]);
	*to = r.t;
	form->n = r.form.n;
	form->v = r.form.v;
	form->room = f->room;
	return OK;
}

static int
winograd2(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form)
{
	return winograd(2, bt2, g2, at2, a, t, f, to, form);
}

static int
winograd4(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form)
{
	return winograd(4, bt4, g4, at4, a, t, f, to, form);
}

const Rewrite rewrite_winograd2 = {.name = "winograd2", .slack = 4, .apply = winograd2};
const Rewrite rewrite_winograd4 = {.name = "winograd4", .slack = 40, .apply = winograd4};
