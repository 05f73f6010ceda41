/* The agent's log: lines with the time, to standard error or to a file of bounded size. */
#ifndef RPC_SERVER_LOG_FILE_H
#define RPC_SERVER_LOG_FILE_H

#include <stdint.h>

#include "base/err.h"

typedef struct LogFile {
	const char *path; /* NULL: standard error */
	int fd;
	uint64_t most, size; /* bytes of one file: allowed, in it */
} LogFile;

/* Lines are added to the file at path, which is made (mode 0640) if it is not there. When it would
 * exceed `most` bytes it becomes PATH.1, instead of the one before, so both never take more than
 * twice that. path: not copied; NULL: standard error. Errors: ERR_IO. */
int log_file_open(LogFile *l, const char *path, uint64_t most, Err *e);
void log_file_close(LogFile *l);

/* One line, with the time before it. What cannot be written goes to standard error. */
void log_file_line(LogFile *l, const char *line);

/* Opens the file at path again: somebody has moved it away. */
void log_file_reopen(LogFile *l);

#endif
