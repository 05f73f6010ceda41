/* Effort: how much a run of the tuner may spend. One line of the list each; more effort satisfies
 * less: what a greater one left in the log is not measured again by a smaller one. */
#ifndef TUNER_EFFORT_H
#define TUNER_EFFORT_H

#include <stdbool.h>

/* name; trials per Task at most; the part of them that ends the search when it gained next to
 * nothing, 0: none does; strategy; finalists besides the untuned choice, 0: no race; least and most
 * rounds of a race, and seconds it may take, roughly; 1: the Tasks of other Plans too; what it
 * does */
#define EFFORT_LIST(X)                                                                          \
	X(estimate, 1, 0, "descent", 0, 0, 0, 0, 0, "checks and times the cost model's choice") \
	X(measure, 80, 0.375, "mixed", 4, 15, 50, 0.6, 0, "searches, and races the best")       \
	X(patient, 256, 0.375, "mixed", 6, 25, 100, 2, 1,                                       \
	  "searches longer, other plans of the model too, and races more for longer")           \
	X(exhaustive, 4096, 0, "model", 20, 25, 100, 4, 0, "tries every choice, likeliest first")

enum { FINALISTS_MAX = 20 };

typedef struct Effort {
	const char *name;
	int trials; /* per Task */
	double stall;
	const char *strategy;
	int finalists;
	int rounds_min, rounds_max;
	double race_s;
	bool plans; /* tuner/plans.h */
} Effort;

const Effort *effort_named(const char *name); /* NULL names "measure"; NULL when there is none */

#endif
