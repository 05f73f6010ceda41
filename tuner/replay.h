/* Replay: runs a strategy over recorded rows as the tuner would run it over a device, in no time
 * and without one. The clock is simulated: what compiling and measuring each candidate took when it
 * was recorded, one after the other.
 *
 * A row that failed is reported as the tuner reports failures. A pick without a row is neither
 * reported nor charged, for nothing is known of it, and counted: a strategy loses nothing but its
 * proposal. A search with many of these says little.
 *
 * Same rows, strategy, trials and seed: same result.
 */
#ifndef TUNER_REPLAY_H
#define TUNER_REPLAY_H

#include "tuner/recorded.h"
#include "tuner/search.h"
#include "tuner/warm.h"

typedef struct ReplayTrial {
	double share;   /* of the best recorded speed that was reached so far */
	double seconds; /* charged so far */
} ReplayTrial;

typedef struct Replay {
	VEC(ReplayTrial) trial; /* in the order they were measured */
	int proposed;
	int infeasible; /* proposals that do not lower: no trials */
	int unrecorded; /* proposals without a row */
	double compile_s, measure_s;
} Replay;

/* The first trial is the choice that is made without a log; then come rounds as the tuner has them
 * (tuner/work.h) until there were opt->trials or the strategy has nothing left. out lives in a. */
void replay_run(Arena *a, const Recorded *r, const RecordedSpace *s, const Search *how,
		const SearchOptions *opt, Replay *out);

/* Adds to out what recorded rows say elsewhere of the Task of `own`: nothing where they are of that
 * Task, Form and Target, or of another kind of Task. space: of `other`. Lives in a. */
void replay_warm(Arena *a, const Recorded *own, const Recorded *other, const Space *space,
		 Warm *out);

/* Of the first `trials` trials, or of all when there were fewer; 0 without any. */
double replay_share(const Replay *r, int trials);

/* Trials until that share was reached; 0: it was not. */
int replay_trials(const Replay *r, double share);

#endif
