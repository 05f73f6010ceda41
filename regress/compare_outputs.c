/* The model's outputs. Both sides compute on the same inputs, so they agree within what `hone
 * verify` allows; and each computes the same bits every time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/compare.h"
#include "regress/contest.h"

static const Tolerance tolerance = {1e-3, 1e-4};

static int
fetch(Compare *c, const Digest *d, size_t bytes, void **data, Err *e)
{
	size_t size;
	int rc = rpc_get_blob(c->device->client, d, data, &size, e);

	if (rc)
		return rc;
	if (size == bytes)
		return OK;
	free(*data);
	return err_set(e, ERR_DEVICE, "the device gives %zu bytes of %zu", size, bytes);
}

static int
compare_output(Compare *c, Contest *x, int i, Err *e)
{
	const BaselineTensor *t = &c->suite->as_model.out.v[i];
	size_t n = (size_t)t->bytes / dtype_size(t->type);
	void *old, *now;
	Comparison found;
	char text[REASON_MAX];
	int rc = fetch(c, &x->output[SIDE_OLD][i], (size_t)t->bytes, &old, e);

	if (rc)
		return rc;
	rc = fetch(c, &x->output[SIDE_NEW][i], (size_t)t->bytes, &now, e);
	if (rc) {
		free(old);
		return rc;
	}
	found = compare_tensors(t->type, now, old, n, tolerance);
	if (found.wrong) {
		snprintf(text, sizeof text,
			 "output %d: %zu of %zu elements differ from the baseline's, the worst is "
			 "%g instead of %g",
			 i, found.wrong, n, found.got, found.want);
		contest_end(c, x, REGRESS_WRONG, text);
	}
	free(old);
	free(now);
	return OK;
}

/* Whether this process gave what the first one gave; keeps what the first one gave. */
static bool
same_as_before(Contest *x, int side, const Process *p)
{
	size_t size = p->nfetched * sizeof *p->fetched;

	if (!x->fetched[side])
		memcpy(x->output[side], p->fetched, size);
	x->fetched[side] = true;
	return !memcmp(x->output[side], p->fetched, size);
}

int
compare_outputs(Compare *c, Contest *x, const Process p[SIDES], Err *e)
{
	bool first = !x->fetched[SIDE_NEW];
	int n = c->suite->as_model.out.n, rc = OK;

	if (p[SIDE_OLD].end != PROCESS_OK || p[SIDE_NEW].end != PROCESS_OK)
		return OK;
	if (!same_as_before(x, SIDE_OLD, &p[SIDE_OLD]) ||
	    !same_as_before(x, SIDE_NEW, &p[SIDE_NEW])) {
		contest_end(c, x, REGRESS_WRONG, "two runs on the same inputs differ");
		return OK;
	}
	n = n < PROCESS_OUTPUTS_MAX ? n : PROCESS_OUTPUTS_MAX;
	for (int i = 0; i < n && first && !rc && !x->over; i++)
		if (!digest_equal(&x->output[SIDE_OLD][i], &x->output[SIDE_NEW][i]))
			rc = compare_output(c, x, i, e);
	return rc;
}
