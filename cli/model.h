/* Model: the ONNX file a subcommand works on, imported as its options say. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/args.h"
#include "graph/graph.h"
#include "graph/import.h"
#include "graph/npy.h"

/* Rows for the option table of a subcommand that loads a model. */
#define MODEL_OPTIONS                                                                         \
	{.name = "shape",                                                                     \
	 .kind = ARG_TEXT,                                                                    \
	 .repeat = true,                                                                      \
	 .value = "NAME:1x3x224x224",                                                         \
	 .help = "extents of an input, or the size of a symbolic dimension; a symbolic "      \
		 "batch is 1 unless given"},                                                  \
	{                                                                                     \
		.name = "freeze", .kind = ARG_TEXT, .repeat = true, .value = "NAME=FILE.npy", \
		.help = "make an input a constant"                                            \
	}

/* Row for one that runs it as well. */
#define INPUT_OPTION                                                                            \
	{                                                                                       \
		.name = "input", .kind = ARG_TEXT, .repeat = true, .value = "[NAME=]FILE.npy",  \
		.help = "contents of an input; without a name, of the next one in the model's " \
			"order. Gives the sizes of symbolic dimensions too"                     \
	}

/* Row for one that chooses schedules. */
#define STRICT_OPTION                                                                           \
	{                                                                                       \
		.name = "strict",                                                               \
		.help = "no algorithm whose rounding errors exceed 4 times those of the plain " \
			"one: no Winograd F(4x4)"                                               \
	}

/* Row for one that chooses kernels. */
#define THREADS_OPTION                                                                     \
	{                                                                                  \
		.name = "threads", .kind = ARG_INTEGER, .min = 1, .max = 64, .value = "N", \
		.help = "threads that compute together; default 1"                         \
	}

#define MEMORY_OPTION                                                                            \
	{                                                                                        \
		.name = "memory", .kind = ARG_BYTES, .min = 1, .max = 0x1p40, .value = "BYTES",  \
		.help = "that inputs, outputs and activations may take, like 256K or 2M: where " \
			"they would take more, layers in a row are computed by strips of rows"   \
	}

typedef struct Model {
	Arena *arena;
	const char *path;    /* of the file; where the model is a URL, of what was fetched */
	Graph *graph;        /* NULL when the import failed */
	ImportReport report; /* as far as the import came */
	Npy *input;          /* per graph input: what --input gave; without data when nothing */
} Model;

/* Imports the file, fetched first when it is a URL (cli/fetched.h), with --shape, --freeze and
 * --input. Inputs whose values the shapes need are frozen to what --input says, and named on
 * stderr. What is not supported is listed on stderr. Errors: those of graph_import; ERR_INPUT when
 * an input does not exist, is given twice, or does not fit in type or extents. model_close either
 * way. */
int model_open(Model *m, const char *path, const Args *a, Err *e);
/* The same without the list: it is in m->report. */
int model_import(Model *m, const char *path, const Args *a, Err *e);
void model_close(Model *m);

/* What a file is called for people: "dir/model.onnx" -> "model". In a. */
const char *model_stem(Arena *a, const char *path);

#endif
