/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For fuzz targets: an input as a script.  Each step is a byte that names it and bytes that it
 * reads: control changes something, a packet comes or goes, time passes, memory runs out.  So what
 * only happens between them (a device that goes while packets wait, an address that comes after
 * its fragment) is within a fuzzer's reach.
 *
 * Any bytes are a script.  Numbers choose modulo what there is, addresses and the like from short
 * tables, so that the parts of a script meet.  A step reads all its bytes, whatever comes of it, so
 * that the next begins where it should.
 */
#ifndef VX_NET_SCRIPT_H
#define VX_NET_SCRIPT_H

#include "base/fuzz.h"
#include "net/hook.h"
#include "net/raw.h"
#include "net/testing.h"
#include "net/udp_inet.h"
#include "net/watch.h"

enum { SCRIPT_SLOTS = 6, SCRIPT_QUEUE = 200, SCRIPT_DEVS = 12, SCRIPT_FLOOD = 3000 };

/* Steps of this file's: 0 to SCRIPT_OPS - 1; a target's own come behind. */
enum { SCRIPT_OPS = 32 };

struct script_port {
	struct t_port *port;
	struct pkt_queue in; /* frames that no turn has polled yet */
};

struct script {
	struct t_net *t;
	struct fuzz_in in;
	struct script_port port[T_PORTS];
	struct udp_sock *sock[SCRIPT_SLOTS];
	struct hook hook[SCRIPT_SLOTS];
	struct raw_listener raw[SCRIPT_SLOTS];
	struct ptype ptype[SCRIPT_SLOTS];
	/* Bit i: slot i is in use. */
	uint32_t hooks, raws, ptypes;
	struct watch watch;
	uint32_t watch_mask;
	struct worker_call call;
	uint32_t calls; /* not yet done */
	uint32_t flood; /* how many frames floods may still send */
};

/* A script on t, which stays the caller's. */
void script_init(struct script *s, struct t_net *t, const uint8_t *data, size_t size);
void script_op(struct script *s, uint8_t op);
/* Ends all that the script began.  Then t_end(), then script_check(). */
void script_end(struct script *s);
void script_check(const struct script *s); /* every trace came back */

void script_add_port(struct script *s, const char *addr4, const char *addr6);

/* What the next bytes name. */
struct ip_addr script_ip(struct script *s);
struct mac script_mac(struct script *s);
struct dev *script_dev(struct script *s); /* NULL: there is none */
struct worker *script_worker(struct script *s);
uint32_t script_mtu(struct script *s);
/* Flags, where it is cut, checksum and GSO metadata if the flags say so, length, bytes.  NULL: no
 * buffer, or metadata that no port lets in. */
struct pkt *script_pkt(struct script *s, struct worker *w);

/* As io/vnet has it: offsets within the frame.  False: refused. */
enum { META_CSUM = 8, META_GSO = 0x30 };
bool script_set_metadata(struct pkt *p, uint8_t flags, uint16_t start, uint16_t off, uint16_t gso);

/* script_memory.c: after 'good' allocations 'bad' ones fail. */
void script_memory(uint32_t good, uint32_t bad);

/* script_ctl.c: control's steps. */
void script_ctl(struct script *s, uint8_t op);
void script_ctl_end(struct script *s);

#endif
