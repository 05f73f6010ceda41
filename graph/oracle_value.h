/* Arithmetic of the oracle: a value in double precision and a bound of what single precision makes
 * of it. */
#ifndef GRAPH_ORACLE_VALUE_H
#define GRAPH_ORACLE_VALUE_H

#include "graph/oracle.h"

#define ORACLE_TINY 1.2e-38 /* flushed denormals */

/* Relative rounding error of one operation, or of a store, in type t. */
double oracle_unit(DType t);

/* What integer arithmetic of type t keeps of v; v itself for floating types. */
double oracle_wrap(DType t, double v);

/* The operation of x on operands; from: the type of a. The error is INFINITY where the value is
 * beyond x's type. */
OracleValue oracle_unary(const Expr *x, DType from, OracleValue a);
OracleValue oracle_binary(const Expr *x, OracleValue a, OracleValue b);

#endif
