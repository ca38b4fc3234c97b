/* SPDX-License-Identifier: Apache-2.0 */
/* Which counters a drop moved: the list's column (pkt/drop_list.h), made definite for one packet. */
#include <stdio.h>

#include "ctl/explain.h"
#include "net/dev.h"
#include "vxlan/device.h"

/* Is the underlay of this packet IPv6? */
static bool is_over6(struct vx *vx, const struct trace *t)
{
	struct packet_view v;

	explain_packet(vx, t, &v);
	if (v.has_outer)
		return !ip_is4(&v.src);
	for (uint16_t i = 0; i < t->n_steps; i++)
		if (t->steps[i].say == SAY_REMOTE)
			return !ip_is4(&t->steps[i].ip);
	return false;
}

/* The tunnel's counters move for what fails below it; else the dropping device's do. */
static const char *device_of(struct vx *vx, const struct trace *t, const struct trace_step *drop,
			     bool of_tunnel)
{
	for (uint16_t i = t->n_steps; of_tunnel && i-- > 0;) {
		struct dev *d = *t->steps[i].dev ? dev_by_name(vx, t->steps[i].dev) : NULL;

		if (d && dev_is_vxlan(d))
			return t->steps[i].dev;
	}
	return *drop->dev ? drop->dev : t->dev;
}

static void add(struct text *out, const char *s, size_t n)
{
	text_append(out, s, n);
}

/* "A|B": A over IPv4, B over IPv6; "rx_dropped or tx_dropped": by the stage. */
static void device_counters(const char *s, size_t n, bool is6, const struct trace_step *drop,
			    struct text *out)
{
	const char *bar = memchr(s, '|', n);
	static const char either[] = "rx_dropped or tx_dropped";

	if (bar && is6)
		add(out, bar + 1, n - (size_t)(bar + 1 - s));
	else if (bar)
		add(out, s, (size_t)(bar - s));
	else if (n == sizeof(either) - 1 && !memcmp(s, either, n))
		add(out, drop->stage == STAGE_dev_queue_xmit ? "tx_dropped" : "rx_dropped", 10);
	else
		add(out, s, n);
}

/* Names of nstat: those of IPv6 have a 6. */
static void stack_counters(const char *s, bool is6, struct text *out)
{
	while (*s && *s != ')') {
		size_t n = strcspn(s, ",)");

		if (is6 && !strncmp(s, "IpExt", 5))
			text_printf(out, "Ip6%.*s", (int)n - 5, s + 5);
		else if (is6 && !strncmp(s, "Ip", 2))
			text_printf(out, "Ip6%.*s", (int)n - 2, s + 2);
		else if (is6 && !strncmp(s, "Udp", 3))
			text_printf(out, "Udp6%.*s", (int)n - 3, s + 3);
		else
			add(out, s, n);
		s += n;
		if (*s == ',') {
			text_printf(out, ", ");
			s += strspn(s, ", ");
		}
	}
}

void explain_counters(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		      char *out, size_t size)
{
	const struct drop_info *d = &drop_infos[drop->drop];
	const char *paren = strchr(d->counters, '(');
	size_t n = paren ? (size_t)(paren - d->counters) : strlen(d->counters);
	bool is6 = is_over6(vx, t), host = !strncmp(d->name, "host_", 5) && t->of_host;
	struct text text = {0};

	if (n) {
		const char *dev = device_of(vx, t, drop, memchr(d->counters, '|', n) != NULL);

		device_counters(d->counters, n, is6, drop, &text);
		text_printf(&text, " of %s", dev);
	}
	if (paren) {
		text_printf(&text, "%s", n ? "; " : "");
		stack_counters(paren + 1, is6, &text);
		text_printf(&text, host ? " of the host's nstat" : " of \"vx nstat\"");
	}
	snprintf(out, size, "%s", text_get(&text));
	text_done(&text);
}
