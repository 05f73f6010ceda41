/* Policy files. A member is a line of a table: its name, its bounds, where it goes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "regress/policy.h"

enum { OVERRIDES_MAX = 1000 };

/* Less cannot be seen by anybody; more is no limit. */
static const double THRESHOLD_LEAST = 0.001, THRESHOLD_MOST = 10;

typedef struct Member {
	const char *name;
	double low, high;
	bool whole;
	size_t at;
} Member;

#define SHARE(name, low, high, field)                                  \
	{                                                              \
		name, low, high, false, offsetof(RegressPolicy, field) \
	}
#define WHOLE(name, low, high, field)                                 \
	{                                                             \
		name, low, high, true, offsetof(RegressPolicy, field) \
	}

static const Member plain[] = {
	SHARE("threshold", 0.001, 10, threshold),
	SHARE("family_error", 1e-6, 0.2, family_error),
	SHARE("canary_limit", 0.01, 10, canary_limit),
	WHOLE("inconclusive", 0, 6, inconclusive),
	{0},
};

static const Member pairs[] = {
	WHOLE("first", 1, REGRESS_PAIRS_MAX, pairs_first),
	WHOLE("step", 1, REGRESS_PAIRS_MAX, pairs_step),
	WHOLE("most", 1, REGRESS_PAIRS_MAX, pairs_most),
	WHOLE("dropped", 0, REGRESS_PAIRS_MAX, dropped_most),
	{0},
};

void
regress_policy_init(RegressPolicy *p)
{
	*p = (RegressPolicy){
		.threshold = 0.03,
		.pairs_first = 12,
		.pairs_step = 6,
		.pairs_most = 30,
		.dropped_most = 30,
		.family_error = 0.01,
		.canary_limit = 0.3,
		.inconclusive = 6,
	};
}

static int
number(const Json *j, const char *name, double low, double high, double *out, Err *e)
{
	if (!json_is_number(j, out) || !(*out >= low && *out <= high))
		return err_set(e, ERR_INPUT, "%s: a number from %g to %g is wanted", name, low,
			       high);
	return OK;
}

/* Reads a member of the table; NOT_APPLICABLE: it is not there. */
static int
member(const Member *m, const Json *j, const char *name, RegressPolicy *p, Err *e)
{
	double v;
	int rc;

	while (m->name && strcmp(m->name, name))
		m++;
	if (!m->name)
		return NOT_APPLICABLE;
	rc = number(j, name, m->low, m->high, &v, e);
	if (rc)
		return rc;
	if (m->whole && v != (int)v)
		return err_set(e, ERR_INPUT, "%s: a whole number is wanted", name);
	if (m->whole)
		*(int *)((char *)p + m->at) = (int)v;
	else
		*(double *)((char *)p + m->at) = v;
	return OK;
}

/* Name of member i of an object; NULL and *rc when there is something wrong with it. */
static const char *
name_of(const Json *in, const Json *j, int *rc, Err *e)
{
	const char *name = json_key(j);

	if (!name)
		*rc = err_set(e, ERR_INPUT, "an object is wanted");
	else if (json_get(in, name) != j)
		*rc = err_set(e, ERR_INPUT, "%s: said twice", name);
	else
		return name;
	return NULL;
}

static int
parse_pairs(const Json *in, RegressPolicy *p, Err *e)
{
	int rc = OK;

	if (!json_count(in))
		return err_set(e, ERR_INPUT, "pairs: an object is wanted");
	for (int i = 0; i < json_count(in) && rc == OK; i++) {
		const Json *j = json_at(in, i);
		const char *name = name_of(in, j, &rc, e);

		if (name)
			rc = member(pairs, j, name, p, e);
		if (rc == NOT_APPLICABLE)
			rc = err_set(e, ERR_INPUT, "%s: there is no such member", name);
	}
	err_prefix(e, "pairs: ");
	return rc;
}

