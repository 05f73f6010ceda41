/* Import of operators that move elements. */
#include <string.h>

#include "graph/import_ops.h"
#include "graph/infer.h"

int
import_transpose(OnnxNode *n)
{
	int rank = in_value(n, 0)->rank, count;
	int64_t reversed[KERNEL_RANK_MAX];
	const int64_t *perm;

	for (int i = 0; i < rank; i++)
		reversed[i] = rank - 1 - i;
	if (get_ints(n, "perm", &perm, &count))
		with_ints(n, ATTR_perm, perm, count);
	else
		with_ints(n, ATTR_perm, reversed, rank);
	return finish(n, OP_Transpose, 1, n->in, NULL);
}

int
import_expand(OnnxNode *n)
{
	Value want = *in_value(n, 0), given = {0};
	const int64_t *v;
	int count, rc = static_ints(n, 1, &v, &count);

	if (rc)
		return rc;
	if (count > KERNEL_RANK_MAX)
		return refuse(n, "rank %d", count);
	given.name = "the given shape";
	given.rank = count;
	memcpy(given.dim, v, (size_t)count * sizeof *v);
	if (shape_check(count, v, &n->err) || infer_broadcast_dims(&want, &given, &n->err))
		return n->err.code;
	if (value_same_shape(&want, in_value(n, 0)))
		return bind_output(n, 0, n->in[0]);
	return finish(n, OP_Expand, 1, n->in, &want);
}

int
import_tile(OnnxNode *n)
{
	Value want = *in_value(n, 0);
	const int64_t *v;
	int count, rc = static_ints(n, 1, &v, &count);

	if (rc)
		return rc;
	if (count != want.rank)
		return invalid(n, "%d repeats for rank %d", count, want.rank);
	for (int i = 0; i < count; i++) {
		if (v[i] < 0 || v[i] > DIM_MAX)
			return invalid(n, "repeats hold %lld", (long long)v[i]);
		want.dim[i] *= v[i];
	}
	return finish(n, OP_Tile, 1, n->in, &want);
}

int
import_concat(OnnxNode *n)
{
	int axis;

	if (!has_attr(n, "axis"))
		return invalid(n, "attribute axis is missing");
	if (get_axis(n, 0, in_value(n, 0)->rank, &axis))
		return n->err.code;
	if (n->nin == 1)
		return bind_output(n, 0, n->in[0]);
	with_int(n, ATTR_axis, axis);
	return finish(n, OP_Concat, n->nin, n->in, NULL);
}

int
import_gather(OnnxNode *n)
{
	int axis;

	if (get_axis(n, 0, in_value(n, 0)->rank, &axis))
		return n->err.code;
	with_int(n, ATTR_axis, axis);
	return finish(n, OP_Gather, 2, n->in, NULL);
}

int
import_depthtospace(OnnxNode *n)
{
	static const char *const mode[] = {"DCR", "CRD", NULL};
	int crd;

	if (get_choice(n, "mode", "DCR", mode, &crd))
		return n->err.code;
	with_int(n, ATTR_blocksize, get_int(n, "blocksize", 0));
	with_int(n, ATTR_crd, crd);
	return finish(n, OP_DepthToSpace, 1, n->in, NULL);
}

int
import_spacetodepth(OnnxNode *n)
{
	with_int(n, ATTR_blocksize, get_int(n, "blocksize", 0));
	return finish(n, OP_SpaceToDepth, 1, n->in, NULL);
}

static int64_t
clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

int
import_trilu(OnnxNode *n)
{
	int64_t k = 0;
	int rc = has_in(n, 1) ? static_int(n, 1, &k) : OK;

	if (rc)
		return rc;
	with_int(n, ATTR_upper, get_int(n, "upper", 1) != 0);
	with_int(n, ATTR_k, clamp(k, -ATTR_INT_MAX, ATTR_INT_MAX));
	return finish(n, OP_Trilu, 1, n->in, NULL);
}

