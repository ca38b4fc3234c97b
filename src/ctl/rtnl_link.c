/* SPDX-License-Identifier: Apache-2.0 */
/* RTM_NEWLINK, SETLINK, DELLINK, GETLINK: messages to typed values and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "ctl/owned.h"
#include "ctl/rtnl.h"

#ifndef IFLA_TSO_MAX_SIZE
#define IFLA_TSO_MAX_SIZE 59
#endif

/* --- the type's options ------------------------------------------------------------------------ */

static const char *word_of(const struct attr *a)
{
	return a->name ? a->name : "?";
}

static int bad_length(const struct attr *a, struct vx_err *err)
{
	return vx_fail(err, -ERANGE, "\"%s\" has a value of the wrong length", word_of(a));
}

static int get_ip(const struct attr *a, const struct nlattr *na, bool is6, void *opts,
		  struct vx_err *err)
{
	struct ip_addr ip;
	be32 v4;

	if (mnl_attr_get_payload_len(na) != (is6 ? 16 : 4))
		return bad_length(a, err);
	if (is6) {
		ip = ip_from6(mnl_attr_get_payload(na));
	} else {
		memcpy(&v4, mnl_attr_get_payload(na), 4);
		ip = ip_from4(v4);
	}
	memcpy((uint8_t *)opts + a->off, &ip, sizeof(ip));
	return 0;
}

/* Any integral kind: the payload's width as netlink has it. */
static int get_number(const struct attr *a, const struct nlattr *na, void *opts, struct vx_err *err)
{
	const void *p = mnl_attr_get_payload(na);
	uint16_t len = mnl_attr_get_payload_len(na);
	uint64_t v = 0;
	uint32_t v32;
	uint16_t v16;

	if (a->kind == ATTR_FLAG) {
		attr_put(a, opts, 1);
		return 0;
	}
	if (a->kind == ATTR_BE64 && len == 8) {
		memcpy(&v, p, 8);
		v = (uint64_t)ntohl((uint32_t)v) << 32 | ntohl((uint32_t)(v >> 32));
	} else if ((a->kind == ATTR_U32 || a->kind == ATTR_DEV || a->kind == ATTR_BE32) &&
		   len >= 4) {
		memcpy(&v32, p, 4);
		v = a->kind == ATTR_BE32 ? ntohl(v32) : v32;
	} else if ((a->kind == ATTR_U16 || a->kind == ATTR_BE16) && len >= 2) {
		memcpy(&v16, p, 2);
		v = a->kind == ATTR_BE16 ? ntohs(v16) : v16;
	} else if ((a->kind == ATTR_U8 || a->kind == ATTR_BOOL || a->kind == ATTR_WORDS) &&
		   len >= 1) {
		v = *(const uint8_t *)p;
		if (a->kind == ATTR_BOOL)
			v = v != 0;
	} else {
		return bad_length(a, err);
	}
	if (a->max && v > a->max && a->nl != 1)
		return vx_fail(err, -ERANGE, "\"%s\" is out of range: at most %llu", word_of(a),
			       (unsigned long long)a->max);
	attr_put(a, opts, v);
	return 0;
}

static int get_option(const struct attr *a, const struct nlattr *na, bool is6, void *opts,
		      struct vx_err *err)
{
	if (a->kind == ATTR_IP)
		return get_ip(a, na, is6, opts, err);
	if (a->kind == ATTR_RANGE) {
		const uint16_t *p = mnl_attr_get_payload(na);
		struct attr_range r;

		if (mnl_attr_get_payload_len(na) != 4)
			return bad_length(a, err);
		r = (struct attr_range){ntohs(p[0]), ntohs(p[1])};
		memcpy((uint8_t *)opts + a->off, &r, sizeof(r));
		return 0;
	}
	if (a->kind == ATTR_STRING) {
		uint16_t len = mnl_attr_get_payload_len(na);

		if (len >= a->size)
			return bad_length(a, err);
		memset((uint8_t *)opts + a->off, 0, a->size);
		memcpy((uint8_t *)opts + a->off, mnl_attr_get_payload(na), len);
		return 0;
	}
	return get_number(a, na, opts, err);
}

