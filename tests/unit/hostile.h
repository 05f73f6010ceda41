/* Kernels written to do harm, and what each deserves. */
#ifndef TESTS_UNIT_HOSTILE_H
#define TESTS_UNIT_HOSTILE_H

#include "base/str.h"
#include "tests/unit/agent_case.h"

enum { HOSTILE_DEADLINE_MS = 300, HOSTILE_SCRATCH = 4096 };

/* Each does something, then computes what is right. `filtered`: its row where the last filter of
 * system calls is active, with a part of its reason; `open`: the rows it may get where it is not, a
 * bit per Status, with the same reason if only `filtered` is among them. */
typedef struct Hostile {
	const char *name, *body, *reason;
	Status filtered;
	uint32_t open;
} Hostile;

extern const Hostile hostile[];
extern const uint32_t hostiles;

void hostile_source(Str *s);                      /* to append to an image */
Candidate *hostile_add(AgentCase *a, uint32_t i); /* with scratch and a short deadline */
void hostile_expect(const Outcomes *o, uint32_t at, uint32_t i); /* candidate `at` is hostile[i] */

#endif
