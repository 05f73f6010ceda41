/* Neighbours of the fastest picks. A centre moves when a neighbour beats it. */
#include "tuner/descend.h"

void
descend_begin(Descend *d)
{
	d->ncentre = tried_best(d->tried, DESCEND_CENTRES, d->centre);
}

int
descend_neighbours(Descend *d, Pick near[DESCEND_NEAR])
{
	const TriedPick *c;

	if (!d->ncentre)
		return 0;
	d->from = (d->from + 1) % d->ncentre;
	c = &d->tried->list.v[d->centre[d->from]];
	return space_neighbours(d->tried->space, &c->pick, DESCEND_NEAR, near);
}

bool
descend_offer(Descend *d, Proposal *out, int *n)
{
	for (int i = 0; i < d->ncentre; i++) {
		Pick near[DESCEND_NEAR];
		int count = descend_neighbours(d, near);

		for (int k = 0; k < count; k++)
			if (tried_offer(d->tried, &near[k], "descent", out, n))
				return true;
	}
	return false;
}
