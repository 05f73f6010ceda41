/* Settings from the command line and from a file. The command line is read first, because it names
 * the file; what it says stays, and the file's word for it is only checked. Each setting is said
 * once by either. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rpc_server/settings.h"
#include "rpc_server/settings_table.h"
#include "trust/channel.h"

/* --- the command line --- */

/* Takes the option at argv[*i], and its value. */
static int
take_option(Settings *s, int argc, char **argv, int *i, Err *e)
{
	const char *name = argv[*i] + 2, *value;
	size_t n = strcspn(name, "=");
	const Setting *x;
	int found, rc;

	if (strncmp(argv[*i], "--", 2) != 0 || (found = setting_find(name, n)) < 0)
		return err_set(e, ERR_INPUT, "'%.100s': not an option; try --help", argv[*i]);
	x = setting_at(found);
	if (s->origin[found])
		return err_set(e, ERR_INPUT, "--%s: given twice, expected once", x->name);
	value = name[n] ? name + n + 1 : x->kind == SETTING_FLAG ? "yes" : NULL;
	if (!value && *i + 1 == argc)
		return err_set(e, ERR_INPUT, "--%s: nothing, expected %s", x->name, x->value);
	if (!value)
		value = argv[++*i];
	rc = setting_take(s, x, value, false, e);
	if (rc)
		err_prefix(e, "--%s: ", x->name);
	else
		s->origin[found] = ORIGIN_COMMAND;
	return rc;
}

/* --- the file --- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the comment and the blanks at both ends off. */
static char *
bare(char *line)
{
	char *end;

	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || is_blank(p[-1]))) {
			*p = 0;
			break;
		}
	while (is_blank(*line))
		line++;
	for (end = line + strlen(line); end > line && is_blank(end[-1]); end--)
		end[-1] = 0;
	return line;
}

static int
take_line(Settings *s, char *line, int number, Err *e)
{
	char *equals, *name = bare(line), *value;
	const Setting *x;
	bool told;
	int found, rc;

	if (!*name)
		return OK;
	equals = strchr(name, '=');
	if (!equals)
		return err_set(e, ERR_INPUT, "'%.100s', expected NAME = VALUE", name);
	*equals = 0;
	value = bare(equals + 1);
	name = bare(name);
	found = setting_find(name, strlen(name));
	if (found < 0)
		return err_set(e, ERR_INPUT, "'%.100s': no such setting; --help lists them", name);
	x = setting_at(found);
	if (x->job)
		return err_set(e, ERR_INPUT, "'%s': for the command line only", name);
	if (s->origin[found] > 0)
		return err_set(e, ERR_INPUT, "'%s': said in line %d already", name,
			       s->origin[found]);
	told = s->origin[found] == ORIGIN_COMMAND;
	rc = setting_take(s, x, value, told, e);
	if (rc)
		err_prefix(e, "%s: ", name);
	else if (!told)
		s->origin[found] = number;
	return rc;
}

int
settings_read(Settings *s, const char *path, char *text, size_t size, Err *e)
{
	int number = 1, rc = OK;
	char *line = text;

	while (line < text + size && rc == OK) {
		char *end = memchr(line, '\n', (size_t)(text + size - line));

		if (!end)
			end = text + size;
		*end = 0;
		rc = strlen(line) == (size_t)(end - line)
			     ? take_line(s, line, number, e)
			     : err_set(e, ERR_INPUT, "a zero byte, expected text");
		if (rc)
			err_prefix(e, "%s:%d: ", path, number);
		line = end + 1;
		number++;
	}
	return rc;
}

static int
read_file(Settings *s, Err *e)
{
	size_t size;
	int rc = file_read(s->file, SETTINGS_FILE_MAX, &s->text, &size, e);

	return rc ? rc : settings_read(s, s->file, s->text, size, e);
}

/* --- what they make together --- */

/* A way to be reached on the command line stands instead of those in the file. */
static void
choose_way(Settings *s)
{
	bool told = false;
	const Setting *x;

	for (int i = 0; (x = setting_at(i)); i++)
		told |= x->way && s->origin[i] == ORIGIN_COMMAND;
	for (int i = 0; told && (x = setting_at(i)); i++)
		if (x->way && s->origin[i] > 0) {
			setting_default(s, x);
			s->origin[i] = ORIGIN_DEFAULT;
		}
}

/* What was asked for is one thing, and it is complete. */
static int
check_job(const Settings *s, Err *e)
{
	int jobs = !!s->add_key + s->list_keys + s->print_config;
	int ways = !!s->socket + !!s->listen + s->stdio;

	if (jobs > 1 || ways > 1 || jobs + ways == 0)
		return err_set(e, ERR_INPUT,
			       "expected --listen ADDRESS:PORT or --socket PATH or --stdio");
	if (s->role && !s->add_key)
		return err_set(e, ERR_INPUT, "--role goes with --add-key");
	if (s->config.insecure && !s->listen)
		return err_set(e, ERR_INPUT, "--insecure-no-auth goes with --listen");
	if (s->listen && (strchr(s->listen, '/') || !strchr(s->listen, ':')))
		return err_set(e, ERR_INPUT, "--listen %.100s: expected ADDRESS:PORT", s->listen);
	if (s->listen && !s->config.insecure && !channel_supported())
		return err_set(e, ERR_UNSUPPORTED,
			       "--listen needs a key: without one, whoever reaches the port runs "
			       "code on this machine. This build knows no keys (HONE_TLS=OFF); use "
			       "--socket or --stdio, or --insecure-no-auth on a network where that "
			       "is fine");
	if (s->socket && strchr(s->socket, ':') && !strchr(s->socket, '/'))
		return err_set(e, ERR_INPUT, "--socket %.100s: write ./%.100s if that is a path",
			       s->socket, s->socket);
	return OK;
}

int
settings_parse(Settings *s, int argc, char **argv, Err *e)
{
	int rc = OK;

	for (int i = 1; i < argc && rc == OK; i++)
		rc = take_option(s, argc, argv, &i, e);
	if (rc || s->help || s->version)
		return rc;
	if (s->file)
		rc = read_file(s, e);
	if (rc)
		return rc;
	choose_way(s);
	rc = check_job(s, e);
	s->config.address = s->socket ? s->socket : s->listen;
	if (rc || s->keys || !((s->listen && !s->config.insecure) || s->add_key || s->list_keys))
		return rc;
	s->keys = s->folder;
	return folder_state("keys", s->folder, e);
}
