/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vx's bridges for diff.py: ports in memory on the real datapath, told what to be and what comes by
 * lines of words, which diff.py also tells Open vSwitch in its own language.
 *
 *   reset                                   everything goes
 *   bridge BRIDGE                           with its local port, called the same
 *   set BRIDGE FLOOD BPDU LIMIT SECURE      VLANs "5,7" or "-"; 0 or 1; size of the MAC table; 0 or
 * 1 port BRIDGE PORT OFPORT [PEER]          a device's, or with a peer a patch port bundle PORT
 * MODE TAG TRUNKS PRIO PROTECTED access, trunk, ...; "-": none; never, if-nonzero, always del PORT
 * packet PORT HEX...                      comes in by it, all in one turn: lines "PORT HEX" purge
 * flows are removed macs BRIDGE lines "OFPORT VLAN MAC static|learned" mac-add PORT VLAN MAC,
 * mac-del BRIDGE VLAN MAC static entries: a line "refused" where it is flush BRIDGE its learned
 * entries drops lines "REASON PACKETS" since the reset count                                   of
 * packets that hit a flow, that missed: "HIT MISSED"
 *
 * Each is answered with its lines and a line ".".  After each that changes something or brings
 * packets a tenth of a second passes and flows are revalidated: what is compared is where both
 * switches settle. A word that is wrong ends the program.
 */
#include <stdio.h>
#include <stdlib.h>

#include "datapath/dp.h"
#include "net/link.h"
#include "ofproto/ofproto.h"
#include "ofproto/testing.h"
#include "vxlan/testing.h"

enum { BRIDGES = 4, PORTS = 24, WORDS = 64, VLAN_WORDS = 64, SETTLE_ROUNDS = 8 };

struct port {
	char name[DEV_NAME_MAX];
	struct ofproto *br;
	uint16_t ofport;
	struct t_port *t; /* NULL: an internal or patch port */
};

static struct h_host H;
static bool made;
static struct ofproto *bridges[BRIDGES];
static uint32_t n_bridges, n_ports;
static struct port ports[PORTS];
static struct dp_stats counted; /* of datapaths that are gone */

/* --- what there is --------------------------------------------------------------------------- */

static struct ofproto *bridge_of(const char *name)
{
	for (uint32_t i = 0; i < n_bridges; i++)
		if (!strcmp(ofproto_name(bridges[i]), name))
			return bridges[i];
	fail_msg("no bridge %s", name);
	return NULL;
}

static struct port *find_port(const char *name)
{
	for (uint32_t i = 0; i < n_ports; i++)
		if (!strcmp(ports[i].name, name))
			return &ports[i];
	return NULL;
}

static struct port *port_of(const char *name)
{
	struct port *p = find_port(name);

	if (!p || !p->br)
		fail_msg("no port %s", name);
	return p;
}

static struct port *port_slot(const char *name)
{
	struct port *p = find_port(name);

	if (p)
		return p;
	assert_true(n_ports < PORTS);
	p = &ports[n_ports++];
	*p = (struct port){0};
	snprintf(p->name, sizeof(p->name), "%s", name);
	return p;
}

/* "5,7": a bitmap; NULL for "-". */
static const uint64_t *vlans(char *text, uint64_t map[VLAN_WORDS])
{
	char *save;

	if (!strcmp(text, "-"))
		return NULL;
	memset(map, 0, VLAN_WORDS * sizeof(*map));
	for (char *v = strtok_r(text, ",", &save); v; v = strtok_r(NULL, ",", &save)) {
		int n = atoi(v);

		assert_true(n >= 0 && n < VLAN_WORDS * 64);
		map[n / 64] |= 1ull << n % 64;
	}
	return map;
}

static int one_of(const char *const *words, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return i;
	fail_msg("%s is none of these words", word);
	return -1;
}

/* --- bridges and ports ------------------------------------------------------------------------ */

static void sum_counts(struct dp_stats *out)
{
	struct dp_stats s;

	*out = counted;
	if (!n_bridges)
		return;
	dpif_get_stats(ofproto_dpif(bridges[0]), &s);
	out->hit += s.hit;
	out->missed += s.missed;
}

static void end(void)
{
	if (!made)
		return;
	sum_counts(&counted);
	while (n_bridges)
		ofproto_destroy(bridges[--n_bridges], true);
	n_ports = 0;
	h_end(&H);
	made = false;
}

static void do_reset(char **w)
{
	(void)w;
	end();
	h_init(&H);
	assert_int_equal(dp_init_module(H.t->vx), 0);
	made = true;
}

