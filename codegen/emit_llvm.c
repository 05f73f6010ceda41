/* Loop -> object code through LLVM-C.
 *
 * Explicit vector types, the register tile unrolled by the lowering, one alloca per accumulator,
 * "function(sroa)" as the whole pass pipeline, code generation level Less. Loops are counted and
 * tested at the bottom; every address is base + counter * stride. Loop strength reduction is off:
 * the addresses are already what it would make.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Disassembler.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/llvm.h"
#include "codegen/phase.h"

static void
init_llvm(void)
{
	const char *const options[] = {"hone", "-disable-lsr"};

	LLVMInitializeAllTargetInfos();
	LLVMInitializeAllTargets();
	LLVMInitializeAllTargetMCs();
	LLVMInitializeAllAsmPrinters();
	LLVMInitializeAllDisassemblers();
	LLVMParseCommandLineOptions(2, options, NULL);
}

static void
close_state(void *state)
{
	LlvmState *st = state;

	if (st->disasm)
		LLVMDisasmDispose(st->disasm);
	if (st->layout)
		LLVMDisposeTargetData(st->layout);
	if (st->machine)
		LLVMDisposeTargetMachine(st->machine);
	free(st);
}

static int
open_state(const Target *t, void **state, Err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	LlvmState *st = calloc(1, sizeof *st);
	LLVMTargetRef target;
	char *text = NULL;

	if (!st)
		return err_set(e, ERR_NOMEM, "LLVM state");
	pthread_once(&once, init_llvm);
	st->target = t;
	if (LLVMGetTargetFromTriple(t->triple, &target, &text)) {
		err_set(e, ERR_UNSUPPORTED, "target %s: LLVM says: %s", t->name, text);
		LLVMDisposeMessage(text);
		free(st);
		return ERR_UNSUPPORTED;
	}
	st->machine =
		LLVMCreateTargetMachine(target, t->triple, t->cpu, t->features,
					LLVMCodeGenLevelLess, LLVMRelocPIC, LLVMCodeModelSmall);
	if (st->machine)
		st->layout = LLVMCreateTargetDataLayout(st->machine);
	if (!st->layout) {
		close_state(st);
		return err_set(e, ERR_UNSUPPORTED, "target %s: LLVM makes no machine for '%s'",
			       t->name, t->triple);
	}
	*state = st;
	return OK;
}

static void
set_attribute(const Llvm *v, const char *key, const char *value)
{
	LLVMAddAttributeAtIndex(v->fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
				LLVMCreateStringAttribute(v->c, key, (unsigned)strlen(key), value,
							  (unsigned)strlen(value)));
}

void
llvm_no_unwind(const Llvm *v)
{
	static const char name[] = "nounwind";
	unsigned kind = LLVMGetEnumAttributeKindForName(name, sizeof name - 1);

	LLVMAddAttributeAtIndex(v->fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(v->c, kind, 0));
}

static LLVMValueRef
address_step(Llvm *v, const LoopNode *n)
{
	int64_t stride = n->k;

	if (n->op == LOOP_SEG_STEP) {
		const Segment *s = &v->loop->seg.v[n->c];

		if (n->k < 0)
			return llvm_offset(v, v->value[n->a], llvm_word(v, s->offset));
		stride = s->loop[n->k].stride / (n->k2 ? n->k2 : 1);
	}
	return llvm_offset(v, v->value[n->a],
			   LLVMBuildMul(v->b, v->counter[n->b], llvm_word(v, stride), ""));
}

static LLVMValueRef
int_step(Llvm *v, const LoopNode *n)
{
	LLVMValueRef i = LLVMBuildIntCast2(v->b, v->counter[n->b], v->i32, true, "");

	return LLVMBuildAdd(v->b, v->value[n->a], LLVMBuildMul(v->b, i, llvm_i32(v, n->k), ""), "");
}

static LLVMValueRef
address_offset(Llvm *v, const LoopNode *n)
{
	LLVMValueRef i = LLVMBuildIntCast2(v->b, v->value[n->b], v->word, true, "");

	return llvm_offset(v, v->value[n->a], LLVMBuildMul(v->b, i, llvm_word(v, n->k), ""));
}

static void emit_body(Llvm *v, int body);

static void
emit_loop(Llvm *v, int loop)
{
	const LoopNode *n = &v->loop->node.v[loop];
	bool dealt = n->c >= SHARE_DEALT, apart = v->apart;
	LLVMBasicBlockRef before = LLVMGetInsertBlock(v->b), last;
	LLVMBasicBlockRef head = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMValueRef first = dealt ? v->first[loop] : llvm_word(v, 0), phi, next;
	LLVMValueRef end = dealt ? v->end[loop] : llvm_word(v, n->k2);

	if (dealt)
		LLVMBuildCondBr(v->b, LLVMBuildICmp(v->b, LLVMIntULT, first, end, ""), head, after);
	else
		LLVMBuildBr(v->b, head);
	v->apart |= dealt;
	LLVMPositionBuilderAtEnd(v->b, head);
	phi = LLVMBuildPhi(v->b, v->word, "");
	LLVMAddIncoming(phi, &first, &before, 1);
	v->counter[n->b] = phi;
	emit_body(v, (int)n->k);
	next = LLVMBuildAdd(v->b, phi, llvm_word(v, 1), "");
	last = LLVMGetInsertBlock(v->b);
	LLVMAddIncoming(phi, &next, &last, 1);
	LLVMBuildCondBr(v->b, LLVMBuildICmp(v->b, LLVMIntULT, next, end, ""), head, after);
	LLVMPositionBuilderAtEnd(v->b, after);
	v->apart = apart;
}

/* locality: 2 the second cache, 3 the first. */
static void
prefetch_line(Llvm *v, int address, int64_t bytes, int locality)
{
	LLVMValueRef p = llvm_offset(v, v->value[address], llvm_word(v, bytes));
	LLVMValueRef arg[] = {p, llvm_i32(v, 0), llvm_i32(v, locality), llvm_i32(v, 1)};

	llvm_intrinsic(v, "llvm.prefetch", &v->ptr, 1, arg, 4);
}

