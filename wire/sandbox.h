/* The layers of a sandbox that runners may be in. The bits are on the wire and in logs: never used
 * again. */
#ifndef WIRE_SANDBOX_H
#define WIRE_SANDBOX_H

#include <stdint.h>

#include "base/err.h"

/* name, bit, word on the command line, text for people */
#define SANDBOX_LIST(X)                                                                   \
	X(SESSION, 0, "session", "a session of its own, ended as a whole")                \
	X(LIMITS, 1, "limits", "memory, processor time, files and processes are bounded") \
	X(PRIVILEGES, 2, "no-new-privs", "nothing gains privileges")                      \
	X(USER, 3, "user-ns", "no user of this machine")                                  \
	X(IPC, 4, "ipc-ns", "no System V memory or queues")                               \
	X(PID, 5, "pid-ns", "sees no other process, and takes its own along")             \
	X(ORPHAN, 6, "parent-death", "ends when the agent ends")                          \
	X(CAPABILITIES, 7, "capabilities", "nothing that only root may")                  \
	X(LANDLOCK, 8, "landlock", "no files")                                            \
	X(FILTER, 9, "load-filter", "few system calls while a batch is loaded")           \
	X(COMPUTE, 10, "run-filter", "next to none while kernels run")

typedef enum SandboxLayer {
#define X(name, bit, word, text) SANDBOX_##name = (bit),
	SANDBOX_LIST(X)
#undef X
		SANDBOX_LAYERS
} SandboxLayer;

#define SANDBOX_ALL        (((uint64_t)1 << SANDBOX_LAYERS) - 1)
#define SANDBOX_BIT(layer) ((uint64_t)1 << SANDBOX_##layer)

/* What stops a kernel that was written to do harm. */
#define SANDBOX_STRONG (SANDBOX_BIT(LIMITS) | SANDBOX_BIT(PRIVILEGES) | SANDBOX_BIT(COMPUTE))

const char *sandbox_word(unsigned layer); /* "landlock"; "?" for one that is not known here */
const char *sandbox_text(unsigned layer);

/* Reads "landlock,limits", "all", "none", or "all,-landlock". Errors: ERR_INPUT names the word. */
int sandbox_parse(const char *list, uint64_t *layers, Err *e);

enum { SANDBOX_WORDS_BYTES = 256 };

/* The other way: "session,limits", "none". Layers that are not known here are left out. */
void sandbox_words(uint64_t layers, char text[SANDBOX_WORDS_BYTES]);

#endif
