/* Baselines as values and as text; the parser is baseline_parse.c. */
#include "regress/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "regress/baseline_fields.h"

const Field baseline_fields[] = {
	{"name", FIELD_text, offsetof(Baseline, name)},
	{"graph", FIELD_text, offsetof(Baseline, graph)},
	{"hone", FIELD_text, offsetof(Baseline, hone)},
	{"generator", FIELD_text, offsetof(Baseline, generator)},
	{"tolerance", FIELD_text, offsetof(Baseline, tolerance)},
	{"memory", FIELD_integer, offsetof(Baseline, memory)},
	{"plan", FIELD_digest, offsetof(Baseline, plan)},
	{0},
};

#define FIELD_OF_s FIELD_text
#define FIELD_OF_i FIELD_integer
const Field board_fields[] = {
#define X(type, field, key, text) {#field, FIELD_OF_##type, offsetof(Board, field)},
	BOARD_LIST(X)
#undef X
		{0},
};

const Field model_fields[] = {
	{"image", FIELD_digest, offsetof(BaselineModel, image)},
	{"weights", FIELD_digest, offsetof(BaselineModel, weights)},
	{"weights-bytes", FIELD_integer, offsetof(BaselineModel, weights_bytes)},
	{"scratch", FIELD_integer, offsetof(BaselineModel, scratch)},
	{"in", FIELD_tensors, offsetof(BaselineModel, in)},
	{"out", FIELD_tensors, offsetof(BaselineModel, out)},
	{"ns", FIELD_numbers, offsetof(BaselineModel, ns)},
	{0},
};

const Field kernel_fields[] = {
	{"task", FIELD_digest, offsetof(BaselineKernel, task)},
	{"form", FIELD_digest, offsetof(BaselineKernel, form)},
	{"uses", FIELD_integer, offsetof(BaselineKernel, uses)},
	{"algorithm", FIELD_text, offsetof(BaselineKernel, algorithm)},
	{"grade", FIELD_text, offsetof(BaselineKernel, grade)},
	{"slack", FIELD_number, offsetof(BaselineKernel, slack)},
	{"sched", FIELD_lines, offsetof(BaselineKernel, sched)},
	{"image", FIELD_digest, offsetof(BaselineKernel, call.image)},
	{"phase", FIELD_words, offsetof(BaselineKernel, call.phase)},
	{"prepare", FIELD_words, offsetof(BaselineKernel, call.prepare)},
	{"derived", FIELD_integers, offsetof(BaselineKernel, call.derived)},
	{"literal", FIELD_literals, offsetof(BaselineKernel, call.literal)},
	{"scratch", FIELD_integer, offsetof(BaselineKernel, call.scratch)},
	{"chunks", FIELD_integer, offsetof(BaselineKernel, call.chunks)},
	{"pool", FIELD_integer, offsetof(BaselineKernel, call.pool)},
	{"pack", FIELD_digest, offsetof(BaselineKernel, call.pack)},
	{"ns", FIELD_numbers, offsetof(BaselineKernel, ns)},
	{0},
};

Digest
baseline_put(Baseline *b, Arena *a, const void *data, size_t size)
{
	BaselineBlob x = {digest_of(data, size), data, size};

	if (!baseline_blob(b, &x.digest))
		vec_push(a, &b->blob, x);
	return x.digest;
}

const BaselineBlob *
baseline_blob(const Baseline *b, const Digest *d)
{
	for (int i = 0; i < b->blob.n; i++)
		if (digest_equal(&b->blob.v[i].digest, d))
			return &b->blob.v[i];
	return NULL;
}

const BaselineKernel *
baseline_kernel(const Baseline *b, const Digest *task, const Digest *form)
{
	for (int i = 0; i < b->kernel.n; i++)
		if (digest_equal(&b->kernel.v[i].task, task) &&
		    digest_equal(&b->kernel.v[i].form, form))
			return &b->kernel.v[i];
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	return baseline_order(a, b);
}

int
baseline_order(const BaselineKernel *x, const BaselineKernel *y)
{
	int c = memcmp(x->task.b, y->task.b, sizeof x->task.b);

	return c ? c : memcmp(x->form.b, y->form.b, sizeof x->form.b);
}

void
baseline_sort(Baseline *b)
{
	if (b->kernel.n)
		qsort(b->kernel.v, (size_t)b->kernel.n, sizeof *b->kernel.v, by_key);
}

