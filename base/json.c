/* JSON by cJSON; the only file that knows it. A Json is a cJSON under another name. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static cJSON *
own(Json *j)
{
	return (cJSON *)(void *)j;
}

static const cJSON *
view(const Json *j)
{
	return (const cJSON *)(const void *)j;
}

/* Puts v where it belongs and returns it. */
static Json *
put(Json *in, const char *key, cJSON *v)
{
	bool done = v && (!in || (key ? cJSON_AddItemToObject(own(in), key, v)
				      : cJSON_AddItemToArray(own(in), v)));

	if (!done) {
		fprintf(stderr, "hone: out of memory (JSON)\n");
		abort();
	}
	return (Json *)(void *)v;
}

Json *
json_object(Json *in, const char *key)
{
	return put(in, key, cJSON_CreateObject());
}

Json *
json_array(Json *in, const char *key)
{
	return put(in, key, cJSON_CreateArray());
}

Json *
json_text(Json *in, const char *key, const char *text)
{
	return put(in, key, cJSON_CreateString(text));
}

Json *
json_number(Json *in, const char *key, double v)
{
	return put(in, key, cJSON_CreateNumber(v));
}

Json *
json_bool(Json *in, const char *key, bool v)
{
	return put(in, key, cJSON_CreateBool(v));
}

void
json_free(Json *j)
{
	cJSON_Delete(own(j));
}

void
json_print(const Json *j, Str *out)
{
	char *text = cJSON_Print(view(j));

	if (!text) {
		fprintf(stderr, "hone: out of memory (JSON)\n");
		abort();
	}
	str_add(out, text);
	str_add(out, "\n");
	cJSON_free(text);
}

int
json_parse(const char *text, Json **out, Err *e)
{
	const char *end = text;
	int line = 1;

	*out = (Json *)(void *)cJSON_ParseWithOpts(text, &end, true);
	if (*out)
		return OK;
	for (const char *p = text; p < end; p++)
		line += *p == '\n';
	return err_set(e, ERR_INPUT, "JSON, line %d: cannot be read at '%.20s'", line, end);
}

const Json *
json_get(const Json *j, const char *key)
{
	return (const Json *)(void *)cJSON_GetObjectItemCaseSensitive(view(j), key);
}

int
json_count(const Json *j)
{
	return cJSON_GetArraySize(view(j));
}

const Json *
json_at(const Json *j, int i)
{
	return (const Json *)(void *)cJSON_GetArrayItem(view(j), i);
}

const char *
json_key(const Json *j)
{
	return j ? view(j)->string : NULL;
}

bool
json_is_text(const Json *j, const char **text)
{
	if (!cJSON_IsString(view(j)))
		return false;
	*text = view(j)->valuestring;
	return true;
}

bool
json_is_number(const Json *j, double *v)
{
	if (!cJSON_IsNumber(view(j)))
		return false;
	*v = view(j)->valuedouble;
	return true;
}

const char *
json_get_text(const Json *j, const char *key, const char *otherwise)
{
	json_is_text(json_get(j, key), &otherwise);
	return otherwise;
}

double
json_get_number(const Json *j, const char *key, double otherwise)
{
	json_is_number(json_get(j, key), &otherwise);
	return otherwise;
}
