/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/explain.h"

#include <stdlib.h>
#include <unistd.h>

#include "ctl/explain.h"
#include "vxd/vxd.h"

#define LEASE (10 * NS_PER_S)

static bool match(struct watch *w, const struct pkt *p, bool from_udp)
{
	struct explain_job *j = container_of(w, struct explain_job, watch);

	return filter_match(&j->filter, p, from_udp);
}

/* A worker: the last packet of a trace is gone. */
static void trace_done(void *ctx, struct trace *t)
{
	struct explain_job *j = ctx;
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

static void job_free(void *arg)
{
	struct explain_job *j = arg;
	struct trace *t;
	uint64_t missed;

	while ((t = take(j, &missed)))
		free(t);
	filter_done(&j->filter);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

void explain_end(struct vxd *d)
{
	struct explain_job *j = d->explain;

	if (!j)
		return;
	d->explain = NULL;
	watch_set(d->vx, NULL);
	if (j->waiting) {
		j->waiting->gone = NULL;
		unixctl_reply(j->waiting, "{\"traces\":[],\"missed\":0,\"done\":true}");
	}
	/* Packets in flight may still carry traces: the job outlives a grace period, and those that
	 * wait longer are given up with their packet's end. */
	quiesce_defer(&d->vx->quiesce, job_free, j);
}

static void client_gone(struct unixctl_conn *c, void *aux)
{
	struct vxd *d = aux;

	if (d->explain && d->explain->waiting == c) {
		d->explain->waiting = NULL;
		explain_end(d);
	}
}

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
	char why[400];
	enum drop only;

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
	watch_set(d->vx, &j->watch);
	unixctl_reply(c, "");
}

static void answer(struct vxd *d, struct explain_job *j)
{
	json_t *list = json_array(), *msg;
	struct unixctl_conn *c = j->waiting;
	uint64_t missed, all_missed = 0;
	struct trace *t;
	char *s;

	while (j->count > 0 && json_array_size(list) < 64 && (t = take(j, &missed))) {
		json_array_append_new(list, explain_json(d->vx, t, j->began, true));
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
	struct explain_job *j = d->explain;

	if (!j || j->waiting)
		return UINT64_MAX;
	if (now >= j->asked + LEASE) {
		explain_end(d);
		return UINT64_MAX;
	}
	return j->asked + LEASE;
}
