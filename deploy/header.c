/* The C header of a bundle. */
#include <ctype.h>

#include "deploy/bundle.h"

/* Text inside a comment: nothing can end it, nothing is beyond ASCII. */
static void
comment(Str *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		char c = *p < ' ' || *p > '~' ? '?' : *p;

		str_addn(out, &c, 1);
		if (c == '*' && p[1] == '/')
			str_add(out, " ");
	}
}

static void
size_macro(Str *out, const char *prefix, const char *what, size_t bytes)
{
	str_printf(out, "#define %s_%s %zu\n", prefix, what, bytes);
}

static void
tensor_macros(Str *out, const char *prefix, const char *kind, const BundleTensor *t, int n)
{
	for (int i = 0; i < n; i++) {
		str_printf(out, "\n/* %s[", dtype_name(t[i].type));
		for (int d = 0; d < t[i].rank; d++)
			str_printf(out, "%s%lld", d ? "," : "", (long long)t[i].dim[d]);
		str_add(out, "] ");
		comment(out, t[i].name);
		str_add(out, " */\n");
		str_printf(out, "#define %s_%s_%d_OFFSET %zu\n", prefix, kind, i, t[i].offset);
		str_printf(out, "#define %s_%s_%d_BYTES %zu\n", prefix, kind, i, t[i].bytes);
	}
}

static void
functions(Str *out, const char *name)
{
	str_printf(
		out,
		"\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
		"/* Runs the model once: reads the inputs and writes the outputs in inout. Needs\n"
		" * nothing of what is in activations, and leaves anything there. Allocates\n"
		" * nothing, has no state: calls may run at once on different inout and\n"
		" * activations. Returns 0. */\n"
		"int %s(const void *weights, void *inout, void *activations);\n\n"
		"/* 0 when these are the weights that the code was made with. */\n"
		"int %s_check(const void *weights);\n\n",
		name, name);
}

/* The struct is that of base/hone_pool.h, which may be included as well. */
static void
parallel_function(Str *out, const char *name, int threads)
{
	str_printf(
		out,
		"#ifndef HONE_PARALLEL\n#define HONE_PARALLEL\n"
		"/* parallel_for calls task(context, chunk, chunks) once for each chunk from 0 to\n"
		" * chunks - 1, in any order and on any threads, and returns when all have. */\n"
		"typedef struct hone_parallel {\n"
		"\tvoid (*parallel_for)(void *self,\n"
		"\t\t\t     void (*task)(void *context, int chunk, int chunks),\n"
		"\t\t\t     void *context, int chunks);\n"
		"\tvoid *self;\n"
		"} hone_parallel;\n#endif\n\n"
		"/* The same on several threads, best on %d: what is worth it goes through\n"
		" * parallel in so many chunks. NULL: the calling thread does all. The outputs "
		"are\n"
		" * the same to the last bit. */\n"
		"int %s_parallel(const void *weights, void *inout, void *activations,\n"
		"\t\tconst hone_parallel *parallel);\n\n",
		threads, name);
}

void
bundle_header(const Bundle *b, Str *out)
{
	char prefix[BUNDLE_NAME_MAX];
	int n = 0;

	for (; b->name[n]; n++)
		prefix[n] = (char)toupper((unsigned char)b->name[n]);
	prefix[n] = 0;
	str_printf(out, "/* %s: a model compiled by hone for\n * ", b->name);
	comment(out, b->target);
	str_printf(
		out,
		"\n *\n * The caller owns three regions, each aligned to %d bytes: weights (the\n"
		" * contents of %s.weights.bin), mutable (inputs and outputs, row-major, at the\n"
		" * offsets below) and activations. */\n",
		BUNDLE_ALIGN, b->name);
	str_printf(out, "#ifndef %s_BUNDLE_H\n#define %s_BUNDLE_H\n\n", prefix, prefix);
	size_macro(out, prefix, "ALIGN", BUNDLE_ALIGN);
	size_macro(out, prefix, "WEIGHTS_BYTES", b->weights_bytes);
	size_macro(out, prefix, "MUTABLE_BYTES", b->mutable_bytes);
	size_macro(out, prefix, "ACTIVATIONS_BYTES", b->activations_bytes);
	str_printf(out, "#define %s_WEIGHTS_HASH 0x%016llxull\n", prefix,
		   (unsigned long long)b->weights_hash);
	if (b->threads > 1)
		size_macro(out, prefix, "THREADS", (size_t)b->threads);
	size_macro(out, prefix, "INPUTS", (size_t)b->ninput);
	size_macro(out, prefix, "OUTPUTS", (size_t)b->noutput);
	tensor_macros(out, prefix, "INPUT", b->input, b->ninput);
	tensor_macros(out, prefix, "OUTPUT", b->output, b->noutput);
	functions(out, b->name);
	if (b->threads > 1)
		parallel_function(out, b->name, b->threads);
	str_add(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
