/* Tuner: what the parts of the spine share while it runs. */
#ifndef TUNER_TUNER_H
#define TUNER_TUNER_H

#include "tuner/builders.h"

/* One of the Plans whose Tasks are measured. */
typedef struct TunerPlan {
	const char *name; /* for people */
	const char *text;
	Plan *plan;
	int *row; /* per PlanTask: its number in the report */
} TunerPlan;

/* A decided Task, by its race. */
typedef struct TunerPair {
	RacePair pair;
	const TuneTask *row;
} TunerPair;

typedef struct Tuner {
	const TuneOptions *opt;
	TuneReport *report;
	const Graph *graph;
	Arena *arena; /* of the run */
	const Effort *effort;
	VEC(TunerPlan) plans; /* the first is that of the analytic model, or was chosen before */
	Plan *plan;           /* of the sums: the first until another is chosen */
	const char *choice;   /* under which the log keeps which was chosen */
	Boards *boards;
	Builders *builders; /* NULL: parcels are compiled in the tuner's thread */
	Target target;
	int threads;
	const char *runner;
	Emit *emit;
	Log *log;
	LogKey key; /* without task and form */
	const char *session;
	WarmLog *warm;  /* NULL: not wanted */
	Work *work;     /* per Task of the plan, dearest first */
	double round_s; /* of searches, mean of those that are back */
	int nwork, races;
	int missing;          /* Works that the log does not decide and that may not be measured */
	uint64_t began, ends; /* clock_ns; ends 0: no limit */
	VEC(TunerPair) pair;  /* per decided Task */
} Tuner;

/* --- setup.c: everything before the first proposal, a stage of the spine each --- */

void tuner_init(Tuner *t, const Graph *g, const TuneOptions *opt, TuneReport *report);
int tuner_device(Tuner *t, Err *e); /* connects to all boards; Target, back end */
int tuner_log(Tuner *t, Err *e);    /* opens the log; key columns */
int tuner_works(Tuner *t, Err *e);  /* a Work per Task */
void tuner_fini(Tuner *t);

/* --- plans.c --- */

/* Graph -> Plans for the Target, and the first into the log: what an earlier run chose, or the
 * analytic model. Errors: of the log, ERR_INTERNAL. */
int tuner_plan(Tuner *t, Err *e);

/* After the search, where there are several Plans: the one whose Tasks take the least time becomes
 * that of the report and of the log. Errors: of the log. */
int tuner_choose(Tuner *t, Err *e);

/* --- begin.c --- */

/* The boards begin; several with a canary, which is the choice without a log for one of the Tasks.
 */
int tuner_begin(Tuner *t, Err *e);

/* Whether every candidate is dumped when it is lowered, hence in the tuner's thread. */
bool tuner_shows_candidates(const Tuner *t);

/* --- turn.c --- */

/* The Work that should send next: a race that is due, else the round that is expected to save most
 * for the time it takes. NULL: none can before something came back. */
Work *tuner_next(Tuner *t);

/* No new candidates: what is left of the time limit is for races. */
bool turn_search_over(const Tuner *t);

/* Works that may still have a race. */
int turn_unraced(const Tuner *t);

/* A round of w is back. */
void turn_round_ended(Tuner *t, Work *w);

/* --- send.c --- */

/* Whether time is over or the caller wants to stop. */
bool tuner_stopped(Tuner *t);

/* Sends the next round or the race of w, or finishes it. A Task that fails is marked and is no
 * error. */
int tuner_send(Tuner *t, Work *w, Err *e);

/* --- receive.c --- */

/* Takes a complete parcel: records it, lets its Work learn or decides its race, frees it. */
int tuner_settle(Tuner *t, Parcel *p, Err *e);

/* Waits a while for what the boards have to say: settles a parcel, fails a Work whose parcel was
 * refused, passes texts on. Errors: when no board is left; of the log. */
int tuner_receive(Tuner *t, Err *e);

/* Stops what is in flight and keeps what it measured, if the boards are there to say so. */
int tuner_halt(Tuner *t, Err *e);

/* --- record.c --- */

/* The full calibration of a board, once a run, before its first batch: into the log, under the name
 * of the session that every row carries, and with it which board that is. Errors: of the log. */
int tuner_calibration(Tuner *t, int board, const Calibration *c, Err *e);

/* A text into the log; waits while the disk is full. */
int tuner_add_text(Tuner *t, const char *kind, const char *digest, const char *text, Err *e);

/* Rows of a parcel into the log, in one transaction; waits while the disk is full. race: its
 * number, or 0. */
int tuner_record(Tuner *t, Work *w, const Parcel *p, int race, Err *e);

/* --- stats.c --- */

/* Seconds since `began`, which become part of *cost. */
void stats_add(double *cost, uint64_t began);
/* What a parcel that is back took. */
void stats_parcel(Tuner *t, const Parcel *p);
/* The sums of the run into the log, under its session. Errors: of the log. */
int stats_record(Tuner *t, Err *e);

/* --- report.c --- */

void tuner_event(Tuner *t, TuneEventKind kind, const Work *w, const char *text);
void tuner_dump(Tuner *t, TuneDump what, const char *text);
void tuner_state(Tuner *t, Work *w, TaskState state);
/* Gives w up; closes it. */
void tuner_fail(Tuner *t, Work *w, const char *why);
/* Winner, times, ratio: of the race in w->racer, or where there is none the fastest that was
 * measured; closes w. */
void tuner_decide(Tuner *t, Work *w);
/* The same, and keeps the verdict. Errors: of the log. */
int tuner_conclude(Tuner *t, Work *w, Err *e);
/* w would have to be measured, which the caller forbids; closes w. tuner_missed: ERR_CHECK with the
 * list of them; OK when there are none. */
void tuner_missing(Tuner *t, Work *w);
int tuner_missed(Tuner *t, Err *e);
void tuner_sums(Tuner *t);

#endif
