/* Work: one Task on its way through the search, from its Space to a winner.
 *
 * A Work proposes rounds of candidates (texts of Scheds), learns their results, and when its trials
 * are used up names the finalists of a race. What the log knows already is an answer like any
 * other, so an interrupted search repeats its proposals and goes on where nothing is known.
 */
#ifndef TUNER_WORK_H
#define TUNER_WORK_H

#include "codegen/lowered.h"
#include "db/log.h"
#include "tuner/parcel.h"
#include "tuner/race.h"
#include "tuner/search.h"
#include "tuner/tune.h"
#include "tuner/warm_log.h"

enum { ROUND_MAX = 16, PROPOSED_PER_TRIAL = 4, PROPOSED_MORE = 16 };

/* Stages a row can be of, besides those that a strategy names. */
#define STAGE_UNTUNED "untuned"
#define STAGE_RACE    "race"

/* One Sched of the Task and what is known of it. */
typedef struct Trial {
	const char *text, *stage, *algorithm, *code;
	Pick pick; /* when a strategy proposed it */
	double expected_ns;
	bool counted; /* among Work.counted */
	bool known;
	Status status;
	double best_ns; /* OK only */
	double peak;    /* as in Racer */
} Trial;

typedef struct Racer {
	const char *text, *algorithm;
	RaceEntry entry; /* n 0: failed */
	double peak;     /* GFLOPS, calibrated around it; 0: not known */
} Racer;

typedef struct Work {
	Arena *arena; /* everything below; NULL before work_open and after work_close */
	const PlanTask *task;
	TuneTask *row;
	LogKey key;
	const Search *search;
	const Effort *effort;
	ToleranceClass tolerance;
	uint64_t seed;
	const Trees *prior;
	const char *prior_name; /* digest of its text; "": none */
	WarmLog *warm;          /* NULL: the search begins from the cost model alone */
	int trials;             /* to be measured in all */
	bool other;             /* of another Plan than the first */

	int rows;           /* of its key in the log */
	int untuned;        /* trial: what compile takes without a log */
	int spills;         /* of its code; what has more is not measured */
	int64_t operations; /* likewise, and what has more is not even compiled */
	Space space;
	void *state;      /* of the strategy */
	Problem *problem; /* NULL: not needed yet */
	VEC(Trial) trial;
	int used;                     /* trials the device has measured, in earlier runs too */
	int counted;                  /* those of them that this search has come to */
	int proposed;                 /* by the strategy, with those that do not lower */
	int round[ROUND_MAX], nround; /* proposals of the strategy without a report */
	double rough_ns;              /* of all uses at the machine's limits; from the start */
	double mark_ns;               /* the best when it last was better by SEARCH_GAIN */
	int marked;                   /* counted, then */
	double gained;                /* part of the best that the last round took off */
	uint64_t sent;                /* clock_ns, of the last parcel */
	double round_s;               /* its last round took; 0: none is back */
	bool in_flight;

	ObjectCache object; /* of what was compiled */
	VEC(Racer) racer;   /* of the newest race */
	int winner;         /* racer; -1: none ran */
	bool fresh;         /* something was measured in this run */
} Work;

/* What decides which candidates are proposed, the Task included, as a digest. Lives in a. */
const char *work_name(const Work *w, const Emit *emit, Arena *a);

/* Reads what the log knows of the Task. emit and key's texts must outlive w. Errors: of the log,
 * ERR_INTERNAL when no Sched lowers at all. */
int work_open(Work *w, Log *log, Emit *emit, Err *e);

/* Reads the rows of w's key into its arena: trials and the newest race. Errors: of the log. */
int work_read(Work *w, Log *log, Err *e);
void work_close(Work *w);

/* The next texts to measure, in trials of w: their numbers in at[]. 0: the search is over: its
 * trials are used up, the best is at the roofline, or many trials in a row have gained next to
 * nothing. */
int work_propose(Work *w, int at[ROUND_MAX]);

/* Whether the search is over, as far as can be told without asking the strategy. */
bool work_over(const Work *w);

/* Tells the strategy what became of its round, when all of it is known. */
void work_learn(Work *w);

/* How many proposals the next round has, of a search for so many trials that has proposed and
 * counted so many, the untuned one included: few enough to learn between rounds, enough to share a
 * run of the linker. What was measured in an earlier run plays no part, so that a search can be
 * repeated. 0: the search is over. */
int work_round(int trials, int proposed, int counted);

/* Whether a candidate that came to this end was a trial: those that do not lower cost no
 * measurement. */
bool work_counts(Status s);

/* Trial of this text, or -1. */
int work_find(const Work *w, const char *text);

/* Finalists: untuned, then the best of the search, fastest first. Numbers in trials. */
int work_finalists(const Work *w, int at[FINALISTS_MAX + 1]);

/* Whether all of these were in the newest race. */
bool work_race_known(const Work *w, const int *at, int n);

/* The racer of that text against the untuned one; all 0 when one of them has no samples. */
RaceRatio work_ratio(const Work *w, const char *text);

/* Sets winner by the newest race: the untuned racer unless another is faster beyond doubt. */
void work_judge(Work *w);

/* What surrounds candidates on the device; made when first needed. */
int work_problem(Work *w, Err *e);

#endif
