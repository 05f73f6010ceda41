/* Blobs: bytes named by their digest, in memory, at most a given number of them; the least recently
 * used ones that nobody holds go first. What was uploaded can also be kept in files, from which it
 * comes back when it is asked for. Frees explicitly, survives allocation failure. */
#ifndef RPC_SERVER_BLOBS_H
#define RPC_SERVER_BLOBS_H

#include "base/err.h"
#include "base/hash.h"
#include "rpc_server/blob_files.h"
#include "wire/message.h"

typedef struct Blobs Blobs;

typedef struct Blob {
	Digest digest;
	size_t size;
	uint8_t *data; /* never changes */
	uint32_t holds;
	struct Blob *newer, *older;
} Blob;

/* A blob on its way in; one session has a few. Zero-initialise. */
typedef struct Upload {
	Digest digest;
	uint8_t *data; /* NULL: this slot is free */
	size_t size, have;
	DigestState state;
} Upload;

enum { UPLOADS_MAX = 4 }; /* of one session at a time */

/* files: where uploads are kept too, owned by the store from now on; may be NULL. NULL when there
 * is no memory; files are then closed. */
Blobs *blobs_new(uint64_t cap, BlobFiles *files);
void blobs_free(Blobs *s); /* nobody may hold a blob any more; NULL is fine */

/* The blob of that digest, not to be freed before blobs_drop; NULL when it is not here. */
Blob *blobs_hold(Blobs *s, const Digest *d);
void blobs_drop(Blob *b); /* NULL is fine */

/* True: it is in memory now, and stays until room is needed. */
bool blobs_have(Blobs *s, const Digest *d);

/* Stores a copy. Errors: ERR_NOMEM when it does not fit beside the blobs that are held. */
int blobs_put(Blobs *s, const void *data, size_t size, Digest *d, Err *e);

/* Takes the next chunk of a blob into one of UPLOADS_MAX slots; chunks of one blob come in order.
 * The last one is verified. Errors: ERR_INPUT (wrong offset, size or digest), ERR_BUSY (no slot),
 * ERR_NOMEM; the upload is then forgotten. */
int blobs_chunk(Blobs *s, Upload *slots, const BlobChunk *c, Err *e);
void blobs_forget(Blobs *s, Upload *slots); /* of a session that ends */

#endif
