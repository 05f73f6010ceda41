/* Features of picks. Those of a stage's options are computed together, for all options at once,
 * when the first of them is asked for; a Space made by hand, which has no Target, has knobs only.
 */
#include "search_space/features.h"

#include <math.h>
#include <string.h>

#include "search_space/nest.h"
#include "search_space/options.h"

_Static_assert((int)FEATURE_prefetch == (int)KNOB_PREFETCH, "the knobs are the first features");
_Static_assert((int)FEATURE_prefetch_2 - (int)FEATURE_vec_2 == (int)KNOB_PREFETCH,
	       "and those of the second stage");

/* Features of a stage are the first ones. */
enum { OF_STAGE = FEATURE_loop_bytes + 1, TOLD_APART = 2 };

const char *const feature_name[FEATURES] = {
#define X(name, text) #name,
	FEATURE_LIST(X)
#undef X
};

typedef struct VariantRows {
	bool known;
	int stage[TOLD_APART];        /* the dearest, the second; -1: there is none */
	const float *row[TOLD_APART]; /* of their options, OF_STAGE each */
	float common[FEATURES];       /* what all its picks share */
} VariantRows;

struct Features {
	Arena *arena;
	const Space *space;
	double cheapest;
	VariantRows *variant;
};

static float
log2_of(double x)
{
	return (float)log2(fmax(x, 1e-6));
}

/* --- a stage under an option --- */

/* log2 of the bytes that the tile touches with all the reduction's axes, or as it is; along the
 * axis `whole` all of them. */
static double
bytes_in(const Nest *n, bool reduced, int whole)
{
	int64_t box[STAGE_AXES_MAX];
	double sum = 0;

	for (int a = 0; a < n->s->naxes; a++) {
		bool all = a == whole || (reduced && a >= n->s->stage->nspatial);

		box[a] = all ? n->s->extent[a] : n->size[a];
	}
	for (int i = 0; i <= n->s->n; i++)
		sum += nest_footprint(n->s, i < n->s->n ? &n->s->access[i] : &n->s->store, box);
	return sum;
}

/* Axis of the innermost spatial loop, or TASK_NONE. */
static int
innermost_spatial(const Nest *n)
{
	int axis = TASK_NONE;

	for (int i = 0; i < n->q->n; i++) {
		int a = n->q->split[i].axis;

		if (a < n->s->stage->nspatial && n->size[a] < n->s->extent[a])
			axis = a;
	}
	return axis;
}

/* Elements that tiles compute for each that is wanted: lanes and remainders beyond the extents. */
static double
computed_per_wanted(const Nest *n)
{
	double computed = n->all_tiles, wanted = 1;

	for (int a = 0; a < n->s->stage->nspatial; a++) {
		computed *= (double)(n->reach[a] + (a == n->q->vec ? n->lanes : 1));
		wanted *= (double)n->s->extent[a];
	}
	return computed / wanted;
}

static double
loads_per_sum(const Nest *n)
{
	double loads = 0;

	for (int i = 0; i < n->s->n; i++)
		if (!n->s->access[i].final)
			loads += nest_elements(n, &n->s->access[i]);
	return loads / (n->accumulators * n->steps);
}

static void
option_features(const StageInfo *s, const Option *o, const Target *t, float *out)
{
	Nest n;

	for (int k = 0; k < KNOB_COUNT; k++)
		out[k] = o->knob[k];
	if (!t)
		return;
	n = nest_of(s, &o->sched, t);
	out[FEATURE_registers] = (float)(nest_registers(&n) * n.width / (double)t->vector_regs);
	out[FEATURE_sums] = log2_of(n.accumulators);
	out[FEATURE_loads] = (float)loads_per_sum(&n);
	out[FEATURE_terms] = log2_of(n.steps);
	out[FEATURE_tails] = log2_of(computed_per_wanted(&n));
	out[FEATURE_body_bytes] = log2_of(bytes_in(&n, false, TASK_NONE) / (double)t->l1_bytes);
	out[FEATURE_tile_bytes] = log2_of(bytes_in(&n, true, TASK_NONE) / (double)t->l1_bytes);
	out[FEATURE_loop_bytes] =
		log2_of(bytes_in(&n, true, innermost_spatial(&n)) / (double)t->l2_bytes);
}

