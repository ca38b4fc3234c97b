/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `vx explain -f CONFIG FILE.pcap`: a struct vx of its own, configured by CONFIG, gets the frames
 * of the capture on a port (architecture section 5).  What a VXLAN device would hand to the host's
 * side counts as delivered; a unicast destination on a VXLAN port counts as an address of this
 * host.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "ctl/explain.h"
#include "ctl/filter.h"
#include "ctl/lines.h"
#include "ctl/rtnl.h"
#include "ctl/words.h"
#include "io/mem.h"
#include "net/host.h"
#include "net/inet.h"
#include "net/napi.h"
#include "net/route.h"
#include "net/watch.h"
#include "vx/explain.h"
#include "vxlan/device.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

struct offline {
	struct explain_out *out;
	struct vx *vx;
	struct rtnl rtnl;
	struct mem_ctx mem;
	struct watch watch;
	struct filter filter;
	pcap_t *capture;
	uint64_t now, began;
	enum drop only;
	uint32_t shown;
	/* The frame that is to be read. */
	const uint8_t *frame;
	struct pcap_pkthdr *head;
};

static struct offline *here; /* one per process: the program's */

/* --- ports -------------------------------------------------------------------------------------- */

struct offline_port {
	struct io io;
	struct napi napi;
};

static uint32_t port_read(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct pkt *p;
	uint32_t len;

	if (!here->frame)
		return 0;
	len = MIN(here->head->caplen, (uint32_t)PBUF_BIG);
	p = pkt_new(w->pool, len);
	if (!p)
		return 0;
	w->acct.rx++;
	memcpy(pkt_append(p, len), here->frame, len);
	p->dev = p->orig_dev = io->dev;
	here->frame = NULL;
	batch_add(b, p);
	return 1;
}

static void port_take(struct io *io, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
	b->n = 0;
}

static void port_free(void *arg)
{
	free(arg);
}

static void port_close(struct io *io, bool keep)
{
	struct offline_port *p = container_of(io, struct offline_port, io);

	napi_remove(&p->napi);
	quiesce_defer(&io->vx->quiesce, port_free, p);
}

static const struct io_ops port_ops = {
	.name = "capture", .rx = port_read, .tx = port_take, .close = port_close};

static struct offline_port *port_new(struct dev *d, bool host)
{
	struct offline_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->io = (struct io){.ops = &port_ops, .vx = d->vx, .dev = d, .can = ~0u,
			    .kind = host ? "host" : "capture", .napi = &p->napi};
	napi_init(&p->napi, d->vx->workers[0], host ? port_host_poll : port_poll, &p->io);
	atomic_store(host ? &d->host : &d->io, &p->io);
	return p;
}

static int side_add(void *ctx, struct dev *d, bool adopt, struct vx_err *err)
{
	return port_new(d, true) ? 0 : -ENOMEM;
}

static const struct host_ops host_ops = {.side_add = side_add};

static void under_setup(struct dev *d)
{
	static const struct dev_ops ops = {.xmit = port_xmit};

	d->ops = &ops;
}

static int under_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			 uint64_t present, struct vx_err *err)
{
	return port_new(d, false) ? 0 : -ENOMEM;
}

/* Stands for packet, netif and pcap ports, and for the host's interfaces. */
static const struct link_type under_type = {
	.kind = "capture", .setup = under_setup, .newlink = under_newlink};

static struct dev *under_add(const char *name)
{
	struct link_cfg cfg = {.has_up = true, .up = true};
	struct dev *d = NULL;

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	return link_newlink(here->vx, &under_type, &cfg, NULL, 0, NULL, &d) < 0 ? NULL : d;
}

/* --- configuration ----------------------------------------------------------------------------------- */

/* A device that the configuration does not make is the host's: an underlay. */
static uint32_t index_of(void *ctx, const char *name)
{
	struct dev *d = dev_by_name(here->vx, name);

	if (!d && strlen(name) < DEV_NAME_MAX)
		d = under_add(name);
	return d ? d->ifindex : 0;
}

