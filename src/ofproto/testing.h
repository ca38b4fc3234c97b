/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of bridges on a dummy datapath: packets are keys as text, what is done with them is
 * actions as text, ports are named.
 */
#ifndef VX_OFPROTO_TESTING_H
#define VX_OFPROTO_TESTING_H

#include "net/testing.h"
#include "ofproto/dpif.h"

struct o_world {
	struct t_net *t;
	struct ofproto *br; /* "br0": its local port is datapath port 1 */
	struct dpif *d;
	enum drop why; /* of the last packet that was dropped */
};

/* ofproto_open() and the local port: an internal one with the bridge's name. */
int o_create(struct vx *vx, const char *bridge, const char *type, struct vx_err *err,
	     struct ofproto **out);
void o_init(struct o_world *w);
void o_end(struct o_world *w); /* destroys br, if it is there */

/* A port, and a bundle of it alone: a trunk of all VLANs, or as 'b' says (ports are filled in). */
uint16_t o_port(struct ofproto *br, const char *name, const char *type, const char *peer);
uint16_t o_vxlan(struct ofproto *br, const char *name, const struct tunnel_cfg *t);
void o_bundle(struct ofproto *br, uint16_t ofport, struct bundle_cfg b);
/* remote, key in and out, port 4789, ttl 64, DF. */
struct tunnel_cfg o_tun(const char *remote, uint32_t key);

/* A packet: the actions that it gets, as text in a static buffer; "" if there are none. */
const char *o_packet(struct o_world *w, const char *key);
/* The key of the one flow that there is, as text in a static buffer. */
const char *o_flow(struct dpif *d);
/* In Ethernet's terms: port, source, destination ("02:.." but its last byte), VLAN tag (TCI, -1 is
 * none). */
const char *o_frame(struct o_world *w, uint32_t port, int src, int dst, int tci);
#define o_expect(w, key, want) assert_string_equal(o_packet(w, key), want)
/* Time passes, in steps in which everything is run. */
void o_pass(struct o_world *w, uint64_t ms);
uint32_t o_flows(struct o_world *w);

#endif
