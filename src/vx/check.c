/* SPDX-License-Identifier: Apache-2.0 */
/* `vx check`: what this machine allows, and which way vxd will go; a line each with the reason. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"
#include "vx/vx.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

struct check {
	const char *name;
	int (*try)(void); /* 0 or a negative errno */
	const char *good, *bad; /* what follows from it */
};

static uint16_t the_port = 4789;

/* Runs fn in a child, so that what it changes ends with it. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-fn() & 0xff);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int make_tap(void)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE,
			    .ifr_name = "vxcheck%d"};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
	close(fd); /* not persistent: it goes with the descriptor */
	return r;
}

static int open_socket(int family, int type, int proto)
{
	int fd = socket(family, type | SOCK_CLOEXEC, proto);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int packet_socket(void)
{
	return open_socket(AF_PACKET, SOCK_RAW, 0);
}

static int xdp_socket(void)
{
	return open_socket(AF_XDP, SOCK_RAW, 0);
}

static int bind_port(int family)
{
	struct sockaddr_in6 sa = {.sin6_family = (sa_family_t)family, .sin6_port = htons(the_port)};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, r = 0;

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa,
		 family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(sa)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int port_free4(void)
{
	return bind_port(AF_INET);
}

static int port_free6(void)
{
	return bind_port(AF_INET6);
}

static int udp_option(int opt, int v)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = setsockopt(fd, SOL_UDP, opt, &v, sizeof(v)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int udp_gso(void)
{
	return udp_option(UDP_SEGMENT, 1400);
}

static int udp_gro(void)
{
	return udp_option(UDP_GRO, 1);
}

static int user_namespace(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -errno : 0;
}

static int user_namespace_child(void)
{
	return in_child(user_namespace);
}

/* "return 0", as a socket filter and as what sits on an interface. */
static int load_program(uint32_t type)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
				   {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr attr = {.prog_type = type, .insn_cnt = 2,
			       .insns = (uint64_t)(uintptr_t)insns,
			       .license = (uint64_t)(uintptr_t)"Dual BSD/GPL"};
	long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

static int bpf_tc(void)
{
	return load_program(BPF_PROG_TYPE_SCHED_CLS);
}

static const struct check checks[] = {
	{"TAP", make_tap, "devices get a TAP on the host",
	 "no TAP: devices get a veth pair where that is allowed, else make them with \"nohost\""},
	{"UDP port, IPv4", port_free4, "the host underlay can listen there",
	 "another program or a kernel VXLAN device has it: stop that, or use another dstport"},
	{"UDP port, IPv6", port_free6, "the host underlay can listen there",
	 "another program or a kernel VXLAN device has it: stop that, or use another dstport"},
	{"UDP_SEGMENT", udp_gso, "large sends go as one", "each packet is sent alone"},
	{"UDP_GRO", udp_gro, "large receives come as one", "each packet is received alone"},
	{"packet socket", packet_socket,
	 "ports of type packet and netif, and the stack underlay on an interface, work",
	 "no ports on interfaces of the host (type packet, netif): run vxd as root for these"},
	{"user namespace", user_namespace_child, "vxd can run for an ordinary user in one of his own",
	 "an ordinary user needs a namespace that somebody else made"},
	{"BPF (tc)", bpf_tc, "netif ports can hide their frames from the host's stack",
	 "the host sees the frames of netif ports, too"},
	{"AF_XDP", xdp_socket, "there for later: vxd does not use it yet",
	 "vxd does not use it yet"},
};

static int say(struct vx_cli *c, json_t *list, const char *name, int err, const char *what)
{
	if (c->json) {
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "check", name, "ok",
						      err == 0, "error", err ? strerror(-err) : "",
						      "means", what));
		return 0;
	}
	if (err)
		printf("%-16s no   %s (%s)\n", name, what, strerror(-err));
	else
		printf("%-16s yes  %s\n", name, what);
	return 0;
}

int cmd_check(struct vx_cli *c, int argc, char **argv)
{
	json_t *list = json_array();
	unsigned long long port;
	struct utsname u;
	char path[RUNDIR_MAX + 16], text[300];

	if (argc > 1) {
		if (argc != 3 || strcmp(argv[1], "port") || text_to_u64(argv[2], 65535, &port) < 0)
			return cli_error("Error: \"%s\" is garbage: vx check [port PORT]", argv[1]);
		the_port = (uint16_t)port;
	}
	uname(&u);
	snprintf(text, sizeof(text), "Linux %s; 5.15 and later are supported", u.release);
	say(c, list, "kernel", 0, text);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		int err = checks[i].try();

		say(c, list, checks[i].name, err, err ? checks[i].bad : checks[i].good);
	}
	snprintf(path, sizeof(path), "%s/vxd.ctl", c->rundir);
	snprintf(text, sizeof(text), access(path, F_OK) == 0 ? "its sockets are in %s"
							      : "\"vxd\" starts it; run directory %s",
		 c->rundir);
	say(c, list, "vxd running", access(path, F_OK) == 0 ? 0 : -ENOENT, text);
	if (c->json)
		print_json(list);
	else
		json_decref(list);
	return 0;
}