static int
see_kernel(const BaselineKernel *k,
	   int (*see)(void *self, const Digest *d, const char *what, Err *e), void *self, Err *e)
{
	int rc = see(self, &k->call.image, "image", e);

	if (!rc && k->call.pool)
		rc = see(self, &k->call.pack, "pack", e);
	for (int i = 0; i < k->call.literal.n && !rc; i++)
		rc = see(self, &k->call.literal.v[i].blob, "literal", e);
	if (rc)
		err_prefix(e, "kernel '%s': ", k->name);
	return rc;
}

int
baseline_each_blob(const Baseline *b,
		   int (*see)(void *self, const Digest *d, const char *what, Err *e), void *self,
		   Err *e)
{
	int rc = see(self, &b->plan, "plan", e);

	if (!rc)
		rc = see(self, &b->model.image, "image of the model", e);
	for (int i = 0; i < b->kernel.n && !rc; i++)
		rc = see_kernel(&b->kernel.v[i], see, self, e);
	return rc;
}

/* --- printing --- */

/* What does not fit a line is written as \xHH. */
static void
print_text(const void *v, Str *out)
{
	const unsigned char *s = *(const unsigned char *const *)v;

	str_add(out, " ");
	for (; *s; s++)
		if (*s < ' ' || *s == '\\' || *s == 0x7f)
			str_printf(out, "\\x%02x", *s);
		else
			str_addn(out, (const char *)s, 1);
}

static void
print_integer(const void *v, Str *out)
{
	str_printf(out, " %lld", (long long)*(const int64_t *)v);
}

static void
print_number(const void *v, Str *out)
{
	str_add(out, " ");
	str_double(out, *(const double *)v);
}

static void
print_digest(const void *v, Str *out)
{
	char hex[DIGEST_TEXT];

	digest_print(v, hex);
	str_printf(out, " %s", hex);
}

static void
print_words(const void *v, Str *out)
{
	const BaselineWords *x = v;

	for (int i = 0; i < x->n; i++)
		str_printf(out, " %s", x->v[i]);
}

static void
print_integers(const void *v, Str *out)
{
	const BaselineIntegers *x = v;

	for (int i = 0; i < x->n; i++)
		print_integer(&x->v[i], out);
}

static void
print_numbers(const void *v, Str *out)
{
	const BaselineNumbers *x = v;

	for (int i = 0; i < x->n; i++)
		print_number(&x->v[i], out);
}

static void
print_literals(const void *v, Str *out)
{
	const BaselineLiterals *x = v;
	char hex[DIGEST_TEXT];

	for (int i = 0; i < x->n; i++) {
		digest_print(&x->v[i].blob, hex);
		str_printf(out, " %s:%s", dtype_name(x->v[i].type), hex);
	}
}

static void
print_tensors(const void *v, Str *out)
{
	const BaselineTensors *x = v;

	for (int i = 0; i < x->n; i++)
		str_printf(out, " %s:%lld", dtype_name(x->v[i].type), (long long)x->v[i].bytes);
}

static void
print_lines(const void *v, Str *out)
{
	const char *s = *(const char *const *)v;

	while (*s) {
		size_t n = strcspn(s, "\n");

		str_add(out, "\n\t\t");
		str_addn(out, s, n);
		s += n + (s[n] == '\n');
	}
}

static void (*const printers[])(const void *v, Str *out) = {
#define X(name, type, text) print_##name,
	FIELD_KIND_LIST(X)
#undef X
};

static void
print_fields(const Field *f, const void *from, const char *before, Str *out)
{
	for (; f->name; f++) {
		str_printf(out, "%s%s", before, f->name);
		printers[f->kind]((const char *)from + f->offset, out);
		str_add(out, "\n");
	}
}

void
baseline_print(const Baseline *b, Str *out)
{
	str_printf(out, "baseline %d\n", BASELINE_FORMAT);
	print_fields(baseline_fields, b, "", out);
	str_add(out, "board\n");
	print_fields(board_fields, &b->board, "\t", out);
	str_add(out, "model");
	print_text(&b->model.name, out);
	str_add(out, "\n");
	print_fields(model_fields, &b->model, "\t", out);
	for (int i = 0; i < b->kernel.n; i++) {
		str_add(out, "kernel");
		print_text(&b->kernel.v[i].name, out);
		str_add(out, "\n");
		print_fields(kernel_fields, &b->kernel.v[i], "\t", out);
	}
}
