/* The constants of a kernel: those made from constants, and the pool that holds them all in the
 * order the kernel reads them. */
#include <string.h>

#include "base/image.h"
#include "base/pack.h"
#include "codegen/link.h"
#include "codegen/lowered.h"
#include "codegen/pack.h"

typedef int KernelFn(const void *const *in, void *const *out, void *scratch, int chunk, int chunks);

/* The constant stages alone: given constants and literals become inputs, made ones outputs. The
 * other tensors stay, unused, so that numbers keep their meaning. */
static Task *
constant_part(Arena *a, const Task *t)
{
	Task *p = task_copy(a, t);

	p->stage.n = 0;
	for (int s = 0; s < t->stage.n; s++)
		if (stage_is_const(t, s))
			vec_push(a, &p->stage, t->stage.v[s]);
	for (int i = 0; i < p->tensor.n; i++) {
		TaskTensor *x = &p->tensor.v[i];

		if (x->kind == TENSOR_IN || x->kind == TENSOR_OUT)
			*x = (TaskTensor){.kind = TENSOR_TMP, .type = x->type};
		else if (x->kind == TENSOR_LIT ||
			 (x->kind == TENSOR_CONST && !tensor_is_made(t, i)))
			x->kind = TENSOR_IN;
		else if (x->kind == TENSOR_CONST)
			x->kind = TENSOR_OUT;
		x->lit = NULL;
	}
	return p;
}

/* The agent and lowered_pool give constants in the order of pack_number: given ones, then
 * literals. The Loop takes them in tensor order, so the two must agree. */
static int
check_order(const Task *t, Err *e)
{
	bool literal = false;

	for (int i = 0; i < t->tensor.n; i++) {
		if (t->tensor.v[i].kind == TENSOR_LIT)
			literal = true;
		else if (t->tensor.v[i].kind == TENSOR_CONST && !tensor_is_made(t, i) && literal)
			return err_set(e, ERR_INTERNAL, "constant '%s' follows a literal",
				       t->tensor.v[i].name);
	}
	return OK;
}

int
lowered_prepare(Arena *a, const Lowered *l, const Target *target, Lowered *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";
	int rc;

	*out = (Lowered){.slack = 1};
	out->task = constant_part(a, l->task);
	if (out->task->stage.n == 0)
		return NOT_APPLICABLE;
	if ((rc = check_order(l->task, e)))
		return rc;
	out->form = task_form_plain(a, out->task);
	out->sched = sched_scalar(a, out->task, &out->form, "direct");
	out->text = "";
	if (lower(a, out->task, &out->form, &out->sched, target, (LowerOptions){0}, &out->loop,
		  why))
		return err_set(e, ERR_INTERNAL, "constant stages do not lower: %s", why);
	return OK;
}

static int
call_phases(const Image *image, const Code *code, const void *const *in, void *const *out,
	    void *scratch, Err *e)
{
	for (int p = 0; p < code->nsymbol; p++) {
		void *symbol = image_symbol(image, code->symbol[p]);
		KernelFn *fn;

		if (!symbol)
			return err_set(e, ERR_INTERNAL, "image lacks %s", code->symbol[p]);
		memcpy(&fn, &symbol, sizeof fn);
		if (fn(in, out, scratch, 0, 1))
			return err_set(e, ERR_INTERNAL, "constant stages failed");
	}
	return OK;
}

static int
run_prepare(Arena *a, const Lowered *p, Emit *host, const void *const *in, void *const *out, Err *e)
{
	Image *image = NULL;
	const void *bytes;
	size_t size;
	Code code;
	int rc;

	if ((rc = emit(host, p->loop, "prepare", a, &code, e)) ||
	    (rc = link_objects(&(LinkInput){code.bytes, code.size}, 1, LINK_IMAGE, a, &bytes, &size,
			       e)) ||
	    (rc = image_open(bytes, size, &image, e)))
		return rc;
	rc = call_phases(image, &code, in, out, arena_alloc64(a, (size_t)p->loop->scratch_bytes),
			 e);
	image_close(image);
	return rc;
}

/* Contents of all constants by pack number; those made are computed. */
static int
fill_constants(Arena *a, const Lowered *l, Emit *host, const int *number, int ngiven,
	       const void **data, Err *e)
{
	void **made = ARENA_ARRAY(a, void *, l->task->tensor.n + 1);
	Lowered prepare;
	int rc, nmade = 0;

	for (int i = 0; i < l->task->tensor.n; i++) {
		const TaskTensor *x = &l->task->tensor.v[i];
		size_t n = (size_t)tensor_count(x), size = dtype_size(x->type);
		unsigned char *bytes;

		if (number[i] == TASK_NONE || number[i] < ngiven)
			continue;
		bytes = arena_alloc64(a, n * size);
		data[number[i]] = bytes;
		if (x->kind == TENSOR_CONST)
			made[nmade++] = bytes;
		for (size_t k = 0; x->kind == TENSOR_LIT && k < n; k++)
			dtype_put(x->type, bytes, k, x->lit[k]);
	}
	if (!nmade)
		return OK;
	if (!host)
		return err_set(e, ERR_INTERNAL, "constant stages need code for this machine");
	rc = lowered_prepare(a, l, emit_target(host), &prepare, e);
	return rc ? rc : run_prepare(a, &prepare, host, data, made, e);
}

int
lowered_pool(Arena *a, const Lowered *l, Emit *host, const void *const *given, void **pool, Err *e)
{
	int *number = ARENA_ARRAY(a, int, l->task->tensor.n + 1), ngiven, rc;
	int n = pack_number(l->task, number, &ngiven);
	const void **data = ARENA_ARRAY(a, const void *, n + 1);
	size_t *bytes = ARENA_ARRAY(a, size_t, n + 1);
	Str desc = {0};

	*pool = arena_alloc64(a, (size_t)l->loop->pool_bytes);
	for (int i = 0; i < ngiven; i++)
		data[i] = given[i];
	for (int i = 0; i < l->task->tensor.n; i++)
		if (number[i] != TASK_NONE)
			bytes[number[i]] = (size_t)tensor_count(&l->task->tensor.v[i]) *
					   dtype_size(l->task->tensor.v[i].type);
	if ((rc = fill_constants(a, l, host, number, ngiven, data, e)))
		return rc;
	pack_describe(l->loop, l->task, number, &desc);
	rc = pack_run(desc.s, desc.n, n, data, bytes, *pool, (size_t)l->loop->pool_bytes);
	str_fini(&desc);
	return rc ? err_set(e, ERR_INTERNAL, "the pool's own description is refused") : OK;
}
