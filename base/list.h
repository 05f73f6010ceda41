/* LIST(T): an array and its length, for plain data. All lists have the same layout. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdint.h>

#define LIST(T)             \
	struct {            \
		T *v;       \
		uint32_t n; \
	}

#endif
