/* SPDX-License-Identifier: Apache-2.0 */
/* A log line's pattern, as vlog/set PATTERN:... takes it.  Within log/. */
#ifndef VX_LOG_PATTERN_H
#define VX_LOG_PATTERN_H

#include <stdint.h>

#include "base/text.h"
#include "log/vlog.h"

struct pattern_values {
	const char *program, *module, *message;
	enum vlog_level level;
	unsigned serial;
	int64_t ms; /* since 1970 */
};

/* %A program, %c module, %d{..} and %D{..} local and UTC time (strftime's, # a digit of the
 * milliseconds), %E host name, %m message, %N number, %n newline, %p level, %P process, %T
 * "(thread)" or nothing, %t thread, %%; between % and letter a width, "0" before it fills with zeros
 * and "-" fills behind. */
void pattern_format(struct text *t, const char *pattern, const struct pattern_values *v);
const char *vlog_level_name(enum vlog_level l); /* "INFO" */

#endif
