/* The fields of a baseline as tables, which printer and parser walk: what is printed reads back.
 * Private to the two. */
#ifndef REGRESS_BASELINE_FIELDS_H
#define REGRESS_BASELINE_FIELDS_H

#include <stddef.h>

#include "regress/baseline.h"

/* kind, C type of the field, what it is in the text */
#define FIELD_KIND_LIST(X)                                                \
	X(text, const char *, "text to the end of the line")              \
	X(integer, int64_t, "a number from 0 on")                         \
	X(number, double, "a number above 0")                             \
	X(digest, Digest, "32 hexadecimal digits")                        \
	X(words, BaselineWords, "words")                                  \
	X(integers, BaselineIntegers, "numbers from 0 on")                \
	X(numbers, BaselineNumbers, "numbers above 0")                    \
	X(literals, BaselineLiterals, "TYPE:DIGEST, separated by blanks") \
	X(tensors, BaselineTensors, "TYPE:BYTES, separated by blanks")    \
	X(lines, const char *, "lines that begin with two tabs")

typedef enum FieldKind {
#define X(name, type, text) FIELD_##name,
	FIELD_KIND_LIST(X)
#undef X
} FieldKind;

typedef struct Field {
	const char *name;
	FieldKind kind;
	size_t offset;
} Field;

/* All of a section, in the order of the text; each ends with a NULL name. */
extern const Field baseline_fields[], board_fields[], model_fields[], kernel_fields[];

#endif
