/* hone doctor: whether this machine, a device and a log are fit to tune with. Every check adds
 * findings and goes on, so that one run tells everything. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/agent_path.h"
#include "cli/commands.h"
#include "cli/finding.h"
#include "codegen/link.h"
#include "db/upkeep.h"
#include "rpc_client/client.h"
#include "search_space/target.h"
#include "wire/message.h"
#include "rpc_client/lease.h"
#include "wire/sandbox.h"

static const ArgOption options[] = {
	{.name = "device",
	 .kind = ARG_TEXT,
	 .value = "NAME|ADDRESS",
	 .help = "the rpc_server to look at; without it, one of this machine's own is started"},
	{.name = "log", .kind = ARG_TEXT, .value = "FILE", .help = "a tuning log to check as well"},
	{.name = "json", .help = "print JSON"},
	{0},
};

typedef struct Doctor {
	const Args *args;
	Findings findings;
	RpcClient *client; /* NULL: there is no agent */
	Target target;     /* of the device; of this machine without one */
	bool targeted;
	Calibration found, assumed; /* assumed: by the Target; 0 where it says nothing */
} Doctor;

static const double QUIET = 0.02; /* of the peak, between calibrations */
static const double BUSY = 0.5;   /* processes that want to run */
static const double COLD = 0.75;  /* of the second cache's bandwidth: more is not cold */
static const uint64_t MEMORY_LEAST = 256ull << 20, MEMORY_GOOD = 1ull << 30;

/* --- the agent and its machine --- */

static int
open_agent(Doctor *d, Err *e)
{
	const char *address = args_text(d->args, "device", NULL);
	char server[AGENT_PATH_BYTES];
	int rc = address ? OK : agent_path(server, e);

	if (rc)
		return rc;
	return address ? rpc_open(address, &d->client, e) : rpc_start_local(server, &d->client, e);
}

/* The layers between kernels and the device, one by one. */
static void
check_sandbox(Doctor *d)
{
	const DeviceInfo *i = rpc_device(d->client);
	bool strong = (i->sandbox & SANDBOX_STRONG) == SANDBOX_STRONG;
	Findings *f = &d->findings;

	finding_add(f, strong ? VERDICT_OK : VERDICT_NOTE, "sandbox",
		    strong ? "" : "offer the device only to people you trust",
		    "kernels run in processes of their own, in %d of %d layers",
		    __builtin_popcountll(i->sandbox & SANDBOX_ALL), SANDBOX_LAYERS);
	for (unsigned k = 0; k < SANDBOX_LAYERS; k++) {
		const char *more = k < i->sandbox_notes.n ? i->sandbox_notes.v[k] : "";
		bool active = i->sandbox >> k & 1;

		if (active)
			finding_add(f, VERDICT_OK, sandbox_word(k), "", "%s%s%s", sandbox_text(k),
				    *more ? "; " : "", more);
		else
			finding_add(f, VERDICT_NOTE, sandbox_word(k), "", "not there: %s",
				    *more ? more : "the agent does not know it");
	}
}

static void
check_agent(Doctor *d)
{
	Findings *f = &d->findings;
	const DeviceInfo *i;
	Err e = {0};

	if (open_agent(d, &e)) {
		finding_add(f, VERDICT_PROBLEM, "agent",
			    "start rpc_server on the device, see rpc_server --help", "%s", e.msg);
		return;
	}
	i = rpc_device(d->client);
	finding_add(f, VERDICT_OK, "agent", "", "%s: %s, %u cores, Linux %s, rpc_server %s",
		    i->name, i->cpu, i->cores, i->kernel, i->version);
	if (strcmp(i->version, HONE_VERSION) != 0)
		finding_add(f, VERDICT_NOTE, "version", "put one version on both",
			    "the agent is %s, this program %s", i->version, HONE_VERSION);
	if (i->insecure)
		finding_add(f, VERDICT_NOTE, "access",
			    "keep it behind a tunnel, or use a Unix socket",
			    "anybody who reaches the port may run code on the device");
	else if (*i->role)
		finding_add(f, VERDICT_OK, "access", "", "encrypted, by a key of role %s", i->role);
	if (*i->wedged)
		finding_add(f, VERDICT_PROBLEM, "wedged", "turn the device off and on",
			    "nothing can run: %s", i->wedged);
	if (i->poisoned)
		finding_add(f, VERDICT_NOTE, "poison",
			    "the agent's state folder has the list; a line may be deleted",
			    "%u candidates took the device down and are not run again",
			    i->poisoned);
	check_sandbox(d);
}

