/* From the command line to something that runs. */
#include "cli/runnable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hardware.h"
#include "base/rng.h"
#include "cli/plain.h"
#include "rpc_client/lease.h"

enum { WARM_UP = 5 };

int
open_log_option(const Args *a, Log **log, Err *e)
{
	const char *path = args_text(a, "log", NULL);

	*log = NULL;
	return path ? log_open_read(path, log, e) : OK;
}

ToleranceClass
tolerance_option(const Args *a)
{
	return args_has(a, "strict") ? TOLERANCE_STRICT : TOLERANCE_DEFAULT;
}

static bool
is_bundle(const char *path)
{
	size_t n = strlen(path);
	struct stat s;

	return (n > 5 && !strcmp(path + n - 5, ".json")) ||
	       (stat(path, &s) == 0 && S_ISDIR(s.st_mode));
}

static int
compile_model(Runnable *r, const Args *a, bool keep, Err *e)
{
	CompileOptions opt = {.tolerance = tolerance_option(a),
			      .keep = keep,
			      .threads = (int)args_integer(a, "threads", 1)};
	Target target;
	int rc = open_log_option(a, &opt.log, e);

	if (!rc && r->client) {
		rc = target_of_device(rpc_device(r->client), &target, e);
		opt.target = &target;
		opt.key.device = rpc_device(r->client)->cpu;
	}
	if (!rc)
		rc = compile(r->model.graph, r->arena, &opt, &r->bundle, e);
	log_close(opt.log);
	return rc;
}

static int
find_input(const Bundle *b, const char *text)
{
	for (int i = 0; i < b->ninput; i++) {
		size_t n = strlen(b->input[i].name);

		if (!strncmp(text, b->input[i].name, n) && text[n] == '=')
			return i;
	}
	return -1;
}

static int
read_input(Runnable *r, int i, const char *path, Err *e)
{
	const BundleTensor *t = &r->bundle.input[i];
	Str want = {0}, found = {0};
	int rc;

	if (r->input[i].data)
		return err_set(e, ERR_INPUT, "input '%s' is given twice", t->name);
	if ((rc = npy_read(path, &r->input[i], e)))
		return rc;
	shape_print(&want, t->type, t->rank, t->dim);
	shape_print(&found, r->input[i].type, r->input[i].rank, r->input[i].dim);
	if (strcmp(str_get(&want), str_get(&found)) != 0)
		rc = err_set(e, ERR_INPUT, "%s: input '%s' is %s, expected %s", path, t->name,
			     str_get(&found), str_get(&want));
	str_fini(&want);
	str_fini(&found);
	return rc;
}

/* --input of a bundle: named ones first, the others go to the inputs that are left, in order. */
static int
read_bundle_inputs(Runnable *r, const Args *a, Err *e)
{
	const char *text;
	int rc = OK, next = 0, at;

	r->input = ARENA_ARRAY(r->arena, Npy, r->bundle.ninput + 1);
	for (int i = 0; !rc && (text = args_nth(a, "input", i)); i++)
		if ((at = find_input(&r->bundle, text)) >= 0)
			rc = read_input(
				r, at, strchr(text + strlen(r->bundle.input[at].name), '=') + 1, e);
	for (int i = 0; !rc && (text = args_nth(a, "input", i)); i++) {
		if (find_input(&r->bundle, text) >= 0)
			continue;
		while (next < r->bundle.ninput && r->input[next].data)
			next++;
		if (next == r->bundle.ninput)
			return err_set(e, ERR_INPUT, "--input: '%s', the bundle has %d inputs",
				       text, r->bundle.ninput);
		rc = read_input(r, next, text, e);
	}
	return rc;
}

static int
open_bundle(Runnable *r, const char *path, const Args *a, bool keep, Err *e)
{
	int rc = bundle_read(path, r->arena, &r->bundle, e);

	for (int i = 0; i < r->bundle.nkernel && !rc; i++) {
		const BundleKernel *k = &r->bundle.kernel[i];
		const Rewrite *algorithm = rewrite_named(k->algorithm);

		if (algorithm && !rewrite_allowed(algorithm, tolerance_option(a)))
			rc = err_set(e, ERR_INPUT, "%s: --strict: '%s' was compiled as %s", path,
				     k->name, k->algorithm);
	}
	if (!rc && args_integer(a, "threads", r->bundle.threads) != r->bundle.threads)
		return err_set(e, ERR_INPUT, "--threads: %lld, %s was compiled for %d",
			       (long long)args_integer(a, "threads", 1), path, r->bundle.threads);
	if (!rc && keep)
		return err_set(e, ERR_INPUT,
			       "%s: a bundle does not keep its layers: give the model", path);
	return rc ? rc : read_bundle_inputs(r, a, e);
}

