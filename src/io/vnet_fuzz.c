/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a virtio-net header and its frame, as a TAP gives them, then out of a port that can do
 * nothing itself, and of one that takes all.
 *
 * Input: flags (1 the port that takes all, 2 in two pieces), where it is cut, header, frame.
 */
#include "base/fuzz.h"

#include "io/vnet.h"
#include "net/testing.h"

static struct t_net *net;
static struct t_port *port[2];
static struct io_ops ops;
static uint64_t runs;

static void take(struct io *io, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct virtio_net_hdr h;
		struct pkt *p = b->p[i];

		if (!(io->can & IO_CAN_CSUM))
			assert_true(p->csum_state != CSUM_PARTIAL && !p->gso_size);
		vnet_put(p, &h);
		if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			assert_true(h.csum_start + h.csum_offset + 2u <= pkt_total(p));
		w->acct.tx++;
		pkt_free(p);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	net = t_new();
	port[0] = t_add_port(net, "up0", "02:00:00:00:00:01", NULL);
	port[1] = t_add_port(net, "up1", "02:00:00:00:00:02", NULL);
	ops = *port[0]->io.ops;
	ops.tx = take;
	port[0]->io.ops = port[1]->io.ops = &ops;
	port[0]->io.can = 0;
	port[1]->io.can = ~0u;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker *w = net->vx->workers[0];
	struct fuzz_in in = {data, size};
	uint8_t flags = fuzz_u8(&in), cut = fuzz_u8(&in);
	struct virtio_net_hdr h = {0};
	struct batch b;
	struct pkt *p;

	memcpy(&h, in.p, MIN(sizeof(h), in.n));
	in.p += MIN(sizeof(h), in.n);
	in.n -= MIN(sizeof(h), in.n);
	p = t_pkt(w, in.p, (uint32_t)in.n, flags & 2 ? cut : 0);
	w->acct.made++;
	if (!vnet_get(p, &h)) {
		pkt_drop(w, p, DROP_pkt_too_small);
		return 0;
	}
	batch_init(&b);
	batch_add(&b, p);
	dev_queue_xmit(w, port[flags & 1]->dev, &b);
	if (++runs % 256 == 0)
		t_turn(net); /* checks the accounting */
	return 0;
}

void fuzz_end(void)
{
	t_end(net);
}
