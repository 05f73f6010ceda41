/* The register tile: what is unrolled at the innermost place of a nest.
 *
 * Its elements are numbered over the spatial axes, then over the reduction axes; an axis that
 * carries the lanes counts in whole vectors, the last one partial. With a reduction loop around it
 * every element has its accumulators (par of them); without one the sums stay in values.
 */
#include "codegen/lowering.h"

int
tile_units(const Lower *l, int axis)
{
	int64_t n = l->span[axis];

	if (axis == l->ss->vec)
		n = (n + l->lanes - 1) / l->lanes;
	return (int)(axis == l->ss->dot ? n / l->terms : n);
}

int
tile_count(const Lower *l, int first, int last)
{
	double n = 1;

	for (int a = first; a < last; a++)
		n *= tile_units(l, a);
	return n > 1e6 ? 1000000 : (int)n;
}

void
tile_place(const Lower *l, Env *env, int first, int last, int i)
{
	for (int a = last - 1; a >= first; a--) {
		int units = tile_units(l, a), at = i % units;
		int64_t rest;

		i /= units;
		env->axis[a] = l->axis[a];
		if (a == l->ss->dot) {
			env->axis[a].k += (int64_t)at * l->terms;
			env->axis[a].term = 1;
			continue;
		}
		if (a != l->ss->vec) {
			env->axis[a].k += at;
			continue;
		}
		env->axis[a].k += (int64_t)at * l->lanes;
		env->axis[a].lane = 1;
		rest = l->span[a] - (int64_t)at * l->lanes;
		env->valid = rest < l->lanes ? (int)rest : l->lanes;
	}
}

/* The order in which the elements of the tile are computed. One operand's vectors stay in registers
 * while the other's are loaded, used and forgotten: the lane axis runs innermost unless it has more
 * vectors than all other axes have elements. */
static void
tile_order(const Lower *l, int ne, int order[TILE_MAX])
{
	int vec = l->ss->vec, units, inner = 1, n = 0;

	if (vec == TASK_NONE || vec >= l->st->nspatial)
		units = 1;
	else
		units = tile_units(l, vec);
	for (int a = vec + 1; units > 1 && a < l->st->nspatial; a++)
		inner *= tile_units(l, a);
	for (int e = 0; e < ne; e++) {
		if (units == 1 || units * units > ne)
			order[n++] = e;
		else if (e / inner % units == 0)
			for (int v = 0; v < units; v++)
				order[n++] = e + v * inner;
	}
}

static Env
start_env(const Lower *l)
{
	return (Env){.stage = l->st, .lanes = l->lanes, .valid = l->lanes};
}

/* Lanes that do not count: of a spatial axis they are dropped at the store, so the body may
 * compute them; of a reduction axis they must be neutral. */
static Env
element_env(const Lower *l, int element, int term)
{
	Env env = start_env(l);

	tile_place(l, &env, 0, l->st->nspatial, element);
	if (term >= 0) {
		tile_place(l, &env, l->st->nspatial, l->st->naxes, term);
		env.terms = l->terms;
	}
	return env;
}

static bool
is_arg(const Stage *s)
{
	return s->comb >= COMB_ARGMAX;
}

/* Where the final expression of an element is evaluated. */
static Env
final_env(const Lower *l, int element)
{
	Env env = element_env(l, element, -1);

	if (l->ss->vec >= l->st->nspatial) /* the lanes are gone */
		env.lanes = env.valid = 1;
	return env;
}

/* Evaluates the final expression of one element and stores it. */
static void
finish(Lower *l, int element, int acc)
{
	Env env = final_env(l, element);
	const TaskTensor *out = &l->t->tensor.v[l->st->out];
	Aff ix[TASK_RANK_MAX];

	if (acc && (l->ss->vec >= l->st->nspatial || (l->terms > 1 && !l->bytes)))
		acc = fold(l, l->st->comb, acc, env.lanes);
	for (int d = 0; d < out->rank; d++)
		ix[d] = aff_of(&l->st->out_ix[d], &env);
	access_store(l, l->st->out, ix, eval(l, l->st->value, &env, acc), &env);
}