/* Axis i of a slice: indices clamped into the axis, counted in start, step and *extent. */
static void
slice_axis(int64_t dim, int64_t *start, int64_t end, int64_t *step, int64_t *extent)
{
	int64_t s = *start, low = *step < 0 ? -1 : 0, high = *step < 0 ? dim - 1 : dim;

	s = s < 0 ? s + dim : s;
	end = end < 0 ? end + dim : end;
	s = clamp(s, *step < 0 ? -1 : 0, high);
	end = clamp(end, low, high);
	*step = clamp(*step, -DIM_MAX + 1, DIM_MAX - 1);
	*extent = *step < 0 ? (s - end - *step - 1) / -*step : (end - s + *step - 1) / *step;
	*extent = *extent < 0 ? 0 : *extent;
	*start = *extent ? s : 0;
}

typedef struct SliceLists {
	const int64_t *starts, *ends, *axes, *steps;
	int count, naxes, nsteps; /* -1: absent */
} SliceLists;

static int
slice_init(OnnxNode *n, SliceLists *s)
{
	int nends = 0, rc = OK;

	*s = (SliceLists){.naxes = -1, .nsteps = -1};
	if (n->im->opset < 10) {
		get_ints(n, "starts", &s->starts, &s->count);
		get_ints(n, "ends", &s->ends, &nends);
		if (!get_ints(n, "axes", &s->axes, &s->naxes))
			s->naxes = -1;
	} else {
		rc = static_ints(n, 1, &s->starts, &s->count);
		rc = also(rc, static_ints(n, 2, &s->ends, &nends));
		if (has_in(n, 3))
			rc = also(rc, static_ints(n, 3, &s->axes, &s->naxes));
		if (has_in(n, 4))
			rc = also(rc, static_ints(n, 4, &s->steps, &s->nsteps));
	}
	if (rc == OK && (nends != s->count || (s->naxes >= 0 && s->naxes != s->count) ||
			 (s->nsteps >= 0 && s->nsteps != s->count)))
		rc = invalid(n, "starts, ends, axes and steps are of different lengths");
	return rc;
}

int
import_slice(OnnxNode *n)
{
	Value want = *in_value(n, 0);
	int64_t starts[KERNEL_RANK_MAX] = {0}, steps[KERNEL_RANK_MAX];
	bool seen[KERNEL_RANK_MAX] = {false};
	SliceLists s;
	int rc = slice_init(n, &s);

	for (int i = 0; i < want.rank; i++)
		steps[i] = 1;
	for (int i = 0; rc == OK && i < s.count; i++) {
		int64_t axis = s.naxes >= 0 ? s.axes[i] : i;

		if (axis < -want.rank || axis >= want.rank)
			return invalid(n, "axis %lld is none of the %d there are", (long long)axis,
				       want.rank);
		axis += axis < 0 ? want.rank : 0;
		if (seen[axis] || (s.nsteps >= 0 && s.steps[i] == 0))
			return invalid(n, "axis %lld is there twice or has step 0",
				       (long long)axis);
		seen[axis] = true;
		starts[axis] = s.starts[i];
		steps[axis] = s.nsteps >= 0 ? s.steps[i] : 1;
		slice_axis(want.dim[axis], &starts[axis], s.ends[i], &steps[axis], &want.dim[axis]);
	}
	if (rc)
		return rc;
	with_ints(n, ATTR_starts, starts, want.rank);
	with_ints(n, ATTR_steps, steps, want.rank);
	return finish(n, OP_Slice, 1, n->in, &want);
}

