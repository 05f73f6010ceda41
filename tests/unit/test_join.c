/* codegen/join: images made without a linker run, what needs one is left to it, and damaged objects
 * do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/image.h"
#include "base/rng.h"
#include "codegen/join.h"
#include "tests/unit/cc.h"

enum { OBJECTS = 2, CHANGES = 4000 };

#define OBJECT_FLAGS "-c -fcf-protection=none "

static const char *const parts[OBJECTS] = {
	EXPORT "int twice(int x);\n"
	       "static const int table[64] __attribute__((aligned(64))) = {1, 2, 3};\n" EXPORT
	       "int first(int x) { return twice(table[x & 63]) + 1; }\n",
	"static const int table[3] = {5, 6, 7};\n" EXPORT "int twice(int x);\n" EXPORT
	"int second(int x) { return twice(table[x % 3]); }\n" EXPORT
	"int twice(int x) { return x * 2; }\n",
};

typedef struct Objects {
	char *bytes[OBJECTS];
	LinkInput in[OBJECTS];
} Objects;

static void
make_objects(Objects *o)
{
	for (int i = 0; i < OBJECTS; i++) {
		assert_true(cc_image(parts[i], OBJECT_FLAGS, &o->bytes[i], &o->in[i].size));
		o->in[i].bytes = o->bytes[i];
	}
}

static void
free_objects(Objects *o)
{
	for (int i = 0; i < OBJECTS; i++)
		free(o->bytes[i]);
}

static int
call(const Image *image, const char *name, int x)
{
	void *p = image_symbol(image, name);
	int (*f)(int);

	assert_non_null(p);
	memcpy(&f, &p, sizeof f); /* ISO C converts no object pointer to a function's */
	return f(x);
}

static void
an_image_of_several_objects_runs(void **state)
{
	Arena *a = arena_new();
	const void *bytes;
	size_t size;
	Objects o;
	Image *image;
	Err e = {0};

	(void)state;
	make_objects(&o);
	assert_int_equal(join_objects(o.in, OBJECTS, a, &bytes, &size), OK);
	free_objects(&o);
	if (image_open(bytes, size, &image, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(call(image, "first", 2), 7);
	assert_int_equal(call(image, "second", 1), 12);
	assert_int_equal(call(image, "twice", 21), 42);
	assert_null(image_symbol(image, "table"));
	image_close(image);
	arena_free(a);
}

static void
a_joined_image_is_the_same_every_time(void **state)
{
	Arena *a = arena_new();
	const void *bytes[2];
	size_t size[2];
	Objects o;

	(void)state;
	make_objects(&o);
	for (int i = 0; i < 2; i++)
		assert_int_equal(join_objects(o.in, OBJECTS, a, &bytes[i], &size[i]), OK);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(bytes[0], bytes[1], size[0]);
	free_objects(&o);
	arena_free(a);
}

/* n objects of the source: a linker is needed, or has to say what is wrong. */
static void
left_to_the_linker(const char *source, const char *flags, int n)
{
	Arena *a = arena_new();
	LinkInput in[2];
	const void *bytes;
	char *object;
	size_t size;

	assert_true(cc_image(source, flags, &object, &size));
	in[0] = in[1] = (LinkInput){object, size};
	if (join_objects(in, n, a, &bytes, &size) != NOT_APPLICABLE)
		fail_msg("joined: %s", source);
	free(object);
	arena_free(a);
}

static void
what_needs_a_linker_is_left_to_it(void **state)
{
	(void)state;
	left_to_the_linker("int x = 3; " EXPORT "int *k(void) { return &x; }", OBJECT_FLAGS, 1);
	left_to_the_linker("int f(void); " EXPORT "int k(void) { return f(); }", OBJECT_FLAGS, 1);
	left_to_the_linker(EXPORT "int k(void) { return 1; }", OBJECT_FLAGS, 2);
	left_to_the_linker("__attribute__((weak)) int k(void) { return 1; }", OBJECT_FLAGS, 1);
	left_to_the_linker("static _Thread_local int x; " EXPORT "int *k(void) { return &x; }",
			   OBJECT_FLAGS, 1);
	left_to_the_linker("extern int x; " EXPORT "int *k(void) { return &x; }", OBJECT_FLAGS, 1);
	left_to_the_linker(EXPORT "int k(void) { return 1; }", "", 1); /* is no object */
}

static void
the_linker_takes_what_is_left_to_it(void **state)
{
	static const char source[] = "static int count; " EXPORT "int k(void) { return ++count; }";
	Arena *a = arena_new();
	LinkInput in;
	const void *bytes;
	char *object;
	size_t size;
	Err e = {0};

	(void)state;
	assert_true(cc_image(source, OBJECT_FLAGS, &object, &in.size));
	in.bytes = object;
	if (link_objects(&in, 1, LINK_IMAGE, a, &bytes, &size, &e))
		fail_msg("%s", e.msg);
	free(object);
	arena_free(a);
}

/* Any byte may be another one, and any end missing. */
static void
damaged_objects_do_no_harm(void **state)
{
	const void *bytes;
	size_t size;
	Objects o;
	Rng r;

	(void)state;
	make_objects(&o);
	rng_init(&r, 1);
	for (int i = 0; i < CHANGES; i++) {
		Arena *a = arena_new();
		LinkInput in = o.in[1];
		char *copy;

		if (i % 2)
			in.size = rng_below(&r, in.size);
		copy = arena_copy(a, in.bytes, in.size);
		for (int k = 0; in.size && k < 2; k++)
			copy[rng_below(&r, in.size)] = (char)rng_below(&r, 256);
		in.bytes = copy;
		join_objects(&in, 1, a, &bytes, &size);
		arena_free(a);
	}
	free_objects(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_of_several_objects_runs),
		cmocka_unit_test(a_joined_image_is_the_same_every_time),
		cmocka_unit_test(what_needs_a_linker_is_left_to_it),
		cmocka_unit_test(the_linker_takes_what_is_left_to_it),
		cmocka_unit_test(damaged_objects_do_no_harm),
	};

#if !defined(__x86_64__)
	return 0; /* everything is left to the linker */
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