static void
emit_prefetch(Llvm *v, const LoopNode *n)
{
	int64_t slab = v->loop->seg.v[n->c].loop[n->k].stride;
	int64_t lines = (slab / n->k2 + LOOP_LINE - 1) / LOOP_LINE;

	lines = lines ? lines : 1;
	for (int64_t i = lines * n->b / n->lanes; i < lines * (n->b + 1) / n->lanes; i++)
		prefetch_line(v, n->a, slab + i * LOOP_LINE, 2);
}

/* Four scalar loads side by side become one vector load, its lanes the scalars: machines whose
 * multiply-add takes a lane then need no splat. */
static LLVMValueRef
quad_load(Llvm *v, int i)
{
	int first = v->quad[i];
	const LoopNode *n = &v->loop->node.v[first];

	if (!v->quad_value[first]) {
		LLVMValueRef p = llvm_offset(v, v->value[n->a], llvm_word(v, n->k)), x;
		bool bytes = n->op == LOOP_LOAD_BYTES;

		x = LLVMBuildLoad2(v->b, LLVMVectorType(llvm_type(v, n->type), 4), p, "");
		LLVMSetAlignment(x, bytes ? 1 : 4);
		v->quad_value[first] = bytes && n->b ? llvm_flip_bytes(v, x, 4) : x;
	}
	return LLVMBuildExtractElement(v->b, v->quad_value[first],
				       llvm_i32(v, (v->loop->node.v[i].k - n->k) / 4), "");
}

