/* SPDX-License-Identifier: Apache-2.0 */
/* RTM_NEWNEIGH, DELNEIGH, GETNEIGH of AF_BRIDGE: forwarding databases. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "ctl/rtnl.h"
#include "io/nlip.h"
#include "vxlan/device.h"

#ifndef NLM_F_BULK
#define NLM_F_BULK 0x200
#endif
enum { NDA_NDM_STATE_MASK_ = 16, NDA_NDM_FLAGS_MASK_ = 17 };

/* --- requests ------------------------------------------------------------------------------------ */

struct fdb_msg {
	const struct ndmsg *ndm;
	struct fdb_req req;
	uint32_t master;
	bool has_mac;
	uint16_t state_mask;
	uint8_t flags_mask;
};

/* Lengths of the fixed-size attributes; 0: checked elsewhere. */
static uint16_t length_of(uint16_t type)
{
	switch (type) {
	case NDA_LLADDR:
		return 6;
	case NDA_PORT:
	case NDA_VLAN:
	case NDA_NDM_STATE_MASK_:
		return 2;
	case NDA_VNI:
	case NDA_IFINDEX:
	case NDA_MASTER:
	case NDA_SRC_VNI:
	case NDA_NH_ID:
	case NDA_FLAGS_EXT:
		return 4;
	case NDA_PROTOCOL:
	case NDA_NDM_FLAGS_MASK_:
		return 1;
	}
	return 0;
}

static int get_attr(const struct nlattr *a, struct fdb_msg *m, struct vx_err *err)
{
	struct fdb_req *q = &m->req;
	uint16_t want = length_of(mnl_attr_get_type(a));

	if (want && mnl_attr_get_payload_len(a) != want)
		return vx_fail(err, -EINVAL, "attribute %u of a neighbour message has the wrong "
			       "length", mnl_attr_get_type(a));
	switch (mnl_attr_get_type(a)) {
	case NDA_LLADDR:
		memcpy(&q->mac, mnl_attr_get_payload(a), sizeof(q->mac));
		m->has_mac = true;
		return 0;
	case NDA_DST:
		q->has_dst = nlip_get(a, &q->dst);
		return q->has_dst ? 0 : vx_fail(err, -EINVAL, "dst is no IP address");
	case NDA_PORT:
		q->has_port = true;
		q->port = ntohs(mnl_attr_get_u16(a));
		return 0;
	case NDA_VLAN:
		q->vlan = mnl_attr_get_u16(a); /* accepted and ignored, as by the kernel (4.3) */
		return 0;
	case NDA_VNI:
		q->has_vni = true;
		q->vni = mnl_attr_get_u32(a);
		return q->vni <= VNI_MAX ? 0 : vx_fail(err, -EINVAL, "invalid VNI");
	case NDA_IFINDEX:
		q->has_ifindex = true;
		q->ifindex = mnl_attr_get_u32(a);
		return 0;
	case NDA_MASTER:
		m->master = mnl_attr_get_u32(a);
		return 0;
	case NDA_SRC_VNI:
		q->has_src_vni = true;
		q->src_vni = mnl_attr_get_u32(a);
		return 0;
	case NDA_NH_ID:
		q->has_nhid = true;
		q->nhid = mnl_attr_get_u32(a);
		return 0;
	case NDA_PROTOCOL:
		q->has_protocol = true;
		q->protocol = mnl_attr_get_u8(a);
		return 0;
	case NDA_FLAGS_EXT:
		q->ext_flags = mnl_attr_get_u32(a);
		return 0;
	case NDA_NDM_STATE_MASK_:
		m->state_mask = mnl_attr_get_u16(a);
		return 0;
	case NDA_NDM_FLAGS_MASK_:
		m->flags_mask = mnl_attr_get_u8(a);
		return 0;
	case NDA_CACHEINFO:
	case NDA_PROBES:
		return 0;
	}
	return vx_fail(err, -EOPNOTSUPP, "vx does not do what attribute %u of a neighbour message asks",
		       mnl_attr_get_type(a));
}

