/* The manifest of a bundle: JSON, and back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "deploy/bundle.h"

enum { MANIFEST_VERSION = 1, TENSORS_MAX = 4096, THREADS_MAX = 64 };

/* Kernel fields that are texts, and those that are numbers: manifest and struct alike. */
#define KERNEL_TEXTS(X)   X(name) X(ops) X(task) X(form) X(algorithm) X(sched) X(grade) X(note)
#define KERNEL_NUMBERS(X) X(uses) X(expected_ns) X(flops) X(bytes)
#define BUNDLE_SIZES(X)      \
	X(weights_bytes)     \
	X(mutable_bytes)     \
	X(activations_bytes) \
	X(activations_bound) \
	X(object_bytes)

static void
put_tensors(Json *top, const char *key, const BundleTensor *t, int n)
{
	Json *list = json_array(top, key);

	for (int i = 0; i < n; i++) {
		Json *one = json_object(list, NULL), *shape;

		json_text(one, "name", t[i].name);
		json_text(one, "type", dtype_name(t[i].type));
		shape = json_array(one, "shape");
		for (int d = 0; d < t[i].rank; d++)
			json_number(shape, NULL, (double)t[i].dim[d]);
		json_number(one, "offset", (double)t[i].offset);
		json_number(one, "bytes", (double)t[i].bytes);
	}
}

static void
put_kernels(Json *top, const Bundle *b)
{
	Json *list = json_array(top, "kernels");

	for (int i = 0; i < b->nkernel; i++) {
		Json *one = json_object(list, NULL);

#define X(field) json_text(one, #field, b->kernel[i].field);
		KERNEL_TEXTS(X)
#undef X
#define X(field) json_number(one, #field, b->kernel[i].field);
		KERNEL_NUMBERS(X)
#undef X
	}
}

void
bundle_manifest(const Bundle *b, Str *out)
{
	Json *top = json_object(NULL, NULL);
	char hash[24];

	snprintf(hash, sizeof hash, "%016" PRIx64, b->weights_hash);
	json_number(top, "bundle", MANIFEST_VERSION);
	json_text(top, "name", b->name);
	json_text(top, "target", b->target);
	json_text(top, "graph", b->graph);
	json_text(top, "plan", b->plan);
	json_text(top, "hone", b->version);
	json_text(top, "generator", b->generator);
	json_text(top, "weights_hash", hash);
	json_number(top, "threads", b->threads);
#define X(field) json_number(top, #field, (double)b->field);
	BUNDLE_SIZES(X)
#undef X
	put_tensors(top, "inputs", b->input, b->ninput);
	put_tensors(top, "outputs", b->output, b->noutput);
	put_kernels(top, b);
	json_print(top, out);
	json_free(top);
}

/* A whole number from 0 to 2^48. */
static int
get_size(const Json *j, const char *key, size_t *out, Err *e)
{
	double v = json_get_number(j, key, -1);

	if (!(v >= 0 && v <= 281474976710656.0) || v != (double)(size_t)v)
		return err_set(e, ERR_INPUT, "field '%s' is not a size", key);
	*out = (size_t)v;
	return OK;
}

static int
get_text(const Json *j, const char *key, Arena *a, const char **out, Err *e)
{
	const char *text = json_get_text(j, key, NULL);

	if (!text)
		return err_set(e, ERR_INPUT, "field '%s' is no text", key);
	*out = arena_strdup(a, text);
	return OK;
}

static int
get_shape(const Json *j, BundleTensor *t, Err *e)
{
	const Json *shape = json_get(j, "shape");
	double count = 1;

	t->rank = json_count(shape);
	if (t->rank > KERNEL_RANK_MAX)
		return err_set(e, ERR_INPUT, "field 'shape' has %d extents", t->rank);
	for (int d = 0; d < t->rank; d++) {
		double v;

		if (!json_is_number(json_at(shape, d), &v) || !(v >= 0 && v <= INT32_MAX))
			return err_set(e, ERR_INPUT, "field 'shape' is not extents");
		t->dim[d] = (int64_t)v;
		count *= v;
	}
	if (count * (double)dtype_size(t->type) != (double)t->bytes)
		return err_set(e, ERR_INPUT, "field 'bytes' is %zu, the shape says %.0f", t->bytes,
			       count * (double)dtype_size(t->type));
	return OK;
}

