/* Which rows of the Target table this machine can run. */
#ifndef TESTS_SUPPORT_HOST_H
#define TESTS_SUPPORT_HOST_H

/* NULL-terminated, the most capable last. */
const char *const *host_targets(void);

/* Those with instructions for dot products of bytes. */
const char *const *host_dot_targets(void);

#endif
