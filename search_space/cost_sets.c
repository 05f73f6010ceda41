/* Lines that meet in few sets of the first cache. Rows a power of two apart, as channels-last
 * pixels with many channels are, share their sets; when a tile walks more of them side by side than
 * these sets have ways, each is pushed out before its next element is read. */
#include "search_space/nest.h"

enum { LINE_BYTES = 64 };

static int64_t
greatest_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Whether steps along the axis leave the line. */
static bool
is_far(const Access *x, int axis)
{
	return x->varies[axis] &&
	       (x->stride[axis] < 0 ? -x->stride[axis] : x->stride[axis]) * x->bytes >= LINE_BYTES;
}

/* Lines that the body walks along x, and how many of them the sets have room for where they meet,
 * with a way left to what passes by. */
static bool
collides(const Nest *n, const Access *x)
{
	int64_t way = n->t->l1_way_bytes, apart = way;
	Nest far = *n;

	for (int a = 0; a < n->s->naxes; a++) {
		if (is_far(x, a) && n->size[a] > 1) {
			apart = greatest_divisor(apart, x->stride[a] * x->bytes);
		} else {
			far.units[a] = 1;
			far.reach[a] = 0;
		}
	}
	apart = apart < 0 ? -apart : apart;
	if (apart < LINE_BYTES)
		apart = LINE_BYTES;
	return nest_elements(&far, x) * (double)apart >
	       (double)way * ((double)n->t->l1_bytes / (double)way - 1);
}

double
nest_collisions(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		int vec = n->q->vec;

		if (x->final || x->is_const || (vec != TASK_NONE && x->varies[vec]))
			continue;
		if (collides(n, x))
			sum += nest_elements(n, x);
	}
	return sum;
}