void
llvm_emit_node(Llvm *v, int i)
{
	const LoopNode *n = &v->loop->node.v[i];
	LLVMValueRef x = NULL;

	switch ((LoopOp)n->op) {
	case LOOP_NONE: return;
	case LOOP_ROOT: x = v->root[n->k]; break;
	case LOOP_STEP:
	case LOOP_SEG_STEP: x = address_step(v, n); break;
	case LOOP_OFFSET: x = address_offset(v, n); break;
	case LOOP_INT_STEP: x = int_step(v, n); break;
	case LOOP_LOAD:
	case LOOP_LOAD_BYTES: x = v->quad[i] ? quad_load(v, i) : llvm_load(v, n); break;
	case LOOP_STORE: llvm_store(v, n); break;
	case LOOP_GET:
		x = LLVMBuildLoad2(v->b, llvm_vector(llvm_type(v, n->type), n->lanes), v->acc[n->k],
				   "");
		break;
	case LOOP_SET: LLVMBuildStore(v->b, v->value[n->a], v->acc[n->k]); break;
	case LOOP_PREFETCH: emit_prefetch(v, n); break;
	case LOOP_TOUCH: prefetch_line(v, n->a, n->k, 3); break;
	case LOOP_LOOP: emit_loop(v, i); break;
	default: x = llvm_node(v, n);
	}
	v->value[i] = x;
}

static bool
is_plain_scalar(const LoopNode *n)
{
	bool loads = n->op == LOOP_LOAD_BYTES || (n->op == LOOP_LOAD && n->mem == DT_F32);

	return loads && n->lanes == 1 && !n->c;
}

/* Whether they could be lanes of one vector. */
static bool
loads_alike(const LoopNode *x, const LoopNode *y)
{
	return y->op == x->op && y->a == x->a && y->b == x->b;
}

/* Marks groups of four neighbouring scalar loads of one body. */
static void
find_quads(Llvm *v, const LoopBody *list)
{
	const LoopNode *node = v->loop->node.v;

	for (int i = 0; i < list->n; i++) {
		int x = list->v[i], found[4] = {x, 0, 0, 0};

		if (!is_plain_scalar(&node[x]) || v->quad[x])
			continue;
		for (int j = 0; j < list->n; j++) {
			int y = list->v[j];
			int64_t d = node[y].k - node[x].k;

			if (is_plain_scalar(&node[y]) && !v->quad[y] &&
			    loads_alike(&node[x], &node[y]) && (d == 4 || d == 8 || d == 12))
				found[d / 4] = y;
		}
		if (found[1] && found[2] && found[3])
			for (int k = 0; k < 4; k++)
				v->quad[found[k]] = x;
	}
}

static void
emit_body(Llvm *v, int body)
{
	const LoopBody *list = &v->loop->body.v[body];

	if (v->st->target->lane_splat)
		find_quads(v, list);
	if (v->common && !v->apart) {
		llvm_share_body(v, body);
		return;
	}
	for (int i = 0; i < list->n; i++)
		llvm_emit_node(v, list->v[i]);
}

static LLVMValueRef
pointer_from(Llvm *v, unsigned param, int i)
{
	LLVMValueRef at = llvm_word(v, i);
	LLVMValueRef p = LLVMBuildGEP2(v->b, v->ptr, LLVMGetParam(v->fn, param), &at, 1, "");

	return LLVMBuildLoad2(v->b, v->ptr, p, "");
}

static LLVMValueRef
chunk_bytes(Llvm *v, int64_t each)
{
	LLVMValueRef chunk = LLVMBuildIntCast2(v->b, LLVMGetParam(v->fn, 3), v->word, false, "");

	return LLVMBuildMul(v->b, chunk, llvm_word(v, each), "");
}

static void
emit_roots(Llvm *v)
{
	for (int i = 0; i < v->loop->root.n; i++) {
		const Root *r = &v->loop->root.v[i];

		switch (r->kind) {
		case ROOT_IN: v->root[i] = pointer_from(v, 0, r->arg); break;
		case ROOT_POOL: v->root[i] = pointer_from(v, 0, v->loop->nin); break;
		case ROOT_OUT: v->root[i] = pointer_from(v, 1, r->arg); break;
		case ROOT_SCRATCH:
			v->root[i] =
				llvm_offset(v, LLVMGetParam(v->fn, 2), llvm_word(v, r->offset));
			if (r->stride)
				v->root[i] = llvm_offset(v, v->root[i], chunk_bytes(v, r->stride));
			break;
		}
	}
}

