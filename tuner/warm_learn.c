/* Variants are compared by measured times: the best row of each takes the place of what the
 * analytic model says of the variant. Within a variant that model has the word, corrected by what
 * its answers there left over: an effect for each value of a knob, and a slope for each tile,
 * drawn towards none while few rows speak for them (ridge regression, by coordinate descent). Knobs
 * are those of a variant's dearest stage, and count for the part of the time that it takes. */
#include "tuner/warm_learn.h"

#include <math.h>
#include <string.h>

#include "search_space/options.h"

enum { EFFECTS_MAX = 64, SWEEPS = 50 };

/* Rows with an effect, and as many without, until half of it is believed. */
static const double DRAWN = 150;

/* Where tiles lie beyond what the rows had, slopes end: in deviations of the rows. */
static const double REACH = 2.5;

/* A row slower than this, log2 of times the best of its variant, says no more than that it is. */
static const double SLOWEST = 2;

/* Variance of expected times, log2, that is worth as much as knowing nothing. */
static const double UNBELIEVED = .3;

static const struct {
	int knob;
	bool slope;
} told[] = {{KNOB_ORDER, false}, {KNOB_REDUCTION, false}, {KNOB_PARTIAL, false},
	    {KNOB_PEEL, false},  {KNOB_PREFETCH, false},  {KNOB_VECTORS, true},
	    {KNOB_TILE_A, true}, {KNOB_TILE_B, true}};

typedef struct Effect {
	int knob;
	bool slope;
	int value;         /* without a slope: of the knob */
	double mean, unit; /* with one: of log2 of the tile */
	double size;
} Effect;

struct WarmModel {
	const Space *space;
	double *variant; /* of the Space: log2 of its best's speed, of the best of all */
	Effect effect[EFFECTS_MAX];
	int n;
};

/* A row that is known, as a pick of its own Space. */
typedef struct Known {
	Pick pick;
	double speed;  /* log2, of the best of its variant */
	double dearer; /* log2 of its cost, of the variant's cheapest pick */
} Known;

typedef VEC(Known) KnownRows;

/* --- variants --- */

static bool
same_variant(const Variant *a, const Variant *b)
{
	if (strcmp(a->rewrite, b->rewrite) != 0 || a->base.nfuse != b->base.nfuse ||
	    a->task->stage.n != b->task->stage.n)
		return false;
	for (int i = 0; i < a->base.nfuse; i++)
		if (strcmp(a->base.fuse[i].axis, b->base.fuse[i].axis) != 0 ||
		    a->base.fuse[i].step != b->base.fuse[i].step)
			return false;
	for (int i = 0; i < a->task->stage.n; i++)
		if (a->base.stage[i].inlined != b->base.stage[i].inlined)
			return false;
	return true;
}

/* log2 of the cost of a variant's cheapest pick. */
static double
variant_cost(const Space *s, int variant)
{
	return log2(space_cost(s, &(Pick){.variant = variant}));
}

/* best: ns by variant of `from`, 0: it has no row. A variant that has none stands to the best one
 * as the analytic model says. */
static void
learn_variants(WarmModel *m, Arena *a, const Space *from, const double *best)
{
	const Space *s = m->space;
	double fastest = INFINITY, cost = 0;

	m->variant = ARENA_ARRAY(a, double, s->variant.n);
	for (int v = 0; v < s->variant.n; v++)
		for (int k = 0; k < from->variant.n; k++)
			if (best[k] > 0 && best[k] < fastest &&
			    same_variant(&s->variant.v[v], &from->variant.v[k])) {
				fastest = best[k];
				cost = variant_cost(s, v);
			}
	for (int v = 0; v < s->variant.n; v++) {
		m->variant[v] = cost - variant_cost(s, v);
		for (int k = 0; k < from->variant.n; k++)
			if (best[k] > 0 && same_variant(&s->variant.v[v], &from->variant.v[k]))
				m->variant[v] = log2(fastest / best[k]);
	}
}

/* --- effects of knobs --- */

/* The option of the stage that takes longest, and its part of the time. */
static const Option *
dearest(const Space *s, const Pick *p, double *share)
{
	const Variant *v = &s->variant.v[p->variant];
	const Option *o;
	int at = 0;

	for (int i = 1; i < v->task->stage.n; i++)
		if (v->stage[i].option.v[0].ns > v->stage[at].option.v[0].ns)
			at = i;
	o = &v->stage[at].option.v[p->option[at]];
	*share = o->ns / space_cost(s, p);
	return o;
}

static double
tile_of(const Option *o, int knob)
{
	return log2(o->knob[knob] > 0 ? o->knob[knob] : .5);
}

/* How much of an effect an option has. */
static double
part(const Effect *f, const Option *o)
{
	if (!f->slope)
		return o->knob[f->knob] == f->value;
	return fmax(-REACH, fmin(REACH, (tile_of(o, f->knob) - f->mean) / f->unit));
}

static bool
has_effect(const WarmModel *m, int knob, int value)
{
	for (int i = 0; i < m->n; i++)
		if (m->effect[i].knob == knob && m->effect[i].value == value)
			return true;
	return false;
}

static void
add_slope(WarmModel *m, const Space *from, const KnownRows *rows, int knob)
{
	Effect f = {.knob = knob, .slope = true};
	double square = 0, share;

	for (int i = 0; i < rows->n; i++) {
		double t = tile_of(dearest(from, &rows->v[i].pick, &share), knob);

		f.mean += t / rows->n;
		square += t * t / rows->n;
	}
	f.unit = sqrt(fmax(0, square - f.mean * f.mean));
	if (f.unit > 1e-6 && m->n < EFFECTS_MAX)
		m->effect[m->n++] = f;
}

