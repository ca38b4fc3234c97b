/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of whole frames: every member, and every frame cut at every byte. */
#include <stdlib.h>

#include "datapath/key.h"
#include "datapath/mask.h"
#include "net/testing.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/nd.h"
#include "wire/tcp.h"

static struct t_net *T;
static uint8_t F[T_FRAME_MAX];
static struct flow_key K;
static struct flow_layers L;

/* In one piece, or in two. */
static enum drop extract(const uint8_t *f, uint32_t len, uint32_t split)
{
	struct worker *w = T->vx->workers[0];
	struct pkt *p = t_pkt(w, f, len, split);
	enum drop why = flow_key_extract(w, p, 7, &K, &L);

	if (why == DROP_NONE && L.ip_proto)
		assert_true(p->l4_off - pkt_off(p) + 8 <= p->len);
	pkt_free(p);
	return why;
}

/* The expected key has in_port 7; the frame in two pieces gives the same. */
static void assert_key(uint32_t len, const struct flow_key *want)
{
	for (uint32_t split = 0; split < MIN(len, 80u); split++) {
		assert_int_equal(extract(F, len, split), DROP_NONE);
		assert_memory_equal(&K, want, sizeof(K));
	}
}

static struct flow_key base(uint16_t type)
{
	return (struct flow_key){.in_port = 7,
				 .eth_src = t_mac(T_HER),
				 .eth_dst = t_mac(T_ME),
				 .eth_type = be16_put(type)};
}

static struct flow_key ip(const char *src, const char *dst, uint8_t proto, uint8_t tos)
{
	struct ip_addr d = t_addr(dst);
	struct flow_key k = base(ip_is4(&d) ? ETHTYPE_IP4 : ETHTYPE_IP6);

	k.ip_src = t_addr(src);
	k.ip_dst = d;
	k.ip_proto = proto;
	k.ip_tos = tos;
	k.ip_ttl = 64;
	return k;
}

static const struct t_ip V4 = {
	.src = "10.0.0.2", .dst = "10.0.0.1", .tos = 0xb9, .len = 4, .data = "abcd"};
static const struct t_ip V6 = {
	.src = "fd00::2", .dst = "fd00::1", .tos = 0xb9, .len = 4, .data = "abcd"};

static void test_udp(void **state)
{
	struct flow_key k = ip("10.0.0.2", "10.0.0.1", 17, 0xb9);
	uint32_t len = t_udp(F, &V4, 0x1234, 0x5678);

	k.tp_src = be16_put(0x1234);
	k.tp_dst = be16_put(0x5678);
	assert_key(len, &k);
	assert_int_equal(L.eth_type, ETHTYPE_IP4);
	assert_int_equal(L.ip_proto, 17);
	assert_int_equal(L.frag, FRAG_NO);
	assert_int_equal(key_words(&K), KEY_WORDS_PLAIN);

	/* Padding of a short frame is not the packet's. */
	memset(F + len, 0xee, 20);
	assert_key(len + 20, &k);

	k = ip("fd00::2", "fd00::1", 17, 0xb9);
	k.tp_src = be16_put(0x1234);
	k.tp_dst = be16_put(0x5678);
	assert_key(t_udp(F, &V6, 0x1234, 0x5678), &k);
	t_ip6_of(F)->vtc_flow = ip6_vtc_flow(0xb9, 0xabcde);
	k.ip6_label = be32_put(0xabcde);
	assert_key(66, &k);
	(void)state;
}

static uint32_t tcp(const struct t_ip *s, uint16_t flags)
{
	struct tcp_hdr t = {.src = be16_put(80),
			    .dst = be16_put(443),
			    .off = (uint8_t)(0x50 | flags >> 8),
			    .flags = (uint8_t)flags};
	struct t_ip x = *s;

	x.proto = 6;
	x.data = &t;
	x.len = sizeof(t);
	return t_ip(F, &x);
}

