/* Random Tasks without products: elementwise chains, movement, conversions. */
#include <stdio.h>

#include "tests/support/draw.h"

/* Broadcasts by leaving axes out. */
static void
draw_elementwise(Rng *r, Str *out)
{
	static const char *const operand[] = {"x[a,b,c]", "z[b,c]", "u[a,0,c]",
					      "v[b]",     "0.75",   "index(2*b-3):f32"};
	long long a = draw_int(r, 1, 9), b = draw_int(r, 1, 20), c = draw_int(r, 1, 40);

	str_printf(out,
		   " in x f32[%lld,%lld,%lld]\n in z f32[%lld,%lld]\n in u f32[%lld,1,%lld]\n"
		   " const v f32[%lld]\n out y f32[%lld,%lld,%lld]\n",
		   a, b, c, b, c, a, c, b, a, b, c);
	str_printf(out, " stage a:%lld b:%lld c:%lld\n  y[a,b,c] = ", a, b, c);
	draw_expr(r, out, operand, 6, 4);
	str_add(out, "\n");
}

/* Three stages; the first two may be inline, all may share a loop. */
static void
draw_chain(Rng *r, Str *out)
{
	static const char *const first[] = {"x[a,b]", "v[b]"};
	static const char *const second[] = {"t[a,b]", "x[a,b]"};
	static const char *const third[] = {"u[a,b]", "t[a,b]"};
	static const char *const shifted[] = {"u[a,b-2 else 3]", "t[a,b+1 else 0]"};
	long long a = draw_int(r, 1, 20), b = draw_int(r, 1, 40);

	str_printf(out,
		   " in x f32[%lld,%lld]\n const v f32[%lld]\n tmp t f32[%lld,%lld]\n"
		   " tmp u f32[%lld,%lld]\n out y f32[%lld,%lld]\n",
		   a, b, b, a, b, a, b, a, b);
	str_printf(out, " stage a:%lld b:%lld\n  t[a,b] = ", a, b);
	draw_expr(r, out, first, 2, 2);
	str_printf(out, "\n stage a:%lld b:%lld\n  u[a,b] = ", a, b);
	draw_expr(r, out, second, 2, 2);
	str_printf(out, "\n stage a:%lld b:%lld\n  y[a,b] = ", a, b);
	draw_expr(r, out, draw_chance(r, 40) ? shifted : third, 2, 2);
	str_add(out, "\n");
}

static void
draw_transpose(Rng *r, Str *out)
{
	static const char *const order[] = {"b,a,c", "c,b,a", "a,c,b", "c,a,b"};
	long long d[] = {draw_int(r, 1, 20), draw_int(r, 1, 20), draw_int(r, 1, 20)};
	const char *o = order[draw_int(r, 0, 3)];

	str_printf(out, " in x f32[%lld,%lld,%lld]\n out y f32[%lld,%lld,%lld]\n", d[0], d[1], d[2],
		   d[o[0] - 'a'], d[o[2] - 'a'], d[o[4] - 'a']);
	str_printf(out, " stage a:%lld b:%lld c:%lld\n  y[%s] = x[a,b,c]\n", d[0], d[1], d[2], o);
}

static void
draw_concat(Rng *r, Str *out)
{
	long long a = draw_int(r, 1, 20), b = draw_int(r, 1, 20), n = draw_int(r, 1, 20);

	str_printf(out, " in x f32[%lld,%lld]\n in z f32[%lld,%lld]\n out y f32[%lld,%lld]\n", a, n,
		   b, n, a + b, n);
	str_printf(out, " stage a:%lld n:%lld\n  y[a,n] = max(x[a,n], 0)\n", a, n);
	str_printf(out, " stage b:%lld n:%lld\n  y[b+%lld,n] = z[b,n]\n", b, n, a);
}

/* Slice with steps of either sign, then pad. */
static void
draw_slice(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 30), m = draw_int(r, 1, 20), step = draw_int(r, 1, 3);
	long long lo = draw_int(r, 0, 3), hi = draw_int(r, 0, 3), size = (n - 1) * step + 1;
	bool back = draw_chance(r, 50);

	str_printf(out, " in x f32[%lld,%lld]\n out y f32[%lld,%lld]\n stage a:%lld b:%lld\n", size,
		   m, n, m + lo + hi, n, m + lo + hi);
	str_printf(out, "  y[a,b] = x[%lld*a+%lld,b-%lld else -1.5]\n", back ? -step : step,
		   back ? size - 1 : 0, lo);
}

static void
draw_shuffle(Rng *r, Str *out)
{
	long long k = draw_int(r, 1, 9), p = draw_int(r, 1, 9), q = draw_int(r, 1, 9);
	bool up = draw_chance(r, 50);

	str_printf(out, " in x f32[%lld,%lld,%lld]\n out y f32[%lld,%lld,%lld]\n", up ? 4 * k : k,
		   up ? p : 2 * p, up ? q : 2 * q, up ? k : 4 * k, up ? 2 * p : p, up ? 2 * q : q);
	str_printf(out, " stage k:%lld p:%lld s:2 q:%lld t:2\n", k, p, q);
	str_add(out, up ? "  y[k,2*p+s,2*q+t] = x[4*k+2*s+t,p,q]\n"
			: "  y[4*k+2*s+t,p,q] = x[k,2*p+s,2*q+t]\n");
}

static void
draw_gather(Rng *r, Str *out)
{
	long long n = draw_int(r, 1, 20), m = draw_int(r, 1, 120), k = draw_int(r, 1, 30);
	const char *type = draw_chance(r, 50) ? "i64" : "i32";

	str_printf(out,
		   " in x f32[%lld,%lld]\n %s i %s[%lld]\n out y f32[%lld,%lld]\n"
		   " stage n:%lld k:%lld\n  y[n,k] = x[@i[n],k] * 2\n",
		   m, k, draw_chance(r, 50) ? "in" : "const", type, n, n, k, n, k);
}

static void
draw_types(Rng *r, Str *out)
{
	static const char *const types[] = {"f32", "f64", "f16", "bf16", "i8",  "u8",  "i16",
					    "u16", "i32", "u32", "i64",  "u64", "bool"};
	static const char *const value[] = {"f32", "f64", "f32", "f32", "i32", "i32", "i32",
					    "i32", "i32", "u32", "i64", "u64", "bool"};
	int from = (int)draw_int(r, 0, 12), to = (int)draw_int(r, 0, 12),
	    with = (int)draw_int(r, 0, 11);
	long long a = draw_int(r, 1, 9), b = draw_int(r, 1, 40);

	str_printf(out, " in x %s[%lld,%lld]\n in z %s[%lld]\n out y %s[%lld,%lld]\n", types[from],
		   a, b, types[with], b, types[to], a, b);
	str_printf(out, " stage a:%lld b:%lld\n  y[a,b] = %s(", a, b, value[to]);
	if (from == 12 || to == 12)
		str_add(out, "x[a,b]");
	else
		str_printf(out, "max(x[a,b], %s(max(min(z[b], 50:%s), 0:%s)))", value[from],
			   value[with], value[with]);
	str_add(out, ")\n");
}

const Family draw_plain_families[] = {
	{"elementwise", draw_elementwise},
	{"chain", draw_chain},
	{"chain", draw_chain},
	{"transpose", draw_transpose},
	{"concat", draw_concat},
	{"slice", draw_slice},
	{"shuffle", draw_shuffle},
	{"gather", draw_gather},
	{"types", draw_types},
	{NULL, NULL},
};
