/* hone compile: a model and a tuning log become a bundle. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/runnable.h"

static const ArgOption options[] = {
	MODEL_OPTIONS,
	LOG_OPTION,
	STRICT_OPTION,
	THREADS_OPTION,
	MEMORY_OPTION,
	{.name = "pool", .help = "also write hone_pool.h and hone_pool.c, threads as source"},
	{.name = "target",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "machine to compile for; this one unless given. A wrong name lists those known"},
	{.name = "device",
	 .kind = ARG_TEXT,
	 .value = "ADDRESS",
	 .help = "compile for the machine of this agent (see hone device add)"},
	{.name = "name",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "of the function and the files; the model's file name unless given"},
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "DIR",
	 .help = "folder for NAME.h, NAME.o, NAME.weights.bin and NAME.json"},
	{.name = "dump",
	 .kind = ARG_TEXT,
	 .value = "STAGE[,STAGE]",
	 .help = "print the text of these stages"},
	{.name = "json", .help = "report in JSON"},
	{0},
};

static const char *const stages[] = {COMPILE_DUMP_LIST(ARGS_WORD) NULL};

static int
compile_to(const Args *a, const Model *m, CompileOptions *opt, const char *folder, Err *e)
{
	Str report = {0};
	Bundle b;
	int rc = compile(m->graph, a->arena, opt, &b, e);

	if (opt->dumped)
		fputs(str_get(opt->dumped), stdout);
	if (!rc && folder)
		rc = bundle_write(&b, folder, e);
	if (!rc && folder && args_has(a, "pool"))
		rc = bundle_write_pool(folder, e);
	if (!rc && !opt->dumped && args_has(a, "json")) {
		compile_report_json(&b, &report);
		fputs(str_get(&report), stdout);
	} else if (!rc && !opt->dumped) {
		compile_report(&b, &report);
		fputs(str_get(&report), stdout);
		printf("wrote %s/%s.{h,o,weights.bin,json}\n", folder, b.name);
	}
	str_fini(&report);
	return rc;
}

/* The machine to compile for: --device, --target or this one. */
static int
choose_target(const Args *a, Target *t, CompileOptions *opt, Err *e)
{
	const char *address = args_text(a, "device", NULL), *name = args_text(a, "target", NULL);
	RpcClient *client = NULL;
	int rc;

	if (address && name)
		return err_set(e, ERR_INPUT, "--device and --target: expected one of them");
	if (name) {
		rc = target_named(name, t, e);
	} else if (address) {
		rc = rpc_open(address, &client, e);
		if (!rc)
			rc = target_of_device(rpc_device(client), t, e);
		if (!rc)
			opt->key.device = arena_strdup(a->arena, rpc_device(client)->cpu);
		rpc_close(client);
	} else {
		return OK;
	}
	opt->target = t;
	return rc;
}

static int
run(const Args *a, Err *e)
{
	const char *folder = args_text(a, "output", NULL), *path = a->operand.v[0];
	Str dumped = {0};
	CompileOptions opt = {.name = args_text(a, "name", model_stem(a->arena, path)),
			      .tolerance = tolerance_option(a),
			      .threads = (int)args_integer(a, "threads", 1),
			      .memory = args_bytes(a, "memory", 0)};
	Target target;
	Model m = {0};
	int rc = args_bits(a, "dump", stages, &opt.dump, e);

	if (!rc && !folder && !opt.dump)
		rc = err_set(e, ERR_INPUT, "--output: nothing, expected DIR");
	if (opt.dump)
		opt.dumped = &dumped;
	if (!rc)
		rc = choose_target(a, &target, &opt, e);
	if (!rc)
		rc = open_log_option(a, &opt.log, e);
	if (!rc)
		rc = model_open(&m, path, a, e);
	if (!rc)
		rc = compile_to(a, &m, &opt, folder, e);
	model_close(&m);
	log_close(opt.log);
	str_fini(&dumped);
	return rc;
}

const Command cmd_compile = {
	.name = "compile",
	.summary = "Make a linkable bundle from a model and a tuning log",
	.operands = "MODEL.onnx",
	.min = 1,
	.max = 1,
	.text = "Writes an object, a C header, the weights and a manifest, and reports for each\n"
		"kernel where its schedule comes from (exact, target and family are measured;\n"
		"estimate is not), the time expected and its share. Measures nothing; the same\n"
		"model, log and target give the same bytes.\n"
		"Stages to dump:" COMPILE_DUMP_LIST(ARGS_HELP_WORD) ".",
	.option = options,
	.run = run,
};
