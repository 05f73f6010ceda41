/* Descend: coordinate descent from the fastest picks that were tried. */
#ifndef TUNER_DESCEND_H
#define TUNER_DESCEND_H

#include "tuner/tried.h"

enum { DESCEND_CENTRES = 2 };

typedef struct Descend {
	Tried *tried;
	int centre[DESCEND_CENTRES], ncentre; /* in tried, fastest first */
	int from;                             /* the one whose turn it is not */
} Descend;

/* Chooses the centres anew; before the first offer after reports. */
void descend_begin(Descend *d);

/* Proposes the cheapest neighbour of a centre, in turns, that was not proposed yet; false when
 * there is none. */
bool descend_offer(Descend *d, Proposal *out, int *n);

#endif
