/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vxd and its helper say to each other: over a SOCK_SEQPACKET pair, one struct of fixed size a
 * datagram, at most one descriptor with it.  A request has one reply with its 'seq'.
 *
 * Neither side believes the other: what helper_recv() and the checks let through has the right
 * length, strings that end, names that are names, and a descriptor only where one belongs.
 */
#ifndef VX_VXD_HELPER_PROTO_H
#define VX_VXD_HELPER_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "io/open.h"

enum helper_op {
	HELPER_TAP = 1,	 /* side; reply: descriptor, ifindex */
	HELPER_TAP_DONE, /* link: netns, ifindex */
	HELPER_VETH,	 /* side; reply: ifindex */
	HELPER_LINK_SET, /* link */
	HELPER_LINK_FIND, /* link: netns, ifindex; reply: where */
	HELPER_LINK_DEL, /* link: netns, ifindex */
	HELPER_PACKET,	 /* dev; reply: descriptor */
	HELPER_HIDE,	 /* hide: ifindex; reply: how, and for HIDE_TCX a descriptor */
	HELPER_UNHIDE,	 /* hide: ifindex, of HIDE_CLSACT */
	HELPER_PORT_MTU, /* port: of an interface that a port has taken in */
	HELPER_UDP,	 /* udp; reply: descriptor */
	HELPER_SETTLED,	 /* all that is taken over from a former vxd has been */
	HELPER_BYE,	 /* a clean stop: the reply is the last one */
	HELPER_OPS,
};

struct helper_req {
	uint32_t len; /* sizeof(struct helper_req) */
	uint32_t op, seq;
	union {
		struct side_ask side;
		struct link_ask link;
		struct udp_ask udp;
		struct {
			uint32_t ifindex;
		} hide;
		struct {
			uint32_t ifindex, mtu;
		} port;
		char dev[IF_NAME_MAX];
	};
};

enum { HELPER_TEXT_MAX = 256 };

struct helper_rep {
	uint32_t len;  /* sizeof(struct helper_rep) */
	uint32_t seq;  /* the request's; 0: "ready", before the first request */
	int32_t error; /* 0 or a negative errno */
	uint32_t ifindex;
	uint32_t how;		    /* enum hide_how */
	struct link_where where;
	char text[HELPER_TEXT_MAX]; /* with an error: a sentence, or "" */
};

/* From the helper of a vxd that crashed to the next one's: a detached queue of a TAP, which is the
 * descriptor; 'last' has none. */
struct helper_gift {
	uint32_t len; /* sizeof(struct helper_gift) */
	uint32_t last;
	uint64_t ino; /* of the network namespace */
	char netns[NETNS_TEXT_MAX];
	char name[IF_NAME_MAX];
	char asked[IF_NAME_MAX]; /* vxd's name for it */
};

/* Sends one datagram; fd -1: none goes with it.  0 or a negative errno. */
int helper_send(int sock, const void *msg, size_t len, int fd);
/* Receives one of exactly 'len' bytes; *fd is the caller's, -1 if none came.  0, -EPIPE at the end
 * of the connection, -EAGAIN after SO_RCVTIMEO, -EBADMSG if it is something else (descriptors that
 * came with it are closed; *got bytes are in msg). */
int helper_recv(int sock, void *msg, size_t len, size_t *got, int *fd);

/* 0 or -EBADMSG.  'fd' is what came along. */
int helper_req_check(const struct helper_req *r, int fd);
int helper_rep_check(const struct helper_rep *r, int fd);
int helper_gift_check(const struct helper_gift *g, int fd);

#endif