/* What makes one run take longer than another. */
static void
check_steadiness(Doctor *d)
{
	const DeviceInfo *i = rpc_device(d->client);
	Findings *f = &d->findings;
	bool fixed = !strcmp(i->governor, "performance"), none = !strcmp(i->governor, "none");

	finding_add(f, fixed || none ? VERDICT_OK : VERDICT_NOTE, "governor",
		    fixed || none ? "" : "on the device: cpupower frequency-set -g performance",
		    none ? "no frequency scaling is visible" : "%s", i->governor);
	if (!strcmp(i->boost, "on"))
		finding_add(f, VERDICT_NOTE, "boost",
			    "for steady times, as root on the device: echo 0 > "
			    "/sys/devices/system/cpu/cpufreq/boost, or 1 to intel_pstate/no_turbo",
			    "on: the clock depends on temperature and on other cores");
	else if (!strcmp(i->boost, "off"))
		finding_add(f, VERDICT_OK, "boost", "", "off");
	if (!strcmp(i->smt, "on"))
		finding_add(f, VERDICT_NOTE, "smt",
			    "rpc_server --core N, with the other threads of that core idle",
			    "on: what runs on the other thread of a core slows kernels down");
	else if (!strcmp(i->smt, "off"))
		finding_add(f, VERDICT_OK, "smt", "", "off");
	if (i->emulated)
		finding_add(f, VERDICT_NOTE, "emulation", "use it for tests",
			    "another processor plays this one: what is right is right, times say "
			    "nothing");
	if (i->virtualised)
		finding_add(f, VERDICT_NOTE, "hypervisor",
			    "compare times of one session only; races do so by themselves",
			    "a virtual machine: others may share its caches and memory");
	finding_add(f, i->load < BUSY ? VERDICT_OK : VERDICT_NOTE, "load",
		    i->load < BUSY ? "" : "stop other programs while kernels are measured",
		    "%.2f processes want to run", i->load);
}

static void
check_memory(Doctor *d)
{
	uint64_t bytes = rpc_device(d->client)->memory_free;
	Verdict v = bytes < MEMORY_LEAST  ? VERDICT_PROBLEM
		    : bytes < MEMORY_GOOD ? VERDICT_NOTE
					  : VERDICT_OK;

	finding_add(&d->findings, v, "memory",
		    v == VERDICT_OK ? "" : "large layers will not fit: free some on the device",
		    "%.2f GiB free", (double)bytes / (1 << 30));
}

/* --- what the machine can do, beside what the Target assumes --- */

static void
check_target(Doctor *d)
{
	Target *t = &d->target;
	Err e = {0};
	int rc = d->client ? target_of_device(rpc_device(d->client), t, &e) : target_host(t, &e);

	if (rc) {
		finding_add(&d->findings, VERDICT_PROBLEM, "target",
			    "nothing can be compiled for this machine", "%s", e.msg);
		return;
	}
	d->targeted = true;
	finding_add(&d->findings, VERDICT_OK, "target", "",
		    "%s: %.3g GHz, %.3g multiply-adds of %d lanes a cycle, %lld registers", t->name,
		    t->ghz, t->fma_per_cycle, target_lanes(t), (long long)t->vector_regs);
	d->assumed = (Calibration){
		.fma_gflops = target_gflops(t),
		.l1_gbs = t->load_per_cycle * (double)t->vector_bytes * t->ghz,
		.l2_gbs = t->l2_gbs,
		.l3_gbs = t->l3_bytes ? t->l3_gbs : 0,
		.dram_gbs = t->dram_gbs,
	};
}

