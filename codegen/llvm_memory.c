/* Loads and stores as LLVM IR: conversions, partial vectors, guards, lanes apart. */
#include "codegen/llvm.h"

static LLVMTypeRef
memory_type(const Llvm *v, DType t)
{
	switch (dtype_size(t)) {
	case 1: return v->i8;
	case 2: return t == DT_F16 ? v->f16 : v->i16;
	case 4: return t == DT_F32 ? v->f32 : v->i32;
	default: return t == DT_F64 ? v->f64 : v->i64;
	}
}

/* What memory holds, as a value. bfloat16 is the upper half of a float on every machine. */
static LLVMValueRef
widen(Llvm *v, const LoopNode *n, LLVMValueRef x, int lanes)
{
	LLVMTypeRef t = llvm_vector(llvm_type(v, n->type), lanes);
	LLVMTypeRef i32 = llvm_vector(v->i32, lanes);

	switch ((DType)n->mem) {
	case DT_F16: return LLVMBuildFPExt(v->b, x, t, "");
	case DT_BF16:
		x = LLVMBuildZExt(v->b, x, i32, "");
		x = LLVMBuildShl(v->b, x, llvm_splat(v, llvm_i32(v, 16), lanes), "");
		return LLVMBuildBitCast(v->b, x, t, "");
	case DT_I8:
	case DT_I16: return LLVMBuildSExt(v->b, x, t, "");
	case DT_U8:
	case DT_U16: return LLVMBuildZExt(v->b, x, t, "");
	case DT_BOOL: return LLVMBuildICmp(v->b, LLVMIntNE, x, LLVMConstNull(LLVMTypeOf(x)), "");
	default: return x;
	}
}

/* Rounds to nearest even; a NaN keeps its upper bits and stays quiet. */
static LLVMValueRef
to_bf16(Llvm *v, LLVMValueRef x, int lanes)
{
	LLVMTypeRef i32 = llvm_vector(v->i32, lanes);
	LLVMValueRef bits = LLVMBuildBitCast(v->b, x, i32, "");
	LLVMValueRef sixteen = llvm_splat(v, llvm_i32(v, 16), lanes);
	LLVMValueRef odd = LLVMBuildAnd(v->b, LLVMBuildLShr(v->b, bits, sixteen, ""),
					llvm_splat(v, llvm_i32(v, 1), lanes), "");
	LLVMValueRef r = LLVMBuildAdd(v->b, bits, llvm_splat(v, llvm_i32(v, 0x7fff), lanes), "");
	LLVMValueRef nan = LLVMBuildFCmp(v->b, LLVMRealUNO, x, x, "");
	LLVMValueRef quiet =
		LLVMBuildOr(v->b, bits, llvm_splat(v, llvm_i32(v, 0x400000), lanes), "");

	r = LLVMBuildSelect(v->b, nan, quiet, LLVMBuildAdd(v->b, r, odd, ""), "");
	return LLVMBuildTrunc(v->b, LLVMBuildLShr(v->b, r, sixteen, ""), llvm_vector(v->i16, lanes),
			      "");
}

static LLVMValueRef
narrow(Llvm *v, const LoopNode *n, LLVMValueRef x, int lanes)
{
	LLVMTypeRef t = llvm_vector(memory_type(v, n->mem), lanes);

	switch ((DType)n->mem) {
	case DT_F16: return LLVMBuildFPTrunc(v->b, x, t, "");
	case DT_BF16: return to_bf16(v, x, lanes);
	case DT_I8:
	case DT_U8:
	case DT_I16:
	case DT_U16: return LLVMBuildTrunc(v->b, x, t, "");
	case DT_BOOL: return LLVMBuildZExt(v->b, x, t, "");
	default: return x;
	}
}

/* What a guarded load reads where its guard fails: 512 bytes of the stack. */
static LLVMValueRef
spare_memory(Llvm *v)
{
	if (!v->spare) {
		LLVMBasicBlockRef here = LLVMGetInsertBlock(v->b);
		LLVMTypeRef t = LLVMArrayType2(v->i64, 64);

		LLVMPositionBuilder(v->b, v->entry, LLVMGetFirstInstruction(v->entry));
		v->spare = LLVMBuildAlloca(v->b, t, "spare");
		LLVMSetAlignment(v->spare, 64);
		LLVMPositionBuilderAtEnd(v->b, here);
	}
	return v->spare;
}

