/* SPDX-License-Identifier: Apache-2.0 */
/* Help for every word. */
#ifndef VX_VX_HELP_H
#define VX_VX_HELP_H

#include <stdio.h>

int help_all(FILE *f);			/* returns 255 on stderr, 0 on stdout */
int help_object(const char *object);	/* exit code */
int help_link(const char *kind);	/* NULL: the generic part */

#endif
