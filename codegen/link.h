/* Link: objects -> one image (ELF shared object that imports nothing), or one object. */
#ifndef CODEGEN_LINK_H
#define CODEGEN_LINK_H

#include "codegen/emit.h"

typedef struct LinkInput {
	const void *bytes;
	size_t size;
} LinkInput;

typedef enum LinkKind {
	LINK_IMAGE,  /* shared object: what base/image.h loads */
	LINK_OBJECT, /* relocatable: what a bundle holds */
} LinkKind;

/* Runs ld.lld over files in memory, unless codegen/join.h can make the image without it. The
 * result lives in a. Errors: ERR_IO when there is no linker or no room for the files, ERR_INTERNAL
 * with the linker's text when it fails (an undefined symbol in an image is such a failure). */
int link_objects(const LinkInput *in, int n, LinkKind kind, Arena *a, const void **bytes,
		 size_t *size, Err *e);

/* What the linker says of its version, one line in a. Errors: ERR_IO when there is none,
 * ERR_INTERNAL when it fails. */
int link_version(Arena *a, const char **text, Err *e);

#endif