static void
emit_phase(Llvm *v, const char *name, Arena *a)
{
	LLVMTypeRef param[] = {v->ptr, v->ptr, v->ptr, v->i32, v->i32};
	char bits[16];

	v->fn = LLVMAddFunction(v->m, name, LLVMFunctionType(v->i32, param, 5, false));
	snprintf(bits, sizeof bits, "%d", (int)v->st->target->vector_bytes * 8);
	set_attribute(v, "prefer-vector-width", bits);
	set_attribute(v, "min-legal-vector-width", bits);
	llvm_no_unwind(v);
	v->spare = NULL;
	v->entry = LLVMAppendBasicBlockInContext(v->c, v->fn, "");
	LLVMPositionBuilderAtEnd(v->b, v->entry);
	for (int i = 0; i < v->loop->acc.n; i++)
		v->acc[i] = LLVMBuildAlloca(
			v->b,
			llvm_vector(llvm_type(v, v->loop->acc.v[i].type), v->loop->acc.v[i].lanes),
			"");
	emit_roots(v);
	if (v->loop->threads > 1)
		llvm_share_begin(v, a);
	emit_body(v, v->loop->phase.v[0]);
	LLVMBuildRet(v->b, llvm_i32(v, 0));
}

void
llvm_types(Llvm *v)
{
	v->i1 = LLVMInt1TypeInContext(v->c);
	v->i8 = LLVMInt8TypeInContext(v->c);
	v->i16 = LLVMInt16TypeInContext(v->c);
	v->i32 = LLVMInt32TypeInContext(v->c);
	v->i64 = LLVMInt64TypeInContext(v->c);
	v->f16 = LLVMHalfTypeInContext(v->c);
	v->f32 = LLVMFloatTypeInContext(v->c);
	v->f64 = LLVMDoubleTypeInContext(v->c);
	v->ptr = LLVMPointerTypeInContext(v->c, 0);
	v->word = v->st->target->pointer_bits == 32 ? v->i32 : v->i64;
}

static int
check_half(const Llvm *v, Err *e)
{
	for (int i = 0; i < v->loop->node.n; i++) {
		const LoopNode *n = &v->loop->node.v[i];

		if ((n->op == LOOP_LOAD || n->op == LOOP_STORE) && n->mem == DT_F16 &&
		    !v->st->target->has_half)
			return err_set(e, ERR_UNSUPPORTED, "target %s converts no half floats",
				       v->st->target->name);
	}
	return OK;
}

int
llvm_finish(Llvm *v, const char *passes, const char *name, Err *e)
{
	LLVMPassBuilderOptionsRef options;
	LLVMErrorRef err;
	char *text = NULL;

	if (LLVMVerifyModule(v->m, LLVMReturnStatusAction, &text)) {
		err_set(e, ERR_INTERNAL, "LLVM refuses the module of %s: %s", name, text);
		LLVMDisposeMessage(text);
		return ERR_INTERNAL;
	}
	LLVMDisposeMessage(text);
	options = LLVMCreatePassBuilderOptions();
	err = LLVMRunPasses(v->m, passes, v->st->machine, options);
	LLVMDisposePassBuilderOptions(options);
	if (err) {
		text = LLVMGetErrorMessage(err);
		err_set(e, ERR_INTERNAL, "%s of %s: %s", passes, name, text);
		LLVMDisposeErrorMessage(text);
		return ERR_INTERNAL;
	}
	return OK;
}

/* The phase as if it were alone: then its code is the same whatever stands beside it, and what a
 * search measured is what a bundle has. */
