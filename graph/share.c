/* Groups that share rows: the part of the partition that saves memory.
 *
 * Where a plan needs most at once, groups in a row, each the only reader of the one before, become
 * one whose Task is cut into strips: what passed between them as whole tensors exists for one strip
 * at a time. Rows that two strips need are computed twice, so of the runs of groups around the step
 * that needs most, and of the heights of their strips, those that fit are compared by arithmetic,
 * and where none fits, by memory. It ends when everything fits, or the largest step does not
 * shrink. Every round leaves fewer groups, or lower strips.
 */
#include <limits.h>

#include "base/number.h"
#include "graph/memory.h"
#include "graph/plan.h"

enum { RUN_MAX = 4 };

/* No algorithm has temporaries of so many times the Task's operands. */
static const double PLENTY = 6;

/* Heights of strips that are tried, lowest first. */
static const int heights[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32};

typedef struct Share {
	const Graph *g;
	size_t bytes; /* that temporaries may take */
	int threads;
	Arena *a;         /* of the round */
	const Plan *plan; /* of the groups now */
	const BufferLife *life;
	size_t peak;
	int *step; /* per group: its step, or -1 */
} Share;

/* Groups of the plan, ascending: each is the only reader of the one before. */
typedef struct Run {
	int n, group[RUN_MAX];
} Run;

/* A run and the height of its strips, and what it comes to. */
typedef struct Joining {
	Run run;
	int rows;
	size_t bytes; /* that its step needs; 0: there is none */
	double flops; /* more than before */
} Joining;

/* The group that alone reads what the group makes, one value that is no output; -1: none. */
static int
only_reader(const Share *s, int group)
{
	const int *of = s->plan->groups.of;
	int found = -1, value = NO_VALUE;

	for (int k = 0; k < s->g->node.n; k++)
		for (int i = 0; i < s->g->node.v[k].nin; i++) {
			int v = s->g->node.v[k].in[i];
			int from = v == NO_VALUE ? NO_NODE : s->g->value.v[v].producer;

			if (from == NO_NODE || of[from] != group || of[k] == group)
				continue;
			if ((found >= 0 && found != of[k]) || (value != NO_VALUE && value != v) ||
			    graph_is_output(s->g, v))
				return -1;
			found = of[k];
			value = v;
		}
	return found;
}

/* The last group whose only reader is this one; -1: none. */
static int
group_before(const Share *s, int group)
{
	for (int i = group - 1; i >= 0; i--)
		if (only_reader(s, i) == group)
			return i;
	return -1;
}

/* The run's groups as one, in the place of the last, with strips of so many rows. */
static Groups
join(const Share *s, Arena *a, const Run *run, int rows)
{
	const Groups *old = &s->plan->groups;
	int *number = ARENA_ARRAY(a, int, old->n + 1), last = run->group[run->n - 1];
	Groups g = {.of = ARENA_ARRAY(a, int, s->g->node.n + 1),
		    .rows = ARENA_ARRAY(a, int, old->n + 1)};

	for (int i = 0, next = 0; i < old->n; i++) {
		if (next < run->n - 1 && run->group[next] == i) {
			next++;
			continue;
		}
		g.rows[g.n] = i == last ? rows : old->rows ? old->rows[i] : 0;
		number[i] = g.n++;
	}
	for (int k = 0; k + 1 < run->n; k++)
		number[run->group[k]] = number[last];
	for (int k = 0; k < s->g->node.n; k++)
		g.of[k] = number[old->of[k]];
	return g;
}

/* The Task of all nodes of the run; NULL: they make none. */
static Task *
run_task(const Share *s, Arena *a, const Run *run)
{
	int *node = ARENA_ARRAY(a, int, s->g->node.n + 1), n = 0, *value;
	Task *t;

	for (int k = 0; k < s->g->node.n; k++)
		for (int i = 0; i < run->n; i++)
			if (s->plan->groups.of[k] == run->group[i])
				node[n++] = k;
	return group_task(s->g, a, node, n, &t, &value) ? NULL : t;
}

