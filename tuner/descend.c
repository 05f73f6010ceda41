/* Neighbours of the fastest picks. A centre moves when a neighbour beats it. */
#include "tuner/descend.h"

enum { NEAR = 48 };

void
descend_begin(Descend *d)
{
	d->ncentre = tried_best(d->tried, DESCEND_CENTRES, d->centre);
}

bool
descend_offer(Descend *d, Proposal *out, int *n)
{
	for (int i = 0; i < d->ncentre; i++) {
		const TriedPick *c;
		Pick near[NEAR];
		int count;

		d->from = (d->from + 1) % d->ncentre;
		c = &d->tried->list.v[d->centre[d->from]];
		count = space_neighbours(d->tried->space, &c->pick, NEAR, near);
		for (int k = 0; k < count; k++)
			if (tried_offer(d->tried, &near[k], "descent", out, n))
				return true;
	}
	return false;
}
