/* SPDX-License-Identifier: Apache-2.0 */
/* `vx explain`: what happened to a packet, and why. */
#include "vx/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct explain_words {
	const char *count, *where, *reason, *config, *capture;
	struct text expr;
};

static int bad(const char *word)
{
	return cli_error("Error: \"%s\" is not known here. Try \"vx explain help\".", word);
}

/* 0, or an exit code. */
static int parse(struct explain_words *x, int argc, char **argv)
{
	unsigned long long n;

	*x = (struct explain_words){.count = "0", .where = "any", .reason = ""};
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];

		if (*w == '-' || !strcmp(w, "drop")) {
			const char **to = !strcmp(w, "-c") || !strcmp(w, "count") ? &x->count
					  : !strcmp(w, "-f")			 ? &x->config
					  : !strcmp(w, "drop")			 ? &x->reason
										 : NULL;

			if (!to)
				return bad(w);
			if (++i == argc)
				return cli_error("Command line is not complete. Try option \"help\"");
			*to = argv[i];
		} else if (!x->expr.len && (!strcmp(w, "outer") || !strcmp(w, "inner"))) {
			x->where = w;
		} else if (x->config && !x->capture) {
			x->capture = w;
		} else {
			text_printf(&x->expr, "%s%s", x->expr.len ? " " : "", w);
		}
	}
	if (text_to_u64(x->count, 1000000, &n) < 0)
		return cli_error("Error: argument \"%s\" is wrong: a count is 1..1000000", x->count);
	if (x->config && !x->capture)
		return cli_error("vx explain -f CONFIG needs a capture: vx explain -f CONFIG FILE.pcap");
	return 0;
}

void explain_print(struct vx_cli *c, json_t *trace)
{
	const char *key = c->detail ? "detail_out" : "text_out";

	if (!c->json) {
		fputs(json_string_value(json_object_get(trace, key)), stdout);
		putchar('\n');
		fflush(stdout);
		json_decref(trace);
		return;
	}
	json_object_del(trace, "text_out");
	json_object_del(trace, "detail_out");
	print_json(trace);
	fflush(stdout);
}

/* One answer of explain/next.  True: go on. */
static bool show(struct vx_cli *c, const char *text)
{
	json_t *msg = json_loads(text, 0, NULL), *t;
	json_int_t missed = json_integer_value(json_object_get(msg, "missed"));
	bool done = json_is_true(json_object_get(msg, "done"));
	size_t i;

	json_array_foreach (json_object_get(msg, "traces"), i, t)
		explain_print(c, json_incref(t));
	if (missed)
		fprintf(stderr, "(%lld more came faster than they could be shown)\n",
			(long long)missed);
	json_decref(msg);
	return !done;
}

int cmd_explain(struct vx_cli *c, int argc, char **argv)
{
	const char *next[] = {"explain/next"};
	struct explain_words x;
	bool more = true;
	char *text;
	int r = parse(&x, argc, argv);

	if (r) {
		text_done(&x.expr);
		return r;
	}
	if (x.config) {
		r = explain_offline(c, x.config, x.capture, x.where, x.reason, text_get(&x.expr));
		text_done(&x.expr);
		return r;
	}
	const char *start[] = {"explain/start", x.count, x.where, x.reason, text_get(&x.expr)};

	text = cli_call(c, 5, start);
	text_done(&x.expr);
	if (!text)
		return 1;
	if (*text)
		fprintf(stderr, "%s\n", text);
	free(text);
	while (more) {
		text = cli_call(c, 1, next);
		if (!text)
			return 1;
		more = show(c, text);
		free(text);
	}
	return 0;
}
