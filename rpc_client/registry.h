/* Registry: the devices that this user knows by name: a private file each, $XDG_CONFIG_HOME/hone/
 * devices/NAME, of mode 0600:
 *
 *   hone-device 1
 *   address 10.0.0.5:9000
 *   hone-key 1              and the rest of a key, where it has one
 *   ...
 */
#ifndef RPC_CLIENT_REGISTRY_H
#define RPC_CLIENT_REGISTRY_H

#include "trust/key.h"

enum { ADDRESS_MAX = 512 };

typedef struct KnownDevice {
	char name[KEY_NAME_MAX + 1];
	char address[ADDRESS_MAX];
	bool keyed;
	Key key;
} KnownDevice;

void known_wipe(KnownDevice *d);

/* NOT_APPLICABLE when there is none of that name. Errors: ERR_INPUT for a damaged file or one that
 * others may read, ERR_IO. */
int registry_find(const char *name, KnownDevice *d, Err *e);

/* Errors: ERR_INPUT when the name is taken, unfit; ERR_IO. */
int registry_add(const KnownDevice *d, bool replace, Err *e);
int registry_remove(const char *name, Err *e); /* NOT_APPLICABLE: there is none */

/* Names in order; the caller frees each and the array. Errors: ERR_IO, ERR_NOMEM. */
int registry_names(char ***name, int *n, Err *e);

#endif
