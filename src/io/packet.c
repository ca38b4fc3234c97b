/* SPDX-License-Identifier: Apache-2.0 */
#include "io/packet.h"

static const struct attr table[] = {
	{.name = "dev", .nl = PACKET_NL_DEV, .kind = ATTR_STRING,
	 .off = offsetof(struct packet_opts, dev), .size = DEV_NAME_MAX, .arg = "NAME",
	 .refusal = "Cannot change dev", .help = "the interface of the host"},
};
const struct attr_set packet_attrs = {"packet", table, ARRAY_LEN(table),
				sizeof(struct packet_opts)};

static void packet_setup(struct dev *d)
{
	d->ops = &packet_port_dev_ops;
}

static int packet_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			  uint64_t present, struct vx_err *err)
{
	struct packet_ctx *c = container_of(d->type, struct packet_ctx, packet_type);

	(void)present;
	return packet_port_add(c, d, cfg, opts, "packet", false, err);
}

int packet_init_module(struct vx *vx, struct packet_ctx *c)
{
	c->packet_type = (struct link_type){
		.kind = "packet",
		.attrs = &packet_attrs,
		.opts_size = sizeof(struct packet_opts),
		.setup = packet_setup,
		.validate = packet_validate,
		.newlink = packet_newlink,
		.fill_info = packet_fill_info,
	};
	return link_register(vx, &c->packet_type);
}
