/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target's script: what it is made of, and its packets. */
#include "net/script.h"

#include <errno.h>
#include <stdio.h>

#include "wire/csum.h"

/* The script at work, for the ports, which know only their struct io. */
static struct script *now;

/* --- ports ----------------------------------------------------------------------------- */

static struct script_port *port_of(const struct io *io)
{
	for (int i = 0; i < T_PORTS; i++)
		if (now->port[i].port && &now->port[i].port->io == io)
			return &now->port[i];
	return NULL;
}

static uint32_t rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	uint32_t n = pkt_queue_take(&port_of(io)->in, b, budget);

	w->acct.rx += n;
	return n;
}

/* What dev_queue_xmit() has to have done before a port of these abilities gets p. */
static bool is_finished(const struct pkt *p, uint32_t can)
{
	if (p->gso_size)
		return can & (p->gso_type == GSO_UDP ? IO_CAN_USO : IO_CAN_TSO);
	return p->csum_state != CSUM_PARTIAL || can & IO_CAN_CSUM;
}

static void tx(struct io *io, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		assert_true(is_finished(b->p[i], io->can));
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
}

static const struct io_ops *base; /* of net/testing's ports */

static void forget(struct script_port *p)
{
	struct batch b;

	for (batch_init(&b); pkt_queue_take(&p->in, &b, BATCH_MAX); b.n = 0)
		for (uint32_t i = 0; i < b.n; i++)
			pkt_free(b.p[i]);
}

static void close_port(struct io *io, bool keep)
{
	struct script_port *p = port_of(io);

	base->close(io, keep);
	forget(p);
	p->port = NULL;
}

static int set_mtu(struct io *io, uint32_t mtu)
{
	return mtu == 1280 ? -EIO : 0; /* a host may refuse */
}

static int set_mac(struct io *io, const struct mac *mac)
{
	return mac->b[5] == 0x99 ? -EIO : 0;
}

static int set_up(struct io *io, bool up)
{
	return 0;
}

static const struct io_ops ops = {.name = "script",
				  .rx = rx,
				  .tx = tx,
				  .set_mac = set_mac,
				  .set_mtu = set_mtu,
				  .set_up = set_up,
				  .close = close_port};

void script_add_port(struct script *s, const char *addr4, const char *addr6)
{
	uint32_t i = s->t->n_ports;
	char name[8];
	struct t_port *p;

	assert_true(i < T_PORTS);
	snprintf(name, sizeof(name), "up%u", i);
	p = t_add_port(s->t, name, i ? "02:00:00:00:00:11" : T_ME, addr4);
	t_add_addr(p, addr6);
	base = p->io.ops;
	p->io.ops = &ops;
	p->io.can = i == 1 ? ~0u : IO_CAN_FRAGS;
	s->port[i] = (struct script_port){.port = p};
}

/* --- what bytes name ------------------------------------------------------------------- */

struct ip_addr script_ip(struct script *s)
{
	static const char *const table[] = {
		"10.0.0.1",	   "10.0.0.2",	  "10.0.0.3",	 "10.0.0.255", "10.9.0.1",
		"10.9.0.2",	   "239.1.1.1",	  "224.0.0.1",	 "127.0.0.1",  "0.0.0.0",
		"255.255.255.255", "192.168.9.1", "192.168.9.2", "240.0.0.1",  "fd00::1",
		"fd00::2",	   "fd00::3",	  "fe80::1",	 "fe80::2",    "ff02::1",
		"ff0e::5",	   "::1",	  "::",		 "fd09::1",    "fd09::2",
		"10.0.0.0",	   "11.0.0.1",	  "fd77::1"};
	uint8_t code = fuzz_u8(&s->in);
	size_t n = code & 0x40 ? 16 : 4;
	struct ip_addr a = {0};
	const uint8_t *raw;

	if (!(code & 0x80))
		return t_addr(table[code % ARRAY_LEN(table)]);
	raw = fuzz_bytes(&s->in, &n);
	if (!(code & 0x40))
		a = ip_from4(be32_put(0));
	if (n)
		memcpy(a.b + (code & 0x40 ? 0 : 12), raw, n);
	return a;
}

