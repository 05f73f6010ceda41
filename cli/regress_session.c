/* From the command line to a suite and the boards that measure it. */
#include "cli/regress_session.h"

#include "cli/interrupt.h"
#include "cli/plain.h"
#include "tuner/boards.h"

enum { RECONNECT_S = 30, BUDGET_S = 300 };

int
regress_options(const Args *a, RegressPolicy *policy, CompareOptions *opt, Err *e)
{
	const char *path = args_text(a, "policy", NULL);

	regress_policy_init(policy);
	*opt = (CompareOptions){.policy = policy,
				.budget_s = args_seconds(a, "budget", BUDGET_S),
				.seed = (uint64_t)args_integer(a, "seed", 0),
				.kernel = args_text(a, "kernel", NULL),
				.stop = interrupt_came,
				.progress = plain_tell};
	return path ? regress_policy_read(path, a->arena, policy, e) : OK;
}

int
regress_session_model(RegressSession *s, const Args *a, Err *e)
{
	int rc = model_open(&s->model, a->operand.v[0], a, e);

	s->name = model_stem(a->arena, s->model.path ? s->model.path : a->operand.v[0]);
	s->folder = args_text(a, "baseline", arena_printf(a->arena, "baselines/%s", s->name));
	s->compile = (CompileOptions){.name = "model",
				      .tolerance = tolerance_option(a),
				      .threads = (int)args_integer(a, "threads", 1),
				      .memory = args_bytes(a, "memory", 0)};
	return rc ? rc : open_log_option(a, &s->compile.log, e);
}

static int
open_board(RegressSession *s, const Args *a, const char *address, Err *e)
{
	DeviceHooks hooks = {s, interrupt_came, plain_tell, args_seconds(a, "wait", -1)};
	RpcWay way = {.address = address, .server_path = s->server};
	uint64_t reconnect = (uint64_t)(args_seconds(a, "reconnect", RECONNECT_S) * SECOND_NS);
	Device *d = &s->device[s->ndevice];
	int rc = device_open(d, &way, reconnect, hooks, e);

	s->device_name[s->ndevice++] = address ? address : "this machine";
	if (!rc && s->ndevice > 1)
		rc = boards_compare(device_info(&s->device[0]), s->device_name[0], device_info(d),
				    address, e);
	return rc;
}

int
regress_session_boards(RegressSession *s, const Args *a, Err *e)
{
	const char *address = args_nth(a, "device", 0);
	int rc = agent_path(s->server, e), i = 0;

	if (rc)
		return rc;
	do {
		if (i == COMPARE_DEVICES_MAX)
			return err_set(e, ERR_INPUT, "more than %d devices", i);
		rc = open_board(s, a, address, e);
	} while (!rc && (address = args_nth(a, "device", ++i)));
	if (rc)
		return rc;
	rc = board_of(device_info(&s->device[0]), s->compile.threads, a->arena, &s->board,
		      &s->target, e);
	if (!rc && s->compile.threads > s->board.cores)
		rc = err_set(e, ERR_INPUT, "--threads: %d, the board has %lld cores",
			     s->compile.threads, (long long)s->board.cores);
	s->compile.target = &s->target;
	s->compile.key.device = s->board.cpu;
	return rc;
}

int
regress_session_suite(RegressSession *s, Err *e)
{
	return suite_open(s->model.graph, &s->compile, &s->suite, e);
}

void
regress_session_close(RegressSession *s)
{
	if (s->suite.arena)
		suite_close(&s->suite);
	for (int i = 0; i < s->ndevice; i++)
		device_close(&s->device[i]);
	log_close(s->compile.log);
	model_close(&s->model);
}
