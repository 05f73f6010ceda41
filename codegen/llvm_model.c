/* Model -> object code through LLVM-C: the calls in order, with their pointers computed from the
 * regions. Arrays of pointers lie on the stack.
 */
#include <string.h>

#include "codegen/llvm_model.h"

LLVMValueRef
model_element(Llvm *v, LLVMTypeRef type, LLVMValueRef array, int i)
{
	LLVMValueRef at = llvm_word(v, i);

	return LLVMBuildGEP2(v->b, type, array, &at, 1, "");
}

static LLVMValueRef
load_pointer(Llvm *v, unsigned param, int i)
{
	return LLVMBuildLoad2(v->b, v->ptr, model_element(v, v->ptr, LLVMGetParam(v->fn, param), i),
			      "");
}

LLVMValueRef
model_pointer(Maker *k, const Place *p)
{
	Llvm *v = &k->v;
	LLVMValueRef base;

	switch (p->region) {
	case REGION_INPUT: base = load_pointer(v, 0, p->index); break;
	case REGION_WEIGHTS: base = load_pointer(v, 0, k->m->ninput); break;
	case REGION_OUTPUT: base = load_pointer(v, 1, p->index); break;
	case REGION_ACTIVATIONS:
		base = k->m->keep ? load_pointer(v, 1, k->m->noutput) : LLVMGetParam(v->fn, 2);
		break;
	default: return LLVMConstNull(v->ptr);
	}
	return llvm_offset(v, base, llvm_word(v, (int64_t)p->offset));
}

void
model_put(Llvm *v, LLVMTypeRef type, LLVMValueRef p, unsigned field, LLVMValueRef x)
{
	LLVMBuildStore(v->b, x, LLVMBuildStructGEP2(v->b, type, p, field, ""));
}

void
model_return_unless_zero(Llvm *v, LLVMValueRef answer)
{
	LLVMBasicBlockRef bad = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMBasicBlockRef next = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMValueRef good = LLVMBuildICmp(v->b, LLVMIntEQ, answer, llvm_i32(v, 0), "");

	LLVMBuildCondBr(v->b, good, next, bad);
	LLVMPositionBuilderAtEnd(v->b, bad);
	LLVMBuildRet(v->b, answer);
	LLVMPositionBuilderAtEnd(v->b, next);
}

static LLVMValueRef
declared(Maker *k, const char *name)
{
	LLVMValueRef f = LLVMGetNamedFunction(k->v.m, name);

	if (f)
		return f;
	f = LLVMAddFunction(k->v.m, name, k->kernel);
	LLVMSetVisibility(f, LLVMHiddenVisibility);
	return f;
}

static void
fill_pointers(Maker *k, LLVMValueRef array, const Place *p, int n)
{
	for (int i = 0; i < n; i++)
		LLVMBuildStore(k->v.b, model_pointer(k, &p[i]),
			       model_element(&k->v, k->v.ptr, array, i));
}

static void
call_kernel(Maker *k, const ModelStep *s)
{
	Llvm *v = &k->v;
	LLVMValueRef arg[] = {k->in, k->out, NULL, llvm_i32(v, 0), llvm_i32(v, 1)};

	fill_pointers(k, k->in, s->in, s->nin);
	fill_pointers(k, k->out, s->out, s->nout);
	arg[2] = model_pointer(k, &s->scratch);
	for (int p = 0; p < s->nphase; p++) {
		LLVMValueRef f = declared(k, s->phase[p]);

		model_return_unless_zero(
			v, s->chunks > 1 ? fork_call(k, f, arg[2], s->chunks)
					 : LLVMBuildCall2(v->b, k->kernel, f, arg, 5, ""));
	}
}

LLVMValueRef
model_function(Maker *k, const char *name, LLVMTypeRef type)
{
	Llvm *v = &k->v;

	v->fn = LLVMAddFunction(v->m, name, type);
	llvm_no_unwind(v);
	v->entry = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMPositionBuilderAtEnd(v->b, v->entry);
	return v->fn;
}

