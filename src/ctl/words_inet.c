/* SPDX-License-Identifier: Apache-2.0 */
/* `addr add|del`, `route add|append|replace|del`, `neigh add|replace|del`: vx's own stack. */
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/text.h"
#include "ctl/words.h"
#include "io/nlip.h"

/* "A/LEN", "A" (a whole address), "default".  -1: told. */
static int prefix(struct words *x, const char *arg, struct ip_addr *ip, uint8_t *plen)
{
	char text[64];
	const char *slash = strchr(arg, '/');
	unsigned long long n;
	size_t len = slash ? (size_t)(slash - arg) : strlen(arg);

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, arg, len);
	text[len] = 0;
	if (ip_parse(text, ip) < 0)
		return words_fail(x, WORDS_EXIT_TYPE,
				  "Error: any valid prefix is expected rather than \"%s\".", arg);
	n = ip_is4(ip) ? 32 : 128;
	if (slash && text_to_u64(slash + 1, n, &n) < 0)
		return words_fail(x, WORDS_EXIT_TYPE,
				  "Error: any valid prefix is expected rather than \"%s\".", arg);
	*plen = (uint8_t)n;
	return 0;
}

static int device(struct words *x, uint32_t *index)
{
	const char *arg = words_need(x);

	if (!arg)
		return -1;
	*index = x->ifindex(x->ctx, arg);
	return *index ? 0 : words_no_device(x, arg);
}

static int address(struct words *x, struct ip_addr *ip)
{
	const char *arg = words_need(x);

	if (!arg)
		return -1;
	if (ip_parse(arg, ip) < 0)
		return words_fail(x, WORDS_EXIT_TYPE,
				  "Error: any valid address is expected rather than \"%s\".", arg);
	return 0;
}

/* --- addr ------------------------------------------------------------------------------------------ */

int words_addr(struct words *x, const char *cmd)
{
	bool add = !strcmp(cmd, "add");
	struct ifaddrmsg *ifa = words_begin(x, add ? RTM_NEWADDR : RTM_DELADDR,
					    add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*ifa));
	struct ip_addr ip = {{{0}}}, brd;
	const char *word, *local = NULL;
	uint32_t index = 0;

	while ((word = words_next(x))) {
		if (!strcmp(word, "dev")) {
			if (device(x, &index) < 0)
				return -1;
		} else if (words_match(word, "broadcast") || !strcmp(word, "brd")) {
			if (address(x, &brd) < 0)
				return -1;
			nlip_put(x->nlh, IFA_BROADCAST, &brd);
		} else {
			if (!strcmp(word, "local") && !(word = words_need(x)))
				return -1;
			if (local)
				return words_duplicate(x, "local", word);
			local = word;
			if (prefix(x, word, &ip, &ifa->ifa_prefixlen) < 0)
				return -1;
		}
	}
	if (!index)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Not enough information: \"dev\" argument is required.");
	if (!local)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Not enough information: an address with its prefix length is "
				  "required.");
	ifa->ifa_family = ip_is4(&ip) ? AF_INET : AF_INET6;
	ifa->ifa_index = index;
	nlip_put(x->nlh, IFA_LOCAL, &ip);
	nlip_put(x->nlh, IFA_ADDRESS, &ip);
	return 0;
}

/* --- route ------------------------------------------------------------------------------------------ */

struct route_words {
	struct rtmsg *rt;
	struct ip_addr dst;
	bool has_dst, is_default;
	uint32_t mtu, hoplimit;
};

static int number(struct words *x, const char *what, unsigned long long max, uint32_t *v)
{
	const char *arg = words_need(x);
	unsigned long long n;
	char why[48];

	if (!arg)
		return -1;
	snprintf(why, sizeof(why), "\"%s\" value is invalid\n", what);
	if (text_to_u64(arg, max, &n) < 0)
		return words_bad_arg(x, arg, why);
	*v = (uint32_t)n;
	return 0;
}

static void set_family(struct route_words *r, const struct ip_addr *ip)
{
	if (!r->rt->rtm_family)
		r->rt->rtm_family = ip_is4(ip) ? AF_INET : AF_INET6;
}

static int route_ip(struct words *x, struct route_words *r, uint16_t type)
{
	struct ip_addr ip;

	if (address(x, &ip) < 0)
		return -1;
	set_family(r, &ip);
	nlip_put(x->nlh, type, &ip);
	return 0;
}

/* One word of a route and its value.  1: none of these. */
static int route_word(struct words *x, struct route_words *r, const char *word)
{
	uint32_t v = 0;

	if (!strcmp(word, "dev")) {
		if (device(x, &v) < 0)
			return -1;
		mnl_attr_put_u32(x->nlh, RTA_OIF, v);
		return 0;
	}
	if (!strcmp(word, "via"))
		return route_ip(x, r, RTA_GATEWAY);
	if (!strcmp(word, "src"))
		return route_ip(x, r, RTA_PREFSRC);
	if (words_match(word, "metric") || words_match(word, "preference")) {
		if (number(x, "metric", UINT32_MAX, &v) < 0)
			return -1;
		mnl_attr_put_u32(x->nlh, RTA_PRIORITY, v);
		return 0;
	}
	if (!strcmp(word, "mtu"))
		return number(x, "mtu", 65535, &r->mtu);
	if (!strcmp(word, "hoplimit"))
		return number(x, "hoplimit", 255, &r->hoplimit);
	if (!strcmp(word, "blackhole") || !strcmp(word, "unreachable")) {
		r->rt->rtm_type = *word == 'b' ? RTN_BLACKHOLE : RTN_UNREACHABLE;
		return 0;
	}
	return 1;
}

