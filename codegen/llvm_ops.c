/* Arithmetic nodes as LLVM IR. */
#include <math.h>
#include <string.h>

#include "codegen/llvm.h"

LLVMTypeRef
llvm_type(const Llvm *v, DType t)
{
	switch (t) {
	case DT_F32: return v->f32;
	case DT_F64: return v->f64;
	case DT_I64:
	case DT_U64: return v->i64;
	case DT_BOOL: return v->i1;
	default: return v->i32;
	}
}

LLVMTypeRef
llvm_vector(LLVMTypeRef t, int lanes)
{
	return lanes > 1 ? LLVMVectorType(t, (unsigned)lanes) : t;
}

LLVMValueRef
llvm_word(const Llvm *v, int64_t k)
{
	return LLVMConstInt(v->word, (unsigned long long)k, true);
}

LLVMValueRef
llvm_i32(const Llvm *v, int64_t k)
{
	return LLVMConstInt(v->i32, (unsigned long long)k, true);
}

LLVMValueRef
llvm_number(const Llvm *v, DType t, double x)
{
	if (dtype_is_float(t))
		return LLVMConstReal(llvm_type(v, t), x);
	if (t == DT_I64 && x >= 0x1p63) /* the largest integer, which no double holds */
		return LLVMConstInt(v->i64, INT64_MAX, false);
	if (t == DT_U64 && x >= 0x1p63)
		return LLVMConstInt(v->i64, x < 0x1p64 ? (uint64_t)x : UINT64_MAX, false);
	return LLVMConstInt(llvm_type(v, t), (unsigned long long)(long long)x, true);
}

/* A constant vector, or the usual insert and shuffle that the back ends fold. */
LLVMValueRef
llvm_splat(Llvm *v, LLVMValueRef x, int lanes)
{
	LLVMTypeRef t = llvm_vector(LLVMTypeOf(x), lanes);
	LLVMValueRef all[64], one;

	if (lanes == 1)
		return x;
	if (LLVMIsConstant(x)) {
		for (int i = 0; i < lanes; i++)
			all[i] = x;
		return LLVMConstVector(all, (unsigned)lanes);
	}
	one = LLVMBuildInsertElement(v->b, LLVMGetPoison(t), x, llvm_i32(v, 0), "");
	return LLVMBuildShuffleVector(v->b, one, LLVMGetPoison(t),
				      LLVMConstNull(llvm_vector(v->i32, lanes)), "");
}

LLVMValueRef
llvm_mask(const Llvm *v, int lanes, int valid)
{
	LLVMValueRef m[64];

	for (int i = 0; i < lanes; i++)
		m[i] = LLVMConstInt(v->i1, i < valid, false);
	return LLVMConstVector(m, (unsigned)lanes);
}

LLVMValueRef
llvm_offset(Llvm *v, LLVMValueRef p, LLVMValueRef bytes)
{
	return LLVMBuildGEP2(v->b, v->i8, p, &bytes, 1, "");
}

LLVMValueRef
llvm_intrinsic(Llvm *v, const char *name, LLVMTypeRef *over, unsigned nover, LLVMValueRef *arg,
	       unsigned n)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(v->m, id, over, nover);
	LLVMTypeRef type = LLVMGlobalGetValueType(f);
	unsigned takes = LLVMCountParamTypes(type);

	return LLVMBuildCall2(v->b, type, f, arg, takes < n ? takes : n, "");
}

static LLVMValueRef
unary_intrinsic(Llvm *v, const char *name, LLVMValueRef a)
{
	LLVMTypeRef t = LLVMTypeOf(a);

	return llvm_intrinsic(v, name, &t, 1, &a, 1);
}

/* Division by zero gives 0 and the least integer by -1 wraps: neither may trap. */
static LLVMValueRef
int_divide(Llvm *v, const LoopNode *n, LLVMValueRef a, LLVMValueRef b)
{
	LLVMTypeRef t = LLVMTypeOf(b);
	LLVMValueRef zero = LLVMConstNull(t), ones = LLVMConstAllOnes(t);
	LLVMValueRef one = LLVMConstSub(zero, ones);
	LLVMValueRef is_zero = LLVMBuildICmp(v->b, LLVMIntEQ, b, zero, ""), safe, q;

	if (!dtype_is_signed(n->type)) {
		safe = LLVMBuildSelect(v->b, is_zero, one, b, "");
		q = LLVMBuildUDiv(v->b, a, safe, "");
	} else {
		LLVMValueRef minus = LLVMBuildICmp(v->b, LLVMIntEQ, b, ones, "");

		safe = LLVMBuildSelect(v->b, LLVMBuildOr(v->b, is_zero, minus, ""), one, b, "");
		q = LLVMBuildSDiv(v->b, a, safe, "");
		q = LLVMBuildSelect(v->b, minus, LLVMBuildSub(v->b, zero, a, ""), q, "");
	}
	return LLVMBuildSelect(v->b, is_zero, zero, q, "");
}

