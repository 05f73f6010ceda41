/* Arena: memory for everything derived from one model, task or candidate, released at once.
 *
 * Compiler code allocates here and never frees single objects. Allocation cannot fail for the
 * caller: when the machine has no memory left the process ends with a message, because a compiler
 * has nothing useful to do then. The agent, the wire and the log do not use arenas.
 * Not thread safe: one arena belongs to one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/hash.h"

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *a);  /* NULL is fine */
void arena_reset(Arena *a); /* keeps one block for reuse */

void *arena_alloc(Arena *a, size_t size);   /* zeroed, 64-byte aligned above 1 KiB, else 16 */
void *arena_alloc64(Arena *a, size_t size); /* zeroed, 64-byte aligned */
void *arena_copy(Arena *a, const void *src, size_t size);
char *arena_strdup(Arena *a, const char *s);
char *arena_digest(Arena *a, const Digest *d); /* as text */
char *arena_printf(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, T)      ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/* Growing array in an arena: struct { T *v; int n, cap; }. Old storage stays in the arena. */
#define VEC(T)              \
	struct {            \
		T *v;       \
		int n, cap; \
	}
#define vec_push(a, vec, item)                                                        \
	(vec_grow_((a), (void **)&(vec)->v, (vec)->n, &(vec)->cap, sizeof *(vec)->v), \
	 (vec)->v[(vec)->n++] = (item))

void vec_grow_(Arena *a, void **v, int n, int *cap, size_t size);

#endif
