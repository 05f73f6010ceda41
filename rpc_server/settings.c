/* The table of settings, and what is done with a value by its kind: read, checked, printed. A new
 * setting is one line here and one field. */
#include "rpc_server/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/help.h"
#include "rpc_server/plan.h"
#include "rpc_server/settings_table.h"
#include "wire/sandbox.h"

#define AT(field) .at = offsetof(Settings, field)

static const Setting table[] = {
	{"listen", SETTING_TEXT, .way = true, AT(listen), .value = "ADDR:PORT",
	 .help = "listen on TCP, encrypted, for those who hold a key"},
	{"socket", SETTING_TEXT, .way = true, AT(socket), .value = "PATH",
	 .help = "listen on a Unix socket that only this user may use"},
	{"stdio", SETTING_FLAG, .way = true, AT(stdio),
	 .help = "serve the one client at standard input and output, as over ssh"},
	{"insecure-no-auth", SETTING_FLAG, AT(config.insecure),
	 .help = "TCP without keys: whoever reaches the port runs code here"},
	{"keys", SETTING_TEXT, AT(keys), .value = "DIR",
	 .otherwise = "$STATE_DIRECTORY/keys, $XDG_STATE_HOME/hone/keys, or /var/lib/hone/keys for "
		      "root",
	 .help = "where keys lie; deleting NAME.key revokes it"},
	{"state", SETTING_TEXT, AT(state), .value = "DIR",
	 .otherwise = "none; with --listen the folder agent beside keys",
	 .help = "remember candidates that take this machine down, and run them no more"},
	{"boot-id", SETTING_TEXT, AT(boot_id), .value = "FILE", .otherwise = JOURNAL_BOOT_ID,
	 .help = "tells one life of this machine from another"},
	{"on-wedged", SETTING_TEXT, AT(config.on_wedged), .value = "COMMAND", .otherwise = "none",
	 .help = "for sh, run once when a process of kernels cannot be killed"},
	{"runner", SETTING_TEXT, AT(config.program), .value = "PATH",
	 .otherwise = "this one, called as " RUNNER_NAME, .help = "the program that runs kernels"},
	{"name", SETTING_TEXT, AT(config.name), .value = "NAME", .otherwise = "the host's name",
	 .help = "how to call this device"},
	{"core", SETTING_CORE, AT(config.core), .value = "N", .usual = -1, .most = 1023,
	 .help = "keep kernels on processor N"},
	{"sandbox", SETTING_LAYERS, AT(config.sandbox), .value = "LIST", .usual = SANDBOX_ALL,
	 .help = "layers to run kernels in, where there are: 'all', 'none', or words as hone "
		 "doctor "
		 "prints them: all,-pid-ns"},
	{"require-sandbox", SETTING_LAYERS, AT(config.sandbox_required), .value = "LIST",
	 .help = "do not start, and run nothing, without these"},
	{"blob-bytes", SETTING_BYTES, AT(config.blob_bytes), .value = "N", .most = INT64_MAX / 2,
	 .otherwise = "the lesser of 1 GiB and a quarter of what is free",
	 .help = "memory for uploaded data"},
	{"blob-folder", SETTING_TEXT, AT(config.blob_folder), .value = "DIR",
	 .otherwise = "nowhere",
	 .help = "keep uploaded data there too, as many bytes again, so that a restarted agent has "
		 "it"},
	{"null-hold", SETTING_NUMBER, AT(config.null_hold_ms), .value = "MS", .most = 1000,
	 .help = "so long the runner 'null', which runs nothing, takes for a candidate"},
	{"null-slow", SETTING_NUMBER, AT(config.null_slow), .value = "N", .most = 1000,
	 .help = "by so many percent the times that it gives are those of a slower device"},
	{"log-file", SETTING_TEXT, AT(log_file), .value = "FILE", .otherwise = "standard error",
	 .help = "where connections and refusals are noted; opened anew at SIGHUP"},
	{"log-bytes", SETTING_BYTES, AT(log_bytes), .value = "N", .usual = 1 << 20, .least = 4096,
	 .most = 1 << 30,
	 .help = "of that file, which then becomes FILE.1: both take twice that at most"},
#define LIMIT(field, option, usual_, least_, most_, text)                         \
	{option,          SETTING_NUMBER,  AT(config.limits.field), .value = "N", \
	 .usual = usual_, .least = least_, .most = most_,           .help = text},
	LIMIT_LIST(LIMIT)
#undef LIMIT
		{"config", SETTING_TEXT, .job = true, AT(file), .value = "FILE",
		 .help = "settings as lines NAME = VALUE, named as these options; options win"},
	{"print-config", SETTING_FLAG, .job = true, AT(print_config),
	 .help = "print all settings, and where each comes from, as such a file"},
	{"add-key", SETTING_TEXT, .job = true, AT(add_key), .value = "NAME",
	 .help = "make a key and say what to do with it"},
	{"role", SETTING_TEXT, .job = true, AT(role), .value = "ROLE", .otherwise = "tune",
	 .help = "of that key: tune, or read-only"},
	{"list-keys", SETTING_FLAG, .job = true, AT(list_keys),
	 .help = "names, roles and fingerprints"},
	{"help", SETTING_FLAG, .job = true, AT(help), .help = "print this"},
	{"version", SETTING_FLAG, .job = true, AT(version), .help = "print the version"},
};
enum { SETTINGS = sizeof table / sizeof *table };
_Static_assert(sizeof table / sizeof *table <= SETTINGS_MAX, "each has an origin");

