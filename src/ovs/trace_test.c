/* SPDX-License-Identifier: Apache-2.0 */
/* The report of ofproto/trace on a dummy datapath: how bridges stand in it, and what it leaves
 * behind. */
#include "ovs/trace.h"

#include <errno.h>
#include <stdio.h>

#include "ofproto/testing.h"
#include "ovs/flow_text.h"

static struct o_world W;

static int setup(void **state)
{
	(void)state;
	o_init(&W);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	o_end(&W);
	return 0;
}

/* The report of a packet that comes by a port of br0; in a static buffer. */
static const char *of(uint16_t in_port, const char *flow, bool learn)
{
	static char out[65536];
	struct trace_request r = {.d = W.d, .bridge = "br0", .learn = learn, .names = true};
	struct text t = {0}, err = {0};

	assert_int_equal(flow_parse(flow, NULL, &r.key, &err), 0);
	r.key.in_port = in_port;
	assert_int_equal(trace_run(&r, &t), 0);
	snprintf(out, sizeof(out), "%s", text_get(&t));
	text_done(&t);
	return out;
}

#define ETH	   "dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
#define FLOW(port) "Flow: in_port=" port ",vlan_tci=0x0000," ETH ",dl_type=0x0000\n\n"
#define MEGA(port, acts)                                                                           \
	"\nFinal flow: unchanged\nMegaflow: recirc_id=0,eth,in_port=" port "," ETH                 \
	",dl_type=0x0000\nDatapath actions: " acts "\n"
#define BRIDGE(in, br, line) in "bridge(\"" br "\")\n" in line "\n"
#define RULE(in)	     in " 0. priority 0\n" in "    NORMAL\n"
#define FLOODS(in)	     in "     -> no learned MAC for destination, flooding\n"
#define SENT(in)	     in "     -> output to kernel tunnel\n"

static void learning(void **state)
{
	(void)state;
	assert_int_equal(o_port(W.br, "p2", "", NULL), 1);
	assert_string_equal(of(1, ETH, false), FLOW("p2") BRIDGE("", "br0", "-------------")
						       RULE("") FLOODS("") MEGA("p2", "1"));
	/* Still nothing is known (statement 69). */
	assert_string_equal(of(1, ETH, true),
			    FLOW("p2") BRIDGE("", "br0", "-------------")
				    RULE("") "     -> learned that 02:00:00:00:00:01 is on port p2 "
					     "in VLAN 0\n" FLOODS("") MEGA("p2", "1"));
	assert_string_equal(of(1, ETH, true), FLOW("p2") BRIDGE("", "br0", "-------------") RULE("")
						      FLOODS("") MEGA("p2", "1"));
	assert_non_null(strstr(of(OFPORT_LOCAL, "dl_dst=02:00:00:00:00:01", false),
			       "     -> forwarding to learned port\n\n"));
	assert_non_null(strstr(of(1, "dl_dst=02:00:00:00:00:01", false),
			       "     -> learned port is input port, dropping\n\n"));
	assert_int_equal(o_flows(&W), 0);
}

/* What a bridge has not: a port, and no port at all, of which nothing is learnt. */
static void stand_ins(void **state)
{
	(void)state;
	assert_string_equal(of(9, ETH, true),
			    FLOW("9") BRIDGE("", "br0", "-------------") RULE(
				    "") "     >>>> received packet on unknown port 9 <<<<\n"
					"     >> no input bundle, dropping\n" MEGA("9", "drop"));
	for (int i = 0; i < 2; i++)
		assert_string_equal(of(OFPP_NONE, ETH, true),
				    FLOW("ANY") BRIDGE("", "br0", "-------------") RULE("")
					    FLOODS("") MEGA("ANY", "1"));
	ofproto_set_fail_secure(W.br, true);
	assert_string_equal(
		of(OFPORT_LOCAL, ETH, true),
		FLOW("LOCAL") BRIDGE("", "br0",
				     "-------------") " 0. No match.\n    drop\n"
						      "\nFinal flow: unchanged\nMegaflow: "
						      "recirc_id=0,eth,in_port=LOCAL,"
						      "dl_type=0x0000\nDatapath actions: drop\n");
}

