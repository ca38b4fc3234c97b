/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl coverage/...: what vx counts anyway, as events (ovs.md 4.3). */
#include <errno.h>

#include "base/util.h"
#include "bridge/mac.h"
#include "ovs/appctl.h"
#include "ovs/coverage.h"

enum event {
	EVENT_RECONFIGURE,
	EVENT_HIT,
	EVENT_MISSED,
	EVENT_LOST,
	EVENT_WALK,
	EVENT_LEARNED,
	EVENT_EXPIRED,
	EVENT_EVICTED,
	EVENT_MOVED,
	EVENT_DROPS, /* the first of one for each reason */
	EVENTS = EVENT_DROPS + DROP_COUNT - 1
};

static const char *const names[EVENT_DROPS] = {
	[EVENT_RECONFIGURE] = "bridge_reconfigure", [EVENT_HIT] = "datapath_hit",
	[EVENT_MISSED] = "datapath_missed",	    [EVENT_LOST] = "datapath_lost",
	[EVENT_WALK] = "revalidate_walk",	    [EVENT_LEARNED] = "mac_learning_learned",
	[EVENT_EXPIRED] = "mac_learning_expired",   [EVENT_EVICTED] = "mac_learning_evicted",
	[EVENT_MOVED] = "mac_learning_moved",
};

int appctl_coverage_init(struct ovs *o)
{
	o->coverage = coverage_new(EVENTS);
	if (!o->coverage)
		return -ENOMEM;
	for (uint32_t i = 0; i < EVENT_DROPS; i++)
		coverage_name(o->coverage, i, "", names[i]);
	for (uint32_t i = EVENT_DROPS; i < EVENTS; i++)
		coverage_name(o->coverage, i, "drop_", drop_infos[i - EVENT_DROPS + 1].name);
	return 0;
}

static void take_datapaths(struct ovs *o)
{
	uint64_t hit = 0, missed = 0, lost = 0, walks = 0;

	for (struct dpif *d = NULL; (d = appctl_next_dpif(o, d));) {
		struct dp_stats s;

		dpif_get_stats(d, &s);
		hit += s.hit;
		missed += s.missed;
		lost += s.lost;
		walks += d->reval.walks;
	}
	coverage_take(o->coverage, EVENT_HIT, hit);
	coverage_take(o->coverage, EVENT_MISSED, missed);
	coverage_take(o->coverage, EVENT_LOST, lost);
	coverage_take(o->coverage, EVENT_WALK, walks);
}

static void take_macs(struct ovs *o)
{
	struct mac_totals sum = {0};

	list_for_each (b, &o->bridges, struct bridge, node) {
		struct mac_summary s;

		if (!b->ofproto)
			continue;
		ofproto_mac_summary(b->ofproto, &s);
		sum.learned += s.totals.learned;
		sum.expired += s.totals.expired;
		sum.evicted += s.totals.evicted;
		sum.moved += s.totals.moved;
	}
	coverage_take(o->coverage, EVENT_LEARNED, sum.learned);
	coverage_take(o->coverage, EVENT_EXPIRED, sum.expired);
	coverage_take(o->coverage, EVENT_EVICTED, sum.evicted);
	coverage_take(o->coverage, EVENT_MOVED, sum.moved);
}

void appctl_coverage_take(struct ovs *o)
{
	struct account a;

	vx_account(o->cfg.vx, &a);
	for (uint32_t i = EVENT_DROPS; i < EVENTS; i++)
		coverage_take(o->coverage, i, a.dropped[i - EVENT_DROPS + 1]);
	coverage_take(o->coverage, EVENT_RECONFIGURE, o->reconfigured);
	take_datapaths(o);
	take_macs(o);
}

uint64_t appctl_coverage_run(struct ovs *o, uint64_t now)
{
	if (!o->next_coverage)
		o->next_coverage = now + COVERAGE_MS * NS_PER_MS;
	while (now >= o->next_coverage) {
		appctl_coverage_take(o);
		coverage_step(o->coverage);
		o->next_coverage += COVERAGE_MS * NS_PER_MS;
	}
	return o->next_coverage;
}

static void show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	struct text t = {0};

	(void)argc, (void)argv;
	appctl_coverage_take(o);
	coverage_show(o->coverage, &t);
	appctl_reply(c, &t);
}

static void read_counter(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	struct text t = {0};
	uint64_t total;

	(void)argc;
	appctl_coverage_take(o);
	if (!coverage_read(o->coverage, argv[1], &total)) {
		unixctl_fail(c, "No such counter");
		return;
	}
	text_printf(&t, "%llu\n", (unsigned long long)total);
	appctl_reply(c, &t);
}

void appctl_add_coverage(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"coverage/read-counter", "COUNTER", 1, 1, read_counter},
		{"coverage/show", "", 0, 0, show},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
