/* Vectors on the stack inside multiply-add loops, counted in the object code.
 *
 * The register allocator has the last word on what fits, so its result is read: the code is
 * disassembled, innermost loops are the stretches from a branch back to its target that hold no
 * other such branch, and those with as many multiply-adds as an innermost body of the Loop that
 * does a good part of its products are looked at. Spills elsewhere, in Winograd's
 * transforms or around loops, cost little.
 *
 * Text of instructions is all the disassembler's C interface gives; what it is searched for stands
 * in tables.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Disassembler.h>
#include <llvm-c/Object.h>

#include "codegen/llvm.h"

/* At least one in so many multiply-adds; of straight code, where some spills are no harm. */
enum { BODIES_MAX = 64, HOT_PART = 8, HOT_STRAIGHT = 2 };

/* Beginnings of multiply-adds, and of the products that stand for them on machines without. */
static const char *const fused[] = {"vfmadd", "vfnmadd", "fmla", "vfma", "vfmacc", "vmla",
				    "fmadd.", "sdot",    "udot", "vpdp", "vdpbf"};
static const char *const product[] = {"mulp", "vmulp", "fmul", "vmul", "vfmul"};

/* How an address on the stack and a whole vector register are written. 32-bit Arm reaches vectors
 * on the stack through a register, for which alone a loop adds to the stack pointer. RISC-V
 * moves whole registers to and from the stack only. */
static const struct {
	const char *stack;
	int64_t vector_bytes;
	const char *reg;
} spelling[] = {
	{"(%rsp", 64, "%zmm"}, {"(%rsp", 32, "%ymm"},    {"(%rsp", 16, "%xmm"},
	{"[sp", 16, "q"},      {"[sp", 16, "{d"},        {"\tsp, {d", 16, "{d"},
	{", sp, #", 16, "r"},  {"\tlr, sp, #", 16, "#"}, {"(sp)", 4, "fa"},
	{"(sp)", 4, "fs"},     {"(sp)", 4, "ft"},        {"vl1r", 16, "v"},
	{"vs1r", 16, "v"},     {"vl2r", 16, "v"},        {"vs2r", 16, "v"},
};

typedef struct Instr {
	uint64_t at;
	int64_t target; /* of a branch, or -1 */
	bool fused, product, spill;
} Instr;

typedef VEC(Instr) Instrs;

/* The disassembler's call for every operand it could name: a branch's target is kept. */
static const char *
note_branch(void *self, uint64_t value, uint64_t *kind, uint64_t at, const char **name)
{
	LlvmState *st = self;

	(void)at;
	if (*kind == LLVMDisassembler_ReferenceType_In_Branch)
		st->branch = (int64_t)value;
	*kind = LLVMDisassembler_ReferenceType_InOut_None;
	*name = NULL;
	return NULL;
}

static bool
begins(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, list[i], strlen(list[i])))
			return true;
	return false;
}

/* Whether a register of that kind occurs: the word with digits behind it. */
static bool
names_register(const char *text, const char *kind)
{
	size_t n = strlen(kind);

	for (const char *p = text; (p = strstr(p, kind)); p += n)
		if (p > text && !isalnum((unsigned char)p[-1]) && isdigit((unsigned char)p[n]))
			return true;
	return false;
}

static bool
is_scalar(const char *text)
{
	size_t n = strcspn(text, " \t");

	return n > 2 && (!strncmp(text + n - 2, "ss", 2) || !strncmp(text + n - 2, "sd", 2));
}

/* A broadcast from the stack is a scalar that was spilled. */
static bool
touches_stack(const char *text, int64_t vector_bytes)
{
	if (is_scalar(text) || strstr(text, "{1to") || strstr(text, "broadcast"))
		return false;
	for (size_t i = 0; i < sizeof spelling / sizeof *spelling; i++)
		if (spelling[i].vector_bytes == vector_bytes && strstr(text, spelling[i].stack) &&
		    names_register(text, spelling[i].reg))
			return true;
	return false;
}

/* Where a branch backwards goes that the disassembler does not ask about, as RISC-V's: its last
 * operand is the distance. -1: no such branch. */
static int64_t
written_target(const char *text, uint64_t at)
{
	const char *last = strrchr(text, ' ');
	int64_t distance;
	char *end;

	if (text[0] != 'b' || !last)
		return -1;
	distance = strtoll(last + 1, &end, 0);
	return *end || distance >= 0 || (uint64_t)-distance > at ? -1 : (int64_t)at + distance;
}

