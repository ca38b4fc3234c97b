/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet and netif ports over a veth pair in a network namespace of the test's own:
 *
 *   vx: port on va ---- host interface va ==veth== vb ---- a raw socket of the test
 *
 * va has 10.99.0.1, so the host's own stack answers ARP for it, unless va is hidden from it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_net.h>

#include "io/hide.h"
#include "io/netif.h"
#include "io/packet.h"
#include "io/testing.h"
#include "net/ptype.h"
#include "wire/arp.h"
#include "wire/eth.h"

enum { TYPE = 0x88b5, MTU = 1400 };

static struct {
	struct vx *vx;
	struct packet_ctx ctx;
	int fd; /* as registered for readiness */
	struct napi *napi;
	int raw; /* on vb */
	struct ptype tap;
	uint32_t n;
	struct pkt *last;
	char warning[256];
	struct mac va, vb;
} T;

/* --- the world ------------------------------------------------------------------------------- */

static int wake_add(void *ctx, int fd, struct napi *n)
{
	T.fd = fd;
	T.napi = n;
	return 0;
}

static void wake_del(void *ctx, int fd, struct napi *n)
{
	assert_int_equal(fd, T.fd);
	napi_remove(n);
	T.fd = -1;
}

static void warn(void *ctx, const char *text)
{
	snprintf(T.warning, sizeof(T.warning), "%s", text);
}

static void keep(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		pkt_push(b->p[i], pkt_off(b->p[i]) - b->p[i]->mac_off);
		if (be16_get(b->p[i]->protocol) != TYPE && !ethtype_is_vlan(b->p[i]->protocol)) {
			pkt_consume(w, b->p[i]); /* the host's IPv6 chatter */
			continue;
		}
		T.n++;
		w->acct.local++;
		pkt_free(T.last);
		T.last = b->p[i];
	}
}

static int open_raw(void)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("vb")};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), one = 1, big = 4 << 20;

	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, 23, &one, sizeof(one)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void get_mac(const char *name, struct mac *m)
{
	char cmd[64], text[32] = "";
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ip -o link show %s | sed 's/.*ether //;s/ .*//'", name);
	f = popen(cmd, "r");
	assert_non_null(fgets(text, sizeof(text), f));
	pclose(f);
	text[17] = 0;
	assert_int_equal(mac_parse(text, m), 0);
}

static int setup(void **state)
{
	struct vx_config cfg = {.n_workers = 1, .now = NS_PER_S};

	memset(&T, 0, sizeof(T));
	T.fd = -1;
	assert_int_equal(system("ip link add va type veth peer name vb &&"
				" ip link set va mtu 1400 &&"
				" ip link set vb mtu 1400 && ip addr add 10.99.0.1/24 dev va &&"
				" ip link set va up && ip link set vb up"), 0);
	get_mac("va", &T.va);
	get_mac("vb", &T.vb);
	T.raw = open_raw();
	T.vx = vx_new(&cfg);
	T.ctx = (struct packet_ctx){.wake = {wake_add, wake_del, NULL}, .open = io_open_direct,
				    .warn = warn};
	assert_int_equal(packet_init_module(T.vx, &T.ctx), 0);
	assert_int_equal(netif_init_module(T.vx, &T.ctx), 0);
	/* A tap gets clones; what it cloned is then dropped as unhandled. */
	T.tap = (struct ptype){.type = PTYPE_ALL, .rcv = keep};
	assert_int_equal(ptype_add(T.vx, &T.tap), 0);
	return 0;
}

static int teardown(void **state)
{
	struct account a;

	vx_account(T.vx, &a);
	assert_int_equal(account_open(&a), 0);
	pkt_free(T.last);
	while (T.vx->n_devs)
		link_dellink(container_of(T.vx->devs.prev, struct dev, node), false);
	quiesce_idle(&T.vx->quiesce, 0); /* its turn is over */
	quiesce_reap(&T.vx->quiesce);
	assert_int_equal(T.ctx.n_ports, 0);
	assert_int_equal(vx_pool_stats(T.vx).pkts_out, 0);
	assert_int_equal(vx_pool_stats(T.vx).small_out, 0);
	assert_int_equal(vx_pool_stats(T.vx).big_out, 0);
	ptype_del(T.vx, &T.tap);
	vx_free(T.vx);
	close(T.raw);
	return system("ip link del va");
}

