/* Objects to an image. Order: every object is read and checked, its loaded sections get addresses,
 * then all is written and relocated.
 *
 * Invariants: address and offset in the file are the same number, so the headers, the tables and
 * read-only data are one segment and the code, on pages of its own, another. Objects are read
 * through part_of() only, which checks the range; structures are copied out. */
#include "codegen/join.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

enum { PAGE = 4096, SEGMENTS = 4, ALIGN_MAX = PAGE };

#ifndef SHT_X86_64_UNWIND
#define SHT_X86_64_UNWIND 0x70000001
#endif

typedef struct Object {
	const uint8_t *bytes;
	size_t size;
	int nsection, nsymbol;
	Elf64_Shdr *section;
	uint64_t *addr; /* by section; 0: not loaded */
	Elf64_Sym *symbol;
	const char *name; /* of symbols, ends with 0 */
	uint64_t name_size;
} Object;

typedef struct Export {
	const char *name;
	Elf64_Sym symbol; /* its section is that of its object until it has an address */
	const Object *object;
} Export;

typedef struct Join {
	Arena *a;
	Object *object;
	int n;
	VEC(Export) export;
	uint64_t name_bytes; /* of exports, each with its 0, behind an empty one */
	uint64_t dynamic, hash, symbols, names, data_end, code, end; /* addresses */
	uint8_t *out;
} Join;

static const void *
part_of(const Object *o, uint64_t at, uint64_t n)
{
	return at <= o->size && n <= o->size - at ? o->bytes + at : NULL;
}

/* A copy of a table of n entries of `each` bytes; NULL when it is not in the object. */
static void *
table_of(Arena *a, const Object *o, uint64_t at, uint64_t n, size_t each)
{
	const void *p = n <= o->size ? part_of(o, at, n * each) : NULL;

	return p ? arena_copy(a, p, (size_t)n * each) : NULL;
}

static bool
is_loaded(const Elf64_Shdr *s)
{
	return s->sh_flags & SHF_ALLOC && s->sh_size;
}

static bool
takes_section(const Object *o, const Elf64_Shdr *s)
{
	uint64_t flags = SHF_ALLOC | SHF_EXECINSTR | SHF_MERGE | SHF_STRINGS;

	if (s->sh_type == SHT_GROUP || s->sh_type == SHT_REL)
		return false;
	if (!is_loaded(s))
		return true;
	return (s->sh_type == SHT_PROGBITS || s->sh_type == SHT_X86_64_UNWIND) &&
	       !(s->sh_flags & ~flags) && part_of(o, s->sh_offset, s->sh_size) &&
	       s->sh_addralign <= ALIGN_MAX && !(s->sh_addralign & (s->sh_addralign - 1));
}

static bool
read_symbols(Join *j, Object *o, const Elf64_Shdr *s)
{
	const Elf64_Shdr *names = s->sh_link < (unsigned)o->nsection ? &o->section[s->sh_link] : s;

	if (o->symbol || s->sh_entsize != sizeof(Elf64_Sym) || names == s)
		return false;
	o->nsymbol = (int)(s->sh_size / sizeof(Elf64_Sym));
	o->symbol = table_of(j->a, o, s->sh_offset, (uint64_t)o->nsymbol, sizeof(Elf64_Sym));
	o->name = part_of(o, names->sh_offset, names->sh_size);
	o->name_size = names->sh_size;
	return o->symbol && o->name && o->name_size && !o->name[o->name_size - 1];
}

static bool
read_object(Join *j, Object *o)
{
	const void *p = part_of(o, 0, sizeof(Elf64_Ehdr));
	Elf64_Ehdr h;

	if (!p || memcmp(p, ELFMAG, SELFMAG))
		return false;
	memcpy(&h, p, sizeof h);
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_type != ET_REL || h.e_machine != EM_X86_64 || h.e_shentsize != sizeof(Elf64_Shdr))
		return false;
	o->nsection = h.e_shnum;
	o->section = table_of(j->a, o, h.e_shoff, h.e_shnum, sizeof(Elf64_Shdr));
	o->addr = ARENA_ARRAY(j->a, uint64_t, o->nsection + 1);
	if (!o->section || !o->nsection)
		return false;
	for (int i = 0; i < o->nsection; i++)
		if (!takes_section(o, &o->section[i]) ||
		    (o->section[i].sh_type == SHT_SYMTAB && !read_symbols(j, o, &o->section[i])))
			return false;
	return true;
}