static int
parse_override(const Json *in, Arena *a, RegressOverride *o, Err *e)
{
	const char *match;

	if (!json_is_text(json_get(in, "match"), &match) || !*match)
		return err_set(e, ERR_INPUT, "match: a text is wanted");
	if (json_count(in) != 2)
		return err_set(e, ERR_INPUT, "match and threshold are wanted, nothing else");
	o->match = arena_strdup(a, match);
	return number(json_get(in, "threshold"), "threshold", THRESHOLD_LEAST, THRESHOLD_MOST,
		      &o->threshold, e);
}

static int
parse_overrides(const Json *in, Arena *a, RegressPolicy *p, Err *e)
{
	int n = json_count(in), rc = OK;
	RegressOverride *o;

	if (n > OVERRIDES_MAX || (n && json_key(json_at(in, 0))))
		return err_set(e, ERR_INPUT, "kernel: a list of at most %d is wanted",
			       OVERRIDES_MAX);
	o = ARENA_ARRAY(a, RegressOverride, n + 1);
	for (int i = 0; i < n && rc == OK; i++) {
		rc = parse_override(json_at(in, i), a, &o[i], e);
		err_prefix(e, "kernel %d: ", i + 1);
	}
	p->override = o;
	p->noverride = n;
	return rc;
}

static int
parse_version(const Json *j, Err *e)
{
	double v;

	if (!json_is_number(j, &v) || v != REGRESS_POLICY_VERSION)
		return err_set(e, ERR_INPUT, "version: only %d is known", REGRESS_POLICY_VERSION);
	return OK;
}

static int
parse_member(const char *name, const Json *j, Arena *a, RegressPolicy *p, Err *e)
{
	int rc;

	if (!strcmp(name, "version"))
		return parse_version(j, e);
	if (!strcmp(name, "pairs"))
		return parse_pairs(j, p, e);
	if (!strcmp(name, "kernel"))
		return parse_overrides(j, a, p, e);
	rc = member(plain, j, name, p, e);
	if (rc == NOT_APPLICABLE)
		rc = err_set(e, ERR_INPUT, "%s: there is no such member", name);
	return rc;
}

/* What no member alone can say. */
static int
check(const RegressPolicy *p, Err *e)
{
	if (p->pairs_first > p->pairs_most)
		return err_set(e, ERR_INPUT, "pairs: first is more than most");
	if (p->inconclusive != 0 && p->inconclusive != 1 && p->inconclusive != 6)
		return err_set(e, ERR_INPUT, "inconclusive: 6, 0 or 1 is wanted");
	return OK;
}

int
regress_policy_parse(const char *text, Arena *a, RegressPolicy *p, Err *e)
{
	Json *in;
	int rc;

	regress_policy_init(p);
	rc = json_parse(text, &in, e);
	if (rc)
		return rc;
	if (!json_get(in, "version"))
		rc = err_set(e, ERR_INPUT, "version: a policy begins with {\"version\": %d}",
			     REGRESS_POLICY_VERSION);
	for (int i = 0; i < json_count(in) && rc == OK; i++) {
		const Json *j = json_at(in, i);
		const char *name = name_of(in, j, &rc, e);

		if (name)
			rc = parse_member(name, j, a, p, e);
	}
	if (rc == OK)
		rc = check(p, e);
	if (rc)
		regress_policy_init(p);
	json_free(in);
	return rc;
}

int
regress_policy_read(const char *path, Arena *a, RegressPolicy *p, Err *e)
{
	char *text;
	int rc;

	regress_policy_init(p);
	if ((rc = text_read(path, REGRESS_POLICY_BYTES, &text, e)))
		return rc;
	rc = regress_policy_parse(text, a, p, e);
	free(text);
	if (rc)
		err_prefix(e, "%s: ", path);
	return rc;
}

/* As the shell matches whole names, * and ? only. */
static bool
matches(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

double
regress_policy_threshold(const RegressPolicy *p, const char *kernel)
{
	double threshold = p->threshold;

	for (int i = 0; i < p->noverride; i++)
		if (matches(p->override[i].match, kernel))
			threshold = p->override[i].threshold;
	return threshold;
}
