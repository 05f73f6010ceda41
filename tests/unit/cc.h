/* Compiles C at test time into an image: a shared object that imports nothing, unless the source
 * or the flags see to it that it does. */
#ifndef TESTS_UNIT_CC_H
#define TESTS_UNIT_CC_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* HONE_TEST_CC is the compiler that built the test. The caller frees *image. */
static inline bool
cc_image(const char *source, const char *flags, char **image, size_t *size)
{
	char dir[] = "/tmp/hone-test-XXXXXX";
	Str c = {0}, so = {0}, command = {0};
	bool done;

	if (!mkdtemp(dir))
		return false;
	str_printf(&c, "%s/k.c", dir);
	str_printf(&so, "%s/k.so", dir);
	str_printf(&command,
		   "%s -O1 -fPIC -shared -nostdlib -ffreestanding -fno-stack-protector "
		   "-fvisibility=hidden %s -o %s %s",
		   HONE_TEST_CC, flags, so.s, c.s);
	done = file_write(c.s, source, strlen(source), NULL) == OK && system(command.s) == 0 &&
	       file_read(so.s, 1 << 24, image, size, NULL) == OK;
	unlink(c.s);
	unlink(so.s);
	rmdir(dir);
	str_fini(&c);
	str_fini(&so);
	str_fini(&command);
	return done;
}

#define EXPORT "__attribute__((visibility(\"default\"))) "

#endif