/* A bridge with something behind it stands apart, the last of its bridge does not. */
static void nesting(void **state)
{
	struct tunnel_cfg tun = o_tun("10.1.1.2", 100);
	struct ofproto *b, *c;

	(void)state;
	assert_int_equal(o_create(W.t->vx, "b", "dummy", NULL, &b), 0);
	assert_int_equal(o_create(W.t->vx, "c", "dummy", NULL, &c), 0);
	assert_int_equal(o_port(W.br, "p", "", NULL), 1);
	o_port(W.br, "ab", "patch", "ba");
	o_port(b, "ba", "patch", "ab");
	o_port(b, "bc", "patch", "cb");
	o_port(c, "cb", "patch", "bc");
	assert_string_equal(of(1, ETH, false),
			    FLOW("p") BRIDGE("", "br0", "-------------") RULE("")
				    FLOODS("") "\n" BRIDGE("", "b", "-----------") RULE("")
					    FLOODS("") "\n" BRIDGE("", "c", "-----------") RULE("")
						    FLOODS("") MEGA("p", "1"));
	o_vxlan(W.br, "vx", &tun);
	o_bundle(c, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	assert_string_equal(
		of(1, ETH, false),
		FLOW("p") BRIDGE("", "br0", "-------------") RULE("")
			FLOODS("") "\n" BRIDGE("    ", "b", "-----------") RULE("        ") FLOODS(
				"        ") "\n" BRIDGE("        ", "c", "-----------")
				RULE("        ") FLOODS("        ") SENT("") MEGA(
					"p",
					"3,set(tunnel(tun_id=0x64,dst=10.1.1.2,ttl=64,tp_dst=4789,"
					"flags(df|key))),5,1"));
	ofproto_destroy(b, true);
	ofproto_destroy(c, true);
}

/* Bridges in a circle: told until it is too much, and then nothing is done. */
static void loop(void **state)
{
	struct ofproto *b;
	const char *got;

	(void)state;
	assert_int_equal(o_create(W.t->vx, "b", "dummy", NULL, &b), 0);
	for (int i = 0; i < 2; i++) {
		o_port(W.br, i ? "a1" : "a0", "patch", i ? "b1" : "b0");
		o_port(b, i ? "b1" : "b0", "patch", i ? "a1" : "a0");
	}
	got = of(1, ETH, false);
	assert_non_null(strstr(got, ">>>> over max translation depth 64 <<<<\n\nFinal flow"));
	assert_non_null(strstr(got, "Datapath actions: drop\n"));
	ofproto_destroy(b, true);
}

static void datapath_ports(void **state)
{
	struct tunnel_cfg tun = o_tun("10.1.1.2", 100), any = {.remote_flow = true,
							       .in_key_flow = true,
							       .dst_port = 4790,
							       .ttl = 64};
	struct trace_request r = {.d = W.d};
	struct text out = {0};

	(void)state;
	o_vxlan(W.br, "vx", &tun);  /* datapath port 2 */
	o_vxlan(W.br, "any", &any); /* 3 */
	r.key.in_port = 77;
	assert_int_equal(trace_run(&r, &out), -EINVAL);
	assert_string_equal(text_get(&out), "no OpenFlow port for datapath port 77");
	text_clear(&out);
	r.key.in_port = 3; /* no tunnel's packet, though any would be taken */
	assert_int_equal(trace_run(&r, &out), -EINVAL);
	assert_string_equal(text_get(&out), "no OpenFlow port for datapath port 3");
	text_clear(&out);
	r.key.in_port = 2;
	r.key.tun = (struct flow_tun){.src = t_addr("10.1.1.2"),
				      .dst = t_addr("10.1.1.1"),
				      .id = 99,
				      .flags = TUN_PRESENT | TUN_KEY};
	assert_int_equal(trace_run(&r, &out), -EINVAL);
	assert_string_equal(text_get(&out), "no OpenFlow tunnel port for this packet");
	text_clear(&out);
	r.key.tun.id = 100;
	assert_int_equal(trace_run(&r, &out), 0);
	assert_non_null(strstr(text_get(&out), "Flow: tun_id=0x64,tun_src=10.1.1.2,"));
	assert_non_null(strstr(text_get(&out),
			       "Megaflow: recirc_id=0,eth,tun_id=0x64,tun_src=10.1.1.2,"
			       "tun_dst=10.1.1.1,tun_tos=0,tun_flags=+key,in_port=1,"));
	text_done(&out);
	r.bridge = "nobr";
	assert_int_equal(trace_run(&r, &out), -EINVAL);
	assert_string_equal(text_get(&out), "nobr: unknown bridge");
	text_done(&out);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(learning), T(stand_ins), T(nesting), T(loop), T(datapath_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
