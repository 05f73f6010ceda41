/* Packed constants.
 *
 * A segment is identified by its tensor, the loops that occur in the index (extents and
 * coefficients, not positions) and the lanes; inside it each distinct constant part of an index
 * gets the next slot, in order of first use. So any nest reads its constants in consecutive
 * order, a tile and its remainder on another axis share them, and lanes beyond the tensor hold the
 * else value (0 unless the load says otherwise). A vector whose lanes are several terms each is a
 * run of slots, one per lane, that hold the terms. Strides depend on the number of slots, known
 * only at the end: addresses inside a segment name the segment's loop instead of bytes.
 */
#include <string.h>

#include "codegen/lowering.h"

static bool
same_loops(const Segment *p, const Segment *q)
{
	for (int i = 0; i < p->nloop; i++)
		if (p->loop[i].extent != q->loop[i].extent ||
		    memcmp(p->loop[i].coef, q->loop[i].coef, sizeof p->loop[i].coef))
			return false;
	return true;
}

static int
find_segment(Lower *l, const Segment *q)
{
	for (int i = 0; i < l->loop->seg.n; i++) {
		const Segment *p = &l->loop->seg.v[i];

		if (p->tensor == q->tensor && p->whole == q->whole && p->lanes == q->lanes &&
		    p->run == q->run && p->nloop == q->nloop && p->otherwise == q->otherwise &&
		    !memcmp(p->lane_coef, q->lane_coef, sizeof p->lane_coef) && same_loops(p, q))
			return i;
	}
	vec_push(l->a, &l->loop->seg, *q);
	return l->loop->seg.n - 1;
}

/* The first slot of the run that starts at s; from slot to slot indices move by `by`. */
static int
find_run(Lower *l, Segment *p, const Slot *s, const Slot *by, int rank)
{
	Slot at = *s;

	for (int i = 0; i < p->slot.n; i += p->run)
		if (!memcmp(&p->slot.v[i], s, sizeof *s))
			return i;
	for (int i = 0; i < p->run; i++) {
		vec_push(l->a, &p->slot, at);
		for (int d = 0; d < rank; d++)
			at.at[d] += by->at[d];
	}
	return p->slot.n - p->run;
}

static int
pool_root(Lower *l)
{
	for (int i = 0; i < l->loop->root.n; i++)
		if (l->loop->root.v[i].kind == ROOT_POOL)
			return i;
	return 0;
}

/* Address of the segment's start; the offset is added when it is known. */
int
segment_base(Lower *l, int seg)
{
	int root =
		build_node(&l->b, (LoopNode){.op = LOOP_ROOT, .lanes = 1, .k = pool_root(l)}, true);

	return build_node(&l->b,
			  (LoopNode){.op = LOOP_SEG_STEP, .lanes = 1, .a = root, .c = seg, .k = -1},
			  true);
}

/* Where a vector of packed constants lies: in the segment's run of slots that starts with `slot`.
 */
typedef struct Packed {
	int at; /* address node of the slots of this iteration */
	int slot, run, lanes;
	int16_t depth; /* where it is loaded */
} Packed;

