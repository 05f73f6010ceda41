/* Code of a body that all chunks run: first the values that shared loops need, then these loops,
 * then, in the last chunk only, everything else in its order. A dealt loop begins and ends where
 * the chunk's part does. Of 1 to Loop.threads chunks any number may be asked for.
 */
#include "codegen/llvm.h"

typedef struct Bounds {
	LLVMValueRef chunk, chunks; /* words */
} Bounds;

static LLVMValueRef
less(Llvm *v, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(v->b, LLVMIntULT, a, b, "");
}

/* First iteration of this chunk, and one past its last. The chunks from the one that begins on get
 * the iterations in order, the first of them one more where they do not divide. */
static void
deal(Llvm *v, const Bounds *b, int loop)
{
	const LoopNode *n = &v->loop->node.v[loop];
	LLVMValueRef count = llvm_word(v, n->k2), place = b->chunk;
	LLVMValueRef least = LLVMBuildUDiv(v->b, count, b->chunks, "");
	LLVMValueRef more = LLVMBuildURem(v->b, count, b->chunks, ""), ahead, mine;

	if (n->c > SHARE_DEALT) {
		LLVMValueRef turn = LLVMBuildMul(v->b, b->chunks, llvm_word(v, n->c), "");

		turn = LLVMBuildSub(v->b, turn, llvm_word(v, n->c - SHARE_DEALT), "");
		place = LLVMBuildURem(v->b, LLVMBuildAdd(v->b, place, turn, ""), b->chunks, "");
	}
	ahead = LLVMBuildSelect(v->b, less(v, place, more), place, more, "");
	mine = LLVMBuildZExt(v->b, less(v, place, more), v->word, "");
	v->first[loop] = LLVMBuildAdd(v->b, LLVMBuildMul(v->b, place, least, ""), ahead, "");
	v->end[loop] = LLVMBuildAdd(v->b, LLVMBuildAdd(v->b, v->first[loop], least, ""), mine, "");
}

static void
deal_body(Llvm *v, const Bounds *b, int body)
{
	const LoopBody *list = &v->loop->body.v[body];

	for (int i = 0; i < list->n; i++) {
		const LoopNode *n = &v->loop->node.v[list->v[i]];

		if (n->op != LOOP_LOOP)
			continue;
		if (n->c >= SHARE_DEALT)
			deal(v, b, list->v[i]);
		else if (n->c == SHARE_ALL)
			deal_body(v, b, (int)n->k);
	}
}

/* Whether node x, of a body around that of node `user`, is needed by a shared loop of its body. */
static bool
reaches(const Llvm *v, int user, int x, const int *loop_of)
{
	const LoopNode *node = v->loop->node.v;
	int loop = loop_of[node[user].body];

	while (node[loop].body != node[x].body)
		loop = loop_of[node[loop].body];
	return node[loop].c != SHARE_NONE;
}

/* Marks what shared loops need. Operands are numbered below their users. */
static void
mark_common(Llvm *v, Arena *a)
{
	const LoopNode *node = v->loop->node.v;
	int *loop_of = ARENA_ARRAY(a, int, v->loop->body.n), operand[3];

	v->common = ARENA_ARRAY(a, bool, v->loop->node.n);
	for (int i = 1; i < v->loop->node.n; i++)
		if (node[i].op == LOOP_LOOP)
			loop_of[node[i].k] = i;
	for (int i = v->loop->node.n - 1; i > 0; i--) {
		loop_operands(&node[i], operand);
		for (int k = 0; k < 3; k++) {
			int x = operand[k];

			if (x)
				v->common[x] |= node[x].body == node[i].body
							? v->common[i]
							: reaches(v, i, x, loop_of);
		}
	}
}

void
llvm_share_begin(Llvm *v, Arena *a)
{
	LLVMValueRef chunk = LLVMGetParam(v->fn, 3), chunks = LLVMGetParam(v->fn, 4);
	Bounds b = {LLVMBuildIntCast2(v->b, chunk, v->word, false, ""),
		    LLVMBuildIntCast2(v->b, chunks, v->word, false, "")};

	mark_common(v, a);
	v->first = ARENA_ARRAY(a, LLVMValueRef, v->loop->node.n);
	v->end = ARENA_ARRAY(a, LLVMValueRef, v->loop->node.n);
	v->last_chunk = LLVMBuildICmp(
		v->b, LLVMIntEQ, LLVMBuildAdd(v->b, b.chunk, llvm_word(v, 1), ""), b.chunks, "");
	deal_body(v, &b, v->loop->phase.v[0]);
}

static bool
is_shared_loop(const LoopNode *n)
{
	return n->op == LOOP_LOOP && n->c != SHARE_NONE;
}

void
llvm_share_body(Llvm *v, int body)
{
	const LoopBody *list = &v->loop->body.v[body];
	LLVMBasicBlockRef after;
	int left = 0;

	for (int i = 0; i < list->n; i++)
		if (v->common[list->v[i]])
			llvm_emit_node(v, list->v[i]);
	for (int i = 0; i < list->n; i++)
		if (is_shared_loop(&v->loop->node.v[list->v[i]]))
			llvm_emit_node(v, list->v[i]);
		else
			left += !v->common[list->v[i]];
	if (!left)
		return;
	after = llvm_begin_if(v, v->last_chunk);
	v->apart = true;
	for (int i = 0; i < list->n; i++)
		if (!v->common[list->v[i]] && !is_shared_loop(&v->loop->node.v[list->v[i]]))
			llvm_emit_node(v, list->v[i]);
	v->apart = false;
	llvm_end_if(v, after);
}
