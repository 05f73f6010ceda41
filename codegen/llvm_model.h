/* The model function in the making. Private to llvm_model.c and llvm_reference.c. */
#ifndef CODEGEN_LLVM_MODEL_H
#define CODEGEN_LLVM_MODEL_H

#include "codegen/llvm.h"
#include "codegen/model.h"

typedef struct Maker {
	Llvm v; /* v.fn: the function being made */
	const ModelCalls *m;
	Arena *a;
	LLVMTypeRef tensor, attr, call; /* KTensor, KAttr, KCall */
	LLVMTypeRef kernel, reference;  /* types of functions */
	LLVMValueRef run;
	LLVMValueRef fork, parallel, phase;   /* several threads: NAME_fork, its operands */
	LLVMValueRef in, out;                 /* arrays of pointers on the stack */
	LLVMValueRef kin, kout, kattr, kcall; /* arrays of the structs above, and one KCall */
} Maker;

/* llvm_model.c. Code is added at the builder's place in k->v.fn, which is NAME_run. */
LLVMValueRef model_element(Llvm *v, LLVMTypeRef type, LLVMValueRef array, int i);
LLVMValueRef model_array(Maker *k, LLVMTypeRef type, int n); /* on the stack */
LLVMValueRef model_pointer(Maker *k, const Place *p);
/* Goes on when the answer is 0, else returns it. */
void model_return_unless_zero(Llvm *v, LLVMValueRef answer);

void model_put(Llvm *v, LLVMTypeRef type, LLVMValueRef p, unsigned field, LLVMValueRef x);
LLVMValueRef model_function(Maker *k, const char *name, LLVMTypeRef type); /* starts it */

/* llvm_fork.c: phases in several chunks. */
void fork_functions(Maker *k);
/* In NAME_run, before the first call. */
void fork_begin(Maker *k);
/* Calls f with the arguments of a kernel but the last two; its answer. */
LLVMValueRef fork_call(Maker *k, LLVMValueRef f, LLVMValueRef scratch, int chunks);

/* llvm_reference.c: steps that call reference kernels. */
bool reference_needed(const ModelCalls *m);
/* k->v.m: a module that holds all reference kernels, none of them visible outside. */
int reference_module(Maker *k, Err *e);
/* Room on the stack for the longest operand and attribute lists of any step. */
void reference_arrays(Maker *k);
int reference_call(Maker *k, const ModelStep *s, Err *e);

#endif
