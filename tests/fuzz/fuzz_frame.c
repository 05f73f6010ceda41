/* Frames from a stranger and from a known client: scan, decode, and what was decoded encodes to
 * something that decodes to the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"
#include "wire/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode_again(const Message *m)
{
	Bytes one = {0}, two = {0};
	Message back;

	if (message_encode(&one, (MessageKind)m->kind, m->id, (Method)m->method, &m->u, NULL))
		return; /* larger than a frame once written in full */
	if (message_decode(one.p + FRAME_HEAD, one.n - FRAME_HEAD, &scan_later, &back, NULL))
		abort();
	if (message_encode(&two, (MessageKind)m->kind, m->id, (Method)m->method, &back.u, NULL) ||
	    one.n != two.n || memcmp(one.p, two.p, one.n))
		abort();
	message_fini(&back);
	bytes_fini(&one);
	bytes_fini(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ScanLimits *limits[] = {&scan_first, &scan_later};

	for (int i = 0; i < 2; i++) {
		Err e = {0};
		Message m;

		if (message_decode(data, size, limits[i], &m, &e) == OK) {
			if (schema_weight(schema_of(m.kind, m.method), &m.u) >
			    DECODE_TIMES * size + DECODE_MORE)
				abort();
			encode_again(&m);
			message_fini(&m);
		}
	}
	return 0;
}