struct mac script_mac(struct script *s)
{
	static const struct mac table[] = {{{0}},
					   {{2, 0, 0, 0, 0, 1}},
					   {{2, 0, 0, 0, 0, 2}},
					   {{2, 0, 0, 0, 0, 0x99}},
					   {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
					   {{1, 0, 0x5e, 1, 1, 1}},
					   {{0x33, 0x33, 0, 0, 0, 1}}};
	uint8_t code = fuzz_u8(&s->in);

	return code & 0x80 ? (struct mac){{2, 0, 0, 0, 1, code}} : table[code % ARRAY_LEN(table)];
}

struct dev *script_dev(struct script *s)
{
	struct vx *vx = s->t->vx;
	uint32_t i = fuzz_u8(&s->in);

	if (!vx->n_devs)
		return NULL;
	i %= vx->n_devs;
	list_for_each (d, &vx->devs, struct dev, node)
		if (!i--)
			return d;
	return NULL;
}

struct worker *script_worker(struct script *s)
{
	return s->t->vx->workers[fuzz_u8(&s->in) % s->t->vx->n_workers];
}

uint32_t script_mtu(struct script *s)
{
	static const uint32_t table[] = {68, 100, 576, 1280, 1400, 1500, 9000, 65535, 60, 70000};
	uint8_t code = fuzz_u8(&s->in);

	return code & 0x80 ? fuzz_u16(&s->in) : table[code % ARRAY_LEN(table)];
}

bool script_set_metadata(struct pkt *p, uint8_t flags, uint16_t start, uint16_t off, uint16_t gso)
{
	if (flags & META_CSUM) {
		if ((uint32_t)start + off + 2 > pkt_total(p))
			return false;
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + start;
		p->csum_offset = off;
	}
	if (flags & META_GSO) {
		if (!gso || !(flags & META_CSUM))
			return false;
		p->gso_type = flags >> 4 & 3;
		p->gso_size = gso;
	}
	return true;
}

/* --- packets ------------------------------------------------------------------------- */

enum { FRAME_CUT = 1, FRAME_CSUM = 6, FRAME_FIX = 0x40, FRAME_WAIT = 0x80 };

/* The IPv4 header's checksum is a wall that a fuzzer cannot climb. */
static void fix(uint8_t *f, uint32_t len)
{
	if (len >= 34 && f[12] == 8 && !f[13] && ip4_hdr_len(t_ip4_of(f)) <= len - 14)
		t_fix_ip4(f);
}

/* What the receiver of the frame is told of its checksums. */
static void set_csum(struct pkt *p, uint8_t flags, const uint8_t *f, uint32_t len)
{
	switch (flags & FRAME_CSUM) {
	case 2:
		p->csum_state = CSUM_UNNECESSARY;
		break;
	case 4:
		if (len < 14)
			break;
		p->csum_state = CSUM_COMPLETE;
		p->csum = csum_reduce(csum_add(0, f + 14, len - 14));
	}
}

static struct pkt *read_pkt(struct script *s, struct worker *w, uint8_t flags)
{
	static uint8_t f[T_FRAME_MAX];
	uint8_t cut = flags & FRAME_CUT ? fuzz_u8(&s->in) : 0;
	uint16_t start = 0, off = 0, gso = 0;
	const uint8_t *raw;
	struct pkt *p;
	size_t len;