static void
disassemble(LlvmState *st, const char *code, uint64_t size, Arena *a, Instrs *out)
{
	uint8_t *bytes = (uint8_t *)code; /* the interface knows no const */
	char text[256];

	for (uint64_t at = 0, n; at < size; at += n) {
		const char *p;
		Instr x;

		st->branch = -1;
		n = LLVMDisasmInstruction(st->disasm, bytes + at, size - at, at, text, sizeof text);
		if (!n)
			return;
		p = text + strspn(text, " \t");
		x = (Instr){.at = at,
			    .target = st->branch < 0 ? written_target(p, at) : st->branch,
			    .fused = begins(p, fused, sizeof fused / sizeof *fused),
			    .product = begins(p, product, sizeof product / sizeof *product),
			    .spill = touches_stack(text, st->target->vector_bytes)};
		vec_push(a, out, x);
	}
}

/* An innermost body of the Loop that accumulates products. */
typedef struct Body {
	int fma;       /* in instructions */
	double work;   /* of all its iterations */
	bool straight; /* the chains of products end in it */
} Body;

typedef struct Bodies {
	const Loop *l;
	int64_t vector_bytes;
	double work; /* of the whole Loop */
	int n;
	Body v[BODIES_MAX];
} Bodies;

static void
find_bodies(Bodies *b, int body, double times)
{
	int fma = 0, set = 0, inner = 0;

	for (int k = 0; k < b->l->body.v[body].n; k++) {
		const LoopNode *x = &b->l->node.v[b->l->body.v[body].v[k]];
		int64_t bytes = x->lanes * (int64_t)dtype_size((DType)x->type);

		inner += x->op == LOOP_LOOP;
		set += x->op == LOOP_SET;
		if (x->op == LOOP_FMA)
			fma += (int)((bytes + b->vector_bytes - 1) / b->vector_bytes);
		if (x->op == LOOP_LOOP)
			find_bodies(b, (int)x->k, times * (double)x->k2);
	}
	b->work += times * fma;
	if (fma && !inner && b->n < BODIES_MAX)
		b->v[b->n++] = (Body){fma, times * fma, !set};
}

/* Multiply-adds of the bodies that the Loop's time depends on. */
static int
hot_bodies(const Loop *l, const Target *t, int count[BODIES_MAX])
{
	Bodies b = {.l = l, .vector_bytes = t->vector_bytes};
	int n = 0;

	for (int p = 0; p < l->phase.n; p++)
		find_bodies(&b, l->phase.v[p], 1);
	for (int i = 0; i < b.n; i++) {
		int part = b.v[i].straight ? HOT_STRAIGHT : HOT_PART;

		/* with memory operands what is used once needs no register */
		if ((!b.v[i].straight || t->lane_splat) && b.v[i].work * part >= b.work)
			count[n++] = b.v[i].fma;
	}
	return n;
}

static bool
is_one_of(int x, const int *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}

/* Spills of the loop that the branch at `last` closes; 0 when it is none of the bodies. */
static int
loop_spills(const Instrs *v, int last, const int *body, int nbody)
{
	int f = 0, p = 0, spills = 0;

	for (int i = last; i >= 0 && (int64_t)v->v[i].at >= v->v[last].target; i--) {
		const Instr *x = &v->v[i];

		if (i != last && x->target >= 0 && x->target <= (int64_t)x->at)
			return 0; /* not innermost */
		f += x->fused;
		p += x->product;
		spills += x->spill;
	}
	return is_one_of(f ? f : p, body, nbody) ? spills : 0;
}

static int
section_spills(LlvmState *st, const char *code, uint64_t size, const int *body, int nbody)
{
	Arena *a = arena_new();
	Instrs v = {0};
	int most = 0;

	disassemble(st, code, size, a, &v);
	for (int i = 0; i < v.n; i++) {
		int n = 0;

		if (v.v[i].target >= 0 && v.v[i].target <= (int64_t)v.v[i].at)
			n = loop_spills(&v, i, body, nbody);
		most = n > most ? n : most;
	}
	arena_free(a);
	return most;
}

int
llvm_spills(LlvmState *st, const Loop *l, LLVMMemoryBufferRef object)
{
	int body[BODIES_MAX], nbody = hot_bodies(l, st->target, body), most = 0;
	LLVMSectionIteratorRef s;
	LLVMBinaryRef file;
	char *text = NULL;

	if (!nbody)
		return 0;
	if (!st->disasm)
		st->disasm =
			LLVMCreateDisasmCPUFeatures(st->target->triple, st->target->cpu,
						    st->target->features, st, 0, NULL, note_branch);
	if (!st->disasm)
		return 0;
	file = LLVMCreateBinary(object, NULL, &text);
	if (!file) {
		LLVMDisposeMessage(text);
		return 0;
	}
	s = LLVMObjectFileCopySectionIterator(file);
	for (; !LLVMObjectFileIsSectionIteratorAtEnd(file, s); LLVMMoveToNextSection(s))
		if (LLVMGetSectionName(s) && !strcmp(LLVMGetSectionName(s), ".text"))
			most = section_spills(st, LLVMGetSectionContents(s), LLVMGetSectionSize(s),
					      body, nbody);
	LLVMDisposeSectionIterator(s);
	LLVMDisposeBinary(file);
	return most;
}
