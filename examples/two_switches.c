/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two switches in one process, joined by a wire in memory, with a VXLAN tunnel between them; a
 * datagram goes through it and back.  No privilege, no clock, no packet leaves the program.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vx.h"

static void must(struct vx *vx, const char *command)
{
	if (vx_do(vx, command) < 0) {
		fprintf(stderr, "%s: %s\n", command, vx_error(vx));
		exit(1);
	}
}

static struct vx *make(uint64_t seed, const char *underlay, const char *remote, const char *overlay,
		       struct vx_port **port)
{
	struct vx *vx = vx_create(seed);
	char line[200];

	if (!vx || vx_port_open(vx, "up0", NULL, NULL, port) < 0)
		exit(1);
	must(vx, "link set up0 up");
	snprintf(line, sizeof(line), "addr add %s/24 dev up0", underlay);
	must(vx, line);
	snprintf(line, sizeof(line),
		 "link add vxlan7 nohost up type vxlan id 7 dstport 4789 remote %s dev up0", remote);
	must(vx, line);
	snprintf(line, sizeof(line), "addr add %s/24 dev vxlan7", overlay);
	must(vx, line);
	return vx;
}

int main(void)
{
	struct vx_port *pa, *pb;
	struct vx *a = make(1, "10.0.0.1", "10.0.0.2", "192.168.7.1", &pa);
	struct vx *b = make(2, "10.0.0.2", "10.0.0.1", "192.168.7.2", &pb);
	struct vx_udp *ua, *ub;
	char text[100], from[46];
	uint16_t port;
	int n = -1;

	if (vx_port_join(pa, pb) < 0 || vx_udp_open(a, 4, 1000, 0, &ua) < 0 ||
	    vx_udp_open(b, 4, 2000, 0, &ub) < 0 ||
	    vx_udp_send(ua, "192.168.7.2", 2000, "hello", 5) < 0)
		return 1;
	for (uint64_t now = 0; now < 2000000000 && n < 0; now += 1000000) {
		vx_run(a, now);
		vx_run(b, now);
		n = vx_udp_recv(ub, text, sizeof(text) - 1, from, &port);
	}
	if (n < 0) {
		fprintf(stderr, "nothing arrived\n");
		return 1;
	}
	text[n] = 0;
	printf("\"%s\" from %s:%u, through VNI 7\n", text, from, port);
	vx_destroy(a);
	vx_destroy(b);
	return 0;
}
