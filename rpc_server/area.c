/* Memory between guard pages. */
#include "rpc_server/area.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/huge.h"

size_t
area_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
aligned(size_t bytes)
{
	return (bytes + AREA_ALIGN - 1) / AREA_ALIGN * AREA_ALIGN;
}

size_t
area_pages(size_t bytes)
{
	size_t page = area_page(), n = (aligned(bytes) + page - 1) / page * page;

	return n ? n : page;
}

size_t
area_offset(size_t bytes)
{
	return area_pages(bytes) - aligned(bytes);
}

int
area_open(Area *a, int fd, uint64_t offset, size_t bytes, Err *e)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE);
	size_t page = area_page(), inner = area_pages(bytes), span = inner + 2 * page;
	void *base = MAP_FAILED;

	if (bytes < SIZE_MAX / 2)
		base = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "no address space for %zu bytes", bytes);
	if (mmap((uint8_t *)base + page, inner, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset) ==
	    MAP_FAILED) {
		munmap(base, span);
		return err_set(e, ERR_NOMEM, "no memory for %zu bytes", bytes);
	}
	if (fd < 0)
		huge_advise((uint8_t *)base + page, inner);
	*a = (Area){base, (uint8_t *)base + page + area_offset(bytes), span, bytes};
	return OK;
}

void
area_close(Area *a)
{
	if (a->base)
		munmap(a->base, a->span);
	*a = (Area){0};
}
