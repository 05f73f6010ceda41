/* The LLVM emitter's shared state. Private to the emit_llvm and llvm_ files, the only users
 * of llvm-c. */
#ifndef CODEGEN_LLVM_H
#define CODEGEN_LLVM_H

#include <llvm-c/Core.h>
#include <llvm-c/DisassemblerTypes.h>
#include <llvm-c/TargetMachine.h>

#include "codegen/emit.h"

/* One Target's machine, kept from kernel to kernel. */
typedef struct LlvmState {
	const Target *target;
	LLVMTargetMachineRef machine;
	LLVMTargetDataRef layout;
	char *triple;
	LLVMDisasmContextRef disasm; /* made when first needed */
	int64_t branch;              /* target of the branch being disassembled, or -1 */
} LlvmState;

/* One function being emitted. */
typedef struct Llvm {
	const LlvmState *st;
	const Loop *loop; /* its phase alone */
	LLVMContextRef c;
	LLVMModuleRef m;
	LLVMBuilderRef b;
	LLVMValueRef fn;
	LLVMValueRef *value;   /* per node */
	LLVMValueRef *counter; /* per level */
	LLVMValueRef *acc;     /* allocas */
	LLVMValueRef *root;    /* pointers, loaded at entry */
	LLVMValueRef spare;    /* memory that guarded loads read instead; NULL until needed */
	int *quad;             /* per node: first load of its group of four, or 0 */
	LLVMValueRef *quad_value;
	/* Phases for several chunks: */
	bool *common;              /* per node: shared loops need it; NULL: there are none */
	LLVMValueRef *first, *end; /* per dealt loop: this chunk's iterations */
	LLVMValueRef last_chunk;   /* whether this is it */
	bool apart;                /* inside a dealt loop, or what one chunk does: plain code */
	LLVMBasicBlockRef entry;
	LLVMTypeRef i1, i8, i16, i32, i64, f16, f32, f64, ptr, word;
} Llvm;

/* emit_llvm.c */
void llvm_emit_node(Llvm *v, int i);
void llvm_types(Llvm *v); /* v->i1 ... v->word, of v->c */

/* v->fn lets no exception through: tables for unwinding import functions on 32-bit Arm. */
void llvm_no_unwind(const Llvm *v);
/* Verifies the module and runs passes over it. */
int llvm_finish(Llvm *v, const char *passes, const char *name, Err *e);

/* llvm_share.c */
/* For a phase of several chunks, at the function's entry. */
void llvm_share_begin(Llvm *v, Arena *a);
void llvm_share_body(Llvm *v, int body);

/* llvm_model.c: the slot `model` of Emitter */
int llvm_model(void *state, const ModelCalls *m, Arena *a, Code *out, Err *e);

/* llvm_spills.c: Code.inner of the object code of l, in a. */
void llvm_inner_loops(LlvmState *st, const Loop *l, LLVMMemoryBufferRef object, Arena *a,
		      Code *out);

/* llvm_ops.c */
LLVMTypeRef llvm_type(const Llvm *v, DType t); /* of a value */
LLVMTypeRef llvm_vector(LLVMTypeRef t, int lanes);
LLVMValueRef llvm_word(const Llvm *v, int64_t k);
LLVMValueRef llvm_i32(const Llvm *v, int64_t k);
LLVMValueRef llvm_number(const Llvm *v, DType t, double x);
LLVMValueRef llvm_splat(Llvm *v, LLVMValueRef x, int lanes);
LLVMValueRef llvm_mask(const Llvm *v, int lanes, int valid);
LLVMValueRef llvm_offset(Llvm *v, LLVMValueRef p, LLVMValueRef bytes);
/* Calls an intrinsic overloaded on `over`; n arguments, cut to those this LLVM's version takes. */
LLVMValueRef llvm_intrinsic(Llvm *v, const char *name, LLVMTypeRef *over, unsigned nover,
			    LLVMValueRef *arg, unsigned n);
LLVMValueRef llvm_node(Llvm *v, const LoopNode *n); /* arithmetic */

/* llvm_dot.c */
/* ERR_UNSUPPORTED where this LLVM or the machine lacks an instruction that v->loop asks for. */
int llvm_check_dots(const Llvm *v, Err *e);
LLVMValueRef llvm_dot(Llvm *v, const LoopNode *n);
LLVMValueRef llvm_flip_bytes(Llvm *v, LLVMValueRef x, int lanes); /* upper bits changed */

/* llvm_memory.c */
/* The builder goes on in a new block that is run when cond holds; returns the one behind it, which
 * llvm_end_if goes on in. A block that returns needs no llvm_end_if. */
LLVMBasicBlockRef llvm_begin_if(Llvm *v, LLVMValueRef cond);
void llvm_end_if(Llvm *v, LLVMBasicBlockRef after);
LLVMValueRef llvm_load(Llvm *v, const LoopNode *n);
void llvm_store(Llvm *v, const LoopNode *n);

#endif
