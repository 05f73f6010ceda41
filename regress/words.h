/* Phrases that outputs share, so that all say the same. Texts that come from models and devices are
 * made valid UTF-8 on one line here; each output escapes them in its own way. Everything returned
 * is in the arena. */
#ifndef REGRESS_WORDS_H
#define REGRESS_WORDS_H

#include "base/str.h"
#include "regress/outputs.h"

/* Valid UTF-8 without control characters. */
const char *words_clean(Arena *a, const char *text);

const char *words_ratio(Arena *a,
			const RegressEstimate *e); /* "1.052", "29.32"; "-" without pairs */
const char *words_interval(Arena *a, const RegressEstimate *e); /* "1.041 to 1.063"; "-" */
const char *words_sees(Arena *a, const RegressEstimate *e);     /* "2.1 %"; "-" */
const char *words_ns(Arena *a, double ns);                      /* "12.3 us"; "-" */
const char *words_time(Arena *a, int64_t seconds); /* "2026-01-31T12:00:00Z", ISO 8601 */

/* "1 REGRESSED, 39 OK", the worst first; "nothing" when empty. */
const char *words_counts(Arena *a, const RegressResult *r);
/* "a regression, confirmed": what the exit status says. */
const char *words_answer(const RegressResult *r);
/* "conv1: 1.052 times the baseline ..., and 1.049 times when it was repeated" or what the verdict
 * means where there is no reason. */
const char *words_why(Arena *a, const RegressKernel *k);
/* "mobilenet_v2 on rpi4 (Cortex-A72)" */
const char *words_what(Arena *a, const RegressResult *r);

/* Calls see for every warning about the whole result: void sessions, pairs that were dropped, what
 * the board cannot see. */
void words_warnings(Arena *a, const RegressResult *r, void (*see)(void *self, const char *text),
		    void *self);

#endif