/* Four bytes as one number lie anywhere. */
static unsigned
alignment(const LoopNode *n)
{
	return n->op == LOOP_LOAD_BYTES ? 1 : (unsigned)dtype_size(n->mem);
}

static LLVMValueRef
plain_load(Llvm *v, const LoopNode *n, LLVMValueRef p, int lanes)
{
	LLVMValueRef x = LLVMBuildLoad2(v->b, llvm_vector(memory_type(v, n->mem), lanes), p, "");

	LLVMSetAlignment(x, alignment(n));
	return x;
}

/* Lanes of a masked access: those of one register. LLVM 22 would split a wider one, but for AVX2 it
 * reads parts whose mask is all false, whole. */
static int
mask_lanes(const Llvm *v, const LoopNode *n)
{
	int lanes = target_lanes(v->st->target) / (dtype_size(n->mem) > 4 ? 2 : 1);

	return lanes < n->lanes ? lanes : n->lanes;
}

/* Lanes [first, first + lanes) of x. */
static LLVMValueRef
part_of(Llvm *v, LLVMValueRef x, int first, int lanes)
{
	LLVMTypeRef over[] = {llvm_vector(LLVMGetElementType(LLVMTypeOf(x)), lanes), LLVMTypeOf(x)};
	LLVMValueRef arg[] = {x, llvm_word(v, first)};

	return over[0] == over[1] ? x : llvm_intrinsic(v, "llvm.vector.extract", over, 2, arg, 2);
}

/* all with part in its lanes from first on. */
static LLVMValueRef
with_part(Llvm *v, LLVMValueRef all, LLVMValueRef part, int first)
{
	LLVMTypeRef over[] = {LLVMTypeOf(all), LLVMTypeOf(part)};
	LLVMValueRef arg[] = {all, part, llvm_word(v, first)};

	return over[0] == over[1] ? part : llvm_intrinsic(v, "llvm.vector.insert", over, 2, arg, 3);
}

/* The mask of lanes [first, first + lanes) of an access, NULL where it is surely all true. */
static LLVMValueRef
part_mask(Llvm *v, const LoopNode *n, LLVMValueRef lane_cond, int first, int lanes)
{
	LLVMValueRef some = llvm_mask(v, lanes, n->valid - first);

	if (!lane_cond)
		return n->valid - first < lanes ? some : NULL;
	return LLVMBuildAnd(v->b, part_of(v, lane_cond, first, lanes), some, "");
}

static LLVMValueRef
masked_part(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef mask, int lanes)
{
	LLVMTypeRef over[] = {llvm_vector(memory_type(v, n->mem), lanes), v->ptr};
	LLVMValueRef arg[] = {p, mask, LLVMConstNull(over[0])};
	LLVMValueRef old[] = {p, llvm_i32(v, alignment(n)), mask, arg[2]};
	unsigned id = LLVMLookupIntrinsicID("llvm.masked.load", 16);
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(v->m, id, over, 2);
	LLVMTypeRef type = LLVMGlobalGetValueType(f);
	bool now = LLVMCountParamTypes(type) == 3; /* the alignment was an operand before LLVM 22 */

	return LLVMBuildCall2(v->b, type, f, now ? arg : old, now ? 3 : 4, "");
}

static LLVMValueRef
masked_load(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef lane_cond)
{
	LLVMValueRef all = LLVMConstNull(llvm_vector(memory_type(v, n->mem), n->lanes));
	int lanes = mask_lanes(v, n);

	for (int i = 0; i < n->valid; i += lanes) {
		LLVMValueRef mask = part_mask(v, n, lane_cond, i, lanes);
		LLVMValueRef q = llvm_offset(v, p, llvm_word(v, i * n->k2));

		all = with_part(
			v, all,
			mask ? masked_part(v, n, q, mask, lanes) : plain_load(v, n, q, lanes), i);
	}
	return all;
}