static void
take_phase(Llvm *v, const Loop *whole, int phase, Arena *a)
{
	size_t nodes;

	v->loop = loop_phase(a, whole, phase);
	nodes = (size_t)v->loop->node.n;
	v->value = ARENA_ARRAY(a, LLVMValueRef, nodes);
	v->quad = ARENA_ARRAY(a, int, nodes);
	v->quad_value = ARENA_ARRAY(a, LLVMValueRef, nodes);
	v->counter = ARENA_ARRAY(a, LLVMValueRef, LOOP_DEPTH_MAX);
	v->acc = ARENA_ARRAY(a, LLVMValueRef, v->loop->acc.n + 1);
	v->root = ARENA_ARRAY(a, LLVMValueRef, v->loop->root.n + 1);
}

/* The module with all phases, run through sroa. The names live in a. */
static int
make_module(Llvm *v, const char *name, Arena *a, const char **symbol, Err *e)
{
	const Loop *whole = v->loop;

	llvm_types(v);
	LLVMSetTarget(v->m, v->st->target->triple);
	LLVMSetModuleDataLayout(v->m, v->st->layout);
	for (int p = 0; p < whole->phase.n; p++) {
		symbol[p] = arena_printf(a, "%s_%d", name, p);
		take_phase(v, whole, p, a);
		emit_phase(v, symbol[p], a);
	}
	return llvm_finish(v, "function(sroa)", name, e);
}

static int
emit_file(const LlvmState *st, const Loop *l, const char *name, LLVMCodeGenFileType kind, Arena *a,
	  const char **symbol, LLVMMemoryBufferRef *out, Err *e)
{
	Llvm v = {.st = st, .loop = l};
	char *text = NULL;
	int rc;

	if ((rc = check_half(&v, e)) || (rc = llvm_check_dots(&v, e)))
		return rc;
	v.c = LLVMContextCreate();
	v.m = LLVMModuleCreateWithNameInContext(name, v.c);
	v.b = LLVMCreateBuilderInContext(v.c);
	rc = make_module(&v, name, a, symbol, e);
	if (!rc && LLVMTargetMachineEmitToMemoryBuffer(st->machine, v.m, kind, &text, out)) {
		rc = err_set(e, ERR_INTERNAL, "code generation of %s: %s", name, text);
		LLVMDisposeMessage(text);
	}
	LLVMDisposeBuilder(v.b);
	LLVMDisposeModule(v.m);
	LLVMContextDispose(v.c);
	return rc;
}

static int
emit_object(void *state, const Loop *l, const char *name, Arena *a, Code *out, Err *e)
{
	LLVMMemoryBufferRef buf;
	int rc;

	*out = (Code){.nsymbol = l->phase.n,
		      .symbol = ARENA_ARRAY(a, const char *, l->phase.n + 1)};
	rc = emit_file(state, l, name, LLVMObjectFile, a, out->symbol, &buf, e);
	if (rc)
		return rc;
	out->size = LLVMGetBufferSize(buf);
	out->bytes = arena_copy(a, LLVMGetBufferStart(buf), out->size);
	llvm_inner_loops(state, l, buf, a, out);
	out->spills = spills_count(l, ((LlvmState *)state)->target, out->inner.v, out->inner.n);
	LLVMDisposeMemoryBuffer(buf);
	return OK;
}

static int
print_assembly(void *state, const Loop *l, const char *name, Str *out, Err *e)
{
	Arena *a = arena_new();
	LLVMMemoryBufferRef buf;
	const char **symbol = ARENA_ARRAY(a, const char *, l->phase.n + 1);
	int rc = emit_file(state, l, name, LLVMAssemblyFile, a, symbol, &buf, e);

	if (!rc) {
		str_addn(out, LLVMGetBufferStart(buf), LLVMGetBufferSize(buf));
		LLVMDisposeMemoryBuffer(buf);
	}
	arena_free(a);
	return rc;
}

const Emitter emit_llvm = {
	.name = "llvm",
	.version = "LLVM " HONE_LLVM_VERSION,
	.open = open_state,
	.close = close_state,
	.emit = emit_object,
	.print = print_assembly,
	.model = llvm_model,
};
