/* SPDX-License-Identifier: Apache-2.0 */
/* `link add|set|del`: iproute2's grammar (vxlan.md 1.1, 1.3, 9.1). */
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/text.h"
#include "ctl/rtnl.h"
#include "ctl/words.h"
#include "io/nlip.h"
#include "vxlan/options.h"

/* --- a type's options ---------------------------------------------------------------------------- */

static int put_number(struct words *x, const struct attr *a, uint64_t v)
{
	uint32_t w[2];

	switch (a->kind) {
	case ATTR_U16:
		mnl_attr_put_u16(x->nlh, a->nl, (uint16_t)v);
		break;
	case ATTR_BE16:
		mnl_attr_put_u16(x->nlh, a->nl, htons((uint16_t)v));
		break;
	case ATTR_U32:
	case ATTR_DEV:
		mnl_attr_put_u32(x->nlh, a->nl, (uint32_t)v);
		break;
	case ATTR_BE32:
		mnl_attr_put_u32(x->nlh, a->nl, htonl((uint32_t)v));
		break;
	case ATTR_BE64:
		w[0] = htonl((uint32_t)(v >> 32));
		w[1] = htonl((uint32_t)v);
		mnl_attr_put(x->nlh, a->nl, sizeof(w), w);
		break;
	case ATTR_FLAG:
		mnl_attr_put(x->nlh, a->nl, 0, NULL);
		break;
	default:
		mnl_attr_put_u8(x->nlh, a->nl, (uint8_t)v);
	}
	return 0;
}

static int number(struct words *x, const struct attr *a, const char *arg)
{
	unsigned long long v;

	if (text_to_u64(arg, a->max, &v) < 0 || v < a->min)
		return words_bad_arg(x, arg, a->why ? a->why : "invalid number");
	return put_number(x, a, v);
}

static int address(struct words *x, const struct attr *a, const char *key, const char *arg)
{
	bool group = !strcmp(key, "group"), local = a->nl == 4;
	const char *why = local ? "invalid local address"
			  : group ? "invalid group address"
				  : "invalid remote address";
	struct ip_addr ip;
	int family;

	if (ip_parse(arg, &ip) < 0)
		family = -1;
	else
		family = ip_is4(&ip) ? AF_INET : AF_INET6;
	if (family < 0 || (x->family && family != x->family))
		return words_fail(x, WORDS_EXIT_TYPE,
				  "Error: %s address is expected rather than \"%s\".",
				  x->family == AF_INET	  ? "inet"
				  : x->family == AF_INET6 ? "inet6"
							  : "any valid",
				  arg);
	x->family = family;
	if (ip_is_multicast(&ip) != group && (!ip_is_any(&ip) || group))
		return words_bad_arg(x, arg, why);
	nlip_put2(x->nlh, a->nl, a->nl6, &ip);
	return 0;
}

static int choice(struct words *x, const struct attr *a, const char *arg)
{
	for (uint64_t i = 0; a->words[i]; i++)
		if (!strcmp(arg, a->words[i]))
			return put_number(x, a, i);
	return words_bad_arg(x, arg, a->why);
}

static int range(struct words *x, const struct attr *a, const char *low)
{
	const char *high = words_need(x);
	unsigned long long lo, hi;
	uint16_t v[2];

	if (!high)
		return -1;
	if (text_to_u64(low, 65535, &lo) < 0)
		return words_bad_arg(x, low, "min port");
	if (text_to_u64(high, 65535, &hi) < 0)
		return words_bad_arg(x, high, "max port");
	v[0] = htons((uint16_t)lo);
	v[1] = htons((uint16_t)hi);
	if (lo || hi)
		mnl_attr_put(x->nlh, a->nl, sizeof(v), v);
	return 0;
}

/* Words that stand for a number or for another attribute.  1: done, 0: no such word here. */
static int special(struct words *x, const struct attr_set *s, int i, const char *arg)
{
	if (s != &vxlan_attrs)
		return 0;
	if (i == VXA_TTL && !strcmp(arg, "inherit"))
		put_number(x, &s->attrs[VXA_TTL_INHERIT], 1);
	else if (i == VXA_TTL && !strcmp(arg, "auto"))
		put_number(x, &s->attrs[i], 0);
	else if (i == VXA_TOS && !strcmp(arg, "inherit"))
		put_number(x, &s->attrs[i], 1);
	else if (i == VXA_LABEL && !strcmp(arg, "inherit"))
		put_number(x, &s->attrs[VXA_LABEL_POLICY], LABEL_INHERIT);
	else if (i == VXA_AGEING && !strcmp(arg, "none"))
		put_number(x, &s->attrs[i], 0);
	else if (i == VXA_LIMIT && !strcmp(arg, "unlimited"))
		put_number(x, &s->attrs[i], 0);
	else
		return 0;
	return 1;
}

