/* What `compile` tells about its choices. */
#include <string.h>

#include "base/json.h"
#include "deploy/compile.h"

static void
kernel_line(const BundleKernel *k, double total, Str *out)
{
	double ns = k->expected_ns * k->uses;

	str_printf(out, "%-8.8s %4d  %-9s %10.1f us %5.1f%%  %-10s %s (%s)\n",
		   *k->task ? k->task : "extern", k->uses, k->grade, k->expected_ns / 1e3,
		   total > 0 ? 100 * ns / total : 0.0, k->algorithm, k->name, k->ops);
	if (*k->note)
		str_printf(out, "%15s%s\n", "", k->note);
	if (!*k->task)
		str_printf(out, "%15s%s\n", "", k->sched);
}

/* Time expected of one run, and how much of it in reference kernels. */
static double
expected_ns(const Bundle *b, double *in_extern)
{
	double total = 0;

	*in_extern = 0;
	for (int i = 0; i < b->nkernel; i++) {
		total += b->kernel[i].expected_ns * b->kernel[i].uses;
		if (!*b->kernel[i].task)
			*in_extern += b->kernel[i].expected_ns * b->kernel[i].uses;
	}
	return total;
}

void
compile_report(const Bundle *b, Str *out)
{
	double in_extern, total = expected_ns(b, &in_extern);

	str_printf(out, "plan: %s\n", b->plan);
	str_printf(out, "%-8s %4s  %-9s %13s %6s  %-10s %s\n", "task", "uses", "grade", "expected",
		   "share", "algorithm", "node (operators)");
	for (int i = 0; i < b->nkernel; i++)
		kernel_line(&b->kernel[i], total, out);
	str_printf(out, "expected %.3f ms, %.1f%% of it in reference kernels\n", total / 1e6,
		   total > 0 ? 100 * in_extern / total : 0.0);
	str_printf(out,
		   "weights %zu bytes, inputs and outputs %zu, activations %zu (at least %zu: "
		   "efficiency %.3f), code %zu\n",
		   b->weights_bytes, b->mutable_bytes, b->activations_bytes, b->activations_bound,
		   (double)b->activations_bound / (double)b->activations_bytes, b->object_bytes);
	if (b->whole_bytes)
		str_printf(out,
			   "memory %zu bytes; with every layer whole activations take at least "
			   "%zu instead of %zu\n",
			   b->mutable_bytes + b->activations_bytes, b->whole_bytes,
			   b->activations_bytes);
}

void
compile_report_json(const Bundle *b, Str *out)
{
	double in_extern, total = expected_ns(b, &in_extern);
	Json *top = json_object(NULL, NULL), *list;

	json_text(top, "name", b->name);
	json_text(top, "plan", b->plan);
	json_number(top, "expected_ms", total / 1e6);
	json_number(top, "extern_share", total > 0 ? in_extern / total : 0);
	json_number(top, "weights_bytes", (double)b->weights_bytes);
	json_number(top, "mutable_bytes", (double)b->mutable_bytes);
	json_number(top, "activations_bytes", (double)b->activations_bytes);
	json_number(top, "activations_bound", (double)b->activations_bound);
	if (b->whole_bytes)
		json_number(top, "activations_whole", (double)b->whole_bytes);
	json_number(top, "object_bytes", (double)b->object_bytes);
	list = json_array(top, "kernels");
	for (int i = 0; i < b->nkernel; i++) {
		const BundleKernel *k = &b->kernel[i];
		Json *one = json_object(list, NULL);

		json_text(one, "name", k->name);
		json_text(one, "ops", k->ops);
		json_text(one, "task", k->task);
		json_text(one, "algorithm", k->algorithm);
		json_text(one, "grade", k->grade);
		json_number(one, "uses", k->uses);
		json_number(one, "expected_ns", k->expected_ns);
	}
	json_print(top, out);
	json_free(top);
}
