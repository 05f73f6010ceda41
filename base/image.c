/* ELF loader. Order: headers, segments copied into a private mapping (writable, not executable),
 * dynamic section, symbols, relocations, and only then the final protections.
 *
 * Invariants: the file is read through file_at() only, the mapping through mem_at() only; both
 * check the range. What mem_at() gives may change while relocations are applied, so nothing read
 * from there is trusted later without another check. Structures are copied out (no alignment is
 * assumed). */
#include "base/image.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64, RELATIVE = R_X86_64_RELATIVE };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64, RELATIVE = R_AARCH64_RELATIVE };
#elif defined(__arm__)
enum { MACHINE = EM_ARM, RELATIVE = R_ARM_RELATIVE };
#elif defined(__riscv) && __riscv_xlen == 64
enum { MACHINE = EM_RISCV, RELATIVE = R_RISCV_RELATIVE };
#else
#error "no image loader for this architecture"
#endif

/* The file's structures, of this machine's word size. */
#if UINTPTR_MAX == UINT32_MAX
enum { WORD_CLASS = ELFCLASS32, WORD_BITS = 32 };
typedef Elf32_Ehdr Header;
typedef Elf32_Phdr Program;
typedef Elf32_Dyn Dynamic;
typedef Elf32_Sym Symbol;
typedef Elf32_Rela Relocation;
#define RELOCATION_TYPE(info) ELF32_R_TYPE(info)
#else
enum { WORD_CLASS = ELFCLASS64, WORD_BITS = 64 };
typedef Elf64_Ehdr Header;
typedef Elf64_Phdr Program;
typedef Elf64_Dyn Dynamic;
typedef Elf64_Sym Symbol;
typedef Elf64_Rela Relocation;
#define RELOCATION_TYPE(info) ELF64_R_TYPE(info)
#endif

enum { SEGMENT_MAX = 16, DYNAMIC_MAX = 256 };

typedef struct Segment {
	uint64_t addr, filesz, memsz, offset;
	int prot;
} Segment;

struct Image {
	uint8_t *base; /* the mapping; address 0 of the file lies here */
	size_t span;
	Segment seg[SEGMENT_MAX];
	int segments;
	uint64_t dyn_addr, dyn_size; /* PT_DYNAMIC */
	uint64_t symtab, strtab, strsz, symbols;
	uint64_t hash, gnu_hash, rela, relasz, pltrelsz;
};

static const void *
file_at(const void *bytes, size_t size, uint64_t at, uint64_t n)
{
	return at <= size && n <= size - at ? (const uint8_t *)bytes + at : NULL;
}

/* n bytes at address a, all inside one segment with the protections asked for; else NULL. */
static void *
mem_at(const Image *i, uint64_t a, uint64_t n, int prot)
{
	for (int k = 0; k < i->segments; k++) {
		const Segment *s = &i->seg[k];

		if (a >= s->addr && a - s->addr <= s->memsz && n <= s->memsz - (a - s->addr) &&
		    (s->prot & prot) == prot)
			return i->base + a;
	}
	return NULL;
}

static int
read_header(const void *bytes, size_t size, Header *h, Err *e)
{
	const void *p = file_at(bytes, size, 0, sizeof *h);

	if (!p || memcmp(p, ELFMAG, SELFMAG))
		return err_set(e, ERR_INPUT, "image: not an ELF file (%zu bytes)", size);
	memcpy(h, p, sizeof *h);
	if (h->e_ident[EI_CLASS] != WORD_CLASS || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, ERR_UNSUPPORTED, "image: not %d-bit little-endian", WORD_BITS);
	if (h->e_type != ET_DYN)
		return err_set(e, ERR_UNSUPPORTED, "image: type %u, expected a shared object",
			       h->e_type);
	if (h->e_machine != MACHINE)
		return err_set(e, ERR_UNSUPPORTED, "image: machine %u, this one is %d",
			       h->e_machine, MACHINE);
	if (h->e_phentsize != sizeof(Program) ||
	    !file_at(bytes, size, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Program)))
		return err_set(e, ERR_INPUT, "image: program headers outside the file");
	return OK;
}

