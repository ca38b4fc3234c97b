/* SPDX-License-Identifier: Apache-2.0 */
/* Making, changing and removing VXLAN devices: spec/vxlan.md 1, 4.8, with a host of two links. */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

static struct h_host H;

static int create(const struct link_cfg *cfg, const struct vxlan_opts *o, uint64_t present,
		  struct vx_err *err, struct dev **out)
{
	*err = (struct vx_err){0};
	return link_newlink(H.t->vx, link_type_find(H.t->vx, "vxlan"), cfg, o, present, err, out);
}

/* Not up. */
static int quiet(const char *name, const struct vxlan_opts *o, uint64_t present,
		 struct vx_err *err, struct dev **out)
{
	struct link_cfg cfg = {0};

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	return create(&cfg, o, present | VXA_BIT(VXA_ID), err, out);
}

static void expect(const char *step, int rc, const struct vx_err *err, int want, const char *text)
{
	if (rc != want || strcmp(err->text, text))
		fail_msg("%s: %d \"%s\", not %d \"%s\"", step, rc, err->text, want, text);
}

/* --- 1.2: the first failure wins ---------------------------------------------------------------- */

/* Everything is wrong; one thing after the other is put right. */
static void validation_order(void **state)
{
	struct vxlan_opts o;
	struct link_cfg cfg = {.name = "vx", .has_mac = true, .has_mtu = true, .mtu = 67};
	uint64_t present = 0;
	struct vx_err err;
	struct dev *d;
	int rc;

	(void)state;
	h_init(&H);
	o = h_opts(0x1000000, 4789);
	o.srcport = (struct attr_range){2, 1};
	o.df = 3;
	o.reserved_bits = 0x0800000000000000;
	o.remote = t_addr("10.0.0.2");
	o.local = t_addr("ff02::1");
	o.proxy = true;
	o.flowlabel = 5;
	o.label_policy = 1;
	o.dev = 77;
#define STEP(name, want, text)                                                                     \
	do {                                                                                       \
		rc = create(&cfg, &o, present, &err, &d);                                          \
		expect(name, rc, &err, want, text);                                                \
	} while (0)
	cfg.mac = t_mac("01:00:00:00:00:01");
	STEP("3", -EADDRNOTAVAIL, "Provided Ethernet address is not unicast");
	cfg.mac = t_mac("00:00:00:00:00:00");
	STEP("3", -EADDRNOTAVAIL, "Provided Ethernet address is not unicast");
	cfg.mac = t_mac("02:00:00:00:00:01");
	STEP("4", -EINVAL, "MTU must be between 68 and 65535");
	cfg.mtu = 65536;
	STEP("4", -EINVAL, "MTU must be between 68 and 65535");
	cfg.mtu = 9000;
	STEP("5", -EINVAL, "Required attributes not provided to perform the operation");
	present = VXA_BIT(VXA_ID) | VXA_BIT(VXA_RESERVED_BITS) | VXA_BIT(VXA_PROXY) |
		  VXA_BIT(VXA_DEV);
	STEP("6", -ERANGE, "VXLAN ID must be lower than 16777216");
	o.id = 0xffffff;
	STEP("7", -EINVAL, "Invalid source port range");
	o.srcport.high = 2;
	STEP("8", -EINVAL, "Invalid DF attribute");
	o.df = DF_INHERIT;
	STEP("9", -EINVAL,
	     "Used bits 0x08000000ffffff00 cannot overlap reserved bits 0x0800000000000000");
	o.reserved_bits = 0x100;
	STEP("9", -EINVAL,
	     "Used bits 0x08000000ffffff00 cannot overlap reserved bits 0x0000000000000100");
	o.reserved_bits = 0;
	STEP("not built", -EOPNOTSUPP, "proxy (answering ARP and ND) is not built yet: leave it out");
	o.proxy = false;
	STEP("12", -EINVAL, "Local and remote address must be from the same family");
	o.remote = t_addr("fd00::2");
	STEP("13", -EINVAL, "Local address cannot be multicast");
	o.local = t_addr("fe80::1");
	STEP("14", -EINVAL, "Invalid combination of local and remote address scopes");
	o.local = t_addr("fd00::1");
	o.remote = t_addr("fe80::2");
	STEP("14", -EINVAL, "Invalid combination of local and remote address scopes");
	o.local = t_addr("10.0.0.1");
	o.remote = (struct ip_addr){0};
	STEP("15", -EINVAL, "Label attribute only applies to IPv6 VXLAN devices");
	o.flowlabel = 0;
	STEP("15", -EINVAL, "Label policy only applies to IPv6 VXLAN devices");
	o.label_policy = 0;
	STEP("16", -ENODEV, "Invalid local interface, device not found");
	o.dev = 3;
	o.local = t_addr("fe80::1");
	STEP("16", -EPERM, "IPv6 support disabled by administrator");
	o.dev = 0;
	STEP("17", -EINVAL, "Local interface required for link-local local/remote addresses");
	o.dev = 2;
	o.dstport = 0;
	STEP("all right", 0, "");
	assert_int_equal(vxlan_opts(vxlan_dev(d))->dstport, 8472); /* 18 */
	assert_int_equal(d->mtu, 1430);
	snprintf(cfg.name, sizeof(cfg.name), "vx2");
	STEP("19", -EEXIST, "A VXLAN device with the specified VNI already exists");
	h_end(&H);
#undef STEP
}

