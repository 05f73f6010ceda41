/* What `hone tune` shows: lines while it runs, a table or JSON at the end. */
#ifndef CLI_TUNE_VIEW_H
#define CLI_TUNE_VIEW_H

#include "tuner/tune.h"

typedef struct TuneView {
	bool live;             /* stderr is a terminal: lines are rewritten in place */
	int lines;             /* live lines on the screen */
	int trials;            /* per Task, for the time left */
	uint64_t began, shown; /* clock_ns */
} TuneView;

void tune_view_init(TuneView *v, int trials);
void tune_view_event(TuneView *v, const TuneEvent *ev); /* to stderr */
void tune_view_end(TuneView *v);                        /* live lines go */

void tune_table(const TuneReport *r); /* to stdout */
void tune_stats(const TuneReport *r); /* where the time went */
void tune_json(const TuneReport *r);  /* to stdout */

#endif
