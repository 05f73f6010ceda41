/* A tuning log of a million rows: how long a look-up takes, and how fast rows are added. The rows
 * are made up: some models of 60 tasks, each measured on some devices, with races.
 *
 *   log_scale [--rows N] [--models N] [--devices N] [--keep FILE] [--json]
 *
 * The log lies in a folder of its own under TMPDIR, and goes with the program; --keep leaves it,
 * and takes what an earlier run has left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/median.h"
#include "base/rng.h"
#include "bench/support.h"
#include "db/fastest.h"

enum {
	TASKS = 60,
	SAMPLES = 10,
	FILL_ROWS = 5000, /* per transaction while the log is made */
	BATCH_ROWS = 32,  /* as a tuner adds them */
	BATCHES = 200,
	LOOKS = 20,
	HINTS = 8,
	TEXT_BYTES = 40,
};

typedef struct Scale {
	int64_t rows;
	int models, devices;
	const char *path;
	Rng rng;
	Arena *a;
} Scale;

static void
stop(const Err *e)
{
	fprintf(stderr, "log_scale: %s\n", e->msg);
	exit(1);
}

/* A digest's text: 32 digits that differ. */
static const char *
name_of(Scale *s, int model, int task)
{
	return arena_printf(s->a, "%08x%08x%016x", (unsigned)model * 2654435761u,
			    (unsigned)task * 2246822519u, 17u);
}

static LogKey
key_of(Scale *s, int model, int task, int device)
{
	return (LogKey){.task = name_of(s, model, task),
			.form = name_of(s, task, model),
			.target = "x86_64-unknown-linux-gnu x86-64-v4 +sse3,+ssse3,+fma,+cx16,"
				  "+sse4.1,+sse4.2,+movbe,+popcnt,+aes,+avx,+f16c,+bmi,+avx2,"
				  "+bmi2,+avx512f,+avx512dq,+avx512cd,+avx512bw,+avx512vl,"
				  "+avx512ifma,+avx512vbmi,+avx512vnni,+avx512bf16",
			.device = arena_printf(s->a, "processor %d", device),
			.driver = "",
			.runner = "cpu",
			.threads = "1",
			.mode = "cold",
			.tolerance = "default"};
}

/* One in twelve rows is of a race of six, of which the first is the winner. */
static LogRow
row_of(Scale *s, const LogKey *k, int64_t i)
{
	double *sample = ARENA_ARRAY(s->a, double, SAMPLES);
	double ns = 1e4 + (double)rng_below(&s->rng, 1000000);
	bool raced = i % 72 >= 66;
	LogRow r = {.key = *k,
		    .algorithm = i % 5 ? "direct" : "winograd4",
		    .sched = arena_printf(s->a, "direct\nnest vec=k k:%lld p:%d q:1 | c:%d pf\n",
					  (long long)i, (int)rng_below(&s->rng, 64), 16),
		    .status = i % 11 ? "OK" : "WRONG",
		    .reason = "",
		    .samples = sample,
		    .nsample = SAMPLES,
		    .best_ns = ns,
		    .median_ns = ns * 1.02,
		    .calibration_before = 100,
		    .calibration_after = 100,
		    .expected_ns = ns,
		    .code = name_of(s, (int)i, 1),
		    .generator = "0.1",
		    .llvm = "22.1.8",
		    .stage = raced ? (i % 72 == 66 ? LOG_STAGE_WINNER : "race") : "descent",
		    .session = arena_printf(s->a, "session-%lld", (long long)(i / 20000)),
		    .race = raced ? 1 + i / 72 % 200 : 0,
		    .time = 1700000000 + i / 50};

	for (int k2 = 0; k2 < SAMPLES; k2++)
		sample[k2] = ns * (1 + 0.01 * k2);
	return r;
}

/* Rows of one search of all models: every device measures a task's candidates in runs of 72. */
static void
add_rows(Scale *s, Log *l, int64_t from, int n)
{
	LogRow *row = ARENA_ARRAY(s->a, LogRow, n);
	Err e = {0};

	for (int i = 0; i < n; i++) {
		int64_t run = (from + i) / 72;
		LogKey k = key_of(s, (int)(run / TASKS % s->models), (int)(run % TASKS),
				  (int)(run / TASKS / s->models % s->devices));

		row[i] = row_of(s, &k, from + i);
	}
	if (log_add(l, row, n, &e))
		stop(&e);
	arena_reset(s->a);
}

static double
fill(Scale *s, Log *l)
{
	uint64_t start = clock_ns();

	for (int64_t at = 0; at < s->rows; at += FILL_ROWS)
		add_rows(s, l, at, (int)(s->rows - at < FILL_ROWS ? s->rows - at : FILL_ROWS));
	return (double)(clock_ns() - start) / 1e9;
}

/* Rows a second in transactions of a tuner's size. */
static double
add_rate(Scale *s, Log *l)
{
	uint64_t start = clock_ns();

	for (int i = 0; i < BATCHES; i++)
		add_rows(s, l, s->rows + (int64_t)i * BATCH_ROWS, BATCH_ROWS);
	return BATCHES * BATCH_ROWS * 1e9 / (double)(clock_ns() - start);
}

