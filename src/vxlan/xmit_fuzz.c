/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a frame with offload metadata, as a TAP's virtio-net header gives it, into
 * dev_queue_xmit() of VXLAN devices over a test's sockets and over vx's own stack, IPv4 and IPv6.
 *
 * Input: flags (3 the device, 4 in two pieces, 8 checksum to be written, 0x30 GSO type, 0x40 one
 * with group policies), where it is cut, csum_start, csum_offset, gso_size, with 0x40 the mark,
 * frame.
 */
#include "base/fuzz.h"

#include <linux/netlink.h>

#include "net/script.h"
#include "vxlan/testing.h"

static struct h_host H;
static struct t_port *up;
static struct io_ops up_ops;
static struct dev *devs[8];
static uint64_t runs;

static void take(struct io *io, struct worker *w, struct batch *b)
{
	(void)io;
	for (uint32_t i = 0; i < b->n; i++) {
		assert_true(b->p[i]->csum_state != CSUM_PARTIAL && !b->p[i]->gso_size);
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
}

/* A bridge's, for half of the devices: what comes back to it is too long for the path. */
static enum rx_result swallow(struct worker *w, struct dev *d, struct pkt *p)
{
	(void)d;
	pkt_consume(w, p);
	return RX_CONSUMED;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	h_init(&H);
	H.forget = true;
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(up, "fd00::1/64");
	t_add_neigh(up, "10.0.0.2", T_HER);
	t_add_neigh(up, "fd00::2", T_HER);
	up_ops = *up->io.ops;
	up_ops.tx = take;
	up->io.ops = &up_ops;
	for (uint32_t i = 0; i < ARRAY_LEN(devs); i++) {
		struct vxlan_opts o = h_opts(100, i & 4 ? 4790 : 4789);
		char name[8] = {'v', 'x', (char)('0' + i)};

		o.remote = t_addr(i & 1 ? "fd00::2" : "10.0.0.2");
		o.dev = i & 2 ? up->dev->ifindex : 0;
		o.tos = 1;
		o.ttl_inherit = (i & 3) == 3;
		o.gbp = i & 4;
		o.df = DF_INHERIT;
		o.label_policy = i & 1 ? LABEL_INHERIT : LABEL_FIXED;
		devs[i] = h_vxlan(&H, name, &o,
				  VXA_BIT(VXA_REMOTE) | VXA_BIT(VXA_DEV) | VXA_BIT(VXA_GBP));
		if (i & 4)
			dev_set_rx_handler(devs[i], swallow);
		h_fdb(devs[i], NLM_F_CREATE | NLM_F_APPEND, "00:00:00:00:00:00",
		      i & 1 ? "fd00::3" : "10.0.0.3", FDB_PERMANENT | FDB_NOARP, 0, NULL);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker *w = H.t->vx->workers[0];
	struct fuzz_in in = {data, size};
	uint8_t flags = fuzz_u8(&in), cut = fuzz_u8(&in);
	uint16_t start = fuzz_u16(&in), off = fuzz_u16(&in), gso = fuzz_u16(&in);
	uint32_t mark = flags & 0x40 ? fuzz_u32(&in) : 0;
	struct pkt *p = t_pkt(w, in.p, (uint32_t)in.n, flags & 4 ? cut : 0);
	struct batch b;

	w->acct.made++;
	if (!script_set_metadata(p, flags, start, off, gso)) {
		pkt_drop(w, p, DROP_gso_failed);
		return 0;
	}
	p->mark = mark;
	batch_init(&b);
	batch_add(&b, p);
	dev_queue_xmit(w, devs[(flags & 3) | (flags >> 4 & 4)], &b);
	H.t->now += NS_PER_MS;
	while (vx_turn(H.t->vx, 0, H.t->now))
		;
	if (++runs % 256 == 0)
		t_advance(H.t, 0); /* checks the accounting */
	return 0;
}

void fuzz_end(void)
{
	for (uint32_t i = 4; i < ARRAY_LEN(devs); i++)
		dev_set_rx_handler(devs[i], NULL);
	t_advance(H.t, 0);
	h_end(&H);
}
