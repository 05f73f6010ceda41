/* Bounded scan of one msgpack value before any decoder sees it: counts, nesting and lengths, in
 * one pass without allocation or recursion. What passes can be decoded in memory that is a small
 * multiple of its length. */
#ifndef WIRE_SCAN_H
#define WIRE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_DEPTH_MAX = 16 };

typedef struct ScanLimits {
	uint32_t bytes;    /* of the whole frame */
	uint32_t depth;    /* at most SCAN_DEPTH_MAX nested arrays and maps */
	uint32_t elements; /* values in total, keys included */
	uint32_t keys;     /* of one map */
} ScanLimits;

/* name, text */
#define SCAN_LIST(X)                                 \
	X(FINE, "fine")                              \
	X(TOO_LONG, "frame is too long")             \
	X(TRUNCATED, "value reaches past the frame") \
	X(TRAILING, "bytes follow the value")        \
	X(TOO_DEEP, "nested too deep")               \
	X(TOO_MANY, "too many elements")             \
	X(TOO_MANY_KEYS, "too many keys in a map")   \
	X(BAD_TEXT, "text is not UTF-8")             \
	X(BAD_TYPE, "reserved or extension type")

typedef enum ScanVerdict {
#define X(name, text) SCAN_##name,
	SCAN_LIST(X)
#undef X
		SCAN_COUNT
} ScanVerdict;

ScanVerdict scan(const void *frame, size_t size, const ScanLimits *limits);
bool scan_utf8(const void *text, size_t n);
const char *scan_text(ScanVerdict v);

#endif
