/* Import of LSTM and of quantisation. */
#include <strings.h>

#include "graph/import_ops.h"

typedef struct Activation {
	const char *name;
	double alpha, beta;
} Activation;

static const Activation activations[] = {
#define X(name, alpha, beta) {#name, alpha, beta},
	LSTM_ACTIVATION_LIST(X)
#undef X
};

static bool
takes_alpha(int activation)
{
	return activations[activation].alpha != 0;
}

static bool
takes_beta(int activation)
{
	return activations[activation].beta != 0 || activation == LSTM_Affine;
}

/* Alphas and betas are listed for the activations that take one, in order. */
static int
with_activations(OnnxNode *n, int dirs)
{
	static const char *const usual[] = {"Sigmoid", "Tanh", "Tanh"};
	const char *const *name;
	const double *alpha, *beta;
	double a[6], b[6];
	int64_t number[6];
	int count, nalpha, nbeta, ia = 0, ib = 0;
	bool given = get_texts(n, "activations", &name, &count);

	count = given ? count : 3 * dirs;
	get_floats(n, "activation_alpha", &alpha, &nalpha);
	get_floats(n, "activation_beta", &beta, &nbeta);
	if (count != 3 * dirs)
		return invalid(n, "%d activations, expected %d", count, 3 * dirs);
	for (int i = 0; i < count; i++) {
		const char *text = given ? name[i] : usual[i % 3];
		int k = 0;

		while (k < LSTM_ACTIVATION_COUNT && strcasecmp(activations[k].name, text))
			k++;
		if (k == LSTM_ACTIVATION_COUNT)
			return refuse(n, "activation %s", text);
		number[i] = k;
		a[i] = takes_alpha(k) && ia < nalpha ? alpha[ia++] : activations[k].alpha;
		b[i] = takes_beta(k) && ib < nbeta ? beta[ib++] : activations[k].beta;
	}
	with_ints(n, ATTR_activations, number, count);
	with_floats(n, ATTR_activation_alpha, a, count);
	with_floats(n, ATTR_activation_beta, b, count);
	return OK;
}

/* R and W say the hidden size; the attribute is redundant and often absent. */
int
import_lstm(OnnxNode *n)
{
	static const char *const directions[] = {"forward", "reverse", "bidirectional", NULL};
	const Value *r = in_value(n, 2);
	int direction, rc;

	if (get_choice(n, "direction", "forward", directions, &direction))
		return n->err.code;
	if (r->rank != 3)
		return invalid(n, "'%s' has rank %d, expected 3", r->name, r->rank);
	rc = with_activations(n, direction == 2 ? 2 : 1);
	if (rc)
		return rc;
	with_int(n, ATTR_direction, direction);
	with_int(n, ATTR_hidden_size, get_int(n, "hidden_size", r->dim[2]));
	with_float(n, ATTR_clip, get_float(n, "clip", 0));
	with_int(n, ATTR_input_forget, get_int(n, "input_forget", 0) != 0);
	with_int(n, ATTR_layout, get_int(n, "layout", 0) != 0);
	return finish(n, OP_LSTM, n->nin, n->in, NULL);
}

/* The axis matters only when there are several scales. */
static int
with_scale_axis(OnnxNode *n)
{
	int rank = in_value(n, 0)->rank, axis = 0;

	if (get_int(n, "block_size", 0))
		return refuse(n, "attribute block_size");
	if (value_count(in_value(n, 1)) != 1 && get_axis(n, 1, rank, &axis))
		return n->err.code;
	with_int(n, ATTR_axis, axis);
	return OK;
}

int
import_quantize(OnnxNode *n)
{
	int in[3] = {n->in[0], n->in[1], has_in(n, 2) ? n->in[2] : NO_VALUE};
	int64_t number = get_int(n, "output_dtype", 0);
	const Value *scale = in_value(n, 1);
	DType type;
	int rc;

	if (number && in[2] == NO_VALUE) {
		if (number < 0 || number > INT32_MAX || !dtype_from_onnx((int)number, &type))
			return refuse(n, "element type %s", onnx_type_name(number));
		in[2] = add_scalar(n, type, 0);
		if (in[2] >= 0 && scale->rank)
			in[2] = step(n, OP_Expand, 1, &in[2], scale);
	}
	rc = with_scale_axis(n);
	return rc ? rc : finish(n, OP_QuantizeLinear, 3, in, NULL);
}

int
import_dequantize(OnnxNode *n)
{
	int rc = with_scale_axis(n);

	return rc ? rc : finish(n, OP_DequantizeLinear, n->nin, n->in, NULL);
}
