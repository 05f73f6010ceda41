/* report: thinning, the numbers of a small log, and hostile texts in one. */
#include <math.h>

#include "report/charts.h"
#include "report/parts.h"
#include "report/svg.h"
#include "tests/unit/log_case.h"

static const char hostile[] =
	"<script>alert('x')</script>\" onload=\"`&\x01\x7f\xff\xc3(\xed\xa0\x80"
	"\xe2\x80\xae\xc2\x85</title></svg>";

/* --- parts of the model --- */

static void
see(void *self, ChoiceKind kind, const char *value)
{
	Str *s = self;

	str_printf(s, "%s=%s\n", choice_text(kind), value);
}

static void
choices_are_read_from_text(void **state)
{
	Str s = {0};

	(void)state;
	choices_of("winograd4\nfuse ty:14\ninline\nnest vec=c c:16 ty:1 tx:1\n"
		   "nest vec=k pf k:64 a:1 b:1 ty:2 tx:3 | c:4\ninline\n",
		   see, &s);
	assert_string_equal(str_get(&s), "algorithm=winograd4\nstages share loops=yes\n"
					 "lanes along=k\nloop order=k a b ty tx | c\nprefetch=yes\n"
					 "peeled edges=no\nterms share a vector (dot)=no\n"
					 "accumulators that take turns=1\n"
					 "register tile: lanes, rest=64 x 6\n"
					 "reduction unrolled=4\n");
	for (const char *const *bad =
		     (const char *const[]){"", "\n\n", "x\nnest\n", "x\nnest |||",
					   "nest a:\nnest :5 a:-3 b:99999999999999", hostile, NULL};
	     *bad; bad++)
		choices_of(*bad, see, &s);
	str_fini(&s);
}

static void
reasons_without_numbers_are_one(void **state)
{
	Bench *b = *state;

	assert_string_equal(reason_general(b->a, "output 12 is 1.5, expected -3.25e7."),
			    "output N is N, expected -NeN.");
	assert_string_equal(reason_general(b->a, ""), "");
}

/* A clock of 100 GFLOPS but for one row in a thousand. */
static void
clocks_are_thinned(void **state)
{
	enum { N = 10000 };
	Bench *b = *state;
	LogRow *r = ARENA_ARRAY(b->a, LogRow, N);
	const LogRow **ref = ARENA_ARRAY(b->a, const LogRow *, N);
	ReportRun run = {.name = "1000-1", .began = 1000};
	ReportRuns runs = {.v = &run, .named = &run, .n = 1};
	ReportClock c = {0};
	double least = INFINITY;

	for (int i = 0; i < N; i++) {
		r[i] = row("direct\n", 1);
		r[i].session = "1000-1";
		r[i].time = 1000 + i / 10;
		r[i].calibration_before = 100;
		r[i].calibration_after = i % 1000 == 500 ? 40 + i / 1000 : 100;
		ref[i] = &r[i];
	}
	report_clock(&c, &runs, ref, N, b->a);
	assert_int_equal(c.rows, N);
	assert_int_equal(c.disturbed, 10);
	assert_int_equal(c.mark.n, 10);
	assert_int_equal(c.point.n, REPORT_DRIFT_POINTS);
	assert_true(c.median == 100);
	for (int i = 0; i < c.point.n; i++)
		least = fmin(least, c.point.v[i].least);
	assert_true(least == 40);
	for (int i = 0; i < N; i++)
		r[i].calibration_after = 50;
	c = (ReportClock){0};
	report_clock(&c, &runs, ref, N, b->a);
	assert_int_equal(c.disturbed, N);
	assert_int_equal(c.mark.n, REPORT_DRIFT_MARKS);
}

/* --- a whole log --- */

static const char task_text[] = "task\n in x f32[8,64]\n const w f32[64,32]\n out y f32[8,32]\n"
				" stage m:8 n:32 | k:64\n  acc f32 sum x[m,k] * w[k,n]\n"
				"  y[m,n] = acc\n";

