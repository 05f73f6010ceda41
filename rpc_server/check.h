/* Are the outputs right? Pure functions on memory; they run in the agent, never in the runner. */
#ifndef RPC_SERVER_CHECK_H
#define RPC_SERVER_CHECK_H

#include "rpc_server/job.h"

typedef struct Verdict {
	bool right;
	double max_error; /* largest |a - b| / tolerance; 1 and below is right */
	char text[REASON_MAX + 1];
} Verdict;

/* Compares outputs with the expectations of the job's SAMPLES and DENSE checks for the first
 * contents of the inputs, or for the other ones. data[i] is the content of buffer i. Stops counting
 * at the first wrong element of a check. */
void check_outputs(const Job *j, bool other, const uint8_t *const *data, Verdict *v);

/* WRITTEN checks: now and before are the contents after two runs over different poisons. An element
 * that differs was not written, or is not the same in every run. */
void check_written(const Job *j, const uint8_t *const *now, const uint8_t *const *before,
		   Verdict *v);

#endif
