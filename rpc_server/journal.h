/* Journal: which candidates were running when the board or the agent went down, and which of them
 * are never run again.
 *
 * Before candidates run, their digests are in the file `running` of the state folder, on disk. An
 * agent that finds some there when it starts counts them in the file `poison`: a reset of the board
 * when they are of another boot id, a kill of the agent when they are of this one. Whoever was
 * counted once is a suspect: it runs alone in the journal, and is forgiven when it runs to its end.
 * Whoever is counted twice (kills: three times) is refused.
 *
 * Writing is the one thing that the agent's loop waits for. A disk that is full or broken is told,
 * and tried again; candidates run meanwhile.
 */
#ifndef RPC_SERVER_JOURNAL_H
#define RPC_SERVER_JOURNAL_H

#include "base/err.h"
#include "base/hash.h"
#include "rpc_server/outcome.h"

#define JOURNAL_BOOT_ID "/proc/sys/kernel/random/boot_id"

typedef struct JournalConfig {
	const char *folder;  /* made when it is not there, mode 0700 */
	const char *boot_id; /* file; NULL: JOURNAL_BOOT_ID */
	void *self;
	void (*note)(void *self, const char *line); /* what people should know; may be NULL */
} JournalConfig;

typedef struct Journal Journal;

/* Counts what was left behind. Errors: ERR_BUSY another agent has the folder; ERR_INPUT others may
 * read or change it; ERR_IO, ERR_NOMEM. */
int journal_open(const JournalConfig *c, Journal **out, Err *e);
void journal_close(Journal *j); /* nothing runs; NULL is fine */

/* All below: j may be NULL, then nothing is remembered. */

/* Whether d may not run, and why. */
bool journal_refuses(const Journal *j, const Digest *d, Reason why);

/* run[at] is about to run, one of n that run in turn. Returns when that is on disk. */
void journal_running(Journal *j, const Digest *run, uint32_t n, uint32_t at);

void journal_passed(Journal *j, const Digest *d); /* it ran to its end */
void journal_idle(Journal *j);                    /* nothing runs */
uint32_t journal_refused(const Journal *j);       /* how many are never run again */

#endif