/* One step of argmax: replaces value and position where the new value is better. */
static void
arg_step(Lower *l, const Env *env, int *value, int *position)
{
	const Stage *s = l->st;
	Build *b = &l->b;
	bool last = s->comb == COMB_ARGMAX_LAST || s->comb == COMB_ARGMIN_LAST;
	bool max = s->comb == COMB_ARGMAX || s->comb == COMB_ARGMAX_LAST;
	int x = eval(l, s->body, env, 0), at, better;

	if (l->ss->vec >= s->nspatial)
		build_refuse(b, "lanes along the axis of argmax");
	if (shares_lanes(env))
		build_refuse(b, "dot along the axis of argmax");
	at = aff_int(b, &env->axis[s->nspatial], env);
	if (!*value) {
		*value = x;
		*position = at;
		return;
	}
	better = max ? build_bin(b, last ? LOOP_LE : LOOP_LT, *value, x)
		     : build_bin(b, last ? LOOP_LE : LOOP_LT, x, *value);
	*value = build_select(b, better, x, *value);
	*position = build_select(b, better, at, *position);
}

/* Vectors of the tile along the lane axis. */
static int
lane_vectors(const Lower *l)
{
	return l->ss->vec == TASK_NONE ? 1 : tile_units(l, l->ss->vec);
}

static void
refuse_odd_terms(Lower *l)
{
	int dot = l->ss->dot;

	if (dot != TASK_NONE && l->span[dot] % l->terms)
		build_refuse(&l->b, "dot: %d of %s are left, no multiple of %d", (int)l->span[dot],
			     l->st->axis[dot].name, l->terms);
}

/* Without a reduction loop: reduction terms outside, elements inside, so that independent chains
 * alternate. */
void
tile_leaf(Lower *l)
{
	const Stage *s = l->st;
	int ne = tile_count(l, 0, s->nspatial), acc[TILE_MAX], position[TILE_MAX], order[TILE_MAX];
	int nu = s->comb == COMB_NONE ? 0 : tile_count(l, s->nspatial, s->naxes);

	if (ne > TILE_MAX || (double)ne * (nu ? nu : 1) > 20000) {
		build_refuse(&l->b, "register tile of %d elements and %d terms", ne, nu);
		return;
	}
	refuse_odd_terms(l);
	for (int e = 0; e < ne; e++)
		acc[e] = position[e] = 0;
	tile_order(l, ne, order);
	if (nu * lane_vectors(l) > SCHED_CONSTANTS_HELD)
		l->const_depth = l->b.depth;
	for (int u = 0; u < nu && !l->b.refused; u++)
		for (int i = 0; i < ne && !l->b.refused; i++) {
			int e = order[i];
			Env env = element_env(l, e, u);

			if (is_arg(s))
				arg_step(l, &env, &acc[e], &position[e]);
			else
				acc[e] = accumulate(l, s, acc[e], &env);
		}
	for (int e = 0; e < ne && !l->b.refused; e++)
		finish(l, e, is_arg(s) ? position[e] : acc[e]);
	l->const_depth = 0;
}

static int
get_acc(Lower *l, int i)
{
	const Accumulator *a = &l->loop->acc.v[i];

	return build_node(&l->b,
			  (LoopNode){.op = LOOP_GET,
				     .type = a->type,
				     .lanes = (int16_t)a->lanes,
				     .k = i,
				     .depth = (int16_t)l->b.depth},
			  false);
}

static void
set_acc(Lower *l, int i, int value)
{
	const Accumulator *a = &l->loop->acc.v[i];

	build_node(&l->b,
		   (LoopNode){.op = LOOP_SET,
			      .type = a->type,
			      .lanes = (int16_t)a->lanes,
			      .a = build_splat(&l->b, value, a->lanes),
			      .k = i,
			      .depth = (int16_t)l->b.depth},
		   false);
}

/* Accumulators of the tile: for argmax a value and a position each. */
static int
accs_per_element(const Lower *l)
{
	return is_arg(l->st) ? 2 : l->ss->par;
}

/* Whether an element's value differs between lanes: an element whose body does not depend on the
 * lane axis would be a scalar; keeping it a vector costs nothing and is always right. */
static int
acc_lanes(const Lower *l)
{
	return l->ss->vec == TASK_NONE ? 1 : l->lanes * (l->bytes ? 1 : l->terms);
}

