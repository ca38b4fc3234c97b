/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hide.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	TCX_INGRESS = 46,   /* BPF_TCX_INGRESS, Linux 6.6 */
	FILTER_PRIO = 0xc0de, /* ours, and nobody else's */
	FILTER_HANDLE = 1,
};

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

/* return TC_ACT_SHOT; */
static int load_program(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	a.insns = (uint64_t)(uintptr_t)insns;
	a.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	a.license = (uint64_t)(uintptr_t) "Apache-2.0";
	memcpy(a.prog_name, "vx_hide", sizeof("vx_hide"));
	return sys_bpf(BPF_PROG_LOAD, &a);
}

static int attach_tcx(int prog, uint32_t ifindex)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.link_create.prog_fd = (uint32_t)prog;
	a.link_create.target_ifindex = ifindex;
	a.link_create.attach_type = TCX_INGRESS;
	return sys_bpf(BPF_LINK_CREATE, &a);
}

/* --- clsact: a qdisc and a filter by rtnetlink ----------------------------------------------- */

/* Sends one request and waits for its answer: 0 or a negative errno. */
static int ask(struct nlmsghdr *nlh)
{
	char buf[8192];
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t n;
	int err = 0;

	if (!nl)
		return -errno;
	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ||
	    (n = mnl_socket_recvfrom(nl, buf, sizeof(buf))) < 0 ||
	    mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		err = -errno;
	mnl_socket_close(nl);
	return err;
}

static struct nlmsghdr *tc_message(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex,
				   uint32_t parent)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = parent;
	return nlh;
}

static struct nlmsghdr *filter_message(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *nlh = tc_message(buf, type, flags, ifindex,
					  TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
	struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);

	tc->tcm_handle = FILTER_HANDLE;
	tc->tcm_info = TC_H_MAKE((uint32_t)FILTER_PRIO << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	return nlh;
}

static int attach_clsact(int prog, uint32_t ifindex)
{
	char buf[512];
	struct nlmsghdr *nlh = tc_message(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex,
					  TC_H_CLSACT);
	struct nlattr *opts;
	int r;

	((struct tcmsg *)mnl_nlmsg_get_payload(nlh))->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	r = ask(nlh);
	if (r < 0 && r != -EEXIST)
		return r;
	/* Replaces what a vxd left that was killed. */
	nlh = filter_message(buf, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, ifindex);
	opts = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, (uint32_t)prog);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, "vx_hide");
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, opts);
	return ask(nlh);
}

static void detach_clsact(uint32_t ifindex)
{
	char buf[512];

	/* The qdisc stays: others may have filters on it by now. */
	ask(filter_message(buf, RTM_DELTFILTER, 0, ifindex));
}

int hide_add_by(uint32_t ifindex, enum hide_how how, struct hide *out)
{
	int prog = load_program(), r;

	*out = (struct hide){.how = HIDE_NONE, .fd = -1, .ifindex = ifindex};
	if (prog < 0)
		return prog;
	r = how == HIDE_TCX ? attach_tcx(prog, ifindex) : attach_clsact(prog, ifindex);
	close(prog);
	if (r < 0)
		return r;
	out->how = how;
	if (how == HIDE_TCX)
		out->fd = r;
	return 0;
}

int hide_add(uint32_t ifindex, struct hide *out)
{
	return hide_add_by(ifindex, HIDE_TCX, out) == 0 ? 0
							: hide_add_by(ifindex, HIDE_CLSACT, out);
}

void hide_del(struct hide *h)
{
	if (h->how == HIDE_TCX)
		close(h->fd);
	else if (h->how == HIDE_CLSACT)
		detach_clsact(h->ifindex);
	*h = (struct hide){.how = HIDE_NONE, .fd = -1};
}