static void test_tcp_sctp(void **state)
{
	static const uint8_t sctp[12] = {0, 7, 0, 9};
	struct t_ip s = V4;
	struct flow_key k = ip("10.0.0.2", "10.0.0.1", 6, 0xb9);

	k.tp_src = be16_put(80);
	k.tp_dst = be16_put(443);
	k.tcp_flags = be16_put(0x112);
	assert_key(tcp(&V4, 0x112), &k);
	s.proto = 132;
	s.data = sctp;
	s.len = 12;
	k = ip("10.0.0.2", "10.0.0.1", 132, 0xb9);
	k.tp_src = be16_put(7);
	k.tp_dst = be16_put(9);
	assert_key(t_ip(F, &s), &k);
	assert_int_equal(L.ip_proto, 132);
	/* Another protocol has no ports. */
	s.proto = 47;
	k = ip("10.0.0.2", "10.0.0.1", 47, 0xb9);
	assert_key(t_ip(F, &s), &k);
	assert_int_equal(L.ip_proto, 0);
	(void)state;
}

static void test_icmp(void **state)
{
	struct flow_key k = ip("10.0.0.2", "10.0.0.1", 1, 0xb9);

	k.tp_src = be16_put(8);
	assert_key(t_echo(F, &V4, 10), &k);
	k = ip("fd00::2", "fd00::1", 58, 0xb9);
	k.tp_src = be16_put(128);
	assert_key(t_echo(F, &V6, 10), &k);
	(void)state;
}

static uint32_t nd(uint8_t type, uint8_t opt, uint8_t opt_len, uint32_t n_opts)
{
	struct WIRE {
		struct nd_msg m;
		struct nd_lladdr_opt o[2];
	} b = {.m = {.type = type}};
	struct ip_addr target = t_addr("fd00::99");
	struct t_ip s = V6;

	memcpy(b.m.target, target.b, 16);
	for (uint32_t i = 0; i < n_opts; i++)
		b.o[i] = (struct nd_lladdr_opt){opt, opt_len, t_mac("02:00:00:00:00:77")};
	s.proto = 58;
	s.data = &b;
	s.len = (uint32_t)(sizeof(b.m) + n_opts * sizeof(b.o[0]));
	return t_ip(F, &s);
}

static void test_nd(void **state)
{
	struct flow_key k = ip("fd00::2", "fd00::1", 58, 0xb9), bare;

	k.tp_src = be16_put(135);
	bare = k;
	k.nd_target = t_addr("fd00::99");
	k.sha = t_mac("02:00:00:00:00:77");
	assert_key(nd(135, 1, 1, 1), &k);
	assert_int_equal(key_words(&K), KEY_WORDS_ADDRS);
	k.sha = (struct mac){{0}};
	assert_key(nd(135, 1, 1, 0), &k);
	assert_key(nd(135, 9, 1, 2), &k); /* other options */
	/* Twice, without end, or beyond it: nothing of ND. */
	assert_key(nd(135, 1, 1, 2), &bare);
	assert_key(nd(135, 1, 0, 1), &bare);
	assert_key(nd(135, 1, 3, 1), &bare);
	k.tp_src = be16_put(136);
	k.tha = t_mac("02:00:00:00:00:77");
	assert_key(nd(136, 2, 1, 1), &k);
	(void)state;
}

static void test_arp(void **state)
{
	struct flow_key k = base(ETHTYPE_ARP);
	uint32_t len = t_arp(F, ARP_REPLY, T_HER, "10.0.0.2", "10.0.0.1", T_ME);
	struct arp_hdr *a = (struct arp_hdr *)(F + 14);

	k.ip_src = t_addr("10.0.0.2");
	k.ip_dst = t_addr("10.0.0.1");
	k.ip_proto = 2;
	k.sha = t_mac(T_HER);
	k.tha = t_mac(T_ME);
	assert_key(len, &k);
	a->op = be16_put(0x101);
	k.ip_proto = 0;
	assert_key(len, &k);
	a->hw_len = 7;
	k = base(ETHTYPE_ARP);
	assert_key(len, &k);
	(void)state;
}

