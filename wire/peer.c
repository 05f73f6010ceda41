/* Frames in and out. The input holds at most one incomplete frame plus what one feed added. */
#include "wire/peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
peer_init(Peer *p, size_t out_max, uint64_t now)
{
	*p = (Peer){.out_max = out_max, .limits = &scan_first, .heard = now, .said = now};
}

void
peer_fini(Peer *p)
{
	bytes_fini(&p->in);
	bytes_fini(&p->out);
}

void
peer_close(Peer *p, bool say, const char *fmt, ...)
{
	Bye bye = {p->why};
	va_list ap;

	if (p->closed)
		return;
	va_start(ap, fmt);
	vsnprintf(p->why, sizeof p->why, fmt, ap);
	va_end(ap);
	if (say) /* best effort: the connection ends either way */
		message_encode(&p->out, MESSAGE_EVENT, 0, METHOD_BYE, &bye, NULL);
	p->closed = true;
}

void
peer_feed(Peer *p, const void *data, size_t n, uint64_t now)
{
	if (p->closed)
		return;
	p->heard = now;
	bytes_drop(&p->in, p->in_at);
	p->in_at = 0;
	if (!bytes_add(&p->in, data, n))
		peer_close(p, false, "out of memory");
}

/* Body of the next complete frame, or NULL. */
static const uint8_t *
next_body(Peer *p, size_t *size)
{
	size_t have = p->in.n - p->in_at;
	const uint8_t *head;

	if (have < FRAME_HEAD)
		return NULL;
	head = p->in.p + p->in_at;
	*size = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
		(size_t)head[3] << 24;
	if (*size > p->limits->bytes) {
		peer_close(p, true, "frame of %zu bytes, at most %u", *size, p->limits->bytes);
		return NULL;
	}
	if (have - FRAME_HEAD < *size)
		return NULL;
	p->in_at += FRAME_HEAD + *size;
	return head + FRAME_HEAD;
}

static void
answer_unknown(Peer *p, const Message *m, uint64_t now)
{
	char text[64];
	Failure f = {-ERR_UNSUPPORTED, text};

	snprintf(text, sizeof text, "method %u is not known", m->method);
	if (m->kind == MESSAGE_REQUEST)
		peer_send(p, MESSAGE_FAILURE, m->id, (Method)m->method, &f, now, NULL);
}

int
peer_next(Peer *p, Message *m, uint64_t now)
{
	while (!p->closed) {
		Err e = {0};
		size_t size;
		const uint8_t *body = next_body(p, &size);
		int rc;

		if (!body)
			return NOT_APPLICABLE;
		rc = message_decode(body, size, p->limits, m, &e);
		if (rc == OK)
			return OK;
		if (rc == NOT_APPLICABLE)
			answer_unknown(p, m, now);
		else
			peer_close(p, true, "%.200s", e.msg);
	}
	return NOT_APPLICABLE;
}

int
peer_send(Peer *p, MessageKind kind, uint32_t id, Method method, const void *args, uint64_t now,
	  Err *e)
{
	size_t unsent = p->out.n - p->out_at, before = p->out.n;
	int rc;

	if (p->closed)
		return err_set(e, ERR_DEVICE, "connection closed: %s", p->why);
	rc = message_encode(&p->out, kind, id, method, args, e);
	if (rc)
		return rc;
	if (unsent + (p->out.n - before) > p->out_max) {
		p->out.n = before;
		peer_close(p, false, "output is not read (%zu bytes wait)", unsent);
		return err_set(e, ERR_DEVICE, "connection closed: %s", p->why);
	}
	p->said = now;
	return OK;
}

size_t
peer_output(const Peer *p, const uint8_t **data)
{
	*data = p->out.p + p->out_at;
	return p->out.n - p->out_at;
}

void
peer_sent(Peer *p, size_t n)
{
	p->out_at += n;
	if (p->out_at == p->out.n || p->out_at > FRAME_MAX) {
		bytes_drop(&p->out, p->out_at);
		p->out_at = 0;
	}
}