static int parse(const struct nlmsghdr *nlh, struct fdb_msg *m, struct vx_err *err)
{
	const struct nlattr *a;
	int r;

	*m = (struct fdb_msg){0};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m->ndm))
		return vx_fail(err, -EINVAL, "a neighbour message without its header");
	m->ndm = mnl_nlmsg_get_payload(nlh);
	mnl_attr_for_each (a, nlh, sizeof(*m->ndm)) {
		r = get_attr(a, m, err);
		if (r < 0)
			return r;
	}
	m->req.state = m->ndm->ndm_state;
	m->req.flags = m->ndm->ndm_flags;
	m->req.nl_flags = nlh->nlmsg_flags;
	return 0;
}

static int find(struct rtnl *r, const struct fdb_msg *m, struct dev **out, struct vx_err *err)
{
	struct host_link l;

	*out = dev_by_index(r->vx, (uint32_t)m->ndm->ndm_ifindex);
	if (*out)
		return 0;
	if (r->host && m->ndm->ndm_ifindex &&
	    host_link_get(r->host, (uint32_t)m->ndm->ndm_ifindex, NULL, &l) == 0)
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use bridge without vx exec", l.name);
	return -ENODEV;
}

/* Which devices a request is for: the port's master, the device itself, or both. */
static struct dev *master_of(const struct fdb_msg *m, struct dev *d)
{
	if (!d->master || (m->ndm->ndm_flags && !(m->ndm->ndm_flags & NTF_MASTER)))
		return NULL;
	return d->master;
}

/* Entries of a routing daemon are its own to keep (control.md S2). */
static void record(struct rtnl *r, const struct fdb_msg *m, struct dev *d, bool add)
{
	struct text *t = state_text(r->state);
	const char *cmd = !add				      ? "del"
			  : m->req.nl_flags & NLM_F_APPEND  ? "append"
			  : m->req.nl_flags & NLM_F_REPLACE ? "replace"
							    : "add";
	struct fdb_req q = m->req;

	if (!t || q.flags & NTF_EXT_LEARNED || q.has_protocol)
		return;
	q.port_dev = master_of(m, d) ? d : NULL;
	canon_fdb(t, d, cmd, &q);
}

typedef int fdb_op(struct dev *d, const struct fdb_req *q, struct vx_err *err);

static int apply(const struct fdb_msg *m, struct dev *d, bool add, struct vx_err *err)
{
	struct dev *master = master_of(m, d);
	struct fdb_req q = m->req;
	int r = -EOPNOTSUPP;

	if (master) {
		fdb_op *op = add ? master->ops->fdb_add : master->ops->fdb_del;

		q.port_dev = d;
		q.flags = m->req.flags & (uint8_t)~NTF_SELF;
		r = op ? op(master, &q, err) : -EOPNOTSUPP;
		if (r < 0)
			return r;
	}
	if (m->ndm->ndm_flags & NTF_SELF) {
		fdb_op *op = add ? d->ops->fdb_add : d->ops->fdb_del;

		q.port_dev = NULL;
		q.flags = m->req.flags & (uint8_t)~NTF_MASTER;
		r = op ? op(d, &q, err)
		       : vx_fail(err, -EOPNOTSUPP, "%s has no forwarding database", d->name);
	}
	return r;
}

static int flush(struct dev *d, const struct fdb_msg *m, struct vx_err *err)
{
	struct fdb_flush f = {
		.state = m->req.state,
		.state_mask = m->state_mask,
		.flags = m->req.flags & (uint8_t)~(NTF_SELF | NTF_MASTER),
		.flags_mask = m->flags_mask,
		.has_dst = m->req.has_dst,
		.dst = m->req.dst,
		.has_port = m->req.has_port,
		.port = m->req.port,
		.has_vni = m->req.has_vni,
		.vni = m->req.vni,
		.has_src_vni = m->req.has_src_vni,
		.src_vni = m->req.src_vni,
		.has_ifindex = m->req.has_ifindex,
		.ifindex = m->req.ifindex,
	};

	if (f.flags_mask & (uint8_t)~(NTF_EXT_LEARNED | NTF_OFFLOADED | NTF_ROUTER))
		return vx_fail(err, -EINVAL, "Unsupported fdb flush ndm flag bits set");
	if (m->req.vlan)
		return vx_fail(err, -EINVAL, "Unsupported attribute");
	if (!d->ops->fdb_flush)
		return -EOPNOTSUPP;
	return d->ops->fdb_flush(d, &f, err);
}