static int
add_segment(Image *i, const Program *p, const void *bytes, size_t size, Err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end;
	const Segment *last = i->segments ? &i->seg[i->segments - 1] : NULL;

	if (i->segments == SEGMENT_MAX)
		return err_set(e, ERR_UNSUPPORTED, "image: more than %d segments", SEGMENT_MAX);
	if (p->p_filesz > p->p_memsz || !file_at(bytes, size, p->p_offset, p->p_filesz))
		return err_set(e, ERR_INPUT, "image: segment %d lies outside the file",
			       i->segments);
	if (p->p_vaddr > IMAGE_SPAN_MAX || p->p_memsz > IMAGE_SPAN_MAX)
		return err_set(e, ERR_UNSUPPORTED, "image: segment %d is too large", i->segments);
	if (p->p_align & (p->p_align - 1) ||
	    (p->p_align > 1 && (p->p_vaddr - p->p_offset) % p->p_align))
		return err_set(e, ERR_INPUT, "image: segment %d has a bad alignment", i->segments);
	if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return err_set(e, ERR_UNSUPPORTED, "image: segment %d is writable and executable",
			       i->segments);
	if (last && p->p_vaddr / page * page < last->addr + last->memsz)
		return err_set(e, ERR_UNSUPPORTED,
			       "image: segments %d and %d overlap or share a page of %llu bytes",
			       i->segments - 1, i->segments, (unsigned long long)page);
	end = p->p_vaddr + p->p_memsz;
	end = (end + page - 1) / page * page;
	if (end > i->span)
		i->span = (size_t)end;
	i->seg[i->segments++] = (Segment){
		.addr = p->p_vaddr,
		.filesz = p->p_filesz,
		.memsz = p->p_memsz,
		.offset = p->p_offset,
		.prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
			(p->p_flags & PF_X ? PROT_EXEC : 0),
	};
	return OK;
}

static int
read_segments(Image *i, const void *bytes, size_t size, Err *e)
{
	Header h;
	Program p;
	int rc = read_header(bytes, size, &h, e);

	for (unsigned k = 0; rc == OK && k < h.e_phnum; k++) {
		memcpy(&p, (const uint8_t *)bytes + h.e_phoff + k * sizeof p, sizeof p);
		switch (p.p_type) {
		case PT_LOAD:
			if (p.p_memsz)
				rc = add_segment(i, &p, bytes, size, e);
			break;
		case PT_DYNAMIC:
			i->dyn_addr = p.p_vaddr;
			i->dyn_size = p.p_memsz;
			break;
		case PT_TLS: rc = err_set(e, ERR_UNSUPPORTED, "image: thread-local storage"); break;
		case PT_INTERP: rc = err_set(e, ERR_UNSUPPORTED, "image: interpreter"); break;
		default: break;
		}
	}
	if (rc == OK && !i->segments)
		rc = err_set(e, ERR_INPUT, "image: no segment to load");
	return rc;
}

