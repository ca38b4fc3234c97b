/* SPDX-License-Identifier: Apache-2.0 */
/* The host form of a UDP socket: what udp.c (receiving) and udp_tx.c (sending) share. */
#ifndef VX_IO_UDP_H
#define VX_IO_UDP_H

#include "io/host.h"
#include "net/backlog.h"
#include "net/napi.h"
#include "net/vx.h"

enum {
	SEND_SLOTS = 64, /* sockets of a pool */
	TX_SLOTS = 256,	 /* packets that wait for one flush: some full trains */
};

/*
 * Sockets that only send, bound to different source ports for flow entropy; one pool for each
 * value of DF and checksum, which belong to a socket.  Opened on first use, under the lock.
 */
struct send_pool {
	_Atomic int fd[SEND_SLOTS]; /* 0: not opened yet */
};

struct tx_slot {
	struct pkt *p;
	struct dev *dev; /* who is told what became of it */
	struct udp_flow f;
	uint32_t l3_len;
	int fd;
	bool csum;
	bool told; /* a segment of a super-frame that another one speaks for */
};

/* Of one worker.  Whoever sends flushes when his batch is through; the end of the turn sees to what
 * he left, since his device may have lost the socket in between. */
struct host_tx {
	struct flush flush;
	struct host_udp *u;
	uint32_t n;
	struct tx_slot slot[TX_SLOTS];
};

struct host_udp {
	struct udp_sock sk;
	struct io_host *host;
	int fd;
	struct napi napi;
	struct pkt *rx[BATCH_MAX]; /* buffers waiting to be filled; the napi's worker's */
	uint32_t rx_n;		   /* how many the next call offers */
	pthread_mutex_t lock;	   /* opening of send sockets */
	struct send_pool pool[2][2]; /* [df][csum] */
	struct host_tx *tx;	   /* [n_workers] */
	struct list node;	   /* of io_host.closing */
	uint64_t closed;	   /* quiesce_mark(): no worker has it when that has passed */
};

static inline struct host_udp *host_udp(struct udp_sock *sk)
{
	return container_of(sk, struct host_udp, sk);
}

void host_udp_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p, const struct udp_flow *f,
		   const struct dst *d);
void host_udp_flush(struct worker *w, struct udp_sock *sk);
void host_udp_turn(struct flush *f, struct worker *w); /* host_tx.flush */
void host_udp_close_pools(struct host_udp *u);

#endif