/* 'tos' takes names, too: /etc/iproute2/rt_dsfield's, in hexadecimal as iproute2 reads it. */
static int tos(struct words *x, const struct attr *a, const char *arg)
{
	unsigned long v;
	char *end;

	v = strtoul(arg, &end, 16);
	if (!*arg || *end || v > 255)
		return words_bad_arg(x, arg, a->why);
	return put_number(x, a, v);
}

static int ttl(struct words *x, const struct attr *a, const char *arg)
{
	unsigned long long v;

	if (text_to_u64(arg, UINT32_MAX, &v) < 0)
		return words_bad_arg(x, arg, "invalid TTL");
	return number(x, a, arg);
}

static int value(struct words *x, const struct attr_set *s, int i, const char *key)
{
	const struct attr *a = &s->attrs[i];
	const char *arg = words_need(x);
	uint32_t index;

	if (!arg)
		return -1;
	if (special(x, s, i, arg))
		return 0;
	switch (a->kind) {
	case ATTR_IP:
		return address(x, a, key, arg);
	case ATTR_DEV:
		index = x->ifindex(x->ctx, arg);
		if (!index) {
			words_no_device(x, arg);
			x->exit_code = WORDS_EXIT_USAGE;
			return -1;
		}
		return put_number(x, a, index);
	case ATTR_RANGE:
		return range(x, a, arg);
	case ATTR_WORDS:
		return choice(x, a, arg);
	case ATTR_STRING:
		if (strlen(arg) >= a->size)
			return words_bad_arg(x, arg, a->why ? a->why : "too long");
		mnl_attr_put_strz(x->nlh, a->nl, arg);
		return 0;
	}
	if (s == &vxlan_attrs && i == VXA_TOS)
		return tos(x, a, arg);
	if (s == &vxlan_attrs && i == VXA_TTL)
		return ttl(x, a, arg);
	return number(x, a, arg);
}

/* What iproute2 checks once all options are read. */
static int check_vxlan(struct words *x, uint64_t seen, bool add, bool group)
{
	if (add && !(seen & (VXA_BIT(VXA_ID) | VXA_BIT(VXA_EXTERNAL))))
		return words_fail(x, WORDS_EXIT_TYPE, "vxlan: missing virtual network identifier");
	if (add && (seen & VXA_BIT(VXA_EXTERNAL)) && !(seen & VXA_BIT(VXA_LEARNING)))
		mnl_attr_put_u8(x->nlh, IFLA_VXLAN_LEARNING, 0);
	if (add && (seen & VXA_BIT(VXA_ID)) && (seen & VXA_BIT(VXA_EXTERNAL)))
		return words_fail(x, WORDS_EXIT_TYPE,
				  "vxlan: both 'external' and vni cannot be specified");
	if ((seen & VXA_BIT(VXA_VNIFILTER)) && !(seen & VXA_BIT(VXA_EXTERNAL)))
		return words_fail(x, WORDS_EXIT_TYPE,
				  "vxlan: vnifilter is valid only when 'external' is set");
	if (group && !(seen & VXA_BIT(VXA_DEV)))
		return words_fail(x, WORDS_EXIT_TYPE,
				  "vxlan: 'group' requires 'dev' to be specified");
	if (add && !(seen & VXA_BIT(VXA_DSTPORT)))
		snprintf(x->note, sizeof(x->note),
			 "vxlan: destination port not specified\n"
			 "Will use Linux kernel default (non-standard value)\n"
			 "Use 'dstport 4789' to get the IANA assigned value\n"
			 "Use 'dstport 0' to get default and quiet this message");
	return 0;
}