static void defaults(void **state)
{
	struct vxlan_opts o, x;
	struct vx_err err;
	struct dev *d, *e;

	(void)state;
	h_init(&H);
	o = h_opts(100, 0);
	assert_int_equal(quiet("vx", &o, 0, &err, &d), 0);
	d->type->fill_info(d, &x);
	assert_true(x.dstport == 8472 && x.ageing == 300 && x.learning && x.localbypass &&
		    x.udpcsum && !x.udp6zerocsumtx && !x.udp6zerocsumrx && !x.ttl && !x.tos &&
		    x.reserved_bits == 0xf7ffffff000000ff && x.peers == PEERS_ANY);
	assert_true(d->mtu == 1500 && d->min_mtu == 68 && d->max_mtu == 65535);
	assert_true(mac_is_unicast(&d->mac) && d->mac.b[0] & 2);
	o = h_opts(101, 0);
	assert_int_equal(quiet("vx2", &o, 0, &err, &e), 0);
	assert_false(mac_eq(&d->mac, &e->mac));
	h_end(&H);
}

/* --- 1.5 ----------------------------------------------------------------------------------------- */

static void mtu_at_creation(void **state)
{
	static const struct {
		uint32_t dev, mtu;
		bool is6;
		uint32_t want;
	} rows[] = {
		{0, 0, 0, 1500},     {2, 0, 0, 1450},	 {2, 0, 1, 1430},	{3, 0, 0, 68},
		{2, 1451, 0, 1450}, {2, 1449, 0, 1449}, {2, 9000, 1, 1430}, {0, 65535, 0, 65535},
		{0, 68, 0, 68},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct link_cfg cfg = {.name = "vx", .has_mtu = rows[i].mtu, .mtu = rows[i].mtu};
		struct vxlan_opts o = h_opts(100, 4789);
		struct vx_err err;
		struct dev *d;

		h_init(&H);
		o.dev = rows[i].dev;
		if (rows[i].is6)
			o.remote = t_addr("fd00::2");
		assert_int_equal(create(&cfg, &o, VXA_BIT(VXA_ID), &err, &d), 0);
		if (d->mtu != rows[i].want)
			fail_msg("row %zu: %u", i, d->mtu);
		h_end(&H);
	}
}

static void mtu_later(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct vx_err err = {0};
	struct dev *d;

	(void)state;
	h_init(&H);
	assert_int_equal(quiet("vx", &o, 0, &err, &d), 0);
	expect("no lower", dev_set_mtu(d, 65535, &err), &err, 0, "");
	expect("high", dev_set_mtu(d, 65536, &err), &err, -EINVAL,
	       "mtu greater than device maximum");
	expect("low", dev_set_mtu(d, 67, &err), &err, -EINVAL, "mtu less than device minimum");
	/* A dev lowers the MTU when it is new, only then. */
	o.dev = 2;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_DEV), NULL), 0);
	assert_int_equal(d->mtu, 1450);
	assert_int_equal(d->lower_index, 2);
	expect("over", dev_set_mtu(d, 1451, &err), &err, -EINVAL,
	       "eth0 has mtu 1500, which leaves 1450 for vx");
	H.links[0].mtu = 1400; /* the device does not follow */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_DEV), NULL), 0);
	assert_int_equal(d->mtu, 1450);
	o.ttl = 3;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_TTL), NULL), 0);
	assert_int_equal(d->mtu, 1450);
	assert_int_equal(dev_set_mtu(d, 1350, &err), 0);
	assert_int_equal(dev_set_mtu(d, 1351, &err), -EINVAL);
	h_end(&H);
}

