/* Kernel test cases as text, one line each:
 *
 *	Op attr=1,2 attr=0.5 : f32[2,2] 1 2 3 4 | - | i64[] 7 -> f32[2] 3 7
 *
 * Inputs and outputs are separated by "|"; "-" is an absent one. An output's values are expected
 * ones; "_" accepts anything. Floats must agree within a relative error of their type, or 1e-12.
 */
#ifndef TESTS_UNIT_KERNEL_CASE_H
#define TESTS_UNIT_KERNEL_CASE_H

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/dtype.h"
#include "kernels/kernel.h"

enum { CASE_TENSORS = 12, CASE_ATTRS = 12, CASE_LIST = 32, CASE_WORDS = 1024 };

typedef struct Case {
	const char *text;
	Op op;
	KTensor in[CASE_TENSORS], out[CASE_TENSORS];
	char **expected[CASE_TENSORS]; /* a word per element of an output */
	KAttr attr[CASE_ATTRS];
	int64_t ints[CASE_ATTRS][CASE_LIST];
	double floats[CASE_ATTRS][CASE_LIST];
	KCall call;
	char copy[4096], *word[CASE_WORDS]; /* the text, cut into words */
} Case;

static Kernel *const case_kernels[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) ref_##ref,
	OP_LIST(X)
#undef X
};

static const char *const case_ops[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) #name,
	OP_LIST(X)
#undef X
};

static const char *const case_attrs[] = {
#define X(name, kind) #name,
	ATTR_LIST(X)
#undef X
};

static inline int
case_find(const char *const *list, int n, const char *word, size_t length)
{
	for (int i = 0; i < n; i++)
		if (strlen(list[i]) == length && !strncmp(list[i], word, length))
			return i;
	fail_msg("unknown name '%s'", word);
	return -1;
}

static inline void
case_put(KTensor *t, int64_t i, const char *word)
{
	if (t->type == DT_I64)
		((int64_t *)t->data)[i] = strtoll(word, NULL, 10);
	else if (t->type == DT_U64)
		((uint64_t *)t->data)[i] = strtoull(word, NULL, 10);
	else
		dtype_put((DType)t->type, t->data, (size_t)i, strtod(word, NULL));
}

/* "f32[2,3]" into a tensor with memory of exactly its size: sanitizers see what lies outside. */
static inline void
case_shape(KTensor *t, const char *word)
{
	char name[16] = "";
	const char *p = strchr(word, '[');
	DType type;

	assert_non_null(p);
	memcpy(name, word, (size_t)(p - word));
	assert_true(dtype_parse(name, &type));
	t->type = (int32_t)type;
	while (*++p && *p != ']') {
		char *end;

		t->dim[t->rank++] = strtoll(p, &end, 10);
		p = *end == ',' ? end : end - 1;
	}
	t->data = malloc(dtype_size(type) * (size_t)k_count(t));
	assert_non_null(t->data);
}

/* Reads tensors from the words up to `stop` (NULL: all); value[i] is the first word of tensor i's
 * values. Returns how many there are. */
static inline int
case_tensors(char ***word, const char *stop, KTensor *t, char **value[])
{
	int n = 0;
	char **p = *word;

	while (*p && (!stop || strcmp(*p, stop))) {
		assert_true(n < CASE_TENSORS);
		if (strcmp(*p, "-"))
			case_shape(&t[n], *p);
		value[n] = ++p;
		if (t[n].data)
			p += k_count(&t[n]);
		n++;
		if (*p && !strcmp(*p, "|"))
			p++;
		else
			assert_true(stop ? *p && !strcmp(*p, stop) : !*p); /* else a wrong count */
	}
	*word = p + (stop != NULL);
	return n;
}