static Packed
place_packed(Lower *l, int tensor, const Aff *ix, double otherwise, const Env *env)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	Segment q = {.tensor = tensor, .lanes = 1, .run = 1, .otherwise = otherwise};
	bool shares = shares_lanes(env);
	Stream stream = {0};
	int seg, slot, at, depth;
	Slot s = {{0}}, by = {{0}};

	for (int d = 0; d < x->rank; d++) {
		q.lane_coef[d] = shares ? ix[d].term : ix[d].lane;
		if (shares && (ix[d].lane || ix[d].term))
			q.lanes = env->terms;
		if (shares && ix[d].lane)
			q.run = env->lanes;
		if (!shares && ix[d].lane)
			q.lanes = env->lanes;
		s.at[d] = (int32_t)ix[d].k;
		by.at[d] = ix[d].lane;
	}
	for (int v = 1; v <= l->b.depth; v++) {
		SegLoop *lp = &q.loop[q.nloop];
		bool used = false;

		memset(lp, 0, sizeof *lp);
		for (int d = 0; d < x->rank; d++) {
			lp->coef[d] = ix[d].loop[v];
			used |= lp->coef[d] != 0;
		}
		if (!used)
			continue;
		lp->extent = l->b.extent[v];
		stream.level[q.nloop++] = v;
	}
	seg = find_segment(l, &q);
	slot = find_run(l, &l->loop->seg.v[seg], &s, &by, x->rank);
	stream.seg = seg;
	stream.nloop = q.nloop;
	prefetch_note(l, &stream);
	at = segment_base(l, seg);
	for (int i = 0; i < q.nloop; i++)
		at = build_node(&l->b,
				(LoopNode){.op = LOOP_SEG_STEP,
					   .lanes = 1,
					   .a = at,
					   .b = stream.level[i],
					   .c = seg,
					   .k = i,
					   .depth = (int16_t)stream.level[i]},
				true);
	depth = build_depth(&l->b, at);
	return (Packed){at, slot, q.run, q.lanes,
			(int16_t)(depth > l->const_depth ? depth : l->const_depth)};
}

int
segment_load(Lower *l, int tensor, const Aff *ix, double otherwise, const Env *env)
{
	DType type = l->t->tensor.v[tensor].type;
	Packed p = place_packed(l, tensor, ix, otherwise, env);
	int lanes = p.run * p.lanes;
	int value =
		build_node(&l->b,
			   (LoopNode){.op = LOOP_LOAD,
				      .type = value_type(type),
				      .mem = type,
				      .lanes = (int16_t)lanes,
				      .a = p.at,
				      .k = (int64_t)p.slot * p.lanes * (int64_t)dtype_size(type),
				      .k2 = (int64_t)dtype_size(type),
				      .depth = p.depth},
			   true);

	return shares_lanes(env) && lanes > 1 ? build_repeat(&l->b, value, env_width(env)) : value;
}

int
segment_load_bytes(Lower *l, int tensor, const Aff *ix, double otherwise, const Env *env, bool flip)
{
	Packed p = place_packed(l, tensor, ix, otherwise, env);

	if (p.lanes != env->terms)
		build_refuse(&l->b, "dot: %s does not vary along the axis",
			     l->t->tensor.v[tensor].name);
	return build_node(&l->b,
			  (LoopNode){.op = LOOP_LOAD_BYTES,
				     .type = DT_I32,
				     .mem = DT_I32,
				     .lanes = (int16_t)p.run,
				     .a = p.at,
				     .b = flip,
				     .k = (int64_t)p.slot * p.lanes,
				     .k2 = p.lanes,
				     .depth = p.depth},
			  true);
}

int
segment_whole(Lower *l, int tensor)
{
	Segment q = {.tensor = tensor, .lanes = 1, .run = 1, .whole = true};

	return segment_base(l, find_segment(l, &q));
}

static int64_t
align64(int64_t n)
{
	return (n + 63) & ~(int64_t)63;
}

void
segments_place(Lower *l)
{
	Loop *loop = l->loop;

	for (int i = 0; i < loop->seg.n; i++) {
		Segment *p = &loop->seg.v[i];
		const TaskTensor *x = &l->t->tensor.v[p->tensor];
		int64_t bytes = (int64_t)dtype_size(x->type);

		bytes *= p->whole ? tensor_count(x) : (int64_t)p->slot.n * p->lanes;
		if (p->lanes > 1)
			bytes = align64(bytes);
		for (int k = p->nloop - 1; k >= 0; k--) {
			p->loop[k].stride = bytes;
			bytes *= p->loop[k].extent;
		}
		p->offset = loop->pool_bytes;
		loop->pool_bytes += align64(bytes);
	}
}