/* --- 1.6, 1.7 ------------------------------------------------------------------------------------- */

static void duplicates(void **state)
{
	static const struct {
		const char *row;
		uint32_t id;
		uint16_t port;
		const char *remote;
		bool zcsum6rx;
		uint32_t dev;
		int add, up;
	} rows[] = {
		{"other remote", 100, 4789, "10.0.0.3", false, 0, -EEXIST, 0},
		{"other dev", 100, 4789, "10.0.0.3", false, 2, -EEXIST, 0},
		{"other port", 100, 4790, "10.0.0.2", false, 0, 0, 0},
		{"other id", 101, 4789, "10.0.0.2", false, 0, 0, 0},
		{"IPv6", 100, 4789, "fd00::2", false, 0, 0, 0},
		{"udp6zerocsumrx", 100, 4789, "10.0.0.2", true, 0, 0, -EADDRINUSE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vxlan_opts o = h_opts(100, 4789), p = h_opts(rows[i].id, rows[i].port);
		struct vx_err err = {0};
		struct dev *d;
		int rc;

		h_init(&H);
		o.remote = t_addr("10.0.0.2");
		h_vxlan(&H, "vx", &o, 0);
		p.remote = t_addr(rows[i].remote);
		p.udp6zerocsumrx = rows[i].zcsum6rx;
		p.dev = rows[i].dev;
		p.learning = false;
		rc = quiet("vx2", &p, 0, &err, &d);
		expect(rows[i].row, rc, &err, rows[i].add,
		       rows[i].add ? "A VXLAN device with the specified VNI already exists" : "");
		if (rc == 0) {
			rc = dev_change_flags(d, true, &err);
			if (rc != rows[i].up)
				fail_msg("%s: up %d", rows[i].row, rc);
			assert_int_equal(dev_is_up(d), rc == 0);
		}
		h_end(&H);
	}
}

/* Two link-local devices with one id, on different devs, are no duplicates. */
static void duplicates_linklocal(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct vx_err err;
	struct dev *d;

	(void)state;
	h_init(&H);
	H.links[1].ip6_disabled = false;
	o.local = t_addr("fe80::1");
	o.dev = 2;
	assert_int_equal(quiet("vx", &o, 0, &err, &d), 0);
	assert_int_equal(quiet("vx2", &o, 0, &err, &d), -EEXIST);
	o.dev = 3;
	assert_int_equal(quiet("vx2", &o, 0, &err, &d), 0);
	h_end(&H);
}

/* control.md I1: what has an index of its own counts from 2^20; below are the host's. */
static void host_index(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct link_cfg cfg = {.name = "vx", .ifindex = VX_IFINDEX_FIRST - 1};
	uint64_t present = VXA_BIT(VXA_ID);
	struct vx_err err;
	struct dev *d;
	int rc;

	(void)state;
	h_init(&H);
	rc = create(&cfg, &o, present, &err, &d);
	expect("the host's", rc, &err, -EINVAL,
	       "index 1048575 is the host's to give: vx numbers from 1048576");
	cfg.ifindex = VX_IFINDEX_FIRST;
	assert_int_equal(create(&cfg, &o, present, &err, &d), 0);
	assert_int_equal(d->ifindex, VX_IFINDEX_FIRST);
	o.id++;
	snprintf(cfg.name, sizeof(cfg.name), "vx2");
	rc = create(&cfg, &o, present, &err, &d);
	expect("taken", rc, &err, -EBUSY, "index 1048576 is in use");
	h_end(&H);
}

static uint32_t open_socks(void)
{
	uint32_t n = 0;

	for (int i = 0; i < H_SOCKS; i++)
		n += H.sock[i].open;
	return n;
}

/* Opened by the first device up, shared, closed with the last. */
static void sockets(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct dev *a, *b, *c;
	struct vx_err err;

	(void)state;
	h_init(&H);
	assert_int_equal(quiet("a", &o, 0, &err, &a), 0);
	assert_int_equal(open_socks(), 0);
	assert_int_equal(dev_change_flags(a, true, NULL), 0);
	assert_int_equal(open_socks(), 1);
	assert_true(H.sock[0].sk.cfg.family == AF_INET && H.sock[0].sk.cfg.port == 4789);
	o.id = 101;
	b = h_vxlan(&H, "b", &o, 0);
	assert_int_equal(open_socks(), 1);
	o.remote = t_addr("fd00::2");
	c = h_vxlan(&H, "c", &o, 0);
	assert_int_equal(open_socks(), 2);
	assert_int_equal(H.sock[1].sk.cfg.family, AF_INET6);
	assert_int_equal(dev_change_flags(a, false, NULL), 0);
	assert_int_equal(open_socks(), 2);
	link_dellink(b, false);
	assert_int_equal(open_socks(), 1);
	link_dellink(c, false);
	assert_int_equal(open_socks(), 0);
	/* A socket that cannot be had: the device is not up, and nothing is left of it. */
	H.open_err = -EACCES;
	assert_int_equal(dev_change_flags(a, true, NULL), -EACCES);
	assert_false(dev_is_up(a));
	H.open_err = 0;
	assert_int_equal(dev_change_flags(a, true, NULL), 0);
	h_end(&H);
}

/* --- 1.8 ------------------------------------------------------------------------------------------ */

static void change_refused(void **state)
{
	/* Refused even with the value that is in force. */
	static const struct {
		enum vxlan_attr attr;
		const char *text;
	} rows[] = {
		{VXA_DSTPORT, "Cannot change port"},
		{VXA_SRCPORT, "Cannot change port range"},
		{VXA_LIMIT, "Cannot change limit"},
		{VXA_RESERVED_BITS, "Cannot change reserved_bits"},
		{VXA_UDPCSUM, "Cannot change UDP_CSUM flag"},
		{VXA_TTL_INHERIT, "vxlan: cannot change TTL_INHERIT flag"},
		{VXA_ZCSUM6TX, "vxlan: cannot change UDP_ZERO_CSUM6_TX flag"},
		{VXA_ZCSUM6RX, "vxlan: cannot change UDP_ZERO_CSUM6_RX flag"},
		{VXA_PROXY, "vxlan: cannot change PROXY flag"},
		{VXA_RSC, "vxlan: cannot change RSC flag"},
		{VXA_L2MISS, "vxlan: cannot change L2MISS flag"},
		{VXA_L3MISS, "vxlan: cannot change L3MISS flag"},
		{VXA_EXTERNAL, "vxlan: cannot change COLLECT_METADATA flag"},
		{VXA_VNIFILTER, "vxlan: cannot change flag"},
		{VXA_REMCSUMTX, "vxlan: cannot change REMCSUM_TX flag"},
		{VXA_REMCSUMRX, "vxlan: cannot change REMCSUM_RX flag"},
		{VXA_GBP, "vxlan: cannot change GBP flag"},
		{VXA_GPE, "vxlan: cannot change GPE flag"},
	};
	struct vxlan_opts o = h_opts(100, 4789), x;
	struct vx_err err;
	struct dev *d;

	(void)state;
	h_init(&H);
	d = h_vxlan(&H, "vx", &o, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err.text[0] = 0;
		/* ttl is valid and comes along: all or nothing. */
		o.ttl = 99;
		expect(vxlan_attrs.attrs[rows[i].attr].name,
		       link_changelink(d, &o, VXA_BIT(rows[i].attr) | VXA_BIT(VXA_TTL), &err), &err,
		       -EOPNOTSUPP, rows[i].text);
		d->type->fill_info(d, &x);
		assert_int_equal(x.ttl, 0);
	}
	o.id = 101;
	expect("id", link_changelink(d, &o, VXA_BIT(VXA_ID), &err), &err, -EOPNOTSUPP,
	       "Cannot change VNI");
	o.id = 100;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_ID), &err), 0);
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_MCROUTE), &err), 0); /* nomcroute */
	o.remote = t_addr("fd00::2");
	expect("remote", link_changelink(d, &o, VXA_BIT(VXA_REMOTE), &err), &err, -EOPNOTSUPP,
	       "New group address family does not match old group");
	o.local = t_addr("fd00::1");
	expect("local", link_changelink(d, &o, VXA_BIT(VXA_LOCAL), &err), &err, -EOPNOTSUPP,
	       "New local address family does not match old");
	o.flowlabel = 7;
	expect("label", link_changelink(d, &o, VXA_BIT(VXA_LABEL), &err), &err, -EINVAL,
	       "Label attribute only applies to IPv6 VXLAN devices");
	o.dev = 77;
	expect("dev", link_changelink(d, &o, VXA_BIT(VXA_DEV), &err), &err, -ENODEV,
	       "Invalid local interface, device not found");
	h_end(&H);
}