static const Export *
export_named(const Join *j, const char *name)
{
	for (int i = 0; i < j->export.n; i++)
		if (!strcmp(j->export.v[i].name, name))
			return &j->export.v[i];
	return NULL;
}

/* Whether the symbol lies in a section that is loaded. */
static bool
is_placed(const Object *o, const Elf64_Sym *s)
{
	return s->st_shndx < o->nsection && is_loaded(&o->section[s->st_shndx]);
}

static bool
add_export(Join *j, const Object *o, const Elf64_Sym *s)
{
	const char *name = s->st_name < o->name_size ? o->name + s->st_name : "";
	int type = ELF64_ST_TYPE(s->st_info);

	if (ELF64_ST_BIND(s->st_info) != STB_GLOBAL || type == STT_TLS || type == STT_GNU_IFUNC ||
	    !is_placed(o, s) || !*name || export_named(j, name))
		return false;
	vec_push(j->a, &j->export, ((Export){name, *s, o}));
	j->name_bytes += strlen(name) + 1;
	return true;
}

/* Everything global that has a place is exported: images hold kernels, and these are called by
 * name. */
static bool
read_exports(Join *j, const Object *o)
{
	for (int i = 1; i < o->nsymbol; i++) {
		const Elf64_Sym *s = &o->symbol[i];

		if (ELF64_ST_BIND(s->st_info) == STB_LOCAL || s->st_shndx == SHN_UNDEF)
			continue;
		if (!add_export(j, o, s))
			return false;
	}
	return true;
}

static uint64_t
round_to(uint64_t at, uint64_t align)
{
	return align ? (at + align - 1) / align * align : at;
}

static uint64_t
place_sections(Join *j, uint64_t at, bool code)
{
	for (int k = 0; k < j->n; k++)
		for (int i = 0; i < j->object[k].nsection; i++) {
			const Elf64_Shdr *s = &j->object[k].section[i];

			if (!is_loaded(s) || !(s->sh_flags & SHF_EXECINSTR) == code)
				continue;
			at = round_to(at, s->sh_addralign);
			j->object[k].addr[i] = at;
			at += s->sh_size;
		}
	return at;
}

enum { TAGS = 6 };

static void
place_all(Join *j)
{
	uint64_t n = (uint64_t)j->export.n + 1;

	j->dynamic = sizeof(Elf64_Ehdr) + SEGMENTS * sizeof(Elf64_Phdr);
	j->symbols = j->dynamic + TAGS * sizeof(Elf64_Dyn);
	j->hash = j->symbols + n * sizeof(Elf64_Sym);
	j->names = j->hash + (2 + 2 * n) * sizeof(uint32_t);
	j->data_end = place_sections(j, j->names + 1 + j->name_bytes, false);
	j->code = round_to(j->data_end, PAGE);
	j->end = place_sections(j, j->code, true);
}

static void
put(Join *j, uint64_t at, const void *p, size_t n)
{
	memcpy(j->out + at, p, n);
}

static void
write_headers(Join *j)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				    EV_CURRENT},
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof h,
			.e_ehsize = sizeof h,
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = SEGMENTS};
	Elf64_Phdr p[SEGMENTS] = {
		{.p_type = PT_LOAD, .p_flags = PF_R, .p_align = PAGE},
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_align = PAGE, .p_offset = j->code},
		{.p_type = PT_DYNAMIC, .p_flags = PF_R, .p_align = 8, .p_offset = j->dynamic},
		{.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 1},
	};
	Elf64_Dyn d[TAGS] = {{DT_HASH, {j->hash}},
			     {DT_SYMTAB, {j->symbols}},
			     {DT_STRTAB, {j->names}},
			     {DT_STRSZ, {1 + j->name_bytes}},
			     {DT_SYMENT, {sizeof(Elf64_Sym)}},
			     {DT_NULL, {0}}};

	p[0].p_filesz = j->data_end;
	p[1].p_filesz = j->end - j->code;
	p[2].p_filesz = sizeof d;
	for (int i = 0; i < SEGMENTS; i++) {
		p[i].p_vaddr = p[i].p_paddr = p[i].p_offset;
		p[i].p_memsz = p[i].p_filesz;
	}
	put(j, 0, &h, sizeof h);
	put(j, sizeof h, p, sizeof p);
	put(j, j->dynamic, d, sizeof d);
}

/* As the System V ABI says. */
static uint32_t
hash_of(const char *name)
{
	uint32_t h = 0, g;

	for (; *name; name++) {
		h = (h << 4) + (uint8_t)*name;
		g = h & 0xf0000000;
		h = (h ^ g >> 24) & ~g;
	}
	return h;
}

