/* Image: machine code in one ELF shared object that imports nothing, mapped by a loader of ours.
 *
 * Accepted: 64-bit little-endian ET_DYN of this machine's architecture, PT_LOAD segments that are
 * never writable and executable at once, RELATIVE relocations into writable segments, a symbol
 * table with a SysV or GNU hash. Refused, each by its name: needed libraries, undefined symbols,
 * other relocations, thread-local storage, constructors and destructors, indirect functions,
 * overlapping or huge segments. Any bytes may be given: every offset is checked before use.
 */
#ifndef BASE_IMAGE_H
#define BASE_IMAGE_H

#include <stddef.h>

#include "base/err.h"

typedef struct Image Image;

enum { IMAGE_SPAN_MAX = 1 << 28 }; /* bytes of address space */

/* Copies the image into fresh memory with the protections of its segments; bytes may go away
 * afterwards. Errors: ERR_INPUT not such a file, ERR_UNSUPPORTED something refused above,
 * ERR_NOMEM. */
int image_open(const void *bytes, size_t size, Image **out, Err *e);

/* Address of a defined function or object; NULL when there is none of that name. */
void *image_symbol(const Image *i, const char *name);

/* Lowest address and length of the mapping, to name the place of a fault. */
const void *image_base(const Image *i, size_t *span);

void image_close(Image *i); /* NULL is fine */

#endif
