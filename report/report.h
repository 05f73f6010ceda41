/* Report: what a tuning log says of a search, as numbers, and these as an HTML page or as text.
 *
 * report_build reads the log once; everything in a Report lives in the arena given, and no text in
 * it is NULL. Nothing here prints or exits. Times are in ns, rates in GFLOPS (1e9 operations a
 * second) and GB/s; 0 means "not known" everywhere.
 *
 * A section is one model on one machine: rows that agree in every key column but task and form.
 * Tasks that belong to no known model are a section of their own.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "db/log.h"
#include "graph/graph.h"
#include "tuner/race.h"
#include "tuner/session.h"
#include "wire/status.h"

enum {
	REPORT_SECTIONS_MAX = 64, /* more are refused: nobody reads them */
	REPORT_DRIFT_POINTS = 400,
	REPORT_DRIFT_MARKS = 200,
};

/* Where the best so far of a Task, or of a model, got better. */
typedef struct ReportPoint {
	double trials;  /* measured until then, this one included */
	double seconds; /* of tuning, over all sessions */
	double ns;
} ReportPoint;

typedef VEC(ReportPoint) ReportCurve;

typedef struct ReportTask {
	const char *task, *form; /* digests */
	const char *label;       /* operators and shape, else the axes of the longest stage */
	int uses;                /* in the model */
	int measured;            /* trials that the device ran */
	int ok;                  /* of them right */
	double untuned_ns, best_ns;
	RaceRatio ratio;                     /* best / untuned in the newest race */
	const char *algorithm, *sched;       /* of the best */
	double flops, least_flops;           /* as written; of the algorithm that needs least */
	double bytes;                        /* inputs, constants, outputs */
	double peak_gflops;                  /* of all threads, when the best was measured */
	double floor_ns;                     /* roofline */
	ReportCurve curve;                   /* of the search, races left out; ns falls */
	ReportPoint first, found, last;      /* untuned; where the best was found; the end */
	const LogRow *const *row, *best_row; /* oldest first */
	int nrow;
} ReportTask;

typedef struct ReportFailure {
	const char *status; /* name */
	const char *reason; /* numbers in it are "N" where they differ */
	int n;
} ReportFailure;

/* What Scheds choose: name, text. */
#define CHOICE_LIST(X)                        \
	X(ALGORITHM, "algorithm")             \
	X(SHARED, "stages share loops")       \
	X(LANES, "lanes along")               \
	X(TILE, "register tile: lanes, rest") \
	X(UNROLLED, "reduction unrolled")     \
	X(ORDER, "loop order")                \
	X(PREFETCH, "prefetch")               \
	X(PEEL, "peeled edges")               \
	X(DOT, "terms share a vector (dot)")  \
	X(PARTIAL, "accumulators that take turns")

typedef enum ChoiceKind {
#define X(name, text) CHOICE_##name,
	CHOICE_LIST(X)
#undef X
} ChoiceKind;

const char *choice_text(ChoiceKind k);

typedef struct ReportChoice {
	ChoiceKind kind;
	const char *value;
	int tried; /* right candidates that have it */
	int tasks; /* Tasks in which one of them was tried */
	int won;   /* Tasks whose winner has it */
} ReportChoice;

/* The clock while some rows were measured, as the agent calibrated it: GFLOPS of one core. */
typedef struct ReportDrift {
	double seconds;
	double least, most, median;
} ReportDrift;

typedef struct ReportMark {
	double seconds, before, after;
	int64_t id;
} ReportMark;

typedef struct ReportClock {
	VEC(ReportDrift) point;
	VEC(ReportMark) mark; /* disturbed rows that are drawn */
	int rows;             /* with calibrations */
	int disturbed;        /* of them */
	double median;
} ReportClock;

/* Part of the time of tuning; what stands within another part has its text indented. */
typedef struct ReportCost {
	const char *text;
	double seconds;
} ReportCost;

typedef struct ReportSection {
	const char *model; /* name; "" when not known */
	const char *graph; /* key of the plan; "" */
	LogKey key;        /* task and form are NULL */
	int threads;
	ReportTask *task;  /* those that take longest of the model first */
	int ntask, absent; /* absent: of the model, without any row */
	int64_t rows, measured, right, stale, insecure, races;
	int64_t first, last; /* seconds since 1970 */
	bool emulated;
	int64_t unboxed;     /* rows that ran in no sandbox, or it is not known in which */
	int64_t boxed;       /* the others */
	const char *lacking; /* layers that some of these lacked, as words; "" */
	VEC(const char *) session, generator, llvm;
	double seconds;             /* of tuning, over all sessions */
	double untuned_ns, best_ns; /* of the model: sums by uses, over `summed` Tasks */
	int summed;
	ReportCurve curve; /* of that sum; Tasks not begun count as untuned */
	double fma_gflops, l1_gbs, l2_gbs, dram_gbs; /* of one core, newest calibration */
	VEC(ReportFailure) failure;
	VEC(ReportChoice) choice;
	int winners; /* Tasks that the choices are of */
	ReportClock clock;
	VEC(ReportCost) cost;
	int costed;          /* sessions that recorded their costs... */
	double cost_seconds; /* ...and took so long in all */
} ReportSection;

typedef struct ReportOptions {
	const char *name;   /* of the log, for the title */
	const Graph *model; /* only this model; NULL: any */
	const char *graph;  /* only models whose name is this or whose digest begins so; NULL */
	const char *device; /* only devices with this in their name; NULL */
	const char *target; /* only targets with this in their line; NULL */
	const char *task;   /* only tasks whose digest begins so; NULL */
	size_t memory;      /* of `model`, as tune was told */
} ReportOptions;

typedef struct Report {
	const char *name;
	VEC(ReportSection) section;
	int64_t rows; /* of the log, with what was not selected */
} Report;

/* Errors: of the log; ERR_INPUT when nothing is selected, listing what there is, or too much. */
int report_build(Log *l, Arena *a, const ReportOptions *opt, Report *out, Err *e);

/* One page that needs nothing else. */
void report_html(const Report *r, Str *out);

typedef struct ReportTerminal {
	int width;  /* columns, at least 80 */
	bool color; /* escape sequences */
} ReportTerminal;

void report_terminal(const Report *r, const ReportTerminal *t, Str *out);

#endif