/* A message about an IP neighbour, not about a MAC? */
static bool is_ip(const struct nlmsghdr *nlh)
{
	const struct rtgenmsg *gen = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) >= sizeof(*gen) && gen->rtgen_family != AF_BRIDGE;
}

int rtnl_newneigh(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct fdb_msg m;
	struct dev *d;
	int r;

	if (is_ip(nlh))
		return rtnl_newneigh_ip(c, nlh, err);
	r = parse(nlh, &m, err);

	if (r == 0)
		r = find(c->r, &m, &d, err);
	if (r < 0)
		return r;
	if (!m.has_mac)
		return vx_fail(err, -EINVAL, "invalid address");
	r = apply(&m, d, true, err);
	if (r == 0)
		record(c->r, &m, d, true);
	return r;
}

int rtnl_delneigh(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct fdb_msg m;
	struct dev *d;
	int r;

	if (is_ip(nlh))
		return rtnl_delneigh_ip(c, nlh, err);
	r = parse(nlh, &m, err);

	if (r == 0)
		r = find(c->r, &m, &d, err);
	if (r < 0)
		return r;
	if (nlh->nlmsg_flags & NLM_F_BULK) {
		r = flush(d, &m, err);
		/* What a filter took is best said by what is left. */
		if (r == 0 && state_text(c->r->state))
			c->r->state->stale = true;
		return r;
	}
	if (!m.has_mac)
		return vx_fail(err, -EINVAL, "invalid address");
	r = apply(&m, d, false, err);
	if (r == 0)
		record(c->r, &m, d, false);
	return r;
}

/* --- dumps --------------------------------------------------------------------------------------- */

void rtnl_fill_fdb(struct nlmsghdr *nlh, uint32_t ifindex, uint16_t dev_port, uint32_t dev_vni,
		   const struct fdb_view *v)
{
	const uint64_t tick = NS_PER_S / 100;
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct nda_cacheinfo ci = {.ndm_used = (uint32_t)(v->used / tick),
				   .ndm_updated = (uint32_t)(v->updated / tick)};

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)ifindex;
	ndm->ndm_state = v->state;
	ndm->ndm_flags = v->flags;
	ndm->ndm_type = 1; /* RTN_UNICAST */
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(v->mac), &v->mac);
	if (v->has_dst) {
		nlip_put(nlh, NDA_DST, &v->dst);
		if (v->port != dev_port)
			mnl_attr_put_u16(nlh, NDA_PORT, htons(v->port));
		if (v->vni != dev_vni)
			mnl_attr_put_u32(nlh, NDA_VNI, v->vni);
		if (v->ifindex)
			mnl_attr_put_u32(nlh, NDA_IFINDEX, v->ifindex);
	}
	if (v->src_vni != dev_vni) /* of an external device */
		mnl_attr_put_u32(nlh, NDA_SRC_VNI, v->src_vni);
	if (v->protocol)
		mnl_attr_put_u8(nlh, NDA_PROTOCOL, v->protocol);
	mnl_attr_put(nlh, NDA_CACHEINFO, sizeof(ci), &ci);
}

struct dump_ctx {
	struct rtnl_conn *c;
	struct dev *d;
	bool no_ports; /* of a bridge's entries only its own: each port's come with the port */
	uint16_t port;
	uint32_t vni;
	uint16_t flags;
};

static int dump_one(void *ctx, const struct fdb_view *v)
{
	struct dump_ctx *x = ctx;
	uint8_t buf[512] = {0};
	struct nlmsghdr *nlh;

	if (x->no_ports && v->port_dev)
		return 0;
	nlh = rtnl_begin(x->c, buf, RTM_NEWNEIGH, x->flags);
	rtnl_fill_fdb(nlh, v->port_dev ? v->port_dev->ifindex : x->d->ifindex, x->port, x->vni, v);
	if (v->port_dev && v->port_dev != x->d)
		mnl_attr_put_u32(nlh, NDA_MASTER, x->d->ifindex);
	rtnl_put(x->c, nlh);
	return 0;
}