static int get_options(const struct link_type *t, const struct nlattr *data, void *opts,
		       uint64_t *present, struct vx_err *err)
{
	const struct nlattr *na;
	bool is6;

	mnl_attr_for_each_nested (na, data) {
		int i = t->attrs ? attr_by_nl(t->attrs, mnl_attr_get_type(na), &is6) : -1, r;

		if (i < 0)
			return vx_fail(err, -EINVAL, "a %s device has no option number %u", t->kind,
				       mnl_attr_get_type(na));
		r = get_option(&t->attrs->attrs[i], na, is6, opts, err);
		if (r < 0) {
			if (err)
				err->attr = mnl_attr_get_type(na);
			return r;
		}
		*present |= 1ull << i;
	}
	return 0;
}

static void put_option(struct nlmsghdr *nlh, const struct attr *a, const void *opts)
{
	const struct ip_addr *ip = (const void *)((const uint8_t *)opts + a->off);
	const struct attr_range *r = (const void *)ip;
	uint16_t two[2];
	uint32_t words[2];
	uint64_t v;

	if (a->kind == ATTR_IP) {
		if (ip_is_none(ip))
			return;
		if (ip_is4(ip))
			mnl_attr_put(nlh, a->nl, 4, &ip->b[12]);
		else
			mnl_attr_put(nlh, a->nl6, 16, ip->b);
		return;
	}
	if (a->kind == ATTR_RANGE) {
		two[0] = htons(r->low);
		two[1] = htons(r->high);
		mnl_attr_put(nlh, a->nl, sizeof(two), two);
		return;
	}
	if (a->kind == ATTR_STRING) {
		if (*(const char *)ip)
			mnl_attr_put_strz(nlh, a->nl, (const char *)ip);
		return;
	}
	v = attr_get(a, opts);
	switch (a->kind) {
	case ATTR_FLAG:
		if (v)
			mnl_attr_put(nlh, a->nl, 0, NULL);
		break;
	case ATTR_BE16:
		mnl_attr_put_u16(nlh, a->nl, htons((uint16_t)v));
		break;
	case ATTR_U16:
		mnl_attr_put_u16(nlh, a->nl, (uint16_t)v);
		break;
	case ATTR_BE32:
		mnl_attr_put_u32(nlh, a->nl, htonl((uint32_t)v));
		break;
	case ATTR_DEV:
		if (v)
			mnl_attr_put_u32(nlh, a->nl, (uint32_t)v);
		break;
	case ATTR_U32:
		mnl_attr_put_u32(nlh, a->nl, (uint32_t)v);
		break;
	case ATTR_BE64:
		words[0] = htonl((uint32_t)(v >> 32));
		words[1] = htonl((uint32_t)v);
		mnl_attr_put(nlh, a->nl, sizeof(words), words);
		break;
	default:
		mnl_attr_put_u8(nlh, a->nl, (uint8_t)v);
	}
}

/* --- what a message asks for ------------------------------------------------------------------ */

struct link_msg {
	const struct ifinfomsg *ifi;
	struct link_cfg cfg;
	const struct nlattr *data; /* INFO_DATA */
	char kind[32], name[DEV_NAME_MAX];
	bool own_only, names;
};

static bool get_string(const struct nlattr *a, char *to, size_t size)
{
	uint16_t len = mnl_attr_get_payload_len(a);
	const char *s = mnl_attr_get_payload(a);

	while (len && !s[len - 1])
		len--;
	if (len >= size)
		return false;
	memcpy(to, s, len);
	to[len] = 0;
	return true;
}

static int get_linkinfo(const struct nlattr *info, struct link_msg *m, struct vx_err *err)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND) {
			if (!get_string(a, m->kind, sizeof(m->kind)))
				return vx_fail(err, -EINVAL, "the link type's name is too long");
		} else if (mnl_attr_get_type(a) == IFLA_INFO_DATA) {
			m->data = a;
		}
	}
	return 0;
}

static int get_u32(const struct nlattr *a, uint32_t *v, struct vx_err *err)
{
	if (mnl_attr_get_payload_len(a) != 4)
		return vx_fail(err, -EINVAL, "attribute %u has the wrong length",
			       mnl_attr_get_type(a));
	*v = mnl_attr_get_u32(a);
	return 0;
}