static int route_dst(struct words *x, struct route_words *r, const char *word)
{
	if (r->has_dst)
		return words_duplicate(x, "to", word);
	r->has_dst = true;
	if (!strcmp(word, "default")) {
		r->is_default = true;
		return 0;
	}
	if (prefix(x, word, &r->dst, &r->rt->rtm_dst_len) < 0)
		return -1;
	set_family(r, &r->dst);
	nlip_put(x->nlh, RTA_DST, &r->dst);
	return 0;
}

static void route_metrics(struct words *x, const struct route_words *r)
{
	struct nlattr *nest;

	if (!r->mtu && !r->hoplimit)
		return;
	nest = mnl_attr_nest_start(x->nlh, RTA_METRICS);
	if (r->mtu)
		mnl_attr_put_u32(x->nlh, RTAX_MTU, r->mtu);
	if (r->hoplimit)
		mnl_attr_put_u32(x->nlh, RTAX_HOPLIMIT, r->hoplimit);
	mnl_attr_nest_end(x->nlh, nest);
}

int words_route(struct words *x, const char *cmd)
{
	bool del = !strcmp(cmd, "delete");
	uint16_t flags = del			       ? 0
			 : !strcmp(cmd, "replace") ? NLM_F_CREATE | NLM_F_REPLACE
			 : !strcmp(cmd, "append")  ? NLM_F_CREATE | NLM_F_APPEND
						   : NLM_F_CREATE | NLM_F_EXCL;
	struct route_words r = {
		.rt = words_begin(x, del ? RTM_DELROUTE : RTM_NEWROUTE, flags, sizeof(*r.rt))};
	const char *word;

	r.rt->rtm_table = RT_TABLE_MAIN;
	r.rt->rtm_protocol = del ? RTPROT_UNSPEC : RTPROT_BOOT;
	r.rt->rtm_type = del ? RTN_UNSPEC : RTN_UNICAST;
	while ((word = words_next(x))) {
		int k = route_word(x, &r, word);

		if (k > 0 && !strcmp(word, "to") && !(word = words_need(x)))
			return -1;
		if (k > 0)
			k = route_dst(x, &r, word);
		if (k < 0)
			return -1;
	}
	if (!r.has_dst)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Not enough information: a destination (A/LEN or default) is required.");
	if (!r.rt->rtm_family)
		r.rt->rtm_family = AF_INET;
	route_metrics(x, &r);
	return 0;
}

/* --- neigh ------------------------------------------------------------------------------------------ */

static const struct {
	const char *word;
	uint16_t state;
} nud[] = {{"permanent", NUD_PERMANENT}, {"reachable", NUD_REACHABLE}, {"noarp", NUD_NOARP},
	   {"stale", NUD_STALE}};

static int neigh_state(struct words *x, struct ndmsg *ndm)
{
	const char *arg = words_need(x);

	if (!arg)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nud); i++)
		if (words_match(arg, nud[i].word)) {
			ndm->ndm_state = nud[i].state;
			return 0;
		}
	return words_bad_arg(x, arg, "nud state is bad");
}

int words_neigh(struct words *x, const char *cmd)
{
	bool del = !strcmp(cmd, "delete");
	uint16_t flags = del ? 0
			 : !strcmp(cmd, "replace") ? NLM_F_CREATE | NLM_F_REPLACE
						   : NLM_F_CREATE | NLM_F_EXCL;
	struct ndmsg *ndm =
		words_begin(x, del ? RTM_DELNEIGH : RTM_NEWNEIGH, flags, sizeof(*ndm));
	const char *word, *to = NULL;
	struct ip_addr ip = {{{0}}};
	uint32_t index = 0;
	uint8_t plen;
	struct mac m;

	ndm->ndm_state = NUD_PERMANENT;
	while ((word = words_next(x))) {
		if (!strcmp(word, "dev")) {
			if (device(x, &index) < 0)
				return -1;
		} else if (!strcmp(word, "lladdr")) {
			if (!(word = words_need(x)))
				return -1;
			if (mac_parse(word, &m) < 0)
				return words_fail(x, WORDS_EXIT_USAGE, "\"%s\" is invalid lladdr.",
						  word);
			mnl_attr_put(x->nlh, NDA_LLADDR, sizeof(m), &m);
		} else if (!strcmp(word, "nud")) {
			if (neigh_state(x, ndm) < 0)
				return -1;
		} else {
			if (!strcmp(word, "to") && !(word = words_need(x)))
				return -1;
			if (to)
				return words_duplicate(x, "to", word);
			to = word;
			if (prefix(x, word, &ip, &plen) < 0)
				return -1;
		}
	}
	if (!index || !to)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Device and destination are required arguments.");
	ndm->ndm_family = ip_is4(&ip) ? AF_INET : AF_INET6;
	ndm->ndm_ifindex = (int)index;
	nlip_put(x->nlh, NDA_DST, &ip);
	return 0;
}
