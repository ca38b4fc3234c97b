/* SPDX-License-Identifier: Apache-2.0 */
/* All that a vxd is made of. */
#ifndef VX_VXD_VXD_H
#define VX_VXD_VXD_H

#include "ctl/rtnl.h"
#include "ctl/rules.h"
#include "io/host.h"
#include "io/mem.h"
#include "io/netif.h"
#include "io/packet.h"
#include "io/pcap.h"
#include "ovs/bridge.h"
#include "rpc/unixctl.h"
#include "vxd/explain.h"
#include "vxd/helper_client.h"
#include "vxd/loop.h"
#include "vxd/ping.h"
#include "vxd/service.h"
#include "vxd/worker.h"

struct vxd {
	struct vx *vx;
	struct helper_client helper;
	struct io_host host;
	struct io_wake wake;
	struct packet_ctx packet;
	struct mem_ctx mem;
	struct pcap_ctx pcap;
	struct vxd_workers workers;
	struct loop loop;
	struct rtnl rtnl;
	struct state state;
	struct rules rules;
	struct pinger *pinger;
	struct unixctl_server ctl, ovs_ctl;
	struct service service;
	struct loop_source signals, monitor, elsewhere, events, helper_end;
	int elsewhere_fd; /* the host's, from before the privileges were given up */
	int wake_fd; /* an eventfd: workers have something for control */
	_Atomic bool side_lost; /* a device's host side went: control looks which */
	uint64_t started;
	struct ovs *ovs; /* NULL: no database */
	struct loop_source ovs_src;
	struct explain_job *explain; /* NULL: nobody explains */
	struct explain_job *explain_ended; /* with traces still out */
	struct unixctl_conn *exit_conn; /* who asked for the end, and waits for it; NULL */
	int signal;   /* that ended the loop; 0: none */
	bool is_settled; /* what a former vxd left was taken over, or is not wanted */
	bool cleanup; /* exit --cleanup: what OVSDB made on the host goes, too */
	bool keep; /* vx stop --keep: what the host shows stays */
};

#endif
