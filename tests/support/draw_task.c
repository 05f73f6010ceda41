/* Random Tasks: what the families share, and the choice among them. */
#include "tests/support/draw.h"

int64_t
draw_int(Rng *r, int64_t lo, int64_t hi)
{
	return lo + (int64_t)rng_below(r, (uint64_t)(hi - lo + 1));
}

bool
draw_chance(Rng *r, int percent)
{
	return draw_int(r, 0, 99) < percent;
}

void
draw_epilogue(Rng *r, Str *out, const char *extra)
{
	static const char *const forms[] = {
		"acc",
		"max(acc, 0)",
		"min(max(acc, 0), 6)",
		"acc * 0.25 + 1",
		"1 / (1 + exp(neg(acc)))",
		"0.5 * acc * (1 + erf(0.70710678 * acc))",
		"acc * min(max(acc + 3, 0), 6) / 6",
		"tanh(acc)",
		"select(acc < 0, 0.1 * acc, acc)",
	};
	const char *form = forms[draw_int(r, 0, 8)];

	if (!extra)
		str_add(out, form);
	else if (draw_chance(r, 50))
		str_printf(out, "%s + %s", form, extra);
	else
		str_printf(out, "max(acc + %s, 0.125)", extra);
}

static const struct {
	const char *before, *between, *after;
	int operands;
} shapes[] = {
	{"(", " + ", ")", 2},
	{"(", " - ", ")", 2},
	{"(", " * ", ")", 2},
	{"max(", ", ", ")", 2},
	{"min(", ", ", ")", 2},
	{"(", " / (1.5 + abs(", ")))", 2},
	{"select(0.25 < ", ", 0.5, ", ")", 2},
	{"pow(abs(", ") + 0.5, ", ")", 2},
	{"abs(", "", ")", 1},
	{"neg(", "", ")", 1},
	{"sqrt(abs(", "", "))", 1},
	{"exp(min(", "", ", 3))", 1},
	{"log(abs(", "", ") + 0.5)", 1},
	{"tanh(", "", ")", 1},
	{"erf(", "", ")", 1},
	{"floor(3 * ", "", ")", 1},
	{"ceil(3 * ", "", ")", 1},
	{"rint(3 * ", "", ")", 1},
};

void
draw_expr(Rng *r, Str *out, const char *const *operand, int n, int depth)
{
	size_t i = (size_t)draw_int(r, 0, sizeof shapes / sizeof *shapes - 1);

	if (depth == 0 || draw_chance(r, 15)) {
		str_add(out, operand[draw_int(r, 0, n - 1)]);
		return;
	}
	str_add(out, shapes[i].before);
	draw_expr(r, out, operand, n, depth - 1);
	str_add(out, shapes[i].between);
	if (shapes[i].operands == 2)
		draw_expr(r, out, operand, n, depth - 1);
	str_add(out, shapes[i].after);
}

const char *
draw_task(Rng *r, Str *out)
{
	static const Family *const lists[] = {draw_window_families, draw_dense_families,
					      draw_plain_families};
	const Family *all[64];
	int n = 0;

	for (int i = 0; i < 3; i++)
		for (const Family *f = lists[i]; f->draw; f++)
			all[n++] = f;
	n = (int)draw_int(r, 0, n - 1);
	str_add(out, "task\n");
	all[n]->draw(r, out);
	return all[n]->name;
}