static int
open_model(Runnable *r, const char *path, const Args *a, bool keep, Err *e)
{
	int rc;

	r->from_model = true;
	if ((rc = model_open(&r->model, path, a, e)) || (rc = compile_model(r, a, keep, e)))
		return rc;
	r->input = r->model.input;
	return OK;
}

int
runnable_open(Runnable *r, const char *path, const Args *a, bool keep, Err *e)
{
	const char *address = args_text(a, "device", NULL);
	int rc = OK;

	*r = (Runnable){
		.arena = arena_new(), .device = address, .wait_s = args_seconds(a, "wait", -1)};
	if (address)
		rc = rpc_open(address, &r->client, e);
	if (rc)
		return rc;
	rc = is_bundle(path) ? open_bundle(r, path, a, keep, e) : open_model(r, path, a, keep, e);
	if (!rc && !r->client && r->bundle.threads > (int)hardware_cores())
		rc = err_set(e, ERR_INPUT, "--threads: %d, this machine has %u cores",
			     r->bundle.threads, hardware_cores());
	if (!rc && !r->client)
		rc = executable_open(&r->bundle, &r->code, e);
	if (rc)
		return rc;
	r->output = ARENA_ARRAY(r->arena, void *, r->bundle.noutput + 1);
	for (int i = 0; i < r->bundle.noutput; i++)
		r->output[i] = arena_alloc64(r->arena, r->bundle.output[i].bytes + 1);
	if (keep)
		r->activations = arena_alloc64(r->arena, r->bundle.activations_bytes);
	return OK;
}

void
runnable_close(Runnable *r)
{
	executable_close(r->code);
	rpc_close(r->client);
	for (int i = 0; !r->from_model && r->input && i < r->bundle.ninput; i++)
		npy_fini(&r->input[i]);
	if (r->from_model)
		model_close(&r->model);
	arena_free(r->arena);
	*r = (Runnable){0};
}

int
runnable_need_inputs(const Runnable *r, Err *e)
{
	Str lack = {0};
	int rc = OK;

	for (int i = 0; i < r->bundle.ninput; i++)
		if (!r->input[i].data)
			str_printf(&lack, "%s'%s'", lack.n ? ", " : "", r->bundle.input[i].name);
	if (lack.n)
		rc = err_set(e, ERR_INPUT, "no --input for %s", str_get(&lack));
	str_fini(&lack);
	return rc;
}

int
runnable_invent_inputs(Runnable *r, Err *e)
{
	int rc = OK;

	for (int i = 0; i < r->bundle.ninput && !rc; i++) {
		const BundleTensor *t = &r->bundle.input[i];

		if (r->input[i].data)
			continue;
		rc = npy_init(&r->input[i], t->type, t->rank, t->dim, e);
		if (!rc && dtype_is_float(t->type))
			rng_fill(t->type, r->input[i].data, (size_t)npy_count(&r->input[i]),
				 (uint64_t)i + 1, -1, 1);
	}
	return rc;
}

static int
run_here(Runnable *r, const void *const *input, int runs, RemoteTimes *times, Err *e)
{
	int rc = executable_run(r->code, input, r->output, e);

	if (r->activations)
		memcpy(r->activations, executable_activations(r->code),
		       r->bundle.activations_bytes);
	if (runs <= 0 || rc)
		return rc;
	*times = (RemoteTimes){ARENA_ARRAY(r->arena, double, runs), runs};
	for (int i = -WARM_UP; i < runs; i++) {
		double ns = executable_time(r->code, e);

		if (i >= 0)
			times->ns[i] = ns;
	}
	return OK;
}

static int
run_there(Runnable *r, const void *const *input, int runs, RemoteTimes *times, Err *e)
{
	RpcWait w = {.name = r->device, .seconds = r->wait_s, .told = plain_tell};
	char why[REASON_MAX + 1];
	Err own = {0};
	int rc = rpc_lease(r->client, &w, e);

	if (rc)
		return rc;
	rc = remote_run(r->client, &r->bundle, input, r->output, r->activations, runs, r->arena,
			times, &own);
	if (rc && rpc_lease_lost(r->client, why))
		return err_set(e, ERR_BUSY, "the lease was lost: %s", why);
	return rc ? err_set(e, rc, "%s", own.msg) : OK;
}

int
runnable_run(Runnable *r, int runs, RemoteTimes *times, Err *e)
{
	const void **input = ARENA_ARRAY(r->arena, const void *, r->bundle.ninput + 1);

	for (int i = 0; i < r->bundle.ninput; i++)
		input[i] = r->input[i].data;
	if (r->client)
		return run_there(r, input, runs, times, e);
	return run_here(r, input, runs, times, e);
}
