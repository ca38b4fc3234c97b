/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl ofproto/trace: its arguments (ovs.md 4.3, 5.6). */
#include <errno.h>
#include <stdlib.h>

#include "datapath/format.h"
#include "ovs/appctl.h"
#include "ovs/flow_text.h"
#include "ovs/trace.h"
#include "wire/eth.h"

enum { ARGS_MAX = 3, WORDS_MAX = 64 };

struct args {
	const char *at[ARGS_MAX];
	int n;
	bool generate, names;
	uint8_t *packet; /* NULL: none */
	size_t len;
};

/* --- bytes ----------------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits, in pairs; blanks between them do not count.  The caller's; NULL: something
 * else, or no memory. */
static uint8_t *bytes_of(const char *s, size_t *n)
{
	uint8_t *b = malloc(strlen(s) / 2 + 1);

	for (*n = 0; b; s += 2) {
		s += strspn(s, " \t\r\n");
		if (!*s)
			return b;
		if (digit(s[0]) < 0 || digit(s[1]) < 0)
			break;
		b[(*n)++] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
	}
	free(b);
	return NULL;
}

static const char not_bytes[] = "Trailing garbage in packet data";

/* --- options --------------------------------------------------------------------------------- */

static bool is_ct_flags(const char *s, struct text *err)
{
	static const char *const names[] = {"new", "est", "rel",  "rpl",
					    "inv", "trk", "snat", "dnat"};

	while (*s) {
		size_t n = strcspn(s, ", "), i = 0;

		while (i < ARRAY_LEN(names) && (strlen(names[i]) != n || memcmp(names[i], s, n)))
			i++;
		if (i == ARRAY_LEN(names)) {
			text_printf(err, "%.*s: unknown connection tracking state flag", (int)n, s);
			return false;
		}
		s += n + strspn(s + n, ", ");
	}
	return true;
}

static bool is_bytes(const char *s, struct text *err)
{
	size_t n;
	uint8_t *b = bytes_of(s, &n);

	free(b);
	if (!b)
		text_printf(err, "%s", not_bytes);
	return b;
}

/* What a generated packet has in it, and what connection tracking would say, changes nothing of
 * what a bridge does here: they are taken.  Behind the option's word, or -1 and what is wrong. */
static int option(struct args *a, int argc, const char *argv[], int i, struct text *err)
{
	const char *o = argv[i] + 1 + (argv[i][1] == '-');
	bool has_value = !strcmp(o, "ct-next") || !strcmp(o, "l7") || !strcmp(o, "l7-len");

	if (has_value && i + 1 >= argc) {
		text_printf(err, "Missing argument for option %s", argv[i]);
		return -1;
	}
	if (!strcmp(o, "ct-next") && !is_ct_flags(argv[i + 1], err))
		return -1;
	if (!strcmp(o, "l7") && !is_bytes(argv[i + 1], err))
		return -1;
	if (has_value)
		return i + 2;
	if (!strcmp(o, "generate")) {
		a->generate = true;
	} else if (!strcmp(o, "names")) {
		a->names = true;
	} else {
		text_printf(err, "%s: unknown option", argv[i]);
		return -1;
	}
	return i + 1;
}

/* --- a packet -------------------------------------------------------------------------------- */

static bool take_packet(struct args *a, const char *s, const char **why)
{
	a->packet = bytes_of(s, &a->len);
	*why = !a->packet			 ? not_bytes
	       : a->len < sizeof(struct eth_hdr) ? "Packet data too short for Ethernet"
	       : a->len > PKT_LEN_MAX		 ? "Packet data too long for a packet"
						 : NULL;
	if (!*why)
		return true;
	free(a->packet);
	a->packet = NULL;
	return false;
}

/* The key of the packet, with what only 'k' says: where it came from, marks. */
static enum drop extract(const struct args *a, struct vx *vx, struct flow_key *k)
{
	struct pool *pool = pool_new(1, 1, 1);
	struct pkt *p = pool ? pkt_new(pool, (uint32_t)a->len) : NULL;
	struct flow_key from = *k;
	enum drop why = DROP_no_memory;
	struct flow_layers l;

	if (p) {
		memcpy(pkt_append(p, (uint32_t)a->len), a->packet, a->len);
		/* The bytes are linear: the worker, whose thread this is not, is not asked. */
		why = flow_key_extract(vx->workers[0], p, from.in_port, k, &l);
		pkt_free(p);
		k->skb_mark = from.skb_mark;
		k->skb_priority = from.skb_priority;
		k->recirc_id = from.recirc_id;
		if (from.tun.flags & TUN_PRESENT) /* a tunnel's ID alone is none of a packet */
			k->tun = from.tun;
	}
	pool_free(pool);
	return why;
}

/* --- a flow ---------------------------------------------------------------------------------- */

/* The groups of a flow may stand apart by commas, by blanks or by nothing: a copy that has one
 * comma each.  The caller's; NULL: memory. */
static char *one_comma(const char *s)
{
	char *copy = malloc(2 * strlen(s) + 1), *to = copy;
	int depth = 0;

	for (; copy && *s; s++) {
		bool is_gap = depth <= 0 && strchr(", \t\r\n", *s);
		bool follows = depth <= 0 && to != copy && to[-1] == ')' && *s != ')';

		depth += (*s == '(') - (*s == ')');
		if (is_gap ? to != copy && to[-1] != ',' : follows)
			*to++ = ',';
		if (!is_gap)
			*to++ = *s;
	}
	if (!copy)
		return NULL;
	if (to != copy && to[-1] == ',')
		to--;
	*to = '\0';
	return copy;
}