/* All tasks of one model, as compile asks; device: -1 for one that measured nothing. */
static double
look_up(Scale *s, Log *l, int model, int device)
{
	static const char *const listed[] = {"direct", "winograd2", NULL};
	uint64_t start = clock_ns();

	for (int task = 0; task < TASKS; task++) {
		LogKey k = key_of(s, model, task, device);
		LogBest best;
		Err e = {0};

		if (log_best(l, s->a, &k, listed, &best, &e))
			stop(&e);
	}
	arena_reset(s->a);
	return (double)(clock_ns() - start) / 1e6;
}

/* What a search of these tasks asks of other keys. */
static double
look_elsewhere(Scale *s, Log *l, int model)
{
	uint64_t start = clock_ns();

	for (int task = 0; task < TASKS; task++) {
		LogFastest *found;
		Err e = {0};
		int n;

		if (log_fastest(l, s->a, name_of(s, model, task), "", "", HINTS, &found, &n, &e))
			stop(&e);
	}
	arena_reset(s->a);
	return (double)(clock_ns() - start) / 1e6;
}

typedef enum Asked { BEST_HERE, BEST_ELSEWHERE, HINTS_ELSEWHERE } Asked;

/* Opens the log for reading; then looks models up one after the other. Milliseconds. */
static void
time_looks(Scale *s, Asked what, double *open, double *first, double *median)
{
	double ms[LOOKS];
	uint64_t start = clock_ns();
	Err e = {0};
	Log *l;

	if (log_open_read(s->path, &l, &e))
		stop(&e);
	*open = (double)(clock_ns() - start) / 1e6;
	for (int i = 0; i < LOOKS; i++) {
		int device = what == BEST_HERE ? i / s->models % s->devices : -1;

		ms[i] = what == HINTS_ELSEWHERE ? look_elsewhere(s, l, i % s->models)
						: look_up(s, l, i % s->models, device);
	}
	*first = ms[0];
	*median = median_sorting(ms, LOOKS);
	log_close(l);
}

static void
report(Scale *s, bool json, double fill_s, double rate)
{
	double open, first, median, open2, first2, median2, open3, first3, median3;
	struct stat st;

	time_looks(s, BEST_HERE, &open, &first, &median);
	time_looks(s, BEST_ELSEWHERE, &open2, &first2, &median2);
	time_looks(s, HINTS_ELSEWHERE, &open3, &first3, &median3);
	stat(s->path, &st);
	if (json) {
		printf("{\"rows\": %lld, \"models\": %d, \"devices\": %d, \"bytes\": %lld, "
		       "\"fill_s\": %.1f, \"rows_per_s\": %.0f, \"open_ms\": %.2f, "
		       "\"best60_first_ms\": %.2f, \"best60_ms\": %.2f, "
		       "\"best60_other_first_ms\": %.2f, \"best60_other_ms\": %.2f, "
		       "\"hints60_first_ms\": %.2f, \"hints60_ms\": %.2f}\n",
		       (long long)s->rows, s->models, s->devices, (long long)st.st_size, fill_s,
		       rate, open, first, median, first2, median2, first3, median3);
		return;
	}
	printf("%lld rows, %d models of %d tasks, %d devices: %.0f MB\n", (long long)s->rows,
	       s->models, TASKS, s->devices, (double)st.st_size / 1e6);
	printf("adding, %d a transaction   %8.0f rows/s   gate 1000\n", BATCH_ROWS, rate);
	printf("opening to read            %8.2f ms\n", open);
	printf("best of %d tasks, first    %8.2f ms       gate 50\n", TASKS, first);
	printf("best of %d tasks, median   %8.2f ms       gate 50\n", TASKS, median);
	printf("of a device without rows   %8.2f ms       gate 50\n", median2);
	printf("hints for a search         %8.2f ms\n", median3);
}

static void
remove_log(const char *path, const char *dir)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char name[160];

	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	const char *keep = bench_text(&argc, argv, "--keep"), *tmp = getenv("TMPDIR");
	bool json = bench_flag(&argc, argv, "--json");
	Scale s = {.rows = bench_number(&argc, argv, "--rows", 1000000),
		   .models = bench_number(&argc, argv, "--models", 10),
		   .devices = bench_number(&argc, argv, "--devices", 4),
		   .a = arena_new()};
	char dir[96], path[128];
	double fill_s = 0, rate;
	bool there;
	Err e = {0};
	Log *l;

	snprintf(dir, sizeof dir, "%s/hone-log-XXXXXX", tmp ? tmp : "/tmp");
	if (!keep && !mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/scale.db", dir);
	s.path = keep ? keep : path;
	there = !access(s.path, F_OK);
	rng_init(&s.rng, 1);
	if (s.rows < 1 || s.models < 1 || s.devices < 1 || log_open(s.path, &l, &e))
		stop(&e);
	if (!there)
		fill_s = fill(&s, l);
	rate = add_rate(&s, l);
	log_close(l);
	report(&s, json, fill_s, rate);
	if (!keep)
		remove_log(path, dir);
	arena_free(s.a);
	return 0;
}