/* One attribute of IFLA_*; what vx does not do is refused by name. */
static int get_generic(const struct nlattr *a, struct link_msg *m, struct vx_err *err)
{
	struct link_cfg *c = &m->cfg;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME: /* with an index: the new name */
		m->names = true;
		/* fallthrough */
	case IFLA_ALT_IFNAME:
		return get_string(a, m->name, sizeof(m->name))
			       ? 0
			       : vx_fail(err, -EINVAL, "an interface name has at most 15 letters");
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) != sizeof(c->mac))
			return vx_fail(err, -EINVAL, "an Ethernet address has 6 bytes");
		memcpy(&c->mac, mnl_attr_get_payload(a), sizeof(c->mac));
		c->has_mac = true;
		return 0;
	case IFLA_MTU:
		c->has_mtu = true;
		return get_u32(a, &c->mtu, err);
	case IFLA_MASTER:
		c->has_master = true;
		return get_u32(a, &c->master, err);
	case IFLA_LINKINFO:
		return get_linkinfo(a, m, err);
	case IFLA_VX_NOHOST:
		c->nohost = c->has_nohost = true;
		return 0;
	case IFLA_VX_NETNS:
		c->has_netns = true;
		return get_string(a, c->netns, sizeof(c->netns)) && *c->netns
			       ? 0
			       : vx_fail(err, -EINVAL, "a namespace's name, process id or path has "
						       "1 to 63 letters");
	case IFLA_VX_NETNAME:
		return get_string(a, c->host_name, sizeof(c->host_name)) && *c->host_name
			       ? 0
			       : vx_fail(err, -EINVAL, "an interface name has at most 15 letters");
	case IFLA_VX_OWN:
		m->own_only = true;
		return 0;
	case IFLA_VX_MAKER:
		c->maker = mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ? NULL
									  : mnl_attr_get_str(a);
		return 0;
	case IFLA_EXT_MASK:
	case IFLA_NUM_TX_QUEUES:
	case IFLA_NUM_RX_QUEUES:
	case IFLA_TXQLEN:
	case IFLA_LINKMODE:
	case IFLA_OPERSTATE:
		return 0;
	}
	return vx_fail(err, -EOPNOTSUPP, "vx does not do what attribute %u of a link message asks",
		       mnl_attr_get_type(a));
}

static int parse(const struct nlmsghdr *nlh, struct link_msg *m, struct vx_err *err)
{
	const struct nlattr *a;
	int r = 0;

	*m = (struct link_msg){0};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m->ifi))
		return vx_fail(err, -EINVAL, "a link message without its header");
	m->ifi = mnl_nlmsg_get_payload(nlh);
	mnl_attr_for_each (a, nlh, sizeof(*m->ifi)) {
		r = get_generic(a, m, err);
		if (r < 0)
			return r;
	}
	if (m->names)
		memcpy(m->cfg.name, m->name, sizeof(m->cfg.name));
	if (m->ifi->ifi_change & IFF_UP || (!m->ifi->ifi_change && m->ifi->ifi_flags & IFF_UP)) {
		m->cfg.has_up = true;
		m->cfg.up = m->ifi->ifi_flags & IFF_UP;
	}
	return 0;
}

static struct dev *find(struct rtnl *r, const struct link_msg *m)
{
	if (m->ifi->ifi_index)
		return dev_by_index(r->vx, (uint32_t)m->ifi->ifi_index);
	return *m->name ? dev_by_name(r->vx, m->name) : NULL;
}

/* Is it the host's?  Then the answer is a sentence, not "no such device". */
static int refuse_host(struct rtnl *r, const struct link_msg *m, struct vx_err *err)
{
	struct host_link l;

	if (!r->host || (!m->ifi->ifi_index && !*m->name) ||
	    host_link_get(r->host, (uint32_t)m->ifi->ifi_index, m->name, &l) < 0)
		return -ENODEV;
	return vx_fail(err, -EOPNOTSUPP,
		       "%s is an interface of the host: use ip without vx exec", l.name);
}