#define TASK_A "00112233445566778899aabbccddeeff"
#define TASK_B "10112233445566778899aabbccddeeff"
#define BEGAN  1700000000

static LogRow
trial(const char *task, const char *sched, double ns, int64_t second)
{
	LogRow r = row(sched, ns);

	r.key.task = task;
	r.session = "1700000000-7";
	r.time = BEGAN + second;
	r.insecure = 0;
	r.sandbox = 2047;
	return r;
}

static void
add_race(Log *l, const char *task, const char *sched, double ns, const char *stage,
	 const char *reason)
{
	LogRow r = trial(task, sched, ns, 30);

	r.race = 1;
	r.stage = stage;
	r.reason = reason;
	added(l, &r);
}

static void
put(Log *l, const char *kind, const char *digest, const char *text)
{
	Err e = {0};

	if (log_put_text(l, kind, digest, text, &e))
		fail_msg("%s", e.msg);
}

/* Task A: untuned 1000, then 2000, 800, a crash, 500; a race of 900 against 600. Task B: one. */
static Log *
small_log(Bench *b)
{
	static const struct {
		const char *sched;
		double ns;
		const char *status, *stage;
	} list[] = {{"direct\nnest vec=n n:8 m:1 | k:1\n", 1000, "OK", "untuned"},
		    {"direct\nnest vec=n n:8 m:2 | k:1\n", 2000, "OK", "top"},
		    {"direct\nnest vec=n n:8 m:4 | k:1\n", 800, "OK", "top"},
		    {"direct\nnest vec=n n:8 m:8 | k:1\n", 0, "CRASH", "descent"},
		    {"direct\nnest vec=n pf n:16 m:4 | k:1\n", 500, "OK", "descent"},
		    {"direct\nnest vec=n n:32 m:8 | k:1\n", 0, "INFEASIBLE", "random"}};
	Log *l = opened(b);
	LogRow r;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		r = trial(TASK_A, list[i].sched, list[i].ns, 10 + (int64_t)i);
		r.status = list[i].status;
		r.stage = list[i].stage;
		r.reason = *r.status == 'O' ? "" : arena_printf(b->a, "at address %zu", i + 400);
		r.nsample = *r.status == 'O' ? 4 : 0;
		added(l, &r);
	}
	add_race(l, TASK_A, list[0].sched, 900 / 1.1, "race",
		 "1.0000 of the untuned time, 95 % interval 1.0000 to 1.0000");
	add_race(l, TASK_A, list[4].sched, 600 / 1.1, "winner",
		 "0.6667 of the untuned time, 95 % interval 0.6000 to 0.7000");
	r = trial(TASK_B, hostile, 70, 20);
	r.stage = "untuned";
	added(l, &r);
	r.status = LOG_STALE;
	r.reason = hostile;
	added(l, &r);
	put(l, "task", TASK_A, task_text);
	put(l, LOG_TEXT_CALIBRATION, "1700000000-7",
	    "fma_gflops=100 l1_gbs=400 l2_gbs=200 dram_gbs=20");
	return l;
}

static Report
built(Log *l, Bench *b, const ReportOptions *opt)
{
	Report r;
	Err e = {0};

	if (report_build(l, b->a, opt, &r, &e))
		fail_msg("%s", e.msg);
	return r;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fabs(b);
}

static void
assert_task_a(const ReportTask *t)
{
	assert_string_equal(t->task, TASK_A);
	assert_string_equal(t->label, "m:8 n:32 | k:64");
	assert_int_equal(t->measured, 5);
	assert_int_equal(t->ok, 4);
	assert_true(near(t->untuned_ns, 900));
	assert_true(near(t->best_ns, 600));
	assert_true(near(t->ratio.ratio, 0.6667) && near(t->ratio.hi, 0.7));
	assert_int_equal(t->curve.n, 3);
	assert_true(t->curve.v[1].trials == 3 && t->curve.v[1].ns == 800);
	assert_true(t->curve.v[2].trials == 5 && t->curve.v[2].seconds == 14);
	assert_true(t->first.trials == 1 && t->first.ns == 1000);
	assert_true(t->found.trials == 5 && t->found.ns == 500);
	assert_true(t->last.trials == 5);
	assert_true(t->flops == 2 * 8 * 32 * 64);
	assert_true(t->bytes == 4 * (8 * 64 + 64 * 32 + 8 * 32));
	assert_true(near(t->floor_ns, t->flops / 100.375)); /* of the rows' own calibrations */
}

