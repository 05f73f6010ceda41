/* Boards as facts, and what differs between two. */
#include "regress/board.h"

#include <string.h>

#include "base/hash.h"
#include "base/str.h"

int
board_of(const DeviceInfo *d, int threads, Arena *a, Board *out, Target *target, Err *e)
{
	Str key = {0};
	int rc = target_of_device(d, target, e);

	if (rc)
		return rc;
	target->threads = threads;
	target_key(target, &key);
	*out = (Board){.cpu = arena_strdup(a, d->cpu),
		       .target = arena_strdup(a, str_get(&key)),
		       .cores = d->cores,
		       .threads = threads,
		       .l1d = (int64_t)d->l1d,
		       .l2 = (int64_t)d->l2,
		       .l3 = (int64_t)d->l3,
		       .governor = arena_strdup(a, d->governor),
		       .smt = arena_strdup(a, d->smt),
		       .boost = arena_strdup(a, d->boost),
		       .virtualised = d->virtualised,
		       .emulated = d->emulated,
		       .kernel = arena_strdup(a, d->kernel),
		       .agent = arena_strdup(a, d->version),
		       .sandbox = (int64_t)d->sandbox};
	str_fini(&key);
	return OK;
}

static void
tell_s(const char *name, const char *a, const char *b, const char *between, Str *out)
{
	if (strcmp(a, b) != 0)
		str_printf(out, "%s%s '%s'%s'%s'", out->n ? "; " : "", name, a, between, b);
}

static void
tell_i(const char *name, int64_t a, int64_t b, const char *between, Str *out)
{
	if (a != b)
		str_printf(out, "%s%s %lld%s%lld", out->n ? "; " : "", name, (long long)a, between,
			   (long long)b);
}

/* A board of which nothing is known. */
#define NONE_s ""
#define NONE_i 0

/* Fields of the key, or the others. */
static void
tell_differences(const Board *a, const Board *b, int of_key, const char *between, Str *out)
{
#define X(type, field, key, text) \
	if (key == of_key)        \
		tell_##type(#field, a->field, b->field, between, out);
	BOARD_LIST(X)
#undef X
}

const char *
board_key(const Board *b, Arena *a)
{
	static const Board none = {
#define X(type, field, key, text) .field = NONE_##type,
		BOARD_LIST(X)
#undef X
	};
	Str s = {0};
	Digest d;

	tell_differences(&none, b, 1, ",", &s);
	d = digest_of_text(str_get(&s));
	str_fini(&s);
	return arena_digest(a, &d);
}

int
board_compare(const Board *baseline, const Board *here, Err *e)
{
	Str s = {0};
	int rc = OK;

	tell_differences(baseline, here, 1, ", here ", &s);
	if (s.n)
		rc = err_set(e, ERR_DEVICE, "the baseline is of another board: %s", str_get(&s));
	str_fini(&s);
	return rc;
}

const char *
board_news(const Board *baseline, const Board *here, Arena *a)
{
	const char *text;
	Str s = {0};

	tell_differences(baseline, here, 0, ", now ", &s);
	text = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return text;
}
