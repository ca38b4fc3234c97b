/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a UDP payload into vxlan_rcv().  Three devices with VNI 100, 200, 300: the first
 * learns and has a host side, the second knows its peers, the third leads to vx's own stack.  As
 * many with group policies on another port.
 *
 * Input: flags (1 IPv6, 2 in two pieces, 4 no mark of the checksum, 8 inner IPv4 header's checksum
 * put right, 0x30 outer ECN, 0x40 those with group policies), where it is cut, last byte of the
 * source, payload.
 */
#include "base/fuzz.h"

#include <sys/socket.h>

#include "vxlan/testing.h"

static struct h_host H;
static uint64_t runs;

static void device(uint32_t id, bool is6, bool nohost, bool known, bool gbp)
{
	struct vxlan_opts o = h_opts(id, gbp ? 4790 : 4789);
	struct link_cfg cfg = {.has_up = true, .up = true, .nohost = nohost, .has_mac = nohost,
			       .mac = t_mac(T_ME)};
	struct dev *d;

	o.local = t_addr(is6 ? "fd00::1" : "10.0.0.1");
	o.remote = t_addr(is6 ? "fd00::2" : "10.0.0.2");
	o.maxaddress = 1000;
	o.peers = known;
	o.learning = !known;
	o.gbp = gbp;
	assert_int_equal(link_newlink(H.t->vx, link_type_find(H.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DSTPORT) | VXA_BIT(VXA_LOCAL) |
					      VXA_BIT(VXA_GBP),
				      NULL, &d),
			 0);
	if (nohost) {
		struct ip_addr a = t_addr(is6 ? "192.168.8.1" : "192.168.9.1");
		struct ip_addr b = t_addr(is6 ? "fd08::1" : "fd09::1");

		a.b[15] = b.b[15] = gbp ? 129 : 1;
		assert_int_equal(inet_addr_add(d, &a, 24, NULL, "fuzz", NULL), 0);
		assert_int_equal(inet_addr_add(d, &b, 64, NULL, "fuzz", NULL), 0);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	h_init(&H);
	H.forget = true;
	for (int kind = 0; kind < 4; kind++) { /* as many sockets, in this order */
		device(100, kind & 1, false, false, kind & 2);
		device(200, kind & 1, false, true, kind & 2);
		device(300, kind & 1, true, false, kind & 2);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker *w = H.t->vx->workers[0];
	struct fuzz_in in = {data, size};
	uint8_t flags = fuzz_u8(&in), cut = fuzz_u8(&in), last = fuzz_u8(&in);
	struct h_sock *s = &H.sock[(flags & 1) | (flags >> 5 & 2)];
	struct pkt *p = t_pkt(w, in.p, (uint32_t)in.n, flags & 2 ? cut : 0);
	struct batch b;

	if (flags & 8 && p->len >= 42 && p->data[20] == 8 && !p->data[21] &&
	    ip4_hdr_len(t_ip4_of(p->data + 8)) <= p->len - 22)
		t_fix_ip4(p->data + 8);
	p->tun = (struct tun_info){.src = t_addr(flags & 1 ? "fd00::" : "10.0.0.0"),
				   .tos = flags >> 4 & 3,
				   .ttl = 64,
				   .dport = s->sk.cfg.port,
				   .ifindex = 2};
	p->tun.src.b[15] = last;
	p->has_tun = true;
	p->csum_state = flags & 4 ? CSUM_NONE : CSUM_UNSURE;
	p->outer_csum_ok = true;
	w->acct.rx++;
	batch_init(&b);
	batch_add(&b, p);
	udp_queue_rcv(w, &s->sk, &b);
	H.t->now += NS_PER_MS;
	while (vx_turn(H.t->vx, 0, H.t->now))
		;
	if (++runs % 256 == 0)
		t_advance(H.t, 0); /* checks the accounting */
	return 0;
}

void fuzz_end(void)
{
	t_advance(H.t, 0);
	h_end(&H);
}
