/* Addresses. A word without '/' and ':' is a name; a path in the present folder is ./path. */
#include "rpc_client/place.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool
take_prefix(const char **text, const char *prefix)
{
	size_t n = strlen(prefix);
	bool is = !strncmp(*text, prefix, n);

	*text += is ? n : 0;
	return is;
}

/* What follows must not look like an option to ssh. */
static int
parse_ssh(const char *rest, Place *p, Err *e)
{
	size_t n = strcspn(rest, ":");

	if (!n || rest[0] == '-' || strcspn(rest, " \t\n'\"\\$`;&|<>") < n)
		return err_set(e, ERR_INPUT, "ssh:%.100s: expected ssh:HOST or ssh:HOST:PROGRAM",
			       rest);
	p->kind = PLACE_SSH;
	snprintf(p->text, sizeof p->text, "%.*s", (int)n, rest);
	snprintf(p->program, sizeof p->program, "%s", rest[n] ? rest + n + 1 : "rpc_server");
	return OK;
}

static int
check_port(const char *address, Err *e)
{
	const char *port = strrchr(address, ':') + 1;
	size_t n = strlen(port);

	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)port[i]))
			n = 0;
	return n && n <= 5 && port - address > 1
		       ? OK
		       : err_set(e, ERR_INPUT, "%.200s: expected HOST:PORT", address);
}

int
place_parse(const char *address, Place *p, Err *e)
{
	const char *rest = address;

	*p = (Place){.kind = PLACE_SOCKET};
	if (strlen(address) >= ADDRESS_MAX)
		return err_set(e, ERR_INPUT, "%.40s...: at most %d bytes", address,
			       ADDRESS_MAX - 1);
	if (take_prefix(&rest, "ssh:"))
		return parse_ssh(rest, p, e);
	if (take_prefix(&rest, "exec:"))
		p->kind = PLACE_EXEC;
	else if (!take_prefix(&rest, "unix:") && strchr(rest, ':') && !strchr(rest, '/'))
		p->kind = PLACE_TCP;
	else if (rest == address && !strchr(rest, '/'))
		return err_set(e, ERR_INPUT,
			       "%.100s: no device of that name (`hone device list`); a socket "
			       "here is ./%.100s",
			       address, address);
	snprintf(p->text, sizeof p->text, "%s", rest);
	return p->kind == PLACE_TCP ? check_port(rest, e) : OK;
}

int
place_find(const char *address, Place *p, Err *e)
{
	KnownDevice d;
	int rc = NOT_APPLICABLE;

	*p = (Place){0};
	if (key_name_ok(address, strlen(address)))
		rc = registry_find(address, &d, e);
	if (rc == NOT_APPLICABLE)
		return place_parse(address, p, e);
	if (!rc)
		rc = place_parse(d.address, p, e);
	if (!rc && d.keyed) {
		p->kind = PLACE_TLS;
		p->key = d.key;
	}
	known_wipe(&d);
	return rc;
}

void
place_wipe(Place *p)
{
	key_wipe(&p->key);
}