static int add_cfg(const char *kind, const char *dev, struct link_cfg *c, struct dev **d,
		   struct vx_err *err)
{
	struct packet_opts o = {""};

	snprintf(c->name, sizeof(c->name), "up0");
	snprintf(o.dev, sizeof(o.dev), "%s", dev);
	return link_newlink(T.vx, link_type_find(T.vx, kind), c, &o, 1, err, d);
}

static struct dev *add(const char *kind)
{
	struct link_cfg c = {.has_up = true, .up = true};
	struct vx_err err = {0};
	struct dev *d = NULL;

	if (add_cfg(kind, "va", &c, &d, &err) < 0)
		fail_msg("%s", err.text);
	return d;
}

/* Turns until 'n' frames have come, or nothing for 300 ms. */
static void run_until(uint32_t n)
{
	struct pollfd pfd = {.fd = T.fd, .events = POLLIN};

	while (T.n < n && poll(&pfd, 1, 300) > 0) {
		napi_schedule(T.napi);
		while (vx_turn(T.vx, 0, NS_PER_S))
			;
	}
}

/* Sends a frame out of vb: 'len' bytes in all, header filled in. */
static void raw_send(struct virtio_net_hdr h, const struct mac *dst, uint8_t *frame, size_t len)
{
	uint8_t buf[70000];

	memcpy(buf, &h, sizeof(h));
	memcpy(frame, dst, 6);
	memcpy(frame + 6, &T.vb, 6);
	memcpy(buf + sizeof(h), frame, len);
	assert_int_equal(send(T.raw, buf, sizeof(h) + len, 0), sizeof(h) + len);
}

/* The next frame that came out at vb, but for the host's chatter; 0: none within 300 ms. */
static size_t raw_recv(uint16_t type, struct virtio_net_hdr *h, uint8_t *frame)
{
	struct pollfd pfd = {.fd = T.raw, .events = POLLIN};

	while (poll(&pfd, 1, 300) > 0) {
		uint8_t buf[70000];
		ssize_t n = recv(T.raw, buf, sizeof(buf), 0);

		if (n < (ssize_t)sizeof(*h) + 14 || (buf[22] << 8 | buf[23]) != type)
			continue;
		memcpy(h, buf, sizeof(*h));
		memcpy(frame, buf + sizeof(*h), (size_t)n - sizeof(*h));
		return (size_t)n - sizeof(*h);
	}
	return 0;
}

static const struct virtio_net_hdr plain;

static void plain_frame(uint8_t *f, size_t len, uint8_t fill)
{
	memset(f, fill, len);
	f[12] = TYPE >> 8;
	f[13] = TYPE & 0xff;
}

/* An IPv4 TCP frame with an unfinished checksum, whose EtherType is IPv4. */
static void tcp_frame(uint8_t *f, size_t len)
{
	uint16_t ip_len = htons((uint16_t)(len - 14));

	memset(f, 0x11, len);
	memcpy(f + 12, "\x08\x00\x45\x00", 4);
	memcpy(f + 16, &ip_len, 2);
	memcpy(f + 18, "\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x09\x00\x02\x0a\x09\x00\x03", 16);
	memset(f + 34, 0, 20);
	f[35] = 80;
	f[46] = 0x50;
	f[47] = 0x10;
}

static const struct virtio_net_hdr gso = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					  .hdr_len = 54, .gso_size = 1360, .csum_start = 34,
					  .csum_offset = 16};

static uint64_t dropped(enum drop why)
{
	struct account a;

	vx_account(T.vx, &a);
	return a.dropped[why];
}

/* --- receive --------------------------------------------------------------------------------- */

