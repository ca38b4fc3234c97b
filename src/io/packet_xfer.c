/* SPDX-License-Identifier: Apache-2.0 */
#include "io/packet_xfer.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "io/packet_sock.h"
#include "io/vnet.h"
#include "wire/eth.h"

static struct packet_port *port_of(struct io *io)
{
	return container_of(io, struct packet_port, io);
}

/* --- receive --------------------------------------------------------------------------------- */

/* One recvmmsg(). */
struct rx_call {
	struct mmsghdr m[BATCH_MAX];
	struct virtio_net_hdr h[BATCH_MAX];
	struct iovec iov[BATCH_MAX][3];
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[BATCH_MAX];
};

/* Buffers for up to 'n' frames; how many there are. */
static uint32_t fill_reserve(struct worker *w, struct packet_reserve *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!r->small[i])
			r->small[i] = pkt_new(w->pool, PBUF_SMALL);
		if (!r->big[i])
			r->big[i] = pkt_new(w->pool, PBUF_BIG);
		if (unlikely(!r->small[i] || !r->big[i]))
			return i;
	}
	return n;
}

static void prepare(struct rx_call *c, struct packet_reserve *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		c->iov[i][0] = (struct iovec){&c->h[i], sizeof(c->h[i])};
		c->iov[i][1] = (struct iovec){r->small[i]->data, PBUF_SMALL};
		c->iov[i][2] = (struct iovec){r->big[i]->data, PBUF_BIG};
		c->m[i].msg_hdr = (struct msghdr){.msg_iov = c->iov[i],
						  .msg_iovlen = 3,
						  .msg_control = &c->control[i],
						  .msg_controllen = sizeof(c->control[i])};
	}
}

/* The tag that the host took out of the frame. */
static void put_tag_back(struct pkt *p, const struct tpacket_auxdata *aux)
{
	struct vlan_hdr *v;
	uint16_t tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid
								   : ETHTYPE_VLAN;

	pkt_push(p, sizeof(*v));
	memmove(p->data, p->data + sizeof(*v), 2 * sizeof(struct mac));
	v = (struct vlan_hdr *)(p->data + 2 * sizeof(struct mac));
	/* The two fields lie the other way round: EtherType of the tag, then its content. */
	v->tci = be16_put(tpid);
	v->type = be16_put(aux->tp_vlan_tci);
}

static const struct tpacket_auxdata *find_aux(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
		    c->cmsg_len >= CMSG_LEN(sizeof(struct tpacket_auxdata)))
			return (const struct tpacket_auxdata *)CMSG_DATA(c);
	return NULL;
}

/* Frame 'i' of the call, whose buffers it takes; NULL: it was dropped. */
static struct pkt *make_frame(struct io *io, struct worker *w, struct rx_call *c,
			      struct packet_reserve *r, uint32_t i)
{
	const struct tpacket_auxdata *aux = find_aux(&c->m[i].msg_hdr);
	uint32_t len = c->m[i].msg_len;
	struct pkt *p = r->small[i];
	bool whole = len >= sizeof(c->h[i]) + sizeof(struct eth_hdr) &&
		     !(c->m[i].msg_hdr.msg_flags & MSG_TRUNC);

	w->acct.rx++;
	r->small[i] = NULL;
	p->dev = p->orig_dev = io->dev;
	len = len >= sizeof(c->h[i]) ? len - (uint32_t)sizeof(c->h[i]) : 0;
	p->len = MIN(len, (uint32_t)PBUF_SMALL);
	if (len > PBUF_SMALL) {
		r->big[i]->len = len - PBUF_SMALL;
		pkt_add_frag(p, r->big[i]);
		r->big[i] = NULL;
	}
	/* Before the tag goes in: the header's offsets are those of the frame without it. */
	if (unlikely(!whole || !vnet_get(p, &c->h[i]))) {
		dev_stats(io->dev, w)->rx_errors++;
		pkt_drop_at(w, p, DROP_pkt_too_small, STAGE_io_rx);
		return NULL;
	}
	if (aux && aux->tp_status & TP_STATUS_VLAN_VALID)
		put_tag_back(p, aux);
	return p;
}

