/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `vx ping` and `vx udp`: users of vx's own stack that VXLAN itself is not.  Control takes the
 * command, worker 0 sends and receives, an answer wakes control.
 *
 *   ping IP SIZE TTL        one echo request; answers with one line when the reply is there, or
 *                           after a second with "timeout"
 *   udp/send IP PORT LITE COVERAGE TEXT
 *   udp/listen PORT LITE COVERAGE   then udp/next, which answers when a datagram is there
 *   udp/stop
 */
#ifndef VX_VXD_PING_H
#define VX_VXD_PING_H

#include <stdint.h>

#include "rpc/unixctl.h"

struct vxd;
struct pinger;

unixctl_fn cmd_ping, cmd_udp_send, cmd_udp_listen, cmd_udp_next, cmd_udp_stop;
struct pinger *pinger_new(struct vxd *d); /* NULL: memory */
void pinger_free(struct pinger *p);	  /* no worker runs */
void pinger_run(struct pinger *p);	  /* control: answers may be there */
uint64_t pinger_timer(struct pinger *p, uint64_t now);

#endif
