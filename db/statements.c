/* The statements over the file's tables, made from the list of columns. Parameter ?N is column N,
 * counted from 1; the number of the key's row is parameter LOG_KEY_PARAMETER. */
#include "db/log_file.h"

void
log_column_names(Str *s, const char *table, int from, int to)
{
	for (int i = from; i < to; i++)
		str_printf(s, "%s%s%s", i > from ? ", " : "", table, log_column[i].name);
}

/* "a = ?1 AND b = ?2..." for the columns of the key; from `optional` on, NULL matches anything. */
static void
key_equalities(Str *s, int optional)
{
	for (int i = 0; i < log_key_columns; i++) {
		str_add(s, i ? " AND " : "");
		str_printf(s, i < optional ? "%s = ?%d" : "(%s = ?%d OR ?%d IS NULL)",
			   log_column[i].name, i + 1, i + 1);
	}
}

static void
values(Str *s, int from, int to)
{
	for (int i = from; i < to; i++)
		str_printf(s, "%s?%d", i > from ? ", " : "", i + 1);
}

static void
insert_sql(Str *s)
{
	str_add(s, "INSERT INTO trial (");
	log_column_names(s, "", log_key_columns, log_columns);
	str_add(s, ", key) VALUES (");
	values(s, log_key_columns, log_columns);
	str_printf(s, ", ?%d)", LOG_KEY_PARAMETER);
}

/* What tells one measurement from another. */
static void
known_sql(Str *s)
{
	str_printf(s, "SELECT 1 FROM trial WHERE key = ?%d", LOG_KEY_PARAMETER);
	for (int i = log_key_columns; i < log_columns; i++)
		if (log_column[i].identity)
			str_printf(s, " AND %s = ?%d", log_column[i].name, i + 1);
}

static void
find_key_sql(Str *s)
{
	str_add(s, "SELECT id FROM keys WHERE ");
	key_equalities(s, log_key_columns);
}

static void
add_key_sql(Str *s)
{
	str_add(s, "INSERT INTO keys (");
	log_column_names(s, "", 0, log_key_columns);
	str_add(s, ") VALUES (");
	values(s, 0, log_key_columns);
	str_add(s, ")");
}

/* The id comes first, then all columns. */
static void
select_sql(Str *s)
{
	str_add(s, "SELECT trial.id, ");
	log_column_names(s, "", 0, log_columns);
}

static void
select_all_sql(Str *s)
{
	select_sql(s);
	str_add(s, " FROM trial CROSS JOIN keys ON keys.id = trial.key WHERE ");
	key_equalities(s, 0);
	str_add(s, " ORDER BY trial.id");
}

static void
select_task_sql(Str *s)
{
	select_sql(s);
	str_add(s, " FROM keys CROSS JOIN trial ON trial.key = keys.id WHERE ");
	key_equalities(s, 1);
	str_add(s, " ORDER BY trial.id");
}

static void
select_one_sql(Str *s)
{
	select_sql(s);
	str_add(s, " FROM trial CROSS JOIN keys ON keys.id = trial.key WHERE trial.id = ?1");
}

static void
keys_sql(Str *s)
{
	str_add(s, "SELECT id, ");
	log_column_names(s, "", 0, log_key_columns);
	str_add(s, " FROM keys");
}

static void
keys_task_sql(Str *s)
{
	keys_sql(s);
	str_add(s, " WHERE task = ?1 ORDER BY id");
}

static void
keys_all_sql(Str *s)
{
	keys_sql(s);
	str_add(s, " ORDER BY ");
	log_column_names(s, "", 0, log_key_columns);
}

static const struct {
	const char *fixed;
	void (*made)(Str *s);
	bool writes;
} list[LOG_STATEMENT_COUNT] = {
#define X(name, sql) [LOG_##name] = {sql, NULL, false},
	LOG_STATEMENT_LIST(X)
#undef X
#define X(name, make, writing) [LOG_##name] = {NULL, make, writing},
		LOG_MADE_LIST(X)
#undef X
};

int
log_prepare(Log *l, Err *e)
{
	int rc = OK;

	for (int i = 0; i < LOG_STATEMENT_COUNT && !rc; i++) {
		Str s = {0};

		if (!l->writable && list[i].writes)
			continue;
		if (list[i].fixed)
			str_add(&s, list[i].fixed);
		else
			list[i].made(&s);
		if (sqlite3_prepare_v3(l->db, str_get(&s), -1, SQLITE_PREPARE_PERSISTENT,
				       &l->statement[i], NULL))
			rc = log_fail(l, e);
		str_fini(&s);
	}
	return rc;
}
