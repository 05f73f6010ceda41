/* Learn: a ranking model from what tuning logs hold. */
#ifndef TUNER_LEARN_H
#define TUNER_LEARN_H

#include "db/log.h"
#include "search_space/features.h"
#include "search_space/trees.h"
#include "tuner/recorded.h"

/* Measured picks as rows, by Task. */
typedef struct Lesson {
	Arena *arena; /* everything below, and the model */
	VEC(float) x; /* FEATURES a row */
	VEC(double) ns;
	VEC(double) y; /* -log2 of how many times slower than the Task's best */
	VEC(int) task; /* ascending */
	int tasks;
	int64_t foreign; /* rows of other targets, and those that the Space does not offer */
} Lesson;

/* How well times are ranked: of pairs of one Task that differ by more than 2 %, the part that is in
 * the right order, and how fast the pick ranked first is, as a part of the fastest; mean over
 * Tasks.
 */
typedef struct LessonScore {
	int tasks;
	double pairs_analytic, pairs_trees;
	double first_analytic, first_trees;
} LessonScore;

void lesson_init(Lesson *l);
void lesson_fini(Lesson *l);

/* Adds what was measured alone on this target, by any number of threads. Errors: of the log. */
int lesson_read(Lesson *l, Log *log, const Target *t, Err *e);

/* Adds recorded rows, as one Task. */
void lesson_add(Lesson *l, const Recorded *r, const RecordedSpace *s);

/* The model of all rows: what it adds to the analytic model's answer. */
Trees lesson_train(Lesson *l);

/* The model of all rows but those of one Task; lives in a. */
Trees lesson_train_without(const Lesson *l, Arena *a, int task);

/* The score of Tasks in models that were trained without them: the Tasks are dealt to ten models.
 */
LessonScore lesson_score(const Lesson *l);

#endif
