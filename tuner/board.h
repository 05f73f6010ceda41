/* What the files of the boards share. Fields of a Board are its thread's, those of Boards and those
 * marked so are under the lock. */
#ifndef TUNER_BOARD_H
#define TUNER_BOARD_H

#include <pthread.h>

#include "tuner/boards.h"
#include "tuner/canary.h"

typedef struct Board {
	Boards *all;
	int number;
	pthread_t thread;
	bool runs; /* thread is there to be joined */
	BoardFacts facts;
	Device device;
	int room;         /* parcels at a time */
	Parcel *canary;   /* NULL: none */
	bool canary_sent; /* and not back */
	int canary_left;  /* to be measured yet */
	double canary_ns; /* the least of those measured in a row; 0: none yet */
	int since;        /* parcels sent since the canary was */
	uint64_t canary_at;
	bool calibrated, mending;

	/* under the lock */
	int held;            /* parcels, without the canary */
	uint64_t away_since; /* clock_ns; 0: it is there */
	bool gone;           /* for good; why */
	Err why;
	bool tried; /* the canary, however that ended */
	CanaryTime time;
	CanaryVerdict verdict;
	bool apart, ever_apart;
	int lost;
} Board;

typedef struct Message {
	struct Message *next;
	BoardNews news;
} Message;

struct Boards {
	BoardsOptions opt;
	Arena *arena;
	pthread_mutex_t lock;
	pthread_cond_t work, told; /* for the boards; for the tuner */
	int n;
	bool started, cancelled, quit;
	Parcel *line;          /* those that wait, by Parcel.next */
	int out;               /* parcels not given back to the tuner */
	Message *first, *last; /* news, in their arena */
	Arena *news;
	uint64_t hand_back_ns; /* an absence after which others get what a board had */
	Board board[];
};

/* --- boards.c; with the lock held --- */

void boards_tell(Boards *b, const Message *m); /* copies it */
void boards_say(Board *b, const char *text); /* NEWS_TEXT, with its name where there are several */
void boards_done(Board *b, Parcel *p);       /* complete, from this board */
void boards_judge(Boards *b);                /* after a canary, or when a board comes or goes */
bool boards_others(const Board *b);          /* somebody else is there */

/* The first in line that may go to this board, out of the line; NULL: none. */
Parcel *boards_next(Board *b);
void boards_return(Board *b, Parcel *p); /* to the head of it, with what is missing */

/* --- board.c --- */

void *board_run(void *board); /* the thread */

/* For Device: while connecting in the tuner's thread as well. */
bool board_stops(void *board);
void board_notices(void *board, const char *text);

#endif