static void change_taken(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789), x;
	struct dev *d;

	(void)state;
	h_init(&H);
	d = h_vxlan(&H, "vx", &o, 0);
	o.ttl = 7;
	o.tos = 0x20;
	o.df = DF_SET;
	o.learning = false;
	o.ageing = 77;
	o.localbypass = false;
	o.peers = PEERS_KNOWN;
	o.local = t_addr("10.0.0.1");
	o.reserved_bits = 0; /* not said, so not changed (section 12) */
	assert_int_equal(link_changelink(d, &o,
					 VXA_BIT(VXA_TTL) | VXA_BIT(VXA_TOS) | VXA_BIT(VXA_DF) |
						 VXA_BIT(VXA_LEARNING) | VXA_BIT(VXA_AGEING) |
						 VXA_BIT(VXA_LOCALBYPASS) | VXA_BIT(VXA_PEERS) |
						 VXA_BIT(VXA_LOCAL),
					 NULL),
			 0);
	d->type->fill_info(d, &x);
	assert_true(x.ttl == 7 && x.tos == 0x20 && x.df == DF_SET && !x.learning &&
		    x.ageing == 77 && !x.localbypass && x.peers == PEERS_KNOWN &&
		    ip_eq(&x.local, &o.local) && x.reserved_bits == VXLAN_RESERVED_DEFAULT &&
		    x.id == 100 && x.dstport == 4789 && x.udpcsum);
	h_end(&H);
}

