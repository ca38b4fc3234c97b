/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows in OpenFlow's text form, "tcp,in_port=1,nw_src=10.0.0.1,tcp_dst=80", as ofproto/trace takes
 * and prints them: with 3.1's words for fields and for what is wrong with them.
 *
 * A key's in_port is an OpenFlow port number here, not a datapath's.
 */
#ifndef VX_OVS_FLOW_TEXT_H
#define VX_OVS_FLOW_TEXT_H

#include "base/text.h"
#include "datapath/key.h"

/* Port numbers with a meaning of their own. */
enum { OFPP_UNSET = 0xfff7, OFPP_LOCAL = 0xfffe, OFPP_NONE = 0xffff };

/* The names of a bridge's ports. */
struct flow_ports {
	bool (*find)(void *ctx, const char *name, uint16_t *no);
	const char *(*name)(void *ctx, uint16_t no); /* NULL: it has none */
	void *ctx;
};

/* One packet: what the text does not say is zero, a port that it does not say OFPP_NONE.  'ports'
 * NULL: numbers only.  0, or -EINVAL and what is wrong in 'err'. */
int flow_parse(const char *s, const struct flow_ports *ports, struct flow_key *k, struct text *err);

/* The same text as what packets are asked for: 'm' has the bits of what it names, 'k' nothing else. */
int flow_parse_match(const char *s, const struct flow_ports *ports, struct flow_key *k,
		     struct flow_key *m, struct text *err);
/* Can a packet be of the flow 'key' under 'mask', and be what k under m says? */
bool flow_overlaps(const struct flow_key *k, const struct flow_key *m, const struct flow_key *key,
		   const struct flow_key *mask);

/* All of a packet.  'ports' NULL: ports as numbers. */
void flow_put(struct text *t, const struct flow_key *k, const struct flow_ports *ports);
/* What 'm' has bits for. */
void flow_put_masked(struct text *t, const struct flow_key *k, const struct flow_key *m,
		     const struct flow_ports *ports);

/* The word of a reserved port number; NULL: it has none. */
const char *flow_port_word(uint16_t no);
bool flow_port_by_word(const char *word, uint16_t *no);

#endif
