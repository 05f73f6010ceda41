/* Random windowed Tasks: convolutions of every kind, pooling, chains of them. */
#include <stdio.h>

#include "tests/support/draw.h"

/* One spatial dimension of a window. */
typedef struct Window {
	long long in, out, kernel, stride, dilation, pad;
	char index[64]; /* of the input: stride * p + dilation * i - pad */
	bool outside;   /* some index may lie outside */
} Window;

static Window
draw_window(Rng *r, const char *axis, const char *tap, long long in_max)
{
	Window w = {.kernel = draw_int(r, 1, 5), .stride = draw_int(r, 1, 3)};
	long long full, after;

	w.dilation = draw_chance(r, 25) ? 2 : 1;
	full = (w.kernel - 1) * w.dilation + 1;
	w.in = draw_int(r, 1, in_max);
	w.pad = draw_int(r, 0, full - 1);
	after = draw_int(r, 0, full - 1);
	if (w.in + w.pad + after < full)
		w.in = full;
	w.out = (w.in + w.pad + after - full) / w.stride + 1;
	w.outside = w.pad > 0 || (w.out - 1) * w.stride + full - w.pad > w.in;
	snprintf(w.index, sizeof w.index, "%lld*%s+%lld*%s-%lld", w.stride, axis, w.dilation, tap,
		 w.pad);
	return w;
}

static const char *
otherwise(const Window *a, const Window *b, const char *text)
{
	return a->outside || b->outside ? text : "";
}

static void
add_epilogue(Rng *r, Str *out, bool bias, const char *residual)
{
	if (bias && residual)
		str_printf(out, "max(acc + b[k] + %s, 0)", residual);
	else
		draw_epilogue(r, out, residual ? residual : bias ? "b[k]" : NULL);
	str_add(out, "\n");
}

static void
draw_conv(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 2), c = draw_int(r, 1, 20), k = draw_int(r, 1, 36);
	Window a = draw_window(r, "p", "i", 13), b = draw_window(r, "q", "j", 13);
	bool bias = draw_chance(r, 60), residual = draw_chance(r, 30);

	str_printf(out, " in x f32[%lld,%lld,%lld,%lld]\n", n, c, a.in, b.in);
	str_printf(out, " %s w f32[%lld,%lld,%lld,%lld]\n", draw_chance(r, 85) ? "const" : "in", k,
		   c, a.kernel, b.kernel);
	if (bias)
		str_printf(out, " const b f32[%lld]\n", k);
	if (residual)
		str_printf(out, " in z f32[%lld,%lld,%lld,%lld]\n", n, k, a.out, b.out);
	str_printf(out, " out y f32[%lld,%lld,%lld,%lld]\n", n, k, a.out, b.out);
	str_printf(out, " stage n:%lld k:%lld p:%lld q:%lld | c:%lld i:%lld j:%lld\n", n, k, a.out,
		   b.out, c, a.kernel, b.kernel);
	str_printf(out, "  acc f32 sum x[n,c,%s,%s%s] * w[k,c,i,j]\n  y[n,k,p,q] = ", a.index,
		   b.index, otherwise(&a, &b, " else 0"));
	add_epilogue(r, out, bias, residual ? "z[n,k,p,q]" : NULL);
}

/* 3x3, stride 1, pad 1: what the Winograd rewrites take. */
static void
draw_conv3(Rng *r, Str *out)
{
	long long c = draw_int(r, 1, 18), k = draw_int(r, 1, 34), h = draw_int(r, 2, 15),
		  w = draw_int(r, 2, 15);

	str_printf(out,
		   " in x f32[%lld,%lld,%lld]\n const w f32[%lld,%lld,3,3]\n const b f32[%lld]\n"
		   " out y f32[%lld,%lld,%lld]\n stage k:%lld p:%lld q:%lld | c:%lld i:3 j:3\n"
		   "  acc f32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  y[k,p,q] = ",
		   c, h, w, k, c, k, k, h, w, k, h, w, c);
	add_epilogue(r, out, true, NULL);
}

static void
draw_grouped(Rng *r, Str *out)
{
	long long g = draw_int(r, 2, 4), c = draw_int(r, 1, 6), k = draw_int(r, 1, 9);
	Window a = draw_window(r, "p", "i", 10), b = draw_window(r, "q", "j", 10);

	str_printf(out, " in x f32[%lld,%lld,%lld]\n const w f32[%lld,%lld,%lld,%lld]\n", g * c,
		   a.in, b.in, g * k, c, a.kernel, b.kernel);
	str_printf(out, " out y f32[%lld,%lld,%lld]\n", g * k, a.out, b.out);
	str_printf(out, " stage g:%lld k:%lld p:%lld q:%lld | c:%lld i:%lld j:%lld\n", g, k, a.out,
		   b.out, c, a.kernel, b.kernel);
	str_printf(out,
		   "  acc f32 sum x[%lld*g+c,%s,%s%s] * w[%lld*g+k,c,i,j]\n"
		   "  y[%lld*g+k,p,q] = ",
		   c, a.index, b.index, otherwise(&a, &b, " else 0"), k, k);
	add_epilogue(r, out, false, NULL);
}

