/* Plans: other ways to group the nodes and to lay out the values than the analytic model's choice.
 * A greater effort measures the Tasks of several Plans, and the one whose measured times add up to
 * the least, conversions included, is the one that the log gives to `hone compile`, and that later
 * runs of any effort begin with.
 *
 * The log keeps its text as LOG_TEXT_CHOICE. The name of that is a digest of what the choice
 * depends on: the graph, the device and how it measures, this version, what the analytic model
 * says. */
#ifndef TUNER_PLANS_H
#define TUNER_PLANS_H

#include "tuner/tuner.h"

/* A Task of some Plan, once for all Plans that have an equal one under equal Forms. */
typedef struct PlansTask {
	int plan, task;
} PlansTask;

/* Fills TunerPlan.row of all Plans; *out has *n Tasks, in t->arena, those of the first Plan first.
 */
void plans_merge(Tuner *t, PlansTask **out, int *n);

#endif
