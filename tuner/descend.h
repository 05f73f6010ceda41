/* Descend: coordinate descent from the fastest picks that were tried. */
#ifndef TUNER_DESCEND_H
#define TUNER_DESCEND_H

#include "tuner/tried.h"

enum { DESCEND_CENTRES = 2, DESCEND_NEAR = 48 };

typedef struct Descend {
	Tried *tried;
	int centre[DESCEND_CENTRES], ncentre; /* in tried, fastest first */
	int from;                             /* the one whose turn it is not */
} Descend;

/* Chooses the centres anew; before the first offer after reports. */
void descend_begin(Descend *d);

/* Neighbours of the centre whose turn it is, cheapest first; returns how many. The next call is
 * about the next centre. */
int descend_neighbours(Descend *d, Pick near[DESCEND_NEAR]);

/* Proposes the cheapest neighbour of a centre, in turns, that was not proposed yet; false when
 * there is none. */
bool descend_offer(Descend *d, Proposal *out, int *n);

#endif