/* Extents of the parts of a Split: a list, or as equal as possible with the last one smaller. */
static int
split_parts(OnnxNode *n, int64_t extent, int64_t *part, int count)
{
	bool as_input = n->im->opset >= 13;
	const int64_t *v = NULL;
	int64_t each = (extent + count - 1) / count;
	int nv = 0, rc = OK;

	if (as_input && has_in(n, 1))
		rc = static_ints(n, 1, &v, &nv);
	else if (!as_input)
		get_ints(n, "split", &v, &nv);
	if (rc)
		return rc;
	if (v && nv != count)
		return invalid(n, "%d parts for %d outputs", nv, count);
	if (!v && extent % count && !has_attr(n, "num_outputs"))
		return invalid(n, "extent %lld does not split into %d equal parts",
			       (long long)extent, count);
	if (!v && extent && each * (count - 1) >= extent)
		return invalid(n,
			       "%d outputs of %lld each leave nothing of extent %lld for the last",
			       count, (long long)each, (long long)extent);
	for (int64_t i = 0, left = extent; i < count; left -= part[i++]) {
		part[i] = v ? v[i] : each < left ? each : left;
		if (part[i] < 0 || part[i] > left || (v && i == count - 1 && part[i] != left))
			return invalid(n, "parts do not add up to extent %lld", (long long)extent);
	}
	return OK;
}

int
import_split(OnnxNode *n)
{
	Value want = *in_value(n, 0);
	int count = (int)n->proto->n_output, axis, rc;
	int64_t starts[KERNEL_RANK_MAX] = {0}, steps[KERNEL_RANK_MAX], *part;

	if (get_axis(n, 0, want.rank, &axis))
		return n->err.code;
	if (!count || (has_attr(n, "num_outputs") && get_int(n, "num_outputs", 0) != count))
		return invalid(n, "attribute num_outputs is not the number of outputs, %d", count);
	part = ARENA_ARRAY(n->im->tmp, int64_t, count);
	rc = split_parts(n, want.dim[axis], part, count);
	for (int i = 0; i < want.rank; i++)
		steps[i] = 1;
	for (int i = 0, v = 0; rc == OK && i < count; i++) {
		want.dim[axis] = part[i];
		if (wants_output(n, i)) {
			with_ints(n, ATTR_starts, starts, want.rank);
			with_ints(n, ATTR_steps, steps, want.rank);
			v = step_named(n, n->proto->output[i], OP_Slice, 1, n->in, &want);
			rc = bind_output(n, i, v);
		}
		starts[axis] += part[i];
	}
	return rc;
}

/* pads of the axes there are, into begins and ends of all axes. */
static int
spread_pads(OnnxNode *n, const int64_t *v, int count, int64_t *pads)
{
	int rank = in_value(n, 0)->rank, naxes = rank;
	const int64_t *axes = NULL;
	int rc = OK;

	if (n->im->opset >= 18 && has_in(n, 3))
		rc = static_ints(n, 3, &axes, &naxes);
	if (rc)
		return rc;
	if (count != 2 * naxes)
		return invalid(n, "%d pads for %d axes", count, naxes);
	for (int i = 0; i < naxes; i++) {
		int64_t axis = axes ? axes[i] : i;

		if (axis < -rank || axis >= rank)
			return invalid(n, "axis %lld is none of the %d there are", (long long)axis,
				       rank);
		axis += axis < 0 ? rank : 0;
		pads[axis] = v[i];
		pads[axis + rank] = v[i + naxes];
	}
	return OK;
}

int
import_pad(OnnxNode *n)
{
	static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};
	int rank = in_value(n, 0)->rank, count = 0, mode, rc = OK;
	int64_t pads[2 * KERNEL_RANK_MAX] = {0};
	const int64_t *v;
	double value = get_float(n, "value", 0);

	if (get_choice(n, "mode", "constant", modes, &mode))
		return n->err.code;
	if (n->im->opset < 11)
		get_ints(n, "pads", &v, &count);
	else
		rc = static_ints(n, 1, &v, &count);
	if (n->im->opset >= 11 && has_in(n, 2) && mode == 0)
		rc = also(rc, static_float(n, 2, &value));
	if (rc == OK)
		rc = spread_pads(n, v, count, pads);
	if (rc)
		return rc;
	with_ints(n, ATTR_pads, pads, 2 * rank);
	with_int(n, ATTR_pad_mode, mode);
	with_float(n, ATTR_value, value);
	return finish(n, OP_Pad, 1, n->in, NULL);
}
