/* LSTM. One sequence at a time, the state in double from the first step to the last.
 *
 * Per step, with x the input, h and c the state, gates in ONNX's order i o f c:
 *	i = f(Wi x + Ri h + Pi c + bi)
 *	f = f(Wf x + Rf h + Pf c + bf), or 1 - i when input and forget gate are coupled
 *	c = f c + i g(Wc x + Rc h + bc)
 *	o = f(Wo x + Ro h + Po c + bo), already with the new c
 *	h = o h(c)
 * What enters f and g is clipped first. Steps beyond a sequence's length give zeros, and so do the
 * final states of an empty sequence. Both as ONNX Runtime does.
 */
#include "kernels/element.h"
#include "kernels/kmath.h"

enum { GATE_I, GATE_O, GATE_F, GATE_C, GATES };
enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H, IN_C, IN_P };
enum { OUT_Y, OUT_H, OUT_C };

typedef struct Lstm {
	const KCall *k;
	int64_t steps, batch, input, hidden, directions; /* extents */
	int64_t direction, sequence;                     /* the present ones */
	bool reverse, coupled, batch_first;
	double clip;              /* K_INFINITY: none */
	double *c, *sum;          /* cell state, and what enters the gates, [GATES][hidden] */
	KTensor h;                /* hidden state, f64 */
	LstmActivation act[3];    /* f, g, h */
	double alpha[3], beta[3]; /* of the activations */
} Lstm;

int64_t
lstm_scratch(const KCall *k)
{
	return 8 * (2 + GATES) * k->in[IN_R].dim[2];
}

static double
activation(const Lstm *l, int which, double v)
{
	double a = l->alpha[which], b = l->beta[which], x;

	switch (l->act[which]) {
	case LSTM_Relu: return v < 0 ? 0 : v;
	case LSTM_Tanh: return k_tanh(v);
	case LSTM_Sigmoid: return k_sigmoid(v);
	case LSTM_Affine: return a * v + b;
	case LSTM_LeakyRelu: return v < 0 ? a * v : v;
	case LSTM_ThresholdedRelu: return v > a ? v : 0;
	case LSTM_ScaledTanh: return a * k_tanh(b * v);
	case LSTM_HardSigmoid: x = a * v + b; return x < 0 ? 0 : x > 1 ? 1 : x;
	case LSTM_Elu: return v < 0 ? a * k_expm1(v) : v;
	case LSTM_Softsign: return v / (1 + k_abs(v));
	case LSTM_Softplus: return k_softplus(v);
	default: return v;
	}
}

/* A gate: the activation of its clipped sum. */
static double
gate(const Lstm *l, int which, double v)
{
	return activation(l, which, v > l->clip ? l->clip : v < -l->clip ? -l->clip : v);
}

/* Sum of t[at + i] * u[from + i]. */
static double
dot(const KTensor *t, int64_t at, const KTensor *u, int64_t from, int64_t count)
{
	double a[K_RUN], b[K_RUN], sum = 0;

	for (int64_t i = 0; i < count; i += K_RUN) {
		int n = (int)k_min(K_RUN, count - i);

		k_load(t, at + i, 1, n, a);
		k_load(u, from + i, 1, n, b);
		for (int j = 0; j < n; j++)
			sum += a[j] * b[j];
	}
	return sum;
}

static int64_t
input_at(const Lstm *l, int64_t step)
{
	return l->input *
	       (l->batch_first ? l->sequence * l->steps + step : step * l->batch + l->sequence);
}

static int64_t
output_at(const Lstm *l, int64_t step)
{
	if (l->batch_first)
		return ((l->sequence * l->steps + step) * l->directions + l->direction) * l->hidden;
	return ((step * l->directions + l->direction) * l->batch + l->sequence) * l->hidden;
}

static int64_t
state_at(const Lstm *l) /* in initial and final states */
{
	return l->hidden * (l->batch_first ? l->sequence * l->directions + l->direction
					   : l->direction * l->batch + l->sequence);
}

/* Everything of the gates that does not need c. */
static void
sum_gates(Lstm *l, int64_t step)
{
	const KTensor *x = &l->k->in[IN_X], *w = &l->k->in[IN_W], *r = &l->k->in[IN_R];
	const KTensor *b = k_input(l->k, IN_B);
	int64_t rows = GATES * l->hidden, first = l->direction * rows;

	for (int64_t g = 0; g < rows; g++) {
		double sum = b ? k_get(b, 2 * first + g) + k_get(b, 2 * first + rows + g) : 0;

		sum += dot(w, (first + g) * l->input, x, input_at(l, step), l->input);
		sum += dot(r, (first + g) * l->hidden, &l->h, 0, l->hidden);
		l->sum[g] = sum;
	}
}

