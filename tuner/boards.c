/* The boards together: the line of parcels, news for the tuner, and who runs races.
 *
 * Invariant: a parcel is in one of three places: the line, a board (which counts it as held, the
 * canary apart), or the news. `out` counts them, and those that are being built. */
#include "tuner/boards.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tuner/board.h"

enum { AHEAD = 2 }; /* parcels in the line for each board: a race keeps it busy for longer */

int
boards_count(const Boards *b)
{
	return b->n;
}

const BoardFacts *
boards_facts(const Boards *b, int i)
{
	return &b->board[i].facts;
}

const DeviceInfo *
boards_info(const Boards *b)
{
	return device_info(&b->board[0].device);
}

/* --- news --- */

void
boards_tell(Boards *b, const Message *m)
{
	Message *own = arena_copy(b->news, m, sizeof *m);

	own->next = NULL;
	*(b->first ? &b->last->next : &b->first) = own;
	b->last = own;
	pthread_cond_signal(&b->told);
}

void
boards_say(Board *b, const char *text)
{
	Message m = {.news = {.kind = NEWS_TEXT, .board = b->number}};

	if (b->all->n > 1)
		snprintf(m.news.text, sizeof m.news.text, "%.200s: %s", b->facts.name, text);
	else
		snprintf(m.news.text, sizeof m.news.text, "%s", text);
	boards_tell(b->all, &m);
}

/* Who measured what came since it was looked at last. */
static void
sign(Parcel *p, int by)
{
	for (int i = 0; i < p->n; i++)
		if (p->item[i].back && !p->item[i].by)
			p->item[i].by = by;
	for (int i = 0; i < p->stale.n; i++)
		if (!p->stale.v[i].by)
			p->stale.v[i].by = by;
}

void
boards_done(Board *b, Parcel *p)
{
	Message m = {
		.news = {.kind = NEWS_PARCEL, .board = b->number, .owner = p->owner, .parcel = p}};

	sign(p, b->number + 1);
	boards_tell(b->all, &m);
}

/* --- who is there, and who agrees --- */

static bool
is_there(const Board *b)
{
	return !b->gone && !b->away_since;
}

/* Others compare themselves with it, also while it is away for a moment. */
static bool
counts(const Board *b)
{
	return !b->gone && (!b->away_since || clock_ns() - b->away_since <= b->all->hand_back_ns);
}

bool
boards_others(const Board *b)
{
	for (int i = 0; i < b->all->n; i++)
		if (i != b->number && is_there(&b->all->board[i]))
			return true;
	return false;
}

static void
say_apart(Board *b)
{
	const CanaryVerdict *v = &b->verdict;
	const Board *with = &b->all->board[v->reference];
	char text[512];
	int n = 0;

	if (fabs(v->off) > CANARY_STEP)
		n = snprintf(text, sizeof text,
			     "its canary takes %.4g us, %.1f %% %s than that of '%.200s' (%s)",
			     b->time.now_ns * 1e-3, 100 * fabs(v->off),
			     v->off > 0 ? "slower" : "faster", with->facts.name,
			     b->all->n > 2 ? "the median" : "the faster one counts");
	else
		n = snprintf(text, sizeof text,
			     "its canary takes %.4g us, %.1f %% %s than at first",
			     b->time.now_ns * 1e-3, 100 * fabs(v->drift),
			     v->drift > 0 ? "more" : "less");
	snprintf(text + n, sizeof text - (size_t)n, "; %s",
		 v->races ? "so do all that are there, and races run on"
			  : "what it measures counts for the search, and it runs no races");
	boards_say(b, text);
}

void
boards_judge(Boards *b)
{
	CanaryTime time[BOARDS_MAX];
	CanaryVerdict verdict[BOARDS_MAX];

	for (int i = 0; i < b->n; i++) {
		const Board *x = &b->board[i];

		time[i] = x->time;
		time[i].counts = counts(x);
	}
	canary_judge(time, b->n, verdict);
	for (int i = 0; i < b->n; i++) {
		Board *x = &b->board[i];
		bool apart = time[i].counts && time[i].now_ns > 0 && !verdict[i].fit;

		x->verdict = verdict[i];
		if (apart && !x->apart)
			say_apart(x);
		else if (verdict[i].fit && x->apart)
			boards_say(x, "its canary agrees again, and races run there");
		if (apart || verdict[i].fit)
			x->apart = apart;
		x->ever_apart |= apart;
	}
	pthread_cond_broadcast(&b->work);
}

/* --- the line --- */

/* Where there are canaries, everybody shows first what it is: alone, a slow board looks fine. */
static bool
may_race(const Board *b)
{
	const Boards *all = b->all;

	for (int i = 0; i < all->n; i++)
		if (all->board[i].canary && !all->board[i].tried && counts(&all->board[i]))
			return false;
	return !b->canary || b->verdict.races;
}

Parcel *
boards_next(Board *b)
{
	bool races = may_race(b);

	for (Parcel **at = &b->all->line; *at; at = &(*at)->next)
		if (races || !(*at)->batch.measure.race_rounds) {
			Parcel *p = *at;

			*at = p->next;
			p->next = NULL;
			return p;
		}
	return NULL;
}

