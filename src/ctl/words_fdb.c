/* SPDX-License-Identifier: Apache-2.0 */
/* `fdb add|append|replace|del|flush`: bridge's grammar (vxlan.md 4.6, 4.10). */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/text.h"
#include "ctl/words.h"
#include "io/nlip.h"

#ifndef NLM_F_BULK
#define NLM_F_BULK 0x200
#endif
enum { NDA_STATE_MASK = 16, NDA_FLAGS_MASK = 17 };

struct fdb_words {
	struct ndmsg *ndm;
	const char *dev, *mac;
	bool has_dst, has_port, has_vni, has_nhid, has_via, has_src_vni, has_vlan;
	bool has_state;
	uint16_t state_mask;
	uint8_t flags_mask;
};

static int number(struct words *x, const char *what, bool *seen, unsigned long long max,
		  unsigned long long *v)
{
	const char *arg = words_need(x);
	char why[32];

	if (!arg)
		return -1;
	if (*seen)
		return words_duplicate(x, what, arg);
	*seen = true;
	snprintf(why, sizeof(why), "invalid %s", !strcmp(what, "vni") ? "VNI" : what);
	if (text_to_u64(arg, max, v) < 0)
		return words_bad_arg(x, arg, why);
	return 0;
}

static int dst(struct words *x, struct fdb_words *f)
{
	const char *arg = words_need(x);
	struct ip_addr ip;

	if (!arg)
		return -1;
	if (f->has_dst)
		return words_duplicate(x, "dst", arg);
	if (ip_parse(arg, &ip) < 0)
		return words_fail(x, WORDS_EXIT_TYPE,
				  "Error: any valid address is expected rather than \"%s\".", arg);
	f->has_dst = true;
	nlip_put(x->nlh, NDA_DST, &ip);
	return 0;
}

static int via(struct words *x, struct fdb_words *f)
{
	const char *arg = words_need(x);
	uint32_t index;

	if (!arg)
		return -1;
	if (f->has_via)
		return words_duplicate(x, "via", arg);
	f->has_via = true;
	index = x->ifindex(x->ctx, arg);
	if (!index) {
		words_no_device(x, arg);
		x->exit_code = WORDS_EXIT_USAGE;
		return -1;
	}
	mnl_attr_put_u32(x->nlh, NDA_IFINDEX, index);
	return 0;
}

static const struct {
	const char *word;
	bool abbreviates;
	uint16_t state; /* 0: a flag */
	uint8_t flag;
} marks[] = {
	{"self", false, 0, NTF_SELF},	{"master", true, 0, NTF_MASTER},
	{"router", true, 0, NTF_ROUTER}, {"use", true, 0, NTF_USE},
	{"extern_learn", true, 0, NTF_EXT_LEARNED}, {"sticky", false, 0, NTF_STICKY},
	{"offloaded", false, 0, NTF_OFFLOADED},
	{"local", true, NUD_PERMANENT, 0}, {"permanent", true, NUD_PERMANENT, 0},
	{"static", true, NUD_REACHABLE | NUD_NOARP, 0}, {"temp", false, NUD_REACHABLE | NUD_NOARP, 0},
	{"dynamic", true, NUD_REACHABLE, 0},
};

/* A word that stands alone.  True if it was one. */
static bool mark(struct fdb_words *f, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (marks[i].abbreviates && strlen(word) > 1 ? !words_match(word, marks[i].word)
							     : strcmp(word, marks[i].word) != 0)
			continue;
		f->ndm->ndm_flags |= marks[i].flag;
		if (marks[i].state) {
			f->ndm->ndm_state = marks[i].state;
			f->has_state = true;
		}
		return true;
	}
	return false;
}

/* A word with a value.  1: none of these; 0 done; -1 error. */
static int keyed(struct words *x, struct fdb_words *f, const char *word)
{
	unsigned long long v;

	if (!strcmp(word, "dst"))
		return dst(x, f);
	if (!strcmp(word, "via"))
		return via(x, f);
	if (!strcmp(word, "port")) {
		if (number(x, "port", &f->has_port, 65535, &v) < 0)
			return -1;
		mnl_attr_put_u16(x->nlh, NDA_PORT, htons((uint16_t)v));
		return 0;
	}
	if (!strcmp(word, "vni") || !strcmp(word, "src_vni")) {
		bool src = *word == 's';

		if (number(x, word, src ? &f->has_src_vni : &f->has_vni, VNI_MAX, &v) < 0)
			return -1;
		mnl_attr_put_u32(x->nlh, src ? NDA_SRC_VNI : NDA_VNI, (uint32_t)v);
		return 0;
	}
	if (!strcmp(word, "nhid")) {
		if (number(x, "nhid", &f->has_nhid, UINT32_MAX, &v) < 0)
			return -1;
		mnl_attr_put_u32(x->nlh, NDA_NH_ID, (uint32_t)v);
		return 0;
	}
	if (words_match(word, "vlan")) {
		if (number(x, "vlan", &f->has_vlan, 4095, &v) < 0)
			return -1;
		mnl_attr_put_u16(x->nlh, NDA_VLAN, (uint16_t)v);
		return 0;
	}
	return 1;
}

