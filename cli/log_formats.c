/* Rows as CSV, as T4 results and as a cache file of Kernel Tuner. Times there are milliseconds. A
 * schedule that was measured several times counts as it was measured last; rows that say nothing of
 * their schedule (LOST, CANCELLED, STALE) are left out. What these forms have no place for stands
 * under the key "hone". */
#include "cli/log_formats.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/log_params.h"
#include "wire/status.h"

/* --- CSV, as RFC 4180 has it --- */

static void
csv_text(Str *out, const char *text)
{
	str_add(out, "\"");
	for (; *text; text++)
		str_addn(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	str_add(out, "\"");
}

static void
csv_number(Str *out, double v)
{
	str_add(out, ",");
	str_double(out, v);
}

static void
csv_row(const LogRow *r, Str *out)
{
	const char *text[] = {r->algorithm, r->sched,     r->status, r->reason, r->stage,
			      r->session,   r->generator, r->llvm,   r->code};
	const double number[] = {r->best_ns,     r->median_ns,          r->max_error,
				 r->expected_ns, r->calibration_before, r->calibration_after};
	const int64_t whole[] = {r->seed, r->race, r->time, r->insecure, r->sandbox};

	str_printf(out, "%lld", (long long)r->id);
#define X(field, what)     \
	str_add(out, ","); \
	csv_text(out, r->key.field);
	LOG_KEY_LIST(X)
#undef X
	for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
		str_add(out, ",");
		csv_text(out, text[i]);
	}
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		csv_number(out, number[i]);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		str_printf(out, ",%lld", (long long)whole[i]);
	str_add(out, ",\"");
	for (int i = 0; i < r->nsample; i++) {
		str_add(out, i ? " " : "");
		str_double(out, r->samples[i]);
	}
	str_add(out, "\"\r\n");
}

void
format_csv(Arena *a, const LogGroup *g, Str *out)
{
	(void)a;
	str_add(out, "id");
#define X(field, what) str_add(out, "," #field);
	LOG_KEY_LIST(X)
#undef X
	str_add(out, ",algorithm,sched,status,reason,stage,session,generator,llvm,code,best_ns,"
		     "median_ns,max_error,expected_ns,calibration_before,calibration_after,seed,"
		     "race,time,insecure,sandbox,samples\r\n");
	for (int i = 0; i < g->n; i++)
		csv_row(&g->row[i], out);
}

/* --- what the two JSON forms share --- */

/* status, T4's invalidity, what Kernel Tuner puts in the place of a time */
static const struct {
	Status status;
	const char *invalidity, *error;
} validity[] = {
	{STATUS_OK, "correct", NULL},
	{STATUS_INFEASIBLE, "constraints", "InvalidConfig"},
	{STATUS_BUILD, "compile", "CompilationFailedConfig"},
	{STATUS_CRASH, "runtime", "RuntimeFailedConfig"},
	{STATUS_HANG, "timeout", "RuntimeFailedConfig"},
	{STATUS_WRONG, "correctness", "RuntimeFailedConfig"},
	{STATUS_BELOW_RESOLUTION, "runtime", "RuntimeFailedConfig"},
	{STATUS_IMPLAUSIBLE, "correctness", "RuntimeFailedConfig"},
	{STATUS_FORBIDDEN, "runtime", "RuntimeFailedConfig"},
	{STATUS_POISON, "runtime", "RuntimeFailedConfig"},
};

/* Index into `validity`; -1 for a row that says nothing of its schedule. */
static int
validity_of(const LogRow *r)
{
	for (size_t i = 0; i < sizeof validity / sizeof *validity; i++)
		if (!strcmp(status_name(validity[i].status), r->status))
			return (int)i;
	return -1;
}

/* A schedule and its row. */
typedef struct Configs {
	Params p;
	VEC(const LogRow *) row;
} Configs;

static Configs
collect(Arena *a, const LogGroup *g)
{
	Configs c = {.p = {.a = a}};

	for (int i = 0; i < g->n; i++) {
		int k = 0;

		if (validity_of(&g->row[i]) < 0)
			continue;
		while (k < c.row.n && strcmp(c.row.v[k]->sched, g->row[i].sched) != 0)
			k++;
		if (k < c.row.n) {
			c.row.v[k] = &g->row[i];
			continue;
		}
		vec_push(a, &c.row, &g->row[i]);
		params_add(&c.p, g->row[i].sched);
	}
	return c;
}

static void
json_time(Json *in, const char *key, int64_t seconds)
{
	char text[CLOCK_TEXT];

	json_text(in, key, clock_text(text, "%Y-%m-%d %H:%M:%S+00:00", seconds));
}

static double
sum_ms(const LogRow *r)
{
	double sum = 0;

	for (int i = 0; i < r->nsample; i++)
		sum += r->samples[i];
	return sum / 1e6;
}