/* Symbols, names and the hash table: as many buckets as symbols. */
static void
write_exports(Join *j)
{
	uint32_t n = (uint32_t)j->export.n + 1, name = 1;
	uint32_t *table = ARENA_ARRAY(j->a, uint32_t, 2 + 2 * n), *bucket = table + 2;
	uint32_t *chain = bucket + n;

	table[0] = table[1] = n;
	for (uint32_t i = 1; i < n; i++) {
		const Export *x = &j->export.v[i - 1];
		uint32_t b = hash_of(x->name) % n;
		Elf64_Sym s = x->symbol;
		size_t bytes = strlen(x->name) + 1;

		s.st_value += x->object->addr[s.st_shndx];
		s.st_name = name;
		s.st_shndx = 1; /* there are no sections; anything but undefined */
		put(j, j->symbols + i * sizeof s, &s, sizeof s);
		put(j, j->names + name, x->name, bytes);
		name += (uint32_t)bytes;
		chain[i] = bucket[b];
		bucket[b] = i;
	}
	put(j, j->hash, table, (2 + 2 * (size_t)n) * sizeof *table);
}

static bool
find_symbol(const Join *j, const Object *o, uint64_t number, uint64_t *value)
{
	const Elf64_Sym *s;

	if (number >= (uint64_t)o->nsymbol)
		return false;
	s = &o->symbol[number];
	if (s->st_shndx == SHN_UNDEF) {
		const char *name = s->st_name < o->name_size ? o->name + s->st_name : "";
		const Export *x = export_named(j, name);

		if (!x)
			return false;
		o = x->object;
		s = &x->symbol;
	}
	*value = is_placed(o, s) ? o->addr[s->st_shndx] + s->st_value : 0;
	return *value != 0;
}

static bool
relocate(Join *j, const Object *o, uint64_t base, uint64_t size, const Elf64_Rela *r)
{
	uint32_t type = ELF64_R_TYPE(r->r_info);
	uint64_t value;
	int64_t distance;
	int32_t word;

	if (type == R_X86_64_NONE)
		return true;
	if ((type != R_X86_64_PC32 && type != R_X86_64_PLT32) || size < sizeof word ||
	    r->r_offset > size - sizeof word || !find_symbol(j, o, ELF64_R_SYM(r->r_info), &value))
		return false;
	distance = (int64_t)(value + (uint64_t)r->r_addend - (base + r->r_offset));
	word = (int32_t)distance;
	put(j, base + r->r_offset, &word, sizeof word);
	return word == distance;
}

static bool
write_object(Join *j, const Object *o)
{
	for (int i = 0; i < o->nsection; i++)
		if (o->addr[i])
			put(j, o->addr[i], o->bytes + o->section[i].sh_offset,
			    o->section[i].sh_size);
	for (int i = 0; i < o->nsection; i++) {
		const Elf64_Shdr *s = &o->section[i];
		uint64_t n = s->sh_size / sizeof(Elf64_Rela);
		const uint8_t *table = part_of(o, s->sh_offset, s->sh_size);

		if (s->sh_type != SHT_RELA || s->sh_info >= (unsigned)o->nsection ||
		    !o->addr[s->sh_info])
			continue;
		for (uint64_t k = 0; k < n; k++) {
			Elf64_Rela r;

			if (!table || s->sh_entsize != sizeof r)
				return false;
			memcpy(&r, table + k * sizeof r, sizeof r);
			if (!relocate(j, o, o->addr[s->sh_info], o->section[s->sh_info].sh_size,
				      &r))
				return false;
		}
	}
	return true;
}

int
join_objects(const LinkInput *in, int n, Arena *a, const void **bytes, size_t *size)
{
	Join j = {.a = a, .n = n, .object = ARENA_ARRAY(a, Object, n)};

	for (int i = 0; i < n; i++) {
		j.object[i] = (Object){.bytes = in[i].bytes, .size = in[i].size};
		if (!read_object(&j, &j.object[i]) || !read_exports(&j, &j.object[i]))
			return NOT_APPLICABLE;
	}
	place_all(&j);
	if (j.end == j.code || j.end > INT32_MAX)
		return NOT_APPLICABLE;
	j.out = arena_alloc(a, j.end);
	write_headers(&j);
	write_exports(&j);
	for (int i = 0; i < n; i++)
		if (!write_object(&j, &j.object[i]))
			return NOT_APPLICABLE;
	*bytes = j.out;
	*size = j.end;
	return OK;
}
