/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for another worker (stack.md B3): after GRO a packet goes to the worker that its flow hash
 * names, so that one tunnel's packets are work for all and a flow keeps its order.
 *
 * The sender counts to_worker, the receiver from_worker when it takes them into its backlog, at the
 * beginning of a turn; what is between counts in neither's "held".
 */
#ifndef VX_NET_HANDOFF_H
#define VX_NET_HANDOFF_H

#include "net/vx.h"

/* netif_receive() here, or, for frames of a tunnel device, netif_rx() on the worker that each one's
 * flow belongs to.  Data at the network header, mac_off set. */
void handoff_receive(struct worker *w, struct batch *b);
/* What others handed to w: to its backlog. */
void handoff_take(struct worker *w);
/* Control: does anything wait in its backlog, or to be put there? */
bool worker_has_waiting(const struct worker *w);
/* Drops it instead; no worker runs. */
void handoff_drop(struct worker *w);

#endif
