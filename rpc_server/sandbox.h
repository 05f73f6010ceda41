/* Sandbox: what a runner puts between itself and the machine before it runs foreign code. Layers
 * are taken on one by one, in four steps; one that this machine or this build does not have is
 * reported and left out. Runs in the runner only. */
#ifndef RPC_SERVER_SANDBOX_H
#define RPC_SERVER_SANDBOX_H

#include "wire/sandbox.h"

typedef enum SandboxStep {
	SANDBOX_KEEPER,  /* in the keeper, before it has a worker */
	SANDBOX_WORKER,  /* in the worker, before it is told anything */
	SANDBOX_LOADING, /* its memory is mapped, its threads run; before it reads the image */
	SANDBOX_LOADED,  /* before foreign code runs */
} SandboxStep;

/* What became of each layer; nothing else is known of a sandbox outside of its runner. */
typedef struct SandboxReport {
	uint64_t active;
	int32_t why[SANDBOX_LAYERS];    /* errno of a layer that is not active; 0: not asked for */
	int32_t detail[SANDBOX_LAYERS]; /* of one that is: Landlock's version */
} SandboxReport;

/* detail is set before SANDBOX_LOADING. */
typedef struct SandboxNeeds {
	uint64_t memory_bytes; /* of address space; 0: no bound */
	uint64_t cpu_s;        /* of all threads together */
	int threads;
} SandboxNeeds;

typedef struct Sandbox {
	uint64_t wanted;
	SandboxNeeds needs;
	SandboxReport report;
} Sandbox;

/* Takes on the wanted layers of that step. Steps are called once each, in order, by a process that
 * goes on in the next one (the worker with the keeper's Sandbox). */
void sandbox_enter(Sandbox *s, SandboxStep step);

/* sandbox_seccomp.c. The two filters; 0 or an errno. While a batch is loaded unexpected calls fail.
 * While kernels run they end the process with SIGSYS; `threads`: the calls that several threads
 * wait with are expected, and the filter is for all of them. socket: where replies go. */
int sandbox_filter_loading(void);
int sandbox_filter_compute(int socket, int threads);

#endif
