/* base: hashes, element types, text, arena, random fills. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dtype.h"
#include "base/err.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/median.h"
#include "base/rng.h"
#include "base/str.h"

static void
digests_round_trip(void **state)
{
	char text[DIGEST_TEXT], name[DIGEST_TEXT];
	Digest d = digest_of("abc", 3), back;

	(void)state;
	digest_print(&d, text);
	/* FIPS 180-2: SHA-256("abc") starts so */
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223");
	digest_name("abc", name);
	assert_string_equal(name, text);
	assert_true(digest_parse(text, &back));
	assert_true(digest_equal(&d, &back));
	assert_false(digest_parse("ba78", &back));
	text[3] = 'G';
	assert_false(digest_parse(text, &back));
}

static void
halves_round_to_nearest_even(void **state)
{
	(void)state;
	for (uint32_t h = 0; h < 0x10000; h++) {
		float f = half_to_float((uint16_t)h);

		if (!isnan(f))
			assert_int_equal(float_to_half(f), h);
		f = bf16_to_float((uint16_t)h);
		if (!isnan(f))
			assert_int_equal(float_to_bf16(f), h);
	}
	assert_int_equal(float_to_half(65520), 0x7c00);
	assert_int_equal(float_to_half(65519), 0x7bff);
	assert_int_equal(float_to_half(0x1.002p0f), 0x3c00); /* tie to even */
	assert_int_equal(float_to_half(0x1.006p0f), 0x3c02);
	assert_int_equal(float_to_half(0x1p-25f), 0);
	assert_int_equal(float_to_half(0x1.8p-25f), 1);
}

static void
elements_convert_like_casts(void **state)
{
	int8_t i8;
	uint64_t u64;
	int64_t i64;

	(void)state;
	dtype_put(DT_I8, &i8, 0, -3.9);
	assert_int_equal(i8, -3);
	dtype_put(DT_I8, &i8, 0, 300);
	assert_int_equal(i8, 127);
	dtype_put(DT_U64, &u64, 0, 0x1p64);
	assert_true(u64 == UINT64_MAX);
	dtype_put(DT_I64, &i64, 0, NAN);
	assert_int_equal(i64, 0);
}

static void
floats_print_shortest(void **state)
{
	Str s = {0};

	(void)state;
	str_float(&s, 0.1f);
	str_add(&s, " ");
	str_float(&s, 3);
	str_add(&s, " ");
	str_float(&s, -INFINITY);
	str_add(&s, " ");
	str_double(&s, 1.0 / 3);
	assert_string_equal(s.s, "0.1 3 -inf 0.3333333333333333");
	str_fini(&s);
}

/* What a shell reads back as one word. */
static void
quoted_words_stay_one(void **state)
{
	Str s = {0};

	(void)state;
	str_quoted(&s, "it's $HOME");
	str_add(&s, " ");
	str_quoted(&s, "");
	str_add(&s, " ");
	str_quoted(&s, "''");
	assert_string_equal(str_get(&s), "'it'\\''s $HOME' '' ''\\'''\\'''");
	str_fini(&s);
}

static void
arena_gives_zeroed_aligned_memory(void **state)
{
	Arena *a = arena_new();
	VEC(int) v = {0};

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t n = 1; n < 3000000; n = n * 3 + 1) {
			unsigned char *p = arena_alloc(a, n);

			assert_int_equal((uintptr_t)p % (n >= 1024 ? 64 : 16), 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xff, n);
		}
		arena_reset(a);
	}
	for (int i = 0; i < 1000; i++)
		vec_push(a, &v, i);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i);
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	arena_free(a);
}

static void
first_error_is_kept(void **state)
{
	Err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "bad %s", "shape"), ERR_INPUT);
	assert_int_equal(err_set(&e, ERR_INTERNAL, "later"), ERR_INPUT);
	err_prefix(&e, "m.onnx: ");
	assert_string_equal(e.msg, "m.onnx: bad shape");
	assert_int_equal(err_exit_code(e.code), 2);
	assert_int_equal(err_exit_code(-999), 5);
}