static void
find_effects(WarmModel *m, const Space *from, const KnownRows *rows)
{
	for (size_t k = 0; k < sizeof told / sizeof *told; k++) {
		int knob = told[k].knob;

		if (told[k].slope)
			add_slope(m, from, rows, knob);
		for (int i = 0; i < rows->n && !told[k].slope; i++) {
			double share;
			int value = dearest(from, &rows->v[i].pick, &share)->knob[knob];

			if (!has_effect(m, knob, value) && m->n < EFFECTS_MAX)
				m->effect[m->n++] = (Effect){.knob = knob, .value = value};
		}
	}
}

/* Takes from each number the mean of those of its variant. */
static void
centre(const KnownRows *rows, int variants, Arena *a, double *x)
{
	double *sum = ARENA_ARRAY(a, double, variants);
	int *n = ARENA_ARRAY(a, int, variants);

	for (int i = 0; i < rows->n; i++) {
		sum[rows->v[i].pick.variant] += x[i];
		n[rows->v[i].pick.variant]++;
	}
	for (int i = 0; i < rows->n; i++)
		x[i] -= sum[rows->v[i].pick.variant] / n[rows->v[i].pick.variant];
}

/* What the analytic model leaves of the rows' speeds, as far as its differences are believed. */
static double *
rest_of(const KnownRows *rows, int variants, Arena *a)
{
	double *rest = ARENA_ARRAY(a, double, rows->n), *cost = ARENA_ARRAY(a, double, rows->n);
	double xx = UNBELIEVED, xy = UNBELIEVED;

	for (int i = 0; i < rows->n; i++) {
		rest[i] = fmax(-SLOWEST, rows->v[i].speed);
		cost[i] = -rows->v[i].dearer;
	}
	centre(rows, variants, a, rest);
	centre(rows, variants, a, cost);
	for (int i = 0; i < rows->n; i++) {
		xx += cost[i] * cost[i];
		xy += cost[i] * rest[i];
	}
	for (int i = 0; i < rows->n; i++)
		rest[i] -= fmin(1, fmax(0, xy / xx)) * cost[i];
	return rest;
}

static void
learn_effects(WarmModel *m, const Space *from, const KnownRows *rows)
{
	Arena *work = arena_new();
	double *rest = rest_of(rows, from->variant.n, work);
	double **x = ARENA_ARRAY(work, double *, m->n + 1);

	for (int f = 0; f < m->n; f++) {
		x[f] = ARENA_ARRAY(work, double, rows->n);
		for (int i = 0; i < rows->n; i++) {
			double share;
			const Option *o = dearest(from, &rows->v[i].pick, &share);

			x[f][i] = share * part(&m->effect[f], o);
		}
		centre(rows, from->variant.n, work, x[f]);
	}
	for (int k = 0; k < SWEEPS * m->n; k++) {
		Effect *f = &m->effect[k % m->n];
		double *own = x[k % m->n], xx = DRAWN, xy = 0, size;

		for (int i = 0; i < rows->n; i++) {
			xx += own[i] * own[i];
			xy += own[i] * (rest[i] + own[i] * f->size);
		}
		size = xy / xx;
		for (int i = 0; i < rows->n; i++)
			rest[i] -= own[i] * (size - f->size);
		f->size = size;
	}
	arena_free(work);
}

/* --- a source --- */

/* best: as learn_variants takes it. */
static void
read_rows(const WarmSource *from, Arena *a, double *best, KnownRows *rows)
{
	const Space *s = from->space;

	for (int i = 0; i < from->n; i++) {
		double ns = from->row[i].ns;
		Known k = {.speed = -log2(ns)};

		if (!(ns > 0) || !isfinite(ns) || space_find(s, from->row[i].sched, &k.pick))
			continue;
		k.dearer = log2(space_cost(s, &k.pick)) - variant_cost(s, k.pick.variant);
		if (!(best[k.pick.variant] > 0) || ns < best[k.pick.variant])
			best[k.pick.variant] = ns;
		vec_push(a, rows, k);
	}
	for (int i = 0; i < rows->n; i++)
		rows->v[i].speed += log2(best[rows->v[i].pick.variant]);
}

WarmModel *
warm_learn(const WarmSource *from, const Space *s, Arena *a)
{
	WarmModel *m = ARENA_NEW(a, WarmModel);
	KnownRows rows = {0};
	double *best;

	*m = (WarmModel){.space = s};
	if (!from->space)
		return NULL;
	best = ARENA_ARRAY(a, double, from->space->variant.n);
	read_rows(from, a, best, &rows);
	if (rows.n < WARM_TEACHES)
		return NULL;
	learn_variants(m, a, from->space, best);
	find_effects(m, from->space, &rows);
	learn_effects(m, from->space, &rows);
	return m;
}

double
warm_score(const WarmModel *m, const Pick *p)
{
	double share, sum;
	const Option *o = dearest(m->space, p, &share);

	sum = m->variant[p->variant] - log2(space_cost(m->space, p)) +
	      variant_cost(m->space, p->variant);
	for (int i = 0; i < m->n; i++)
		sum += share * m->effect[i].size * part(&m->effect[i], o);
	return sum;
}