/* Without buffers: takes frames away, so that what was lost is known and the loop goes on. */
static uint32_t discard(struct io *io, struct worker *w, uint32_t budget)
{
	struct virtio_net_hdr h; /* less room than for this is an error */
	uint32_t n = 0;

	while (n < budget && recv(port_of(io)->fd, &h, sizeof(h), MSG_DONTWAIT) >= 0) {
		w->acct.rx++;
		w->acct.dropped[DROP_no_memory]++;
		dev_stats(io->dev, w)->rx_dropped++;
		n++;
	}
	return n;
}

uint32_t packet_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct packet_port *pp = port_of(io);
	struct packet_reserve *r = &pp->ctx->reserve[w->id];
	uint32_t n = fill_reserve(w, r, MIN(budget, (uint32_t)BATCH_MAX - b->n));
	struct rx_call c;
	int got;

	if (unlikely(!n))
		return discard(io, w, budget);
	prepare(&c, r, n);
	/* An error (the interface is down or gone) is reported once and means "nothing there". */
	got = recvmmsg(pp->fd, c.m, n, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		struct pkt *p = make_frame(io, w, &c, r, (uint32_t)i);

		if (likely(p != NULL))
			batch_add(b, p);
	}
	return got < 0 ? 0 : (uint32_t)got;
}

/* --- transmit -------------------------------------------------------------------------------- */

enum { TX_IOV = 256 }; /* a super-frame of wire-size pieces has about 50 */

/* One sendmmsg(). */
struct tx_call {
	uint32_t n, n_iov;
	struct pkt *p[BATCH_MAX];
	struct mmsghdr m[BATCH_MAX];
	struct virtio_net_hdr h[BATCH_MAX];
	struct iovec iov[TX_IOV];
};

static uint32_t pieces(const struct pkt *p)
{
	uint32_t n = 2; /* virtio-net header, linear part */

	for (const struct pkt *f = p->frags; f; f = f->next)
		n++;
	return n;
}

static void add_frame(struct tx_call *c, struct pkt *p)
{
	struct iovec *iov = &c->iov[c->n_iov], *at = iov;
	struct virtio_net_hdr *h = &c->h[c->n];

	vnet_put(p, h);
	/* On its way out a frame's good checksum is nothing that the host wants to hear. */
	h->flags &= (uint8_t)~VIRTIO_NET_HDR_F_DATA_VALID;
	*at++ = (struct iovec){h, sizeof(*h)};
	*at++ = (struct iovec){p->data, p->len};
	for (const struct pkt *f = p->frags; f; f = f->next)
		*at++ = (struct iovec){f->data, f->len};
	c->p[c->n] = p;
	c->m[c->n++].msg_hdr =
		(struct msghdr){.msg_iov = iov, .msg_iovlen = (size_t)(at - iov)};
	c->n_iov += (uint32_t)(at - iov);
}

static enum drop reason_for(int err)
{
	switch (err) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return DROP_tx_queue_full;
	case EMSGSIZE:
		return DROP_tx_too_big;
	case ENETDOWN:
		return DROP_host_refused;
	default:
		return DROP_tx_failed;
	}
}

static void refused(struct io *io, struct worker *w, struct pkt *p, enum drop why)
{
	dev_stats(io->dev, w)->tx_dropped++;
	pkt_drop_at(w, p, why, STAGE_io_tx);
}

static void send_all(struct io *io, struct worker *w, struct tx_call *c)
{
	for (uint32_t i = 0; i < c->n;) {
		int n = sendmmsg(port_of(io)->fd, &c->m[i], c->n - i, MSG_DONTWAIT);

		if (n <= 0) { /* the first of the rest was refused */
			refused(io, w, c->p[i++], reason_for(errno));
			continue;
		}
		w->acct.tx += (uint32_t)n;
		for (uint32_t end = i + (uint32_t)n; i < end; i++)
			pkt_free(c->p[i]);
	}
	c->n = c->n_iov = 0;
}

void packet_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct tx_call c;

	c.n = c.n_iov = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t n = pieces(b->p[i]);

		/* In more pieces than one call takes: one piece, if there is a buffer for it. */
		if (unlikely(n > TX_IOV)) {
			if (pkt_pull_frags(w->pool, b->p[i], pkt_total(b->p[i])) < 0) {
				refused(io, w, b->p[i], DROP_no_memory);
				continue;
			}
			n = 2;
		}
		if (c.n_iov + n > TX_IOV)
			send_all(io, w, &c);
		add_frame(&c, b->p[i]);
	}
	send_all(io, w, &c);
	b->n = 0;
}
