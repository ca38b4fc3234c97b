/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lines.h"

#include <stdlib.h>
#include <string.h>

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int line_split(char *line, char *words[], int max, const char **why)
{
	char *in = line;
	int n = 0;

	for (;;) {
		char *out, quote = 0;

		while (is_blank(*in))
			in++;
		if (!*in || *in == '#')
			return n;
		if (n == max) {
			*why = "too many words";
			return -1;
		}
		words[n++] = out = in;
		for (; *in && (quote || !is_blank(*in)); in++) {
			if (quote ? *in == quote : *in == '"' || *in == '\'')
				quote = quote ? 0 : *in;
			else
				*out++ = *in;
		}
		if (quote) {
			*why = "a quotation mark is not closed";
			return -1;
		}
		if (*in)
			in++;
		*out = 0;
	}
}

int lines_run(FILE *f, int (*fn)(void *ctx, int argc, char **argv, char *why, size_t size),
	      void *ctx, struct lines_result *res)
{
	char *line = NULL, *words[LINE_WORDS_MAX + 1];
	size_t size = 0;
	int r = 0;

	*res = (struct lines_result){0};
	while (r == 0 && getline(&line, &size, f) >= 0) {
		const char *why = "";
		int n = line_split(line, words, LINE_WORDS_MAX, &why);

		res->line++;
		if (n < 0) {
			snprintf(res->why, sizeof(res->why), "%s", why);
			r = -1;
		} else if (n > 0) {
			words[n] = NULL;
			r = fn(ctx, n, words, res->why, sizeof(res->why));
			res->done += r == 0;
		}
	}
	free(line);
	return r;
}
