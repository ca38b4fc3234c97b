/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bridge.h"
#include "ctl/formers.h"
#include "ctl/lines.h"
#include "datapath/dp.h"
#include "ctl/words.h"
#include "log/vlog.h"
#include "vxlan/device.h"

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	vlog(VLM_VSWITCHD, VLL_WARN, "%s", text);
}

int register_types(struct vxd *d)
{
	int r = vxlan_init_module(d->vx);

	d->packet = (struct packet_ctx){.wake = d->wake, .open = d->helper.open, .warn = warn};
	d->host.packet = &d->packet;
	d->mem = (struct mem_ctx){.wake = &d->wake};
	d->pcap = (struct pcap_ctx){.wake = &d->wake, .epoch = clock_epoch(), .warn = warn};
	if (r == 0)
		r = bridge_init_module(d->vx);
	if (r == 0)
		r = dp_init_module(d->vx);
	if (r == 0)
		r = packet_init_module(d->vx, &d->packet);
	if (r == 0)
		r = netif_init_module(d->vx, &d->packet);
	if (r == 0)
		r = mem_init_module(d->vx, &d->mem);
	if (r == 0)
		r = pcap_init_module(d->vx, &d->pcap);
	return r;
}

static uint32_t index_of(void *ctx, const char *name)
{
	struct vxd *d = ctx;
	struct dev *dev = dev_by_name(d->vx, name);
	struct host_link l;

	if (dev)
		return dev->ifindex;
	return host_link_get(&d->host, 0, name, &l) == 0 ? l.ifindex : 0;
}

static int run_rule(struct vxd *d, int argc, char **argv, char *why, size_t size)
{
	struct text out = {0};
	int r = rules_command(&d->rules, argc - 1, argv + 1, &out);

	snprintf(why, size, "%s", text_get(&out));
	text_done(&out);
	return r;
}

/* As if it had come over vxd.nl. */
static int run_words(struct vxd *d, int argc, char **argv, char *why, size_t size)
{
	struct words *x = malloc(sizeof(*x));
	struct vx_err err = {0};
	int r;

	if (!x)
		return -1;
	*x = (struct words){.ifindex = index_of, .ctx = d};
	r = words_parse(x, argc, argv);
	if (r < 0) {
		snprintf(why, size, "%s", x->error);
	} else {
		r = rtnl_do(&d->rtnl, x->nlh, &err);
		if (r < 0)
			snprintf(why, size, "%s", *err.text ? err.text : strerror(-r));
	}
	free(x);
	return r < 0 ? -1 : 0;
}

/* One command. */
static int run_line(void *ctx, int argc, char **argv, char *why, size_t size)
{
	struct vxd *d = ctx;

	if (!strcmp(argv[0], "rule"))
		return run_rule(d, argc, argv, why, size);
	if (!strcmp(argv[0], "by-ovsdb"))
		return formers_line(d->vx, argc, argv, why, size);
	return run_words(d, argc, argv, why, size);
}

int config_run(struct vxd *d, const char *path)
{
	FILE *f = fopen(path, "re");
	struct lines_result res;
	int r;

	if (!f) {
		fprintf(stderr, "vxd: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	d->rtnl.adopt = true; /* after a crash there is no state to say what was left */
	r = lines_run(f, run_line, d, &res);
	d->rtnl.adopt = false;
	fclose(f);
	if (r < 0)
		fprintf(stderr, "vxd: %s, line %u: %s\nvxd: nothing of %s was applied\n", path,
			res.line, res.why, path);
	return r;
}

int config_restore(struct vxd *d)
{
	int failed;

	d->rtnl.adopt = true;
	failed = state_replay(&d->state, run_line, d);
	d->rtnl.adopt = false;
	if (failed < 0) {
		fprintf(stderr, "vxd: cannot read %s: %s\n", d->state.path, strerror(-failed));
		return -1;
	}
	if (failed)
		state_keep_copy(&d->state);
	state_compact(&d->state, d->vx);
	return 0;
}