void
boards_return(Board *b, Parcel *p)
{
	sign(p, b->number + 1);
	parcel_forget(p);
	p->next = b->all->line;
	b->all->line = p;
	pthread_cond_broadcast(&b->all->work);
}

void
boards_expect(Boards *b)
{
	pthread_mutex_lock(&b->lock);
	b->out++;
	pthread_mutex_unlock(&b->lock);
}

static void
stand_in_line(Boards *b, Parcel *p)
{
	Parcel **at = &b->line;

	while (*at)
		at = &(*at)->next;
	*at = p;
	p->next = NULL;
	pthread_cond_broadcast(&b->work);
}

void
boards_built(Boards *b, void *owner, Parcel *p, const Err *why)
{
	Message m = {.news = {p ? NEWS_PARCEL : NEWS_REFUSED, .owner = owner, .parcel = p}};

	pthread_mutex_lock(&b->lock);
	if (p && b->cancelled)
		parcel_settle_rest(p, STATUS_CANCELLED, "cancelled");
	if (p && !parcel_complete(p)) {
		stand_in_line(b, p);
	} else {
		if (!p) {
			m.news.code = why->code;
			snprintf(m.news.text, sizeof m.news.text, "%s", why->msg);
		}
		boards_tell(b, &m);
	}
	pthread_mutex_unlock(&b->lock);
}

bool
boards_cancelled(Boards *b)
{
	bool yes;

	pthread_mutex_lock(&b->lock);
	yes = b->cancelled;
	pthread_mutex_unlock(&b->lock);
	return yes;
}

/* Parcels that a board and its part of the line take. Where nothing else is to run on its machine
 * while it measures, nothing is compiled ahead. */
static int
share_of_line(const Board *b)
{
	return b->room == FLIGHT_MAX ? b->room + AHEAD : b->room;
}

int
boards_room(Boards *b)
{
	int room = 0, elsewhere = 0;

	pthread_mutex_lock(&b->lock);
	for (int i = 0; i < b->n; i++) {
		room += is_there(&b->board[i]) ? share_of_line(&b->board[i]) : 0;
		elsewhere += is_there(&b->board[i]) ? 0 : b->board[i].held;
	}
	room = room ? room - (b->out - elsewhere) : b->board[0].room - b->out;
	pthread_mutex_unlock(&b->lock);
	return room;
}

int
boards_out(Boards *b)
{
	int n;

	pthread_mutex_lock(&b->lock);
	n = b->out;
	pthread_mutex_unlock(&b->lock);
	return n;
}

/* --- the tuner's end --- */

/* NULL: some board is left. Else the first that went. */
static const Board *
all_gone(const Boards *b)
{
	for (int i = 0; i < b->n; i++)
		if (!b->board[i].gone)
			return NULL;
	return &b->board[0];
}

static int
say_all_gone(const Boards *b, Err *e)
{
	char text[ERR_TEXT_MAX] = "no board is left";
	size_t n = strlen(text);

	if (b->n == 1)
		return err_set(e, b->board[0].why.code, "%s", b->board[0].why.msg);
	for (int i = 0; i < b->n && n < sizeof text - 1; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s '%.100s': %.200s",
				      i ? ";" : ":", b->board[i].facts.name, b->board[i].why.msg);
	return err_set(e, ERR_DEVICE, "%s", text);
}

static void
pop_news(Boards *b, BoardNews *out)
{
	*out = b->first->news;
	b->first = b->first->next;
	if (!b->first)
		arena_reset(b->news);
	b->out -= out->owner != NULL;
}

int
boards_take(Boards *b, int timeout_ms, BoardNews *out, Err *e)
{
	uint64_t end = clock_ns() + (uint64_t)timeout_ms * MS_NS;
	struct timespec until = {(time_t)(end / SECOND_NS), (long)(end % SECOND_NS)};
	int rc = OK;

	pthread_mutex_lock(&b->lock);
	boards_judge(b); /* also for those that are away for too long now */
	while (!b->first && !all_gone(b) && clock_ns() < end)
		pthread_cond_timedwait(&b->told, &b->lock, &until);
	if (b->first)
		pop_news(b, out);
	else
		rc = all_gone(b) ? say_all_gone(b, e) : NOT_APPLICABLE;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

static void
cancel_line(Boards *b)
{
	Parcel *p;

	while ((p = b->line)) {
		b->line = p->next;
		parcel_settle_rest(p, STATUS_CANCELLED, "cancelled");
		boards_done(&b->board[0], p);
	}
}

void
boards_cancel(Boards *b)
{
	pthread_mutex_lock(&b->lock);
	b->cancelled = true;
	cancel_line(b);
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&b->lock);
}

void
boards_report(Boards *b, TuneBoard *out)
{
	pthread_mutex_lock(&b->lock);
	for (int i = 0; i < b->n; i++) {
		const Board *x = &b->board[i];

		out[i].name = x->facts.name;
		out[i].lost = x->lost;
		out[i].canary_ns = x->time.now_ns;
		out[i].start_ns = x->time.start_ns;
		out[i].apart = x->ever_apart;
		out[i].why = x->gone ? x->why.msg : NULL;
	}
	pthread_mutex_unlock(&b->lock);
}
