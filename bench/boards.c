/* boards: trials a second of one board, and of several that share a search. Boards that only hold
 * each candidate, as long as a device would be busy with it, say what the tuner can feed; two that
 * compute, on a core each of this machine, what two of them cost each other.
 *
 * Usage: boards [--json] [--seconds N] [--hold MS] [--model NAME] [--bare]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/layers.h"
#include "bench/support.h"
#include "tuner/tune.h"

enum { BOARDS = 4, PATH_BYTES = 4096, TRIALS = 64 };

typedef struct Rate {
	double trials; /* a second, from when the boards are known */
	double busy;   /* share of that time that the tuner's thread computed */
	double apart;  /* boards that ran no races */
} Rate;

/* A kind of boards. */
typedef struct Kind {
	const char *name, *runner;
	bool bare; /* nothing is compiled for them */
	int most;
	double gate; /* of the most, over one; 0: none */
} Kind;

typedef struct Bench {
	Arena *arena;
	char server[PATH_BYTES], log[PATH_BYTES];
	const char *model;
	int seconds, hold;
	bool json, only_bare;
	double began, cpu; /* when the boards were known */
} Bench;

/* CPU seconds of this thread. */
static double
own_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
on_event(void *self, const TuneEvent *ev)
{
	Bench *b = self;

	if (ev->kind == TUNE_BEGIN) {
		b->began = (double)clock_ns() * 1e-9;
		b->cpu = own_seconds();
	}
}

static void
remove_log(const Bench *b)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char path[PATH_BYTES + 8];

	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(path, sizeof path, "%s%s", b->log, suffix[i]);
		unlink(path);
	}
}

/* A search from an empty log, without races: a race is as long as it wants to be. */
static int
measure(Bench *b, const Kind *k, const char *const *device, int n, Rate *out, Err *e)
{
	Effort effort = *effort_named("measure");
	TuneOptions opt = {.device = device,
			   .ndevice = n,
			   .runner = k->runner,
			   .bare = k->bare,
			   .log = b->log,
			   .effort = &effort,
			   .trials = TRIALS,
			   .time_limit_s = b->seconds,
			   .wait_s = -1,
			   .event = on_event,
			   .self = b};
	TuneReport r;
	Graph *g;
	int rc = layers_graph(b->model, b->arena, &g, e); /* planning uses it up */
	double seconds;

	if (rc)
		return rc;
	effort.finalists = 0;
	remove_log(b);
	rc = tune(g, &opt, &r, e);
	seconds = (double)clock_ns() * 1e-9 - b->began;
	*out = (Rate){(double)r.trials / seconds, (own_seconds() - b->cpu) / seconds, 0};
	for (int i = 0; i < r.nboard; i++)
		out->apart += r.board[i].apart;
	tune_report_fini(&r);
	graph_free(g);
	remove_log(b);
	return rc;
}

static void
print(const Bench *b, const Kind *k, int n, const Rate *x, const Rate *one)
{
	double ratio = x->trials / one->trials;
	bool gated = k->gate > 0 && n == k->most;

	if (b->json) {
		printf("{\"rung\":\"boards\",\"name\":\"%s\",\"boards\":%d,\"trials\":%.2f,"
		       "\"ratio\":%.3f,\"tuner_busy\":%.3f,\"apart\":%.0f",
		       k->name, n, x->trials, ratio, x->busy, x->apart);
		if (gated)
			printf(",\"gate\":%.2f,\"ok\":%s", k->gate,
			       ratio >= k->gate ? "true" : "false");
		printf("}\n");
	} else {
		printf("%-20s %d boards %7.2f trials/s  %.2f x one  tuner computes %3.0f %%  %.0f "
		       "apart",
		       k->name, n, x->trials, ratio, 100 * x->busy, x->apart);
		if (gated)
			printf("  gate %.1f  %s", k->gate, ratio >= k->gate ? "ok" : "below");
		printf("\n");
	}
	fflush(stdout);
}

/* 1, 2, 4... boards of a kind; options: of each one's agent. */
static int
climb(Bench *b, const Kind *k, const char *const *options, Err *e)
{
	const char *device[BOARDS];
	Rate one = {0}, x;
	int rc = OK;

	for (int i = 0; i < k->most; i++)
		device[i] = arena_printf(b->arena, "exec:%s --stdio %s", b->server, options[i]);
	for (int n = 1; n <= k->most && !rc; n *= 2) {
		rc = measure(b, k, device, n, &x, e);
		if (n == 1)
			one = x;
		if (!rc)
			print(b, k, n, &x, &one);
	}
	return rc;
}

static int
run(Bench *b, Err *e)
{
	static const Kind bare = {"hold", "null", true, BOARDS, 3.6};
	static const Kind compiled = {"hold, compiled", "null", false, BOARDS, 0};
	static const Kind real = {"compute", "cpu", false, 2, 0};
	const char *hold = arena_printf(b->arena, "--null-hold %d", b->hold);
	const char *holding[BOARDS] = {hold, hold, hold, hold};
	const char *computing[] = {"--core 0", "--core 1"};
	int rc = climb(b, &bare, holding, e);

	if (!rc && !b->only_bare)
		rc = climb(b, &compiled, holding, e);
	return rc || b->only_bare ? rc : climb(b, &real, computing, e);
}

/* rpc_server lies in the folder above this program's. */
static bool
find_server(char path[PATH_BYTES])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_BYTES - 16);

	if (n < 0)
		return false;
	path[n] = 0;
	for (int up = 0; up < 2; up++)
		*strrchr(path, '/') = 0;
	strcat(path, "/rpc_server");
	return true;
}

int
main(int argc, char **argv)
{
	Bench b = {.json = bench_flag(&argc, argv, "--json"),
		   .only_bare = bench_flag(&argc, argv, "--bare"),
		   .seconds = bench_number(&argc, argv, "--seconds", 30),
		   .hold = bench_number(&argc, argv, "--hold", 50),
		   .model = bench_text(&argc, argv, "--model")};
	Err e = {0};
	int rc;

	if (!b.model)
		b.model = "squeezenet1_1";
	b.arena = arena_new();
	snprintf(b.log, sizeof b.log, "/tmp/hone-boards-%ld", (long)getpid());
	rc = find_server(b.server) ? run(&b, &e) : err_set(&e, ERR_IO, "/proc/self/exe");
	if (rc)
		fprintf(stderr, "boards: %s\n", e.msg);
	arena_free(b.arena);
	return rc ? err_exit_code(rc) : 0;
}
