/* SPDX-License-Identifier: Apache-2.0 */
/* Advice for a drop: the list's sentence with what this packet knows filled in. */
#include <stdio.h>

#include "ctl/explain.h"
#include "net/dev.h"
#include "vxlan/device.h"

struct words {
	struct vx *vx;
	const struct trace *t;
	const struct trace_step *drop;
	const struct packet_view *v;
};

/* The device that a step named last, before or at the drop. */
static const char *device(const struct words *x)
{
	const char *name = x->drop->dev;

	for (uint16_t i = 0; !*name && i < x->t->n_steps; i++)
		if (*x->t->steps[i].dev)
			name = x->t->steps[i].dev;
	return *name ? name : *x->t->dev ? x->t->dev : "DEV";
}

/* The remote: where the packet came from, or was to go. */
static const struct ip_addr *peer(const struct words *x)
{
	const struct ip_addr *ip = NULL;

	if (x->v->has_outer)
		return &x->v->src;
	for (uint16_t i = 0; i < x->t->n_steps; i++)
		if (x->t->steps[i].say == SAY_REMOTE)
			ip = &x->t->steps[i].ip;
	return ip;
}

static const struct ip_addr *any_ip(const struct words *x)
{
	const struct ip_addr *ip = ip_is_none(&x->drop->ip) ? NULL : &x->drop->ip;

	if (!ip && x->v->has_outer)
		ip = &x->v->dst;
	return ip ? ip : peer(x);
}

static uint32_t best_mtu(const struct words *x)
{
	struct dev *d = dev_by_name(x->vx, device(x));
	uint32_t route = 0;

	for (uint16_t i = 0; i < x->t->n_steps; i++)
		if (x->t->steps[i].say == SAY_REMOTE && x->t->steps[i].u[0])
			route = x->t->steps[i].u[0];
	if (!d || !dev_is_vxlan(d))
		return route ? route : d ? d->mtu : 1400;
	return (route ? route : 1500) - (vxlan_dev(d)->is6 ? 70 : 50);
}

static void fill(const struct words *x, const char *word, size_t n, struct text *out)
{
	char buf[IP_TEXT_MAX];
	const struct ip_addr *ip;

	if (!strncmp(word, "dev", n)) {
		text_printf(out, "%s", device(x));
	} else if (!strncmp(word, "vni", n)) {
		text_printf(out, "%u", x->v->has_vni ? x->v->vni : x->drop->vni);
	} else if (!strncmp(word, "port", n)) {
		text_printf(out, "%u", x->v->dport ? x->v->dport : x->drop->port);
	} else if (!strncmp(word, "peer", n) || !strncmp(word, "ip", n)) {
		ip = *word == 'p' ? peer(x) : any_ip(x);
		text_printf(out, "%s", ip && !ip_is_none(ip) ? ip_text(ip, buf) : "REMOTE");
	} else if (!strncmp(word, "src", n) && x->v->has_inner) {
		text_printf(out, "%s", mac_text(&x->v->inner_src, buf));
	} else if (!strncmp(word, "dst", n) && x->v->has_inner) {
		text_printf(out, "%s", mac_text(&x->v->inner_dst, buf));
	} else if (!strncmp(word, "mtu", n)) {
		text_printf(out, "%u", best_mtu(x));
	} else {
		for (size_t i = 0; i < n; i++)
			text_printf(out, "%c", word[i] - (word[i] >= 'a' && word[i] <= 'z' ? 32 : 0));
	}
}

void explain_advice(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		    const struct packet_view *v, char *out, size_t size)
{
	struct words x = {vx, t, drop, v};
	struct text text = {0};

	for (const char *s = drop_infos[drop->drop].advice; *s;) {
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		size_t n;

		if (end) {
			fill(&x, s + 1, (size_t)(end - s - 1), &text);
			s = end + 1;
			continue;
		}
		n = strcspn(s + 1, "{") + 1;
		text_append(&text, s, n);
		s += n;
	}
	snprintf(out, size, "%s", text_get(&text));
	text_done(&text);
}
