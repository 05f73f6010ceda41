/* Frames of the protocol as a test reads and writes them on a socket, whatever their version. */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/message.h"

enum { FRAME_BYTES = 4096 };

typedef struct Frame {
	bool from_agent;
	MessageKind kind;
	uint32_t id;
	Method method;
	uint8_t bytes[FRAME_BYTES];
	size_t n;
} Frame;

/* A number of msgpack at p: its bytes and its value. */
static inline size_t
take_number(const uint8_t *p, uint32_t *v)
{
	size_t bytes = *p < 0x80 ? 0 : (size_t)1 << (*p - 0xcc);

	assert_true(*p < 0x80 || (*p >= 0xcc && *p <= 0xce));
	*v = *p < 0x80 ? *p : 0;
	for (size_t i = 1; i <= bytes; i++)
		*v = *v << 8 | p[i];
	return 1 + bytes;
}

/* [kind, id, method, ...]; returns where the id begins, and where it ends. */
static inline size_t
read_head(Frame *f, size_t *end)
{
	uint32_t kind, method;
	size_t at = FRAME_HEAD + 1, id;

	assert_int_equal(f->bytes[FRAME_HEAD], 0x94);
	at += take_number(f->bytes + at, &kind);
	id = at;
	at += take_number(f->bytes + at, &f->id);
	*end = at;
	take_number(f->bytes + at, &method);
	f->kind = (MessageKind)kind;
	f->method = (Method)method;
	return id;
}

static inline bool
read_all(int fd, uint8_t *p, size_t n)
{
	while (n) {
		struct pollfd f = {.fd = fd, .events = POLLIN};
		ssize_t got = poll(&f, 1, 20000) > 0 ? read(fd, p, n) : 0;

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static inline bool
read_frame(int fd, Frame *f)
{
	size_t end;

	if (!read_all(fd, f->bytes, FRAME_HEAD))
		return false;
	f->n = FRAME_HEAD + ((size_t)f->bytes[0] | (size_t)f->bytes[1] << 8);
	if (f->n > FRAME_BYTES || !read_all(fd, f->bytes + FRAME_HEAD, f->n - FRAME_HEAD))
		return false;
	read_head(f, &end);
	return true;
}

static inline void
send_bytes(int fd, const void *p, size_t n)
{
	if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		fail_msg("the other end is gone");
}

/* The frame with another id. */
static inline void
send_as(int fd, const Frame *f, uint32_t id)
{
	uint8_t bytes[FRAME_BYTES + 8];
	Frame copy = *f;
	size_t end, at = read_head(&copy, &end), n;

	assert_true(id < 0x80);
	memcpy(bytes, f->bytes, at);
	bytes[at] = (uint8_t)id;
	memcpy(bytes + at + 1, f->bytes + end, f->n - end);
	n = at + 1 + f->n - end - FRAME_HEAD;
	bytes[0] = (uint8_t)n;
	bytes[1] = (uint8_t)(n >> 8);
	send_bytes(fd, bytes, n + FRAME_HEAD);
}

static inline void
send_message(int fd, MessageKind kind, uint32_t id, Method method, const void *args)
{
	Bytes b = {0};

	assert_int_equal(message_encode(&b, kind, id, method, args, NULL), OK);
	send_bytes(fd, b.p, b.n);
	bytes_fini(&b);
}

#endif