static void record_new(struct rtnl *r, struct dev *d, const struct link_cfg *cfg)
{
	struct link_cfg rest = {.has_master = cfg->has_master, .master = cfg->master,
				.has_up = cfg->has_up && cfg->up, .up = cfg->up};
	struct text *t = state_text(r->state);

	if (!t)
		return;
	canon_link_add(t, d);
	canon_link_set(t, d, &rest, NULL, 0);
}

enum { IFINDEX_MAX = 1 << 30 }; /* leaves room: the next ones that vx chooses lie above */

static int create(struct rtnl *r, struct link_msg *m, struct vx_err *err)
{
	const struct link_type *t = link_type_find(r->vx, m->kind);
	struct dev *d = NULL;
	uint64_t present = 0;
	void *opts;
	int rc;

	if (!*m->kind)
		return vx_fail(err, -EINVAL, "a link needs a type");
	if (m->ifi->ifi_index < 0 || m->ifi->ifi_index > IFINDEX_MAX)
		return vx_fail(err, -EINVAL, "an interface index is at most %d", IFINDEX_MAX);
	if (!t)
		return vx_fail(err, -EOPNOTSUPP, "vx has no link type \"%s\"", m->kind);
	opts = calloc(1, t->opts_size + 1);
	if (!opts)
		return -ENOMEM;
	if (t->attrs)
		attr_defaults(t->attrs, opts);
	rc = m->data ? get_options(t, m->data, opts, &present, err) : 0;
	if (rc == 0 && m->cfg.has_netns && (m->cfg.nohost || !t->has_host_side))
		rc = vx_fail(err, -EINVAL, "\"netns\" says where the host's side of a device is, and "
					   "this one has none");
	if (rc == 0 && *m->cfg.host_name && !m->cfg.has_netns)
		rc = vx_fail(err, -EINVAL, "\"netname\" is a name in the namespace that \"netns\" says, "
					   "and there is none");
	m->cfg.ifindex = (uint32_t)m->ifi->ifi_index;
	m->cfg.adopt = r->adopt;
	if (rc == 0)
		rc = link_newlink(r->vx, t, &m->cfg, opts, present, err, &d);
	if (rc == 0)
		record_new(r, d, &m->cfg);
	free(opts);
	return rc;
}

/* What 'change' did.  A new name stands in other lines, too, and of a request that was refused a part
 * may have been done: then the whole is written anew. */
static void record_change(struct rtnl *r, struct dev *d, const char *old_name, const struct link_msg *m,
			  const void *opts, uint64_t present, int rc)
{
	struct text *t = state_text(r->state);
	const struct link_cfg *c = &m->cfg;
	int wishes = (m->data != NULL) + c->has_mac + c->has_mtu + (*c->name != 0) + c->has_master +
		     c->has_up;

	if (!t)
		return;
	if (strcmp(old_name, d->name) || (rc < 0 && wishes > 1))
		r->state->stale = true;
	else if (rc == 0)
		canon_link_set(t, d, c, opts, present);
}

static int change(struct rtnl *r, struct dev *d, struct link_msg *m, struct vx_err *err)
{
	char old_name[DEV_NAME_MAX];
	uint64_t present = 0;
	void *opts = NULL;
	int rc = 0;

	if (*m->kind && strcmp(m->kind, d->type->kind))
		return vx_fail(err, -EOPNOTSUPP, "%s is a %s device, not %s", d->name,
			       d->type->kind, m->kind);
	if (*m->kind && !m->data)
		return vx_fail(err, -EINVAL,
			       "Required attributes not provided to perform the operation");
	rc = owned_check_change(d, &m->cfg, m->data, err);
	if (rc < 0)
		return rc;
	if (m->cfg.has_nohost)
		return vx_fail(err, -EOPNOTSUPP, "Cannot change nohost");
	if (m->cfg.has_netns)
		return vx_fail(err, -EOPNOTSUPP, "Cannot change netns: delete %s and make it anew",
			       d->name);
	if (*m->cfg.host_name)
		return vx_fail(err, -EOPNOTSUPP, "Cannot change netname: rename the interface there");
	memcpy(old_name, d->name, sizeof(old_name));
	if (m->data) {
		opts = calloc(1, d->type->opts_size + 1);
		if (!opts)
			return -ENOMEM;
		rc = get_options(d->type, m->data, opts, &present, err);
		if (rc == 0)
			rc = link_changelink(d, opts, present, err);
	}
	if (rc == 0)
		rc = link_setlink(d, &m->cfg, err);
	record_change(r, d, old_name, m, opts, present, rc);
	free(opts);
	return rc;
}