/* --- 4.8 ------------------------------------------------------------------------------------------ */

static char events[256];

static const char *told(void)
{
	events[0] = 0;
	for (uint32_t i = 0; i < H.n_events; i++)
		snprintf(events + strlen(events), sizeof(events) - strlen(events), "%s%c%u%%%u",
			 i ? " " : "", H.event[i].kind == VX_FDB_NEW ? 'N' : 'D',
			 H.event[i].v.dst.b[15], H.event[i].v.ifindex);
	H.n_events = 0;
	return events;
}

static int list_one(void *ctx, const struct fdb_view *v)
{
	char *s = ctx;

	snprintf(s + strlen(s), 256 - strlen(s), "%s%u%%%u", *s ? " " : "", v->dst.b[15], v->ifindex);
	assert_int_equal(v->state, FDB_PERMANENT | FDB_NOARP);
	return 0;
}

static const char *list(struct dev *d)
{
	static char s[256];

	s[0] = 0;
	d->ops->fdb_dump(d, list_one, s);
	return s;
}

static void change_remote(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct dev *d;

	(void)state;
	h_init(&H);
	o.remote = t_addr("10.0.0.2");
	d = h_vxlan(&H, "vx", &o, 0);
	assert_string_equal(told(), "N2%0");
	assert_int_equal(h_fdb(d, NLM_F_CREATE | NLM_F_APPEND, "00:00:00:00:00:00", "10.0.0.3",
			       FDB_PERMANENT | FDB_NOARP, 0, NULL),
			 0);
	assert_string_equal(told(), "N3%0");
	o.remote = t_addr("10.0.0.4"); /* first the new one, then the old one goes */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0);
	assert_string_equal(told(), "N4%0 D2%0");
	assert_string_equal(list(d), "3%0 4%0");
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0); /* the same */
	assert_string_equal(told(), "");
	o.remote = t_addr("10.0.0.3"); /* there already: no duplicate */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0);
	assert_string_equal(told(), "D4%0");
	assert_string_equal(list(d), "3%0");
	o.dev = 2; /* section 12: via follows dev */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_DEV), NULL), 0);
	assert_string_equal(told(), "N3%2 D3%0");
	assert_string_equal(list(d), "3%2");
	o.remote = t_addr("0.0.0.0"); /* only the deletion */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0);
	assert_string_equal(told(), "D3%2");
	assert_string_equal(list(d), "");
	o.remote = t_addr("10.0.0.9");
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0);
	assert_string_equal(list(d), "9%2");
	h_end(&H);
}

static void change_remote6(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct vx_err err = {0};
	struct dev *d;

	(void)state;
	h_init(&H);
	o.remote = t_addr("fd00::2");
	d = h_vxlan(&H, "vx", &o, 0);
	o.remote = t_addr("::");
	expect("none", link_changelink(d, &o, VXA_BIT(VXA_REMOTE), &err), &err, 0, "");
	assert_string_equal(list(d), "");
	o.flowlabel = 5; /* it stays an IPv6 device */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_LABEL), NULL), 0);
	o.remote = t_addr("10.0.0.2");
	expect("IPv4", link_changelink(d, &o, VXA_BIT(VXA_REMOTE), &err), &err, -EOPNOTSUPP,
	       "New group address family does not match old group");
	o.remote = t_addr("fd00::3");
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_REMOTE), NULL), 0);
	assert_string_equal(list(d), "3%0");
	h_end(&H);
}

