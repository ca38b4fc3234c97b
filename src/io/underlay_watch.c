/* SPDX-License-Identifier: Apache-2.0 */
#include "io/underlay_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { MARK_BYTES = 48, READ_MAX = 256, SEEN_WAYS = 16 };
enum verdict { ARRIVED, LOST, TOO_EARLY };

struct underlay_watch {
	int fd;
	uint32_t first, n;
	bool first_is_late; /* looked at once, undecided */
	struct underlay_frame ring[UNDERLAY_RING];
	uint64_t base[UNDERLAY_COUNTERS];
	/* By workers: the marks of what came out of sockets; newer ones overwrite older. */
	/* Sets of 16, each a ring: one that came later takes the place of the set's oldest, so that
	 * chance does not hide what was seen. */
	_Atomic uint64_t seen[UNDERLAY_SEEN];
	_Atomic uint32_t next[UNDERLAY_SEEN / SEEN_WAYS];
	_Atomic uint64_t n_seen;
};

/* --- the host's counters ----------------------------------------------------------------------- */

static const struct {
	const char *name; /* as nstat has it */
	bool is6;
	enum drop why;
} counters[UNDERLAY_COUNTERS] = {
	{"UdpInCsumErrors", false, DROP_host_csum},
	{"UdpNoPorts", false, DROP_host_no_socket},
	{"UdpRcvbufErrors", false, DROP_host_socket_full},
	{"TcpExtIPReversePathFilter", false, DROP_host_rpfilter},
	{"IpInAddrErrors", false, DROP_host_not_local},
	{"IpInHdrErrors", false, DROP_host_ip_header},
	{"Udp6InCsumErrors", true, DROP_host_csum},
	{"Udp6NoPorts", true, DROP_host_no_socket},
	{"Udp6RcvbufErrors", true, DROP_host_socket_full},
	{"Ip6InAddrErrors", true, DROP_host_not_local},
	{"Ip6InHdrErrors", true, DROP_host_ip_header},
};

static void set_counter(uint64_t *v, const char *prefix, const char *name, uint64_t n)
{
	size_t len = strlen(prefix);

	for (int i = 0; i < UNDERLAY_COUNTERS; i++)
		if (!strncmp(counters[i].name, prefix, len) && !strcmp(counters[i].name + len, name))
			v[i] = n;
}

/* snmp and netstat: a line of names, a line of numbers, both after "Udp:". */
static void read_pairs(const char *path, uint64_t *v)
{
	static char names[8192], numbers[8192];
	FILE *f = fopen(path, "re");

	while (f && fgets(names, sizeof(names), f) && fgets(numbers, sizeof(numbers), f)) {
		char *a, *b, *name = strtok_r(names, ": \n", &a), *prefix = name;
		char *number = strtok_r(numbers, ": \n", &b);

		while (name && number && (name = strtok_r(NULL, " \n", &a)) &&
		       (number = strtok_r(NULL, " \n", &b)))
			set_counter(v, prefix, name, strtoull(number, NULL, 10));
	}
	if (f)
		fclose(f);
}

/* snmp6: a name and a number a line. */
static void read_lines(const char *path, uint64_t *v)
{
	FILE *f = fopen(path, "re");
	unsigned long long n;
	char name[80];

	while (f && fscanf(f, "%79s %llu", name, &n) == 2)
		set_counter(v, "", name, n);
	if (f)
		fclose(f);
}

static void read_counters(uint64_t *v)
{
	read_pairs("/proc/net/snmp", v);
	read_pairs("/proc/net/netstat", v);
	read_lines("/proc/net/snmp6", v);
}

/* --- opening ------------------------------------------------------------------------------------- */

/* Only datagrams to these ports wake us. */
static int set_filter(int fd, const uint16_t *ports, uint32_t n)
{
	char expr[32 * 24] = "";
	struct bpf_program prog;
	struct sock_fprog fprog;
	size_t at = 0;
	pcap_t *dead;
	int r;

	for (uint32_t i = 0; i < n && at < sizeof(expr) - 24; i++)
		at += (size_t)snprintf(expr + at, sizeof(expr) - at, "%sudp dst port %u",
				       i ? " or " : "", ports[i]);
	dead = pcap_open_dead(DLT_EN10MB, READ_MAX);
	if (!dead)
		return -ENOMEM;
	r = pcap_compile(dead, &prog, expr, 1, PCAP_NETMASK_UNKNOWN);
	pcap_close(dead);
	if (r < 0)
		return -EINVAL;
	fprog = (struct sock_fprog){(unsigned short)prog.bf_len,
				    (struct sock_filter *)prog.bf_insns};
	r = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) < 0 ? -errno : 0;
	pcap_freecode(&prog);
	return r;
}