static int options(struct words *x, const struct attr_set *s, bool add)
{
	uint64_t seen = 0;
	const char *key, *remote_key = NULL;
	bool negated;

	x->family = 0;
	while ((key = words_next(x))) {
		int i = attr_by_word(s, key, &negated);
		const struct attr *a = i >= 0 ? &s->attrs[i] : NULL;

		if (!a)
			return words_fail(x, WORDS_EXIT_TYPE,
					  "%s: unknown command \"%s\"?\n"
					  "\"vx link help %s\" lists the options",
					  s->kind, key, s->kind);
		if (s == &vxlan_attrs && i == VXA_REMOTE && remote_key &&
		    words_match(remote_key, "group") != words_match(key, "group"))
			return words_fail(x, WORDS_EXIT_TYPE,
					  "vxlan: both group and remote cannot be specified");
		if (a->kind == ATTR_BOOL || a->kind == ATTR_FLAG) {
			if (seen & (1ull << i))
				return words_duplicate(x, key, key);
			seen |= 1ull << i;
			put_number(x, a, !negated);
			continue;
		}
		if (seen & (1ull << i))
			return words_duplicate(x, a->name, x->at < x->argc ? x->argv[x->at] : key);
		seen |= 1ull << i;
		if (i == VXA_REMOTE && s == &vxlan_attrs) {
			remote_key = key;
			key = words_match(key, "group") && !words_match(key, "remote") ? "group"
										      : "remote";
		}
		if (value(x, s, i, key) < 0)
			return -1;
	}
	if (s != &vxlan_attrs)
		return 0;
	return check_vxlan(x, seen, add, remote_key && !words_match(remote_key, "remote"));
}

/* "type KIND ..." to the end of the line. */
static int type(struct words *x, bool add)
{
	const char *kind = words_need(x);
	const struct attr_set *s;
	struct nlattr *info, *data;

	if (!kind)
		return -1;
	s = words_attrs(kind);
	if (!s)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Garbage instead of arguments \"%s ...\": vx has no link type "
				  "\"%s\". Try \"vx link help\".",
				  kind, kind);
	info = mnl_attr_nest_start(x->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(x->nlh, IFLA_INFO_KIND, kind);
	if (x->at < x->argc) {
		data = mnl_attr_nest_start(x->nlh, IFLA_INFO_DATA);
		if (options(x, s, add) < 0)
			return -1;
		mnl_attr_nest_end(x->nlh, data);
	} else if (s == &vxlan_attrs && add) {
		return check_vxlan(x, 0, true, false);
	}
	mnl_attr_nest_end(x->nlh, info);
	return 0;
}

/* --- the generic part ---------------------------------------------------------------------------- */

static int mtu(struct words *x)
{
	const char *arg = words_need(x);
	unsigned long long v;

	if (!arg)
		return -1;
	if (text_to_u64(arg, UINT32_MAX, &v) < 0)
		return words_bad_arg(x, arg, "Invalid \"mtu\" value\n");
	mnl_attr_put_u32(x->nlh, IFLA_MTU, (uint32_t)v);
	return 0;
}

static int mac(struct words *x)
{
	const char *arg = words_need(x);
	struct mac m;

	if (!arg)
		return -1;
	if (mac_parse(arg, &m) < 0)
		return words_fail(x, WORDS_EXIT_USAGE, "\"%s\" is invalid lladdr.", arg);
	mnl_attr_put(x->nlh, IFLA_ADDRESS, sizeof(m), &m);
	return 0;
}

static int master(struct words *x)
{
	const char *arg = words_need(x);
	uint32_t index;

	if (!arg)
		return -1;
	index = x->ifindex(x->ctx, arg);
	if (!index)
		return words_bad_arg(x, arg, "Device does not exist\n");
	mnl_attr_put_u32(x->nlh, IFLA_MASTER, index);
	return 0;
}

static int netns(struct words *x)
{
	const char *arg = words_need(x);

	if (!arg)
		return -1;
	if (strlen(arg) >= 64)
		return words_bad_arg(x, arg, "a namespace's name, pid or path is shorter");
	mnl_attr_put_strz(x->nlh, IFLA_VX_NETNS, arg);
	return 0;
}

static int check_name(struct words *x, const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || strchr(name, '/') || strchr(name, ' '))
		return words_bad_arg(x, name, "\"name\" not a valid ifname");
	return 0;
}

static int netname(struct words *x)
{
	const char *arg = words_need(x);

	if (!arg || check_name(x, arg) < 0)
		return -1;
	mnl_attr_put_strz(x->nlh, IFLA_VX_NETNAME, arg);
	return 0;
}

static int index_word(struct words *x, struct ifinfomsg *ifi)
{
	const char *arg = words_need(x);
	unsigned long long v;

	if (!arg)
		return -1;
	if (text_to_u64(arg, INT32_MAX, &v) < 0 || !v)
		return words_bad_arg(x, arg, "Invalid \"index\" value\n");
	ifi->ifi_index = (int)v;
	return 0;
}

