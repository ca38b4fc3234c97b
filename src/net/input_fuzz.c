/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the whole input side: frames into a port with addresses of both families, a tunnel's
 * socket and an ordinary one.  Input: per frame one byte of flags, two of length, the bytes.
 * After each frame the accounting has to be right, at the end every buffer is back.
 */
#include "net/testing.h"

#include <sys/socket.h>

#include "net/udp_inet.h"

enum { FLAG_SPLIT = 0x1f, FLAG_TRUST = 0x20, FLAG_LATER = 0x40, FLAG_FIX = 0x80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encap(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	uint32_t kept = 0;

	(void)sk;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		uint8_t what = 0;

		if (pkt_total(p))
			pkt_copy_out(p, 0, &what, 1);
		p->again = what & 1 ? what : 0;
		if (what & 2)
			b->p[kept++] = p;
		else
			pkt_consume(w, p);
	}
	b->n = kept;
}

static struct t_net *net(struct t_port **p)
{
	struct udp_tunnel_cfg tc = {.rcv = encap};
	struct t_net *t = t_new();
	struct udp_sock *sk;

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(*p, "fd00::1/64");
	for (int i = 0; i < 4; i++) {
		struct udp_sock_cfg c = {.vx = t->vx, .family = i & 1 ? AF_INET6 : AF_INET,
					 .port = i & 2 ? 7000 : 4789, .rcvbuf = 20000};

		assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
		if (!(i & 2))
			udp_tunnel_setup(sk, &tc);
	}
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t f[T_FRAME_MAX];
	struct t_port *p;
	struct t_net *t = net(&p);

	while (size > 3) {
		uint8_t flags = data[0];
		uint32_t len = MIN((uint32_t)(data[1] << 8 | data[2]), (uint32_t)size - 3);

		memcpy(f, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
		if ((flags & FLAG_FIX) && len >= 34 && f[14] >> 4 == 4 &&
		    ip4_hdr_len(t_ip4_of(f)) <= len - 14)
			t_fix_ip4(f);
		p->split = flags & FLAG_SPLIT ? 14u + (flags & FLAG_SPLIT) * 3u : 0;
		p->csum_state = flags & FLAG_TRUST ? CSUM_UNNECESSARY : CSUM_NONE;
		t_inject(p, f, len);
		if (flags & FLAG_LATER)
			t_advance(t, NS_PER_S);
		while (t_out(p))
			;
	}
	t_end(t);
	return 0;
}