static void
numbers_of_a_small_log(void **state)
{
	Bench *b = *state;
	Log *l = small_log(b);
	Report r = built(l, b, &(ReportOptions){.name = "t.db"});
	const ReportSection *s = &r.section.v[0];

	assert_int_equal(r.section.n, 1);
	assert_int_equal(s->ntask, 2);
	assert_task_a(&s->task[0]);
	assert_string_equal(s->model, "");
	assert_int_equal(s->rows, 10);
	assert_int_equal(s->measured, 6);
	assert_int_equal(s->right, 5);
	assert_int_equal(s->stale, 1);
	assert_int_equal(s->insecure, 0);
	assert_int_equal(s->unboxed, 0);
	assert_string_equal(s->lacking, "");
	assert_true(near(s->untuned_ns, 970) && near(s->best_ns, 670));
	assert_true(s->fma_gflops == 100 && s->dram_gbs == 20);
	assert_int_equal(s->winners, 1);
	assert_int_equal(s->failure.n, 3);
	assert_string_equal(s->failure.v[0].status, "CRASH");
	assert_string_equal(s->failure.v[0].reason, "at address 403");
	assert_true(s->seconds == 30);
	assert_true(near(s->curve.v[0].ns, 1070) && near(s->curve.v[s->curve.n - 1].ns, 570));
	log_close(l);
}

/* What two boards did in a run took one time, of which the run says where it went. */
static void
boards_of_a_run_share_its_time(void **state)
{
	static const struct {
		const char *session;
		int64_t second;
	} list[] = {{"1700000000-7.1", 10},
		    {"1700000000-7.2", 12},
		    {"1700000000-7.1", 20},
		    {"1700000000-7.2", 18},
		    {"1700000100-7", 130}};
	Bench *b = *state;
	Log *l = opened(b);
	const ReportSection *s;
	Report r;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		LogRow one = trial(TASK_A, arena_printf(b->a, "%zu\n", i), 500 - (double)i,
				   list[i].second);

		one.session = list[i].session;
		added(l, &one);
	}
	put(l, LOG_TEXT_STATS, "1700000000-7", "trials=4 seconds=20.5 build=8");
	r = built(l, b, &(ReportOptions){0});
	s = &r.section.v[0];
	assert_int_equal(s->session.n, 3);
	assert_true(s->seconds == 20 + 30);
	assert_int_equal(s->costed, 2);
	assert_true(s->cost_seconds == 20.5);
	assert_true(s->task[0].curve.v[1].seconds == 12);
	assert_int_equal(s->task[0].curve.n, 4);
	assert_true(s->task[0].curve.v[3].seconds == 20 + 30);
	log_close(l);
}

