/* Arena: a list of blocks, the newest first; big requests get a block of their own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum { BLOCK_SIZE = 256 * 1024, SMALL_ALIGN = 16, LARGE_ALIGN = 64, LARGE = 1024 };

typedef struct Block {
	struct Block *next;
	size_t size, used;
	_Alignas(64) unsigned char data[];
} Block;

struct Arena {
	Block *top;
};

static void
out_of_memory(size_t size)
{
	fprintf(stderr, "hone: out of memory (%zu bytes asked for)\n", size);
	abort();
}

static Block *
block_new(size_t size, Block *next)
{
	size_t bytes = whole_lines(sizeof(Block) + size);
	Block *b = size < SIZE_MAX / 2 ? aligned_alloc(64, bytes) : NULL;

	if (!b)
		out_of_memory(size);
	*b = (Block){.next = next, .size = size};
	return b;
}

Arena *
arena_new(void)
{
	Arena *a = calloc(1, sizeof *a);

	if (!a)
		out_of_memory(sizeof *a);
	a->top = block_new(BLOCK_SIZE, NULL);
	return a;
}

static void
free_blocks(Block *b)
{
	while (b) {
		Block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_free(Arena *a)
{
	if (!a)
		return;
	free_blocks(a->top);
	free(a);
}

void
arena_reset(Arena *a)
{
	Block *keep = a->top;

	free_blocks(keep->next);
	keep->next = NULL;
	if (keep->size > BLOCK_SIZE) {
		free(keep);
		keep = block_new(BLOCK_SIZE, NULL);
	}
	keep->used = 0;
	a->top = keep;
}

void *
arena_alloc(Arena *a, size_t size)
{
	size_t align = size >= LARGE ? LARGE_ALIGN : SMALL_ALIGN;
	Block *b = a->top;
	size_t at = (b->used + align - 1) & ~(align - 1);
	void *p;

	if (at + size > b->size || at + size < at) {
		size_t need = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;

		if (need != BLOCK_SIZE) { /* its own block, below the one still in use */
			Block *own = block_new(need, b->next);

			b->next = own;
			own->used = size;
			return memset(own->data, 0, size);
		}
		b = a->top = block_new(need, b);
		at = 0;
	}
	p = b->data + at;
	b->used = at + size;
	return memset(p, 0, size);
}

void *
arena_alloc64(Arena *a, size_t size)
{
	return arena_alloc(a, size > LARGE ? size : LARGE + 1);
}

void *
arena_copy(Arena *a, const void *src, size_t size)
{
	void *p = arena_alloc(a, size);

	if (size)
		memcpy(p, src, size);
	return p;
}

char *
arena_strdup(Arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1);
}

char *
arena_digest(Arena *a, const Digest *d)
{
	char *text = arena_alloc(a, DIGEST_TEXT);

	digest_print(d, text);
	return text;
}

char *
arena_printf(Arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

void
vec_grow_(Arena *a, void **v, int n, int *cap, size_t size)
{
	void *old = *v;
	int want;

	if (n < *cap)
		return;
	want = *cap ? 2 * *cap : 8;
	*v = arena_alloc(a, (size_t)want * size);
	if (n)
		memcpy(*v, old, (size_t)n * size);
	*cap = want;
}
