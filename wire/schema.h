/* How plain structs map to msgpack maps, as tables; used by encode.c, decode.c and the tests. */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

/* name, C type of one value */
#define KIND_LIST(X)                                        \
	X(U32, uint32_t) /* limit: the value stays below */ \
	X(U64, uint64_t)                                    \
	X(F64, double)                                      \
	X(BOOL, bool)                                       \
	X(TEXT, char *)   /* limit: bytes */                \
	X(DIGEST, Digest) /* 16 bytes of bin */             \
	X(BYTE, uint8_t)  /* only as a list: bin */         \
	X(NEST, Nest)     /* [offset, counts, strides] */   \
	X(STRUCT, char)   /* a map of its own schema */

typedef enum FieldKind {
#define X(name, type) KIND_##name,
	KIND_LIST(X)
#undef X
		KIND_COUNT
} FieldKind;

typedef struct Schema Schema;

typedef struct Field {
	const char *name;
	uint8_t key, kind;
	bool list;
	uint16_t offset;
	uint32_t limit; /* of a single value, see KIND_LIST; 0 = none */
	uint32_t count; /* most values of a list */
	const Schema *sub;
} Field;

struct Schema {
	const char *name;
	size_t size;
	const Field *field;
	uint32_t fields;
};

/* Every LIST(T) looks like this one. */
typedef LIST(void) List;

size_t field_size(const Field *f); /* of one value */

/* Arguments of a message; NULL when there is no such message. */
const Schema *schema_of(uint32_t kind, uint32_t method);

void schema_fini(const Schema *s, void *data);

/* What decoding allocates is bounded by the length of the frame: DECODE_TIMES of it, and
 * DECODE_MORE. An allocation counts ALLOC_COST more than its bytes. */
enum { DECODE_TIMES = 4, DECODE_MORE = 64 * 1024, ALLOC_COST = 32 };

/* What decoding a struct like this one allocates. */
size_t schema_weight(const Schema *s, const void *data);

#endif