static void
draw_depthwise(Rng *r, Str *out)
{
	long long k = draw_int(r, 1, 40);
	Window a = draw_window(r, "p", "i", 13), b = draw_window(r, "q", "j", 13);

	str_printf(out, " in x f32[%lld,%lld,%lld]\n const w f32[%lld,%lld,%lld]\n", k, a.in, b.in,
		   k, a.kernel, b.kernel);
	str_printf(out, " const b f32[%lld]\n out y f32[%lld,%lld,%lld]\n", k, k, a.out, b.out);
	str_printf(out, " stage k:%lld p:%lld q:%lld | i:%lld j:%lld\n", k, a.out, b.out, a.kernel,
		   b.kernel);
	str_printf(out, "  acc f32 sum x[k,%s,%s%s] * w[k,i,j]\n  y[k,p,q] = ", a.index, b.index,
		   otherwise(&a, &b, " else 0"));
	add_epilogue(r, out, true, NULL);
}

/* Transposed: the phases of the output are axes, its index may miss it on both sides. */
static void
draw_transposed(Rng *r, Str *out)
{
	long long c = draw_int(r, 1, 8), k = draw_int(r, 1, 20), in = draw_int(r, 1, 9);
	long long kernel = draw_int(r, 1, 5), stride = draw_int(r, 1, 3),
		  pad = draw_int(r, 0, kernel - 1);
	long long size = (in - 1) * stride + kernel - 2 * pad + draw_int(r, 0, stride - 1);

	if (size < 1)
		size = 1;
	str_printf(out,
		   " in x f32[%lld,%lld,3]\n const w f32[%lld,%lld,%lld]\n"
		   " out y f32[%lld,%lld,3]\n",
		   c, in, c, k, kernel, k, size);
	str_printf(out, " stage k:%lld p:%lld s:%lld q:3 | c:%lld i:%lld\n", k,
		   (size + pad + stride - 1) / stride, stride, c, (kernel + stride - 1) / stride);
	str_printf(out,
		   "  acc f32 sum x[c,p-i,q else 0] * w[c,k,%lld*i+s else 0]\n"
		   "  y[k,%lld*p+s-%lld,q] = ",
		   stride, stride, pad);
	add_epilogue(r, out, false, NULL);
}

static void
draw_int8(Rng *r, Str *out)
{
	long long c = draw_int(r, 1, 12), k = draw_int(r, 1, 36);
	Window a = draw_window(r, "p", "i", 10), b = draw_window(r, "q", "j", 10);
	bool u8 = draw_chance(r, 60);
	const char *type = u8 ? "u8" : "i8";

	str_printf(out,
		   " in x %s[%lld,%lld,%lld]\n const w i8[%lld,%lld,%lld,%lld]\n"
		   " const o i32[%lld]\n const s f32[%lld]\n const z i32[%lld]\n",
		   type, c, a.in, b.in, k, c, a.kernel, b.kernel, k, k, k);
	str_printf(out, " out y %s[%lld,%lld,%lld]\n", type, k, a.out, b.out);
	str_printf(out,
		   " stage k:%lld | c:%lld i:%lld j:%lld\n  acc i32 sum i32(w[k,c,i,j])\n"
		   "  z[k] = o[k] - 12:i32 * acc\n",
		   k, c, a.kernel, b.kernel);
	str_printf(out,
		   " stage k:%lld p:%lld q:%lld | c:%lld i:%lld j:%lld\n"
		   "  acc i32 sum x[c,%s,%s%s] * w[k,c,i,j]\n",
		   k, a.out, b.out, c, a.kernel, b.kernel, a.index, b.index,
		   otherwise(&a, &b, " else 12"));
	str_printf(out,
		   "  y[k,p,q] = min(max(i32(rint(f32(acc + z[k]) * s[k] * 0.01)) + %d:i32, "
		   "%d:i32), %d:i32)\n",
		   u8 ? 113 : -7, u8 ? 0 : -128, u8 ? 255 : 127);
}

