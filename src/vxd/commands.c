/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/commands.h"

#include <stdlib.h>

#include "base/text.h"

static void cmd_version(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	unixctl_reply(c, "vxd " VX_VERSION "\n");
}

static void cmd_stop(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;

	if (argc > 1 && strcmp(argv[1], "--keep")) {
		unixctl_fail(c, "stop takes --keep or nothing");
		return;
	}
	d->keep = argc > 1;
	d->loop.stop = true;
	unixctl_reply(c, "");
}

/* Reasons with a count, as JSON: the client makes the table. */
static void cmd_drops(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	json_t *list = json_array();
	struct account a;
	char *s;

	vx_account(d->vx, &a);
	for (int i = 1; i < DROP_COUNT; i++)
		if (a.dropped[i])
			json_array_append_new(list,
					      json_pack("{s:s, s:I, s:s, s:s, s:s}", "reason",
							drop_infos[i].name, "packets",
							(json_int_t)a.dropped[i], "text",
							drop_infos[i].text, "kernel",
							drop_infos[i].kernel, "advice",
							drop_infos[i].advice));
	s = json_dumps(list, JSON_COMPACT);
	unixctl_reply(c, s ? s : "[]");
	free(s);
	json_decref(list);
}

static void cmd_account(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct text t = {0};
	struct account a;
	struct pool_stats ps = vx_pool_stats(d->vx);

	vx_account(d->vx, &a);
	text_printf(&t,
		    "{\"rx\":%llu,\"made\":%llu,\"from_worker\":%llu,\"tx\":%llu,\"local\":%llu,"
		    "\"merged\":%llu,\"to_worker\":%llu,\"dropped\":%llu,\"held\":%llu,"
		    "\"open\":%lld,\"pkts_out\":%llu,\"small_out\":%llu,\"big_out\":%llu}",
		    (unsigned long long)a.rx, (unsigned long long)a.made,
		    (unsigned long long)a.from_worker, (unsigned long long)a.tx,
		    (unsigned long long)a.local, (unsigned long long)a.merged,
		    (unsigned long long)a.to_worker, (unsigned long long)account_dropped(&a),
		    (unsigned long long)vx_held(d->vx), (long long)account_open(&a),
		    (unsigned long long)ps.pkts_out, (unsigned long long)ps.small_out,
		    (unsigned long long)ps.big_out);
	unixctl_reply(c, text_get(&t));
	text_done(&t);
}

READS_COUNTERS static void cmd_nstat(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct text t = {0};

	for (int i = 0; i < MIB_COUNT; i++) {
		uint64_t sum = 0;

		for (uint32_t k = 0; k < d->vx->n_workers; k++)
			sum += COUNTER_NOW(&d->vx->workers[k]->mib.c[i]);
		text_printf(&t, "%-32s%-16llu0.0\n", mib_names[i], (unsigned long long)sum);
	}
	unixctl_reply(c, text_get(&t));
	text_done(&t);
}

static void cmd_rule(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct text out = {0}, *state = state_text(&d->state);

	if (rules_command(&d->rules, argc - 1, (char *const *)argv + 1, &out) < 0) {
		unixctl_fail(c, text_get(&out));
	} else {
		if (argc > 1 && strcmp(argv[1], "show") && state) {
			d->state.stale = true; /* few and rare: the whole is written anew */
			state_commit(&d->state);
		}
		unixctl_reply(c, text_get(&out));
	}
	text_done(&out);
}

static void cmd_save(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct text t = {0};

	canon_all(&t, d->vx);
	rules_canon(&d->rules, &t);
	unixctl_reply(c, text_get(&t));
	text_done(&t);
}

void commands_init(struct vxd *d)
{
	static const struct unixctl_command commands[] = {
		{"account", "", 0, 0, cmd_account},
		{"drops", "", 0, 0, cmd_drops},
		{"explain/next", "", 0, 0, explain_cmd_next},
		{"explain/start", "COUNT any|outer|inner REASON EXPRESSION", 4, 4,
		 explain_cmd_start},
		{"explain/stop", "", 0, 0, explain_cmd_stop},
		{"nstat", "", 0, 0, cmd_nstat},
		{"ping", "IP SIZE TTL", 3, 3, cmd_ping},
		{"rule", "add HOOK accept|drop [EXPRESSION] | del ID | show", 0, 60, cmd_rule},
		{"save", "", 0, 0, cmd_save},
		{"stop", "[--keep]", 0, 1, cmd_stop},
		{"udp/listen", "PORT lite|- COVERAGE 4|6", 4, 4, cmd_udp_listen},
		{"udp/next", "", 0, 0, cmd_udp_next},
		{"udp/send", "IP PORT lite|- COVERAGE TEXT", 5, 5, cmd_udp_send},
		{"udp/stop", "", 0, 0, cmd_udp_stop},
		{"version", "", 0, 0, cmd_version},
	};

	unixctl_server_create(&d->ctl);
	unixctl_server_create(&d->ovs_ctl); /* vxd/vswitchd adds its commands */
	unixctl_add(&d->ctl, commands, ARRAY_LEN(commands), d);
}
