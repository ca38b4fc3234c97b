/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnels as ovs-appctl prints them (ovs.md 3.4).  Within ovs/. */
#ifndef VX_OVS_TUNNEL_TEXT_H
#define VX_OVS_TUNNEL_TEXT_H

#include "base/text.h"
#include "ofproto/ofproto.h"

/* "key=100, remote_ip=10.1.1.2": what is not the default, in order of name (dpif/show). */
void tunnel_text_config(struct text *t, const struct tunnel_cfg *c);
/* A line of ofproto/list-tunnels. */
void tunnel_text_line(struct text *t, const struct ofproto_port_view *v);

#endif