/* Puts a tag before the frame's EtherType. */
static uint32_t tag(uint32_t len, uint16_t tpid, uint16_t tci)
{
	memmove(F + 16, F + 12, len - 12);
	*(be16 *)(F + 12) = be16_put(tpid);
	*(be16 *)(F + 14) = be16_put(tci);
	return len + 4;
}

static void test_vlan(void **state)
{
	struct flow_key k = ip("10.0.0.2", "10.0.0.1", 17, 0xb9);
	uint32_t len = tag(t_udp(F, &V4, 1, 2), ETHTYPE_VLAN, 0x6014);

	k.tp_src = be16_put(1);
	k.tp_dst = be16_put(2);
	k.vlan[0] = (struct flow_vlan){be16_put(ETHTYPE_VLAN), be16_put(0x7014)};
	assert_key(len, &k);
	len = tag(len, ETHTYPE_QINQ, 100);
	k.vlan[1] = k.vlan[0];
	k.vlan[0] = (struct flow_vlan){be16_put(ETHTYPE_QINQ), be16_put(0x1064)};
	assert_key(len, &k);
	/* A third one is payload. */
	len = tag(len, ETHTYPE_VLAN, 5);
	assert_int_equal(extract(F, len, 0), DROP_NONE);
	assert_int_equal(be16_get(K.eth_type), ETHTYPE_VLAN);
	assert_int_equal(K.ip_proto, 0);
	for (uint32_t n = 14; n < 18; n++)
		assert_int_equal(extract(F, n, 0), DROP_flow_vlan_cut);
	for (uint32_t n = 18; n <= 22; n++) { /* of the second, too: an access port may carry it */
		assert_int_equal(extract(F, n, 0), DROP_NONE);
		assert_true(key_has_tag(&K, 0) && key_has_tag(&K, 1) == (n == 22));
	}
	(void)state;
}

static void test_llc(void **state)
{
	struct flow_key k = base(ETHTYPE_NONE);
	uint32_t len = t_udp(F, &V4, 1, 2);

	memmove(F + 22, F + 14, len - 14);
	*(be16 *)(F + 12) = be16_put(60);
	memcpy(F + 14, "\x42\x42\x03\0\0\0\x08\0", 8);
	assert_key(len + 8, &k);
	memcpy(F + 14, "\xaa\xaa\x03\0\0\0\x08\0", 8);
	k = ip("10.0.0.2", "10.0.0.1", 17, 0xb9);
	k.tp_src = be16_put(1);
	k.tp_dst = be16_put(2);
	assert_key(len + 8, &k);
	(void)state;
}

static void test_fragments(void **state)
{
	struct t_ip s = V4;
	struct flow_key k = ip("10.0.0.2", "10.0.0.1", 17, 0xb9);
	uint8_t ext[8] = {17, 0, 0, 1};

	s.frag = IP4_MF;
	k.ip_frag = FRAG_FIRST;
	k.tp_src = be16_put(1);
	k.tp_dst = be16_put(2);
	assert_key(t_udp(F, &s, 1, 2), &k);
	s.frag = 100;
	k.ip_frag = FRAG_LATER;
	k.tp_src = k.tp_dst = be16_put(0);
	assert_key(t_udp(F, &s, 1, 2), &k);
	assert_int_equal(L.ip_proto, 0);
	/* IPv6: first, later, and the one that is the whole packet. */
	s = V6;
	s.proto = IP6_FRAGMENT;
	s.opts = ext;
	s.opts_len = 8;
	k = ip("fd00::2", "fd00::1", 17, 0xb9);
	k.ip_frag = FRAG_FIRST;
	k.tp_src = be16_put(1);
	k.tp_dst = be16_put(2);
	assert_key(t_udp(F, &s, 1, 2), &k);
	ext[3] = 0;
	k.ip_frag = FRAG_NO;
	assert_key(t_udp(F, &s, 1, 2), &k);
	ext[3] = 8;
	k.ip_frag = FRAG_LATER;
	k.tp_src = k.tp_dst = be16_put(0);
	assert_key(t_udp(F, &s, 1, 2), &k);
	(void)state;
}

