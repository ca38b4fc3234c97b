/* SPDX-License-Identifier: Apache-2.0 */
/* UDP of vx's own stack. */
#include "net/udp.h"

#include <errno.h>

int inet_udp_open(const struct udp_sock_cfg *cfg, struct udp_sock **out, struct vx_err *err)
{
	(void)cfg;
	(void)out;
	return vx_fail(err, -EOPNOTSUPP, "the stack underlay is not built yet");
}

void udp_queue_ordinary(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	(void)sk;
	for (uint32_t i = 0; i < b->n; i++)
		pkt_drop_at(w, b->p[i], DROP_udp_no_socket, STAGE_udp_queue_rcv);
	b->n = 0;
}
