/* A model's phases in several chunks, through the caller's parallel_for.
 *
 * NAME_fork(parallel, phase, chunks) takes the call as data: function, in, out, scratch, and room
 * for an answer. NAME_chunk runs one chunk of it. The structs are read by this object alone, but
 * for hone_parallel, which is that of base/hone_pool.h.
 */
#include "codegen/llvm_model.h"

/* Fields of the call. */
enum { CALL_FUNCTION, CALL_IN, CALL_OUT, CALL_SCRATCH, CALL_ANSWER, CALL_FIELDS };

static LLVMTypeRef
call_type(const Llvm *v)
{
	LLVMTypeRef field[CALL_FIELDS] = {v->ptr, v->ptr, v->ptr, v->ptr, v->i32};

	return LLVMStructTypeInContext(v->c, field, CALL_FIELDS, false);
}

static LLVMTypeRef
parallel_type(const Llvm *v)
{
	return LLVMStructTypeInContext(v->c, (LLVMTypeRef[]){v->ptr, v->ptr}, 2, false);
}

static LLVMTypeRef
task_type(const Llvm *v)
{
	return LLVMFunctionType(LLVMVoidTypeInContext(v->c),
				(LLVMTypeRef[]){v->ptr, v->i32, v->i32}, 3, false);
}

static LLVMValueRef
field(Llvm *v, LLVMTypeRef type, LLVMValueRef p, unsigned i)
{
	LLVMTypeRef as = LLVMStructGetTypeAtIndex(type, i);

	return LLVMBuildLoad2(v->b, as, LLVMBuildStructGEP2(v->b, type, p, i, ""), "");
}

/* void NAME_chunk(call, chunk, chunks): an answer other than 0 is kept. */
static LLVMValueRef
make_chunk(Maker *k)
{
	Llvm *v = &k->v;
	LLVMTypeRef type = call_type(v);
	LLVMValueRef fn =
		model_function(k, arena_printf(k->a, "%s_chunk", k->m->name), task_type(v));
	LLVMValueRef call = LLVMGetParam(fn, 0), arg[5], answer;
	LLVMBasicBlockRef end;

	LLVMSetLinkage(fn, LLVMInternalLinkage);
	for (unsigned i = 0; i < 3; i++)
		arg[i] = field(v, type, call, CALL_IN + i);
	arg[3] = LLVMGetParam(fn, 1);
	arg[4] = LLVMGetParam(fn, 2);
	answer = LLVMBuildCall2(v->b, k->kernel, field(v, type, call, CALL_FUNCTION), arg, 5, "");
	end = llvm_begin_if(v, LLVMBuildICmp(v->b, LLVMIntNE, answer, llvm_i32(v, 0), ""));
	model_put(v, type, call, CALL_ANSWER, answer);
	LLVMBuildRetVoid(v->b);
	LLVMPositionBuilderAtEnd(v->b, end);
	LLVMBuildRetVoid(v->b);
	return fn;
}

void
fork_functions(Maker *k)
{
	Llvm *v = &k->v;
	LLVMTypeRef param[] = {v->ptr, v->ptr, v->i32};
	LLVMValueRef chunk = make_chunk(k);
	LLVMValueRef fn = model_function(k, arena_printf(k->a, "%s_fork", k->m->name),
					 LLVMFunctionType(v->i32, param, 3, false));
	LLVMValueRef with = LLVMGetParam(fn, 0), call = LLVMGetParam(fn, 1);
	LLVMValueRef alone[] = {call, llvm_i32(v, 0), llvm_i32(v, 1)};
	LLVMValueRef both[] = {NULL, chunk, call, LLVMGetParam(fn, 2)};
	LLVMTypeRef spread =
		LLVMFunctionType(LLVMVoidTypeInContext(v->c),
				 (LLVMTypeRef[]){v->ptr, v->ptr, v->ptr, v->i32}, 4, false);
	LLVMBasicBlockRef share;

	LLVMSetLinkage(fn, LLVMInternalLinkage);
	k->fork = fn;
	share = llvm_begin_if(v, LLVMBuildIsNull(v->b, with, ""));
	LLVMBuildCall2(v->b, task_type(v), chunk, alone, 3, "");
	LLVMBuildRet(v->b, field(v, call_type(v), call, CALL_ANSWER));
	LLVMPositionBuilderAtEnd(v->b, share);
	both[0] = field(v, parallel_type(v), with, 1);
	LLVMBuildCall2(v->b, spread, field(v, parallel_type(v), with, 0), both, 4, "");
	LLVMBuildRet(v->b, field(v, call_type(v), call, CALL_ANSWER));
}

void
fork_begin(Maker *k)
{
	Llvm *v = &k->v;
	LLVMValueRef at = llvm_word(v, k->m->ninput + 1);

	k->parallel = LLVMBuildLoad2(
		v->b, v->ptr, LLVMBuildGEP2(v->b, v->ptr, LLVMGetParam(v->fn, 0), &at, 1, ""), "");
	k->phase = LLVMBuildAlloca(v->b, call_type(v), "");
}

LLVMValueRef
fork_call(Maker *k, LLVMValueRef f, LLVMValueRef scratch, int chunks)
{
	Llvm *v = &k->v;
	LLVMTypeRef type = call_type(v);
	LLVMValueRef value[CALL_FIELDS] = {f, k->in, k->out, scratch, llvm_i32(v, 0)};
	LLVMValueRef arg[] = {k->parallel, k->phase, llvm_i32(v, chunks)};

	for (unsigned i = 0; i < CALL_FIELDS; i++)
		model_put(v, type, k->phase, i, value[i]);
	return LLVMBuildCall2(v->b, LLVMGlobalGetValueType(k->fork), k->fork, arg, 3, "");
}