/* t NULL: knobs only. */
static const float *
stage_rows(Features *f, const Variant *v, int stage, const Target *t)
{
	const StageOptions *o = &v->stage[stage];
	float *row = ARENA_ARRAY(f->arena, float, (size_t)o->option.n *OF_STAGE);
	StageInfo info = {0};

	if (t)
		variant_stage_info(v, stage, &info);
	for (int i = 0; i < o->option.n; i++)
		option_features(&info, &o->option.v[i], t, row + (size_t)i * OF_STAGE);
	return row;
}

/* --- a variant --- */

static int
rewrite_number(const char *name)
{
	const Rewrite *const *r = rewrites();
	int i = 0;

	while (r[i] && r[i] != rewrite_named(name))
		i++;
	return i;
}

/* Of the stage that takes longest. */
static void
extents(const Variant *v, int stage, float *out)
{
	const Stage *s = &v->task->stage.v[stage];
	int vec = v->stage[stage].option.v[0].sched.vec;
	double terms = 1;

	for (int a = s->nspatial; a < s->naxes; a++)
		terms *= (double)s->axis[a].extent;
	out[FEATURE_reduced] = log2_of(terms);
	out[FEATURE_lane_extent] =
		vec == TASK_NONE || vec >= s->naxes ? 0 : log2_of((double)s->axis[vec].extent);
}

static void
common_features(const Features *f, int variant, int longest, float *out)
{
	const Variant *v = &f->space->variant.v[variant];
	const Target *t = f->space->target;

	out[FEATURE_variant] = (float)variant;
	out[FEATURE_rewrite] = (float)rewrite_number(v->rewrite);
	out[FEATURE_fused] = (float)v->base.nfuse;
	if (v->base.nfuse)
		out[FEATURE_fused_step] = log2_of((double)v->base.fuse[v->base.nfuse - 1].step);
	if (!t)
		return;
	if (longest >= 0)
		extents(v, longest, out);
	out[FEATURE_flops] = log2_of(f->space->floor_flops * (double)t->threads);
	out[FEATURE_bytes] = log2_of(task_bytes(v->task));
	out[FEATURE_threads] = (float)t->threads;
	out[FEATURE_width] = (float)target_lanes(t);
}

/* Puts stage i where it belongs among the dearest. */
static void
place_stage(const Variant *v, int i, int stage[TOLD_APART])
{
	for (int k = 0; k < TOLD_APART; k++) {
		int other = stage[k];

		if (other >= 0 && v->stage[other].option.v[0].ns >= v->stage[i].option.v[0].ns)
			continue;
		stage[k] = i;
		if (other < 0)
			return;
		i = other;
	}
}

static const VariantRows *
variant_rows(Features *f, int variant)
{
	const Variant *v = &f->space->variant.v[variant];
	VariantRows *r = &f->variant[variant];
	int loops = 0;

	if (r->known)
		return r;
	*r = (VariantRows){.known = true, .stage = {-1, -1}};
	for (int i = 0; i < v->task->stage.n; i++) {
		if (!(v->stage[i].option.v[0].ns > 0))
			continue; /* computed by others, or before */
		loops++;
		place_stage(v, i, r->stage);
	}
	for (int k = 0; k < TOLD_APART; k++)
		if (r->stage[k] >= 0)
			r->row[k] = stage_rows(f, v, r->stage[k], k ? NULL : f->space->target);
	common_features(f, variant, r->stage[0], r->common);
	r->common[FEATURE_stages] = (float)loops;
	return r;
}

Features *
features_new(Arena *a, const Space *s)
{
	Features *f = ARENA_NEW(a, Features);

	*f = (Features){.arena = a,
			.space = s,
			.cheapest = INFINITY,
			.variant = ARENA_ARRAY(a, VariantRows, s->variant.n + 1)};
	for (int v = 0; v < s->variant.n; v++)
		f->cheapest = fmin(f->cheapest, space_cost(s, &(Pick){.variant = v}));
	return f;
}

static const float *
row_of(const VariantRows *v, int k, const Pick *p)
{
	return v->row[k] + (size_t)p->option[v->stage[k]] * OF_STAGE;
}

void
features_of(Features *f, const Pick *p, float out[FEATURES])
{
	const VariantRows *v = variant_rows(f, p->variant);

	memcpy(out, v->common, sizeof v->common);
	if (v->row[0])
		memcpy(out, row_of(v, 0, p), OF_STAGE * sizeof *out);
	if (v->row[1])
		memcpy(out + FEATURE_vec_2, row_of(v, 1, p), KNOB_COUNT * sizeof *out);
	out[FEATURE_cost] = log2_of(space_cost(f->space, p) / f->cheapest);
}