/* Figures that a Target assumes too: within `factor` of it the model fits the machine. */
static const struct {
	const char *topic, *unit;
	size_t at;
	double factor;
} figures[] = {
	{"multiply-add", "GFLOPS", offsetof(Calibration, fma_gflops), 1.1},
	{"L1", "GB/s", offsetof(Calibration, l1_gbs), 1.25},
	{"L2", "GB/s", offsetof(Calibration, l2_gbs), 1.5},
	{"L3", "GB/s", offsetof(Calibration, l3_gbs), 1.5},
	{"memory reads", "GB/s", offsetof(Calibration, dram_gbs), 1.5},
};

static double
figure(const Calibration *c, size_t at)
{
	return *(const double *)((const char *)c + at);
}

static void
compare_figures(Doctor *d)
{
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
		double got = figure(&d->found, figures[i].at), lo, hi;
		double want = figure(&d->assumed, figures[i].at);
		bool fits;

		if (got == 0 && want == 0)
			continue;
		lo = want / figures[i].factor;
		hi = want * figures[i].factor;
		fits = got >= lo && got <= hi;
		finding_add(&d->findings, fits || !d->targeted ? VERDICT_OK : VERDICT_NOTE,
			    figures[i].topic,
			    fits || !d->targeted ? ""
						 : "untuned choices may be off: tune what matters",
			    "%.4g %s, the cost model assumes %.4g: %.0f %%", got, figures[i].unit,
			    want, want > 0 ? 100 * got / want : 0);
	}
}

static void
check_cold(Doctor *d)
{
	const Calibration *c = &d->found;
	bool works = c->cold_gbs == 0 || c->l2_gbs == 0 || c->cold_gbs < COLD * c->l2_gbs;

	if (!rpc_device(d->client)->streams)
		finding_add(&d->findings, VERDICT_NOTE, "cold weights",
			    "measuring takes more memory, else nothing",
			    "no stores past the caches: copies take turns instead");
	else
		finding_add(&d->findings, works ? VERDICT_OK : VERDICT_NOTE, "cold weights",
			    works ? "" : "times of layers with many weights will be too good",
			    "read at %.4g GB/s, warm ones at %.4g", c->cold_gbs, c->l2_gbs);
}

static void
check_calibration(Doctor *d)
{
	Calibration *c = &d->found;
	Findings *f = &d->findings;
	Err e = {0};
	double drift;

	if (rpc_lease(d->client, &(RpcWait){.name = args_text(d->args, "device", NULL)}, &e) ==
	    ERR_BUSY) {
		finding_add(f, VERDICT_NOTE, "calibration", "look again when it is free",
			    "not taken: %s", e.msg);
		return;
	}
	if (rpc_calibrate(d->client, NULL, NULL, c, &e)) {
		finding_add(f, VERDICT_PROBLEM, "calibration",
			    "put this version of rpc_server on the device", "%s", e.msg);
		return;
	}
	compare_figures(d);
	if (c->dot_gops > 0)
		finding_add(f, VERDICT_OK, "dot product", "",
			    "%.4g GOPS of 8 bits, %.3g of the "
			    "multiply-add peak",
			    c->dot_gops, c->dot_gops / c->fma_gflops);
	else
		finding_add(f, VERDICT_OK, "dot product", "", "no instruction");
	drift = 1 - c->fma_least_gflops / c->fma_gflops;
	finding_add(f, drift <= QUIET ? VERDICT_OK : VERDICT_NOTE, "drift",
		    drift <= QUIET ? ""
				   : "a noisy machine: stop other programs; trust races, which "
				     "pair their rounds, more than single times",
		    "%.1f %% between multiply-add calibrations", 100 * drift);
	check_cold(d);
	finding_add(f, c->tick_ns < 1000 ? VERDICT_OK : VERDICT_NOTE, "clock",
		    c->tick_ns < 1000 ? "" : "short kernels are run many times in a row",
		    "a step of %.4g ns", c->tick_ns);
}

