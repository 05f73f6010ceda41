/* One board: the thread that sends and takes, measures the canary, and gets a lost device back.
 *
 * Invariants: the device is touched by this thread alone from boards_start to its end. A parcel is
 * in the line, in the device, or among the news, and `held` counts those in the device. A thread
 * ends when its board is gone, and then holds nothing. */
#include "tuner/board.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { TAKE_MS = 20, CANARY_TRIES = 3, CANARY_PARCELS = 32 };

#define CANARY_NS (10 * SECOND_NS)

/* --- what the device asks and says --- */

/* It is asked only while the device is waited for. */
bool
board_stops(void *board)
{
	Board *b = board;
	Boards *all = b->all;
	uint64_t now = clock_ns();
	bool stop;

	if (!all->started)
		return all->opt.stop && all->opt.stop(all->opt.self);
	pthread_mutex_lock(&all->lock);
	if (!b->away_since)
		b->away_since = now;
	stop = all->quit || all->cancelled ||
	       (b->device.nflight && now - b->away_since > all->hand_back_ns && boards_others(b));
	pthread_mutex_unlock(&all->lock);
	return stop;
}

void
board_notices(void *board, const char *text)
{
	Board *b = board;

	pthread_mutex_lock(&b->all->lock);
	boards_say(b, text);
	pthread_mutex_unlock(&b->all->lock);
}

/* --- what to do next --- */

typedef enum Move {
	MOVE_WAIT,
	MOVE_END,
	MOVE_MEND,
	MOVE_BEGIN,
	MOVE_CANARY,
	MOVE_SEND,
	MOVE_TAKE
} Move;

static bool
canary_due(const Board *b)
{
	return b->canary && !b->canary_sent &&
	       (b->canary_left || b->since >= CANARY_PARCELS ||
		(b->since && clock_ns() - b->canary_at > CANARY_NS));
}

/* Under the lock. p: what is to be sent. */
static Move
next_move(Board *b, Parcel **p)
{
	Boards *all = b->all;

	if (all->quit)
		return MOVE_END;
	if (all->cancelled)
		return b->device.nflight ? MOVE_TAKE : MOVE_WAIT;
	if (b->mending)
		return MOVE_MEND;
	if (b->device.nflight < b->room && (all->line || b->device.nflight)) {
		if (!b->calibrated)
			return MOVE_BEGIN;
		if (canary_due(b))
			return MOVE_CANARY;
		if ((*p = boards_next(b)))
			return MOVE_SEND;
	}
	return b->device.nflight ? MOVE_TAKE : MOVE_WAIT;
}

static Move
await_move(Board *b, Parcel **p)
{
	Boards *all = b->all;
	Move s;

	pthread_mutex_lock(&all->lock);
	while ((s = next_move(b, p)) == MOVE_WAIT)
		pthread_cond_wait(&all->work, &all->lock);
	b->held += s == MOVE_SEND;
	if (all->cancelled && !b->device.cancelled)
		device_cancel(&b->device);
	pthread_mutex_unlock(&all->lock);
	return s;
}

/* --- the canary --- */

/* It was measured as often as it takes: its time is what the least of them says. */
static void
conclude_canary(Board *b)
{
	CanaryTime *t = &b->time;
	char text[96];

	b->canary_at = clock_ns();
	b->since = 0;
	pthread_mutex_lock(&b->all->lock);
	b->tried = true;
	if (t->start_ns > 0 && b->canary_ns > 0 && b->canary_ns < t->start_ns * (1 - CANARY_STEP)) {
		snprintf(text, sizeof text,
			 "canary %.1f %% faster than at the start, which was disturbed",
			 100 * (1 - b->canary_ns / t->start_ns));
		boards_say(b, text);
		t->start_ns = b->canary_ns;
	}
	if (b->canary_ns > 0)
		t->now_ns = b->canary_ns;
	if (t->start_ns == 0)
		t->start_ns = t->now_ns;
	boards_judge(b->all);
	pthread_mutex_unlock(&b->all->lock);
	b->canary_ns = 0;
}

/* A time that is what it was needs no other; one that is not is measured again, for a disturbance
 * passes and a slow board stays slow. */
static void
take_canary(Board *b)
{
	const Result *r = &b->canary->item[0].result;
	double ns = r->status == STATUS_OK ? result_least(r) : INFINITY;

	b->canary_sent = false;
	if (!b->canary_left)
		b->canary_left = CANARY_TRIES;
	b->canary_left--;
	if (isfinite(ns) && (b->canary_ns == 0 || ns < b->canary_ns))
		b->canary_ns = ns;
	if (b->canary_ns > 0 && b->canary_ns <= b->time.start_ns * (1 + CANARY_STEP / 2))
		b->canary_left = 0;
	parcel_again(b->canary);
	if (!b->canary_left)
		conclude_canary(b);
}

/* --- steps --- */

