/* Which spills count: those in inner loops with as many multiply-adds as an innermost body of the
 * Loop that does a good part of its products. Spills elsewhere, in Winograd's transforms or around
 * loops, cost little. */
#include "codegen/spills.h"

/* At least one in so many multiply-adds; of straight code, where some spills are no harm. */
enum { BODIES_MAX = 64, HOT_PART = 8, HOT_STRAIGHT = 2 };

/* An innermost body of the Loop that accumulates products. */
typedef struct Body {
	int fma;       /* in instructions */
	double work;   /* of all its iterations */
	bool straight; /* the chains of products end in it */
} Body;

typedef struct Bodies {
	const Loop *l;
	int64_t vector_bytes;
	double work; /* of the whole Loop */
	int n;
	Body v[BODIES_MAX];
} Bodies;

static void
find_bodies(Bodies *b, int body, double times)
{
	int fma = 0, set = 0, inner = 0;

	for (int k = 0; k < b->l->body.v[body].n; k++) {
		const LoopNode *x = &b->l->node.v[b->l->body.v[body].v[k]];
		int64_t bytes = x->lanes * (int64_t)dtype_size((DType)x->type);

		inner += x->op == LOOP_LOOP;
		set += x->op == LOOP_SET;
		if (x->op == LOOP_FMA || x->op == LOOP_DOT)
			fma += (int)((bytes + b->vector_bytes - 1) / b->vector_bytes);
		if (x->op == LOOP_LOOP)
			find_bodies(b, (int)x->k, times * (double)x->k2);
	}
	b->work += times * fma;
	if (fma && !inner && b->n < BODIES_MAX)
		b->v[b->n++] = (Body){fma, times * fma, !set};
}

static Bodies
bodies_of(const Loop *l, const Target *t)
{
	Bodies b = {.l = l, .vector_bytes = t->vector_bytes};

	for (int p = 0; p < l->phase.n; p++)
		find_bodies(&b, l->phase.v[p], 1);
	return b;
}

/* With memory operands, what is used once needs no register. */
static bool
needs_registers(const Body *x, const Target *t)
{
	return !x->straight || t->lane_splat;
}

bool
spills_matter(const Loop *l, const Target *t)
{
	Bodies b = bodies_of(l, t);

	for (int i = 0; i < b.n; i++)
		if (needs_registers(&b.v[i], t))
			return true;
	return false;
}

/* Multiply-adds of the bodies that the Loop's time depends on. */
static int
hot_bodies(const Loop *l, const Target *t, int count[BODIES_MAX])
{
	Bodies b = bodies_of(l, t);
	int n = 0;

	for (int i = 0; i < b.n; i++) {
		int part = b.v[i].straight ? HOT_STRAIGHT : HOT_PART;

		if (needs_registers(&b.v[i], t) && b.v[i].work * part >= b.work)
			count[n++] = b.v[i].fma;
	}
	return n;
}

static bool
is_one_of(int x, const int *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}

int
spills_count(const Loop *l, const Target *t, const InnerLoop *v, int n)
{
	int body[BODIES_MAX], nbody = hot_bodies(l, t, body), most = 0;

	for (int i = 0; i < n; i++)
		if (v[i].spills > most && is_one_of(v[i].products, body, nbody))
			most = v[i].spills;
	return most;
}