static LLVMValueRef
lane_of(Llvm *v, LLVMValueRef x, int i)
{
	return LLVMBuildExtractElement(v->b, x, llvm_i32(v, i), "");
}

/* The one lane where a constant mask holds; -1: there are others, or none, or it is no constant. */
static int
only_lane(LLVMValueRef mask, int lanes)
{
	int only = -1;

	for (int i = 0; i < lanes; i++) {
		LLVMValueRef m =
			LLVMIsConstant(mask) ? LLVMGetAggregateElement(mask, (unsigned)i) : NULL;

		if (!m || !LLVMIsAConstantInt(m))
			return -1;
		if (!LLVMConstIntGetZExtValue(m))
			continue;
		if (only >= 0)
			return -1;
		only = i;
	}
	return only;
}

static void
store_whole(Llvm *v, const LoopNode *n, LLVMValueRef x, LLVMValueRef p)
{
	LLVMSetAlignment(LLVMBuildStore(v->b, x, p), (unsigned)dtype_size(n->mem));
}

/* A mask of one lane is a store of one element: LLVM 22 makes it one by itself, but for AVX-512 of
 * as many bytes as the element had before it was narrowed. */
static void
store_part(Llvm *v, const LoopNode *n, LLVMValueRef x, LLVMValueRef p, LLVMValueRef mask, int lanes)
{
	LLVMTypeRef over[] = {LLVMTypeOf(x), v->ptr};
	LLVMValueRef arg[] = {x, p, mask};
	LLVMValueRef old[] = {x, p, llvm_i32(v, (int64_t)dtype_size(n->mem)), mask};
	unsigned id = LLVMLookupIntrinsicID("llvm.masked.store", 17);
	int only = only_lane(mask, lanes);
	LLVMValueRef f;
	LLVMTypeRef type;
	bool now;

	if (only >= 0) {
		store_whole(v, n, lane_of(v, x, only),
			    llvm_offset(v, p, llvm_word(v, only * n->k2)));
		return;
	}
	f = LLVMGetIntrinsicDeclaration(v->m, id, over, 2);
	type = LLVMGlobalGetValueType(f);
	now = LLVMCountParamTypes(type) == 3;
	LLVMBuildCall2(v->b, type, f, now ? arg : old, now ? 3 : 4, "");
}

static void
masked_store(Llvm *v, const LoopNode *n, LLVMValueRef x, LLVMValueRef p, LLVMValueRef lane_cond)
{
	int lanes = mask_lanes(v, n);

	for (int i = 0; i < n->valid; i += lanes) {
		LLVMValueRef mask = part_mask(v, n, lane_cond, i, lanes);
		LLVMValueRef part = part_of(v, x, i, lanes);
		LLVMValueRef q = llvm_offset(v, p, llvm_word(v, i * n->k2));

		if (mask)
			store_part(v, n, part, q, mask, lanes);
		else
			store_whole(v, n, part, q);
	}
}

/* Lanes that fail their condition read and write here: cheaper than a branch each. */
static LLVMValueRef
lane_address(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef lane_cond, int i)
{
	LLVMValueRef q = llvm_offset(v, p, llvm_word(v, i * n->k2));

	return lane_cond ? LLVMBuildSelect(v->b, lane_of(v, lane_cond, i), q, spare_memory(v), "")
			 : q;
}

/* Whether the lanes go one by one: they do not lie side by side, or they have conditions and the
 * machine has no masks. */
static bool
goes_apart(const Llvm *v, const LoopNode *n, bool lane_cond)
{
	int64_t size = (int64_t)dtype_size(n->mem), least = v->st->target->mask_bytes;

	return n->lanes > 1 && (n->k2 != size || (lane_cond && (!least || size < least)));
}

static LLVMValueRef
load_apart(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef lane_cond)
{
	LLVMValueRef all = LLVMConstNull(llvm_vector(memory_type(v, n->mem), n->lanes));

	for (int i = 0; i < n->valid; i++)
		all = LLVMBuildInsertElement(
			v->b, all, plain_load(v, n, lane_address(v, n, p, lane_cond, i), 1),
			llvm_i32(v, i), "");
	return all;
}

