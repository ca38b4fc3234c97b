/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits of ICMP errors (C3): per destination and in total.  Each worker has its share. */
#include <stdlib.h>

#include "net/icmp_limit.h"

enum { HOSTS = 1024, HOST_BURST = 6, GLOBAL_PER_S = 1000, GLOBAL_BURST = 50 };

struct host_limit {
	uint64_t tag;	 /* of the destination; 0: free */
	uint64_t credit; /* ns; one error costs a second */
	uint64_t at;
};

struct icmp_limits {
	uint64_t per_s, burst; /* this worker's share */
	uint64_t credit, at;   /* in total, in ns times per_s */
	struct host_limit host[HOSTS];
};

struct icmp_limits *icmp_limits_new(struct vx *vx)
{
	struct icmp_limits *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->per_s = MAX(GLOBAL_PER_S / vx->n_workers, 1u);
	l->burst = MAX(GLOBAL_BURST / vx->n_workers, 1u);
	l->credit = l->burst * NS_PER_S;
	return l;
}

/* A new destination takes its slot, whoever had it: a stranger cannot aim, the hash is keyed. */
static struct host_limit *host_of(struct worker *w, const struct ip_addr *to)
{
	uint64_t h = hash_u64(w->vx->key, to->d[0], to->d[1]) | 1;
	struct host_limit *l = &w->inet->limits->host[(h >> 32) % HOSTS];

	if (l->tag != h)
		*l = (struct host_limit){.tag = h, .credit = HOST_BURST * NS_PER_S, .at = w->now};
	return l;
}

enum icmp_verdict icmp_allow(struct worker *w, const struct ip_addr *to)
{
	struct icmp_limits *l = w->inet->limits;
	struct host_limit *h = host_of(w, to);

	l->credit = MIN(l->credit + MIN(w->now - l->at, NS_PER_S) * l->per_s, l->burst * NS_PER_S);
	l->at = w->now;
	h->credit = MIN(h->credit + (w->now - h->at), HOST_BURST * NS_PER_S);
	h->at = w->now;
	if (l->credit < NS_PER_S)
		return ICMP_LIMIT_GLOBAL;
	if (h->credit < NS_PER_S)
		return ICMP_LIMIT_HOST;
	l->credit -= NS_PER_S;
	h->credit -= NS_PER_S;
	return ICMP_ALLOWED;
}
