/* Executable: a bundle made ready to run in this process. */
#ifndef DEPLOY_EXECUTE_H
#define DEPLOY_EXECUTE_H

#include "deploy/bundle.h"

typedef struct Executable Executable;

/* Links the bundle's object and loads it into this process. b must outlive it. The bundle must be
 * for this machine; one for several threads gets them, the calling thread being one, which
 * stays on its processor until executable_close, from the same thread. Errors:
 * ERR_UNSUPPORTED when it is not, ERR_IO, ERR_INTERNAL (linker), ERR_NOMEM. */
int executable_open(const Bundle *b, Executable **out, Err *e);

/* Runs once. input[i], output[i]: row-major contents in the bundle's order, of its sizes. Errors:
 * ERR_INTERNAL when a kernel answers other than 0. */
int executable_run(Executable *x, const void *const *input, void *const *output, Err *e);

/* Runs once on the inputs of the run before; returns ns, or 0 with the error. */
double executable_time(Executable *x, Err *e);

/* What the last run left among the activations: for bundle_layer. */
const void *executable_activations(const Executable *x);

void executable_close(Executable *x); /* NULL is fine */

#endif