/* --- the compiler, and the log --- */

static void
check_compiler(Doctor *d)
{
	Findings *f = &d->findings;
	const char *version;
	Emit *emit = NULL;
	Err e = {0};

	if (d->targeted && emit_open("llvm", &d->target, &emit, &e))
		finding_add(f, VERDICT_PROBLEM, "compiler", "another LLVM may know this machine",
			    "%s", e.msg);
	else if (d->targeted)
		finding_add(f, VERDICT_OK, "compiler", "", "%s makes code for it",
			    emit_version(emit));
	emit_close(emit);
	e = (Err){0};
	if (link_version(d->args->arena, &version, &e))
		finding_add(f, VERDICT_PROBLEM, "linker",
			    "install lld, or name ld.lld in $HONE_LLD", "%s", e.msg);
	else
		finding_add(f, VERDICT_OK, "linker", "", "%s", version);
}

static int
count_rows(Log *l, const char *path, Findings *f, Err *e)
{
	LogSelected all;
	int64_t owner = 0;
	int rc = log_select(l, &(LogSelection){0}, &all, e);

	if (!rc)
		rc = log_owner(path, &owner, e);
	if (!rc)
		finding_add(f, VERDICT_OK, "log", "", "%s: sound, %lld rows, %lld of them right",
			    path, (long long)all.rows, (long long)all.right);
	if (!rc && owner)
		finding_add(f, VERDICT_NOTE, "log owner", "another tune would be refused",
			    "process %lld is writing", (long long)owner);
	return rc;
}

static void
check_log(Doctor *d)
{
	const char *path = args_text(d->args, "log", NULL);
	Log *l = NULL;
	Err e = {0};
	int rc;

	if (!path)
		return;
	rc = log_open_read(path, &l, &e);
	if (!rc)
		rc = log_check(l, &e);
	if (!rc)
		rc = count_rows(l, path, &d->findings, &e);
	if (rc)
		finding_add(&d->findings, VERDICT_PROBLEM, "log",
			    "export what can be read, and import it into a new one", "%s", e.msg);
	log_close(l);
}

/* --- what comes of it --- */

static void
json_calibration(Json *top, const char *name, const Calibration *c)
{
	Json *one = json_object(top, name);

#define X(key, field, unit, text) json_number(one, #field, c->field);
	CALIBRATION_LIST(X)
#undef X
}

/* What it says beside the findings. */
static Json *
json_of(const Doctor *d)
{
	Json *top = json_object(NULL, NULL);

	json_text(top, "device", d->client ? rpc_device(d->client)->name : "");
	json_text(top, "cpu", d->client ? rpc_device(d->client)->cpu : "");
	json_calibration(top, "calibration", &d->found);
	json_calibration(top, "assumed", &d->assumed);
	return top;
}

static int
run(const Args *a, Err *e)
{
	Doctor d = {.args = a, .findings = {.arena = a->arena}};
	Json *json;

	check_agent(&d);
	if (d.client) {
		check_steadiness(&d);
		check_memory(&d);
	}
	check_target(&d);
	if (d.client)
		check_calibration(&d);
	check_compiler(&d);
	check_log(&d);
	json = args_has(a, "json") ? json_of(&d) : NULL;
	rpc_close(d.client);
	return findings_end(&d.findings, json, e);
}

const Command cmd_doctor = {
	.name = "doctor",
	.summary = "Check what tuning needs: the device, the compiler, a log",
	.operands = "",
	.text = "Measures the multiply-add and dot-product peaks, the bandwidth of each cache and "
		"of\n"
		"memory and the drift of the clock, in about a second, beside what the cost model\n"
		"assumes. Every line is ok, a note, or a problem, with what to do about it; exit\n"
		"status 1 when there is a problem.",
	.option = options,
	.run = run,
};