void
tile_begin_reduction(Lower *l)
{
	const Stage *s = l->st;
	int ne = tile_count(l, 0, s->nspatial), per = accs_per_element(l);
	bool arg = is_arg(s);

	if (ne * per > TILE_MAX) {
		build_refuse(&l->b, "%d accumulators", ne * per);
		return;
	}
	l->acc_first = l->loop->acc.n;
	for (int i = 0; i < ne * per; i++) {
		DType type = s->acc_type;
		double start = neutral(s->comb, type);

		if (arg && i % 2 == 0) {
			bool max = s->comb == COMB_ARGMAX || s->comb == COMB_ARGMAX_LAST;

			type = l->t->expr.v[s->body].type;
			start = neutral(max ? COMB_MAX : COMB_MIN, type);
		}
		vec_push(l->a, &l->loop->acc, ((Accumulator){type, acc_lanes(l)}));
		set_acc(l, l->acc_first + i, build_const(&l->b, type, start));
	}
	for (int e = 0; e < ne && l->ss->prefetch && !l->b.refused; e++) {
		Env env = final_env(l, e);

		prefetch_final(l, s->value, &env);
	}
	l->reducing = true;
}

/* One body of the innermost reduction loop: get each accumulator once, combine, set it. */
static void
reduce_sums(Lower *l, int ne, int nu)
{
	int cur[TILE_MAX], order[TILE_MAX], par = l->ss->par;

	for (int i = 0; i < ne * par; i++)
		cur[i] = 0;
	tile_order(l, ne, order);
	for (int i = 0; i < ne * nu && !l->b.refused; i++) {
		int e = order[i % ne], u = i / ne, slot = e * par + u % par;
		Env env = element_env(l, e, u);

		if (!cur[slot])
			cur[slot] = get_acc(l, l->acc_first + slot);
		cur[slot] = accumulate(l, l->st, cur[slot], &env);
		if (e == order[ne - 1])
			prefetch_next_slabs(l, u, nu);
	}
	for (int i = 0; i < ne * par && !l->b.refused; i++)
		if (cur[i] && build_at(&l->b, cur[i])->op != LOOP_GET)
			set_acc(l, l->acc_first + i, cur[i]);
}

static void
reduce_args(Lower *l, int ne, int nu)
{
	for (int e = 0; e < ne; e++) {
		int value = get_acc(l, l->acc_first + 2 * e);
		int position = get_acc(l, l->acc_first + 2 * e + 1);

		for (int u = 0; u < nu && !l->b.refused; u++) {
			Env env = element_env(l, e, u);

			arg_step(l, &env, &value, &position);
		}
		set_acc(l, l->acc_first + 2 * e, value);
		set_acc(l, l->acc_first + 2 * e + 1, position);
	}
	prefetch_next_slabs(l, 0, 1);
}

void
tile_reduce_leaf(Lower *l)
{
	const Stage *s = l->st;
	int ne = tile_count(l, 0, s->nspatial), nu = tile_count(l, s->nspatial, s->naxes);

	if ((double)ne * nu > 20000) {
		build_refuse(&l->b, "register tile of %d elements and %d terms", ne, nu);
		return;
	}
	refuse_odd_terms(l);
	/* Loops of one iteration are none: their constants would all be held across the tiles. */
	if (nu * lane_vectors(l) > SCHED_CONSTANTS_HELD)
		l->const_depth = l->b.depth;
	if (is_arg(s))
		reduce_args(l, ne, nu);
	else
		reduce_sums(l, ne, nu);
	l->const_depth = 0;
}

void
tile_end_reduction(Lower *l)
{
	int ne = tile_count(l, 0, l->st->nspatial), par = accs_per_element(l);

	l->reducing = false;
	/* Held across the reduction, the epilogue's constants would take registers from the tile.
	 */
	l->const_depth = l->b.depth;
	for (int e = 0; e < ne && !l->b.refused; e++) {
		int sum = get_acc(l, l->acc_first + e * par + (is_arg(l->st) ? 1 : 0));

		for (int p = 1; p < par && !is_arg(l->st); p++)
			sum = combine(l, l->st->comb, sum, get_acc(l, l->acc_first + e * par + p));
		finish(l, e, sum);
	}
	l->const_depth = 0;
}
