/* SPDX-License-Identifier: Apache-2.0 */
/* Interface.options of type=vxlan (ovs.md 3.1, 11.4). */
#ifndef VX_OVS_VXLAN_OPTIONS_H
#define VX_OVS_VXLAN_OPTIONS_H

#include "base/text.h"
#include "ofproto/ofproto.h"
#include "ovsdb/cache.h"

/* The options of the row, map 'column', of the interface 'name'.  False: *error says which one is
 * wrong and what is accepted.  *warning gets a line for each that is not known, and stays empty
 * else. */
bool vxlan_options_parse(const char *name, const struct ovsdb_datum *options,
			 struct tunnel_cfg *out, struct text *error, struct text *warning);

#endif
