/* Wedge: a runner that was killed and does not end, because the system holds it: a driver that
 * hangs. Nothing runs until it is gone: what came after it would wait, or share its processor. */
#ifndef RPC_SERVER_WEDGE_H
#define RPC_SERVER_WEDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { WEDGE_TEXT = 160 };

typedef struct Wedge {
	pid_t pid;            /* that does not end; 0: all is well */
	pid_t hook;           /* the command on its way; 0: none */
	uint64_t since, next; /* clock_ns; when to look again */
} Wedge;

/* pid is a child of this process that was killed. command: for sh, run once, with HONE_WEDGED_PID
 * and no input; NULL: none. It is ended after a minute. */
void wedge_begin(Wedge *w, pid_t pid, const char *command, uint64_t now);

/* After a child ended, and when the deadline has come. True when the runner is gone at last. */
bool wedge_look(Wedge *w, uint64_t now);

uint64_t wedge_deadline(const Wedge *w); /* UINT64_MAX: none */

/* "process 711 was killed 12 s ago and does not end"; "" when all is well. */
void wedge_text(const Wedge *w, uint64_t now, char text[WEDGE_TEXT]);

#endif
