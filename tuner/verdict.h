/* Verdicts: what a search that ended has come to, kept in the log beside its rows, so that the same
 * search need not be gone through again to see that nothing is left to do.
 *
 * A verdict is of one Task, device and way of measuring, and of all that decides what a search
 * proposes: effort, trials, strategy, seed, prior, whether other Tasks' rows may help, and the
 * versions of the program and its compiler (work_name). It holds as long as the log has the rows
 * that it had. */
#ifndef TUNER_VERDICT_H
#define TUNER_VERDICT_H

#include "tuner/tuner.h"

/* Keeps the verdict of w, whose race is judged or which has none. Errors: of the log. */
int verdict_put(Tuner *t, const Work *w, Err *e);

/* Opens w by a verdict: its rows are read, its race is judged, its strategy is not started.
 * NOT_APPLICABLE when there is none or it does not hold: w is as before. Errors: of the log. */
int verdict_open(Tuner *t, Work *w, Err *e);

#endif
