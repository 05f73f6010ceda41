/* Lines that meet in few sets of the first cache. Rows a power of two apart, as channels-last
 * pixels with many channels are, share their sets; when a tile walks more of them side by side than
 * these sets have ways, each is pushed out before its next element is read. */
#include <stdlib.h>

#include "base/number.h"
#include "search_space/nest.h"

/* Whether the body walks more lines along x than the sets have room for where they meet, with a way
 * left to what passes by. */
static bool
collides(const Nest *n, const Access *x)
{
	int64_t way = n->t->l1_way_bytes, apart = way;

	for (int a = 0; a < n->s->naxes; a++) {
		int64_t step = llabs(x->stride[a]) * x->bytes;

		if (step >= LINE_BYTES && n->size[a] > 1)
			apart = gcd64(apart, step);
	}
	if (apart < LINE_BYTES)
		apart = LINE_BYTES;
	return nest_apart(n, x, LINE_BYTES) * (double)apart >
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
