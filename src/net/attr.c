/* SPDX-License-Identifier: Apache-2.0 */
#include "net/attr.h"

#include <string.h>

#include "base/util.h"

uint64_t attr_get(const struct attr *a, const void *opts)
{
	const uint8_t *at = (const uint8_t *)opts + a->off;

	switch (a->size) {
	case 1:
		return *at;
	case 2: {
		uint16_t v;

		memcpy(&v, at, 2);
		return v;
	}
	case 4: {
		uint32_t v;

		memcpy(&v, at, 4);
		return v;
	}
	case 8: {
		uint64_t v;

		memcpy(&v, at, 8);
		return v;
	}
	}
	assert(!"an attribute that is no number");
	return 0;
}

void attr_put(const struct attr *a, void *opts, uint64_t v)
{
	uint8_t *at = (uint8_t *)opts + a->off;
	uint8_t v1 = (uint8_t)v;
	uint16_t v2 = (uint16_t)v;
	uint32_t v4 = (uint32_t)v;

	switch (a->size) {
	case 1:
		memcpy(at, &v1, 1);
		return;
	case 2:
		memcpy(at, &v2, 2);
		return;
	case 4:
		memcpy(at, &v4, 4);
		return;
	case 8:
		memcpy(at, &v, 8);
		return;
	}
	assert(!"an attribute that is no number");
}

void attr_defaults(const struct attr_set *s, void *opts)
{
	memset(opts, 0, s->opts_size);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->attrs[i].def)
			attr_put(&s->attrs[i], opts, s->attrs[i].def);
}

int attr_by_nl(const struct attr_set *s, uint16_t nl, bool *is6)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->attrs[i].nl == nl || (s->attrs[i].nl6 && s->attrs[i].nl6 == nl)) {
			*is6 = s->attrs[i].nl != nl;
			return (int)i;
		}
	}
	return -1;
}

static bool word_matches(const struct attr *a, const char *name, const char *word)
{
	if (!name)
		return false;
	if (a->flags & ATTR_EXACT)
		return strcmp(word, name) == 0;
	return strncmp(word, name, strlen(word)) == 0;
}

int attr_by_word(const struct attr_set *s, const char *word, bool *negated)
{
	*negated = false;
	if (!*word)
		return -1;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct attr *a = &s->attrs[i];

		if (a->flags & ATTR_NO_WORD)
			continue;
		if (word_matches(a, a->name, word) || word_matches(a, a->alias, word))
			return (int)i;
		if (a->kind == ATTR_BOOL && !strncmp(word, "no", 2) && word[2] &&
		    word_matches(a, a->name, word + 2)) {
			*negated = true;
			return (int)i;
		}
	}
	return -1;
}
