/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a datagram of vxd.nl.  Answers are made and go to a socket nobody reads, or, with the
 * first byte odd, to a connection that is closing.
 */
#include "base/fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/rtnl.h"
#include "vxlan/testing.h"

static struct h_host H;
static struct rtnl R;
static int fd, wake;
static uint64_t runs;

static void make_devices(void)
{
	struct vx *vx = H.t->vx;

	while (vx->n_devs > 16)
		link_dellink(container_of(vx->devs.prev, struct dev, node), false);
	if (!dev_by_name(vx, "vx")) {
		struct vxlan_opts o = h_opts(100, 4789);
		struct link_cfg cfg = {.name = "vx"};

		link_newlink(vx, link_type_find(vx, "vxlan"), &cfg, &o, VXA_BIT(VXA_ID), NULL, NULL);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	h_init(&H);
	H.forget = true;
	wake = open("/dev/null", O_WRONLY);
	rtnl_init(&R, H.t->vx, NULL, wake);
	H.t->vx->events = (struct vx_events){rtnl_link_event, rtnl_fdb_event, &R};
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtnl_conn *c;
	uint8_t *msg; /* aligned, as rtnl_conn_read() has it, and no longer than it is */
	int sv[2];

	if (size < 1)
		return 0;
	make_devices();
	if (!c) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) < 0)
			abort();
		c = rtnl_conn_new(&R, sv[0]);
		fd = sv[1];
		c->groups = ~0ull;
	}
	c->ext_ack = data[0] & 2;
	c->strict = data[0] & 4;
	c->closing = data[0] & 1;
	msg = malloc(size);
	memcpy(msg, data + 1, size - 1);
	rtnl_datagram(c, msg, size - 1, -1);
	free(msg);
	if (++runs % 64 == 0) {
		rtnl_run_events(&R);
		t_advance(H.t, NS_PER_S / 10);
		rtnl_conn_free(c);
		close(fd);
		c = NULL;
	}
	return 0;
}

void fuzz_end(void)
{
	rtnl_done(&R);
	close(wake);
	H.t->vx->events = (struct vx_events){0};
	h_end(&H);
}
