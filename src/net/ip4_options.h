/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 options (RFC 791, 3.1): checked on receipt; record route is filled in and echoed. */
#ifndef VX_NET_IP4_OPTIONS_H
#define VX_NET_IP4_OPTIONS_H

#include "net/inet.h"

enum { IP4_OPTS_MAX = 40 };

/* Checks the options of p, which is for this host (data at the IPv4 header, headers linear);
 * records 'self' in a record-route option.  False: p was dropped, with an answer where one is due.
 */
bool ip4_options_rcv(struct worker *w, struct pkt *p, const struct ip_addr *self);
/* The options that the answer to p (IPv4 header 'h') carries; returns their length. */
uint8_t ip4_options_echo(const struct ip_addr *self, const void *h, uint8_t out[IP4_OPTS_MAX]);

#endif