static void test_ext(void **state)
{
	/* hop by hop of 16 bytes, routing with a hop left, destination options, then UDP */
	uint8_t ext[32] = {IP6_ROUTING, 1};
	struct t_ip s = V6;
	struct flow_key k = ip("fd00::2", "fd00::1", 17, 0xb9);
	uint32_t len;

	ext[16] = IP6_DSTOPTS;
	ext[19] = 1;
	ext[24] = 17;
	s.proto = IP6_HOPOPTS;
	s.opts = ext;
	s.opts_len = 32;
	k.tp_src = be16_put(1);
	k.tp_dst = be16_put(2);
	len = t_udp(F, &s, 1, 2);
	assert_key(len, &k);
	assert_int_equal(L.frag, LAYER_ROUTED);
	ext[17] = 200; /* beyond the packet */
	len = t_udp(F, &s, 1, 2);
	k = base(ETHTYPE_IP6); /* then only the addresses count */
	k.ip_src = t_addr(V6.src);
	k.ip_dst = t_addr(V6.dst);
	assert_key(len, &k);
	assert_int_equal(L.ip_proto, 0);
	(void)state;
}

static void test_tunnel(void **state)
{
	struct worker *w = T->vx->workers[0];
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct pkt *p = t_pkt(w, F, len, 0);
	struct flow_tun want = {.src = t_addr("10.1.1.2"),
				.dst = t_addr("10.1.1.1"),
				.id = 100,
				.tp_src = be16_put(40000),
				.tp_dst = be16_put(4789),
				.tos = 2,
				.ttl = 63,
				.flags = TUN_PRESENT | TUN_KEY | TUN_CSUM,
				.gbp_flags = 0x48,
				.gbp_id = 0x1234};

	p->mark = 9;
	p->has_tun = true;
	p->tun = (struct tun_info){.src = t_addr("10.1.1.2"),
				   .dst = t_addr("10.1.1.1"),
				   .id = 100,
				   .sport = 40000,
				   .dport = 4789,
				   .tos = 2,
				   .ttl = 63,
				   .has_csum = true,
				   .has_key = true,
				   .gbp = 0x481234};
	assert_int_equal(flow_key_extract(w, p, 4, &K, &L), DROP_NONE);
	assert_memory_equal(&K.tun, &want, sizeof(want));
	assert_int_equal(K.skb_mark, 9);
	assert_int_equal(key_words(&K), KEY_WORDS);
	/* Of a device that is not in metadata mode, or of what is to be sent, nothing. */
	memset(&want, 0, sizeof(want));
	p->tun.has_key = false;
	assert_int_equal(flow_key_extract(w, p, 4, &K, &L), DROP_NONE);
	assert_memory_equal(&K.tun, &want, sizeof(want));
	p->tun.has_key = p->tun.is_tx = true;
	assert_int_equal(flow_key_extract(w, p, 4, &K, &L), DROP_NONE);
	assert_memory_equal(&K.tun, &want, sizeof(want));
	pkt_free(p);
	(void)state;
}

/* A frame that is one, though what is in it is cut: nothing of that is in the key. */
static void assert_bare(uint32_t len, uint32_t split, uint16_t type)
{
	struct flow_key k = base(type);

	assert_int_equal(extract(F, len, split), DROP_NONE);
	k.vlan[0] = K.vlan[0];
	assert_memory_equal(&K, &k, sizeof(K));
	assert_true(!L.eth_type && !L.ip_proto && !L.frag);
}

