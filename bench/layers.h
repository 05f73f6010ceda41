/* Layers of a zoo model as benchmarks see them: found and timed alone by a private agent, exactly
 * as the tuner does it (outputs checked, constants cold or hot as asked), but with a choice of
 * algorithms. One thread. Everything lives in Layers.arena. */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

#include "graph/plan.h"
#include "tuner/device.h"

typedef struct Layers {
	Arena *arena;
	Graph *graph;
	Plan *plan;
	Target target; /* this machine */
	Emit *emit;
	Device device;
	struct Trials **trials; /* per PlanTask, once needed */
	const char *kept; /* file of finalists that were found before, or NULL; set after opening */
} Layers;

/* Starts an agent. target: a name of the built-in table that this machine can run; NULL: this
 * machine. Then either call gives the plan. The caller closes l in any case. */
int layers_open(Layers *l, const char *target, Err *e);
void layers_close(Layers *l);

/* A model of the zoo as the importer leaves it; the caller frees it. */
int layers_graph(const char *name, Arena *a, Graph **out, Err *e);

/* Of the zoo, imported, changed by `edit` (NULL: left as it is), swept and planned. */
typedef int LayersEdit(Graph *g, Err *e);
int layers_of_model(Layers *l, const char *name, LayersEdit *edit, Err *e);
/* n Tasks by their texts and their Forms' texts; there is no graph. */
int layers_of_texts(Layers *l, int n, const char *const *task, const char *const *form, Err *e);

/* First graph node of the first step that runs the PlanTask. */
const Node *layers_node(const Layers *l, int task);
/* "Conv+Relu 1x64x56x56": operators and the result. */
const char *layers_label(const Layers *l, int task);
/* Multiply-adds of the Task as written, two operations each; what else it computes is not counted.
 */
double layers_flops(const Layers *l, int task);

typedef struct LayerTime {
	const char *text; /* of the Sched; NULL: none of the algorithm was right */
	double ns;        /* median */
	double peak;      /* GFLOPS of the calibration around it */
} LayerTime;

/* Searches `trials` candidates among the algorithms whose name begins with `rewrite` by the tuner's
 * first strategy, then runs a race among the three best. What the file `kept` holds is not searched
 * again, and what is found is added to it. untuned: what the cost model alone takes,
 * timed in that race too. */
int layer_search(Layers *l, int task, const char *rewrite, MeasureMode mode, int trials,
		 LayerTime *best, LayerTime *untuned, Err *e);

/* Times one Sched again, alone. */
int layer_time(Layers *l, int task, const char *text, MeasureMode mode, LayerTime *out, Err *e);

#endif
