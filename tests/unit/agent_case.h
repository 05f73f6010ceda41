/* One small problem for tests that talk to a real agent: y[i] = x[i] * 2 w[i % CASE_W] over CASE_N
 * elements. w is a constant, "twice" a prepare entry that doubles it, the pool is packed from the
 * doubled values. Kernels come from C compiled when the test runs. */
#ifndef TESTS_UNIT_AGENT_CASE_H
#define TESTS_UNIT_AGENT_CASE_H

#include "rpc_client/client.h"

enum { CASE_N = 1000, CASE_W = 16, CASE_RECORDS = 4096 };
enum { CASE_X, CASE_CONST, CASE_Y }; /* buffers */

#define AGENT HONE_BIN "/rpc_server"

/* For case_init: a kernel that never returns. */
#define CASE_ENDLESS "KERNEL(endless) { for (volatile int i = 0;; i++) ; return 0; }\n"

typedef struct AgentCase {
	Batch batch; /* everything it points to is in here */
	BufferSpec buffer[3];
	CheckSpec check[3];
	CheckRecord record[CASE_RECORDS]; /* every element, some of them again */
	CheckRecord other[CASE_N];        /* for the second contents of x */
	Nest all;                         /* of y */
	Candidate candidate[CANDIDATES_MAX];
	char *twice[1];
	uint64_t derived[1];
	uint8_t pack[256];
	float y[CASE_N]; /* what is right */
} AgentCase;

typedef struct Outcomes {
	Result result[CANDIDATES_MAX]; /* by index of the candidate; batch 0: none came */
	BatchDone done;
} Outcomes;

/* Kernel "good" and "twice"; `more` is appended. A kernel's head is KERNEL(name); X, W, Y are its
 * buffers, N and NW their elements, and scratch its scratch. */
void case_image(const char *more, void **image, size_t *size);

/* A batch without candidates, and its blobs uploaded to c. */
void case_init(AgentCase *a, RpcClient *c, const char *more);

/* Appends a candidate of id index + 1 whose only phase is that symbol, which lives as long as a. */
Candidate *case_add(AgentCase *a, char **symbol);

/* Submits the batch and waits until it is done. The test fails if anything but one result per
 * candidate and the end arrives. */
void case_run(AgentCase *a, RpcClient *c, Outcomes *o);
void case_collect(const AgentCase *a, RpcClient *c, Outcomes *o); /* submitted already */
void outcomes_fini(Outcomes *o);

/* Fails the test unless candidate i has that status and its reason contains text. */
void case_expect(const Outcomes *o, uint32_t i, Status status, const char *text);

/* Fails the test unless a candidate is measured. */
void case_works(RpcClient *c);

RpcClient *case_agent(void); /* a private agent, or the test fails */

#endif
