/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvx: a VXLAN switch as a library.
 *
 * A struct vx is a whole switch: devices, forwarding tables, an IP stack of its own.  It makes no
 * system call and reads no clock: time is a number of nanoseconds that the caller passes in, of any
 * origin, never going back.  So it can be tested, replayed and simulated, many in one process.
 *
 * Configuration is what `vx` takes, one command a call: "link add vxlan1 type vxlan id 7 ...".
 *
 * Threads: one at a time may use a struct vx; different ones are independent.
 * Errors: 0 or a negative errno, as libbpf has it; vx_error() has a sentence for the last one.
 * Byte order: addresses are text, ports are numbers.
 */
#ifndef VX_H
#define VX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vx;
struct vx_port;
struct vx_udp;

#define VX_API __attribute__((visibility("default")))

/* A switch without devices.  'seed' makes its random numbers (MACs, hash keys): the same seed gives
 * the same run.  Against strangers it has to be random.  NULL: out of memory. */
VX_API struct vx *vx_create(uint64_t seed);
/* Frees everything, ports and sockets included.  NULL is fine. */
VX_API void vx_destroy(struct vx *vx);

/* Does one command that changes something: link, fdb, addr, route, neigh, as `vx help` lists them. */
VX_API int vx_do(struct vx *vx, const char *command);
/* The configuration as commands, one a line.  The caller frees it (free()).  NULL: out of memory. */
VX_API char *vx_save(struct vx *vx);
/* Why the last call failed: one sentence, or "".  Valid until the next call. */
VX_API const char *vx_error(const struct vx *vx);

/* Lets everything that is due at 'now' happen.  Returns the time at which the next thing is due;
 * UINT64_MAX: nothing until a frame comes. */
VX_API uint64_t vx_run(struct vx *vx, uint64_t now);

/* A port "NAME" (a device like any other: addresses, master, up and down) whose frames are the
 * caller's.  'send' is called from vx_run() with a whole Ethernet frame, without FCS, that is valid
 * during the call and must not call into vx.  The port is down until "link set NAME up". */
VX_API int vx_port_open(struct vx *vx, const char *name,
			void (*send)(void *ctx, const void *frame, size_t len), void *ctx,
			struct vx_port **port);
/* A frame for the port: copied, looked at by the next vx_run().  -ENOBUFS: 1,024 wait already. */
VX_API int vx_port_input(struct vx_port *port, const void *frame, size_t len);
/* Joins the ports of that name of two switches (or of one): what one sends the other receives. */
VX_API int vx_port_join(struct vx_port *a, struct vx_port *b);

/* A UDP socket of the switch's own stack, on 'port' (0: chosen) of any address.  'family' is 4 or 6.
 * It is closed by vx_udp_close() or with the switch. */
enum {
	VX_UDP_LITE = 1,  /* UDP-Lite (RFC 3828) */
	VX_UDP_REUSE = 2, /* shares the port with others that say so: each gets what is broadcast */
};
VX_API int vx_udp_open(struct vx *vx, int family, uint16_t port, int flags, struct vx_udp **udp);
VX_API void vx_udp_close(struct vx_udp *udp);
/* To "ADDRESS" as text.  -ENETUNREACH and its like where there is no way. */
VX_API int vx_udp_send(struct vx_udp *udp, const char *address, uint16_t port, const void *data,
		       size_t len);
/* The oldest datagram: its length (at most 'size' bytes are copied), or -EAGAIN.  'from' (may be
 * NULL) gets the sender's address as text, at least 46 bytes; 'port' its port. */
VX_API int vx_udp_recv(struct vx_udp *udp, void *data, size_t size, char *from, uint16_t *port);

#ifdef __cplusplus
}
#endif
#endif