static int
map_segments(Image *i, const void *bytes, Err *e)
{
	void *p = mmap(NULL, i->span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (p == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "image: no memory for %zu bytes", i->span);
	i->base = p;
	for (int k = 0; k < i->segments; k++) {
		const Segment *s = &i->seg[k];
		uint64_t from = s->addr / page * page;

		if (mprotect(i->base + from, s->addr + s->memsz - from, PROT_READ | PROT_WRITE))
			return err_set(e, ERR_NOMEM, "image: no memory for segment %d", k);
		memcpy(i->base + s->addr, (const uint8_t *)bytes + s->offset, s->filesz);
	}
	return OK;
}

/* Dynamic tags that ask for something this loader does not do. */
static const struct {
	int64_t tag;
	bool if_zero; /* refused even when its value is 0 */
	const char *what;
} refused[] = {
	{DT_NEEDED, true, "needs another library"},
	{DT_REL, true, "relocations without addends"},
	{DT_RELR, true, "packed relocations"},
	{DT_TEXTREL, true, "relocations in code"},
	{DT_INIT, true, "constructor"},
	{DT_FINI, true, "destructor"},
	{DT_INIT_ARRAYSZ, false, "constructors"},
	{DT_FINI_ARRAYSZ, false, "destructors"},
	{DT_PREINIT_ARRAYSZ, false, "constructors"},
};

static int
take_tag(Image *i, const Dynamic *d, Err *e)
{
	for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
		if (d->d_tag == refused[k].tag && (refused[k].if_zero || d->d_un.d_val))
			return err_set(e, ERR_UNSUPPORTED, "image: %s", refused[k].what);
	switch (d->d_tag) {
	case DT_HASH: i->hash = d->d_un.d_ptr; break;
	case DT_GNU_HASH: i->gnu_hash = d->d_un.d_ptr; break;
	case DT_SYMTAB: i->symtab = d->d_un.d_ptr; break;
	case DT_STRTAB: i->strtab = d->d_un.d_ptr; break;
	case DT_STRSZ: i->strsz = d->d_un.d_val; break;
	case DT_RELA: i->rela = d->d_un.d_ptr; break;
	case DT_RELASZ: i->relasz = d->d_un.d_val; break;
	case DT_PLTRELSZ: i->pltrelsz = d->d_un.d_val; break;
	case DT_SYMENT:
		if (d->d_un.d_val != sizeof(Symbol))
			return err_set(e, ERR_INPUT, "image: bad size of symbols");
		break;
	case DT_RELAENT:
		if (d->d_un.d_val != sizeof(Relocation))
			return err_set(e, ERR_INPUT, "image: bad size of relocations");
		break;
	default: break;
	}
	return OK;
}

static int
read_dynamic(Image *i, Err *e)
{
	uint64_t n = i->dyn_size / sizeof(Dynamic);
	const uint8_t *p = mem_at(i, i->dyn_addr, i->dyn_size, PROT_READ);
	int rc = OK;

	if (!p || n > DYNAMIC_MAX)
		return err_set(e, ERR_INPUT, "image: no usable dynamic section");
	for (uint64_t k = 0; rc == OK && k < n; k++) {
		Dynamic d;

		memcpy(&d, p + k * sizeof d, sizeof d);
		if (d.d_tag == DT_NULL)
			break;
		rc = take_tag(i, &d, e);
	}
	if (rc == OK && (!i->symtab || !i->strtab || !(i->hash || i->gnu_hash)))
		rc = err_set(e, ERR_INPUT, "image: no symbol table");
	return rc;
}

static bool
read_u32(const Image *i, uint64_t addr, uint32_t *v)
{
	const void *p = mem_at(i, addr, 4, PROT_READ);

	if (p)
		memcpy(v, p, 4);
	return p != NULL;
}

/* A GNU hash table does not say how many symbols there are: the last chain ends with the last. */
static bool
count_gnu(Image *i)
{
	uint32_t buckets, first, bloom, top = 0, link, v;
	uint64_t at;

	if (!read_u32(i, i->gnu_hash, &buckets) || !read_u32(i, i->gnu_hash + 4, &first) ||
	    !read_u32(i, i->gnu_hash + 8, &bloom))
		return false;
	at = i->gnu_hash + 16 + sizeof(uintptr_t) * (uint64_t)bloom;
	for (uint32_t k = 0; k < buckets; k++) {
		if (!read_u32(i, at + 4 * (uint64_t)k, &v))
			return false;
		if (v > top)
			top = v;
	}
	i->symbols = first;
	if (top < first) /* all buckets empty: only undefined symbols */
		return true;
	at += 4 * (uint64_t)buckets;
	do
		if (!read_u32(i, at + 4 * (uint64_t)(top - first), &link))
			return false;
	while (top++ < UINT32_MAX && !(link & 1));
	i->symbols = top;
	return true;
}

static bool
count_symbols(Image *i)
{
	uint32_t n;

	if (!i->hash)
		return count_gnu(i);
	if (!read_u32(i, i->hash + 4, &n))
		return false;
	i->symbols = n;
	return true;
}

/* Name of a symbol, NUL-terminated inside the string table; else NULL. */
static const char *
symbol_name(const Image *i, const Symbol *s)
{
	const char *p = mem_at(i, i->strtab, i->strsz, PROT_READ);

	if (!p || s->st_name >= i->strsz ||
	    !memchr(p + s->st_name, 0, (size_t)(i->strsz - s->st_name)))
		return NULL;
	return p + s->st_name;
}

static int
check_symbol(const Image *i, const Symbol *s, Err *e)
{
	const char *name = symbol_name(i, s);

	if (!name)
		return err_set(e, ERR_INPUT, "image: a symbol's name lies outside its table");
	if (s->st_shndx == SHN_UNDEF)
		return err_set(e, ERR_UNSUPPORTED, "image: imports '%.100s'", name);
	if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC)
		return err_set(e, ERR_UNSUPPORTED, "image: indirect function '%.100s'", name);
	if (ELF64_ST_TYPE(s->st_info) == STT_TLS)
		return err_set(e, ERR_UNSUPPORTED, "image: thread-local '%.100s'", name);
	return OK;
}

