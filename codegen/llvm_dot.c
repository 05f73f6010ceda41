/* Dot products of bytes as instructions of the machine. Which there are is the Target's to say
 * (byte_dot); how LLVM calls them stands in a table. */
#include <string.h>

#include "codegen/llvm.h"

/* Of one architecture, vectors of so many sums, and signs. */
typedef struct Intrinsic {
	const char *arch; /* beginning of the triple */
	int lanes;
	int signs; /* DotSigns */
	const char *name;
	bool overloaded; /* on the types of sums and bytes */
} Intrinsic;

static const Intrinsic intrinsics[] = {
	{"aarch64", 4, DOT_B_SIGNED | DOT_C_SIGNED, "llvm.aarch64.neon.sdot", true},
	{"aarch64", 4, 0, "llvm.aarch64.neon.udot", true},
	{"aarch64", 4, DOT_C_SIGNED, "llvm.aarch64.neon.usdot", true},
	{"x86_64", 16, DOT_C_SIGNED, "llvm.x86.avx512.vpdpbusd.512", false},
	{"x86_64", 8, DOT_C_SIGNED, "llvm.x86.avx512.vpdpbusd.256", false},
};

static const Intrinsic *
intrinsic_for(const Llvm *v, const LoopNode *n)
{
	for (size_t i = 0; i < sizeof intrinsics / sizeof *intrinsics; i++) {
		const Intrinsic *x = &intrinsics[i];

		if (!strncmp(v->st->target->triple, x->arch, strlen(x->arch)) &&
		    x->lanes == n->lanes && x->signs == n->k &&
		    LLVMLookupIntrinsicID(x->name, strlen(x->name)))
			return x;
	}
	return NULL;
}

int
llvm_check_dots(const Llvm *v, Err *e)
{
	for (int i = 0; i < v->loop->node.n; i++) {
		const LoopNode *n = &v->loop->node.v[i];

		if (n->op == LOOP_DOT && !intrinsic_for(v, n))
			return err_set(e, ERR_UNSUPPORTED,
				       "target %s: LLVM has no dot product of bytes of these signs "
				       "for %d lanes",
				       v->st->target->name, n->lanes);
	}
	return OK;
}

/* Versions of LLVM differ in what type the operands' bytes have: as many of them as sums, of 32
 * bits, or four times as many. */
LLVMValueRef
llvm_dot(Llvm *v, const LoopNode *n)
{
	const Intrinsic *x = intrinsic_for(v, n);
	LLVMTypeRef over[] = {llvm_vector(v->i32, n->lanes), llvm_vector(v->i8, 4 * n->lanes)};
	LLVMValueRef arg[] = {v->value[n->a], v->value[n->b], v->value[n->c]};
	unsigned id = LLVMLookupIntrinsicID(x->name, strlen(x->name));
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(v->m, id, over, x->overloaded ? 2 : 0);
	LLVMTypeRef type = LLVMGlobalGetValueType(f), takes[3];

	LLVMGetParamTypes(type, takes);
	for (int i = 0; i < 3; i++)
		arg[i] = LLVMBuildBitCast(v->b, arg[i], takes[i], "");
	return LLVMBuildCall2(v->b, type, f, arg, 3, "");
}

LLVMValueRef
llvm_flip_bytes(Llvm *v, LLVMValueRef x, int lanes)
{
	return LLVMBuildXor(v->b, x, llvm_splat(v, llvm_i32(v, (int32_t)0x80808080u), lanes), "");
}
