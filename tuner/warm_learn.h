/* Warm_learn: what rows of the same Task elsewhere teach of its Space here. */
#ifndef TUNER_WARM_LEARN_H
#define TUNER_WARM_LEARN_H

#include "tuner/warm.h"

typedef struct WarmModel WarmModel;

/* Lives in a; s outlives it. NULL: the source has no Space, or fewer than WARM_TEACHES rows of it.
 */
WarmModel *warm_learn(const WarmSource *from, const Space *s, Arena *a);

/* -log2 of how many times slower than the best a pick of s should be. */
double warm_score(const WarmModel *m, const Pick *p);

#endif