static void
json_samples(Json *in, const char *key, const LogRow *r)
{
	Json *list = json_array(in, key);

	for (int i = 0; i < r->nsample; i++)
		json_number(list, NULL, r->samples[i] / 1e6);
}

static void
json_about(Json *in, const LogGroup *g)
{
	Json *about = json_object(in, "hone");

#define X(field, what) json_text(about, #field, g->row[0].key.field);
	LOG_KEY_LIST(X)
#undef X
	json_text(about, "problem", g->problem);
	json_text(about, "generator", g->row[0].generator);
	json_text(about, "llvm", g->row[0].llvm);
}

static void
json_row_about(Json *in, const LogRow *r)
{
	Json *about = json_object(in, "hone");

	json_number(about, "row", (double)r->id);
	json_text(about, "status", r->status);
	json_text(about, "reason", r->reason);
	json_text(about, "sched", r->sched);
	json_text(about, "stage", r->stage);
	json_number(about, "calibration_before_gflops", r->calibration_before);
	json_number(about, "calibration_after_gflops", r->calibration_after);
}

static void
print(Json *top, Str *out)
{
	json_print(top, out);
	json_free(top);
}

/* --- T4: github.com/odgaard/TuningSchema, results of version 1.0.0 --- */

static void
t4_result(Json *list, const Configs *c, int i)
{
	const LogRow *r = c->row.v[i];
	int v = validity_of(r);
	Json *one = json_object(list, NULL), *times, *measured, *m;

	json_time(one, "timestamp", r->time);
	params_json(&c->p, i, json_object(one, "configuration"));
	json_text(json_array(one, "objectives"), NULL, "time");
	times = json_object(one, "times");
	json_samples(times, "runtimes", r);
	json_number(times, "benchmark", sum_ms(r));
	json_text(one, "invalidity", validity[v].invalidity);
	json_number(one, "correctness", validity[v].error ? 0 : 1);
	measured = json_array(one, "measurements");
	if (!validity[v].error) {
		m = json_object(measured, NULL);
		json_text(m, "name", "time");
		json_number(m, "value", r->median_ns / 1e6);
		json_text(m, "unit", "ms");
	}
	json_row_about(one, r);
}

void
format_t4(Arena *a, const LogGroup *g, Str *out)
{
	Configs c = collect(a, g);
	Json *top = json_object(NULL, NULL), *list;

	json_text(top, "schema_version", "1.0.0");
	json_text(json_object(top, "metadata"), "timeunit", "milliseconds");
	list = json_array(top, "results");
	for (int i = 0; i < c.row.n; i++)
		t4_result(list, &c, i);
	json_about(top, g);
	print(top, out);
}

/* --- Kernel Tuner --- */

/* The values of one parameter, each once. */
static void
kt_values(Json *in, const Configs *c, int name)
{
	Json *list = json_array(in, c->p.name.v[name].name);

	for (int i = 0; i < c->row.n; i++) {
		const char *value = params_value(&c->p, i, name);
		int k = 0;

		while (k < i && strcmp(params_value(&c->p, k, name), value) != 0)
			k++;
		if (k == i)
			params_json_value(&c->p, i, name, false, list);
	}
}

/* What the log does not know, the time it took to compile or search, is 0. */
static void
kt_config(Json *cache, const Configs *c, int i)
{
	const LogRow *r = c->row.v[i];
	const char *error = validity[validity_of(r)].error;
	Str key = {0};
	Json *one;

	for (int k = 0; k < c->p.name.n; k++)
		str_printf(&key, "%s%s", k ? "," : "", params_value(&c->p, i, k));
	one = json_object(cache, str_get(&key));
	str_fini(&key);
	params_json(&c->p, i, one);
	if (error)
		json_text(one, "time", error);
	else
		json_number(one, "time", r->median_ns / 1e6);
	json_samples(one, "times", r);
	json_number(one, "compile_time", 0);
	json_number(one, "verification_time", 0);
	json_number(one, "benchmark_time", sum_ms(r));
	json_number(one, "strategy_time", 0);
	json_number(one, "framework_time", 0);
	json_time(one, "timestamp", r->time);
}

void
format_kernel_tuner(Arena *a, const LogGroup *g, Str *out)
{
	Configs c = collect(a, g);
	Json *top = json_object(NULL, NULL), *keys, *params, *cache;

	json_text(top, "device_name", g->row[0].key.device);
	json_text(top, "kernel_name", arena_printf(a, "task_%.8s", g->row[0].key.task));
	json_text(top, "problem_size", g->problem);
	keys = json_array(top, "tune_params_keys");
	params = json_object(top, "tune_params");
	for (int i = 0; i < c.p.name.n; i++) {
		json_text(keys, NULL, c.p.name.v[i].name);
		kt_values(params, &c, i);
	}
	json_text(top, "objective", "time");
	json_about(top, g);
	cache = json_object(top, "cache");
	for (int i = 0; i < c.row.n; i++)
		kt_config(cache, &c, i);
	print(top, out);
}