static int
get_tensor(const Json *j, size_t region, Arena *a, BundleTensor *t, Err *e)
{
	int rc;

	if ((rc = get_text(j, "name", a, &t->name, e)) ||
	    (rc = get_size(j, "offset", &t->offset, e)) ||
	    (rc = get_size(j, "bytes", &t->bytes, e)))
		return rc;
	if (!dtype_parse(json_get_text(j, "type", ""), &t->type))
		return err_set(e, ERR_INPUT, "field 'type' is no element type");
	if (t->offset > region || t->bytes > region - t->offset)
		return err_set(e, ERR_INPUT, "'%s' lies outside the mutable region", t->name);
	return get_shape(j, t, e);
}

static int
get_tensors(const Json *top, const char *key, size_t region, Arena *a, BundleTensor **out, int *n,
	    Err *e)
{
	const Json *list = json_get(top, key);
	int rc = OK;

	*n = json_count(list);
	if (*n > TENSORS_MAX)
		return err_set(e, ERR_INPUT, "field '%s' has %d elements", key, *n);
	*out = ARENA_ARRAY(a, BundleTensor, *n + 1);
	for (int i = 0; i < *n && !rc; i++)
		if ((rc = get_tensor(json_at(list, i), region, a, &(*out)[i], e)))
			err_prefix(e, "%s %d: ", key, i);
	return rc;
}

static void
get_kernels(const Json *top, Arena *a, Bundle *b)
{
	const Json *list = json_get(top, "kernels");

	b->nkernel = json_count(list);
	b->kernel = ARENA_ARRAY(a, BundleKernel, b->nkernel + 1);
	for (int i = 0; i < b->nkernel; i++) {
		const Json *one = json_at(list, i);
		double uses = json_get_number(one, "uses", 0);

#define X(field) b->kernel[i].field = arena_strdup(a, json_get_text(one, #field, ""));
		KERNEL_TEXTS(X)
#undef X
		b->kernel[i].uses = uses >= 0 && uses <= INT32_MAX ? (int)uses : 0;
		b->kernel[i].expected_ns = json_get_number(one, "expected_ns", 0);
		b->kernel[i].flops = json_get_number(one, "flops", 0);
		b->kernel[i].bytes = json_get_number(one, "bytes", 0);
	}
}

static int
get_bundle(const Json *top, Arena *a, Bundle *b, Err *e)
{
	char *end;
	double threads;
	const char *hash = json_get_text(top, "weights_hash", "");
	int rc;

	if (json_get_number(top, "bundle", 0) != MANIFEST_VERSION)
		return err_set(e, ERR_INPUT, "not the manifest of a bundle, or of another version");
	if ((rc = get_text(top, "name", a, &b->name, e)) ||
	    (rc = get_text(top, "target", a, &b->target, e)) ||
	    (rc = get_text(top, "graph", a, &b->graph, e)) ||
	    (rc = get_text(top, "plan", a, &b->plan, e)) ||
	    (rc = get_text(top, "hone", a, &b->version, e)) ||
	    (rc = get_text(top, "generator", a, &b->generator, e)))
		return rc;
	if (strcmp(b->name, bundle_identifier(a, b->name)) != 0)
		return err_set(e, ERR_INPUT, "field 'name' is no identifier");
	threads = json_get_number(top, "threads", 1); /* older ones are for one */
	if (!(threads >= 1 && threads <= THREADS_MAX) || threads != (int)threads)
		return err_set(e, ERR_INPUT, "field 'threads' is not 1 to %d", THREADS_MAX);
	b->threads = (int)threads;
	b->weights_hash = strtoull(hash, &end, 16);
	if (strlen(hash) != 16 || *end)
		return err_set(e, ERR_INPUT, "field 'weights_hash' is not 16 hex digits");
#define X(field)                                        \
	if ((rc = get_size(top, #field, &b->field, e))) \
		return rc;
	BUNDLE_SIZES(X)
#undef X
	if ((b->weights_bytes | b->mutable_bytes | b->activations_bytes) % BUNDLE_ALIGN)
		return err_set(e, ERR_INPUT, "the size of a region is not a multiple of %d",
			       BUNDLE_ALIGN);
	if ((rc = get_tensors(top, "inputs", b->mutable_bytes, a, &b->input, &b->ninput, e)) ||
	    (rc = get_tensors(top, "outputs", b->mutable_bytes, a, &b->output, &b->noutput, e)))
		return rc;
	get_kernels(top, a, b);
	return OK;
}

int
bundle_parse(const char *text, Arena *a, Bundle *out, Err *e)
{
	Json *top;
	int rc;

	*out = (Bundle){0};
	if ((rc = json_parse(text, &top, e)))
		return rc;
	rc = get_bundle(top, a, out, e);
	json_free(top);
	return rc;
}
