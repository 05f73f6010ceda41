/* Exit status of `hone regress`. The most severe wins: 7, 1, 4, 6, 0. A usage error (2) is known
 * before there is a Result and comes from Err. */
#ifndef REGRESS_EXIT_H
#define REGRESS_EXIT_H

#include "regress/result.h"

/* status, what it says */
#define REGRESS_EXIT_LIST(X)                             \
	X(0, "no regression")                            \
	X(1, "a regression, confirmed")                  \
	X(2, "usage, or a file that cannot be used")     \
	X(4, "no board, or it was lost")                 \
	X(6, "inconclusive: the noise hides the answer") \
	X(7, "a wrong result or a crash")

/* By the verdicts and the policy. A Result without entries is 4: nothing was compared. */
int regress_exit(const RegressResult *r);
const char *regress_exit_text(int status); /* "" for others */

#endif
