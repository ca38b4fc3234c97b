/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came to the host's interfaces for a VXLAN port and reached no socket: for `vx explain`.
 *
 * A packet socket sees the datagrams before the host's own stack does; workers note those that came
 * out of a socket; what is not among them after UNDERLAY_WAIT was lost between, and the host's own
 * counters (nstat) tell why.  Exists while somebody explains.  Ethernet interfaces only.  Of several
 * that are lost for different reasons at once the reasons may be mixed up.
 *
 * Control's, but for underlay_watch_saw(), which any worker calls: a few stores without a lock.
 */
#ifndef VX_IO_UNDERLAY_WATCH_H
#define VX_IO_UNDERLAY_WATCH_H

#include "io/open.h"
#include "pkt/drop.h"
#include "pkt/pkt.h"
#include "pkt/trace.h"

#define UNDERLAY_WAIT (200 * NS_PER_MS)
#define UNDERLAY_LONG (1 * NS_PER_S) /* if no counter says that it was lost: a worker may be late */
enum { UNDERLAY_RING = 256, UNDERLAY_SEEN = 4096, UNDERLAY_COUNTERS = 11 };

/* A datagram on its way to a socket. */
struct underlay_frame {
	uint64_t at; /* ns */
	uint64_t mark;
	uint64_t n_seen; /* what workers had noted when it came */
	struct ip_addr src, dst;
	uint16_t dport, n_bytes;
	uint32_t len;
	bool is_other; /* its Ethernet destination is another host's */
	char dev[16];
	uint8_t bytes[TRACE_BYTES];
};

/* Why the host kept it. */
struct underlay_loss {
	enum drop why;	     /* DROP_host_*, DROP_otherhost */
	const char *counter; /* that rose by 'by'; "" is none */
	uint32_t by;
};

struct underlay_watch;

/* Watches datagrams to 'ports'.  0 or a negative errno: -EPERM without CAP_NET_RAW. */
int underlay_watch_open(struct underlay_watch **out, const struct io_open *how,
			const uint16_t *ports, uint32_t n_ports);
void underlay_watch_close(struct underlay_watch *u); /* NULL is fine; no worker may still use it */
int underlay_watch_fd(const struct underlay_watch *u);
/* What the descriptor has.  'want' says which frames are of interest. */
void underlay_watch_read(struct underlay_watch *u, uint64_t now,
			 bool (*want)(void *ctx, const uint8_t *p, uint32_t len, uint32_t full),
			 void *ctx);
/* A datagram out of a socket: data at the UDP payload, tun filled in. */
void underlay_watch_saw(struct underlay_watch *u, const struct pkt *p);
/* The next that was lost, with the reason; false: none (yet).  'has_socket' says if vx listens
 * there: what is for another program's socket is lost only if the host says so. */
bool underlay_watch_next(struct underlay_watch *u, uint64_t now,
			 bool (*has_socket)(void *ctx, const struct underlay_frame *f), void *ctx,
			 struct underlay_frame *f, struct underlay_loss *l);
uint64_t underlay_watch_timer(const struct underlay_watch *u); /* UINT64_MAX: never */

#endif
