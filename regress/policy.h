/* Policy: what a project wants `hone regress` to answer for. A small JSON file, fit for git:
 *
 *   {
 *     "version": 1,
 *     "threshold": 0.03,
 *     "pairs": {"first": 12, "step": 6, "most": 30, "dropped": 30},
 *     "family_error": 0.01,
 *     "canary_limit": 0.3,
 *     "inconclusive": 6,
 *     "kernel": [{"match": "conv*", "threshold": 0.05}]
 *   }
 *
 * Every member but the version may be missing: it is then as regress_policy_init has it. What the
 * program does not know is refused: a misspelt threshold must not pass for none.
 */
#ifndef REGRESS_POLICY_H
#define REGRESS_POLICY_H

#include "base/arena.h"
#include "base/err.h"

enum { REGRESS_POLICY_VERSION = 1, REGRESS_PAIRS_MAX = 1000, REGRESS_POLICY_BYTES = 1 << 20 };

/* Kernels whose name matches the pattern (as the shell matches, * and ?) have this threshold. */
typedef struct RegressOverride {
	const char *match;
	double threshold;
} RegressOverride;

typedef struct RegressPolicy {
	double threshold;    /* slower than this share is a regression: 0.03 */
	int pairs_first;     /* measured before anything is judged */
	int pairs_step;      /* added while nothing can be said */
	int pairs_most;      /* that count, of one kernel in one round */
	int dropped_most;    /* disturbed pairs of one kernel in one round */
	double family_error; /* chance that a suite without a change has any REGRESSED */
	double canary_limit; /* a canary may change by this share in a session */
	int inconclusive;    /* exit code where nothing is worse: 6, 0 or 1 */
	const RegressOverride *override;
	int noverride;
} RegressPolicy;

void regress_policy_init(RegressPolicy *p);

/* Reads a policy; what it points to is in the arena. Errors: ERR_INPUT with the member and what is
 * wrong with it; ERR_IO. *p is then the default. */
int regress_policy_parse(const char *text, Arena *a, RegressPolicy *p, Err *e);
int regress_policy_read(const char *path, Arena *a, RegressPolicy *p, Err *e);

/* Of a kernel: the last override that matches counts, else the general one. */
double regress_policy_threshold(const RegressPolicy *p, const char *kernel);

#endif
