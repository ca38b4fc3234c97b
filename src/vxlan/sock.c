/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN sockets: opened when the first device on them comes up, closed with the last. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "vxlan/device.h"

static struct vxlan_sock *find(const struct vxlan_dev *v, const struct vxlan_opts *o, int family)
{
	list_for_each (s, &v->dev->vx->vxlan_socks, struct vxlan_sock, node)
		if (s->family == family && s->port == o->dstport && s->host == v->host &&
		    s->zero_csum6_rx == o->udp6zerocsumrx && s->external == o->external &&
		    s->gbp == o->gbp)
			return s;
	return NULL;
}

/* All sockets, as workers see them: replaced as a whole. */
struct vxlan_ports {
	uint32_t n;
	struct vxlan_sock *s[];
};

/* Publishes the list as it is now. */
static int publish(struct vx *vx)
{
	struct vxlan_ports *old = atomic_load(&vx->vxlan_ports), *t;
	uint32_t n = 0;

	list_for_each (s, &vx->vxlan_socks, struct vxlan_sock, node)
		n++;
	t = malloc(sizeof(*t) + n * sizeof(t->s[0]));
	if (!t)
		return -ENOMEM;
	t->n = 0;
	list_for_each (s, &vx->vxlan_socks, struct vxlan_sock, node)
		t->s[t->n++] = s;
	atomic_store_explicit(&vx->vxlan_ports, t, memory_order_release);
	if (old)
		quiesce_defer(&vx->quiesce, free, old);
	return 0;
}

struct vxlan_sock *vxlan_sock_on_port(const struct vxlan_sock *like, uint16_t port)
{
	struct vxlan_ports *t =
		atomic_load_explicit(&like->vx->vxlan_ports, memory_order_acquire);

	for (uint32_t i = 0; t && i < t->n; i++)
		if (t->s[i]->port == port && t->s[i]->family == like->family &&
		    t->s[i]->host == like->host && t->s[i]->external == like->external &&
		    t->s[i]->zero_csum6_rx == like->zero_csum6_rx && t->s[i]->gbp == like->gbp)
			return t->s[i];
	return NULL;
}

static void sock_free(void *arg)
{
	struct vxlan_sock *s = arg;

	vni_table_free(s->vnis);
	free(s);
}

static int sock_open(struct vxlan_dev *v, const struct vxlan_opts *o, int family,
		     struct vxlan_sock **out, struct vx_err *err)
{
	struct vx *vx = v->dev->vx;
	struct udp_sock_cfg cfg = {
		.vx = vx,
		.family = family,
		.port = o->dstport,
		.zero_csum6_rx = o->udp6zerocsumrx,
	};
	struct vxlan_sock *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return r;
	*s = (struct vxlan_sock){.vx = vx,
				 .family = cfg.family,
				 .port = o->dstport,
				 .host = v->host,
				 .zero_csum6_rx = o->udp6zerocsumrx,
				 .external = o->external,
				 .gbp = o->gbp,
				 .vni_mask = o->external ? 0 : VNI_MAX};
	s->vnis = vni_table_new();
	if (!s->vnis)
		goto out_free;
	r = udp_sock_create(&cfg, v->host, &s->udp, err);
	if (r < 0)
		goto out_free;
	udp_tunnel_setup(s->udp, &(struct udp_tunnel_cfg){.user_data = s,
							  .encap_type = 1,
							  .rcv = vxlan_rcv,
							  .gro_receive = vxlan_gro_receive,
							  .err_lookup = vxlan_err_lookup});
	list_append(&vx->vxlan_socks, &s->node);
	r = publish(vx);
	if (r < 0) {
		list_remove(&s->node);
		udp_sock_release(s->udp);
		quiesce_defer(&vx->quiesce, sock_free, s);
		return r;
	}
	*out = s;
	return 0;
out_free:
	sock_free(s);
	return r;
}

static void sock_put(struct vxlan_sock *s)
{
	if (--s->refs)
		return;
	list_remove(&s->node);
	if (publish(s->vx) < 0) {
		/* No memory for a shorter table: readers are waited for, the old one is cut. */
		struct vxlan_ports *t = atomic_load(&s->vx->vxlan_ports);

		quiesce_wait(&s->vx->quiesce);
		for (uint32_t i = 0; i < t->n; i++)
			if (t->s[i] == s)
				t->s[i] = t->s[--t->n];
	}
	udp_sock_release(s->udp);
	quiesce_defer(&s->vx->quiesce, sock_free, s);
}

/* An external device is found under VNI 0, whatever a packet's is (2.2); there can be one. */
static int attach(struct vxlan_dev *v, int family, struct vx_err *err)
{
	const struct vxlan_opts *o = vxlan_opts(v);
	struct vxlan_sock *s = find(v, o, family);
	int r;

	if (!s) {
		r = sock_open(v, o, family, &s, err);
		if (r < 0)
			return r;
	}
	s->refs++;
	r = vni_table_set(s->vnis, (vni_t){o->id}, v->dev);
	if (r < 0) {
		sock_put(s);
		return r != -EEXIST ? r
				    : vx_fail(err, -EADDRINUSE,
					      "another external device has UDP port %u", o->dstport);
	}
	atomic_store_explicit(&v->sock[family == AF_INET6], s, memory_order_release);
	return 0;
}

int vxlan_sock_attach(struct vxlan_dev *v, struct vx_err *err)
{
	int r;

	if (!vxlan_opts(v)->external)
		return attach(v, v->is6 ? AF_INET6 : AF_INET, err);
	r = attach(v, AF_INET6, err);
	if (r < 0 && r != -EAFNOSUPPORT) /* 1.7: without IPv6 on the host it does with IPv4 */
		return r;
	r = attach(v, AF_INET, err);
	if (r < 0)
		vxlan_sock_detach(v);
	return r;
}

void vxlan_sock_detach(struct vxlan_dev *v)
{
	for (int i = 0; i < 2; i++) {
		struct vxlan_sock *s = atomic_exchange(&v->sock[i], NULL);

		if (!s)
			continue;
		vni_table_clear(s->vnis, (vni_t){vxlan_opts(v)->id});
		sock_put(s);
	}
}