LLVMBasicBlockRef
llvm_begin_if(Llvm *v, LLVMValueRef cond)
{
	LLVMBasicBlockRef yes = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMBasicBlockRef no = LLVMAppendBasicBlockInContext(v->c, v->fn, "");

	LLVMBuildCondBr(v->b, cond, yes, no);
	LLVMPositionBuilderAtEnd(v->b, yes);
	return no;
}

void
llvm_end_if(Llvm *v, LLVMBasicBlockRef after)
{
	LLVMBuildBr(v->b, after);
	LLVMPositionBuilderAtEnd(v->b, after);
}

/* Lanes apart may lie anywhere, so the spare memory cannot stand for all of them: one condition of
 * all is a branch. */
static LLVMValueRef
load_apart_if(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef cond)
{
	LLVMBasicBlockRef before = LLVMGetInsertBlock(v->b), after = llvm_begin_if(v, cond), inside;
	LLVMValueRef x = load_apart(v, n, p, NULL), none = LLVMConstNull(LLVMTypeOf(x)), either;

	inside = LLVMGetInsertBlock(v->b);
	llvm_end_if(v, after);
	either = LLVMBuildPhi(v->b, LLVMTypeOf(x), "");
	LLVMAddIncoming(either, &x, &inside, 1);
	LLVMAddIncoming(either, &none, &before, 1);
	return either;
}

LLVMValueRef
llvm_load(Llvm *v, const LoopNode *n)
{
	LLVMValueRef p = llvm_offset(v, v->value[n->a], llvm_word(v, n->k)), x;
	LLVMValueRef cond = n->c ? v->value[n->c] : NULL;
	bool lane_cond = n->c && v->loop->node.v[n->c].lanes > 1;
	bool apart = goes_apart(v, n, lane_cond);

	if (cond && !lane_cond && !apart)
		p = LLVMBuildSelect(v->b, cond, p, spare_memory(v), "");
	if (apart && cond && !lane_cond) {
		x = load_apart_if(v, n, p, cond);
	} else if (apart) {
		x = load_apart(v, n, p, cond);
	} else if (lane_cond || n->valid < n->lanes) {
		x = masked_load(v, n, p, lane_cond ? cond : NULL);
	} else {
		x = plain_load(v, n, p, n->lanes);
	}
	x = widen(v, n, x, n->lanes);
	if (n->op == LOOP_LOAD_BYTES && n->b)
		x = llvm_flip_bytes(v, x, n->lanes);
	if (!cond)
		return x;
	return LLVMBuildSelect(v->b, cond, x,
			       llvm_splat(v, llvm_number(v, n->type, n->f), n->lanes), "");
}

static void
store_apart(Llvm *v, const LoopNode *n, LLVMValueRef p, LLVMValueRef x, LLVMValueRef lane_cond)
{
	for (int i = 0; i < n->valid; i++)
		LLVMSetAlignment(
			LLVMBuildStore(v->b, lane_of(v, x, i), lane_address(v, n, p, lane_cond, i)),
			(unsigned)dtype_size(n->mem));
}

void
llvm_store(Llvm *v, const LoopNode *n)
{
	LLVMValueRef p = llvm_offset(v, v->value[n->a], llvm_word(v, n->k));
	LLVMValueRef cond = n->c ? v->value[n->c] : NULL;
	LLVMValueRef x = narrow(v, n, v->value[n->b], n->lanes);
	bool lane_cond = n->c && v->loop->node.v[n->c].lanes > 1;
	LLVMBasicBlockRef after = cond && !lane_cond ? llvm_begin_if(v, cond) : NULL;

	if (goes_apart(v, n, lane_cond)) {
		store_apart(v, n, p, x, lane_cond ? cond : NULL);
	} else if (lane_cond || n->valid < n->lanes) {
		masked_store(v, n, x, p, lane_cond ? cond : NULL);
	} else {
		store_whole(v, n, x, p);
	}
	if (after)
		llvm_end_if(v, after);
}
