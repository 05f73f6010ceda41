/* Random dense Tasks: products, reductions, softmax, normalisation, attention. */
#include <stdio.h>

#include "tests/support/draw.h"

static void
draw_matmul(Rng *r, Str *out)
{
	long long b = draw_int(r, 1, 3), m = draw_int(r, 1, 33), n = draw_int(r, 1, 50),
		  k = draw_int(r, 1, 40);
	bool at = draw_chance(r, 30), bt = draw_chance(r, 30), fixed = draw_chance(r, 50);

	str_printf(out, " in a f32[%lld,%lld,%lld]\n", b, at ? k : m, at ? m : k);
	str_printf(out, " %s b f32[%lld,%lld]\n", fixed ? "const" : "in", bt ? n : k, bt ? k : n);
	str_printf(out, " const d f32[%lld]\n out y f32[%lld,%lld,%lld]\n", n, b, m, n);
	str_printf(out, " stage b:%lld m:%lld n:%lld | k:%lld\n", b, m, n, k);
	str_printf(out, "  acc f32 sum a[b,%s] * b[%s]\n  y[b,m,n] = ", at ? "k,m" : "m,k",
		   bt ? "n,k" : "k,n");
	draw_epilogue(r, out, draw_chance(r, 50) ? "d[n]" : NULL);
	str_add(out, "\n");
}

/* Products of bytes, of all signs, as they are or with the other one. */
static void
draw_bytes(Rng *r, Str *out)
{
	static const char *const types[] = {"u8", "i8"};
	long long m = draw_int(r, 1, 20), n = draw_int(r, 1, 40), k = 4 * draw_int(r, 1, 12);
	bool x = draw_chance(r, 50), w = draw_chance(r, 50), flip = draw_chance(r, 40);
	bool given = draw_chance(r, 20);

	str_printf(out, " in x %s[%lld,%lld]\n %s w %s[%lld,%lld]\n const b i32[%lld]\n", types[x],
		   m, k, given ? "in" : "const", types[w], n, k, n);
	str_printf(out, " out y i32[%lld,%lld]\n stage m:%lld n:%lld | k:%lld\n", m, n, m, n, k);
	str_printf(out, "  acc i32 sum %s * w[n,k]\n  y[m,n] = acc + b[n]\n",
		   !flip ? "x[m,k]"
		   : x   ? "(x[m,k] + 128:i32)"
			 : "(x[m,k] - 128:i32)");
}

static void
draw_reduction(Rng *r, Str *out)
{
	static const char *const combiner[] = {"sum", "prod", "max", "min"};
	static const char *const types[] = {"f32", "f32", "i32", "f64", "i64"};
	static const char *const bodies[] = {"x[a,b,c]", "abs(x[a,b,c])", "x[a,b,c] * x[a,b,c]",
					     "x[a,b,c] + z[c,b]"};
	long long a = draw_int(r, 1, 20), b = draw_int(r, 1, 20), c = draw_int(r, 1, 40);
	const char *type = types[draw_int(r, 0, 4)], *comb = combiner[draw_int(r, 0, 3)];
	bool two = draw_chance(r, 40);

	if (type[0] == 'i' && comb[0] == 'p') /* integers would overflow */
		comb = "max";
	str_printf(out, " in x %s[%lld,%lld,%lld]\n in z %s[%lld,%lld]\n", type, a, b, c, type, c,
		   b);
	if (two)
		str_printf(out, " out y %s[%lld]\n stage a:%lld | b:%lld c:%lld\n", type, a, a, b,
			   c);
	else
		str_printf(out, " out y %s[%lld,%lld]\n stage a:%lld c:%lld | b:%lld\n", type, a, c,
			   a, c, b);
	str_printf(out, "  acc %s %s %s\n  y[%s] = acc\n", type, comb, bodies[draw_int(r, 0, 3)],
		   two ? "a" : "a,c");
}

static void
draw_arg(Rng *r, Str *out)
{
	static const char *const combiner[] = {"argmax", "argmin", "argmaxlast", "argminlast"};
	static const char *const types[] = {"f32", "i32", "u8"};
	long long a = draw_int(r, 1, 20), b = draw_int(r, 1, 20), c = draw_int(r, 1, 20);

	str_printf(out, " in x %s[%lld,%lld,%lld]\n out y i64[%lld,%lld]\n",
		   types[draw_int(r, 0, 2)], a, b, c, a, c);
	str_printf(out,
		   " stage a:%lld c:%lld | b:%lld\n  acc i32 %s x[a,b,c]\n  y[a,c] = i64(acc)\n", a,
		   c, b, combiner[draw_int(r, 0, 3)]);
}

/* The body does not depend on every reduction axis. Equal terms round alike, which the oracle's
 * bound does not expect: few of them. */
