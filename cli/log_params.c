/* Cuts the text of schedules into parameters. Any text is cut somehow: what it means is not asked.
 */
#include "cli/log_params.h"

#include <stdlib.h>
#include <string.h>

static int
find(Params *p, const char *name, bool number)
{
	for (int i = 0; i < p->name.n; i++)
		if (!strcmp(p->name.v[i].name, name))
			return i;
	vec_push(p->a, &p->name, ((Param){arena_strdup(p->a, name), number}));
	return p->name.n - 1;
}

typedef VEC(const char *) Values;

static void
set(Params *p, Values *v, const char *name, const char *value, bool number)
{
	int at = find(p, name, number);

	while (v->n <= at)
		vec_push(p->a, v, NULL);
	v->v[at] = value;
	p->name.v[at].number &= number;
}

static bool
has(Params *p, const Values *v, const char *name)
{
	for (int i = 0; i < v->n; i++)
		if (v->v[i] && !strcmp(p->name.v[i].name, name))
			return true;
	return false;
}

static bool
is_number(const char *text)
{
	return *text && strlen(text) < 10 && strspn(text, "0123456789") == strlen(text);
}

/* One word of a nest: "vec=k", "pf", "k:16", "|". */
static void
add_word(Params *p, Values *v, int stage, const char *word, Str *loops)
{
	size_t n = strcspn(word, "=:");
	const char *value = word[n] ? arena_strdup(p->a, word + n + 1) : "1";
	char *name = arena_printf(p->a, "s%d.%.*s", stage, (int)n, word), *base = name;

	if (word[n] != '=' && (word[n] == ':' || *word == '|'))
		str_printf(loops, "%s%.*s", loops->n ? " " : "", (int)n, word);
	if (*word == '|')
		return;
	for (int i = 2; has(p, v, name); i++)
		name = arena_printf(p->a, "%s.%d", base, i);
	set(p, v, name, value, is_number(value));
}

static void
add_stage(Params *p, Values *v, int stage, char *line)
{
	Str loops = {0};
	char *word, *left = NULL;

	word = strtok_r(line, " ", &left);
	if (word && strcmp(word, "nest") != 0)
		str_add(&loops, word);
	while ((word = strtok_r(NULL, " ", &left)))
		add_word(p, v, stage, word, &loops);
	set(p, v, arena_printf(p->a, "s%d.loops", stage), arena_strdup(p->a, str_get(&loops)),
	    false);
	str_fini(&loops);
}

void
params_add(Params *p, const char *sched)
{
	char *text = arena_strdup(p->a, sched), *line;
	Values v = {0};
	int stage = 0;

	for (int i = 0; (line = strsep(&text, "\n")); i++)
		if (i == 0)
			set(p, &v, "algorithm", line, false);
		else if (!strncmp(line, "fuse ", 5))
			set(p, &v, "fuse", line + 5, false);
		else if (*line)
			add_stage(p, &v, ++stage, line);
	vec_push(p->a, &p->config, v.v);
	vec_push(p->a, &p->width, v.n);
}

const char *
params_value(const Params *p, int config, int name)
{
	const char *value = name < p->width.v[config] ? p->config.v[config][name] : NULL;

	return value ? value : p->name.v[name].number ? "0" : "";
}

void
params_json_value(const Params *p, int config, int name, bool named, Json *in)
{
	const char *value = params_value(p, config, name);
	const char *key = named ? p->name.v[name].name : NULL;

	if (p->name.v[name].number)
		json_number(in, key, strtod(value, NULL));
	else
		json_text(in, key, value);
}

void
params_json(const Params *p, int config, Json *object)
{
	for (int i = 0; i < p->name.n; i++)
		params_json_value(p, config, i, true, object);
}