int rtnl_newlink(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct link_msg m;
	struct dev *d;
	int r = parse(nlh, &m, err);

	if (r < 0)
		return r;
	d = find(c->r, &m);
	if (d) {
		if (nlh->nlmsg_flags & NLM_F_EXCL)
			return -EEXIST;
		if (nlh->nlmsg_flags & NLM_F_REPLACE)
			return -EOPNOTSUPP;
		return change(c->r, d, &m, err);
	}
	if (!(nlh->nlmsg_flags & NLM_F_CREATE) || nlh->nlmsg_type == RTM_SETLINK)
		return refuse_host(c->r, &m, err);
	return create(c->r, &m, err);
}

int rtnl_dellink(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct link_msg m;
	struct dev *d;
	int r = parse(nlh, &m, err);

	if (r < 0)
		return r;
	if (!m.ifi->ifi_index && !*m.name)
		return -EINVAL;
	d = find(c->r, &m);
	if (!d)
		return refuse_host(c->r, &m, err);
	r = owned_check_del(d, err);
	if (r < 0)
		return r;
	if (state_text(c->r->state))
		canon_link_del(state_text(c->r->state), d);
	link_dellink(d, false);
	return 0;
}

/* --- dumps ------------------------------------------------------------------------------------- */

static struct rtnl_link_stats64 stats_of(struct dev *d)
{
	struct rtnl_link_stats64 s = {0};
	struct dev_stats x;

	dev_sum_stats(d, &x);
	s.rx_packets = x.rx_packets;
	s.tx_packets = x.tx_packets;
	s.rx_bytes = x.rx_bytes;
	s.tx_bytes = x.tx_bytes;
	s.rx_errors = x.rx_errors;
	s.tx_errors = x.tx_errors;
	s.rx_dropped = x.rx_dropped;
	s.tx_dropped = x.tx_dropped;
	s.multicast = x.multicast;
	s.collisions = x.collisions;
	s.rx_length_errors = x.rx_length_errors;
	s.rx_over_errors = x.rx_over_errors;
	s.rx_crc_errors = x.rx_crc_errors;
	s.rx_frame_errors = x.rx_frame_errors;
	s.rx_fifo_errors = x.rx_fifo_errors;
	s.rx_missed_errors = x.rx_missed_errors;
	s.tx_aborted_errors = x.tx_aborted_errors;
	s.tx_carrier_errors = x.tx_carrier_errors;
	s.tx_fifo_errors = x.tx_fifo_errors;
	s.tx_heartbeat_errors = x.tx_heartbeat_errors;
	s.tx_window_errors = x.tx_window_errors;
	s.rx_nohandler = x.rx_nohandler;
	return s;
}

static void put_stats(struct nlmsghdr *nlh, struct dev *d)
{
	struct rtnl_link_stats64 s = stats_of(d);
	struct rtnl_link_stats s32 = {0};
	uint64_t *from = (uint64_t *)&s;
	uint32_t *to = (uint32_t *)&s32;

	for (size_t i = 0; i < sizeof(s32) / sizeof(*to); i++)
		to[i] = (uint32_t)from[i];
	mnl_attr_put(nlh, IFLA_STATS64, sizeof(s), &s);
	mnl_attr_put(nlh, IFLA_STATS, sizeof(s32), &s32);
}

/* As the kernel's older nests: without NLA_F_NESTED, which iproute2 would take for the type. */
static struct nlattr *nest(struct nlmsghdr *nlh, uint16_t type)
{
	struct nlattr *a = mnl_attr_nest_start(nlh, type);

	a->nla_type = type;
	return a;
}

