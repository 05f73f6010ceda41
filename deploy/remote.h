/* A bundle on a device: the whole model is one candidate of a batch, its weights the pool. */
#ifndef DEPLOY_REMOTE_H
#define DEPLOY_REMOTE_H

#include "deploy/bundle.h"
#include "rpc_client/client.h"

typedef struct RemoteTimes {
	double *ns; /* of single runs, in a */
	int n;
} RemoteTimes;

/* Runs b on the device of c and fetches outputs: output[i] of the bundle's sizes, activations of
 * its size when b->keep, else NULL. runs > 0: times that many runs after a warm-up as well; times
 * may be NULL when 0. Weights stay where they are between runs. Nothing else may be under way on c.
 * Errors: ERR_BUSY (the lease went meanwhile), ERR_UNSUPPORTED (more tensors than a batch takes, or
 * of no elements), ERR_DEVICE, ERR_CHECK when the model crashed, hung or failed there (its status
 * and reason), linker errors. */
int remote_run(RpcClient *c, const Bundle *b, const void *const *input, void *const *output,
	       void *activations, int runs, Arena *a, RemoteTimes *times, Err *e);

#endif