static void
random_fill_is_repeatable_and_in_range(void **state)
{
	float a[1000], b[1000];
	uint8_t u[1000];

	(void)state;
	rng_fill(DT_F32, a, 1000, 42, -1, 1);
	rng_fill(DT_F32, b, 1000, 42, -1, 1);
	assert_memory_equal(a, b, sizeof a);
	rng_fill(DT_F32, b, 1000, 43, -1, 1);
	assert_memory_not_equal(a, b, sizeof a);
	rng_fill(DT_U8, u, 1000, 1, 3, 7);
	for (int i = 0; i < 1000; i++) {
		assert_true(a[i] >= -1 && a[i] <= 1);
		assert_true(u[i] >= 3 && u[i] <= 7);
	}
}

static void
files_round_trip(void **state)
{
	char path[] = "/tmp/hone_test_XXXXXX", *data, name[64];
	size_t size;
	Err e = {0};

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof name, "%s/a/b", path);
	assert_int_equal(dir_make(name, &e), OK);
	strcat(name, "/f");
	assert_int_equal(file_write(name, "xyz", 3, &e), OK);
	assert_int_equal(file_read(name, 100, &data, &size, &e), OK);
	assert_int_equal(size, 3);
	assert_string_equal(data, "xyz");
	free(data);
	assert_int_equal(file_read(name, 2, &data, &size, &e), ERR_IO);
	assert_int_equal(file_read("/nonexistent", 2, &data, &size, NULL), ERR_IO);
	e = (Err){0};
	assert_int_equal(text_read(name, 100, &data, &e), OK);
	assert_string_equal(data, "xyz");
	free(data);
	assert_int_equal(file_write(name, "x\0z", 3, &e), OK);
	assert_int_equal(text_read(name, 100, &data, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "/a/b/f: a zero byte"));
	remove(name);
	snprintf(name, sizeof name, "%s/a/b", path);
	remove(name);
	snprintf(name, sizeof name, "%s/a", path);
	remove(name);
	remove(path);
}

/* What stands at the path stays what it is. */
static void
devices_and_links_are_written_in_place(void **state)
{
	char dir[] = "/tmp/hone_test_XXXXXX", file[64], name[64], *data;
	struct stat st;
	size_t size;
	Err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/file", dir);
	snprintf(name, sizeof name, "%s/link", dir);
	assert_int_equal(symlink("file", name), 0);
	assert_int_equal(file_write(file, "before", 6, &e), OK);
	assert_int_equal(file_write(name, "xyz", 3, &e), OK);
	assert_int_equal(file_read(file, 100, &data, &size, &e), OK);
	assert_int_equal(size, 3);
	free(data);
	assert_true(lstat(name, &st) == 0 && S_ISLNK(st.st_mode));
	unlink(name);
	assert_int_equal(symlink("/dev/full", name), 0);
	assert_int_equal(file_write(name, "xyz", 3, &e), ERR_IO);
	assert_non_null(strstr(e.msg, strerror(ENOSPC)));
	unlink(name);
	unlink(file);
	rmdir(dir);
}

static void
times_are_dates_where_there_are_any(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_text(text, "%Y-%m-%d %H:%M", 1700000000), "2023-11-14 22:13");
	assert_string_equal(clock_text(text, "%Y-%m-%d", 0), "1970-01-01");
	assert_string_equal(clock_text(text, "%Y-%m-%d", INT64_MAX), "-");
	assert_string_equal(clock_text(text, "%Y-%m-%d", INT64_MIN), "-");
}

static void
medians_lie_in_the_middle(void **state)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {7};

	(void)state;
	assert_true(median_sorting(odd, 3) == 2 && odd[0] == 1 && odd[2] == 3);
	assert_true(median_sorting(even, 4) == 2.5);
	assert_true(median_sorting(one, 1) == 7);
	assert_true(median_sorting(one, 0) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_round_trip),
		cmocka_unit_test(devices_and_links_are_written_in_place),
		cmocka_unit_test(halves_round_to_nearest_even),
		cmocka_unit_test(elements_convert_like_casts),
		cmocka_unit_test(floats_print_shortest),
		cmocka_unit_test(quoted_words_stay_one),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(first_error_is_kept),
		cmocka_unit_test(random_fill_is_repeatable_and_in_range),
		cmocka_unit_test(files_round_trip),
		cmocka_unit_test(times_are_dates_where_there_are_any),
		cmocka_unit_test(medians_lie_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
