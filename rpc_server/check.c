/* Comparison of outputs with expectations, element by element as doubles. */
#include "rpc_server/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* |a - b| / tolerance, with a tolerance of 0 meaning equality; infinite where only an exact kind of
 * value (NaN, infinity) would do. */
static double
error_of(double a, double b, double tolerance)
{
	double d = fabs(a - b);

	if (isnan(b))
		return isnan(a) ? 0 : INFINITY;
	if (isnan(a))
		return INFINITY;
	if (isinf(a) || isinf(b))
		return a == b ? 0 : INFINITY;
	if (d == 0)
		return 0;
	return tolerance > 0 ? d / tolerance : INFINITY;
}

/* Judges one element; false when it is wrong. */
static bool
judge(Verdict *v, uint32_t buffer, uint64_t element, double got, double expected, double tolerance)
{
	double error = error_of(got, expected, tolerance);

	if (error > v->max_error)
		v->max_error = error;
	if (error <= 1)
		return true;
	v->right = false;
	snprintf(v->text, sizeof v->text,
		 "element %llu of buffer %u is %.9g, expected %.9g within %.3g",
		 (unsigned long long)element, buffer, isnan(got) ? (double)NAN : got, expected,
		 tolerance);
	return false;
}

static void
check_samples(const Job *j, uint32_t i, const uint8_t *const *data, Verdict *v)
{
	const Blob *blob = j->check[i];

	for (size_t at = 0; at < blob->size; at += sizeof(CheckRecord)) {
		CheckRecord r;
		DType type;

		memcpy(&r, blob->data + at, sizeof r);
		type = (DType)j->batch.buffers.v[r.buffer].type;
		if (!judge(v, r.buffer, r.element, dtype_get(type, data[r.buffer], r.element),
			   r.expected, r.tolerance))
			return;
	}
}

static void
check_dense(const Job *j, uint32_t i, const uint8_t *const *data, Verdict *v)
{
	const CheckSpec *c = &j->batch.checks.v[i];
	DType type = (DType)j->batch.buffers.v[c->buffer].type;
	const uint8_t *expected = j->check[i]->data;
	size_t size = dtype_size((DType)c->type);

	for (uint32_t k = 0; k < c->nests.n; k++)
		for (NestWalk w = nest_walk(&c->nests.v[k]); w.left; nest_next(&w)) {
			double got = dtype_get(type, data[c->buffer], (size_t)w.at), b;
			union {
				float f;
				double d;
			} x;

			memcpy(&x, expected, size);
			expected += size;
			b = c->type == DT_F32 ? (double)x.f : x.d;
			if (!judge(v, c->buffer, (uint64_t)w.at, got, b,
				   c->atol + c->rtol * fabs(b)))
				return;
		}
}

void
check_outputs(const Job *j, bool other, const uint8_t *const *data, Verdict *v)
{
	*v = (Verdict){.right = true};
	for (uint32_t i = 0; v->right && i < j->batch.checks.n; i++) {
		if (j->batch.checks.v[i].other != other)
			continue;
		if (j->batch.checks.v[i].kind == CHECK_SAMPLES)
			check_samples(j, i, data, v);
		else if (j->batch.checks.v[i].kind == CHECK_DENSE)
			check_dense(j, i, data, v);
	}
}

/* Rows that lie together are compared as a whole: this runs over all outputs of every candidate. */
static void
compare_nest(const CheckSpec *c, const Nest *n, DType type, const uint8_t *now,
	     const uint8_t *before, Verdict *v)
{
	size_t size = dtype_size(type);
	uint32_t last = n->rank - 1;
	int64_t row = n->rank && n->stride[last] == 1 ? n->count[last] : 1;
	Nest rows = *n;

	if (row != 1)
		rows.rank = last;
	for (NestWalk w = nest_walk(&rows); row && v->right && w.left; nest_next(&w)) {
		size_t at = (size_t)w.at, end = at + (size_t)row;

		if (!memcmp(now + at * size, before + at * size, (end - at) * size))
			continue;
		while (!memcmp(now + at * size, before + at * size, size))
			at++;
		v->right = false;
		snprintf(v->text, sizeof v->text,
			 "element %zu of buffer %u is not written, or differs between runs", at,
			 c->buffer);
	}
}

void
check_written(const Job *j, const uint8_t *const *now, const uint8_t *const *before, Verdict *v)
{
	*v = (Verdict){.right = true};
	for (uint32_t i = 0; v->right && i < j->batch.checks.n; i++) {
		const CheckSpec *c = &j->batch.checks.v[i];
		DType type = (DType)j->batch.buffers.v[c->buffer].type;

		for (uint32_t k = 0; c->kind == CHECK_WRITTEN && k < c->nests.n; k++)
			compare_nest(c, &c->nests.v[k], type, now[c->buffer], before[c->buffer], v);
	}
}