static void
draw_idle_axis(Rng *r, Str *out)
{
	long long a = draw_int(r, 1, 20), b = draw_int(r, 1, 20), c = draw_int(r, 2, 4);

	str_printf(out,
		   " in x f32[%lld,%lld]\n out y f32[%lld]\n stage a:%lld | b:%lld c:%lld\n"
		   "  acc f32 sum x[a,b]%s\n  y[a] = acc\n",
		   a, b, a, a, b, c, draw_chance(r, 50) ? " * x[a,b]" : "");
}

static void
draw_softmax(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 12), c = draw_int(r, 1, 50);

	str_printf(out,
		   " in x f32[%lld,%lld]\n tmp m f32[%lld]\n tmp e f32[%lld,%lld]\n"
		   " tmp z f32[%lld]\n out y f32[%lld,%lld]\n",
		   n, c, n, n, c, n, n, c);
	str_printf(out, " stage r:%lld | c:%lld\n  acc f32 max x[r,c]\n  m[r] = acc\n", n, c);
	str_printf(out, " stage r:%lld c:%lld\n  e[r,c] = exp(x[r,c] - m[r])\n", n, c);
	str_printf(out, " stage r:%lld | c:%lld\n  acc f32 sum e[r,c]\n  z[r] = acc\n", n, c);
	str_printf(out, " stage r:%lld c:%lld\n  y[r,c] = e[r,c] / z[r]\n", n, c);
}

static void
draw_layernorm(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 12), c = draw_int(r, 2, 50);

	str_printf(out,
		   " in x f32[%lld,%lld]\n const g f32[%lld]\n const b f32[%lld]\n"
		   " tmp m f32[%lld]\n tmp v f32[%lld]\n out y f32[%lld,%lld]\n",
		   n, c, c, c, n, n, n, c);
	str_printf(out, " stage r:%lld | c:%lld\n  acc f32 sum x[r,c]\n  m[r] = acc / %lld\n", n, c,
		   c);
	str_printf(out,
		   " stage r:%lld | c:%lld\n  acc f32 sum (x[r,c] - m[r]) * (x[r,c] - m[r])\n"
		   "  v[r] = 1 / sqrt(acc / %lld + 0.001)\n",
		   n, c, c);
	str_printf(out, " stage r:%lld c:%lld\n  y[r,c] = (x[r,c] - m[r]) * v[r] * g[c] + b[c]\n",
		   n, c);
}

static void
draw_attention(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 12), m = draw_int(r, 1, 20), d = draw_int(r, 1, 20);

	str_printf(out,
		   " in q f32[%lld,%lld]\n in k f32[%lld,%lld]\n in v f32[%lld,%lld]\n"
		   " tmp s f32[%lld,%lld]\n tmp e f32[%lld,%lld]\n tmp z f32[%lld]\n"
		   " out y f32[%lld,%lld]\n",
		   n, d, m, d, m, d, n, m, n, m, n, n, d);
	str_printf(out,
		   " stage r:%lld c:%lld | d:%lld\n  acc f32 sum q[r,d] * k[c,d]\n"
		   "  s[r,c] = acc * 0.25\n stage r:%lld c:%lld\n  e[r,c] = exp(s[r,c])\n",
		   n, m, d, n, m);
	str_printf(out,
		   " stage r:%lld | c:%lld\n  acc f32 sum e[r,c]\n  z[r] = acc\n"
		   " stage r:%lld d:%lld | c:%lld\n  acc f32 sum e[r,c] * v[c,d]\n"
		   "  y[r,d] = acc / z[r]\n",
		   n, m, n, d, m);
}

/* A product with a literal matrix folds: interpolation, transforms. */
static void
draw_literal(Rng *r, Str *out)
{
	static const char *const values[] = {"0", "1", "-1", "0.5", "-2.25"};
	long long n = draw_int(r, 1, 30), m = draw_int(r, 1, 5), k = draw_int(r, 1, 5);

	str_printf(out, " in x f32[%lld,%lld]\n lit w f32[%lld,%lld] =", n, k, m, k);
	for (long long i = 0; i < m * k; i++)
		str_printf(out, " %s", values[draw_int(r, 0, 4)]);
	str_printf(out,
		   "\n out y f32[%lld,%lld]\n stage n:%lld m:%lld | k:%lld\n"
		   "  acc f32 sum w[m,k] * x[n,k]\n  y[n,m] = acc\n",
		   n, m, n, m, k);
}

const Family draw_dense_families[] = {
	{"matmul", draw_matmul},
	{"matmul", draw_matmul},
	{"reduction", draw_reduction},
	{"arg", draw_arg},
	{"idle axis", draw_idle_axis},
	{"softmax", draw_softmax},
	{"layernorm", draw_layernorm},
	{"attention", draw_attention},
	{"literal", draw_literal},
	{"bytes", draw_bytes},
	{NULL, NULL},
};
