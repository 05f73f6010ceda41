/* Record: the journal's one entry: what runs, and in which life of the board. */
#ifndef RPC_SERVER_RECORD_H
#define RPC_SERVER_RECORD_H

#include "base/hash.h"
#include "wire/batch.h"

enum {
	RECORD_BOOT = 40, /* bytes of a boot id, with the NUL */
	RECORD_BYTES = 16384,
	RECORD_AT = 14,    /* where the number of the one that runs stands in the text */
	RECORD_AT_LEN = 4, /* decimal digits */
};

typedef struct Record {
	char boot[RECORD_BOOT];
	int64_t pid, began; /* of the agent; seconds since 1970: a label */
	uint32_t at;        /* of run; changed in place, so it may be older than the rest */
	uint32_t n;         /* 0: nothing runs */
	Digest run[CANDIDATES_MAX];
} Record;

/* ERR_INPUT: damaged, cut off or empty; then nothing can be said about what ran. */
int record_parse(Record *r, const char *text, size_t size);
size_t record_print(const Record *r, char text[RECORD_BYTES]); /* bytes */
void record_print_at(uint32_t at, char text[RECORD_AT_LEN + 1]);

#endif