static const char *const under_types[] = {"packet", "netif", "pcap", "xdp"};

/* "link add NAME ... type packet ...": the capture's port under that name. */
static bool is_under(int argc, char **argv, const char **name)
{
	if (argc < 5 || !words_match(argv[0], "link") || !words_match(argv[1], "add"))
		return false;
	*name = strcmp(argv[2], "name") && strcmp(argv[2], "dev") ? argv[2] : argv[3];
	for (int i = 3; i + 1 < argc; i++)
		if (!strcmp(argv[i], "type"))
			for (size_t k = 0; k < ARRAY_LEN(under_types); k++)
				if (!strcmp(argv[i + 1], under_types[k]))
					return true;
	return false;
}

static int run_line(void *ctx, int argc, char **argv, char *why, size_t size)
{
	struct words *x = calloc(1, sizeof(*x));
	struct vx_err err = {0};
	const char *name;
	int r;

	if (!x)
		return -1;
	if (is_under(argc, argv, &name)) {
		free(x);
		snprintf(why, size, "cannot make %s", name);
		return dev_by_name(here->vx, name) || under_add(name) ? 0 : -1;
	}
	x->ifindex = index_of;
	r = words_parse(x, argc, argv);
	if (r < 0)
		snprintf(why, size, "%s", x->error);
	else if ((r = rtnl_do(&here->rtnl, x->nlh, &err)) < 0)
		snprintf(why, size, "%s", *err.text ? err.text : strerror(-r));
	free(x);
	return r < 0 ? -1 : 0;
}