static void put_linkinfo(struct nlmsghdr *nlh, struct dev *d)
{
	struct nlattr *info = nest(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, d->type->kind);
	if (d->type->attrs && d->type->fill_info) {
		data = nest(nlh, IFLA_INFO_DATA);
		d->type->fill_info(d, d->opts);
		for (uint32_t i = 0; i < d->type->attrs->n; i++)
			put_option(nlh, &d->type->attrs->attrs[i], d->opts);
		mnl_attr_nest_end(nlh, data);
	}
	if (d->master)
		mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, d->master->type->kind);
	mnl_attr_nest_end(nlh, info);
}

static void put_vx(struct nlmsghdr *nlh, struct dev *d)
{
	struct io *host = atomic_load(&d->host), *io = atomic_load(&d->io);

	if (d->link_flags & DEV_NOHOST)
		mnl_attr_put(nlh, IFLA_VX_NOHOST, 0, NULL);
	if (host || io)
		mnl_attr_put_strz(nlh, IFLA_VX_HOSTKIND, host ? host->kind : io->kind);
	if (*d->netns)
		mnl_attr_put_strz(nlh, IFLA_VX_NETNS, d->netns);
	if (*d->host_name)
		mnl_attr_put_strz(nlh, IFLA_VX_NETNAME, d->host_name);
	mnl_attr_put_strz(nlh, IFLA_VX_OWNER, d->owner == OWNER_OVSDB ? "ovsdb" : "netlink");
	if (*d->maker.text)
		mnl_attr_put_strz(nlh, IFLA_VX_MAKER, d->maker.text);
}

/* The segmentation limit comes from the device below, as in the kernel. */
static uint32_t tso_max_size(struct dev *d)
{
	struct host_link l;

	if (d->lower_index && d->vx->host && d->vx->host->link &&
	    d->vx->host->link(d->vx->host_ctx, d->lower_index, NULL, &l) == 0 && l.tso_max_size)
		return l.tso_max_size;
	return 65536;
}

void rtnl_fill_link(struct nlmsghdr *nlh, struct dev *d, uint32_t change)
{
	static const struct mac all_ones = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	static const struct {
		uint16_t type;
		uint32_t v;
	} fixed[] = {{IFLA_TXQLEN, 1000},      {IFLA_GROUP, 0},	       {IFLA_NUM_TX_QUEUES, 1},
		     {IFLA_GSO_MAX_SEGS, 65535}, {IFLA_GSO_MAX_SIZE, 65536},
		     {IFLA_GRO_MAX_SIZE, 65536}, {63, 65536}, {64, 65536},
		     {60, 65535}, {IFLA_NUM_RX_QUEUES, 1}, {IFLA_CARRIER_CHANGES, 0},
		     {IFLA_CARRIER_UP_COUNT, 0}, {IFLA_CARRIER_DOWN_COUNT, 0}, {61, 0}};
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	bool up = dev_is_up(d);
	struct nlattr *spec, *inet6;

	ifi->ifi_type = ARPHRD_ETHER;
	ifi->ifi_index = (int)d->ifindex;
	ifi->ifi_flags = atomic_load(&d->flags) | (up ? IFF_RUNNING | IFF_LOWER_UP : 0);
	ifi->ifi_change = change;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, d->name);
	mnl_attr_put_strz(nlh, IFLA_QDISC, d->link_flags & DEV_WAS_UP ? "noqueue" : "noop");
	mnl_attr_put_u8(nlh, IFLA_OPERSTATE, up ? 0 : 2);
	mnl_attr_put_u8(nlh, IFLA_LINKMODE, 0);
	mnl_attr_put_u32(nlh, IFLA_MTU, d->mtu);
	mnl_attr_put_u32(nlh, IFLA_MIN_MTU, d->min_mtu);
	mnl_attr_put_u32(nlh, IFLA_MAX_MTU, d->max_mtu);
	mnl_attr_put_u32(nlh, IFLA_PROMISCUITY, d->promiscuity);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		mnl_attr_put_u32(nlh, fixed[i].type, fixed[i].v);
	mnl_attr_put_u32(nlh, IFLA_TSO_MAX_SIZE, tso_max_size(d));
	mnl_attr_put_u8(nlh, IFLA_CARRIER, 1);
	mnl_attr_put_u8(nlh, IFLA_PROTO_DOWN, 0);
	if (d->master)
		mnl_attr_put_u32(nlh, IFLA_MASTER, d->master->ifindex);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(d->mac), &d->mac);
	mnl_attr_put(nlh, IFLA_BROADCAST, sizeof(all_ones), &all_ones);
	put_stats(nlh, d);
	put_linkinfo(nlh, d);
	spec = nest(nlh, IFLA_AF_SPEC);
	inet6 = nest(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, 0);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	put_vx(nlh, d);
}