static bool
uses_buffer(const Share *s, const Run *run, int buffer, bool made)
{
	for (int i = 0; i < run->n; i++) {
		const Step *x = &s->plan->step.v[s->step[run->group[i]]];
		int n = made ? x->out.n : x->in.n, *b = made ? x->out.v : x->in.v;

		for (int k = 0; k < n && (!made || i + 1 < run->n); k++)
			if (b[k] >= 0 && plan_root(s->plan, b[k]) == buffer)
				return true;
	}
	return false;
}

/* What else is needed while the joined groups run: all that lives then, but what passed between
 * them. */
static size_t
bytes_beside(const Share *s, const Run *run)
{
	int at = s->step[run->group[run->n - 1]];
	size_t bytes = 0;

	for (int b = 0; b < s->plan->buffer.n; b++) {
		const BufferLife *l = &s->life[b];
		bool moved = l->lies_in != b && uses_buffer(s, run, l->lies_in, true);
		size_t own = moved ? s->plan->buffer.v[b].bytes : l->bytes;

		if (uses_buffer(s, run, b, true) ||
		    !((l->first <= at && at <= l->last) || uses_buffer(s, run, b, false)))
			continue;
		bytes += whole_lines(own);
	}
	return bytes;
}

static double
flops_before(const Share *s, const Run *run)
{
	double sum = 0;

	for (int i = 0; i < run->n; i++) {
		const Step *x = &s->plan->step.v[s->step[run->group[i]]];

		sum += x->kind == STEP_TASK ? task_flops(s->plan->task.v[x->task].task) : 0;
	}
	return sum;
}

static bool
is_better(const Share *s, const Joining *x, const Joining *y)
{
	bool fits = x->bytes <= s->bytes, also = y->bytes <= s->bytes;

	if (!y->bytes || fits != also)
		return !y->bytes || fits;
	return fits ? x->flops < y->flops : x->bytes < y->bytes;
}

/* Strips of a group alone are lowered only: borders are not known before the plan has them. */
static int
highest(const Share *s, const Run *run)
{
	const int *rows = s->plan->groups.rows;

	return run->n > 1 ? INT_MAX : rows ? rows[run->group[0]] - 1 : 0;
}

/* The run with strips of every height; what is better than *best replaces it. */
static void
try_run(const Share *s, const Run *run, Joining *best)
{
	Arena *a = arena_new();
	Task *whole = run_task(s, a, run);
	size_t beside = bytes_beside(s, run), room;

	for (size_t i = 0; whole && i < sizeof heights / sizeof *heights; i++) {
		Task *t = task_copy(a, whole);
		Joining j = {.run = *run, .rows = heights[i]};

		if (heights[i] > highest(s, run) || task_cut(t, heights[i], &room))
			break;
		j.bytes = beside + room * (size_t)s->threads;
		j.flops = task_flops(t) - flops_before(s, run);
		if (j.bytes < s->peak && is_better(s, &j, best))
			*best = j;
		if (j.bytes > s->bytes || j.bytes >= s->peak)
			break;
	}
	arena_free(a);
}

/* The best of all runs that the group is in. */
static Joining
best_around(const Share *s, int group)
{
	Joining best = {0};
	int from = group;

	for (int back = 0; from >= 0 && back < RUN_MAX; back++) {
		Run run = {0};
		int next = from;

		for (int k = 0; k < RUN_MAX && next >= 0 && s->step[next] >= 0; k++) {
			run.group[run.n++] = next;
			if (next >= group)
				try_run(s, &run, &best);
			next = only_reader(s, next);
		}
		from = group_before(s, from);
	}
	return best;
}

static void
find_steps(Share *s)
{
	const Plan *p = s->plan;

	s->step = ARENA_ARRAY(s->a, int, p->groups.n + 1);
	for (int i = 0; i < p->groups.n; i++)
		s->step[i] = -1;
	for (int i = 0; i < p->step.n; i++)
		if (p->step.v[i].node.n)
			s->step[p->groups.of[p->step.v[i].node.v[0]]] = i;
}

