/* Parcel: candidates of one Task, compiled into one image, on their way to the device and back.
 * Everything that travels stays in the parcel, so that it can be sent again. */
#ifndef TUNER_PARCEL_H
#define TUNER_PARCEL_H

#include "codegen/lowered.h"
#include "tuner/problem.h"

typedef struct ParcelItem {
	const char *text; /* the Sched */
	char algorithm[SCHED_REWRITE_MAX];
	char code[DIGEST_TEXT]; /* digest of its object code; "" when none was made */
	bool back;              /* result is known */
	int by;                 /* board that gave it (tuner/boards.h), from 1; 0: none */
	Result result;          /* heap; parcel_free frees it */
} ParcelItem;

/* A result that must not count, because its lease was over. */
typedef struct StaleResult {
	int item, by;  /* as in ParcelItem */
	Result result; /* heap; parcel_free frees it */
} StaleResult;

typedef struct Parcel {
	Arena *arena;
	int n;
	ParcelItem *item; /* id of a candidate = number of its item */
	VEC(StaleResult) stale;
	Batch batch;       /* those that could be built; in the arena */
	Blobs blob;        /* everything the batch names */
	uint64_t batch_id; /* under which it was sent last */
	int attempts;
	double open_s, build_s, link_s, send_s; /* spent on it */
	void *owner;                            /* the caller's */
	struct Parcel *next;                    /* of those that hold it */
} Parcel;

typedef struct ParcelSpec {
	const char *runner; /* NULL: "cpu" */
	bool bare;          /* nothing is compiled: for a runner that runs nothing */
	Problem *problem;
	Emit *emit;
	ObjectCache *object;
	const char *const *text;
	int n;
	bool final;         /* finalists: more samples are checked */
	int spills;         /* vectors on the stack in a multiply-add loop that are let pass */
	int64_t operations; /* as loop_operations; what has more is not compiled; 0: any */
	MeasureSpec measure;
	double floor_ns;      /* of Candidate */
	uint32_t deadline_ms; /* of Candidate */
	uint64_t seed;        /* of Batch */
	const Code *before;   /* functions that run and are timed before those of every candidate,
			       * and use at most a line of scratch; NULL: none */
	void (*lowered)(void *self, const Lowered *l); /* sees every candidate; may be NULL */
	void *self;
} ParcelSpec;

/* Lowers, emits and links. Candidates that do not lower, or spill more than is let pass, come back
 * at once as INFEASIBLE, those that the back end refuses as BUILD; the rest is in batch. Errors: of
 * the linker. */
int parcel_build(const ParcelSpec *spec, Parcel **out, Err *e);
void parcel_free(Parcel *p); /* NULL is fine */

/* Contents that the parcel carries under that digest; NULL: none. */
const Blob *parcel_blob(const Parcel *p, const Digest *d);
/* Carries them, once. Its data is not copied: it lives as long as p. */
void parcel_carry(Parcel *p, Blob blob);
/* Gives candidate c of p a pool of so many bytes, packed as the pack description says, whose data
 * lives as long as p: a short one travels in the candidate, a longer one is carried. */
void parcel_set_pool(Parcel *p, Candidate *c, uint64_t bytes, Blob pack);

bool parcel_complete(const Parcel *p);
bool parcel_lost(const Parcel *p); /* some result says LOST */
/* Before it is sent again: forgets results that say LOST, and of a race all when one is missing or
 * lost, for samples are compared round by round. */
void parcel_forget(Parcel *p);
/* To be measured once more: forgets what a device said. */
void parcel_again(Parcel *p);
/* Settles an item without the device. reason is copied. */
void parcel_settle(Parcel *p, int item, Status status, const char *reason);
/* The same for every item that is not back. */
void parcel_settle_rest(Parcel *p, Status status, const char *reason);
/* Takes the result over. False when no item waits for it, or it is stale: the item waits on, and
 * what was measured goes to `stale`. */
bool parcel_store(Parcel *p, Result *r);

#endif