static void settings(void **state)
{
	struct link_cfg c = {.has_mtu = true, .mtu = 1300}, bad = {.has_mtu = true, .mtu = 1401},
			mac = {.has_mac = true, .mac = {{2, 0, 0, 0, 0, 1}}}, none = {.name = ""};
	struct host_link l = {.ifindex = if_nametoindex("va"), .mtu = 1350,
			      .mac = {{2, 2, 2, 2, 2, 2}}};
	struct vx_err err = {0};
	struct packet_opts o;
	struct dev *d;

	assert_int_equal(add_cfg("packet", "lo", &none, &d, &err), -EINVAL);
	assert_int_equal(add_cfg("packet", "nothing", &none, &d, &err), -ENODEV);
	assert_non_null(strstr(err.text, "nothing"));
	assert_int_equal(add_cfg("packet", "", &none, &d, &err), -EINVAL);
	assert_int_equal(add_cfg("packet", "va", &bad, &d, &err), -EINVAL);
	assert_int_equal(add_cfg("packet", "va", &mac, &d, &err), -EOPNOTSUPP);
	assert_int_equal(T.vx->n_devs, 0);
	assert_int_equal(add_cfg("packet", "va", &none, &d, &err), 0);
	assert_int_equal(d->mtu, MTU);
	assert_true(mac_eq(&d->mac, &T.va));
	assert_int_equal(dev_set_mtu(d, 1401, NULL), -EINVAL);
	assert_int_equal(dev_set_mac(d, &mac.mac, NULL), -EOPNOTSUPP);
	d->type->fill_info(d, &o);
	assert_string_equal(o.dev, "va");
	packet_host_changed(T.vx, &l, false);
	assert_int_equal(d->mtu, 1350);
	assert_true(mac_eq(&d->mac, &l.mac));
	link_dellink(d, false);
	assert_int_equal(add_cfg("packet", "va", &c, &d, &err), 0);
	assert_int_equal(d->mtu, 1300);
	packet_host_changed(T.vx, &l, false); /* what was set stays */
	assert_int_equal(d->mtu, 1300);
	l.mtu = 1200;
	packet_host_changed(T.vx, &l, false);
	assert_int_equal(d->mtu, 1200);
}

static void receive(void **state)
{
	struct dev *d = add("packet");
	uint8_t f[1500];

	plain_frame(f, 60, 1);
	raw_send(plain, &T.va, f, 60);
	run_until(1);
	assert_int_equal(T.n, 1);
	assert_int_equal(T.last->len, 60);
	assert_memory_equal(T.last->data, f, 60);
	assert_int_equal(T.last->type, PKT_HOST);
	assert_int_equal(T.last->csum_state, CSUM_NONE);
	assert_int_equal(T.last->gso_size, 0);
	for (int i = 0; i < 200; i++) {
		plain_frame(f, 1414, (uint8_t)i);
		raw_send(plain, &T.va, f, 1414);
	}
	run_until(201);
	assert_int_equal(T.n, 201);
	assert_int_equal(T.last->data[1413], 199);
	dev_change_flags(d, false, NULL); /* down: the socket takes nothing */
	raw_send(plain, &T.va, f, 60);
	run_until(202);
	dev_change_flags(d, true, NULL);
	raw_send(plain, &T.va, f, 60);
	run_until(203);
	assert_int_equal(T.n, 202);
}

/* What the host itself sends out of va is no frame from the wire. */
static void outgoing_is_ignored(void **state)
{
	struct virtio_net_hdr h;
	uint8_t f[2000];

	add("packet");
	assert_int_equal(system("ip neigh add 10.99.0.9 lladdr 02:00:00:00:00:09 dev va &&"
				"(ping -c1 -W1 -q 10.99.0.9 >/dev/null 2>&1 || true)"), 0);
	run_until(1);
	assert_int_equal(T.n, 0);
	if (!raw_recv(0x0800, &h, f))
		print_message("no ping here: nothing was sent\n");
}

/* True if p is the super-frame 'f'. */
static bool is_super_frame(struct pkt *p, const uint8_t *f, uint32_t len)
{
	static uint8_t got[60000];

	if (pkt_total(p) != len)
		return false;
	assert_int_equal(p->gso_type, GSO_TCP4);
	assert_int_equal(p->gso_size, 1360);
	assert_int_equal(p->csum_state, CSUM_PARTIAL);
	assert_int_equal(p->csum_start, pkt_off(p) + 34);
	assert_int_equal(p->csum_offset, 16);
	pkt_copy_out(p, 0, got, len);
	assert_memory_equal(got, f, len);
	return true;
}

