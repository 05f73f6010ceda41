/* Keys for people: each is printed with its role and fingerprint, never its secret. */
#include "rpc_server/keys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust/ring.h"

static void
print_key(const Key *k)
{
	char print[FINGERPRINT_TEXT];

	key_fingerprint(k, print);
	printf("%-20s %-10s %s\n", k->name, key_role_word(k->role), print);
}

int
keys_first(const char *folder, bool *made, Err *e)
{
	Ring *r;
	int rc = ring_open(folder, &r, e);

	if (rc)
		return rc;
	*made = ring_count(r) == 0;
	if (*made)
		rc = ring_add(r, KEYS_FIRST, KEY_TUNE, e);
	ring_close(r);
	return rc;
}

/* An address that means "all of this machine's" is of no use elsewhere: the host's name then. */
static void
host_of(const char *address, char host[256])
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : strlen(address);

	snprintf(host, 256, "%.*s", (int)(n < 255 ? n : 255), address);
	if (strcmp(host, "0.0.0.0") && strcmp(host, "[::]"))
		return;
	if (gethostname(host, 255))
		snprintf(host, 256, "HOST");
	host[255] = 0;
}

void
keys_tell(const char *folder, const char *name, const char *address)
{
	const char *colon = strrchr(address, ':');
	char host[256];

	host_of(address, host);
	printf("copy %s/%s.key to the workstation, over a channel you trust, and there:\n"
	       "    hone device add NAME %s%s --key %s.key\n",
	       folder, name, host, colon ? colon : ":PORT", name);
	fflush(stdout);
}

int
keys_add(const char *folder, const char *name, const char *role, Err *e)
{
	KeyRole r;
	Ring *ring;
	int rc = key_role_parse(role, &r, e);

	if (!rc)
		rc = ring_open(folder, &ring, e);
	if (rc)
		return rc;
	rc = ring_add(ring, name, r, e);
	if (!rc) {
		print_key(ring_find(ring, name, strlen(name)));
		keys_tell(folder, name, "HOST:PORT");
	}
	ring_close(ring);
	return rc;
}

int
keys_list(const char *folder, Err *e)
{
	Ring *r;
	int rc = ring_open(folder, &r, e);

	if (rc)
		return rc;
	for (int i = 0; i < ring_count(r); i++)
		print_key(ring_at(r, i));
	ring_close(r);
	return OK;
}
