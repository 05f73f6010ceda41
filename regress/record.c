/* Makes a baseline. BaselineNumbers are kept with a tenth of a nanosecond, so that the text is
 * short. */
#include "regress/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "regress/process.h"

typedef struct Record {
	const RecordOptions *opt;
	Suite *suite;
	Arena *a;
	BaselineNumbers *time; /* per kernel of the suite, then of the model */
} Record;

static double
tenths(double ns)
{
	return fmax(0.1, round(ns * 10) / 10);
}

static int
measure_one(Record *r, const char *name, Parcel *p, BaselineNumbers *to, Err *e)
{
	Process x;
	int rc = process_run(r->opt->device, &p, 1, r->opt->stop, r->opt->self, &x, e);

	if (rc)
		return rc;
	if (x.end == PROCESS_LOST)
		return err_set(e, ERR_DEVICE, "'%s': %s", name, x.reason);
	if (x.end == PROCESS_WRONG || x.end == PROCESS_CRASH || x.end == PROCESS_REFUSED)
		return err_set(e, ERR_CHECK, "'%s' cannot be a baseline: %s", name, x.reason);
	if (x.end == PROCESS_OK)
		vec_push(r->a, to, tenths(x.ns));
	return OK;
}

static int
measure_all(Record *r, Err *e)
{
	const Suite *s = r->suite;
	char text[64];
	int n = r->opt->processes ? r->opt->processes : RECORD_PROCESSES;
	int rc = device_lease(r->opt->device, e);

	for (int i = 0; i < n && !rc; i++) {
		for (int k = 0; k < s->nkernel && !rc; k++)
			if (s->kernel[k].parcel)
				rc = measure_one(r, s->kernel[k].name, s->kernel[k].parcel,
						 &r->time[k], e);
		if (!rc)
			rc = measure_one(r, SUITE_MODEL, s->model, &r->time[s->nkernel], e);
		if (rc || !r->opt->progress)
			continue;
		snprintf(text, sizeof text, "round %d of %d measured", i + 1, n);
		r->opt->progress(r->opt->self, text);
	}
	return rc;
}

static void
put_model(Record *r, Baseline *out)
{
	const Suite *s = r->suite;
	const Blob *image = &s->model->blob.v[0]; /* suite_model_parcel puts it first */

	out->model = s->as_model;
	baseline_put(out, r->a, image->data, image->size);
	out->model.ns = r->time[s->nkernel];
	out->plan = baseline_put(out, r->a, s->plan, strlen(s->plan));
}

static void
put_kernels(Record *r, Baseline *out)
{
	for (int i = 0; i < r->suite->nkernel; i++) {
		BaselineKernel k;

		if (!r->suite->kernel[i].parcel)
			continue;
		k = suite_baseline_kernel(&r->suite->kernel[i], out, r->a);
		k.ns = r->time[i];
		vec_push(r->a, &out->kernel, k);
	}
	baseline_sort(out);
}

int
record_baseline(Suite *s, const RecordOptions *opt, Arena *a, Baseline *out, Err *e)
{
	Record r = {opt, s, a, ARENA_ARRAY(a, BaselineNumbers, s->nkernel + 1)};
	int rc = measure_all(&r, e);

	*out = (Baseline){.name = opt->name,
			  .graph = s->bundle.graph,
			  .hone = s->bundle.version,
			  .generator = s->bundle.generator,
			  .tolerance = tolerance_name(s->opt->tolerance),
			  .memory = (int64_t)s->opt->memory,
			  .board = *opt->board};
	if (rc)
		return rc;
	put_model(&r, out);
	put_kernels(&r, out);
	return OK;
}
