/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open vSwitch bridges with packets, end to end: two struct vx, each with a bridge, a port in
 * memory and VXLAN ports, a cable between their underlays.
 */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>

#include "datapath/format.h"
#include "net/link.h"
#include "ofproto/dpif.h"
#include "vxlan/device.h"
#include "wire/eth.h"

struct host {
	struct t_net *t;
	struct t_port *up, *port;
	struct ofproto *br;
	uint16_t vx1;
};

static struct host A, B;
static uint8_t F[T_FRAME_MAX];

static uint16_t add_port(struct ofproto *br, const struct ofproto_port_cfg *cfg)
{
	struct bundle_cfg b = {.n_ports = 1, .tag = -1, .name = cfg->name};
	struct vx_err err = {0};
	uint16_t no;
	int r = ofproto_port_add(br, cfg, &no, &err);

	if (r < 0)
		fail_msg("%s: %d %s", cfg->name, r, err.text);
	b.ports = &no;
	assert_int_equal(ofproto_bundle_set(br, (void *)(uintptr_t)no, &b), 0);
	return no;
}

static uint16_t add_vxlan(struct ofproto *br, const char *name, const char *remote, uint32_t key)
{
	struct ofproto_port_cfg c = {.name = name,
				     .type = "vxlan",
				     .tun = {.remote = t_addr(remote),
					     .in_key_present = true,
					     .out_key_present = true,
					     .in_key = key,
					     .out_key = key,
					     .dst_port = 4789,
					     .ttl = 64,
					     .df_default = true}};

	return add_port(br, &c);
}

static void make_host(struct host *h, int me, int her)
{
	char mac[24], addr[24];

	*h = (struct host){.t = t_new()};
	assert_int_equal(dp_init_module(h->t->vx), 0);
	assert_int_equal(vxlan_init_module(h->t->vx), 0);
	snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", me);
	snprintf(addr, sizeof(addr), "10.0.0.%d/24", me);
	h->up = t_add_port(h->t, "up0", mac, addr);
	h->port = t_add_port(h->t, "h0", "02:00:00:00:01:01", NULL);
	assert_int_equal(ofproto_create(h->t->vx, "br0", "", NULL, &h->br), 0);
	add_port(h->br, &(struct ofproto_port_cfg){.name = "h0", .type = "system"});
	snprintf(addr, sizeof(addr), "10.0.0.%d", her);
	h->vx1 = add_vxlan(h->br, "vx1", addr, 100);
}

static void run_both(void)
{
	for (int i = 0; i < 10; i++) {
		t_turn(A.t);
		t_turn(B.t);
	}
}

static int setup(void **state)
{
	(void)state;
	make_host(&A, 1, 2);
	make_host(&B, 2, 1);
	t_join(A.up, B.up);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ofproto_destroy(A.br, true);
	ofproto_destroy(B.br, true);
	assert_null(dev_by_name(A.t->vx, "vxlan_sys_4789"));
	assert_null(dev_by_name(A.t->vx, "ovs-system"));
	t_end(A.t);
	t_end(B.t);
	return 0;
}

/* From h0 of one to h0 of the other. */
static void cross(struct host *from, struct host *to, const char *smac, const char *dmac)
{
	struct t_ip ip = {.smac = smac,
			  .dmac = dmac,
			  .src = "192.168.9.1",
			  .dst = "192.168.9.2",
			  .proto = 17,
			  .data = "0123456789",
			  .len = 10};
	uint32_t len = t_ip(F, &ip);
	const struct t_frame *f;

	t_inject(from->port, F, len);
	run_both();
	f = t_out(to->port);
	assert_non_null(f);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->b, F, len);
}

static uint32_t n_flows(struct host *h)
{
	uint32_t flows, masks;

	table_count(ofproto_dpif(h->br)->table, &flows, &masks);
	return flows;
}

static void end_to_end(void **state)
{
	struct dp_stats st;

	(void)state;
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	cross(&B, &A, "02:00:00:00:0b:01", "02:00:00:00:0a:01");
	assert_int_equal(n_flows(&A), 2);
	assert_int_equal(n_flows(&B), 2);
	/* From the second on no flow is missed. */
	dp_sum_stats(ofproto_dpif(A.br)->dp, &st);
	assert_int_equal(st.missed, 2);
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	dp_sum_stats(ofproto_dpif(A.br)->dp, &st);
	assert_int_equal(st.missed, 2);
	assert_int_equal(st.hit, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(end_to_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