static void set_up(const char *name)
{
	assert_int_equal(dev_change_flags(dev_by_name(H.t->vx, name), true, NULL), 0);
}

static void do_bridge(char **w)
{
	struct port *p = port_slot(w[1]);
	struct vx_err err = {0};

	assert_true(n_bridges < BRIDGES);
	if (o_create(H.t->vx, w[1], "system", &err, &bridges[n_bridges]) < 0)
		fail_msg("%s: %s", w[1], err.text);
	p->br = bridges[n_bridges++];
	p->ofport = OFPORT_LOCAL;
	set_up(w[1]);
}

static void do_set(char **w)
{
	struct ofproto *br = bridge_of(w[1]);
	uint64_t map[VLAN_WORDS];

	ofproto_set_flood_vlans(br, vlans(w[2], map));
	ofproto_set_forward_bpdu(br, !strcmp(w[3], "1"));
	ofproto_set_mac_table_size(br, (uint32_t)atoi(w[4]));
	ofproto_set_fail_secure(br, !strcmp(w[5], "1"));
}

static void do_port(char **w)
{
	static const char *const words[] = {"device", "internal", "patch"};
	int kind = one_of(words, 3, w[4]);
	struct ofproto_port_cfg cfg = {.name = w[2],
				       .type = kind ? w[4] : "system",
				       .peer = w[5],
				       .ofport_request = (uint16_t)atoi(w[3])};
	struct port *p = port_slot(w[2]);
	struct vx_err err = {0};

	if (!kind && !p->t)
		p->t = t_add_port(H.t, w[2], "02:00:00:00:fe:01", NULL);
	p->br = bridge_of(w[1]);
	if (ofproto_port_add(p->br, &cfg, &p->ofport, &err) < 0)
		fail_msg("%s: %s", w[2], err.text);
	assert_int_equal(p->ofport, cfg.ofport_request);
	if (kind == 1)
		set_up(w[2]);
}

static void do_peer(char **w)
{
	struct ofproto_port_cfg cfg = {.name = w[1], .type = "patch", .peer = w[2]};
	struct port *p = port_of(w[1]);
	struct vx_err err = {0};

	if (ofproto_port_reconfigure(p->br, p->ofport, &cfg, &err) < 0)
		fail_msg("%s: %s", w[1], err.text);
}

static void do_bundle(char **w)
{
	static const char *const modes[] = {"trunk", "access", "native-tagged", "native-untagged"};
	static const char *const prio[] = {"never", "if-nonzero", "always"};
	struct port *p = port_of(w[1]);
	uint64_t map[VLAN_WORDS];
	struct bundle_cfg b = {.name = w[1],
			       .ports = &p->ofport,
			       .n_ports = 1,
			       .vlan_mode = (enum vlan_mode)one_of(modes, 4, w[2]),
			       .tag = strcmp(w[3], "-") ? atoi(w[3]) : -1,
			       .trunks = vlans(w[4], map),
			       .priority_tags = (enum priority_tags)one_of(prio, 3, w[5]),
			       .is_protected = !strcmp(w[6], "1")};

	assert_int_equal(ofproto_bundle_set(p->br, p, &b), 0);
}

static void do_del(char **w)
{
	struct port *p = port_of(w[1]);

	ofproto_bundle_del(p->br, p);
	assert_int_equal(ofproto_port_del(p->br, p->ofport, true), 0);
	p->br = NULL;
}

/* --- MAC tables ------------------------------------------------------------------------------- */

static int show_mac(void *ctx, const struct ofproto_mac *m)
{
	char text[MAC_TEXT_MAX];

	(void)ctx;
	printf("%u %u %s %s\n", m->ofport, m->vlan, mac_text(&m->mac, text),
	       m->is_static ? "static" : "learned");
	return 0;
}

static void do_macs(char **w)
{
	struct ofproto *br = bridge_of(w[1]);
	struct mac_summary s;

	ofproto_macs(br, show_mac, NULL);
	ofproto_mac_summary(br, &s);
	printf("%u of %u, %u static, %llu learned, %llu expired, %llu evicted, %llu moved\n", s.n,
	       s.limit, s.n_static, (unsigned long long)s.totals.learned,
	       (unsigned long long)s.totals.expired, (unsigned long long)s.totals.evicted,
	       (unsigned long long)s.totals.moved);
}

static void do_flush(char **w)
{
	ofproto_mac_flush(bridge_of(w[1]));
}

