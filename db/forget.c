/* Removing rows. What is selected is one condition, the same for looking and for removing. */
#include <string.h>

#include "db/log_file.h"
#include "db/upkeep.h"

/* Parameters 1 to 6: task, device, target, status, before, insecure; 7: tasks as a JSON array. */
#define SELECTED                                                                 \
	" trial JOIN keys ON keys.id = trial.key WHERE "                         \
	"(?1 IS NULL OR substr(keys.task, 1, length(?1)) = ?1) AND "             \
	"(?2 IS NULL OR instr(keys.device, ?2) > 0) AND "                        \
	"(?3 IS NULL OR instr(keys.target, ?3) > 0) AND "                        \
	"(?4 IS NULL OR trial.status = ?4) AND (?5 = 0 OR trial.time < ?5) AND " \
	"(?6 = 0 OR trial.insecure = 1) AND "                                    \
	"(?7 IS NULL OR keys.task IN (SELECT value FROM json_each(?7)))"

static void
json_list(const char *const *word, Str *out)
{
	str_add(out, "[");
	for (int i = 0; word[i]; i++) {
		str_add(out, i ? ",\"" : "\"");
		for (const char *p = word[i]; *p; p++)
			if (strchr("0123456789abcdef", *p)) /* digests; others match nothing */
				str_addn(out, p, 1);
		str_add(out, "\"");
	}
	str_add(out, "]");
}

static int
prepare(Log *l, const char *sql, const LogSelection *x, sqlite3_stmt **s, Err *e)
{
	const char *text[] = {x->task, x->device, x->target, x->status};
	int rc = log_query(l, sql, s, e);
	Str tasks = {0};

	if (rc)
		return rc;
	for (int i = 0; i < 4; i++)
		sqlite3_bind_text(*s, i + 1, text[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(*s, 5, x->before);
	sqlite3_bind_int64(*s, 6, x->insecure);
	if (x->tasks) {
		json_list(x->tasks, &tasks);
		sqlite3_bind_text(*s, 7, str_get(&tasks), -1, SQLITE_TRANSIENT);
		str_fini(&tasks);
	}
	return OK;
}

int
log_select(Log *l, const LogSelection *x, LogSelected *out, Err *e)
{
	int64_t *const v[] = {&out->rows,    &out->right,  &out->winners, &out->tasks,
			      &out->devices, &out->oldest, &out->newest};
	sqlite3_stmt *s;
	int rc = prepare(l,
			 "SELECT count(*), sum(trial.status = 'OK'), "
			 "sum(trial.status = 'OK' AND trial.stage = '" LOG_STAGE_WINNER "'), "
			 "count(DISTINCT keys.task), count(DISTINCT keys.device), "
			 "min(trial.time), max(trial.time) FROM" SELECTED,
			 x, &s, e);

	*out = (LogSelected){0};
	if (!rc && sqlite3_step(s) != SQLITE_ROW)
		rc = log_fail(l, e);
	for (int i = 0; i < 7 && !rc; i++)
		*v[i] = sqlite3_column_int64(s, i);
	sqlite3_finalize(s);
	return rc;
}

/* Keys without rows, texts without keys, what is said of sessions and runs without rows; and what
 * searches began with and concluded from the rows there were. */
static int
sweep(Log *l, Err *e)
{
	static const char sql[] =
		"DELETE FROM keys WHERE id NOT IN (SELECT key FROM trial);"
		"DELETE FROM text WHERE kind = 'task' AND digest NOT IN (SELECT task FROM keys);"
		"DELETE FROM text WHERE kind = 'form' AND digest NOT IN (SELECT form FROM keys);"
		"DELETE FROM text WHERE kind IN ('" LOG_TEXT_CALIBRATION "', '" LOG_TEXT_BOARD
		"', '" LOG_TEXT_SESSION "', '" LOG_TEXT_STATS "') AND digest NOT IN "
		"(SELECT session FROM trial UNION "
		"SELECT substr(session, 1, instr(session || '.', '.') - 1) FROM trial);"
		"DELETE FROM text WHERE kind IN ('" LOG_TEXT_VERDICT "', '" LOG_TEXT_CHOICE
		"', '" LOG_TEXT_WARM "')";

	return sqlite3_exec(l->db, sql, NULL, NULL, NULL) ? log_fail(l, e) : OK;
}

static int
remove_selected(Log *l, const LogSelection *x, int64_t *removed, Err *e)
{
	sqlite3_stmt *s;
	int rc = prepare(l, "DELETE FROM trial WHERE id IN (SELECT trial.id FROM" SELECTED ")", x,
			 &s, e);

	if (!rc && sqlite3_step(s) != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_finalize(s);
	*removed = sqlite3_changes(l->db);
	if (!rc && *removed)
		rc = sweep(l, e);
	return rc;
}

int
log_forget(Log *l, const LogSelection *x, int64_t *removed, Err *e)
{
	int rc = log_begin(l, e);

	*removed = 0;
	if (rc)
		return rc;
	rc = log_end(l, remove_selected(l, x, removed, e), e);
	if (rc)
		*removed = 0;
	return rc;
}

int
log_shrink(Log *l, Err *e)
{
	int rc = log_need_writable(l, e);

	if (!rc)
		rc = log_vacuum(l, NULL, e);
	if (!rc && sqlite3_exec(l->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL))
		rc = log_fail(l, e);
	return rc;
}