LLVMValueRef
model_array(Maker *k, LLVMTypeRef type, int n)
{
	return LLVMBuildAlloca(k->v.b, LLVMArrayType2(type, (uint64_t)(n ? n : 1)), "");
}

/* Room on the stack for the longest lists of any step. */
static void
make_arrays(Maker *k)
{
	int in = 0, out = 0;

	for (int i = 0; i < k->m->step.n; i++) {
		const ModelStep *s = &k->m->step.v[i];

		if (s->node)
			continue;
		in = s->nin > in ? s->nin : in;
		out = s->nout > out ? s->nout : out;
	}
	k->in = model_array(k, k->v.ptr, in);
	k->out = model_array(k, k->v.ptr, out);
	if (reference_needed(k->m))
		reference_arrays(k);
}

static int
make_run(Maker *k, Err *e)
{
	const ModelCalls *m = k->m;
	int rc = OK;

	if (m->threads > 1)
		fork_functions(k);
	k->run = model_function(k, arena_printf(k->a, "%s_run", m->name), k->kernel);
	make_arrays(k);
	if (m->threads > 1)
		fork_begin(k);
	for (int i = 0; i < m->step.n && !rc; i++)
		if (m->step.v[i].node)
			rc = reference_call(k, &m->step.v[i], e);
		else
			call_kernel(k, &m->step.v[i]);
	LLVMBuildRet(k->v.b, llvm_i32(&k->v, 0));
	return rc;
}

/* NAME(weights, mutable, activations), or with the threads' parallel_for as one more: the pointers,
 * then NAME_run. */
static void
make_entry(Maker *k, const char *name, bool parallel)
{
	Llvm *v = &k->v;
	const ModelCalls *m = k->m;
	LLVMTypeRef param[] = {v->ptr, v->ptr, v->ptr, v->ptr};
	LLVMValueRef fn =
		model_function(k, name, LLVMFunctionType(v->i32, param, parallel ? 4 : 3, false));
	LLVMValueRef arg[] = {model_array(k, v->ptr, m->ninput + 1 + (m->threads > 1)),
			      model_array(k, v->ptr, m->noutput + 1), LLVMGetParam(fn, 2),
			      llvm_i32(v, 0), llvm_i32(v, 1)};

	for (int i = 0; i < m->ninput; i++)
		LLVMBuildStore(
			v->b,
			llvm_offset(v, LLVMGetParam(fn, 1), llvm_word(v, (int64_t)m->input[i])),
			model_element(v, v->ptr, arg[0], i));
	LLVMBuildStore(v->b, LLVMGetParam(fn, 0), model_element(v, v->ptr, arg[0], m->ninput));
	if (m->threads > 1)
		LLVMBuildStore(v->b, parallel ? LLVMGetParam(fn, 3) : LLVMConstNull(v->ptr),
			       model_element(v, v->ptr, arg[0], m->ninput + 1));
	for (int i = 0; i < m->noutput; i++)
		LLVMBuildStore(
			v->b,
			llvm_offset(v, LLVMGetParam(fn, 1), llvm_word(v, (int64_t)m->output[i])),
			model_element(v, v->ptr, arg[1], i));
	LLVMBuildStore(v->b, LLVMGetParam(fn, 2), model_element(v, v->ptr, arg[1], m->noutput));
	LLVMBuildRet(v->b, LLVMBuildCall2(v->b, k->kernel, k->run, arg, 5, ""));
}