static void
sections_are_models(void **state)
{
	Bench *b = *state;
	Log *l = small_log(b);
	Session m = {.graph = "0123456789", .model = hostile};
	SessionTask one = {TASK_A, key().form, "MatMul 8x32", 3}, gone = {TASK_A, "77", "Gone", 1};
	Str text = {0};
	LogRow other = trial(TASK_B, "direct\n", 90, 40);
	Report r;
	Err e = {0};

	vec_push(b->a, &m.task, one);
	vec_push(b->a, &m.task, gone);
	session_print(&m, &text);
	put(l, LOG_TEXT_SESSION, "1700000000-7", str_get(&text));
	other.key.device = "emulated Cortex-A53";
	added(l, &other);
	r = built(l, b, &(ReportOptions){.name = "t.db"});
	assert_int_equal(r.section.n, 3); /* the model, the rest, the other machine */
	assert_string_equal(r.section.v[0].model, hostile);
	assert_int_equal(r.section.v[0].absent, 1);
	assert_int_equal(r.section.v[0].task[0].uses, 3);
	assert_true(near(r.section.v[0].best_ns, 1800));
	assert_true(r.section.v[2].emulated);
	r = built(l, b, &(ReportOptions){.graph = "01234"});
	assert_int_equal(r.section.n, 1);
	r = built(l, b, &(ReportOptions){.device = "A53"});
	assert_int_equal(r.section.n, 1);
	r = built(l, b, &(ReportOptions){.task = "1011"});
	assert_int_equal(r.section.v[0].ntask, 1);
	assert_int_equal(report_build(l, b->a, &(ReportOptions){.graph = "9"}, &r, &e), ERR_INPUT);
	e = (Err){0};
	assert_int_equal(report_build(l, b->a, &(ReportOptions){.device = "Z80"}, &r, &e),
			 ERR_INPUT);
	assert_non_null(strstr(e.msg, "Cortex-A53"));
	str_fini(&text);
	log_close(l);
}

static int
occurrences(const char *text, const char *of)
{
	int n = 0;

	for (; (text = strstr(text, of)); text++)
		n++;
	return n;
}

static void
assert_clean(const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++)
		assert_true(*s == '\n' || *s == '\t' || (*s >= 32 && *s != 127 && *s != 0xff));
}

/* Every text that a row or a session can bring is hostile. */
static void
pages_hold_hostile_texts(void **state)
{
	Bench *b = *state;
	Log *l = small_log(b);
	LogRow r = row(hostile, 50);
	Str page = {0}, text = {0}, session = {0};
	Session m = {.graph = hostile, .model = hostile};
	SessionTask one = {hostile, hostile, hostile, 3};
	Report report;

	r.key = (LogKey){hostile, hostile, hostile, hostile, hostile,
			 hostile, hostile, hostile, hostile};
	r.algorithm = r.generator = r.llvm = r.session = hostile;
	added(l, &r);
	r.status = r.reason = r.stage = hostile;
	added(l, &r);
	put(l, "task", hostile, hostile);
	put(l, LOG_TEXT_CALIBRATION, hostile, "fma_gflops=inf l1_gbs=<b> l2_gbs=1e999");
	vec_push(b->a, &m.task, one);
	session_print(&m, &session);
	put(l, LOG_TEXT_SESSION, hostile, str_get(&session));
	report = built(l, b, &(ReportOptions){.name = hostile});
	report_html(&report, &page);
	assert_int_equal(occurrences(str_get(&page), "<script"), 1);
	assert_int_equal(occurrences(str_get(&page), "</script"), 1);
	assert_int_equal(occurrences(str_get(&page), "\" onload"), 0);
	assert_int_equal(occurrences(str_get(&page), "http:"), 0);
	assert_int_equal(occurrences(str_get(&page), "https:"), 0);
	assert_clean(str_get(&page));
	report_terminal(&report, &(ReportTerminal){.width = 80}, &text);
	assert_clean(str_get(&text));
	str_fini(&page);
	str_fini(&text);
	str_fini(&session);
	log_close(l);
}

/* Of many tasks the last have no charts, and nothing leads to them. */
static void
links_lead_somewhere(void **state)
{
	enum { N = 310, CHARTS = 300 };
	Bench *b = *state;
	ReportTask *task = ARENA_ARRAY(b->a, ReportTask, N);
	ReportSection s = {.key = key(), .graph = "", .model = "", .lacking = ""};
	Report r = {.name = "t.db"};
	Str page = {0};

	for (int i = 0; i < N; i++)
		task[i] = (ReportTask){.label = "one",
				       .algorithm = "direct",
				       .sched = "direct\n",
				       .task = "00",
				       .form = "11",
				       .flops = 1e6,
				       .bytes = 1e3,
				       .untuned_ns = 900,
				       .best_ns = 500};
	s.task = task;
	s.ntask = N;
	vec_push(b->a, &r.section, s);
	report_html(&r, &page);
	assert_int_equal(occurrences(str_get(&page), "<details "), CHARTS);
	assert_int_equal(occurrences(str_get(&page), "<a href='#s0t"), 2 * CHARTS);
	assert_int_equal(occurrences(str_get(&page), "<a "), occurrences(str_get(&page), "</a>"));
	str_fini(&page);
}

