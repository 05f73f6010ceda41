/* The driver of the import: unpack, inputs, one walk over the nodes, passes.
 *
 * The walk goes on after a node that cannot be taken: its outputs are marked NAME_FAILED and nodes
 * that read them are only looked at for what needs no shapes. So one run finds everything that is
 * unsupported, and that list comes before any other complaint.
 */
#include "graph/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/importer.h"

void
import_report_init(ImportReport *r)
{
	*r = (ImportReport){.arena = arena_new()};
}

void
import_report_fini(ImportReport *r)
{
	arena_free(r->arena);
	*r = (ImportReport){0};
}

void
import_unsupported(Importer *im, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	vec_push(im->rep->arena, &im->rep->unsupported, arena_strdup(im->rep->arena, text));
}

static const char *
full_name(Arena *a, const Onnx__NodeProto *p)
{
	const char *domain = onnx_text(p->domain), *type = onnx_text(p->op_type);

	return !*domain || !strcmp(domain, "ai.onnx") ? type
						      : arena_printf(a, "%s.%s", domain, type);
}

static int
by_count(const void *a, const void *b)
{
	const ImportCount *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->name, y->name);
}

static void
count_operators(Importer *im)
{
	const Onnx__GraphProto *p = im->model->graph;
	ImportReport *rep = im->rep;
	Names at = {0};

	for (size_t i = 0; i < p->n_node; i++) {
		const char *name = full_name(im->tmp, p->node[i]);
		int k = names_get(&at, name);

		if (k >= 0) {
			rep->op.v[k].n++;
			continue;
		}
		names_put(im->tmp, &at, name, rep->op.n);
		vec_push(rep->arena, &rep->op, ((ImportCount){arena_strdup(rep->arena, name), 1}));
	}
	if (rep->op.n)
		qsort(rep->op.v, (size_t)rep->op.n, sizeof *rep->op.v, by_count);
}

/* Version and domains; false when nothing else about the model can be said. */
static bool
check_model(Importer *im)
{
	const Onnx__ModelProto *m = im->model;
	const Onnx__GraphProto *p = m->graph;
	int64_t opset = 1; /* of files older than the field */

	for (size_t i = 0; i < m->n_opset_import; i++) {
		const char *domain = onnx_text(m->opset_import[i]->domain);

		if (!*domain || !strcmp(domain, "ai.onnx"))
			opset = m->opset_import[i]->version;
	}
	im->rep->opset = opset;
	if (opset < IMPORT_OPSET_MIN || opset > IMPORT_OPSET_MAX) {
		import_unsupported(im, "model: opset %lld, %d to %d are supported",
				   (long long)opset, IMPORT_OPSET_MIN, IMPORT_OPSET_MAX);
		return false;
	}
	im->opset = (int)opset;
	for (size_t i = 0; i < m->n_functions; i++)
		import_unsupported(im, "model: function '%s' of its own",
				   onnx_text(m->functions[i]->name));
	for (size_t i = 0; i < p->n_sparse_initializer; i++)
		import_unsupported(im, "model: sparse initializer");
	return true;
}

/* All names that nodes will define, so that made-up names avoid them. */
static int
reserve_names(Importer *im, Err *e)
{
	const Onnx__GraphProto *p = im->model->graph;

	for (size_t i = 0; i < p->n_node; i++)
		for (size_t k = 0; k < p->node[i]->n_output; k++) {
			const char *name = onnx_text(p->node[i]->output[k]);

			if (!*name)
				continue;
			if (names_get(&im->names, name) != NAME_UNKNOWN)
				return err_set(e, ERR_INPUT, "value '%s' is defined twice", name);
			names_put(im->tmp, &im->names, name, NAME_PENDING);
		}
	return OK;
}

