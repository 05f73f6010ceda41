/* History: results of many days, and where a kernel's time changed. A comparison sees one step;
 * what creeps, a little each week, is seen here. It reports and never gates.
 *
 * Times are divided by what the canaries of their day say of the board, so that a slower day is not
 * taken for a slower kernel. Changes are found by cutting a series where the halves differ most, if
 * shuffled series hardly ever differ as much, and cutting the parts again. The shuffling is seeded
 * by a constant: the same results give the same changes.
 */
#ifndef REGRESS_HISTORY_H
#define REGRESS_HISTORY_H

#include "base/str.h"
#include "regress/outputs.h"

enum {
	HISTORY_BYTES = 64 << 20, /* of one file */
	HISTORY_RESULTS_MAX = 4096,
	HISTORY_KERNELS_MAX = 8192, /* of one result */
	HISTORY_SEGMENT = 5,        /* points that a part has at least */
	HISTORY_SHUFFLES = 1999,
};

/* Parts differ when shuffled series do so less often, and medians by at least this share. */
#define HISTORY_P      0.005
#define HISTORY_EFFECT 0.01

typedef struct HistoryChange {
	int at;               /* index of the first point after it */
	double before, after; /* medians of the parts at its sides, ns */
	double p;             /* of the shuffling */
	bool confirmed;       /* a rank-sum test of both sides says so too */
} HistoryChange;

/* One kernel on boards with one key, in the order of time. */
typedef struct HistorySeries {
	const char *board_key, *board, *suite, *name;
	VEC(RegressPast) point;
	VEC(HistoryChange) change;
} HistorySeries;

typedef struct History History;

History *history_new(void);
void history_free(History *h); /* NULL is fine */

/* Adds a result in the form of --format json. Entries without times and void results add nothing.
 * Errors: ERR_INPUT: another format or version, or too many; the history is then as before. */
int history_add(History *h, const char *text, Err *e);
int history_add_file(History *h, const char *path, Err *e); /* also ERR_IO */

int history_results(const History *h);

/* Normalises, sorts, and looks for changes; after the last history_add. What it returns lives as
 * long as the history; by board, suite and name. */
const HistorySeries *history_changes(History *h, int *n);

/* Fills past of r's kernels from the series of the same board, suite and name, at most the newest
 * `most` points. After history_changes; they live as long as h. */
void history_past(const History *h, RegressResult *r, int most);

/* For a terminal: every series that changed, the greatest slowdown first, and how many did not. */
void history_terminal(History *h, const RegressView *v, Arena *a, Str *out);

/* The search alone: positions in v (logarithms of times) where a part begins, ascending; room for
 * n. Returns how many. */
int history_cuts(const double *v, int n, int *at, double *p, Arena *scratch);
/* Two-sided p value of the rank-sum test, by the normal distribution, ties corrected. */
double history_rank_sum(const double *x, int nx, const double *y, int ny, Arena *scratch);

#endif
