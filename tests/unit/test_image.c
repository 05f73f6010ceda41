/* base/image: what is accepted runs, what is refused is named, and damaged files never do harm. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/image.h"
#include "base/rng.h"
#include "tests/unit/cc.h"

static const char good[] =
	"static const float table[64] = {1, 2, 3};\n"
	"static float add(float a) { return a + 1; }\n"
	"static float mul(float a) { return a * 2; }\n"
	"float (*const volatile ops[])(float) = {add, mul};\n" /* needs relocations */
	"static int count;\n"                                  /* zeroed memory */
	EXPORT "int k(const float *x, float *y, int n)\n"
	"{ for (int i = 0; i < n; i++) y[i] = ops[i & 1](x[i]) + table[i];\n"
	"  return ++count; }\n" EXPORT "int other(void) { return 42; }\n" EXPORT
	"int answer = 7;\n";

typedef int Kernel(const float *x, float *y, int n);

/* ISO C has no conversion from object to function pointers. */
static Kernel *
kernel(const Image *i, const char *name)
{
	void *p = image_symbol(i, name);
	Kernel *k;

	memcpy(&k, &p, sizeof k);
	return k;
}

static void
images_run(const char *flags)
{
	float x[3] = {10, 20, 30}, y[3];
	char *bytes;
	size_t size, span;
	Err e = {0};
	Image *i;
	Kernel *k;

	assert_true(cc_image(good, flags, &bytes, &size));
	if (image_open(bytes, size, &i, &e))
		fail_msg("%s", e.msg);
	memset(bytes, 0, size); /* the image does not need them any more */
	free(bytes);
	k = kernel(i, "k");
	assert_non_null(k);
	assert_int_equal(k(x, y, 3), 1);
	assert_int_equal(k(x, y, 3), 2);
	assert_true(y[0] == 12 && y[1] == 42 && y[2] == 34);
	assert_int_equal(((int (*)(void))(uintptr_t)kernel(i, "other"))(), 42);
	assert_int_equal(*(int *)image_symbol(i, "answer"), 7);
	assert_null(image_symbol(i, "add"));
	assert_null(image_symbol(i, ""));
	assert_true((const char *)image_symbol(i, "k") > (const char *)image_base(i, &span));
	assert_true(span > 0);
	image_close(i);
}

static void
both_hash_styles_are_read(void **state)
{
	(void)state;
	images_run("-Wl,--hash-style=gnu");
	images_run("-Wl,--hash-style=sysv");
	images_run("-Wl,--hash-style=both -Wl,-z,separate-code -Wl,-z,max-page-size=65536");
	images_run("-fuse-ld=lld -B" HONE_TEST_LLD_DIR);
}

static void
refused(const char *source, const char *flags, const char *why)
{
	char *bytes;
	size_t size;
	Err e = {0};
	Image *i = (Image *)1;

	assert_true(cc_image(source, flags, &bytes, &size));
	if (image_open(bytes, size, &i, &e) == OK)
		fail_msg("accepted, expected: %s", why);
	assert_null(i);
	if (!strstr(e.msg, why))
		fail_msg("'%s', expected: %s", e.msg, why);
	free(bytes);
}

static void
what_is_not_needed_is_refused_by_name(void **state)
{
	(void)state;
	refused("float sinf(float); " EXPORT "float k(float x) { return sinf(x); }", "",
		"imports 'sinf'");
	refused("extern int x; " EXPORT "int *k(void) { return &x; }", "", "imports 'x'");
	refused(EXPORT "int k(void) { return 0; }", "-Wl,--no-as-needed -lm", "another library");
	refused("static volatile int v; __attribute__((constructor)) static void c(void) { v = 1; "
		"} " EXPORT "int k(void) { return 0; }",
		"", "constructor");
	refused("static volatile int v; __attribute__((destructor)) static void c(void) { v = 1; "
		"} " EXPORT "int k(void) { return 0; }",
		"", "destructor");
	refused("static int f(void) { return 1; } static void *r(void) { return (void *)f; "
		"} " EXPORT "int k(void) __attribute__((ifunc(\"r\")));",
		"", "indirect function 'k'");
	refused(EXPORT "int g(void) { return 1; } " EXPORT "int k(void) { return g(); }",
		"-O0 -fsemantic-interposition", "procedure linkage");
	refused(EXPORT "int k(void) { return 0; }", "-Wl,-N", "writable and executable");
	refused(EXPORT "int v; " EXPORT "int *p = &v;", "", "relocation of type");
}

static void
thread_local_storage_is_refused(void **state)
{
	(void)state;
	refused("static __thread int t; " EXPORT "int k(void) { return ++t; }",
		"-ftls-model=initial-exec", "thread-local");
}

static int
open_bytes(const void *bytes, size_t size)
{
	/* a copy of exactly that size, so that a sanitizer sees a read beyond it */
	void *copy = malloc(size ? size : 1);
	Image *i;
	int rc;

	memcpy(copy, bytes, size);
	rc = image_open(copy, size, &i, NULL);
	free(copy);
	if (rc == OK) {
		image_symbol(i, "k");
		image_symbol(i, "nothing of the kind");
		image_close(i);
	}
	return rc;
}

static void
foreign_files_are_refused(void **state)
{
	Elf64_Ehdr h;
	char *bytes;
	size_t size;
	Err e = {0};
	Image *i;

	(void)state;
	assert_true(cc_image(good, "", &bytes, &size));
	assert_int_equal(open_bytes("", 0), ERR_INPUT);
	assert_int_equal(open_bytes("MZ this is no ELF", 17), ERR_INPUT);
	memcpy(&h, bytes, sizeof h);
	h.e_machine = EM_SPARC;
	memcpy(bytes, &h, sizeof h);
	assert_int_equal(image_open(bytes, size, &i, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "machine 2,"));
	free(bytes);
}

static void
damaged_files_are_survived(void **state)
{
	char *bytes, *copy;
	int accepted = 0;
	size_t size;
	Rng r;

	(void)state;
	assert_true(cc_image(good, "", &bytes, &size));
	for (size_t n = 0; n < size; n += 1 + n / 64)
		open_bytes(bytes, n);
	copy = malloc(size);
	rng_init(&r, 11);
	for (int round = 0; round < 20000; round++) {
		/* mostly headers, hash, symbols, dynamic section: where the offsets are */
		size_t range = rng_below(&r, 4) ? 0x500 : size;

		memcpy(copy, bytes, size);
		for (uint64_t n = 1 + rng_below(&r, 4); n--;) {
			size_t at = rng_below(&r, range);

			copy[at] = rng_below(&r, 2) ? (char)rng_next(&r)
						    : (char)(copy[at] ^ 1 << rng_below(&r, 8));
		}
		accepted += open_bytes(copy, size) == OK;
	}
	assert_true(accepted > 100 && accepted < 19900);
	free(copy);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_hash_styles_are_read),
		cmocka_unit_test(what_is_not_needed_is_refused_by_name),
		cmocka_unit_test(thread_local_storage_is_refused),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(damaged_files_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