/* The calibration only explains times: without one the board begins all the same. */
static int
begin(Board *b, Err *e)
{
	Message m = {.news = {.kind = NEWS_CALIBRATION, .board = b->number}};
	Err own = {0}, ignored = {0};
	int rc = device_lease(&b->device, &own);

	if (rc && rc != ERR_DEVICE) /* that one shows again, where it can be mended */
		return err_set(e, rc, "%s", own.msg);
	b->calibrated = true;
	if (device_calibrate(&b->device, &m.news.calibration, &ignored))
		return OK;
	pthread_mutex_lock(&b->all->lock);
	boards_tell(b->all, &m);
	pthread_mutex_unlock(&b->all->lock);
	return OK;
}

static int
mend(Board *b, Err *e)
{
	int rc = device_mend(&b->device, e);

	b->mending = rc != OK;
	return rc;
}

static int
send(Board *b, Parcel *p, Err *e)
{
	uint64_t began = clock_ns();
	int rc = device_send(&b->device, p, e);

	p->send_s += (double)(clock_ns() - began) * 1e-9;
	return rc;
}

static int
take(Board *b, Err *e)
{
	Parcel *p;
	int rc = device_take(&b->device, TAKE_MS, &p, e);

	if (rc == NOT_APPLICABLE)
		return OK;
	if (rc)
		return rc;
	if (p == b->canary) {
		take_canary(b);
		return OK;
	}
	pthread_mutex_lock(&b->all->lock);
	b->held--;
	boards_done(b, p);
	pthread_mutex_unlock(&b->all->lock);
	return OK;
}

/* --- trouble --- */

/* Of the device, not of what was sent. */
static bool
is_fatal(int code)
{
	return code == ERR_DEVICE || code == ERR_BUSY || code == ERR_DENIED || code == ERR_NOMEM;
}

/* The agent does not want it, nor would another. */
static void
refuse(Board *b, Parcel *p, const Err *why)
{
	Message m = {.news = {NEWS_REFUSED, b->number, p->owner, p, .code = why->code}};

	if (p == b->canary) {
		parcel_free(p);
		b->canary = NULL; /* the board is judged by nothing then */
		b->tried = true;
		pthread_cond_broadcast(&b->all->work);
		return;
	}
	snprintf(m.news.text, sizeof m.news.text, "%s", why->msg);
	b->held--;
	boards_tell(b->all, &m);
}

/* What a parcel has not got here, it may get elsewhere. */
static void
give_back(Board *b, Parcel *p)
{
	bool over = b->all->cancelled || p->attempts >= ATTEMPTS;

	if (p == b->canary) {
		parcel_again(p);
		b->canary_sent = false;
		return;
	}
	b->held--;
	if (b->all->cancelled)
		parcel_settle_rest(p, STATUS_CANCELLED, "cancelled");
	else if (over)
		parcel_settle_rest(p, STATUS_LOST, "it was lost each time it was sent");
	if (parcel_complete(p) && (over || !parcel_lost(p)))
		boards_done(b, p);
	else
		boards_return(b, p);
}

static void
leave(Board *b, const Err *why)
{
	char text[ERR_TEXT_MAX + 64];

	b->gone = true;
	b->why = *why;
	snprintf(text, sizeof text, "%s; the others go on without it", why->msg);
	if (boards_others(b))
		boards_say(b, text);
	boards_judge(b->all);
	pthread_cond_broadcast(&b->all->told);
}

/* p: what could not be sent, or NULL. False when the board is gone. */
static bool
handle(Board *b, Parcel *p, const Err *why)
{
	Parcel *back[FLIGHT_MAX];
	bool fatal = is_fatal(why->code) || (!p && why->code != ERR_CANCELLED);
	int n;

	pthread_mutex_lock(&b->all->lock);
	if (p && !fatal && why->code != ERR_CANCELLED) {
		refuse(b, p, why);
	} else {
		if (p)
			give_back(b, p);
		n = device_surrender(&b->device, back);
		while (n)
			give_back(b, back[--n]);
		b->mending = true;
		if (fatal && !b->all->cancelled)
			leave(b, why);
	}
	pthread_mutex_unlock(&b->all->lock);
	return !b->gone;
}

/* The device answered. */
static void
note(Board *b, bool there)
{
	pthread_mutex_lock(&b->all->lock);
	b->lost = b->device.lost;
	if (there && b->away_since) {
		b->away_since = 0;
		boards_judge(b->all);
	}
	pthread_mutex_unlock(&b->all->lock);
}

/* False: that was all. */
static bool
turn(Board *b)
{
	Parcel *p = NULL;
	Err e = {0};
	Move s = await_move(b, &p);

	if (s == MOVE_END)
		return false;
	if (s == MOVE_CANARY) {
		p = b->canary;
		b->canary_sent = true;
	}
	b->since += s == MOVE_SEND;
	if (p)
		send(b, p, &e);
	else if (s == MOVE_TAKE)
		take(b, &e);
	else if (s == MOVE_BEGIN)
		begin(b, &e);
	else
		mend(b, &e);
	note(b, !e.code);
	return !e.code || handle(b, p, &e);
}

void *
board_run(void *board)
{
	Board *b = board;

	b->canary_left = b->canary ? CANARY_TRIES : 0;
	while (turn(b))
		;
	return NULL;
}