/* The group that what is at 'at' belongs to. */
static const char *group_of(const char *flow, uint32_t at)
{
	const char *group = flow;
	int depth = 0;

	for (uint32_t i = 0; i < at; i++) {
		depth += (flow[i] == '(') - (flow[i] == ')');
		if (flow[i] == ',' && depth <= 0)
			group = flow + i + 1;
	}
	return group;
}

/* A datapath's flow.  0 or -EINVAL and where it is wrong in 'err'. */
static int odp_flow(const char *s, const struct dpif *d, struct flow_key *k, struct text *err)
{
	char *flow = one_comma(s);
	struct flow_key m;
	uint32_t at = 0;
	int r = flow ? parse_key(flow, d ? d->dp : NULL, k, &m, &at) : -ENOMEM;

	if (r < 0)
		text_printf(err, "syntax error at %s (or the bridge name was omitted)",
			    flow ? group_of(flow, at) : s);
	free(flow);
	if (r < 0)
		return -EINVAL;
	if (!m.in_port)
		k->in_port = UINT32_MAX;
	if (!m.eth_type.raw)
		k->eth_type = be16_put(ETHTYPE_NONE);
	return 0;
}

static struct dpif *dpif_named(struct vx *vx, const char *name)
{
	list_for_each (d, &vx->dpifs, struct dpif, node)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

/* The datapath, if there is but one. */
static struct dpif *dpif_only(struct vx *vx)
{
	struct dpif *only = NULL;

	list_for_each (d, &vx->dpifs, struct dpif, node) {
		if (only)
			return NULL;
		only = d;
	}
	return only;
}

static bool find_port(void *ctx, const char *name, uint16_t *no)
{
	*no = ofproto_port_find(ctx, name);
	return *no != OFPORT_NONE;
}

static int bridge_flow(struct ovs *o, const struct args *a, struct trace_request *r,
		       struct text *err)
{
	struct bridge *b = appctl_bridge(o, a->at[0]);
	struct flow_ports ports = {.find = find_port};
	struct text why = {0};
	int e;

	if (!b) {
		text_printf(err, "%s: unknown bridge", a->at[0]);
		return -EINVAL;
	}
	r->d = ofproto_dpif(b->ofproto);
	r->bridge = b->name;
	ports.ctx = b->ofproto;
	e = flow_parse(a->at[1], &ports, &r->key, &why);
	if (e < 0)
		text_printf(err, "Bad openflow flow syntax: %s", text_get(&why));
	text_done(&why);
	return e;
}

/* "ODP_FLOW", "DP ODP_FLOW" or "BRIDGE FLOW". */
static int take_flow(struct ovs *o, const struct args *a, struct trace_request *r, struct text *err)
{
	struct dpif *named = a->n == 2 ? dpif_named(o->cfg.vx, a->at[0]) : dpif_only(o->cfg.vx);
	struct text why = {0};
	bool is_odp = odp_flow(a->at[a->n - 1], named, &r->key, &why) == 0;

	if (!is_odp && a->n == 2) {
		text_done(&why);
		return bridge_flow(o, a, r, err);
	}
	if (!is_odp)
		text_append(err, text_get(&why), why.len);
	else if (!named)
		text_printf(err, "Cannot find the datapath");
	text_done(&why);
	r->d = named;
	return is_odp && named ? 0 : -EINVAL;
}

/* --- the command ----------------------------------------------------------------------------- */

static int take_args(struct args *a, int argc, const char *argv[], struct text *err)
{
	const char *why = NULL;

	for (int i = 1; i < argc;) {
		if (*argv[i] == '-') {
			i = option(a, argc, argv, i, err);
			if (i < 0)
				return -EINVAL;
		} else if (a->n < ARGS_MAX) {
			a->at[a->n++] = argv[i++];
		} else {
			text_printf(err, "too many arguments");
			return -EINVAL;
		}
	}
	if (!a->n || (a->n == ARGS_MAX && a->generate)) {
		text_printf(err, "Syntax error");
		return -EINVAL;
	}
	/* With two of them the last is a packet if it can be one. */
	if (a->n > 1 && !a->generate) {
		if (take_packet(a, a->at[a->n - 1], &why)) {
			a->n--;
		} else if (a->n == ARGS_MAX) {
			text_printf(err, "%s", why);
			return -EINVAL;
		}
	}
	return 0;
}

static int run(struct ovs *o, const struct args *a, struct text *out)
{
	struct trace_request r = {.learn = a->generate || a->packet, .names = a->names};
	enum drop why = DROP_NONE;

	if (take_flow(o, a, &r, out) < 0)
		return -EINVAL;
	if (r.key.recirc_id) {
		text_printf(out, "recirc_id %u: there is no recirculation", r.key.recirc_id);
		return -EINVAL;
	}
	if (a->packet)
		why = extract(a, o->cfg.vx, &r.key);
	if (why != DROP_NONE) {
		text_printf(out, "the packet is dropped before any bridge has it: %s: %s",
			    drop_infos[why].name, drop_infos[why].text);
		return -EINVAL;
	}
	return trace_run(&r, out);
}

static void trace(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct args a = {.n = 0};
	struct text out = {0};
	int err = take_args(&a, argc, argv, &out);

	if (!err)
		err = run(aux, &a, &out);
	free(a.packet);
	if (err < 0) {
		unixctl_fail(c, text_get(&out));
		text_done(&out);
	} else {
		appctl_reply(c, &out);
	}
}

void appctl_add_trace(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"ofproto/trace",
		 "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]", 1,
		 WORDS_MAX, trace},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