static int
check_symbols(Image *i, Err *e)
{
	const uint8_t *p;
	int rc = OK;

	if (!count_symbols(i))
		return err_set(e, ERR_INPUT, "image: hash table lies outside the segments");
	p = mem_at(i, i->symtab, i->symbols * sizeof(Symbol), PROT_READ);
	if (!p)
		return err_set(e, ERR_INPUT, "image: %llu symbols do not fit their segment",
			       (unsigned long long)i->symbols);
	for (uint64_t k = 1; rc == OK && k < i->symbols; k++) { /* symbol 0 is reserved */
		Symbol s;

		memcpy(&s, p + k * sizeof s, sizeof s);
		rc = check_symbol(i, &s, e);
	}
	return rc;
}

static int
relocate(Image *i, Err *e)
{
	const uint8_t *p = mem_at(i, i->rela, i->relasz, PROT_READ);

	if (i->pltrelsz) /* imports have been refused by name: calls to functions of its own */
		return err_set(e, ERR_UNSUPPORTED, "image: procedure linkage table");
	if (i->relasz && !p)
		return err_set(e, ERR_INPUT, "image: relocations lie outside the segments");
	for (uint64_t k = 0; k < i->relasz / sizeof(Relocation); k++) {
		Relocation r;
		uintptr_t v;
		void *at;

		memcpy(&r, p + k * sizeof r, sizeof r);
		if (RELOCATION_TYPE(r.r_info) != RELATIVE)
			return err_set(e, ERR_UNSUPPORTED, "image: relocation of type %u",
				       (unsigned)RELOCATION_TYPE(r.r_info));
		at = mem_at(i, r.r_offset, sizeof v, PROT_WRITE);
		if (!at || (uint64_t)r.r_addend > i->span)
			return err_set(e, ERR_INPUT, "image: relocation %llu reaches outside",
				       (unsigned long long)k);
		v = (uintptr_t)i->base + (uintptr_t)r.r_addend;
		memcpy(at, &v, sizeof v);
	}
	return OK;
}

static int
protect(Image *i, Err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (int k = 0; k < i->segments; k++) {
		const Segment *s = &i->seg[k];
		uint8_t *from = i->base + s->addr / page * page, *to = i->base + s->addr + s->memsz;

		if (s->prot & PROT_EXEC)
			__builtin___clear_cache((char *)from, (char *)to);
		if (mprotect(from, (size_t)(to - from), s->prot))
			return err_set(e, ERR_NOMEM, "image: segment %d cannot be protected", k);
	}
	return OK;
}

int
image_open(const void *bytes, size_t size, Image **out, Err *e)
{
	Image *i = calloc(1, sizeof *i);
	int rc;

	*out = NULL;
	if (!i)
		return err_set(e, ERR_NOMEM, "image: out of memory");
	rc = read_segments(i, bytes, size, e);
	if (rc == OK)
		rc = map_segments(i, bytes, e);
	if (rc == OK)
		rc = read_dynamic(i, e);
	if (rc == OK)
		rc = check_symbols(i, e);
	if (rc == OK)
		rc = relocate(i, e);
	if (rc == OK)
		rc = protect(i, e);
	if (rc == OK)
		*out = i;
	else
		image_close(i);
	return rc;
}

void *
image_symbol(const Image *i, const char *name)
{
	const uint8_t *p = mem_at(i, i->symtab, i->symbols * sizeof(Symbol), PROT_READ);

	for (uint64_t k = 1; p && k < i->symbols; k++) {
		const char *text;
		Symbol s;

		memcpy(&s, p + k * sizeof s, sizeof s);
		text = symbol_name(i, &s);
		if (text && !strcmp(text, name))
			return mem_at(i, s.st_value, 1, PROT_READ);
	}
	return NULL;
}

const void *
image_base(const Image *i, size_t *span)
{
	*span = i->span;
	return i->base;
}

void
image_close(Image *i)
{
	if (i && i->base)
		munmap(i->base, i->span);
	free(i);
}