static inline void
case_attr(Case *c, const char *word)
{
	int n = c->call.nattr++;
	const char *p = strchr(word, '=');

	assert_true(n < CASE_ATTRS && p);
	c->attr[n].key = case_find(case_attrs, ATTR_COUNT, word, (size_t)(p - word));
	c->attr[n].i = c->ints[n];
	c->attr[n].f = c->floats[n];
	for (int i = 0; *p++ && *p; i++) {
		char *end;

		c->floats[n][i] = strtod(p, &end);
		c->ints[n][i] = (int64_t)c->floats[n][i];
		c->attr[n].n = i + 1;
		p = end;
	}
}

static inline void
case_parse(Case *c, const char *text)
{
	char **word = c->word, **value[CASE_TENSORS];
	int n = 0;

	memset(c, 0, sizeof *c);
	c->text = text;
	assert_true(strlen(text) < sizeof c->copy);
	strcpy(c->copy, text);
	for (char *p = strtok(c->copy, " \n\t"); p; p = strtok(NULL, " \n\t")) {
		assert_true(n + 1 < CASE_WORDS);
		c->word[n++] = p;
	}
	c->op = (Op)case_find(case_ops, OP_COUNT, *word, strlen(*word));
	for (word++; strcmp(*word, ":"); word++)
		case_attr(c, *word);
	word++;
	c->call.nin = case_tensors(&word, "->", c->in, value);
	for (int i = 0; i < c->call.nin; i++)
		for (int64_t j = 0; c->in[i].data && j < k_count(&c->in[i]); j++)
			case_put(&c->in[i], j, value[i][j]);
	c->call.nout = case_tensors(&word, NULL, c->out, c->expected);
	c->call.in = c->in;
	c->call.out = c->out;
	c->call.attr = c->attr;
}

/* The kernel's answer, with scratch of exactly the size it asks for. */
static inline int
case_run(Case *c)
{
	int64_t size = kernel_scratch(c->op, &c->call);
	int rc;

	if (size)
		assert_int_equal(posix_memalign(&c->call.scratch, 64, (size_t)size), 0);
	rc = case_kernels[c->op](&c->call);
	free(c->call.scratch);
	return rc;
}

static inline void
case_fini(Case *c)
{
	for (int i = 0; i < c->call.nin; i++)
		free(c->in[i].data);
	for (int i = 0; i < c->call.nout; i++)
		free(c->out[i].data);
}

static inline double
case_tolerance(DType type)
{
	return type == DT_F32 ? 3e-7 : type == DT_F16 ? 1e-3 : type == DT_BF16 ? 8e-3 : 1e-14;
}

/* Element i of output t against its expected word. */
static inline void
case_compare(const Case *c, const KTensor *t, int64_t i, const char *word)
{
	double want = strtod(word, NULL), got = dtype_get((DType)t->type, t->data, (size_t)i);
	bool same;

	if (!strcmp(word, "_"))
		return;
	if (t->type == DT_I64)
		same = ((int64_t *)t->data)[i] == strtoll(word, NULL, 10);
	else if (t->type == DT_U64)
		same = ((uint64_t *)t->data)[i] == strtoull(word, NULL, 10);
	else if (!dtype_is_float((DType)t->type))
		same = got == want;
	else
		same = isnan(want)
			       ? isnan(got)
			       : got == want || fabs(got - want) <= case_tolerance((DType)t->type) *
										    fabs(want) +
									    1e-12;
	if (!same)
		fail_msg("%s: element %d is %.17g, expected %s", c->text, (int)i, got, word);
}

static inline void
check_case(const char *text)
{
	Case c;

	case_parse(&c, text);
	if (case_run(&c))
		fail_msg("%s: refused", text);
	for (int o = 0; o < c.call.nout; o++)
		for (int64_t i = 0; c.out[o].data && i < k_count(&c.out[o]); i++)
			case_compare(&c, &c.out[o], i, c.expected[o][i]);
	case_fini(&c);
}

/* All texts of an array. */
#define CHECK_CASES(list)                                          \
	for (size_t i_ = 0; i_ < sizeof list / sizeof *list; i_++) \
	check_case(list[i_])

#endif
