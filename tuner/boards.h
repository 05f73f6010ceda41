/* Boards: the devices of a run, all of one model. Each has a thread that keeps its connection, its
 * lease and what is in flight there (tuner/device.h); parcels wait in one line, and a board takes
 * the next one when it has room. A board that is lost keeps nobody waiting: what it had goes back
 * into the line after a while, and it comes in again when it is there again.
 *
 * Where there are several, each measures the canary before its first parcel and now and then
 * (tuner/canary.h); races go only to boards that agree. A race runs on one board.
 *
 * Everything here is for one thread, the tuner's. Texts live as long as the boards.
 */
#ifndef TUNER_BOARDS_H
#define TUNER_BOARDS_H

#include "tuner/device.h"
#include "tuner/tune.h"

typedef struct BoardsOptions {
	const char *const *address; /* outlive the boards */
	int n;                      /* 0: one, a private agent */
	RpcWay way;                 /* of each, but for its address */
	uint64_t reconnect_ns;      /* 0: RECONNECT_NS */
	double wait_s;              /* RpcWait.seconds */
	int threads;                /* that compute a kernel together */
	const char *runner;         /* that measures */
	bool (*stop)(void *self);   /* asked while connecting */
	void *self;
} BoardsOptions;

/* What does not change with a new connection. */
typedef struct BoardFacts {
	const char *name;    /* address, or the host's name */
	const char *session; /* of its rows */
	const char *cpu;
	bool insecure, emulated;
} BoardFacts;

typedef struct Boards Boards;

/* Connects to all. session: of the rows of one board; several are numbered. Errors: those of
 * device_open; ERR_INPUT when two are not of one model, or are one and the same, names both and
 * what differs, also when a board has too few cores or no such runner. */
int boards_open(const BoardsOptions *o, const char *session, Boards **out, Err *e);
void boards_close(Boards *b); /* with everything that is on its way; NULL is fine */

int boards_count(const Boards *b);
const BoardFacts *boards_facts(const Boards *b, int i);

/* Of the first board; before boards_start. */
const DeviceInfo *boards_info(const Boards *b);

/* Whether two devices are of one model: processor, features, caches, cores. Errors: ERR_INPUT names
 * both and the first thing that differs. */
int boards_compare(const DeviceInfo *a, const char *a_name, const DeviceInfo *b, const char *b_name,
		   Err *e);

/* Begins. canary: a parcel per board, of the same kernels; the boards own them. NULL: none, and
 * races run anywhere. Errors: ERR_NOMEM. */
int boards_start(Boards *b, Parcel *const *canary, Err *e);

/* How many parcels may be built now: what the boards measure, and some for each that wait in the
 * line, less those under way. */
int boards_room(Boards *b);

/* From any thread. A parcel is about to be built; boards_built brings it: into the line, or to
 * boards_take at once where nothing is to be measured or everything was cancelled. p NULL: it could
 * not be built, why says so. It belongs to the boards until boards_take gives it back. */
void boards_expect(Boards *b);
void boards_built(Boards *b, void *owner, Parcel *p, const Err *why);
bool boards_cancelled(Boards *b);

/* Parcels expected that boards_take has not given back. */
int boards_out(Boards *b);

typedef enum BoardNewsKind {
	NEWS_PARCEL,      /* complete */
	NEWS_REFUSED,     /* not built, or refused by the agent; why: text */
	NEWS_TEXT,        /* for people */
	NEWS_CALIBRATION, /* what the board can do, before its first parcel */
} BoardNewsKind;

typedef struct BoardNews {
	BoardNewsKind kind;
	int board;
	void *owner;    /* of the parcel, or of what is none; NULL: of nothing */
	Parcel *parcel; /* the caller's again; REFUSED: may be NULL */
	Calibration calibration;
	char text[ERR_TEXT_MAX + 256];
	int code; /* of the refusal */
} BoardNews;

/* The next that is new. NOT_APPLICABLE when nothing is within timeout_ms. Errors: when no board is
 * left, of the only one, or ERR_DEVICE which says of each why. */
int boards_take(Boards *b, int timeout_ms, BoardNews *out, Err *e);

/* Everything is to stop: what is out still comes back, CANCELLED where unmeasured. */
void boards_cancel(Boards *b);

/* What is known of them, as far as it is. */
void boards_report(Boards *b, TuneBoard *out);

#endif
