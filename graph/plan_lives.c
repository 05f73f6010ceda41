/* How long the memory of each buffer is needed, and how much is needed at once. What a step makes
 * of an input that nobody needs any more lies where that was, when the Task allows it.
 */
#include "graph/plan.h"

#include "base/number.h"

int
plan_root(const Plan *p, int buffer)
{
	while (p->buffer.v[buffer].view_of >= 0)
		buffer = p->buffer.v[buffer].view_of;
	return buffer;
}

bool
buffer_is_temporary(const Buffer *x)
{
	return x->kind == BUFFER_TEMPORARY && x->view_of < 0;
}

static void
touch(const Plan *p, BufferLife *l, int buffer, int step)
{
	BufferLife *x;

	if (buffer < 0)
		return;
	x = &l[plan_root(p, buffer)];
	if (step < x->first)
		x->first = step;
	if (step > x->last)
		x->last = step;
}

/* How many of the step's inputs show the buffer's memory. */
static int
readers(const Plan *p, const Step *s, int buffer)
{
	int n = 0;

	for (int i = 0; i < s->in.n; i++)
		n += s->in.v[i] >= 0 && plan_root(p, s->in.v[i]) == buffer;
	return n;
}

/* Number of the Task's k-th tensor of a kind. */
static int
tensor_of_kind(const Task *t, TensorKind kind, int k)
{
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == kind && !k--)
			return i;
	return TASK_NONE;
}

/* Output k of step s takes the memory of input i, when that ends with the step and it begins. */
static bool
overwrite(const Plan *p, BufferLife *l, int step, int i, int k)
{
	const Step *s = &p->step.v[step];
	const PlanTask *t = &p->task.v[s->task];
	int in = s->in.v[i], out = s->out.v[k], root = l[in].lies_in;

	if (!buffer_is_temporary(&p->buffer.v[in]) || !buffer_is_temporary(&p->buffer.v[out]) ||
	    l[out].lies_in != out || l[root].last != step || l[out].first != step ||
	    readers(p, s, in) > 1 ||
	    !task_may_overwrite(t->task, &t->form, tensor_of_kind(t->task, TENSOR_IN, i),
				tensor_of_kind(t->task, TENSOR_OUT, k)))
		return false;
	l[out].lies_in = root;
	l[root].last = l[out].last;
	l[out].bytes = 0;
	return true;
}

static void
overwrite_inputs(const Plan *p, BufferLife *l)
{
	for (int step = 0; step < p->step.n; step++) {
		const Step *s = &p->step.v[step];

		for (int k = 0; s->kind == STEP_TASK && k < s->out.n; k++)
			for (int i = 0; i < s->in.n; i++)
				if (overwrite(p, l, step, i, k))
					break;
	}
}

BufferLife *
plan_lives(const Plan *p, Arena *a, bool keep)
{
	BufferLife *l = ARENA_ARRAY(a, BufferLife, p->buffer.n + 1);

	for (int i = 0; i < p->buffer.n; i++) {
		const Buffer *x = &p->buffer.v[i];

		l[i] = (BufferLife){.bytes = buffer_is_temporary(x) ? x->bytes : 0,
				    .first = p->step.n,
				    .last = -1,
				    .lies_in = i};
	}
	for (int s = 0; s < p->step.n; s++) {
		const Step *x = &p->step.v[s];

		for (int i = 0; i < x->in.n; i++)
			touch(p, l, x->in.v[i], s);
		for (int i = 0; i < x->out.n; i++)
			touch(p, l, x->out.v[i], s);
	}
	for (int i = 0; keep && i < p->buffer.n; i++)
		if (l[i].last >= 0)
			l[i].last = p->step.n;
	overwrite_inputs(p, l);
	return l;
}

size_t
plan_given_bytes(const Plan *p)
{
	size_t bytes = 0;

	for (int i = 0; i < p->buffer.n; i++)
		if (p->buffer.v[i].kind != BUFFER_TEMPORARY && p->buffer.v[i].view_of < 0)
			bytes += whole_lines(p->buffer.v[i].bytes);
	return bytes;
}

size_t
plan_room(const Plan *p, int step)
{
	const Step *s = &p->step.v[step];

	return s->kind == STEP_TASK ? p->task.v[s->task].form.room & ~(size_t)63 : 0;
}

size_t
plan_step_bytes(const Plan *p, const BufferLife *l, int step, int threads)
{
	size_t bytes = plan_room(p, step) * (size_t)threads;

	for (int i = 0; i < p->buffer.n; i++)
		if (l[i].first <= step && step <= l[i].last)
			bytes += whole_lines(l[i].bytes);
	return bytes;
}

size_t
plan_peak(const Plan *p, Arena *a, int threads, int *step)
{
	BufferLife *l = plan_lives(p, a, false);
	size_t most = 0;

	*step = 0;
	for (int s = 0; s < p->step.n; s++) {
		size_t bytes = plan_step_bytes(p, l, s, threads);

		if (bytes > most) {
			most = bytes;
			*step = s;
		}
	}
	return most;
}
