/* Blobs in a folder, so that an agent that was restarted still has them: a file for each, named by
 * its digest, at most a given number of bytes in all; those that were not used for longest go
 * first. Nothing here is believed: what is read is compared with its digest. */
#ifndef RPC_SERVER_BLOB_FILES_H
#define RPC_SERVER_BLOB_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

typedef struct BlobFiles BlobFiles;

typedef void BlobNote(void *self, const char *line);

/* Makes the folder (mode 0700) if it is not there and looks at what it holds. Half-written files
 * and those beyond the cap are deleted; files that this module did not name stay, and are told.
 * note may be NULL. Errors: ERR_IO, ERR_NOMEM; ERR_BUSY another agent has the folder. */
int blob_files_open(BlobFiles **f, const char *folder, uint64_t cap, BlobNote *note, void *self,
		    Err *e);
void blob_files_close(BlobFiles *f); /* NULL is fine, here and below: nothing is kept */

/* Is there a file of that digest, and how long is it. Says nothing of its content. */
bool blob_files_size(const BlobFiles *f, const Digest *d, uint64_t *size);

/* Fills data, of the size it was said to have. False when the file is not what its name says: it is
 * deleted, and noted. */
bool blob_files_read(BlobFiles *f, const Digest *d, void *data);

/* Keeps data, if that can be. When it cannot (the disk is full) it is noted, once until it works
 * again, and nothing is left behind. */
void blob_files_write(BlobFiles *f, const Digest *d, const void *data, uint64_t size);

#endif