static int bind_all(int fd)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1;

	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

int underlay_watch_open(struct underlay_watch **out, const struct io_open *how,
			const uint16_t *ports, uint32_t n_ports)
{
	struct underlay_watch *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	r = u->fd = how->packet(how->ctx, "lo");
	if (r < 0)
		goto out_free;
	r = set_filter(u->fd, ports, n_ports);
	if (r == 0)
		r = bind_all(u->fd);
	if (r < 0)
		goto out_close;
	read_counters(u->base);
	*out = u;
	return 0;
out_close:
	close(u->fd);
out_free:
	free(u);
	return r;
}

void underlay_watch_close(struct underlay_watch *u)
{
	if (!u)
		return;
	close(u->fd);
	free(u);
}

int underlay_watch_fd(const struct underlay_watch *u)
{
	return u->fd;
}

/* --- marks --------------------------------------------------------------------------------------- */

/* What makes a datagram known again: the sender and the first bytes of the payload.  The head of a
 * train has those of its first datagram. */
static uint64_t mark_of(const struct ip_addr *src, uint16_t sport, const uint8_t *payload, uint32_t n)
{
	static const struct hash_key key = {0x9e3779b97f4a7c15ull, 0xbf58476d1ce4e5b9ull};
	uint64_t h = hash_u64(key, src->d[0] + sport, src->d[1]), w[2];

	for (uint32_t i = 0; i < n && i < MARK_BYTES; i += sizeof(w)) {
		memset(w, 0, sizeof(w));
		memcpy(w, payload + i, MIN((uint32_t)sizeof(w), n - i));
		h = hash_u64(key, h ^ w[0], w[1]);
	}
	return h | 1; /* 0 is none */
}

void underlay_watch_saw(struct underlay_watch *u, const struct pkt *p)
{
	uint32_t n = MIN(pkt_total(p), (uint32_t)MARK_BYTES);
	uint8_t buf[MARK_BYTES];
	uint64_t mark, set;
	uint32_t way;

	pkt_copy_out(p, 0, buf, n);
	mark = mark_of(&p->tun.src, p->tun.sport, buf, n);
	set = mark % (UNDERLAY_SEEN / SEEN_WAYS);
	way = atomic_fetch_add_explicit(&u->next[set], 1, memory_order_relaxed) % SEEN_WAYS;
	atomic_store_explicit(&u->seen[set * SEEN_WAYS + way], mark, memory_order_relaxed);
	atomic_fetch_add_explicit(&u->n_seen, 1, memory_order_relaxed);
}

/* --- frames -------------------------------------------------------------------------------------- */

/* Addresses, ports, mark, and the length by the headers (the socket cuts); false: no whole header. */
static bool parse(struct underlay_frame *f)
{
	const struct eth_hdr *eth = (const void *)f->bytes;
	uint32_t at = sizeof(*eth);
	const struct udp_hdr *udp;

	if (f->n_bytes < at + sizeof(struct ip6_hdr))
		return false;
	if (be16_get(eth->type) == ETHTYPE_IP4) {
		const struct ip4_hdr *ip = (const void *)(f->bytes + at);

		f->src = ip_from4(ip->src);
		f->dst = ip_from4(ip->dst);
		f->len = at + be16_get(ip->len);
		at += ip4_hdr_len(ip);
	} else {
		const struct ip6_hdr *ip = (const void *)(f->bytes + at);

		f->src = ip_from6(ip->src);
		f->dst = ip_from6(ip->dst);
		at += sizeof(*ip);
		f->len = at + be16_get(ip->payload_len);
	}
	if (f->n_bytes < at + sizeof(*udp) || ip_is_multicast(&f->dst))
		return false;
	udp = (const void *)(f->bytes + at);
	f->dport = be16_get(udp->dst);
	at += sizeof(*udp);
	f->mark = mark_of(&f->src, be16_get(udp->src), f->bytes + at,
			  MIN((uint32_t)(f->n_bytes - at),
			      (uint32_t)be16_get(udp->len) - (uint32_t)sizeof(*udp)));
	return true;
}

/* One frame into the next place of the ring; false: nothing is there. */
static bool read_one(struct underlay_watch *u, struct underlay_frame *f, bool *good)
{
	struct sockaddr_ll sa = {0};
	socklen_t len = sizeof(sa);
	ssize_t n = recvfrom(u->fd, f->bytes, sizeof(f->bytes), 0, (struct sockaddr *)&sa, &len);

	if (n < 0)
		return errno == EINTR || errno == ENETDOWN;
	f->n_bytes = (uint16_t)n;
	f->is_other = sa.sll_pkttype == PACKET_OTHERHOST;
	*good = (sa.sll_hatype == ARPHRD_ETHER || sa.sll_hatype == ARPHRD_LOOPBACK) &&
		(sa.sll_pkttype == PACKET_HOST || f->is_other) && parse(f) &&
		if_indextoname((unsigned)sa.sll_ifindex, f->dev);
	return true;
}