static void set_defaults(struct dump_ctx *x)
{
	if (dev_is_vxlan(x->d)) {
		x->port = vxlan_opts(vxlan_dev(x->d))->dstport;
		x->vni = vxlan_opts(vxlan_dev(x->d))->id;
	}
}

static int dump_dev(struct rtnl_conn *c, struct dev *d)
{
	struct dump_ctx x = {.c = c, .d = d, .no_ports = true, .flags = NLM_F_MULTI};
	int r = 0;

	set_defaults(&x);
	if (d->ops->fdb_dump)
		r = d->ops->fdb_dump(d, dump_one, &x);
	if (r == 0 && d->master && d->master->ops->fdb_dump) {
		x.no_ports = false;
		x.d = d->master;
		r = d->master->ops->fdb_dump(d, dump_one, &x);
	}
	return r;
}

/* A dump's header is an ifinfomsg (the old form) or an ndmsg (control.md N2). */
static void dump_filter(const struct nlmsghdr *nlh, uint32_t *port, uint32_t *bridge)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	bool old = len != sizeof(struct ndmsg) && len != sizeof(struct ndmsg) + 8 &&
		   len >= sizeof(struct ifinfomsg);
	size_t head = old ? sizeof(struct ifinfomsg) : sizeof(struct ndmsg);
	uint16_t master_type = old ? (uint16_t)IFLA_MASTER : (uint16_t)NDA_MASTER;
	const struct nlattr *a;

	*port = *bridge = 0;
	if (len < head)
		return;
	*port = old ? (uint32_t)((const struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index
		    : (uint32_t)((const struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_ifindex;
	mnl_attr_for_each (a, nlh, (unsigned int)head) {
		if (mnl_attr_get_payload_len(a) != 4)
			continue;
		if (mnl_attr_get_type(a) == master_type)
			*bridge = mnl_attr_get_u32(a);
		else if (!old && mnl_attr_get_type(a) == NDA_IFINDEX)
			*port = mnl_attr_get_u32(a);
	}
}

static int get_one(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct fdb_msg m;
	struct fdb_view v;
	struct dev *d, *master;
	struct dump_ctx x;
	int r = parse(nlh, &m, err);

	if (r == 0)
		r = find(c->r, &m, &d, err);
	if (r < 0)
		return r;
	master = master_of(&m, d);
	if (!master && !(m.ndm->ndm_flags & NTF_SELF))
		return vx_fail(err, -EINVAL, "Device is not a bridge port");
	x = (struct dump_ctx){.c = c, .d = master ? master : d};
	if (!x.d->ops->fdb_get)
		return -EOPNOTSUPP;
	if (m.req.has_vni) { /* the vni of a get is the source VNI (4.4) */
		m.req.has_src_vni = true;
		m.req.src_vni = m.req.vni;
	}
	r = x.d->ops->fdb_get(x.d, &m.req, &v, err);
	if (r < 0)
		return r;
	set_defaults(&x);
	return dump_one(&x, &v);
}

int rtnl_getneigh(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	const struct rtgenmsg *gen = mnl_nlmsg_get_payload(nlh);
	uint32_t port, bridge;
	int r = 0;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*gen))
		return vx_fail(err, -EINVAL, "a neighbour message without its header");
	if (is_ip(nlh))
		return rtnl_getneigh_ip(c, nlh, err);
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return get_one(c, nlh, err);
	dump_filter(nlh, &port, &bridge);
	list_for_each (d, &c->r->vx->devs, struct dev, node) {
		if (port && d->ifindex != port)
			continue;
		if (bridge && d->ifindex != bridge && (!d->master || d->master->ifindex != bridge))
			continue;
		r = dump_dev(c, d);
		if (r < 0)
			return r;
	}
	return r;
}
