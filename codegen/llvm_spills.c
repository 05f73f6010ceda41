/* Vectors on the stack inside multiply-add loops, counted in the object code.
 *
 * The register allocator has the last word on what fits, so its result is read: the code is
 * disassembled, and innermost loops are the stretches from a branch back to its target that hold no
 * other such branch. Which of them count is for codegen/spills.c to say.
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

/* Beginnings of multiply-adds (dot products of AVX2 stand behind what says that they are), and of
 * the products that stand for them on machines without. */
static const char *const fused[] = {"vfmadd", "vfnmadd", "fmla",  "vfma", "vfmacc",
				    "vmla",   "fmadd.",  "sdot",  "udot", "usdot",
				    "sudot",  "vpdp",    "{vex}", "vdpbf"};
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

/* The loop that the branch at `last` closes; false when it is not innermost or has no products. */
static bool
read_loop(const Instrs *v, int last, InnerLoop *out)
{
	int f = 0, p = 0, spills = 0;

	for (int i = last; i >= 0 && (int64_t)v->v[i].at >= v->v[last].target; i--) {
		const Instr *x = &v->v[i];

		if (i != last && x->target >= 0 && x->target <= (int64_t)x->at)
			return false;
		f += x->fused;
		p += x->product;
		spills += x->spill;
	}
	*out = (InnerLoop){f ? f : p, spills};
	return out->products > 0;
}

static void
read_section(LlvmState *st, const char *code, uint64_t size, Arena *a, Code *out)
{
	Arena *tmp = arena_new();
	Instrs v = {0};
	InnerLoop x;

	disassemble(st, code, size, tmp, &v);
	for (int i = 0; i < v.n; i++)
		if (v.v[i].target >= 0 && v.v[i].target <= (int64_t)v.v[i].at &&
		    read_loop(&v, i, &x))
			vec_push(a, &out->inner, x);
	arena_free(tmp);
}

void
llvm_inner_loops(LlvmState *st, const Loop *l, LLVMMemoryBufferRef object, Arena *a, Code *out)
{
	LLVMSectionIteratorRef s;
	LLVMBinaryRef file;
	char *text = NULL;

	if (!spills_matter(l, st->target))
		return;
	if (!st->disasm)
		st->disasm =
			LLVMCreateDisasmCPUFeatures(st->target->triple, st->target->cpu,
						    st->target->features, st, 0, NULL, note_branch);
	if (!st->disasm)
		return;
	file = LLVMCreateBinary(object, NULL, &text);
	if (!file) {
		LLVMDisposeMessage(text);
		return;
	}
	s = LLVMObjectFileCopySectionIterator(file);
	for (; !LLVMObjectFileIsSectionIteratorAtEnd(file, s); LLVMMoveToNextSection(s))
		if (LLVMGetSectionName(s) && !strcmp(LLVMGetSectionName(s), ".text"))
			read_section(st, LLVMGetSectionContents(s), LLVMGetSectionSize(s), a, out);
	LLVMDisposeSectionIterator(s);
	LLVMDisposeBinary(file);
}
