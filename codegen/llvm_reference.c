/* Steps of a model that call reference kernels. Their bitcode becomes the module that the model
 * function is added to; what no step calls is dropped by the passes after it. Tensor descriptors
 * and attribute lists are built on the stack, so the object has no data that must be relocated. The
 * structs built here are those of kernels/kernel.h.
 */
#include <string.h>

#include <llvm-c/BitReader.h>

#include "codegen/llvm_model.h"
#include "kernels/bitcode.h"

static const char *const reference_name[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) "ref_" #ref,
	OP_LIST(X)
#undef X
};

static void
make_internal(LLVMModuleRef m)
{
	for (LLVMValueRef f = LLVMGetFirstFunction(m); f; f = LLVMGetNextFunction(f))
		if (!LLVMIsDeclaration(f))
			LLVMSetLinkage(f, LLVMInternalLinkage);
	for (LLVMValueRef x = LLVMGetFirstGlobal(m); x; x = LLVMGetNextGlobal(x))
		if (!LLVMIsDeclaration(x))
			LLVMSetLinkage(x, LLVMInternalLinkage);
}

bool
reference_needed(const ModelCalls *m)
{
	for (int i = 0; i < m->step.n; i++)
		if (m->step.v[i].node)
			return true;
	return false;
}

static void
make_types(Maker *k)
{
	Llvm *v = &k->v;
	LLVMTypeRef dims = LLVMArrayType2(v->i64, KERNEL_RANK_MAX);
	LLVMTypeRef tensor[] = {v->i32, v->i32, dims, v->ptr};
	LLVMTypeRef attr[] = {v->i32, v->i32, v->ptr, v->ptr};
	LLVMTypeRef call[] = {v->i32, v->i32, v->i32, v->ptr, v->ptr, v->ptr, v->ptr};

	k->tensor = LLVMStructTypeInContext(v->c, tensor, 4, false);
	k->attr = LLVMStructTypeInContext(v->c, attr, 4, false);
	k->call = LLVMStructTypeInContext(v->c, call, 7, false);
	k->reference = LLVMFunctionType(v->i32, &v->ptr, 1, false);
}

int
reference_module(Maker *k, Err *e)
{
	LLVMMemoryBufferRef bytes;
	bool bad;

	if (k->v.st->target->pointer_bits != 64)
		return err_set(e, ERR_UNSUPPORTED,
			       "target %s: reference kernels exist for 64-bit machines only",
			       k->v.st->target->name);
	bytes = LLVMCreateMemoryBufferWithMemoryRange(
		(const char *)kernels_lp64_bc, (size_t)(kernels_lp64_bc_end - kernels_lp64_bc),
		"kernels", false);
	bad = LLVMParseBitcodeInContext2(k->v.c, bytes, &k->v.m);
	LLVMDisposeMemoryBuffer(bytes);
	if (bad)
		return err_set(e, ERR_INTERNAL, "the reference kernels are no bitcode");
	make_internal(k->v.m);
	make_types(k);
	return OK;
}

void
reference_arrays(Maker *k)
{
	int in = 0, out = 0, attr = 0;

	for (int i = 0; i < k->m->step.n; i++) {
		const ModelStep *s = &k->m->step.v[i];

		if (!s->node)
			continue;
		in = s->nin > in ? s->nin : in;
		out = s->nout > out ? s->nout : out;
		attr = s->node->nattr > attr ? s->node->nattr : attr;
	}
	k->kin = model_array(k, k->tensor, in);
	k->kout = model_array(k, k->tensor, out);
	k->kattr = model_array(k, k->attr, attr);
	k->kcall = model_array(k, k->call, 1);
}

static void
fill_tensors(Maker *k, LLVMValueRef array, const int *value, const Place *at, int n)
{
	Llvm *v = &k->v;
	const Value none = {0};

	for (int i = 0; i < n; i++) {
		const Value *x = value[i] == NO_VALUE ? &none : &k->m->g->value.v[value[i]];
		LLVMValueRef p = model_element(v, k->tensor, array, i);
		LLVMValueRef dim = LLVMBuildStructGEP2(v->b, k->tensor, p, 2, "");

		model_put(v, k->tensor, p, 0, llvm_i32(v, x->type));
		model_put(v, k->tensor, p, 1, llvm_i32(v, x->rank));
		for (int d = 0; d < KERNEL_RANK_MAX; d++)
			LLVMBuildStore(v->b, LLVMConstInt(v->i64, (uint64_t)x->dim[d], true),
				       model_element(v, v->i64, dim, d));
		model_put(v, k->tensor, p, 3, model_pointer(k, &at[i]));
	}
}

/* Numbers of an attribute as constant data; NULL when it has none of this kind. */
static LLVMValueRef
numbers(Maker *k, const KAttr *a, bool decimal)
{
	Llvm *v = &k->v;
	LLVMTypeRef type = decimal ? v->f64 : v->i64;
	LLVMValueRef *x = ARENA_ARRAY(k->a, LLVMValueRef, a->n + 1), data;

	if (decimal ? !a->f : !a->i)
		return LLVMConstNull(v->ptr);
	for (int i = 0; i < a->n; i++)
		x[i] = decimal ? LLVMConstReal(type, a->f[i])
			       : LLVMConstInt(type, (uint64_t)a->i[i], true);
	data = LLVMAddGlobal(v->m, LLVMArrayType2(type, (uint64_t)a->n), "");
	LLVMSetInitializer(data, LLVMConstArray2(type, x, (uint64_t)a->n));
	LLVMSetGlobalConstant(data, true);
	LLVMSetLinkage(data, LLVMPrivateLinkage);
	LLVMSetUnnamedAddress(data, LLVMGlobalUnnamedAddr);
	return data;
}

static void
fill_attrs(Maker *k, const Node *n)
{
	Llvm *v = &k->v;

	for (int i = 0; i < n->nattr; i++) {
		const KAttr *a = &n->attr[i];
		LLVMValueRef p = model_element(v, k->attr, k->kattr, i);

		model_put(v, k->attr, p, 0, llvm_i32(v, a->key));
		model_put(v, k->attr, p, 1, llvm_i32(v, a->n));
		model_put(v, k->attr, p, 2, numbers(k, a, false));
		model_put(v, k->attr, p, 3, numbers(k, a, true));
	}
}

int
reference_call(Maker *k, const ModelStep *s, Err *e)
{
	Llvm *v = &k->v;
	const Node *n = s->node;
	const char *name = reference_name[n->op];
	LLVMValueRef f = LLVMGetNamedFunction(v->m, name);
	LLVMValueRef field[] = {llvm_i32(v, n->nin),
				llvm_i32(v, n->nout),
				llvm_i32(v, n->nattr),
				k->kin,
				k->kout,
				k->kattr,
				model_pointer(k, &s->scratch)};

	if (!f)
		return err_set(e, ERR_INTERNAL, "no reference kernel %s", name);
	fill_tensors(k, k->kin, n->in, s->in, n->nin);
	fill_tensors(k, k->kout, n->out, s->out, n->nout);
	fill_attrs(k, n);
	for (unsigned i = 0; i < 7; i++)
		model_put(v, k->call, k->kcall, i, field[i]);
	model_return_unless_zero(v, LLVMBuildCall2(v->b, k->reference, f, &k->kcall, 1, ""));
	return OK;
}