void underlay_watch_read(struct underlay_watch *u, uint64_t now,
			 bool (*want)(void *ctx, const uint8_t *p, uint32_t len, uint32_t full),
			 void *ctx)
{
	/* A full ring takes no more: the reports would come too late to be read. */
	struct underlay_frame spare;

	for (int i = 0; i < 256; i++) {
		struct underlay_frame *f = u->n < UNDERLAY_RING
						   ? &u->ring[(u->first + u->n) % UNDERLAY_RING]
						   : &spare;
		bool good = false;

		if (!read_one(u, f, &good))
			return;
		if (!good || f == &spare || !want(ctx, f->bytes, f->n_bytes, f->len))
			continue;
		f->at = now;
		f->n_seen = atomic_load_explicit(&u->n_seen, memory_order_relaxed);
		u->n++;
	}
}

/* --- verdict ------------------------------------------------------------------------------------- */

static bool is_ours(const struct ip_addr *ip)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next) {
		if (!a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			found = ip_is4(ip) &&
				!memcmp(&((struct sockaddr_in *)a->ifa_addr)->sin_addr, &ip->b[12], 4);
		else if (a->ifa_addr->sa_family == AF_INET6)
			found = !memcmp(&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr, ip->b, 16);
	}
	freeifaddrs(all);
	return found;
}

/* The counter that rose and belongs to what f can have met; false: none. */
static bool by_counter(struct underlay_watch *u, const struct underlay_frame *f, bool ours,
		       bool socket, struct underlay_loss *l)
{
	uint64_t now[UNDERLAY_COUNTERS] = {0};
	bool found = false;

	read_counters(now);
	for (int i = 0; i < UNDERLAY_COUNTERS; i++) {
		enum drop why = counters[i].why;
		bool fits = counters[i].is6 == !ip_is4(&f->src) &&
			    (why == DROP_host_not_local) == !ours &&
			    (why != DROP_host_no_socket || !socket);

		if (now[i] > u->base[i] && fits && !found) {
			*l = (struct underlay_loss){why, counters[i].name,
						    (uint32_t)(now[i] - u->base[i])};
			found = true;
		}
		u->base[i] = now[i];
	}
	return found;
}

static bool was_seen(struct underlay_watch *u, uint64_t mark)
{
	uint64_t set = mark % (UNDERLAY_SEEN / SEEN_WAYS);

	for (uint32_t i = 0; i < SEEN_WAYS; i++)
		if (atomic_load(&u->seen[set * SEEN_WAYS + i]) == mark)
			return true;
	return false;
}

static enum verdict judge(struct underlay_watch *u, const struct underlay_frame *f, bool socket,
			  uint64_t now, struct underlay_loss *l)
{
	bool ours;

	if (was_seen(u, f->mark))
		return ARRIVED;
	/* So many came that the mark may have been overwritten: nothing can be said. */
	if (atomic_load(&u->n_seen) - f->n_seen > UNDERLAY_SEEN / 16)
		return ARRIVED;
	ours = is_ours(&f->dst);
	*l = (struct underlay_loss){DROP_otherhost, "", 0};
	if (f->is_other)
		return ours ? LOST : ARRIVED;
	if (by_counter(u, f, ours, socket, l))
		return LOST;
	if (!ours || !socket) /* forwarded, or for a socket of somebody else */
		return ARRIVED;
	*l = (struct underlay_loss){DROP_host_filtered, "", 0};
	return f->at + UNDERLAY_LONG <= now ? LOST : TOO_EARLY;
}

bool underlay_watch_next(struct underlay_watch *u, uint64_t now,
			 bool (*has_socket)(void *ctx, const struct underlay_frame *f), void *ctx,
			 struct underlay_frame *f, struct underlay_loss *l)
{
	while (u->n && u->ring[u->first].at + UNDERLAY_WAIT <= now) {
		enum verdict v;

		*f = u->ring[u->first];
		v = judge(u, f, has_socket(ctx, f), now, l);
		u->first_is_late = v == TOO_EARLY;
		if (v == TOO_EARLY)
			return false;
		u->first = (u->first + 1) % UNDERLAY_RING;
		u->n--;
		if (v == LOST)
			return true;
	}
	return false;
}

uint64_t underlay_watch_timer(const struct underlay_watch *u)
{
	if (!u->n)
		return UINT64_MAX;
	return u->ring[u->first].at + (u->first_is_late ? UNDERLAY_LONG : UNDERLAY_WAIT);
}
