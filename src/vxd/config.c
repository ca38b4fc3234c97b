/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bridge.h"
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

/* One command, as if it had come over vxd.nl. */
static int run_line(void *ctx, int argc, char **argv, char *why, size_t size)
{
	struct vxd *d = ctx;
	struct words *x = malloc(sizeof(*x));
	struct vx_err err = {0};
	int r;

	if (!x)
		return -1;
	if (!strcmp(argv[0], "rule")) {
		struct text out = {0};

		free(x);
		r = rules_command(&d->rules, argc - 1, argv + 1, &out);
		snprintf(why, size, "%s", text_get(&out));
		text_done(&out);
		return r;
	}
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

void config_restore(struct vxd *d)
{
	d->rtnl.adopt = true;
	if (state_replay(&d->state, run_line, d) > 0)
		state_keep_copy(&d->state);
	d->rtnl.adopt = false;
	state_compact(&d->state, d->vx);
}