	if (flags & META_CSUM) {
		start = fuzz_u16(&s->in);
		off = fuzz_u16(&s->in);
		gso = fuzz_u16(&s->in);
	}
	len = fuzz_u16(&s->in);
	raw = fuzz_bytes(&s->in, &len);
	if (len)
		memcpy(f, raw, len);
	if (flags & FRAME_FIX)
		fix(f, (uint32_t)len);
	p = t_pkt(w, f, (uint32_t)len, cut);
	if (!p)
		return NULL;
	set_csum(p, flags, f, (uint32_t)len);
	if (script_set_metadata(p, flags, start, off, gso))
		return p;
	pkt_free(p);
	return NULL;
}

struct pkt *script_pkt(struct script *s, struct worker *w)
{
	return read_pkt(s, w, fuzz_u8(&s->in));
}

/* A frame arrives at a port; those that wait are polled together with the next that does not. */
static void op_frame(struct script *s)
{
	struct script_port *p = &s->port[fuzz_u8(&s->in) % T_PORTS];
	uint8_t flags = fuzz_u8(&s->in);
	struct pkt *pkt = read_pkt(s, s->t->vx->workers[0], flags);

	if (!pkt)
		return;
	if (!p->port || p->in.n == SCRIPT_QUEUE) {
		pkt_free(pkt);
		return;
	}
	pkt_queue_add(&p->in, pkt);
	napi_schedule(&p->port->napi);
	if (!(flags & FRAME_WAIT))
		t_turn(s->t);
}

static void flood(struct script *s, struct script_port *p, struct pkt *pkt)
{
	pkt_queue_add(&p->in, pkt);
	napi_schedule(&p->port->napi);
	if (p->in.n >= BATCH_MAX)
		t_turn(s->t);
}

/* Many frames that differ in 16 bits, so that tables fill: the number is added where 'at' says. */
static void op_flood(struct script *s)
{
	static uint8_t f[T_FRAME_MAX];
	struct script_port *p = &s->port[fuzz_u8(&s->in) % T_PORTS];
	uint32_t n = fuzz_u16(&s->in), at = fuzz_u16(&s->in);
	uint8_t flags = fuzz_u8(&s->in);
	size_t len = fuzz_u16(&s->in);
	const uint8_t *raw = fuzz_bytes(&s->in, &len);
	struct pkt *pkt;

	n = MIN(n, s->flood);
	if (!p->port || len < 2 || at > len - 2)
		return;
	s->flood -= n;
	memcpy(f, raw, len);
	for (uint32_t i = 0; i < n; i++) {
		uint16_t v = (uint16_t)((raw[at] << 8 | raw[at + 1]) + i);

		f[at] = (uint8_t)(v >> 8);
		f[at + 1] = (uint8_t)v;
		if (flags & FRAME_FIX)
			fix(f, (uint32_t)len);
		pkt = t_pkt(s->t->vx->workers[0], f, (uint32_t)len, 0);
		if (!pkt)
			break;
		set_csum(pkt, flags, f, (uint32_t)len);
		flood(s, p, pkt);
	}
	t_turn(s->t);
}

/* A device's owner sends, or the host on its side: a batch of one and its copies. */
static void op_xmit(struct script *s)
{
	struct worker *w = script_worker(s);
	struct dev *d = script_dev(s);
	uint32_t n = 1u + fuzz_u8(&s->in) % BATCH_MAX;
	struct pkt *p = script_pkt(s, w);
	struct batch b;

	if (!p)
		return;
	if (!d) {
		pkt_free(p);
		return;
	}
	batch_init(&b);
	w->acct.made++;
	batch_add(&b, p);
	while (b.n < n && (p = pkt_make_clone(w, b.p[0])))
		batch_add(&b, p);
	if (watch_is_on(w))
		watch_batch(w, &b, false);
	dev_queue_xmit(w, d, &b);
	t_turn(s->t);
}

/* --- the whole ----------------------------------------------------------------------- */

static void op_time(struct script *s)
{
	static const uint16_t tenths[] = {0, 1, 5, 10, 20, 50, 100, 300, 600, 3010, 6010, 36000};
	uint8_t i = fuzz_u8(&s->in) % ARRAY_LEN(tenths);

	t_advance(s->t, NS_PER_MS + tenths[i] * (NS_PER_S / 10));
}

static void op_memory(struct script *s)
{
	uint8_t good = fuzz_u8(&s->in), bad = fuzz_u8(&s->in);

	script_memory(good, bad);
}

void script_init(struct script *s, struct t_net *t, const uint8_t *data, size_t size)
{
	*s = (struct script){.t = t, .in = {data, size}, .flood = SCRIPT_FLOOD};
	now = s;
}

void script_op(struct script *s, uint8_t op)
{
	switch (op) {
	case 0:
		op_frame(s);
		break;
	case 1:
		op_xmit(s);
		break;
	case 2:
		op_time(s);
		break;
	case 24:
		op_flood(s);
		break;
	case 25:
		op_memory(s);
		break;
	default:
		script_ctl(s, op);
	}
}

void script_end(struct script *s)
{
	script_memory(0, 0);
	t_turn(s->t);
	script_ctl_end(s);
	for (int i = 0; i < T_PORTS; i++)
		if (s->port[i].port)
			forget(&s->port[i]);
	t_advance(s->t, 0);
}

void script_check(const struct script *s)
{
	assert_int_equal(atomic_load(&((struct script *)s)->watch.out), 0);
}
