/* The text form of trees. What was read is whole: every inner node has two children, no path is
 * longer than TREES_DEPTH_MAX, every number is finite. */
#include <math.h>
#include <string.h>

#include "base/lex.h"
#include "search_space/trees.h"

void
trees_print(const Trees *t, Str *out)
{
	int tree = 0;

	str_add(out, "trees\ncolumns");
	for (int i = 0; i < t->width; i++)
		str_printf(out, " %s", t->name[i]);
	str_add(out, "\nbase ");
	str_double(out, t->base);
	str_add(out, "\n");
	for (int i = 0; i < t->node.n; i++) {
		const TreeNode *n = &t->node.v[i];

		if (tree < t->root.n && t->root.v[tree] == i) {
			str_add(out, "tree\n");
			tree++;
		}
		str_printf(out, "%s ", n->column < 0 ? "leaf" : t->name[n->column]);
		if (n->column < 0)
			str_double(out, n->value);
		else
			str_float(out, n->threshold);
		str_add(out, "\n");
	}
}

static double
finite_number(Lex *l)
{
	double v = lex_number(l);

	if (!l->failed && !isfinite(v))
		lex_fail(l, "expected a finite number");
	return l->failed ? 0 : v;
}

static void
end_line(Lex *l)
{
	if (!l->failed && !lex_newline(l) && !lex_at_end(l))
		lex_fail(l, "expected the end of the line");
}

static void
parse_columns(Lex *l, const char *const *name, int width)
{
	char found[LEX_NAME_MAX];

	for (int i = 0; i < width && !l->failed; i++) {
		if (!lex_at_name(l)) {
			lex_fail(l, "%d columns, expected %d", i, width);
			return;
		}
		lex_name(l, found);
		if (!l->failed && strcmp(found, name[i]))
			lex_fail(l, "column %d is '%s', expected '%s'", i + 1, found, name[i]);
	}
	end_line(l);
}

static int
column_named(const Trees *t, const char *name)
{
	for (int i = 0; i < t->width; i++)
		if (!strcmp(t->name[i], name))
			return i;
	return -1;
}

/* A node and all below it. */
static void
parse_node(Lex *l, Arena *a, Trees *out, int depth)
{
	char word[LEX_NAME_MAX];
	TreeNode node = {.column = -1};
	int at = out->node.n;
	bool leaf;

	lex_name(l, word);
	leaf = !strcmp(word, "leaf");
	if (!l->failed && !leaf && (node.column = column_named(out, word)) < 0)
		lex_fail(l, "'%s' is no column, and not 'leaf'", word);
	if (!l->failed && !leaf && depth == TREES_DEPTH_MAX)
		lex_fail(l, "deeper than %d", TREES_DEPTH_MAX);
	node.value = finite_number(l);
	if (!leaf) {
		node.threshold = (float)node.value;
		node.value = 0;
		if (!l->failed && !isfinite(node.threshold))
			lex_fail(l, "expected a number that a float holds");
	}
	end_line(l);
	if (l->failed)
		return;
	vec_push(a, &out->node, node);
	if (leaf)
		return;
	parse_node(l, a, out, depth + 1);
	out->node.v[at].right = out->node.n;
	parse_node(l, a, out, depth + 1);
}

int
trees_parse(const char *text, const char *const *name, int width, Arena *a, Trees *out, Err *e)
{
	Lex l;

	*out = (Trees){.width = width, .name = name};
	lex_init(&l, "trees", text, e);
	lex_newline(&l);
	if (!lex_word(&l, "trees"))
		lex_fail(&l, "expected 'trees'");
	end_line(&l);
	if (!l.failed && !lex_word(&l, "columns"))
		lex_fail(&l, "expected 'columns'");
	parse_columns(&l, name, width);
	if (!l.failed && !lex_word(&l, "base"))
		lex_fail(&l, "expected 'base'");
	out->base = finite_number(&l);
	end_line(&l);
	while (!l.failed && !lex_at_end(&l)) {
		if (!lex_word(&l, "tree"))
			lex_fail(&l, "expected 'tree'");
		else if (out->root.n == TREES_MAX)
			lex_fail(&l, "more than %d trees", TREES_MAX);
		end_line(&l);
		if (!l.failed) {
			vec_push(a, &out->root, out->node.n);
			parse_node(&l, a, out, 0);
		}
	}
	return lex_done(&l);
}