static const struct {
	size_t size;
	const char *expected;
} kind[] = {
#define X(name, type, text) [SETTING_##name] = {sizeof(type), text},
	SETTING_KIND_LIST(X)
#undef X
};

const Setting *
setting_at(int i)
{
	return i < SETTINGS ? &table[i] : NULL;
}

int
setting_find(const char *name, size_t n)
{
	for (int i = 0; i < SETTINGS; i++)
		if (strlen(table[i].name) == n && !memcmp(table[i].name, name, n))
			return i;
	return -1;
}

/* --- values --- */

typedef union Value {
	bool flag;
	const char *text;
	uint32_t number;
	uint64_t bytes; /* layers too */
	int core;
} Value;

/* Digits, and a unit where the kind has some; false when text is not that, or too large. */
static bool
read_integer(const char *text, bool units, int64_t *n)
{
	static const char unit[] = "KMG";
	const char *u;
	int shift = 0;

	*n = 0;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, *text - '0', n))
			return false;
	if (units && *text && (u = strchr(unit, *text))) {
		shift = 10 * (int)(u - unit + 1);
		text++;
	}
	return !*text && !__builtin_mul_overflow(*n, (int64_t)1 << shift, n);
}

static bool
read_value(const Setting *x, const char *text, Value *v, Err *e)
{
	int64_t n = 0;
	bool yes = !strcmp(text, "yes"), any = x->kind == SETTING_CORE && !strcmp(text, "any");
	bool number = any || (read_integer(text, x->kind == SETTING_BYTES, &n) && n >= x->least &&
			      n <= x->most);

	switch (x->kind) {
	case SETTING_FLAG: v->flag = yes; return yes || !strcmp(text, "no");
	case SETTING_TEXT: v->text = text; return *text;
	case SETTING_NUMBER: v->number = (uint32_t)n; return number;
	case SETTING_BYTES: v->bytes = (uint64_t)n; return number;
	case SETTING_CORE: v->core = any ? -1 : (int)n; return number;
	case SETTING_LAYERS: return !sandbox_parse(text, &v->bytes, e);
	}
	return false;
}

/* What a file could not hold: its lines are cut at comments and freed of blanks. */
static bool
is_plain(const char *text)
{
	static const char blank[] = " \t";
	size_t n = strlen(text);

	if (n && (strchr(blank, text[0]) || strchr(blank, text[n - 1]) || text[0] == '#'))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f ||
		    (text[i] == '#' && strchr(blank, text[i - 1])))
			return false;
	return true;
}

int
setting_take(Settings *s, const Setting *x, const char *text, bool keep, Err *e)
{
	Value v = {0};

	if (!is_plain(text))
		return err_set(e, ERR_INPUT,
			       "'%.100s', expected no blanks at its ends, no '#' after a blank and "
			       "no control characters",
			       text);
	if (!read_value(x, text, &v, e)) {
		if (x->least < x->most)
			return err_set(e, ERR_INPUT, "'%.100s', expected %s%lld to %lld", text,
				       kind[x->kind].expected, (long long)x->least,
				       (long long)x->most);
		return err_set(e, ERR_INPUT, "'%.100s', expected %s", text, kind[x->kind].expected);
	}
	if (!keep)
		memcpy((char *)s + x->at, &v, kind[x->kind].size);
	return OK;
}

