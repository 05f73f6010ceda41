/* Recorded: what candidates of one Task took on one device, as rows that a search can be replayed
 * over without that device. Made by bench/record.c, read by tuner/replay.c.
 *
 * A row is named by the text of its Sched, so that a set outlives the rules that offered its rows:
 * recorded_space offers of today's Space what has rows, and a row that no rule offers any more is
 * never asked for. docs/text_forms.md has the grammar.
 */
#ifndef TUNER_RECORDED_H
#define TUNER_RECORDED_H

#include "search_space/space.h"
#include "wire/status.h"

typedef struct RecordedRow {
	const char *sched;
	Status status;
	double us;                     /* least of its samples; 0 unless the status is OK */
	double compile_ms, measure_ms; /* spent on it; 0: not measured */
} RecordedRow;

typedef struct Recorded {
	const char *name, *device;
	Target target;
	Task *task;
	TaskForm form;
	VEC(RecordedRow) row;
	int *slot; /* a hash table over row, numbers from 1; 0: free */
	int nslot; /* a power of two */
} Recorded;

/* Whether a text, or its first RECORDED_BEGIN bytes, say that it is a recorded set. */
enum { RECORDED_BEGIN = 12 };
bool recorded_begins(const char *text);

/* Everything lives in a. Errors: ERR_INPUT with the line: what is no set, a Sched that has two
 * rows. */
int recorded_parse(const char *text, Arena *a, Recorded *out, Err *e);
void recorded_print(const Recorded *r, Str *out); /* reads back */

/* Adds a row; its text outlives r. False when the schedule has one. */
bool recorded_add(Recorded *r, Arena *a, RecordedRow row);

const RecordedRow *recorded_find(const Recorded *r, const char *sched); /* NULL: no row */

typedef struct RecordedSpace {
	Space space;
	int offered, ok;    /* rows that the Space offers; those of them that ran */
	double best_us;     /* of these; INFINITY when there is none */
	double all, pruned; /* picks of the Task's whole Space; of this one */
} RecordedSpace;

/* The Task's Space without the options and variants that no row has. What is left of a variant of
 * several stages may still hold picks without a row. Errors: of space_build; ERR_INPUT when nothing
 * is left. */
int recorded_space(Arena *a, const Recorded *r, RecordedSpace *out, Err *e);

#endif