/* New c and h of unit j. */
static void
update_unit(Lstm *l, int64_t j)
{
	const KTensor *p = k_input(l->k, IN_P);
	int64_t n = l->hidden, peep = l->direction * 3 * n + j;
	const double *sum = l->sum + j;
	double c = l->c[j], i, f, o, *h = (double *)l->h.data;
	double pi = p ? k_get(p, peep) : 0, po = p ? k_get(p, peep + n) : 0;
	double pf = p ? k_get(p, peep + 2 * n) : 0;

	i = gate(l, 0, sum[GATE_I * n] + pi * c);
	f = l->coupled ? 1 - i : gate(l, 0, sum[GATE_F * n] + pf * c);
	c = f * c + i * gate(l, 1, sum[GATE_C * n]);
	o = gate(l, 0, sum[GATE_O * n] + po * c);
	l->c[j] = c;
	h[j] = o * activation(l, 2, c);
}

static void
store(const Lstm *l, int output, int64_t at, const double *v)
{
	const KTensor *t = k_output(l->k, output);

	for (int64_t i = 0; i < l->hidden && t; i += K_RUN)
		k_store(t, at + i, 1, (int)k_min(K_RUN, l->hidden - i), v + i);
}

static void
load_state(const Lstm *l, int input, bool is_empty, double *v)
{
	const KTensor *t = k_input(l->k, input);

	for (int64_t i = 0; i < l->hidden; i++)
		v[i] = t && !is_empty ? k_get(t, state_at(l) + i) : 0;
}

static void
run_sequence(Lstm *l)
{
	const KTensor *lengths = k_input(l->k, IN_LENGTHS), *y = k_output(l->k, OUT_Y);
	int64_t length = lengths ? k_get_int(lengths, l->sequence) : l->steps;
	double *h = (double *)l->h.data;

	length = k_max(0, k_min(length, l->steps));
	load_state(l, IN_H, length == 0, h);
	load_state(l, IN_C, length == 0, l->c);
	for (int64_t s = 0; s < length; s++) {
		int64_t step = l->reverse ? length - 1 - s : s;

		sum_gates(l, step);
		for (int64_t j = 0; j < l->hidden; j++)
			update_unit(l, j);
		store(l, OUT_Y, output_at(l, step), h);
	}
	for (int64_t s = length; s < l->steps && y; s++)
		k_zero(y, output_at(l, s), l->hidden);
	store(l, OUT_H, state_at(l), h);
	store(l, OUT_C, state_at(l), l->c);
}

/* Activations of the present direction. */
static void
choose_activations(Lstm *l)
{
	const KAttr *act = k_attr(l->k, ATTR_activations);
	const KAttr *alpha = k_attr(l->k, ATTR_activation_alpha);
	const KAttr *beta = k_attr(l->k, ATTR_activation_beta);

	for (int i = 0; i < 3; i++) {
		int at = (int)l->direction * 3 + i;

		l->act[i] = act && at < act->n ? (LstmActivation)act->i[at]
			    : i                ? LSTM_Tanh
					       : LSTM_Sigmoid;
		l->alpha[i] = alpha && at < alpha->n ? alpha->f[at] : 0;
		l->beta[i] = beta && at < beta->n ? beta->f[at] : 0;
	}
}

static void
read_shapes(Lstm *l, const KCall *k)
{
	const int64_t *x = k->in[IN_X].dim;

	l->k = k;
	l->batch_first = k_int(k, ATTR_layout);
	l->steps = x[l->batch_first ? 1 : 0];
	l->batch = x[l->batch_first ? 0 : 1];
	l->input = x[2];
	l->hidden = k->in[IN_R].dim[2];
	l->directions = k->in[IN_W].dim[0];
	l->coupled = k_int(k, ATTR_input_forget);
	l->clip = k_float(k, ATTR_clip) > 0 ? k_float(k, ATTR_clip) : K_INFINITY;
	l->h.type = DT_F64;
	l->h.data = k->scratch;
	l->c = (double *)k->scratch + l->hidden;
	l->sum = l->c + l->hidden;
}

int
ref_lstm(const KCall *k)
{
	int64_t direction = k_int(k, ATTR_direction);
	Lstm l;

	if (!k_is_float(&k->in[IN_X]))
		return -1;
	read_shapes(&l, k);
	for (l.direction = 0; l.direction < l.directions; l.direction++) {
		l.reverse = direction == 1 || l.direction == 1;
		choose_activations(&l);
		for (l.sequence = 0; l.sequence < l.batch; l.sequence++)
			run_sequence(&l);
	}
	return 0;
}
