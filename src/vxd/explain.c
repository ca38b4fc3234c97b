/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/explain.h"
#include "vxd/vxd.h"
#include "vxlan/device.h"
#include "wire/vxlan.h"

#define LEASE (10 * NS_PER_S)

static uint64_t match(struct watch *w, const struct batch *b, bool from_udp)
{
	struct explain_job *j = container_of(w, struct explain_job, watch);
	uint64_t taken = filter_match_batch(&j->filter, b, from_udp);

	if (from_udp && j->underlay)
		for (uint32_t i = 0; i < b->n; i++)
			if (taken >> i & 1)
				underlay_watch_saw(j->underlay, b->p[i]);
	return taken;
}

/* A worker: the last packet of a trace is gone. */
static void keep_trace(struct explain_job *j, struct trace *t)
{
	uint64_t one = 1;
	bool wake = false;

	if (j->only != DROP_NONE && explain_drop(t) != j->only) {
		free(t);
		return;
	}
	pthread_mutex_lock(&j->lock);
	if (j->n < EXPLAIN_QUEUE_MAX) {
		t->next = NULL;
		*j->last = t;
		j->last = &t->next;
		wake = j->n++ == 0;
	} else {
		j->missed++;
		free(t);
	}
	pthread_mutex_unlock(&j->lock);
	if (wake && write(j->d->events.fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: control is awake anyway */
}

static void trace_done(void *ctx, struct trace *t)
{
	struct explain_job *j = ctx;

	keep_trace(j, t);
	atomic_fetch_sub(&j->watch.out, 1); /* the last touch: now the job may go */
}

static struct trace *take(struct explain_job *j, uint64_t *missed)
{
	struct trace *t;

	pthread_mutex_lock(&j->lock);
	t = j->first;
	*missed = j->missed;
	j->missed = 0;
	if (t) {
		j->first = t->next;
		if (!j->first)
			j->last = &j->first;
		j->n--;
	}
	pthread_mutex_unlock(&j->lock);
	return t;
}

static void job_free(struct explain_job *j)
{
	struct trace *t;
	uint64_t missed;

	while ((t = take(j, &missed)))
		free(t);
	filter_done(&j->filter);
	underlay_watch_close(j->underlay);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* No trace is begun any more.  A packet that waits (for a neighbour, say) may still carry one: then
 * explain_timer() looks again. */
static void job_ended(void *arg)
{
	struct explain_job *j = arg;

	if (!atomic_load(&j->watch.out)) {
		job_free(j);
		return;
	}
	j->next = j->d->explain_ended;
	j->d->explain_ended = j;
}

/* Frees those that have ended whose last trace is back.  When to look again. */
static uint64_t reap_ended(struct vxd *d, uint64_t now)
{
	struct explain_job **at = &d->explain_ended, *j;

	while ((j = *at)) {
		if (atomic_load(&j->watch.out)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		job_free(j);
	}
	return d->explain_ended ? now + NS_PER_S : UINT64_MAX;
}

void explain_end(struct vxd *d)
{
	struct explain_job *j = d->explain;

	if (!j)
		return;
	d->explain = NULL;
	watch_set(d->vx, NULL);
	if (j->underlay)
		loop_del(&d->loop, &j->underlay_src);
	if (j->waiting) {
		j->waiting->gone = NULL;
		unixctl_reply(j->waiting, "{\"traces\":[],\"missed\":0,\"done\":true}");
	}
	quiesce_defer(&d->vx->quiesce, job_ended, j);
}

static void client_gone(struct unixctl_conn *c, void *aux)
{
	struct vxd *d = aux;

	if (d->explain && d->explain->waiting == c) {
		d->explain->waiting = NULL;
		explain_end(d);
	}
}

/* --- what never reached a socket ------------------------------------------------------------------ */

static bool underlay_wants(void *ctx, const uint8_t *p, uint32_t len, uint32_t full)
{
	struct explain_job *j = ctx;

	return filter_match_frame(&j->filter, p, len, full);
}

static void underlay_ready(struct loop_source *src, uint32_t events)
{
	struct explain_job *j = src->ctx;

	underlay_watch_read(j->underlay, clock_now(), underlay_wants, j);
}

/* Ports that are worth a look: those of devices on the host's sockets, up or not, and the two usual
 * ones. */
static uint32_t underlay_ports(struct vx *vx, uint16_t *ports, uint32_t max, bool *any)
{
	uint32_t n = 0, k;

	ports[n++] = VXLAN_PORT_IANA;
	ports[n++] = VXLAN_PORT_LINUX;
	*any = false;
	list_for_each (d, &vx->devs, struct dev, node) {
		if (!dev_is_vxlan(d) || !vxlan_dev(d)->host)
			continue;
		*any = true;
		for (k = 0; k < n && ports[k] != vxlan_opts(vxlan_dev(d))->dstport;)
			k++;
		if (k == n && n < max)
			ports[n++] = vxlan_opts(vxlan_dev(d))->dstport;
	}
	return n;
}

/* Says in a line what can be seen. */
static const char *underlay_begin(struct vxd *d, struct explain_job *j)
{
	uint16_t ports[16];
	bool any;
	uint32_t n = underlay_ports(d->vx, ports, ARRAY_LEN(ports), &any);

	if (!any)
		return "explain: waiting for packets";
	if (underlay_watch_open(&j->underlay, &d->packet.open, ports, n) < 0) {
		j->underlay = NULL;
		return "explain: waiting for packets; what the host drops before it reaches a VXLAN "
		       "socket cannot be seen (that takes CAP_NET_RAW)";
	}
	j->underlay_src = (struct loop_source){underlay_watch_fd(j->underlay), underlay_ready, j};
	loop_add(&d->loop, &j->underlay_src, EPOLLIN);
	return "explain: waiting for packets; those that the host drops before a VXLAN socket are "
	       "seen, too";
}

static bool has_socket(void *ctx, const struct underlay_frame *f)
{
	const struct explain_job *j = ctx;

	list_for_each (s, &j->d->vx->vxlan_socks, struct vxlan_sock, node)
		if (s->host && s->port == f->dport && (s->family == AF_INET) == ip_is4(&f->dst))
			return true;
	return false;
}

static struct trace_step *underlay_step(struct trace *t, enum trace_say say,
					const struct underlay_frame *f)
{
	struct trace_step *s = &t->steps[t->n_steps++];

	s->stage = STAGE_udp_rcv;
	s->say = (uint8_t)say;
	s->port = f->dport;
	s->ip = f->src;
	memcpy(s->dev, f->dev, sizeof(s->dev));
	return s;
}

/* A trace of what the host did. */
static struct trace *underlay_trace(struct explain_job *j, const struct underlay_frame *f,
				    const struct underlay_loss *l)
{
	struct trace *t = calloc(1, sizeof(*t));
	struct trace_step *s;

	if (!t)
		return NULL;
	*t = (struct trace){.done = trace_done, .ctx = j, .at = f->at, .len = f->len,
			    .n_bytes = f->n_bytes, .outer = true, .of_host = true};
	t->id = atomic_fetch_add(&j->watch.next_id, 1) + 1;
	memcpy(t->dev, f->dev, sizeof(t->dev));
	memcpy(t->bytes, f->bytes, f->n_bytes);
	s = underlay_step(t, SAY_HOST_LOST, f);
	s->u[0] = l->by;
	snprintf(s->maker.text, sizeof(s->maker.text), "%s", l->counter);
	if (l->why == DROP_host_no_socket)
		underlay_step(t, SAY_NO_SOCKET, f);
	underlay_step(t, SAY_DROP, f)->drop = (uint16_t)l->why;
	return t;
}

/* Those that are overdue become traces, as long as any are wanted. */
static void underlay_run(struct explain_job *j, uint64_t now)
{
	struct underlay_frame f;
	struct underlay_loss l;

	while (j->underlay && atomic_load(&j->watch.left) > 0 &&
	       underlay_watch_next(j->underlay, now, has_socket, j, &f, &l)) {
		struct trace *t = underlay_trace(j, &f, &l);

		if (!t)
			return;
		if (j->only == DROP_NONE)
			atomic_fetch_sub(&j->watch.left, 1);
		keep_trace(j, t);
	}
}

/* --- commands ---------------------------------------------------------------------------------------- */

static bool find_reason(const char *name, enum drop *out)
{
	*out = DROP_NONE;
	if (!*name)
		return true;
	for (int i = 1; i < DROP_COUNT; i++)
		if (!strcmp(drop_infos[i].name, name)) {
			*out = (enum drop)i;
			return true;
		}
	return false;
}

void explain_cmd_start(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct explain_job *j;
	enum filter_where where = !strcmp(argv[2], "outer")   ? FILTER_OUTER
				  : !strcmp(argv[2], "inner") ? FILTER_INNER
							      : FILTER_ANY;
	unsigned long long count;
	const char *line;
	char why[400];
	enum drop only;

	if (!TRACE_IS_BUILT) {
		unixctl_fail(c, "this vxd was built without explain (-Dtrace=disabled)");
		return;
	}
	if (d->explain) {
		unixctl_fail(c, "another \"vx explain\" runs: one at a time");
		return;
	}
	if (text_to_u64(argv[1], 1000000, &count) < 0 || !find_reason(argv[3], &only)) {
		snprintf(why, sizeof(why), "\"%.60s\" is no drop reason: \"vx drops\" lists those "
			 "that happened, doc/drops.md all", argv[3]);
		unixctl_fail(c, why);
		return;
	}
	j = calloc(1, sizeof(*j));
	if (!j || filter_init(&j->filter, d->vx, where, argv[4], why, sizeof(why)) < 0) {
		unixctl_fail(c, j ? why : "no memory");
		free(j);
		return;
	}
	j->d = d;
	j->only = only;
	j->count = count ? (int64_t)count : INT64_MAX;
	j->began = j->asked = clock_now();
	j->last = &j->first;
	pthread_mutex_init(&j->lock, NULL);
	j->watch = (struct watch){.match = match, .done = trace_done, .ctx = j};
	/* With a reason nobody knows beforehand which packets will have it. */
	atomic_store(&j->watch.left, only == DROP_NONE ? j->count : INT64_MAX);
	d->explain = j;
	line = underlay_begin(d, j);
	watch_set(d->vx, &j->watch);
	unixctl_reply(c, line);
}

static void answer(struct vxd *d, struct explain_job *j)
{
	json_t *list = json_array(), *msg;
	struct unixctl_conn *c = j->waiting;
	uint64_t missed, all_missed = 0, epoch = clock_epoch();
	struct trace *t;
	char *s;

	while (j->count > 0 && json_array_size(list) < 64 && (t = take(j, &missed))) {
		json_array_append_new(list, explain_json(d->vx, t, j->began, epoch));
		free(t);
		j->count--;
		all_missed += missed;
	}
	msg = json_pack("{s:o, s:I, s:b}", "traces", list, "missed", (json_int_t)all_missed, "done",
			j->count <= 0);
	s = json_dumps(msg, JSON_COMPACT);
	j->waiting = NULL;
	unixctl_reply(c, s ? s : "");
	free(s);
	json_decref(msg);
}

void explain_run(struct vxd *d)
{
	struct explain_job *j = d->explain;
	bool any;

	if (!j || !j->waiting)
		return;
	pthread_mutex_lock(&j->lock);
	any = j->n != 0;
	pthread_mutex_unlock(&j->lock);
	if (any || j->count <= 0)
		answer(d, j);
	if (j->count <= 0)
		explain_end(d);
}

void explain_cmd_next(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;
	struct explain_job *j = d->explain;

	if (!j || j->waiting) {
		unixctl_fail(c, "no \"vx explain\" was started here");
		return;
	}
	j->asked = clock_now();
	j->waiting = c;
	c->gone = client_gone;
	c->aux = d;
	explain_run(d);
}

void explain_cmd_stop(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	explain_end(aux);
	unixctl_reply(c, "");
}

uint64_t explain_timer(struct vxd *d, uint64_t now)
{
	uint64_t next = reap_ended(d, now);
	struct explain_job *j = d->explain;

	if (!j)
		return next;
	underlay_run(j, now);
	if (j->underlay)
		next = MIN(next, underlay_watch_timer(j->underlay));
	if (j->waiting)
		return next;
	if (now >= j->asked + LEASE) {
		explain_end(d);
		return next;
	}
	return MIN(next, j->asked + LEASE);
}