static void
draw_pool(Rng *r, Str *out)
{
	long long k = draw_int(r, 1, 34);
	Window a = draw_window(r, "p", "i", 14), b = draw_window(r, "q", "j", 14);
	bool max = draw_chance(r, 50);

	str_printf(out, " in x f32[%lld,%lld,%lld]\n out y f32[%lld,%lld,%lld]\n", k, a.in, b.in, k,
		   a.out, b.out);
	str_printf(out, " stage k:%lld p:%lld q:%lld | i:%lld j:%lld\n", k, a.out, b.out, a.kernel,
		   b.kernel);
	if (max)
		str_printf(out, "  acc f32 max x[k,%s,%s%s]\n  y[k,p,q] = acc\n", a.index, b.index,
			   otherwise(&a, &b, " else -inf"));
	else
		str_printf(out,
			   "  acc f32 sum x[k,%s,%s%s] / (1 + in(%s,0,%lld):f32 * "
			   "in(%s,0,%lld):f32)\n  y[k,p,q] = acc\n",
			   a.index, b.index, otherwise(&a, &b, " else 0"), a.index, a.in, b.index,
			   b.in);
}

/* 1x1 expansion with recomputed rows, 3x3 depthwise, 1x1 projection: one Task of three stages that
 * may share the loop over strips. */
static void
draw_inverted(Rng *r, Str *out)
{
	long long c = draw_int(r, 1, 9), e = draw_int(r, 1, 20), k = draw_int(r, 1, 9);
	long long t = draw_int(r, 1, 4), w = draw_int(r, 1, 9), h = 2 * t;

	str_printf(out,
		   " in x f32[%lld,%lld,%lld]\n const u f32[%lld,%lld]\n"
		   " const v f32[%lld,3,3]\n const w f32[%lld,%lld]\n",
		   c, h, w, e, c, e, k, e);
	str_printf(out,
		   " tmp m f32[%lld,%lld,4,%lld]\n tmp d f32[%lld,%lld,2,%lld]\n"
		   " out y f32[%lld,%lld,%lld]\n",
		   e, t, w, e, t, w, k, h, w);
	str_printf(out,
		   " stage e:%lld t:%lld r:4 q:%lld | c:%lld\n"
		   "  acc f32 sum x[c,2*t+r-1,q else 0] * u[e,c]\n"
		   "  m[e,t,r,q] = min(max(acc + 0.5, 0), 6) * in(2*t+r-1,0,%lld):f32\n",
		   e, t, w, c, h);
	str_printf(out,
		   " stage e:%lld t:%lld s:2 q:%lld | i:3 j:3\n"
		   "  acc f32 sum m[e,t,s+i,q+j-1 else 0] * v[e,i,j]\n"
		   "  d[e,t,s,q] = max(acc, 0)\n",
		   e, t, w);
	str_printf(out,
		   " stage k:%lld t:%lld s:2 q:%lld | e:%lld\n"
		   "  acc f32 sum d[e,t,s,q] * w[k,e]\n  y[k,2*t+s,q] = acc\n",
		   k, t, w, e);
}

/* An elementwise producer that may be computed inside the convolution's loads. */
static void
draw_producer(Rng *r, Str *out)
{
	static const char *const operand[] = {"x[c,p,q]", "s[c]", "1.5"};
	long long c = draw_int(r, 1, 12), k = draw_int(r, 1, 34);
	Window a = draw_window(r, "p", "i", 10), b = draw_window(r, "q", "j", 10);

	str_printf(out,
		   " in x f32[%lld,%lld,%lld]\n const s f32[%lld]\n"
		   " const w f32[%lld,%lld,%lld,%lld]\n tmp t f32[%lld,%lld,%lld]\n",
		   c, a.in, b.in, c, k, c, a.kernel, b.kernel, c, a.in, b.in);
	str_printf(out, " out y f32[%lld,%lld,%lld]\n", k, a.out, b.out);
	str_printf(out, " stage c:%lld p:%lld q:%lld\n  t[c,p,q] = ", c, a.in, b.in);
	draw_expr(r, out, operand, 3, 2);
	str_printf(out, "\n stage k:%lld p:%lld q:%lld | c:%lld i:%lld j:%lld\n", k, a.out, b.out,
		   c, a.kernel, b.kernel);
	str_printf(out, "  acc f32 sum t[c,%s,%s%s] * w[k,c,i,j]\n  y[k,p,q] = ", a.index, b.index,
		   otherwise(&a, &b, " else 0"));
	add_epilogue(r, out, false, NULL);
}

const Family draw_window_families[] = {
	{"conv", draw_conv},
	{"conv3", draw_conv3},
	{"conv3", draw_conv3},
	{"grouped", draw_grouped},
	{"depthwise", draw_depthwise},
	{"transposed", draw_transposed},
	{"int8", draw_int8},
	{"pool", draw_pool},
	{"inverted", draw_inverted},
	{"producer", draw_producer},
	{NULL, NULL},
};
