/* Job: a batch that was accepted: its data is consistent, and the blobs it names are held. */
#ifndef RPC_SERVER_JOB_H
#define RPC_SERVER_JOB_H

#include "rpc_server/blobs.h"
#include "wire/batch.h"

typedef struct Job {
	Batch batch;
	bool simulated; /* by a runner that runs nothing: no blob is held or needed */
	Blob *image;
	Blob *fill[BUFFERS_MAX];    /* per buffer, NULL unless filled from a blob */
	Blob *check[CHECKS_MAX];    /* per check, NULL for CHECK_WRITTEN */
	Blob *pool[CANDIDATES_MAX]; /* per candidate: pool or pack description; NULL: inline or none
				     */
} Job;

/* Checks one condition after the other; a kernel may be anything, but the batch around it must make
 * sense. Errors: ERR_INPUT, ERR_UNSUPPORTED, naming the field. */
int job_check(const Batch *b, Err *e);

/* Checks *b, takes it over (also on an error) and holds its blobs. NULL on an error: ERR_INPUT
 * names what is inconsistent or which blob is missing, ERR_NOMEM. */
Job *job_new(Batch *b, Blobs *blobs, Err *e);
void job_free(Job *j); /* NULL is fine */

/* In which a candidate must be prepared and run; and again, timed. */
uint32_t job_deadline_ms(const Job *j, uint32_t candidate);

/* Names what a candidate is, whatever batch it comes in: its object code, as the client names it,
 * its inputs and outputs, and how many compute. Without a name of the code, the image and the
 * symbols in it. */
Digest job_digest(const Job *j, uint32_t candidate);

#endif
