/* Plan <-> text: docs/text_forms.md, section Plan.
 *
 * Nodes are written by number; everything else of a Plan follows from groups and Forms.
 */
#include "base/lex.h"
#include "graph/plan.h"

static void
print_groups(const Plan *p, Str *out)
{
	for (int i = 0; i < p->groups.n; i++) {
		str_add(out, "group");
		for (int k = 0; k < p->g->node.n; k++)
			if (p->groups.of[k] == i)
				str_printf(out, " %d", k);
		if (p->groups.rows && p->groups.rows[i])
			str_printf(out, " rows %d", p->groups.rows[i]);
		if (p->groups.room && p->groups.room[i])
			str_printf(out, " room %d", p->groups.room[i]);
		str_add(out, "\n");
	}
}

const char *
plan_key(const Graph *g, PlanMemory memory, Arena *a)
{
	Digest d = graph_digest(g);
	const char *text = arena_digest(a, &d);

	return memory.bytes ? arena_printf(a, "%s in %zu", text, memory.bytes) : text;
}

void
plan_print(const Plan *p, Str *out)
{
	Digest d = graph_digest(p->g);
	char text[DIGEST_TEXT];

	digest_print(&d, text);
	str_printf(out, "plan of %s\n", text);
	print_groups(p, out);
	for (int k = 0; k < p->g->node.n; k++) {
		const Node *n = &p->g->node.v[k];

		for (int o = 0; o < n->nout; o++) {
			if (n->out[o] == NO_VALUE || form_is_plain(&p->form[n->out[o]]))
				continue;
			str_printf(out, "form %d.%d ", k, o);
			form_print(&p->form[n->out[o]], out);
			str_add(out, "\n");
		}
	}
}

const char *
plan_text(const Plan *p, Arena *a)
{
	Str s = {0};
	const char *text;

	plan_print(p, &s);
	text = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return text;
}

typedef struct Parser {
	Lex l;
	const Graph *g;
	Groups groups;
	Form *form;
} Parser;

static void
parse_group(Parser *s)
{
	bool any = false;

	while (!s->l.failed && lex_at_number(&s->l)) {
		int node = (int)lex_int(&s->l, 0, s->g->node.n - 1);

		if (s->l.failed)
			return;
		if (s->groups.of[node] >= 0)
			lex_fail(&s->l, "node %d is in two groups", node);
		s->groups.of[node] = s->groups.n;
		any = true;
	}
	if (!any)
		lex_fail(&s->l, "expected the numbers of nodes");
	else if (lex_word(&s->l, "rows"))
		s->groups.rows[s->groups.n] = (int)lex_int(&s->l, 1, INT32_MAX);
	else if (lex_word(&s->l, "room"))
		s->groups.room[s->groups.n] = (int)lex_int(&s->l, 1, INT32_MAX);
	s->groups.n++;
}

static void
parse_form_of(Parser *s)
{
	const Node *n;
	int node = (int)lex_int(&s->l, 0, s->g->node.n - 1), o;

	lex_need(&s->l, '.');
	if (s->l.failed)
		return;
	n = &s->g->node.v[node];
	o = (int)lex_int(&s->l, 0, n->nout - 1);
	if (s->l.failed)
		return;
	if (n->out[o] == NO_VALUE)
		lex_fail(&s->l, "node %d has no output %d", node, o);
	else
		s->form[n->out[o]] = form_parse(&s->l);
}

/* "plan of" and the digest of the graph, which has to be this one. */
static void
parse_head(Parser *s)
{
	Digest d = graph_digest(s->g);
	char text[DIGEST_TEXT];

	digest_print(&d, text);
	lex_newline(&s->l);
	if (!lex_word(&s->l, "plan") || !lex_word(&s->l, "of"))
		lex_fail(&s->l, "expected 'plan of' and the digest of a graph");
	for (const char *c = text; *c && !s->l.failed; c++)
		if (!lex_char(&s->l, *c))
			lex_fail(&s->l, "the plan is of another graph than %s", text);
	if (!lex_newline(&s->l) && !lex_at_end(&s->l))
		lex_fail(&s->l, "expected the end of the line");
}

int
plan_parse(const char *text, const Graph *g, Arena *a, Plan **out, Err *e)
{
	Parser s = {.g = g,
		    .groups.of = ARENA_ARRAY(a, int, g->node.n + 1),
		    .groups.rows = ARENA_ARRAY(a, int, g->node.n + 1),
		    .groups.room = ARENA_ARRAY(a, int, g->node.n + 1),
		    .form = ARENA_ARRAY(a, Form, g->value.n + 1)};

	for (int k = 0; k < g->node.n; k++)
		s.groups.of[k] = -1;
	for (int v = 0; v < g->value.n; v++)
		s.form[v] = form_plain(g->value.v[v].rank);
	lex_init(&s.l, "plan", text, e);
	parse_head(&s);
	while (!lex_at_end(&s.l)) {
		if (lex_word(&s.l, "group"))
			parse_group(&s);
		else if (lex_word(&s.l, "form"))
			parse_form_of(&s);
		else
			lex_fail(&s.l, "expected 'group' or 'form'");
		if (!lex_newline(&s.l) && !lex_at_end(&s.l))
			lex_fail(&s.l, "expected the end of the line");
	}
	return lex_done(&s.l) ? ERR_INPUT : plan_build_with(g, a, &s.groups, s.form, out, e);
}
