/* Result: what one comparison has come to. The run fills it; verdicts and outputs read nothing
 * else.
 *
 * Texts are UTF-8 and never NULL once result_init has been called on what holds them; "" when not
 * known. Times are in ns per call, ratios new / baseline (1.05: 5 % slower), 0 when not known.
 * Everything lives in the arena of the run and is plain data: copying a struct copies its meaning.
 */
#ifndef REGRESS_RESULT_H
#define REGRESS_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "regress/policy.h"

/* name, word in outputs, severity, exit code, what it means.
 * Severity orders a table, the worst first; the exit codes are those of exit.h. */
#define REGRESS_VERDICT_LIST(X)                                                                \
	X(WRONG, "WRONG", 10, 7, "computes something else than it should")                     \
	X(CRASH, "CRASH", 9, 7, "crashed or ran past its deadline")                            \
	X(REGRESSED, "REGRESSED", 8, 1, "slower than the baseline, twice")                     \
	X(NO_BOARD, "NO_BOARD", 7, 4, "not measured: the board could not be had or was lost")  \
	X(INCONCLUSIVE, "INCONCLUSIVE", 6, 6, "measured, but the noise hides the answer")      \
	X(STALE, "STALE", 5, 6, "the baseline is of another machine or version: set it again") \
	X(NEW, "NEW", 4, 0, "not in the baseline")                                             \
	X(MISSING, "MISSING", 3, 0, "in the baseline only")                                    \
	X(IMPROVED, "IMPROVED", 2, 0, "faster than the baseline")                              \
	X(OK, "OK", 1, 0, "not slower than the threshold allows")                              \
	X(UNCHANGED, "UNCHANGED", 0, 0, "the same bytes as the baseline")

typedef enum RegressVerdict {
#define X(name, word, severity, exit_code, text) REGRESS_##name,
	REGRESS_VERDICT_LIST(X)
#undef X
		REGRESS_VERDICTS
} RegressVerdict;

typedef struct RegressVerdictFact {
	const char *word; /* "REGRESSED" */
	int severity;
	int exit_code;
	const char *text;
} RegressVerdictFact;

const RegressVerdictFact *regress_verdict_fact(RegressVerdict v);
/* false: no such word. */
bool regress_verdict_of(const char *word, RegressVerdict *out);

/* What an entry of the suite is: name, word. */
#define REGRESS_KIND_LIST(X) \
	X(KERNEL, "kernel")  \
	X(MODEL, "model")

typedef enum RegressKind {
#define X(name, word) REGRESS_##name,
	REGRESS_KIND_LIST(X)
#undef X
} RegressKind;

const char *regress_kind_word(RegressKind k);

/* Why a pair does not count: name, word. Such a pair is measured again. */
#define REGRESS_DROP_LIST(X)                                      \
	X(KEPT, "")                                               \
	X(CLOCK, "the clock of the processor changed in between") \
	X(LOAD, "something else ran on the board")                \
	X(FAILED, "one side did not finish, for a reason that is not the kernel's")

typedef enum RegressDrop {
#define X(name, text) REGRESS_DROP_##name,
	REGRESS_DROP_LIST(X)
#undef X
		REGRESS_DROPS
} RegressDrop;

const char *regress_drop_text(RegressDrop d); /* "" for KEPT */

/* Both sides, each the better of two fresh processes by their medians, which took turns. */
typedef struct RegressPair {
	double baseline_ns, new_ns;
	bool new_first;
	RegressDrop drop;
} RegressPair;

/* What pairs say. Of ratios: 1 is no difference. */
typedef struct RegressEstimate {
	int used;           /* pairs that count */
	int dropped;        /* pairs that do not */
	double ratio;       /* Hodges-Lehmann, of logarithms; 0: no pairs */
	double low, high;   /* its exact interval; 0 and INFINITY when pairs are too few for one */
	double p;           /* exact signed-rank test of "no difference", two-sided; 1: no pairs */
	double p_holm;      /* after Holm over the suite and the looks; 1 until judged */
	double detectable;  /* smallest slowdown that the budget's pairs would find 95 times of
			       100, as a ratio (1.021); 0: too few pairs to say */
	double baseline_ns; /* medians of the pairs that count */
	double new_ns;
} RegressEstimate;

/* One comparison in one session: the first, or the repeat that confirms it. */
typedef struct RegressRound {
	RegressPair *pair; /* in the order measured, with those dropped */
	int npair;
	RegressEstimate est;
	RegressVerdict verdict; /* of this round alone */
} RegressRound;

enum { REGRESS_ROUNDS = 2, REGRESS_CANARIES = 16 };

/* A point of a kernel's history, oldest first: earlier results on the same board. */
typedef struct RegressPast {
	int64_t time; /* seconds since 1970 */
	double ns;    /* median of the new side, divided by the canary's drift since the first */
	RegressVerdict verdict;
	const char *label; /* commit or version; "" */
} RegressPast;

typedef struct RegressKernel {
	RegressKind kind;
	const char *name;          /* for people, unique in the suite */
	const char *task;          /* digest; of the model's entry its graph */
	const char *baseline_code; /* digests of the images; "" where there is none */
	const char *new_code;
	int uses; /* how often the model runs it */
	int line; /* in Result.baseline_file, from 1; 0: not known */
	RegressVerdict verdict;
	RegressEstimate est; /* of the last round */
	RegressRound round[REGRESS_ROUNDS];
	int nround;          /* 0: not measured */
	double threshold;    /* as the policy has it for this kernel: 0.03 */
	bool two_modes;      /* its times fall into two groups: a mean says little */
	const char *reason;  /* why it is so, a sentence */
	const char *command; /* measures this kernel again; "" */
	RegressPast *past;
	int npast;
} RegressKernel;

/* A fact of a fingerprint: "processor" "Cortex-A72". */
typedef struct RegressFact {
	const char *name, *value;
} RegressFact;

/* A canary: a kernel that never changes, run at the start, in the middle, at the end. */
typedef struct RegressCanary {
	const char *name;
	double start_ns, middle_ns, end_ns;
} RegressCanary;

typedef struct RegressResult {
	const char *suite;         /* name of the baseline */
	const char *baseline_file; /* as it was named, for places in reports; "" */
	const char *version;       /* of this program */
	const char *board;         /* name or address */
	const char *board_key;     /* boards with another one are never compared */
	const RegressFact *board_fact, *toolchain_fact;
	int nboard_fact, ntoolchain_fact;
	const char *model; /* name */
	const char *graph; /* digest */
	RegressPolicy policy;
	uint64_t seed;
	int64_t started; /* seconds since 1970 */
	double seconds;
	int attempts; /* comparisons made until this answer, the repeat included */
	RegressCanary canary[REGRESS_CANARIES];
	int ncanary;
	const char *void_reason; /* the session counts for nothing, and why; "" */
	const char *command;     /* does it all again; "" */
	RegressKernel *kernel;
	int nkernel;
} RegressResult;

/* An empty Result and an empty entry: every text "", verdict NO_BOARD, policy the default. */
void regress_result_init(RegressResult *r);
void regress_kernel_init(RegressKernel *k);

/* How many entries have this verdict. */
int regress_count(const RegressResult *r, RegressVerdict v);

/* Kernels in the order of reports: the worst first, then the greatest ratio, then by name. The
 * array and the entries stay where they are. */
const RegressKernel **regress_ordered(const RegressResult *r, Arena *a);

#endif