static LLVMValueRef
compare(Llvm *v, LoopOp op, DType t, LLVMValueRef a, LLVMValueRef b)
{
	if (dtype_is_float(t))
		return LLVMBuildFCmp(v->b,
				     op == LOOP_LT   ? LLVMRealOLT
				     : op == LOOP_LE ? LLVMRealOLE
						     : LLVMRealOEQ,
				     a, b, "");
	if (op == LOOP_EQ)
		return LLVMBuildICmp(v->b, LLVMIntEQ, a, b, "");
	if (dtype_is_signed(t))
		return LLVMBuildICmp(v->b, op == LOOP_LT ? LLVMIntSLT : LLVMIntSLE, a, b, "");
	return LLVMBuildICmp(v->b, op == LOOP_LT ? LLVMIntULT : LLVMIntULE, a, b, "");
}

/* Compare and select becomes one instruction; the IEEE intrinsics would not. */
static LLVMValueRef
extreme(Llvm *v, LoopOp op, DType t, LLVMValueRef a, LLVMValueRef b)
{
	LLVMValueRef first =
		op == LOOP_MAX ? compare(v, LOOP_LT, t, b, a) : compare(v, LOOP_LT, t, a, b);

	return LLVMBuildSelect(v->b, first, a, b, "");
}

static LLVMValueRef
arithmetic(Llvm *v, const LoopNode *n, LLVMValueRef a, LLVMValueRef b)
{
	bool is_float = dtype_is_float(n->type);

	switch ((LoopOp)n->op) {
	case LOOP_ADD:
		return is_float ? LLVMBuildFAdd(v->b, a, b, "") : LLVMBuildAdd(v->b, a, b, "");
	case LOOP_SUB:
		return is_float ? LLVMBuildFSub(v->b, a, b, "") : LLVMBuildSub(v->b, a, b, "");
	case LOOP_MUL:
		return is_float ? LLVMBuildFMul(v->b, a, b, "") : LLVMBuildMul(v->b, a, b, "");
	case LOOP_DIV: return is_float ? LLVMBuildFDiv(v->b, a, b, "") : int_divide(v, n, a, b);
	case LOOP_MAX:
	case LOOP_MIN: return extreme(v, n->op, n->type, a, b);
	case LOOP_AND: return LLVMBuildAnd(v->b, a, b, "");
	case LOOP_OR: return LLVMBuildOr(v->b, a, b, "");
	case LOOP_XOR: return LLVMBuildXor(v->b, a, b, "");
	default: return compare(v, n->op, v->loop->node.v[n->a].type, a, b);
	}
}

static LLVMValueRef
absolute(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	if (dtype_is_float(n->type))
		return unary_intrinsic(v, "llvm.fabs", a);
	if (!dtype_is_signed(n->type))
		return a;
	return extreme(v, LOOP_MAX, n->type, a, LLVMBuildNeg(v->b, a, ""));
}

/* x86 converts without saturating, and LLVM takes vectors apart that shall. NaN gives 0. */
static LLVMValueRef
saturated_i32(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	LLVMTypeRef to = llvm_vector(v->i32, n->lanes);
	LLVMValueRef least = llvm_splat(v, LLVMConstReal(v->f32, -0x1p31), n->lanes);
	LLVMValueRef beyond = llvm_splat(v, LLVMConstReal(v->f32, 0x1p31), n->lanes);
	LLVMValueRef most = llvm_splat(v, llvm_i32(v, INT32_MAX), n->lanes), x, high, none;

	x = LLVMBuildSelect(v->b, LLVMBuildFCmp(v->b, LLVMRealOGT, a, least, ""), a, least, "");
	high = LLVMBuildFCmp(v->b, LLVMRealOGE, a, beyond, "");
	none = LLVMBuildFCmp(v->b, LLVMRealUNO, a, a, "");
	x = LLVMBuildSelect(v->b, high, most, LLVMBuildFPToSI(v->b, x, to, ""), "");
	return LLVMBuildSelect(v->b, none, LLVMConstNull(to), x, "");
}

