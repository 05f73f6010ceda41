/* Strategy "mixed". First the cheapest picks of the analytic model with one of every variant among
 * them, those that a prior likes best where one is given, and the cheapest pick for each value of a
 * knob that none of these has, so that what the model misjudges shows early. Then, in turns, one
 * neighbour of the two fastest and two picks of the whole Space, those that trees over the times so
 * far expect to be fastest. One proposal in ten is random. What is known elsewhere goes first, and
 * where that is much, it has ranked the cheapest picks and the variants already. */
#include "tuner/descend.h"
#include "tuner/rank.h"

enum { TOP_MIN = 4, TOP_MAX = 8, VARIED_MIN = 8, VARIED_MAX = 24, PRIOR_PICKS = 4, TURNS = 3 };

/* First proposals of what is known elsewhere that make the cheapest picks needless. */
enum { WARM_ENOUGH = 8 };

static const double VARIED_COST = 4; /* times the cheapest pick's cost, at most */

typedef struct State {
	Tried tried;
	Descend descend;
	Rank rank;
	Pick *first; /* still to be proposed: first[next..nfirst) */
	int nfirst, next;
	int liked; /* picks that the prior may still propose */
	int turn;
} State;

static int
between(int least, int n, int most)
{
	return n < least ? least : n > most ? most : n;
}

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	State *m = ARENA_NEW(a, State);
	int top = between(TOP_MIN, opt->trials / 8, TOP_MAX);
	int varied = between(VARIED_MIN, opt->trials / 8, VARIED_MAX);

	top = top < s->variant.n ? s->variant.n : top;
	tried_init(&m->tried, a, s, opt);
	m->descend.tried = &m->tried;
	rank_init(&m->rank, a, &m->tried, opt);
	m->liked = opt->prior ? PRIOR_PICKS : 0;
	m->first = ARENA_ARRAY(a, Pick, top + varied);
	m->nfirst = space_top(s, top, m->first);
	m->next = opt->nwarm >= WARM_ENOUGH ? m->nfirst : 0;
	m->nfirst += space_varied(s, m->first[0].variant, VARIED_COST * space_cost(s, m->first),
				  varied, m->first + m->nfirst);
	return m;
}

/* One more of those that need no measurements; false when there are none left. */
static bool
offer_first(State *m, Proposal *out, int *n)
{
	if (tried_offer_warm(&m->tried, out, n))
		return true;
	if (m->liked && m->liked--)
		return rank_offer(&m->rank, "prior", out, n);
	while (m->next < m->nfirst)
		if (tried_offer(&m->tried, &m->first[m->next++], "top", out, n))
			return true;
	return false;
}

/* A neighbour of one of the fastest: the one that the trees like best, as far as they know any. */
static bool
offer_near(State *m, Proposal *out, int *n)
{
	for (int i = 0; i < m->descend.ncentre; i++) {
		Pick near[DESCEND_NEAR];
		int count = descend_neighbours(&m->descend, near);

		if (rank_offer_among(&m->rank, near, count, "descent", out, n))
			return true;
	}
	return descend_offer(&m->descend, out, n);
}

/* By descent or by trees, whichever's turn it is. */
static bool
offer_learnt(State *m, Proposal *out, int *n)
{
	if (m->turn++ % TURNS == 0 && offer_near(m, out, n))
		return true;
	return rank_offer(&m->rank, "trees", out, n) || descend_offer(&m->descend, out, n);
}

static int
propose(void *state, int max, Proposal *out)
{
	State *m = state;
	int n = 0;

	descend_begin(&m->descend);
	if (m->liked || m->next + max > m->nfirst)
		rank_begin(&m->rank);
	while (n < max) {
		bool random = tried_wants_random(&m->tried);

		if (random && tried_offer_random(&m->tried, out, &n))
			continue;
		if (!offer_first(m, out, &n) && !offer_learnt(m, out, &n) &&
		    !tried_offer_random(&m->tried, out, &n))
			break;
	}
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	State *m = state;

	tried_report(&m->tried, p, ns);
}

const Search search_mixed = {
	.name = "mixed",
	.start = start,
	.propose = propose,
	.report = report,
};