static void do_mac_add(char **w)
{
	struct port *p = port_of(w[1]);
	struct mac mac = t_mac(w[3]);
	uint16_t was;

	if (ofproto_mac_add(p->br, p->ofport, (uint16_t)atoi(w[2]), &mac, &was) < 0)
		puts("refused");
}

static void do_mac_del(char **w)
{
	struct mac mac = t_mac(w[3]);

	if (ofproto_mac_del(bridge_of(w[1]), (uint16_t)atoi(w[2]), &mac) < 0)
		puts("refused");
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint32_t from_hex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;

	for (; hex[0] && hex[1]; hex += 2)
		assert_true(n < T_FRAME_MAX && sscanf(hex, "%2hhx", &out[n++]) == 1);
	assert_true(!*hex);
	return n;
}

static void show(const char *port, const struct t_frame *f)
{
	printf("%s ", port);
	for (uint32_t i = 0; i < f->len; i++)
		printf("%02x", f->b[i]);
	putchar('\n');
}

/* What came out of all ports, and of the bridges' own. */
static void show_out(void)
{
	const struct t_frame *f;

	for (uint32_t i = 0; i < n_ports; i++)
		while (ports[i].t && (f = t_out(ports[i].t)))
			show(ports[i].name, f);
	while (H.in_head != H.in_tail) {
		const struct dev *d = H.in_dev[H.in_head % T_OUT];

		show(d->name, h_got(&H));
	}
}

static void do_packet(char **w)
{
	static uint8_t frame[T_FRAME_MAX];
	struct port *p = port_of(w[1]);

	for (w += 2; *w; w++) {
		uint32_t len = from_hex(*w, frame);

		if (p->t)
			t_feed(p->t, frame, len);
		else
			h_send(&H, dev_by_name(H.t->vx, p->name), frame, len, 0);
	}
	t_turn(H.t);
	show_out();
}

static void do_purge(char **w)
{
	(void)w;
	if (n_bridges)
		revalidate_purge(ofproto_dpif(bridges[0]), H.t->now);
}

static void do_count(char **w)
{
	struct dp_stats s;

	(void)w;
	sum_counts(&s);
	printf("%llu %llu\n", (unsigned long long)s.hit, (unsigned long long)s.missed);
}

static void do_drops(char **w)
{
	const struct worker *k = H.t->vx->workers[0];

	(void)w;
	for (int i = 1; i < DROP_COUNT; i++)
		if (k->acct.dropped[i])
			printf("%s %llu\n", drop_infos[i].name,
			       (unsigned long long)k->acct.dropped[i]);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* What flows counted reaches the MAC tables, what changed there the flows. */
static void settle(void)
{
	struct dpif *d;

	if (!n_bridges)
		return;
	d = ofproto_dpif(bridges[0]);
	t_advance(H.t, 100 * NS_PER_MS);
	for (uint32_t i = 0; i < n_bridges; i++)
		ofproto_run(bridges[i], H.t->now);
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		revalidate_all(d, H.t->now);
		if (!atomic_load(&d->reval.n_coming))
			return;
	}
	fail_msg("the flows do not settle");
}

static const struct {
	const char *word;
	int min, max; /* words after it */
	void (*fn)(char **w);
} commands[] = {
	{"reset", 0, 0, do_reset}, {"bridge", 1, 1, do_bridge},	  {"set", 5, 5, do_set},
	{"port", 4, 5, do_port},   {"bundle", 6, 6, do_bundle},	  {"del", 1, 1, do_del},
	{"peer", 2, 2, do_peer},   {"packet", 2, 40, do_packet},  {"macs", 1, 1, do_macs},
	{"flush", 1, 1, do_flush}, {"mac-add", 3, 3, do_mac_add}, {"mac-del", 3, 3, do_mac_del},
	{"count", 0, 0, do_count}, {"drops", 0, 0, do_drops},	  {"purge", 0, 0, do_purge},
};

static void line(char *text)
{
	char *w[WORDS] = {0}, *save;
	int n = 0;

	for (char *x = strtok_r(text, " \n", &save); x && n < WORDS - 1;
	     x = strtok_r(NULL, " \n", &save))
		w[n++] = x;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (n && !strcmp(w[0], commands[i].word) && n > commands[i].min &&
		    n <= commands[i].max + 1) {
			commands[i].fn(w);
			settle();
			puts(".");
			fflush(stdout);
			return;
		}
	fail_msg("what is \"%s\", with %d words?", n ? w[0] : "", n);
}

int main(void)
{
	char *text = NULL;
	size_t size = 0;

	while (getline(&text, &size, stdin) > 0)
		line(text);
	free(text);
	end();
	return 0;
}