/* What a plan of memory takes for temporaries and rooms. */
static size_t
placed_bytes(const Share *s)
{
	const Plan *p = s->plan;
	MemoryItem *item = ARENA_ARRAY(s->a, MemoryItem, p->buffer.n + p->step.n + 1);

	for (int i = 0; i < p->buffer.n; i++)
		item[i] = (MemoryItem){s->life[i].bytes, s->life[i].first, s->life[i].last, 0};
	for (int i = 0; i < p->step.n; i++)
		item[p->buffer.n + i] = (MemoryItem){plan_room(p, i) * (size_t)s->threads, i, i, 0};
	return memory_plan(item, p->buffer.n + p->step.n, s->a).bytes;
}

/* Bytes of the temporaries of the Task as it is. */
static size_t
temporary_bytes(const Task *t)
{
	size_t bytes = 0;

	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_TMP)
			bytes += ((size_t)tensor_count(&t->tensor.v[i]) *
					  dtype_size(t->tensor.v[i].type) +
				  63) &
				 ~(size_t)63;
	return bytes;
}

/* What a step that is not cut leaves for temporaries, which other algorithms have more of than the
 * Task as it is; 0 where that is plenty. */
static size_t
room_beside(const Share *s, int step)
{
	const PlanTask *t = &s->plan->task.v[s->plan->step.v[step].task];
	size_t needed = temporary_bytes(t->task), used, left;

	if (t->form.room)
		return 0;
	used = plan_step_bytes(s->plan, s->life, step, s->threads);
	left = used < s->bytes ? (s->bytes - used) / (size_t)s->threads & ~(size_t)63 : 0;
	if ((double)left >= PLENTY * task_bytes(t->task))
		return 0;
	left = left > needed ? left : needed;
	return left ? left : 1;
}

/* Rooms of the groups that are not cut, for equal Tasks the smallest of them. */
static void
give_rooms(Share *s, Arena *a, Groups *groups)
{
	const Plan *p = s->plan;
	size_t *least = ARENA_ARRAY(s->a, size_t, p->task.n + 1);

	groups->room = ARENA_ARRAY(a, int, groups->n + 1);
	for (int i = 0; i < p->step.n; i++) {
		int t = p->step.v[i].task;
		size_t room = p->step.v[i].kind == STEP_TASK ? room_beside(s, i) : 0;

		if (room && (!least[t] || room < least[t]))
			least[t] = room;
	}
	for (int i = 0; i < groups->n; i++) {
		const Step *x = s->step[i] < 0 ? NULL : &p->step.v[s->step[i]];

		if (x && x->kind == STEP_TASK && least[x->task] <= INT32_MAX)
			groups->room[i] = (int)least[x->task];
	}
}

/* One round; *joined: it found something. Groups that make no plan after all end it. */
static int
share_once(Share *s, Arena *a, size_t limit, Groups *groups, bool *joined, Err *e)
{
	Plan *p;
	Joining best;
	int rc = plan_build_groups(s->g, s->a, groups, NULL, &p, e), at;

	*joined = false;
	if (rc)
		return rc;
	s->plan = p;
	s->life = plan_lives(p, s->a, false);
	s->peak = plan_peak(p, s->a, s->threads, &at);
	s->bytes = limit > plan_given_bytes(p) ? limit - plan_given_bytes(p) : 0;
	find_steps(s);
	best = (Joining){0};
	if (p->step.v[at].node.n && placed_bytes(s) > s->bytes)
		best = best_around(s, p->groups.of[p->step.v[at].node.v[0]]);
	if (!best.bytes) {
		give_rooms(s, a, groups);
		return OK;
	}
	*groups = join(s, a, &best.run, best.rows);
	*joined = true;
	return OK;
}

int
share_strips(const Graph *g, Arena *a, PlanMemory memory, Groups *groups, Err *e)
{
	bool joined = true;
	int rc = OK;

	while (joined && !rc) {
		Share s = {.g = g,
			   .threads = memory.threads > 1 ? memory.threads : 1,
			   .a = arena_new()};
		rc = share_once(&s, a, memory.bytes, groups, &joined, e);
		arena_free(s.a);
	}
	return rc;
}