static int configure(const char *path)
{
	FILE *f = fopen(path, "re");
	struct lines_result res;
	int r;

	if (!f) {
		fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	r = lines_run(f, run_line, NULL, &res);
	fclose(f);
	if (r < 0)
		fprintf(stderr, "%s, line %u: %s\n", path, res.line, res.why);
	return r;
}

/* --- frames -------------------------------------------------------------------------------------------- */

static bool on_vxlan_port(uint16_t port)
{
	list_for_each (s, &here->vx->vxlan_socks, struct vxlan_sock, node)
		if (s->port == port)
			return true;
	return false;
}

/* The destination of a packet for a VXLAN port counts as ours, its MAC as the port's. */
static void assume_local(struct dev *d, const uint8_t *p, uint32_t len)
{
	const struct eth_hdr *eth = (const void *)p;
	uint32_t at = sizeof(*eth);
	struct ip_addr dst;

	if (len >= at + sizeof(struct ip4_hdr) && be16_get(eth->type) == ETHTYPE_IP4) {
		const struct ip4_hdr *ip = (const void *)(p + at);

		if (ip->proto != IPPROTO_UDP_)
			return;
		dst = ip_from4(ip->dst);
		at += ip4_hdr_len(ip);
	} else if (len >= at + sizeof(struct ip6_hdr) && be16_get(eth->type) == ETHTYPE_IP6) {
		const struct ip6_hdr *ip = (const void *)(p + at);

		if (ip->next != IPPROTO_UDP_)
			return;
		dst = ip_from6(ip->dst);
		at += sizeof(*ip);
	} else {
		return;
	}
	if (len < at + sizeof(struct udp_hdr) || ip_is_multicast(&dst) ||
	    !on_vxlan_port(be16_get(((const struct udp_hdr *)(p + at))->dst)))
		return;
	if (mac_is_unicast(&eth->dst))
		d->mac = eth->dst;
	if (!route_is_local(here->vx->inet, &dst))
		inet_addr_add(d, &dst, ip_is4(&dst) ? 32 : 128, NULL, "assumed local", NULL);
}

static uint64_t match(struct watch *w, const struct batch *b, bool from_udp)
{
	return filter_match_batch(&here->filter, b, from_udp);
}

static void trace_done(void *ctx, struct trace *t)
{
	if (here->only == DROP_NONE || explain_drop(t) == here->only) {
		here->shown++;
		explain_put(here->out, explain_json(here->vx, t, here->began, 0));
	}
	free(t);
	atomic_fetch_sub(&here->watch.out, 1);
}

static void turn(void)
{
	for (int i = 0; i < 16 && vx_turn(here->vx, 0, here->now); i++)
		;
	quiesce_idle(&here->vx->quiesce, 0);
}

static void replay(struct dev *under)
{
	struct io *io = atomic_load(&under->io);

	while (pcap_next_ex(here->capture, &here->head, &here->frame) == 1) {
		uint64_t at = (uint64_t)here->head->ts.tv_sec * NS_PER_S +
			      (uint64_t)here->head->ts.tv_usec;

		here->now = MAX(here->now, at);
		if (!here->began)
			here->began = here->now;
		vx_control_turn(here->vx, here->now);
		assume_local(under, here->frame, here->head->caplen);
		napi_schedule(io->napi);
		turn();
	}
}

/* Every frame of the capture is accounted for, or what was said of them was not the whole. */
static void check_account(struct vx *vx)
{
	struct account a;

	vx_account(vx, &a);
	assert(account_open(&a) == (int64_t)vx_held(vx));
}

static struct dev *find_under(void)
{
	list_for_each (d, &here->vx->devs, struct dev, node)
		if (d->type == &under_type)
			return d;
	return under_add("capture");
}

static int make(struct offline *o)
{
	struct vx_config cfg = {.n_workers = 1, .key = {1, 2}, .random = 1, .host = &host_ops};
	int r;

	o->vx = vx_new(&cfg);
	if (!o->vx)
		return -ENOMEM;
	r = link_register(o->vx, &under_type);
	if (r == 0)
		r = vxlan_init_module(o->vx);
	if (r == 0)
		r = bridge_init_module(o->vx);
	if (r == 0)
		r = mem_init_module(o->vx, &o->mem);
	if (r == 0)
		r = rtnl_init(&o->rtnl, o->vx, NULL, -1);
	return r;
}

static bool open_capture(struct offline *o, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];

	o->capture = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!o->capture)
		fprintf(stderr, "%s\n", why);
	else if (pcap_datalink(o->capture) != DLT_EN10MB)
		fprintf(stderr, "%s holds no Ethernet frames\n", path);
	else
		return true;
	return false;
}

int explain_offline(struct explain_out *out, const char *config, const char *capture,
		    const char *where, const char *reason, const char *expr)
{
	static struct offline o;
	char why[400];
	int r = 1;

	here = &o;
	o.out = out;
	for (int i = 1; i < DROP_COUNT; i++)
		if (!strcmp(drop_infos[i].name, reason))
			o.only = (enum drop)i;
	if (*reason && o.only == DROP_NONE)
		return cli_error("\"%s\" is no drop reason: doc/drops.md lists them.", reason);
	if (!TRACE_IS_BUILT)
		return cli_error("this vx was built without explain (-Dtrace=disabled)");
	if (!open_capture(&o, capture) || make(&o) < 0)
		return 1;
	if (configure(config) == 0) {
		struct dev *under = find_under();

		if (filter_init(&o.filter, o.vx,
				!strcmp(where, "outer")	  ? FILTER_OUTER
				: !strcmp(where, "inner") ? FILTER_INNER
							  : FILTER_ANY,
				expr, why, sizeof(why)) < 0) {
			fprintf(stderr, "%s\n", why);
		} else if (under) {
			o.watch = (struct watch){.match = match, .done = trace_done};
			atomic_store(&o.watch.left, INT64_MAX);
			watch_set(o.vx, &o.watch);
			replay(under);
			check_account(o.vx);
			r = 0;
		}
	}
	watch_set(o.vx, NULL);
	pcap_close(o.capture);
	rtnl_done(&o.rtnl);
	vx_free(o.vx);
	return r;
}