static void super_frame(void **state)
{
	static uint8_t f[60000];
	struct dev *d = add("packet");
	struct io *io = atomic_load(&d->io);
	struct pollfd pfd = {.fd = T.fd, .events = POLLIN};
	bool found = false;

	tcp_frame(f, sizeof(f));
	raw_send(gso, &T.vb, f, sizeof(f)); /* not to va: its host would look at it, too */
	while (!found && poll(&pfd, 1, 300) > 0) {
		struct batch b;

		batch_init(&b);
		io->ops->rx(io, T.vx->workers[0], &b, 64);
		for (uint32_t i = 0; i < b.n; i++) {
			found |= is_super_frame(b.p[i], f, sizeof(f));
			pkt_consume(T.vx->workers[0], b.p[i]);
		}
	}
	assert_true(found);
}

/* The host takes a tag out of the frame; it comes back in. */
static void tags(void **state)
{
	uint8_t f[100];

	add("packet");
	for (int ad = 0; ad < 2; ad++) {
		plain_frame(f, 100, 5);
		memcpy(f + 12, ad ? "\x88\xa8\xa0\x2a" : "\x81\x00\xa0\x2a", 4);
		f[16] = TYPE >> 8;
		f[17] = TYPE & 0xff;
		raw_send(plain, &T.va, f, 100);
		run_until((uint32_t)ad + 1);
		assert_int_equal(T.n, ad + 1);
		assert_int_equal(T.last->len, 100);
		assert_memory_equal(T.last->data, f, 100);
	}
}

static void no_buffers(void **state)
{
	struct worker *w;
	struct pkt *hold[2];
	uint8_t f[60];

	teardown(NULL);
	setup(NULL);
	/* Another struct vx with next to no buffers. */
	ptype_del(T.vx, &T.tap);
	vx_free(T.vx);
	T.vx = vx_new(&(struct vx_config){.n_workers = 1, .now = NS_PER_S, .pool_pkts = 2,
					  .pool_small = 2, .pool_big = 2});
	packet_init_module(T.vx, &T.ctx);
	netif_init_module(T.vx, &T.ctx);
	ptype_add(T.vx, &T.tap);
	add("packet");
	w = T.vx->workers[0];
	hold[0] = pkt_new(w->pool, 10);
	hold[1] = pkt_new(w->pool, 10);
	plain_frame(f, 60, 1);
	for (int i = 0; i < 3; i++)
		raw_send(plain, &T.va, f, 60);
	run_until(1);
	assert_int_equal(T.n, 0);
	assert_in_range(dropped(DROP_no_memory), 3, 50); /* and the host's chatter */
	pkt_free(hold[0]);
	pkt_free(hold[1]);
}

/* --- transmit -------------------------------------------------------------------------------- */

static struct pkt *made(const uint8_t *bytes, size_t len)
{
	struct pkt *p = pkt_make(T.vx->workers[0], (uint32_t)len);

	memcpy(pkt_append(p, (uint32_t)len), bytes, len);
	return p;
}

static void xmit(struct dev *d, struct pkt *p)
{
	struct batch b = {.n = 1, .p = {p}};

	dev_queue_xmit(T.vx->workers[0], d, &b);
}

/* Frames that are none, as no kernel hands over: from a socket pair in the place of the port's. */
static void cut(void **state)
{
	struct {
		struct virtio_net_hdr h;
		uint8_t frame[60];
	} m = {.h = {.csum_start = 58, .csum_offset = 1}};
	static const struct {
		uint8_t flags;
		uint32_t len;
	} row[] = {
		{0, sizeof(m.h) + 13}, {0, sizeof(m.h)}, {0, 3},
		{VIRTIO_NET_HDR_F_NEEDS_CSUM, sizeof(m)}, /* of bytes that are not there */
		{0, sizeof(m)},				  /* a good one */
	};
	struct dev *d = add("packet");
	struct dev_stats st;
	struct account a;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(dup2(pair[0], T.fd), T.fd);
	plain_frame(m.frame, sizeof(m.frame), 1);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		m.h.flags = row[i].flags;
		assert_int_equal(send(pair[1], &m, row[i].len, 0), row[i].len);
	}
	run_until(1);
	assert_int_equal(T.n, 1);
	vx_account(T.vx, &a);
	assert_int_equal(a.dropped[DROP_pkt_too_small], ARRAY_LEN(row) - 1);
	dev_sum_stats(d, &st);
	assert_int_equal(st.rx_errors, ARRAY_LEN(row) - 1);
	close(pair[0]);
	close(pair[1]);
}