static LLVMValueRef
float_to_int(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	LLVMTypeRef over[] = {llvm_vector(llvm_type(v, n->type), n->lanes), LLVMTypeOf(a)};
	bool x86 = !strncmp(v->st->target->triple, "x86_64", 6);

	if (n->k && x86 && n->lanes > 1 && n->type == DT_I32 &&
	    v->loop->node.v[n->a].type == DT_F32)
		return saturated_i32(v, n, a);
	if (n->k)
		return llvm_intrinsic(
			v, dtype_is_signed(n->type) ? "llvm.fptosi.sat" : "llvm.fptoui.sat", over,
			2, &a, 1);
	if (dtype_is_signed(n->type))
		return LLVMBuildFPToSI(v->b, a, over[0], "");
	return LLVMBuildFPToUI(v->b, a, over[0], "");
}

static LLVMValueRef
cast(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	DType from = v->loop->node.v[n->a].type;
	LLVMTypeRef to = llvm_vector(llvm_type(v, n->type), n->lanes);

	if (n->type == DT_BOOL) {
		LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));

		return dtype_is_float(from) ? LLVMBuildFCmp(v->b, LLVMRealUNE, a, zero, "")
					    : LLVMBuildICmp(v->b, LLVMIntNE, a, zero, "");
	}
	if (dtype_is_float(from) && dtype_is_float(n->type))
		return n->type == DT_F64 ? LLVMBuildFPExt(v->b, a, to, "")
					 : LLVMBuildFPTrunc(v->b, a, to, "");
	if (dtype_is_float(from))
		return float_to_int(v, n, a);
	if (dtype_is_float(n->type))
		return dtype_is_signed(from) ? LLVMBuildSIToFP(v->b, a, to, "")
					     : LLVMBuildUIToFP(v->b, a, to, "");
	return LLVMBuildIntCast2(v->b, a, to, from != DT_BOOL && dtype_is_signed(from), "");
}

/* Lanes [first, first + n) of a. */
static LLVMValueRef
lanes_from(Llvm *v, LLVMValueRef a, int first, int n)
{
	LLVMValueRef m[64];

	for (int i = 0; i < n; i++)
		m[i] = llvm_i32(v, first + i);
	return LLVMBuildShuffleVector(v->b, a, LLVMGetPoison(LLVMTypeOf(a)),
				      LLVMConstVector(m, (unsigned)n), "");
}

/* Lanes i * step ^ with of a, n of them. */
static LLVMValueRef
permuted(Llvm *v, LLVMValueRef a, int n, int step, int with)
{
	LLVMValueRef m[64];

	for (int i = 0; i < n; i++)
		m[i] = llvm_i32(v, i * step ^ with);
	return LLVMBuildShuffleVector(v->b, a, LLVMGetPoison(LLVMTypeOf(a)),
				      LLVMConstVector(m, (unsigned)n), "");
}

/* Adjacent lanes until n->lanes are left; lanes are powers of two. Every lane gets the result of
 * its group first and one of each is taken then: sums of even and odd lanes would become x86's
 * horizontal additions, which reach half of the registers of AVX-512. */
static LLVMValueRef
reduce_groups(Llvm *v, const LoopNode *n, const LoopNode *step, LLVMValueRef a)
{
	int lanes = v->loop->node.v[n->a].lanes, group = lanes / n->lanes;

	for (int d = 1; d < group; d *= 2)
		a = arithmetic(v, step, a, permuted(v, a, lanes, 1, d));
	return permuted(v, a, n->lanes, group, 0);
}

/* Lower half with upper half until one lane is left: lanes are a power of two. The vectors really
 * get shorter: LLVM 22 loses lanes of integer maxima when halves are moved in a vector that keeps
 * its length. */
static LLVMValueRef
reduce(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	static const LoopOp op[] = {[COMB_SUM] = LOOP_ADD,
				    [COMB_PROD] = LOOP_MUL,
				    [COMB_MAX] = LOOP_MAX,
				    [COMB_MIN] = LOOP_MIN};
	LoopNode step = {.op = (uint8_t)op[n->k], .type = n->type};

	if (n->lanes > 1)
		return reduce_groups(v, n, &step, a);
	for (int half = v->loop->node.v[n->a].lanes / 2; half; half /= 2)
		a = arithmetic(v, &step, lanes_from(v, a, 0, half), lanes_from(v, a, half, half));
	return LLVMBuildExtractElement(v->b, a, llvm_i32(v, 0), "");
}