static bool
is_listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; n && (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* What can be said without shapes. */
static int
check_node(OnnxNode *n)
{
	const Onnx__NodeProto *p = n->proto;
	const OnnxOp *row = n->row;

	if (!row)
		return refuse(n, "operator");
	if (n->im->opset < row->since || (row->until && n->im->opset > row->until))
		return refuse(n, "operator in opset %d", n->im->opset);
	for (size_t i = 0; i < p->n_attribute; i++) {
		const char *name = onnx_text(p->attribute[i]->name);

		if (!is_listed(row->attrs, name))
			return refuse(n, "attribute %s", name);
	}
	if (p->n_input < (size_t)row->in_min || p->n_input > (size_t)row->in_max)
		return invalid(n, "%zu inputs, expected %d to %d", p->n_input, row->in_min,
			       row->in_max);
	for (int i = row->out_max; (size_t)i < p->n_output; i++)
		if (wants_output(n, i))
			return refuse(n, "output %d", i);
	return OK;
}

/* Looks the inputs up; NOT_APPLICABLE when one could not be computed. */
static int
resolve_inputs(OnnxNode *n)
{
	n->nin = (int)n->proto->n_input;
	n->in = ARENA_ARRAY(n->im->tmp, int, n->nin);
	for (int i = 0; i < n->nin; i++) {
		const char *name = onnx_text(n->proto->input[i]);

		n->in[i] = *name ? names_get(&n->im->names, name) : NO_VALUE;
		if (n->in[i] == NAME_FAILED)
			return NOT_APPLICABLE;
		if (n->in[i] == NAME_PENDING)
			return invalid(n, "input '%s' is computed later: nodes are not in order",
				       name);
		if (n->in[i] == NAME_UNKNOWN)
			return invalid(n, "input '%s' is defined nowhere", name);
		if (n->in[i] == NO_VALUE && i < n->row->in_min)
			return invalid(n, "input %d is missing", i);
	}
	return OK;
}

static bool
has_outputs(const OnnxNode *n)
{
	for (size_t i = 0; i < n->proto->n_output; i++)
		if (wants_output(n, (int)i))
			return true;
	return false;
}

/* Imports one node; *e gets the first error that is not about support. */
static void
import_node(Importer *im, const Onnx__NodeProto *p, Err *e)
{
	OnnxNode n = {.im = im, .proto = p};
	const char *op = full_name(im->tmp, p);
	int rc;

	n.label = onnx_text(p->name);
	if (!*n.label && p->n_output)
		n.label = onnx_text(p->output[0]);
	n.row = onnx_op(op);
	rc = check_node(&n);
	if (rc == OK && !has_outputs(&n))
		return;
	if (rc == OK)
		rc = resolve_inputs(&n);
	if (rc == OK)
		rc = n.row->import(&n);
	if (rc == OK)
		rc = n.err.code; /* an attribute of a wrong kind */
	if (rc == OK)
		return;
	for (size_t i = 0; i < p->n_output; i++)
		if (wants_output(&n, (int)i))
			names_put(im->tmp, &im->names, p->output[i], NAME_FAILED);
	if (n.err.code == ERR_UNSUPPORTED)
		import_unsupported(im, "node '%s': %s: %s", n.label, op, n.err.msg);
	else if (n.err.code)
		err_set(e, n.err.code, "node '%s' (%s): %s", n.label, op, n.err.msg);
}

static int
import_outputs(Importer *im, Err *e)
{
	const Onnx__GraphProto *p = im->model->graph;
	int *value = ARENA_ARRAY(im->tmp, int, p->n_output);

	for (size_t i = 0; i < p->n_output; i++) {
		value[i] = names_get(&im->names, onnx_text(p->output[i]->name));
		if (value[i] < 0)
			return err_set(e, ERR_INPUT, "output '%s' is computed by no node",
				       onnx_text(p->output[i]->name));
	}
	return pass_outputs(im, value, (int)p->n_output, e);
}

/* Everything that was collected, as one error. */
static int
conclude(const ImportReport *rep, const Err *found, Err *e)
{
	if (rep->unsupported.n)
		return err_set(e, ERR_UNSUPPORTED, "%s%s", rep->unsupported.v[0],
			       rep->unsupported.n > 1 ? " (and more: see the list)" : "");
	if (found->code)
		return err_set(e, found->code, "%s", found->msg);
	if (rep->freeze.n)
		return err_set(
			e, ERR_INPUT,
			"shapes depend on the values of input '%s'%s: freeze it to a constant",
			rep->freeze.v[0], rep->freeze.n > 1 ? " and others" : "");
	return OK;
}

static int
walk(Importer *im, Err *e)
{
	Err found = {0};
	int rc;

	if (!check_model(im))
		return conclude(im->rep, &found, e);
	rc = import_initializers(im, e);
	if (rc)
		return rc;
	import_inputs(im, &found); /* an error is found again at the end, after the walk */
	rc = reserve_names(im, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < im->model->graph->n_node; i++)
		import_node(im, im->model->graph->node[i], &found);
	rc = conclude(im->rep, &found, e);
	return rc ? rc : import_outputs(im, e);
}

static int
import_model(Importer *im, Err *e)
{
	int rc = walk(im, e);

	if (rc)
		return rc;
	pass_batchnorm(im);
	graph_sweep(im->g);
	pass_duplicates(im->g);
	graph_sweep(im->g);
	rc = graph_check(im->g, e);
	if (rc)
		err_prefix(e, "after the import: ");
	return rc ? ERR_INTERNAL : OK;
}

int
graph_import_memory(const void *bytes, size_t size, const char *dir, const ImportOptions *opt,
		    Graph **out, ImportReport *rep, Err *e)
{
	static const ImportOptions none;
	Onnx__ModelProto *model;
	Arena *tmp = arena_new();
	Importer im = {.tmp = tmp, .dir = dir, .opt = opt ? opt : &none, .rep = rep};
	int rc = onnx_unpack_model(tmp, bytes, size, &model, e);

	*out = NULL;
	if (rc == OK && !model->graph)
		rc = err_set(e, ERR_INPUT, "no ONNX model: it has no graph");
	if (rc == OK) {
		im.model = model;
		im.fold_bytes = im.opt->fold_bytes_max ? im.opt->fold_bytes_max : (int64_t)1 << 32;
		im.fold_work = im.opt->fold_work_max ? im.opt->fold_work_max : (int64_t)1 << 34;
		im.g = graph_new(onnx_text(model->graph->name));
		rep->ir_version = model->ir_version;
		rep->producer = arena_strdup(rep->arena, onnx_text(model->producer_name));
		count_operators(&im);
		rc = import_model(&im, e);
		if (rc)
			graph_free(im.g);
		else
			*out = im.g;
	}
	arena_free(tmp);
	return rc;
}

int
graph_import(const char *path, const ImportOptions *opt, Graph **out, ImportReport *rep, Err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *bytes = NULL;
	size_t size;
	int rc = dir ? OK : err_set(e, ERR_NOMEM, "no memory");

	*out = NULL;
	if (rc == OK)
		rc = file_read(path, (size_t)1 << 31, &bytes, &size, e);
	if (rc == OK) {
		rc = graph_import_memory(bytes, size, dir, opt, out, rep, e);
		if (rc)
			err_prefix(e, "%s: ", path);
	}
	free(bytes);
	free(dir);
	return rc;
}