static int finish(struct words *x, struct fdb_words *f, bool needs_mac)
{
	uint32_t index;
	struct mac m;

	if (!f->dev || (needs_mac && !f->mac))
		return words_fail(x, WORDS_EXIT_USAGE, needs_mac
				  ? "Device and address are required arguments."
				  : "Device is a required argument.");
	if (f->has_nhid && (f->has_dst || f->has_port || f->has_vni))
		return words_fail(x, WORDS_EXIT_USAGE,
				  "dst, port, vni are mutually exclusive with nhid");
	if (needs_mac) {
		if (mac_parse(f->mac, &m) < 0)
			return words_fail(x, WORDS_EXIT_USAGE, "Invalid mac address %s", f->mac);
		mnl_attr_put(x->nlh, NDA_LLADDR, sizeof(m), &m);
	}
	index = x->ifindex(x->ctx, f->dev);
	if (!index) {
		words_no_device(x, f->dev);
		x->exit_code = WORDS_EXIT_USAGE;
		return -1;
	}
	f->ndm->ndm_ifindex = (int)index;
	return 0;
}

static int modify(struct words *x, uint16_t type, uint16_t flags)
{
	struct fdb_words f = {.ndm = words_begin(x, type, flags, sizeof(struct ndmsg))};
	const char *word;

	f.ndm->ndm_family = AF_BRIDGE;
	f.ndm->ndm_state = NUD_PERMANENT;
	while ((word = words_next(x))) {
		int r;

		if (!strcmp(word, "dev")) {
			f.dev = words_need(x);
			if (!f.dev)
				return -1;
			continue;
		}
		if (mark(&f, word))
			continue;
		r = keyed(x, &f, word);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		if (!strcmp(word, "to")) {
			word = words_need(x);
			if (!word)
				return -1;
		}
		if (f.mac)
			return words_duplicate(x, "to", word);
		f.mac = word;
	}
	if (!(f.ndm->ndm_flags & (NTF_SELF | NTF_MASTER)))
		f.ndm->ndm_flags |= NTF_SELF;
	if (!(f.ndm->ndm_state & (NUD_PERMANENT | NUD_REACHABLE)))
		f.ndm->ndm_state |= NUD_PERMANENT;
	if (f.ndm->ndm_state & NUD_PERMANENT)
		f.ndm->ndm_state |= NUD_NOARP;
	return finish(x, &f, true);
}

static const struct {
	const char *word;
	uint16_t state, state_mask;
	uint8_t flag;
} filters[] = {
	{"permanent", NUD_PERMANENT, NUD_PERMANENT, 0},
	{"static", NUD_NOARP, NUD_NOARP | NUD_PERMANENT, 0},
	{"dynamic", 0, NUD_NOARP | NUD_PERMANENT, 0},
	{"router", 0, 0, NTF_ROUTER},
	{"extern_learn", 0, 0, NTF_EXT_LEARNED},
	{"offloaded", 0, 0, NTF_OFFLOADED},
	{"sticky", 0, 0, NTF_STICKY},
};

static bool filter(struct fdb_words *f, const char *word)
{
	bool no = !strncmp(word, "no", 2);

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		if (strcmp(no ? word + 2 : word, filters[i].word))
			continue;
		if (filters[i].flag) {
			f->flags_mask |= filters[i].flag;
			if (!no)
				f->ndm->ndm_flags |= filters[i].flag;
		} else {
			/* "no" of a two-bit state is the other value of the bit that names it. */
			f->state_mask |= no ? (filters[i].state ? filters[i].state : NUD_NOARP)
					    : filters[i].state_mask;
			f->ndm->ndm_state |= no ? (filters[i].state ? 0 : NUD_NOARP)
						: filters[i].state;
		}
		return true;
	}
	return false;
}

static int flush(struct words *x)
{
	struct fdb_words f = {
		.ndm = words_begin(x, RTM_DELNEIGH, NLM_F_BULK, sizeof(struct ndmsg))};
	const char *word;

	f.ndm->ndm_family = AF_BRIDGE;
	while ((word = words_next(x))) {
		int r = 1;

		if (!strcmp(word, "dev")) {
			f.dev = words_need(x);
			r = f.dev ? 0 : -1;
		} else if (!strcmp(word, "self") || !strcmp(word, "master")) {
			f.ndm->ndm_flags |= *word == 's' ? NTF_SELF : NTF_MASTER;
			r = 0;
		} else if (filter(&f, word)) {
			r = 0;
		} else {
			r = keyed(x, &f, word);
		}
		if (r < 0)
			return -1;
		if (r > 0)
			return words_duplicate(x, "flush", word);
	}
	if (!(f.ndm->ndm_flags & (NTF_SELF | NTF_MASTER)))
		f.ndm->ndm_flags |= NTF_SELF;
	if (f.state_mask)
		mnl_attr_put_u16(x->nlh, NDA_STATE_MASK, f.state_mask);
	if (f.flags_mask)
		mnl_attr_put_u8(x->nlh, NDA_FLAGS_MASK, f.flags_mask);
	return finish(x, &f, false);
}

int words_fdb(struct words *x, const char *cmd)
{
	if (!strcmp(cmd, "add"))
		return modify(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
	if (!strcmp(cmd, "append"))
		return modify(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND);
	if (!strcmp(cmd, "replace"))
		return modify(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	if (!strcmp(cmd, "delete"))
		return modify(x, RTM_DELNEIGH, 0);
	return flush(x);
}
