/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said on vxd.nl beyond plain rtnetlink messages; spec/control.md X2, X4, N4.
 *
 * vxd.nl is a Unix SOCK_SEQPACKET socket, host byte order throughout.
 *
 * Client to vxd: a message of type NLPROTO_OPTION with a struct nlproto_option as its payload,
 * alone in its datagram.  It is never answered.  The first datagram of a connection is the
 * hand-over: option NLPROTO_DONE_FD with one eventfd in SCM_RIGHTS.  vxd adds 1 to that eventfd for
 * every later datagram, options included, once it has been processed and all its replies have been
 * written to the socket.  The hand-over itself is not counted.  A connection that needs no count
 * leaves the hand-over out.
 *
 * vxd to client: a datagram that is one bare struct nlmsghdr of type NLMSG_OVERRUN says that
 * messages were lost here; the client reports it as ENOBUFS.
 */
#ifndef NLPROTO_H
#define NLPROTO_H

#include <stdint.h>

enum { NLPROTO_OPTION = 0xff00 }; /* nlmsg_type; rtnetlink's own end far below */

struct nlproto_option {
	uint32_t option;
	uint32_t value;
};

#define NLPROTO_DONE_FD	    0x80000000u /* value 0; the eventfd is in SCM_RIGHTS */
#define NLPROTO_BIND_GROUPS 0u		/* value: nl_groups of bind() */
/* These are linux/netlink.h's numbers, NETLINK_ADD_MEMBERSHIP and so on. */
#define NLPROTO_ADD_MEMBERSHIP	1u /* value: a group, RTNLGRP_* */
#define NLPROTO_DROP_MEMBERSHIP 2u
#define NLPROTO_CAP_ACK		10u /* value: 0 or 1, as are the rest */
#define NLPROTO_EXT_ACK		11u
#define NLPROTO_STRICT_CHK	12u

#endif