/* NAME_check(weights): model_hash as code, a loop tested at the bottom. */
static void
make_check(Maker *k)
{
	Llvm *v = &k->v;
	LLVMValueRef fn = model_function(k, arena_printf(k->a, "%s_check", k->m->name),
					 LLVMFunctionType(v->i32, &v->ptr, 1, false));
	LLVMBasicBlockRef head = LLVMAppendBasicBlockInContext(v->c, fn, "");
	LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(v->c, fn, "");
	LLVMValueRef first[] = {llvm_word(v, 0), LLVMConstInt(v->i64, MODEL_HASH_BASIS, false)};
	LLVMValueRef at, hash, next[2], more;

	LLVMBuildBr(v->b, head);
	LLVMPositionBuilderAtEnd(v->b, head);
	at = LLVMBuildPhi(v->b, v->word, "");
	hash = LLVMBuildPhi(v->b, v->i64, "");
	next[0] = LLVMBuildAdd(v->b, at, llvm_word(v, 8), "");
	next[1] = LLVMBuildLoad2(v->b, v->i64, llvm_offset(v, LLVMGetParam(fn, 0), at), "");
	next[1] = LLVMBuildMul(v->b, LLVMBuildXor(v->b, hash, next[1], ""),
			       LLVMConstInt(v->i64, MODEL_HASH_FACTOR, false), "");
	LLVMAddIncoming(at, (LLVMValueRef[]){first[0], next[0]},
			(LLVMBasicBlockRef[]){v->entry, head}, 2);
	LLVMAddIncoming(hash, (LLVMValueRef[]){first[1], next[1]},
			(LLVMBasicBlockRef[]){v->entry, head}, 2);
	more = LLVMBuildICmp(v->b, LLVMIntULT, next[0], llvm_word(v, (int64_t)k->m->weights_bytes),
			     "");
	LLVMBuildCondBr(v->b, more, head, done);
	LLVMPositionBuilderAtEnd(v->b, done);
	more = LLVMBuildICmp(v->b, LLVMIntNE, next[1],
			     LLVMConstInt(v->i64, k->m->weights_hash, false), "");
	LLVMBuildRet(v->b, LLVMBuildZExt(v->b, more, v->i32, ""));
}

static int
make_module(Maker *k, Err *e)
{
	Llvm *v = &k->v;
	int rc = OK;

	llvm_types(v);
	k->kernel = LLVMFunctionType(
		v->i32, (LLVMTypeRef[]){v->ptr, v->ptr, v->ptr, v->i32, v->i32}, 5, false);
	if (reference_needed(k->m))
		rc = reference_module(k, e);
	else
		v->m = LLVMModuleCreateWithNameInContext(k->m->name, v->c);
	if (rc)
		return rc;
	LLVMSetSourceFileName(v->m, k->m->name, strlen(k->m->name));
	LLVMSetTarget(v->m, v->st->target->triple);
	LLVMSetModuleDataLayout(v->m, v->st->layout);
	if ((rc = make_run(k, e)))
		return rc;
	make_entry(k, k->m->name, false);
	if (k->m->threads > 1)
		make_entry(k, arena_printf(k->a, "%s_parallel", k->m->name), true);
	make_check(k);
	return llvm_finish(v, "globaldce", k->m->name, e);
}

int
llvm_model(void *state, const ModelCalls *m, Arena *a, Code *out, Err *e)
{
	const LlvmState *st = state;
	Maker k = {.v = {.st = st}, .m = m, .a = a};
	LLVMMemoryBufferRef buf;
	char *text = NULL;
	int rc;

	k.v.c = LLVMContextCreate();
	k.v.b = LLVMCreateBuilderInContext(k.v.c);
	rc = make_module(&k, e);
	if (!rc &&
	    LLVMTargetMachineEmitToMemoryBuffer(st->machine, k.v.m, LLVMObjectFile, &text, &buf)) {
		rc = err_set(e, ERR_INTERNAL, "code generation of %s: %s", m->name, text);
		LLVMDisposeMessage(text);
	}
	if (!rc) {
		*out = (Code){.size = LLVMGetBufferSize(buf)};
		out->bytes = arena_copy(a, LLVMGetBufferStart(buf), out->size);
		LLVMDisposeMemoryBuffer(buf);
	}
	LLVMDisposeBuilder(k.v.b);
	if (k.v.m)
		LLVMDisposeModule(k.v.m);
	LLVMContextDispose(k.v.c);
	return rc;
}
