/* Opening boards, and ending them: who may be one of them. */
#include "tuner/boards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "search_space/target.h"
#include "tuner/board.h"

#define HAND_BACK_NS (10 * SECOND_NS)

/* --- opening --- */

static const char *
name_of(const Board *b)
{
	return b->facts.name;
}

/* A field of the Target that differs: its name; NULL: none does. */
static const char *
differing_field(const Target *x, const Target *y, char text[2][TARGET_TEXT_MAX])
{
#define SAME_s(f)       !strcmp(x->f, y->f)
#define SAME_i(f)       (x->f == y->f)
#define SAME_d(f)       (x->f == y->f)
#define SAY_s(to, t, f) snprintf(to, TARGET_TEXT_MAX, "%s", t->f)
#define SAY_i(to, t, f) snprintf(to, TARGET_TEXT_MAX, "%lld", (long long)t->f)
#define SAY_d(to, t, f) snprintf(to, TARGET_TEXT_MAX, "%g", t->f)
#define X(type, f, def, meaning)           \
	if (!SAME_##type(f)) {             \
		SAY_##type(text[0], x, f); \
		SAY_##type(text[1], y, f); \
		return #f;                 \
	}
	TARGET_FIELDS(X)
#undef X
	return NULL;
}

static bool
has_runner(const DeviceInfo *d, const char *name)
{
	for (uint32_t i = 0; i < d->runners.n; i++)
		if (!strcmp(d->runners.v[i], name))
			return true;
	return false;
}

/* Whether a board can take part at all. */
static int
check_fit(const Boards *b, const Board *x, Err *e)
{
	const DeviceInfo *d = device_info(&x->device);

	if (b->opt.threads > (int)d->cores)
		return err_set(e, ERR_INPUT, "%d threads: %s has %u cores", b->opt.threads,
			       b->n > 1 ? name_of(x) : d->name, d->cores);
	if (!has_runner(d, b->opt.runner))
		return err_set(e, ERR_INPUT, "%s has no runner '%s'", name_of(x), b->opt.runner);
	return OK;
}

int
boards_compare(const DeviceInfo *a, const char *a_name, const DeviceInfo *b, const char *b_name,
	       Err *e)
{
	char text[2][TARGET_TEXT_MAX];
	const char *field;
	Target t, u;
	int rc;

	if (strcmp(a->cpu, b->cpu))
		return err_set(e, ERR_INPUT,
			       "boards of two models: '%s' has the processor '%s', '%s' has '%s'",
			       a_name, a->cpu, b_name, b->cpu);
	if ((rc = target_of_device(a, &t, e)) || (rc = target_of_device(b, &u, e)))
		return rc;
	field = differing_field(&t, &u, text);
	return field ? err_set(e, ERR_INPUT,
			       "boards of two models: %s of '%s' is %.160s, of '%s' it is %.160s",
			       field, a_name, text[0], b_name, text[1])
		     : OK;
}

/* Whether times of two boards may stand side by side. */
static int
check_equal(const Board *x, const Board *y, Err *e)
{
	uint64_t run = rpc_instance(x->device.client);

	if (run && run == rpc_instance(y->device.client))
		return err_set(e, ERR_INPUT, "'%s' and '%s' are one and the same rpc_server",
			       name_of(x), name_of(y));
	return boards_compare(device_info(&x->device), name_of(x), device_info(&y->device),
			      name_of(y), e);
}

static void
learn_facts(Board *x, const char *session)
{
	const DeviceInfo *d = device_info(&x->device);
	const char *address = x->all->opt.n ? x->all->opt.address[x->number] : NULL;
	Arena *a = x->all->arena;

	x->facts = (BoardFacts){.name = arena_strdup(a, address ? address : d->name),
				.session = arena_strdup(a, session),
				.cpu = arena_strdup(a, d->cpu),
				.insecure = d->insecure,
				.emulated = d->emulated};
	if (x->all->n > 1)
		x->facts.session = arena_printf(a, "%s.%d", session, x->number + 1);
	/* Nothing is compiled for a second batch while all cores of this machine measure. */
	x->room = !address && x->all->opt.threads >= (int)d->cores ? 1 : FLIGHT_MAX;
}

static int
open_board(Board *x, const char *session, Err *e)
{
	Boards *b = x->all;
	DeviceHooks hooks = {x, board_stops, board_notices, b->opt.wait_s};
	RpcWay way = b->opt.way;
	int rc;

	way.address = b->opt.n ? b->opt.address[x->number] : NULL;
	rc = device_open(&x->device, &way, b->opt.reconnect_ns, hooks, e);
	if (rc)
		return rc;
	learn_facts(x, session);
	rc = check_fit(b, x, e);
	for (int i = 0; i < x->number && !rc; i++)
		rc = check_equal(&b->board[i], x, e);
	return rc;
}

static void
init_lock(Boards *b)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->told, &attr);
	pthread_condattr_destroy(&attr);
}

int
boards_open(const BoardsOptions *o, const char *session, Boards **out, Err *e)
{
	int n = o->n ? o->n : 1, rc = OK;
	uint64_t reconnect = o->reconnect_ns ? o->reconnect_ns : RECONNECT_NS;
	Boards *b;

	if (n > BOARDS_MAX)
		return err_set(e, ERR_INPUT, "%d devices, expected %d at most", n, BOARDS_MAX);
	b = calloc(1, sizeof *b + (size_t)n * sizeof *b->board);
	if (!b)
		return err_set(e, ERR_NOMEM, "boards: out of memory");
	b->opt = *o;
	b->arena = arena_new();
	b->news = arena_new();
	b->hand_back_ns = reconnect / 4 < HAND_BACK_NS ? reconnect / 4 : HAND_BACK_NS;
	b->n = n;
	init_lock(b);
	for (int i = 0; i < n; i++) {
		b->board[i].all = b;
		b->board[i].number = i;
	}
	for (int i = 0; i < n && !rc; i++)
		rc = open_board(&b->board[i], session, e);
	if (rc)
		boards_close(b);
	else
		*out = b;
	return rc;
}

int
boards_start(Boards *b, Parcel *const *canary, Err *e)
{
	int rc = OK;

	b->started = true;
	for (int i = 0; i < b->n; i++)
		b->board[i].canary = canary ? canary[i] : NULL;
	for (int i = 0; i < b->n && !rc; i++) {
		rc = thread_start(&b->board[i].thread, board_run, &b->board[i], "boards", e);
		b->board[i].runs = !rc;
	}
	return rc;
}

void
boards_close(Boards *b)
{
	Parcel *p;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->quit = true;
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&b->lock);
	for (int i = 0; i < b->n; i++) {
		Board *x = &b->board[i];

		if (x->runs)
			pthread_join(x->thread, NULL);
		if (x->canary && !x->canary_sent)
			parcel_free(x->canary);
		device_close(&x->device);
	}
	while ((p = b->line)) {
		b->line = p->next;
		parcel_free(p);
	}
	for (Message *m = b->first; m; m = m->next)
		parcel_free(m->news.parcel);
	pthread_cond_destroy(&b->told);
	pthread_cond_destroy(&b->work);
	pthread_mutex_destroy(&b->lock);
	arena_free(b->news);
	arena_free(b->arena);
	free(b);
}
