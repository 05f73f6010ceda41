/* Spills: vectors on the stack in the loops where time goes. */
#ifndef CODEGEN_SPILLS_H
#define CODEGEN_SPILLS_H

#include "codegen/loop.h"
#include "search_space/target.h"

/* An innermost loop of object code. */
typedef struct InnerLoop {
	int products; /* multiply-adds, or the products that stand for them */
	int spills;   /* vector loads and stores of the stack */
} InnerLoop;

/* Of the inner loops that l's time depends on, the most spills. */
int spills_count(const Loop *l, const Target *t, const InnerLoop *v, int n);

/* Whether there can be such loops. */
bool spills_matter(const Loop *l, const Target *t);

#endif