static void set_up(struct ifinfomsg *ifi, bool up)
{
	ifi->ifi_change |= IFF_UP;
	if (up)
		ifi->ifi_flags |= IFF_UP;
	else
		ifi->ifi_flags &= ~(unsigned int)IFF_UP;
}

/* One generic option.  1: 'word' is none; 0 done; -1 error. */
static int generic(struct words *x, struct ifinfomsg *ifi, const char *word)
{
	if (!strcmp(word, "up") || !strcmp(word, "down")) {
		set_up(ifi, *word == 'u');
		return 0;
	}
	if (!strcmp(word, "mtu"))
		return mtu(x);
	if (words_match(word, "address") && strlen(word) > 1)
		return mac(x);
	if (!strcmp(word, "master"))
		return master(x);
	if (!strcmp(word, "nomaster")) {
		mnl_attr_put_u32(x->nlh, IFLA_MASTER, 0);
		return 0;
	}
	if (!strcmp(word, "nohost")) {
		mnl_attr_put(x->nlh, IFLA_VX_NOHOST, 0, NULL);
		return 0;
	}
	if (!strcmp(word, "netns"))
		return netns(x);
	if (!strcmp(word, "netname"))
		return netname(x);
	if (!strcmp(word, "index"))
		return index_word(x, ifi);
	return 1;
}

/* Names and generic options up to "type" or the end.  *name is what follows "name", *dev the device
 * where it is said in another way; NULL: not said. */
static int body(struct words *x, struct ifinfomsg *ifi, const char **name, const char **dev, bool add)
{
	const char *word, **to;
	int r;

	*name = *dev = NULL;
	while ((word = words_next(x))) {
		if (!strcmp(word, "type"))
			return type(x, add);
		r = *dev || *name || !add || strcmp(word, "up") ? generic(x, ifi, word) : 1;
		if (r <= 0) {
			if (r < 0)
				return -1;
			continue;
		}
		to = !strcmp(word, "name") ? name : dev;
		if (to == name || !strcmp(word, "dev")) {
			word = words_need(x);
			if (!word)
				return -1;
		}
		if (*to || (add && (*name || *dev)))
			return words_duplicate(x, add || to == name ? "name" : "dev", word);
		if (check_name(x, word) < 0)
			return -1;
		*to = word;
	}
	return 0;
}

static int add(struct words *x, uint16_t flags)
{
	struct ifinfomsg *ifi = words_begin_link(x, RTM_NEWLINK, flags);
	const char *name, *dev;
	bool has_type = false;

	for (int i = x->at; i < x->argc; i++)
		has_type |= !strcmp(x->argv[i], "type");
	if (!has_type)
		return words_fail(x, WORDS_EXIT_USAGE, "Not enough information: \"type\" argument "
						       "is required");
	if (body(x, ifi, &name, &dev, true) < 0)
		return -1;
	if (name || dev)
		mnl_attr_put_strz(x->nlh, IFLA_IFNAME, name ? name : dev);
	mnl_attr_put_strz(x->nlh, IFLA_VX_MAKER, "vx link add");
	return 0;
}

/* "set" and "del": words about a device that is there. */
static int existing(struct words *x, uint16_t type)
{
	struct ifinfomsg *ifi = words_begin_link(x, type, 0);
	const char *name, *dev;
	uint32_t index;

	if (body(x, ifi, &name, &dev, false) < 0)
		return -1;
	if (!dev) { /* a "name" alone is the device's */
		dev = name;
		name = NULL;
	}
	if (!dev)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "Not enough of information: \"dev\" argument is required.");
	index = x->ifindex(x->ctx, dev);
	if (!index)
		return words_no_device(x, dev);
	ifi->ifi_index = (int)index;
	if (name && strcmp(name, dev) && type == RTM_NEWLINK)
		mnl_attr_put_strz(x->nlh, IFLA_IFNAME, name);
	return 0;
}

int words_link(struct words *x, const char *cmd)
{
	if (!strcmp(cmd, "add"))
		return add(x, NLM_F_CREATE | NLM_F_EXCL);
	if (!strcmp(cmd, "replace"))
		return words_fail(x, WORDS_EXIT_USAGE, "link replace is not built yet: use link add "
						       "or link set");
	return existing(x, !strcmp(cmd, "delete") ? RTM_DELLINK : RTM_NEWLINK);
}