static void transmit(void **state)
{
	struct dev *d = add("packet");
	struct virtio_net_hdr h;
	struct batch b;
	uint8_t f[1500], got[2000];

	batch_init(&b);
	for (int i = 0; i < 64; i++) {
		plain_frame(f, 60 + (size_t)i, (uint8_t)i);
		batch_add(&b, made(f, 60 + (size_t)i));
	}
	dev_queue_xmit(T.vx->workers[0], d, &b);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(raw_recv(TYPE, &h, got), 60 + i);
		assert_int_equal(got[59 + i], i);
		assert_int_equal(h.flags, 0);
	}
	assert_int_equal(T.vx->workers[0]->acct.tx, 64);
}

/* Whole, with an unfinished checksum, from pieces. */
static void transmit_super_frame(void **state)
{
	static uint8_t f[40000], got[70000];
	struct dev *d = add("packet");
	struct virtio_net_hdr h;
	struct pkt *p;

	tcp_frame(f, sizeof(f));
	p = made(f, 1000);
	for (size_t at = 1000; at < sizeof(f); at += 1500) {
		size_t n = MIN(sizeof(f) - at, (size_t)1500);
		struct pkt *frag = pkt_new(T.vx->workers[0]->pool, (uint32_t)n);

		memcpy(pkt_append(frag, (uint32_t)n), f + at, n);
		pkt_add_frag(p, frag);
	}
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	p->gso_type = GSO_TCP4;
	p->gso_size = 1360;
	xmit(d, p);
	assert_int_equal(raw_recv(0x0800, &h, got), sizeof(f));
	assert_memory_equal(got, f, sizeof(f));
	assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(h.gso_size, 1360);
	assert_int_equal(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h.csum_start, 34);
	/* Without GSO. */
	tcp_frame(f, 100);
	p = made(f, 100);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	xmit(d, p);
	assert_int_equal(raw_recv(0x0800, &h, got), 100);
	assert_int_equal(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

/* Each refusal has its reason, and does not take its neighbours with it. */
static void refusals(void **state)
{
	struct dev *d = add("packet");
	struct virtio_net_hdr h;
	uint8_t f[3000], got[4000];
	struct batch b;

	plain_frame(f, sizeof(f), 1);
	batch_init(&b);
	batch_add(&b, made(f, 60));
	batch_add(&b, made(f, 1500));
	batch_add(&b, made(f, 61));
	dev_queue_xmit(T.vx->workers[0], d, &b);
	assert_int_equal(raw_recv(TYPE, &h, got), 60);
	assert_int_equal(raw_recv(TYPE, &h, got), 61);
	assert_int_equal(dropped(DROP_tx_too_big), 1);
	assert_int_equal(system("ip link set va down"), 0);
	xmit(d, made(f, 60));
	assert_int_equal(dropped(DROP_host_refused), 1);
	run_until(1); /* the socket's error does not hang the loop */
	assert_int_equal(system("ip link set va up"), 0);
	xmit(d, made(f, 62));
	assert_int_equal(raw_recv(TYPE, &h, got), 62);
	assert_int_equal(dev_stats(d, T.vx->workers[0])->tx_dropped, 2);
}

static void queue_full(void **state)
{
	struct dev *d = add("packet");
	uint8_t f[1400];
	uint64_t full;

	if (system("tc qdisc add dev va root tbf rate 8kbit burst 2000 limit 3000"
		   " 2>/dev/null") != 0) {
		print_message("no tbf queue here\n");
		skip();
	}
	plain_frame(f, sizeof(f), 1);
	for (int i = 0; i < 50; i++)
		xmit(d, made(f, sizeof(f)));
	full = dropped(DROP_tx_queue_full);
	assert_in_range(full, 1, 49);
	assert_int_equal(T.vx->workers[0]->acct.tx + full, 50);
}

/* --- netif ----------------------------------------------------------------------------------- */

/* Asks the host who has 10.99.0.1. */
static bool host_answers(void)
{
	static const struct mac broadcast = {{255, 255, 255, 255, 255, 255}};
	struct virtio_net_hdr h;
	uint8_t f[60] = {0}, got[2000];

	memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	memcpy(f + 22, &T.vb, 6);
	memcpy(f + 28, "\x0a\x63\x00\x02", 4);
	memcpy(f + 38, "\x0a\x63\x00\x01", 4);
	raw_send(plain, &broadcast, f, sizeof(f));
	return raw_recv(0x0806, &h, got) != 0;
}

static bool promiscuous(void)
{
	return system("ip -d link show va | grep -q 'promiscuity 1'") == 0;
}

static void check_hidden(enum hide_how how)
{
	struct dev *d = add("netif");
	struct virtio_net_hdr h;
	uint8_t f[60], got[2000];

	assert_int_equal(packet_port_of(d)->hide.how, how);
	assert_false(packet_port_of(d)->io.shared);
	assert_string_equal(T.warning, "");
	assert_false(host_answers());
	plain_frame(f, 60, 1);
	raw_send(plain, &(struct mac){{2, 9, 9, 9, 9, 9}}, f, 60); /* for whoever is behind vx */
	run_until(1);
	assert_int_equal(T.n, 1);
	assert_true(promiscuous());
	xmit(d, made(f, 60));
	assert_int_equal(raw_recv(TYPE, &h, got), 60);
	link_dellink(d, false);
	assert_true(host_answers());
	quiesce_idle(&T.vx->quiesce, 0); /* its turn is over */
	quiesce_reap(&T.vx->quiesce);
	assert_false(promiscuous());
}

static void hidden(void **state)
{
	struct hide h;

	if (hide_add_by(if_nametoindex("va"), HIDE_TCX, &h) < 0)
		skip();
	hide_del(&h);
	assert_true(host_answers());
	check_hidden(HIDE_TCX);
}

static int by_clsact(void *ctx, uint32_t ifindex, struct hide *out)
{
	return hide_add_by(ifindex, HIDE_CLSACT, out);
}

static void hidden_the_old_way(void **state)
{
	struct hide h;
	int r = hide_add_by(if_nametoindex("va"), HIDE_CLSACT, &h);

	if (r < 0) {
		print_message("no clsact here: %s\n", strerror(-r));
		skip();
	}
	/* As if left by a vxd that was killed: the next one takes it over. */
	T.ctx.open.hide = by_clsact;
	check_hidden(HIDE_CLSACT);
}

static int refuse(void *ctx, uint32_t ifindex, struct hide *out)
{
	return -EPERM;
}

static void not_hidden(void **state)
{
	struct dev *d;
	uint8_t f[60];

	T.ctx.open.hide = refuse;
	d = add("netif");
	assert_true(packet_port_of(d)->io.shared);
	assert_non_null(strstr(T.warning, "va"));
	assert_true(host_answers());
	plain_frame(f, 60, 1);
	raw_send(plain, &T.va, f, 60);
	run_until(1);
	assert_int_equal(T.n, 1);
}

static void twice(void **state)
{
	struct link_cfg c = {.name = ""};
	struct vx_err err = {0};
	struct packet_opts o = {"va"};
	struct dev *d;

	add("netif");
	snprintf(c.name, sizeof(c.name), "up1");
	assert_int_equal(link_newlink(T.vx, link_type_find(T.vx, "netif"), &c, &o, 1, &err, &d),
			 -EBUSY);
	assert_non_null(strstr(err.text, "up0"));
}

/* A packet port leaves the host alone, and becomes promiscuous when a bridge takes it. */
static void packet_is_shared(void **state)
{
	struct dev *d = add("packet");

	assert_true(host_answers());
	assert_false(promiscuous());
	dev_set_promiscuity(d, 1);
	assert_true(promiscuous());
	dev_set_promiscuity(d, -1);
	assert_false(promiscuous());
}

int main(int argc, char **argv)
{
#define C(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		C(settings), C(receive), C(outgoing_is_ignored), C(super_frame), C(tags),
		C(no_buffers), C(cut), C(transmit), C(transmit_super_frame), C(refusals), C(queue_full),
		C(hidden), C(hidden_the_old_way), C(not_hidden), C(twice), C(packet_is_shared),
	};

	io_test_enter(argv, "ip link set lo up && ip link add va type veth peer name vb &&"
			    " ip link del va", "cannot make a veth pair here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