/* Bytes that begin a character are columns. Fails the test if a line is wider, or if the text is
 * not there. */
static void
assert_width(const Report *r, int width, const char *there)
{
	Str text = {0};
	int column = 0;

	report_terminal(r, &(ReportTerminal){.width = width}, &text);
	assert_non_null(strstr(text.s, there));
	for (const char *s = text.s; *s; s++) {
		column = *s == '\n' ? 0 : column + ((*s & 0xc0) != 0x80);
		assert_true(column <= width);
	}
	str_fini(&text);
}

static void
terminals_keep_their_width(void **state)
{
	Bench *b = *state;
	Log *l = small_log(b);
	Report r = built(l, b, &(ReportOptions){.name = "t.db"});
	ReportTask *t = &r.section.v[0].task[0];

	assert_width(&r, 80, "1.50x");
	assert_width(&r, 100, "1.50x");
	t->floor_ns = 12.27 * t->best_ns;
	assert_width(&r, 80, " 12x ");
	t->floor_ns = 1e9 * t->best_ns;
	assert_width(&r, 80, " 999x ");
	log_close(l);
}

static void
a_log_without_rows_is_refused(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	Report r;
	Err e = {0};

	assert_int_equal(report_build(l, b->a, &(ReportOptions){0}, &r, &e), ERR_INPUT);
	assert_string_equal(e.msg, "no rows: nothing was measured yet");
	log_close(l);
}

static void
sessions_read_back(void **state)
{
	static const char *const odd[] = {"",
					  "{",
					  "[]",
					  "{}",
					  "{\"tasks\": 7}",
					  "{\"tasks\": [7, {\"uses\": -1}, {\"uses\": 1e300}]}"};
	Bench *b = *state;
	Session m = {.graph = "01", .model = "net \"x\""}, back;
	SessionTask one = {"aa", "bb", "Conv 1x2", 3};
	Str text = {0};
	Err e = {0};

	vec_push(b->a, &m.task, one);
	session_print(&m, &text);
	assert_int_equal(session_parse(str_get(&text), b->a, &back, &e), OK);
	assert_string_equal(back.model, m.model);
	assert_int_equal(back.task.n, 1);
	assert_int_equal(back.task.v[0].uses, 3);
	assert_string_equal(back.task.v[0].label, "Conv 1x2");
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		e = (Err){0};
		if (session_parse(odd[i], b->a, &back, &e) == OK)
			for (int k = 0; k < back.task.n; k++)
				assert_int_equal(back.task.v[k].uses, 0);
	}
	str_fini(&text);
}

static void
race_texts_read_back(void **state)
{
	RaceRatio q = {0.9123, 0.8, 1.25}, back = {0};
	char text[RACE_TEXT];

	(void)state;
	race_text(&q, text);
	assert_true(race_read(text, &back));
	assert_true(back.ratio == 0.9123 && back.lo == 0.8 && back.hi == 1.25);
	assert_false(race_read("", &back));
	assert_false(race_read("0.5 of the untuned time, 95 % interval nan to inf", &back));
	assert_false(race_read("-1 of the untuned time, 95 % interval 1 to 2", &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_are_read_from_text),
		cmocka_unit_test(race_texts_read_back),
		cmocka_unit_test_setup_teardown(reasons_without_numbers_are_one, setup, teardown),
		cmocka_unit_test_setup_teardown(clocks_are_thinned, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_of_a_small_log, setup, teardown),
		cmocka_unit_test_setup_teardown(boards_of_a_run_share_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(sections_are_models, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_hold_hostile_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(links_lead_somewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(terminals_keep_their_width, setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_without_rows_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(sessions_read_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