void
setting_default(Settings *s, const Setting *x)
{
	Value v = {0};

	switch (x->kind) {
	case SETTING_FLAG:
	case SETTING_TEXT: break;
	case SETTING_NUMBER: v.number = (uint32_t)x->usual; break;
	case SETTING_CORE: v.core = (int)x->usual; break;
	case SETTING_BYTES:
	case SETTING_LAYERS: v.bytes = (uint64_t)x->usual; break;
	}
	memcpy((char *)s + x->at, &v, kind[x->kind].size);
}

const char *
setting_text(const Settings *s, const Setting *x, char buffer[SETTING_TEXT_BYTES])
{
	Value v = {0};

	memcpy(&v, (const char *)s + x->at, kind[x->kind].size);
	switch (x->kind) {
	case SETTING_FLAG: return v.flag ? "yes" : "no";
	case SETTING_TEXT: return v.text;
	case SETTING_NUMBER: snprintf(buffer, SETTING_TEXT_BYTES, "%u", v.number); break;
	case SETTING_BYTES:
		snprintf(buffer, SETTING_TEXT_BYTES, "%llu", (unsigned long long)v.bytes);
		break;
	case SETTING_CORE:
		snprintf(buffer, SETTING_TEXT_BYTES, "%d", v.core);
		return v.core < 0 ? "any" : buffer;
	case SETTING_LAYERS:
		if (v.bytes == SANDBOX_ALL)
			return "all";
		_Static_assert((int)SETTING_TEXT_BYTES >= (int)SANDBOX_WORDS_BYTES, "words fit");
		sandbox_words(v.bytes, buffer);
		break;
	}
	return buffer;
}

/* --- all of them --- */

void
settings_init(Settings *s)
{
	*s = (Settings){0};
	for (int i = 0; i < SETTINGS; i++)
		setting_default(s, &table[i]);
}

void
settings_fini(Settings *s)
{
	free(s->text);
	s->text = NULL;
}

static void
print_setting(const Settings *s, int i, FILE *out)
{
	enum { COLUMN = 32 };
	const Setting *x = &table[i];
	int origin = s->origin[i], n;
	char buffer[SETTING_TEXT_BYTES];
	const char *text = setting_text(s, x, buffer);
	bool unset = origin == ORIGIN_DEFAULT && (!text || x->otherwise);

	n = fprintf(out, "%s%s = %s", unset ? "# " : "", x->name, unset ? x->value : text);
	fprintf(out, "%*s # ", n < COLUMN ? COLUMN - n : 0, "");
	if (origin == ORIGIN_COMMAND)
		fputs("command line\n", out);
	else if (origin != ORIGIN_DEFAULT)
		fprintf(out, "%s:%d\n", s->file, origin);
	else if (unset)
		fprintf(out, "default: %s\n", x->otherwise ? x->otherwise : "none");
	else
		fputs("default\n", out);
}

void
settings_print(const Settings *s, FILE *out)
{
	for (int i = 0; i < SETTINGS; i++)
		if (!table[i].job)
			print_setting(s, i, out);
}

static void
help_setting(const Settings *usual, const Setting *x, FILE *out)
{
	char buffer[SETTING_TEXT_BYTES], head[64], text[512];
	const char *value = setting_text(usual, x, buffer);
	bool flag = x->kind == SETTING_FLAG;

	snprintf(head, sizeof head, "--%s%s%s", x->name, flag ? "" : " ", flag ? "" : x->value);
	if (x->otherwise || (value && !flag))
		snprintf(text, sizeof text, "%s; default: %s", x->help,
			 x->otherwise ? x->otherwise : value);
	help_entry(head, x->otherwise || (value && !flag) ? text : x->help, out);
}

void
settings_help(FILE *out)
{
	Settings usual;

	settings_init(&usual);
	for (int jobs = 0; jobs < 2; jobs++) {
		fputs(jobs ? "\nother options:\n" : "settings:\n", out);
		for (int i = 0; i < SETTINGS; i++)
			if (table[i].job == jobs)
				help_setting(&usual, &table[i], out);
	}
}
