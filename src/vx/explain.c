/* SPDX-License-Identifier: Apache-2.0 */
/* `vx explain`: what happened to a packet, and why. */
#include "vx/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/pcapng.h"

struct explain_words {
	const char *count, *where, *reason, *config, *capture, *save;
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
					  : !strcmp(w, "-w")			 ? &x->save
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

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static const char *show_text(const struct vx_cli *c, const json_t *show)
{
	return json_string_value(json_object_get(show, c->detail ? "detail" : "text"));
}

static void save(struct explain_out *out, const json_t *trace)
{
	const json_t *show = json_object_get(trace, "show");
	const char *hex = json_string_value(json_object_get(show, "frame"));
	uint8_t frame[512];
	size_t len = from_hex(hex ? hex : "", frame, sizeof(frame));

	out->err = pcapng_write(out->file, json_string_value(json_object_get(trace, "dev")),
				(uint64_t)json_integer_value(json_object_get(show, "at")), frame, len,
				(size_t)json_integer_value(json_object_get(show, "full")),
				show_text(out->c, show));
	if (!out->err)
		out->err = pcapng_flush(out->file);
	out->written += !out->err;
}

void explain_put(struct explain_out *out, json_t *trace)
{
	if (out->file) {
		save(out, trace);
		json_decref(trace);
		return;
	}
	if (!out->c->json) {
		puts(show_text(out->c, json_object_get(trace, "show")));
		json_decref(trace);
	} else {
		json_object_del(trace, "show");
		print_json(trace);
	}
	fflush(stdout);
}

/* One answer of explain/next.  True: go on. */
static bool show(struct explain_out *out, const char *text)
{
	json_t *msg = json_loads(text, 0, NULL), *t;
	json_int_t missed = json_integer_value(json_object_get(msg, "missed"));
	bool done = json_is_true(json_object_get(msg, "done"));
	size_t i;

	json_array_foreach (json_object_get(msg, "traces"), i, t)
		explain_put(out, json_incref(t));
	if (missed)
		fprintf(stderr, "(%lld more came faster than they could be shown)\n",
			(long long)missed);
	json_decref(msg);
	return !done && !out->err;
}

static int live(struct explain_out *out, const struct explain_words *x)
{
	const char *start[] = {"explain/start", x->count, x->where, x->reason, text_get(&x->expr)};
	const char *next[] = {"explain/next"};
	char *text = cli_call(out->c, 5, start);
	bool more = text;

	if (!text)
		return 1;
	if (*text)
		fprintf(stderr, "%s\n", text);
	free(text);
	while (more && (text = cli_call(out->c, 1, next))) {
		more = show(out, text);
		free(text);
	}
	return text ? 0 : 1;
}

static int run(struct explain_out *out, const struct explain_words *x)
{
	if (x->config)
		return explain_offline(out, x->config, x->capture, x->where, x->reason,
				       text_get(&x->expr));
	return live(out, x);
}

/* With -w: the file is there before the first packet is asked for. */
static int run_into(struct explain_out *out, const struct explain_words *x)
{
	int r;

	out->file = pcapng_create(x->save);
	if (!out->file)
		return cli_error("cannot write %s: %s", x->save, strerror(errno));
	r = run(out, x);
	out->err = pcapng_close(out->file);
	if (out->err)
		return cli_error("cannot write %s: %s", x->save, strerror(-out->err));
	fprintf(stderr, "%llu packets with their explanations are in %s\n", out->written, x->save);
	return r;
}

int cmd_explain(struct vx_cli *c, int argc, char **argv)
{
	struct explain_out out = {.c = c};
	struct explain_words x;
	int r = parse(&x, argc, argv);

	if (!r)
		r = x.save ? run_into(&out, &x) : run(&out, &x);
	text_done(&x.expr);
	return r;
}
