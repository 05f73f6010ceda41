/* One model with its inputs and expected outputs, imported for them: a case of ONNX's test data, or
 * a model file with arrays beside it. What the conformance programs share.
 */
#ifndef TESTS_CONFORMANCE_ONNX_CASE_H
#define TESTS_CONFORMANCE_ONNX_CASE_H

#include "graph/import.h"

enum { CASE_FILES_MAX = 32 };

/* outcome, text */
#define OUTCOME_LIST(X)                     \
	X(PASS, "pass")                     \
	X(UNSUPPORTED, "not supported")     \
	X(REFUSED, "refused by the import") \
	X(DATA, "data of another kind")     \
	X(WRONG, "wrong")

typedef enum Outcome {
#define X(name, text) OUTCOME_##name,
	OUTCOME_LIST(X)
#undef X
		OUTCOME_COUNT
} Outcome;

typedef struct OnnxCase {
	Arena *arena; /* names and paths */
	const char *model;
	Npy in[CASE_FILES_MAX], want[CASE_FILES_MAX];
	int nin, nwant;
	ImportShape shape[CASE_FILES_MAX];
	ImportFreeze freeze[CASE_FILES_MAX]; /* inputs that decide shapes */
	int nfreeze;
	ImportReport rep;
	Graph *g;
	char why[ERR_TEXT_MAX]; /* what went wrong */
} OnnxCase;

const char *outcome_text(Outcome o);

/* Imports dir/model.onnx for the tensors dir/test_data_set_N/{input,output}_K.pb. Shapes that the
 * model leaves open are those of the inputs, inputs that decide shapes are frozen. PASS means that
 * graph and data are there; whatever comes back, onnx_case_close is due. */
Outcome onnx_case_open(OnnxCase *c, const char *dir, int set);

/* Same for NAME.onnx with NAME.input.npy or NAME.input_K.npy, and output likewise. */
Outcome onnx_case_open_model(OnnxCase *c, const char *path);
void onnx_case_close(OnnxCase *c);

/* How many data sets a case has. */
int onnx_case_sets(const char *dir);

/* Contents of the graph's inputs in its order, in memory of the case; NULL when one has no data. */
const void **onnx_case_inputs(OnnxCase *c);

/* Whether `got` holds what the data set expects of output k, at the tolerances of ONNX's runner:
 * rtol 1e-3, atol 1e-7. */
Outcome onnx_case_compare(OnnxCase *c, int k, const Value *v, const void *got);

/* Calls visit for every DATA/GROUP/CASE with a model.onnx whose name contains word, in order of
 * their names. */
typedef void CaseVisitor(void *ctx, const char *name, const char *dir);
void onnx_case_walk(const char *data, const char *word, CaseVisitor *visit, void *ctx);

#endif