/* A frame that ends too early is never read beyond; its headers count as far as they are whole. */
static void test_cut(void **state)
{
	uint32_t len = tag(t_udp(F, &V4, 1, 2), ETHTYPE_VLAN, 1);

	for (uint32_t n = 0; n < len; n++)
		for (uint32_t split = 0; split < n; split++)
			if (n < 18)
				assert_int_equal(extract(F, n, split),
						 n < 14 ? DROP_pkt_too_small : DROP_flow_vlan_cut);
			else
				assert_bare(n, split, ETHTYPE_IP4);
	len = nd(135, 1, 1, 2);
	for (uint32_t n = 14; n < len; n++)
		assert_bare(n, n / 2, ETHTYPE_IP6);
	len = t_arp(F, ARP_REQUEST, T_HER, "10.0.0.2", "10.0.0.1", T_ME);
	for (uint32_t n = 14; n < len; n++) {
		assert_int_equal(extract(F, n, 0), DROP_NONE);
		assert_int_equal(K.ip_proto, 0);
	}
	/* The IP length is right, but the transport header is cut: no ports. */
	len = tcp(&V4, 2);
	for (uint16_t n = 20; n < 40; n++) {
		t_ip4_of(F)->len = be16_put(n);
		assert_int_equal(extract(F, 14u + n, 0), DROP_NONE);
		assert_int_equal(be16_get(K.tp_src), 0);
		assert_int_equal(L.ip_proto, 0);
	}
	(void)state;
}

static void test_bad_ip(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2);

	F[14] = 0x55; /* version */
	assert_bare(len, 0, ETHTYPE_IP4);
	F[14] = 0x44; /* 16 bytes of header */
	assert_bare(len, 0, ETHTYPE_IP4);
	F[14] = 0x4f; /* 60 bytes */
	assert_bare(len, 0, ETHTYPE_IP4);
	F[14] = 0x45;
	t_ip4_of(F)->len = be16_put(19);
	assert_bare(len, 0, ETHTYPE_IP4);
	t_ip4_of(F)->len = be16_put((uint16_t)(len - 13));
	assert_bare(len, 0, ETHTYPE_IP4);
	len = t_udp(F, &V6, 1, 2);
	F[14] = 0x40;
	assert_bare(len, 0, ETHTYPE_IP6);
	F[14] = 0x60;
	t_ip6_of(F)->payload_len = be16_put((uint16_t)(len - 53));
	assert_bare(len, 0, ETHTYPE_IP6);
	(void)state;
}

/* Masks: what is packed, what matches, and what every mask has. */
static void test_mask(void **state)
{
	struct flow_key m = {0}, k, u;
	uint64_t packed[KEY_WORDS];
	struct mask *mask;

	memset(&m.eth_dst, 0xff, sizeof(m.eth_dst));
	m.ip_tos = 0xfc;
	mask = mask_new(&m, 3);
	assert_non_null(mask);
	assert_int_equal(mask->key.in_port, UINT32_MAX);
	assert_int_equal(mask->key.ip_frag, FRAG_MASK);
	assert_int_equal(extract(F, t_udp(F, &V4, 1, 2), 0), DROP_NONE);
	k = K;
	mask_apply(mask, &k, packed);
	assert_true(mask_matches(mask, &k, packed));
	mask_unpack(mask, packed, &u);
	assert_int_equal(u.in_port, 7);
	assert_true(mac_eq(&u.eth_dst, &k.eth_dst) && mac_is_zero(&u.eth_src));
	assert_int_equal(u.ip_tos, 0xb8);
	assert_int_equal(u.ip_ttl, 0);
	assert_int_equal(be16_get(u.eth_type), ETHTYPE_IP4);
	k.ip_tos ^= 3; /* not looked at */
	k.tp_dst = be16_put(99);
	assert_true(mask_matches(mask, &k, packed));
	k.ip_tos ^= 4;
	assert_false(mask_matches(mask, &k, packed));
	k = K;
	k.vlan[0].tci = be16_put(VLAN_PRESENT); /* a tag is there */
	assert_false(mask_matches(mask, &k, packed));
	k = K;
	k.tun.flags = TUN_PRESENT;
	assert_false(mask_matches(mask, &k, packed));
	k = K;
	k.in_port = 8;
	assert_false(mask_matches(mask, &k, packed));
	free(mask);
	(void)state;
}

static int setup(void **state)
{
	T = t_new();
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	t_end(T);
	(void)state;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),  cmocka_unit_test(test_tcp_sctp),
		cmocka_unit_test(test_icmp), cmocka_unit_test(test_nd),
		cmocka_unit_test(test_arp),  cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_llc),  cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_ext),  cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_cut),  cmocka_unit_test(test_bad_ip),
		cmocka_unit_test(test_mask),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