static LLVMValueRef
multiply_add(Llvm *v, const LoopNode *n)
{
	LLVMValueRef arg[] = {v->value[n->a], v->value[n->b], v->value[n->c]};
	LLVMTypeRef t = LLVMTypeOf(arg[0]);

	return llvm_intrinsic(v, "llvm.fmuladd", &t, 1, arg, 3);
}

static LLVMValueRef
lane_numbers(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	LLVMValueRef at[64];

	for (int i = 0; i < n->lanes; i++)
		at[i] = llvm_i32(v, i * n->k);
	return LLVMBuildAdd(v->b, llvm_splat(v, a, n->lanes),
			    LLVMConstVector(at, (unsigned)n->lanes), "");
}

static LLVMValueRef
in_range(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	LLVMValueRef lo = llvm_splat(v, llvm_i32(v, n->k), n->lanes), above, below;
	LLVMValueRef hi = llvm_splat(v, llvm_i32(v, n->k2), n->lanes);

	above = LLVMBuildICmp(v->b, LLVMIntSGE, a, lo, "");
	below = LLVMBuildICmp(v->b, LLVMIntSLT, a, hi, "");
	return LLVMBuildAnd(v->b, above, below, "");
}

static LLVMValueRef
shift(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	LLVMValueRef bits = llvm_splat(
		v, LLVMConstInt(llvm_type(v, n->type), (unsigned long long)n->k, false), n->lanes);

	return n->op == LOOP_SHL ? LLVMBuildShl(v->b, a, bits, "")
				 : LLVMBuildAShr(v->b, a, bits, "");
}

/* The scalar, or its lane of the vector that four neighbours were loaded as. */
static LLVMValueRef
splat(Llvm *v, const LoopNode *n, LLVMValueRef a)
{
	int first = v->quad[n->a], from = v->loop->node.v[n->a].lanes;
	LLVMValueRef m[64];

	if (!first && from == 1)
		return llvm_splat(v, a, n->lanes);
	if (!first) {
		for (int i = 0; i < n->lanes; i++)
			m[i] = llvm_i32(v, i % from);
		return LLVMBuildShuffleVector(v->b, a, LLVMGetPoison(LLVMTypeOf(a)),
					      LLVMConstVector(m, (unsigned)n->lanes), "");
	}
	for (int i = 0; i < n->lanes; i++)
		m[i] = llvm_i32(v, (v->loop->node.v[n->a].k - v->loop->node.v[first].k) / 4);
	return LLVMBuildShuffleVector(v->b, v->quad_value[first],
				      LLVMGetPoison(LLVMTypeOf(v->quad_value[first])),
				      LLVMConstVector(m, (unsigned)n->lanes), "");
}

LLVMValueRef
llvm_node(Llvm *v, const LoopNode *n)
{
	LLVMValueRef a = n->a ? v->value[n->a] : NULL, b = n->b ? v->value[n->b] : NULL;

	switch ((LoopOp)n->op) {
	case LOOP_CONST: return llvm_number(v, n->type, n->f);
	case LOOP_SPLAT: return splat(v, n, a);
	case LOOP_INT: return llvm_i32(v, n->k);
	case LOOP_INT_LANES: return lane_numbers(v, n, a);
	case LOOP_IN_RANGE: return in_range(v, n, a);
	case LOOP_LANE_MASK: return llvm_mask(v, n->lanes, (int)n->k);
	case LOOP_FMA: return multiply_add(v, n);
	case LOOP_DOT: return llvm_dot(v, n);
	case LOOP_NEG:
		return dtype_is_float(n->type) ? LLVMBuildFNeg(v->b, a, "")
					       : LLVMBuildNeg(v->b, a, "");
	case LOOP_ABS: return absolute(v, n, a);
	case LOOP_SQRT: return unary_intrinsic(v, "llvm.sqrt", a);
	case LOOP_FLOOR: return unary_intrinsic(v, "llvm.floor", a);
	case LOOP_CEIL: return unary_intrinsic(v, "llvm.ceil", a);
	case LOOP_RINT: return unary_intrinsic(v, "llvm.rint", a);
	case LOOP_NOT: return LLVMBuildNot(v->b, a, "");
	case LOOP_SHL:
	case LOOP_SHR: return shift(v, n, a);
	case LOOP_SELECT: return LLVMBuildSelect(v->b, a, b, v->value[n->c], "");
	case LOOP_CAST: return cast(v, n, a);
	case LOOP_BITCAST:
		return LLVMBuildBitCast(v->b, a, llvm_vector(llvm_type(v, n->type), n->lanes), "");
	case LOOP_REDUCE: return reduce(v, n, a);
	default: return arithmetic(v, n, a, b);
	}
}
