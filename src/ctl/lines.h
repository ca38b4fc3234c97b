/* SPDX-License-Identifier: Apache-2.0 */
/* Files with a command a line: -f, -b, state.  '#' begins a comment; quotes keep blanks together. */
#ifndef VX_CTL_LINES_H
#define VX_CTL_LINES_H

#include <stddef.h>
#include <stdio.h>

enum { LINE_WORDS_MAX = 128 };

struct lines_result {
	unsigned int line; /* of the error */
	unsigned int done; /* commands that went well */
	char why[512];
};

/* Cuts 'line' into words in place.  Returns how many, or -1 and *why. */
int line_split(char *line, char *words[], int max, const char **why);
/* Calls fn for each line with words until it returns -1.  0, or -1 with res filled in. */
int lines_run(FILE *f, int (*fn)(void *ctx, int argc, char **argv, char *why, size_t size),
	      void *ctx, struct lines_result *res);

#endif
