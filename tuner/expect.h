/* Expect: sampled outputs of a Task by the double-precision oracle. */
#ifndef TUNER_EXPECT_H
#define TUNER_EXPECT_H

#include "graph/form.h"

typedef struct Expected {
	int out;           /* number among the out tensors */
	int64_t element;   /* of the stored buffer */
	double value, err; /* error bound of a single-precision evaluation */
} Expected;

typedef VEC(Expected) ExpectedList;

typedef struct ExpectOptions {
	int least, most; /* per out tensor */
	double seconds;  /* beyond `least` for at most so long */
	uint64_t seed;
} ExpectOptions;

/* data[i]: row-major contents of in and const tensors without a stage, by tensor number. Corners
 * and edges come first; every element when there are at most `most`. Elements whose value a
 * near-tie decides are left out. */
void expect_outputs(Arena *a, const Task *t, const TaskForm *f, const void *const *data,
		    const ExpectOptions *opt, ExpectedList *out);

#endif
