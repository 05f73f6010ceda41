/* A bundle in this process: its object linked into an image, regions of its sizes. */
#include "deploy/execute.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/huge.h"
#include "base/hardware.h"
#include "base/hone_pool.h"
#include "base/image.h"
#include "codegen/link.h"
#include "search_space/target.h"

typedef int BundleFn(const void *weights, void *mutable, void *activations);
typedef int ParallelFn(const void *weights, void *mutable, void *activations,
		       const hone_parallel *parallel);

struct Executable {
	const Bundle *b;
	Image *image;
	BundleFn *fn;         /* of one thread */
	ParallelFn *parallel; /* of several */
	hone_pool *pool;
	hone_parallel with;
	bool stays;       /* the caller's thread on one processor... */
	cpu_set_t before; /* ...of these */
	unsigned char *weights, *mutable, *activations;
};

/* Whether the target_key lists feature "+x" of n bytes. */
static bool
lists(const char *key, const char *feature, size_t n)
{
	for (const char *p = key; (p = strchr(p, '+')); p++)
		if (strcspn(p, ",") == n && !strncmp(p, feature, n))
			return true;
	return false;
}

/* Code that names an instruction set this machine lacks would end the process. */
static int
check_machine(const Bundle *b, Err *e)
{
	Target here;
	Str key = {0};
	int rc = target_host(&here, e);

	if (!rc)
		target_key(&here, &key);
	for (const char *p = b->target; !rc && (p = strchr(p, '+')); p++) {
		size_t n = strcspn(p, ",");

		if (!lists(str_get(&key), p, n))
			rc = err_set(e, ERR_UNSUPPORTED,
				     "%s was compiled for a machine with %.*s: this one has none",
				     b->name, (int)(n - 1), p + 1);
	}
	str_fini(&key);
	return rc;
}

/* The threads of a bundle for several, each on a processor of its own where there are enough. The
 * caller's stays on its own too: on one of theirs it would wait for them to give way. */
static int
start_threads(Executable *x, Arena *tmp, Err *e)
{
	int n = x->b->threads, *core = ARENA_ARRAY(tmp, int, n);
	int found = hardware_own_cores(sched_getcpu(), core, n);
	cpu_set_t own;

	x->pool = hone_pool_start(n, found == n ? core + 1 : NULL);
	if (!x->pool)
		return err_set(e, ERR_NOMEM, "%d threads could not be started", n);
	x->with = hone_pool_parallel(x->pool);
	if (found < n || sched_getaffinity(0, sizeof x->before, &x->before))
		return OK;
	CPU_ZERO(&own);
	CPU_SET((unsigned)core[0], &own);
	x->stays = sched_setaffinity(0, sizeof own, &own) == 0;
	return OK;
}

/* NAME or NAME_parallel; a bundle for several threads also needs these. */
static int
find_function(Executable *x, Arena *tmp, Err *e)
{
	bool several = x->b->threads > 1;
	const char *name = several ? arena_printf(tmp, "%s_parallel", x->b->name) : x->b->name;
	void *symbol = image_symbol(x->image, name);

	if (!symbol)
		return err_set(e, ERR_INPUT, "the bundle's object has no function '%s'", name);
	memcpy(several ? (void *)&x->parallel : (void *)&x->fn, &symbol, sizeof symbol);
	return several ? start_threads(x, tmp, e) : OK;
}

static int
load_image(Executable *x, Err *e)
{
	Arena *tmp = arena_new();
	LinkInput in = {x->b->object, x->b->object_bytes};
	const void *bytes;
	size_t size;
	int rc = link_objects(&in, 1, LINK_IMAGE, tmp, &bytes, &size, e);

	if (!rc)
		rc = image_open(bytes, size, &x->image, e);
	if (!rc)
		rc = find_function(x, tmp, e);
	arena_free(tmp);
	return rc;
}

/* Memory of a region, for the whole of free(). Large ones get large pages. */
static void *
new_region(size_t bytes)
{
	size_t align = bytes < HUGE_BYTES ? BUNDLE_ALIGN : HUGE_BYTES;
	void *p = aligned_alloc(align, (bytes / align + 1) * align);

	if (p)
		huge_advise(p, bytes);
	return p;
}

int
executable_open(const Bundle *b, Executable **out, Err *e)
{
	Executable *x = calloc(1, sizeof *x);
	int rc;

	if (!x)
		return err_set(e, ERR_NOMEM, "executable");
	x->b = b;
	x->weights = new_region(b->weights_bytes);
	x->mutable = new_region(b->mutable_bytes);
	x->activations = new_region(b->activations_bytes);
	rc = x->weights && x->mutable && x->activations
		     ? check_machine(b, e)
		     : err_set(e, ERR_NOMEM, "regions of the bundle");
	if (!rc)
		rc = load_image(x, e);
	if (!rc)
		memcpy(x->weights, b->weights, b->weights_bytes);
	if (rc) {
		executable_close(x);
		return rc;
	}
	*out = x;
	return OK;
}

void
executable_close(Executable *x)
{
	if (!x)
		return;
	hone_pool_stop(x->pool);
	if (x->stays)
		sched_setaffinity(0, sizeof x->before, &x->before);
	image_close(x->image);
	free(x->weights);
	free(x->mutable);
	free(x->activations);
	free(x);
}

static int
call(Executable *x, Err *e)
{
	int rc = x->pool ? x->parallel(x->weights, x->mutable, x->activations, &x->with)
			 : x->fn(x->weights, x->mutable, x->activations);

	return rc ? err_set(e, ERR_INTERNAL, "%s answers %d", x->b->name, rc) : OK;
}

int
executable_run(Executable *x, const void *const *input, void *const *output, Err *e)
{
	const Bundle *b = x->b;
	int rc;

	for (int i = 0; i < b->ninput; i++)
		if (b->input[i].bytes)
			memcpy(x->mutable + b->input[i].offset, input[i], b->input[i].bytes);
	if ((rc = call(x, e)))
		return rc;
	for (int i = 0; i < b->noutput; i++)
		if (b->output[i].bytes)
			memcpy(output[i], x->mutable + b->output[i].offset, b->output[i].bytes);
	return OK;
}

double
executable_time(Executable *x, Err *e)
{
	uint64_t start = clock_ns();

	return call(x, e) ? 0 : (double)(clock_ns() - start);
}

const void *
executable_activations(const Executable *x)
{
	return x->activations;
}