/* A device with a remote and no room for its entry is not made. */
static void limits(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct dev *d;

	(void)state;
	h_init(&H);
	o.maxaddress = 1;
	o.remote = t_addr("10.0.0.2");
	d = h_vxlan(&H, "vx", &o, 0);
	assert_int_equal(h_fdb(d, NLM_F_CREATE, "02:00:00:00:00:01", "10.0.0.2", FDB_PERMANENT, 0,
			       NULL),
			 -ENOSPC);
	h_end(&H);
}

/* --- 1.9 ------------------------------------------------------------------------------------------ */

static void goes_with_lower(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct t_port *up;

	(void)state;
	h_init(&H);
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	o.dev = up->dev->ifindex;
	o.remote = t_addr("10.0.0.2");
	h_vxlan(&H, "vx", &o, VXA_BIT(VXA_DEV));
	assert_int_equal(open_socks(), 0); /* the stack's */
	assert_non_null(dev_by_name(H.t->vx, "vx"));
	link_dellink(up->dev, false);
	assert_null(dev_by_name(H.t->vx, "vx"));
	assert_null(dev_by_name(H.t->vx, "up0"));
	h_end(&H);
}

/* The underlay's form is another namespace for 1.6; changing it needs the device down. */
static void two_forms(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct vx_err err = {0};
	struct t_port *up;
	struct dev *d;

	(void)state;
	h_init(&H);
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	d = h_vxlan(&H, "vx", &o, 0);
	o.dev = up->dev->ifindex;
	h_vxlan(&H, "vx2", &o, VXA_BIT(VXA_DEV));
	o = h_opts(101, 4789);
	d = h_vxlan(&H, "vx3", &o, 0);
	o.dev = up->dev->ifindex;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_DEV), &err), -EBUSY);
	assert_non_null(strstr(err.text, "take vx3 down first"));
	assert_int_equal(dev_change_flags(d, false, NULL), 0);
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_DEV), &err), 0);
	assert_int_equal(dev_change_flags(d, true, NULL), 0);
	assert_false(vxlan_dev(d)->host);
	h_end(&H);
}

/* What waits at a device that is removed is accounted for until a worker has had its turn. */
static void goes_with_packets(void **state)
{
	static const uint8_t frame[8 + 60] = {8, 0, 0, 0, 0, 0, 100, 0, [8] = 2, [14] = 2, [19] = 9};
	struct vxlan_opts o = h_opts(100, 4789);
	struct worker *w;
	struct batch b;
	struct dev *d;
	struct pkt *p;

	(void)state;
	h_init(&H);
	d = h_vxlan(&H, "vx", &o, 0);
	w = H.t->vx->workers[0];
	p = t_pkt(w, frame, sizeof(frame), 0);
	w->acct.rx++;
	p->tun = (struct tun_info){.src = t_addr("10.0.0.2"), .dport = 4789, .ifindex = 2};
	p->has_tun = true;
	batch_init(&b);
	batch_add(&b, p);
	udp_queue_rcv(w, &H.sock[0].sk, &b);
	assert_int_equal(vx_held(H.t->vx), 1);
	link_dellink(d, false);
	assert_int_equal(vx_held(H.t->vx), 1);
	t_check(H.t);
	t_advance(H.t, NS_PER_MS);
	assert_int_equal(vx_held(H.t->vx), 0);
	h_end(&H);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validation_order), cmocka_unit_test(defaults),
		cmocka_unit_test(mtu_at_creation),  cmocka_unit_test(mtu_later),
		cmocka_unit_test(duplicates),	    cmocka_unit_test(duplicates_linklocal),
		cmocka_unit_test(host_index),
		cmocka_unit_test(sockets),	    cmocka_unit_test(change_refused),
		cmocka_unit_test(change_taken),	    cmocka_unit_test(change_remote),
		cmocka_unit_test(change_remote6),   cmocka_unit_test(limits),
		cmocka_unit_test(goes_with_lower),  cmocka_unit_test(two_forms),
		cmocka_unit_test(goes_with_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