static void answer(struct rtnl_conn *c, struct dev *d, uint16_t flags)
{
	uint8_t buf[RTNL_MSG_MAX] = {0};
	struct nlmsghdr *nlh = rtnl_begin(c, buf, RTM_NEWLINK, flags);

	rtnl_fill_link(nlh, d, 0);
	rtnl_put(c, nlh);
}

/* The host's links, but for those that are the host's side of ours. */
static int on_host_link(const struct nlmsghdr *nlh, void *data)
{
	struct rtnl_conn *c = data;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	uint8_t buf[RTNL_MSG_MAX];
	struct nlmsghdr *copy = (struct nlmsghdr *)buf;

	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len > sizeof(buf) ||
	    dev_by_index(c->r->vx, (uint32_t)ifi->ifi_index))
		return MNL_CB_OK;
	memcpy(buf, nlh, nlh->nlmsg_len);
	copy->nlmsg_seq = c->seq;
	copy->nlmsg_pid = c->pid;
	rtnl_put(c, copy);
	return MNL_CB_OK;
}

static int relay_links(struct rtnl_conn *c, const struct nlmsghdr *nlh)
{
	uint8_t buf[RTNL_MSG_MAX];
	struct nlmsghdr *copy = (struct nlmsghdr *)buf;

	if (!c->r->host || nlh->nlmsg_len > sizeof(buf))
		return -ENODEV;
	memcpy(buf, nlh, nlh->nlmsg_len);
	copy->nlmsg_pid = 0;
	if (!(copy->nlmsg_flags & NLM_F_DUMP))
		copy->nlmsg_flags |= NLM_F_ACK;
	return host_request(c->r->host, copy, on_host_link, c);
}

int rtnl_getlink(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct link_msg m;
	struct dev *d;
	int r = parse(nlh, &m, err);

	if (r < 0)
		return r;
	if (!dump) {
		d = find(c->r, &m);
		if (!d)
			return m.own_only ? -ENODEV : relay_links(c, nlh);
		answer(c, d, 0);
		return 0;
	}
	r = m.own_only ? 0 : relay_links(c, nlh);
	list_for_each (e, &c->r->vx->devs, struct dev, node) {
		if (*m.kind && strcmp(m.kind, e->type->kind))
			continue;
		if (m.cfg.has_master && (!e->master || e->master->ifindex != m.cfg.master))
			continue;
		answer(c, e, NLM_F_MULTI);
	}
	return r;
}

/* --- RTM_GETSTATS ------------------------------------------------------------------------------ */

static void answer_stats(struct rtnl_conn *c, struct dev *d, uint32_t mask, uint16_t flags)
{
	uint8_t buf[1024] = {0};
	struct nlmsghdr *nlh = rtnl_begin(c, buf, RTM_NEWSTATS, flags);
	struct if_stats_msg *ism = mnl_nlmsg_put_extra_header(nlh, sizeof(*ism));
	struct rtnl_link_stats64 s = stats_of(d);

	ism->ifindex = d->ifindex;
	ism->filter_mask = mask;
	if (mask & IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64))
		mnl_attr_put(nlh, IFLA_STATS_LINK_64, sizeof(s), &s);
	rtnl_put(c, nlh);
}

int rtnl_getstats(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	const struct if_stats_msg *ism = mnl_nlmsg_get_payload(nlh);
	struct dev *d;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ism))
		return vx_fail(err, -EINVAL, "a statistics message without its header");
	if ((nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
		list_for_each (e, &c->r->vx->devs, struct dev, node)
			answer_stats(c, e, ism->filter_mask, NLM_F_MULTI);
		return 0;
	}
	d = dev_by_index(c->r->vx, ism->ifindex);
	if (!d)
		return -ENODEV;
	answer_stats(c, d, ism->filter_mask, 0);
	return 0;
}
