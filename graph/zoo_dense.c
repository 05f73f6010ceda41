/* Networks of matrix products: a perceptron, and one encoder layer of a transformer with the
 * operators that exporters write for it. */
#include "graph/zoo_net.h"

enum { ROWS = 128, WIDTH = 768, INNER = 3072, HEADS = 12, HEAD = WIDTH / HEADS };

void
zoo_mlp(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "rows", 2, (int64_t[]){ROWS, WIDTH});

	for (int i = 0; i < 4; i++) {
		x = zoo_act(z, zoo_dense(z, x, INNER), ZOO_RELU);
		x = zoo_dense(z, x, WIDTH);
	}
	zoo_output(z, "out", x);
}

/* x * (1 + erf(x / sqrt 2)) / 2; 0.425 is its mean square for a normal x. */
static ZooTensor
gelu(ZooNet *z, ZooTensor x)
{
	ZooTensor y = zoo_binary(z, "Div", x, zoo_scalar(z, 1.41421356F), 0.5);

	y = zoo_unary(z, "Erf", y, 0.33);
	y = zoo_binary(z, "Add", y, zoo_scalar(z, 1), 1.33);
	y = zoo_binary(z, "Mul", x, y, 1.7);
	return zoo_binary(z, "Mul", y, zoo_scalar(z, 0.5F), 0.425);
}

/* [1,ROWS,WIDTH] to [1,HEADS,ROWS,HEAD], or to [1,HEADS,HEAD,ROWS] for the keys. */
static ZooTensor
project(ZooNet *z, ZooTensor x, bool is_key)
{
	x = zoo_reshape(z, zoo_dense(z, x, WIDTH), 4, (int64_t[]){1, ROWS, HEADS, HEAD});
	return zoo_transpose(z, x, is_key ? (int64_t[]){0, 2, 3, 1} : (int64_t[]){0, 2, 1, 3});
}

static ZooTensor
attention(ZooNet *z, ZooTensor x)
{
	ZooTensor q = project(z, x, false), k = project(z, x, true), v = project(z, x, false);
	ZooTensor s = zoo_matmul(z, q, k, HEAD);

	s = zoo_softmax(z, zoo_binary(z, "Div", s, zoo_scalar(z, 8), 1));
	s = zoo_matmul(z, s, v, ROWS * s.square);
	s = zoo_transpose(z, s, (int64_t[]){0, 2, 1, 3});
	s = zoo_reshape(z, s, 3, (int64_t[]){1, ROWS, WIDTH});
	return zoo_dense(z, s, WIDTH);
}

void
zoo_bert_layer(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "hidden", 3, (int64_t[]){1, ROWS, WIDTH}), y;

	x = zoo_layer_norm(z, zoo_add(z, attention(z, x), x));
	y = zoo_dense(z, gelu(z, zoo_dense(z, x, INNER)), WIDTH);
	zoo_output(z, "out", zoo_layer_norm(z, zoo_add(z, y, x)));
}
