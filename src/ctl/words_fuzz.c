/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a command line; what it parses to is done on a struct vx. */
#include "base/fuzz.h"

#include <stdlib.h>
#include <unistd.h>

#include "ctl/rtnl.h"
#include "ctl/words.h"
#include "vxlan/testing.h"

enum { ARGC_MAX = 2000 };

static struct h_host H;
static struct rtnl R;
static uint64_t runs;

static uint32_t ifindex(void *ctx, const char *name)
{
	struct dev *d = dev_by_name(H.t->vx, name);

	(void)ctx;
	return d ? d->ifindex : !strcmp(name, "eth0") ? 2 : 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	h_init(&H);
	H.forget = true;
	rtnl_init(&R, H.t->vx, NULL, -1);
	return 0;
}

static void make_devices(void)
{
	struct vx *vx = H.t->vx;

	while (vx->n_devs > 16)
		link_dellink(container_of(vx->devs.prev, struct dev, node), false);
	if (!dev_by_name(vx, "vx")) {
		struct vxlan_opts o = h_opts(100, 4789);
		struct link_cfg cfg = {.name = "vx"};

		link_newlink(vx, link_type_find(vx, "vxlan"), &cfg, &o, VXA_BIT(VXA_ID), NULL, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct words x;
	static char *argv[ARGC_MAX];
	char *line = malloc(size + 1), *save = NULL;
	struct vx_err err = {0};
	int argc = 0;

	make_devices();
	memcpy(line, data, size);
	line[size] = 0;
	for (char *w = strtok_r(line, " \n", &save); w && argc < ARGC_MAX;
	     w = strtok_r(NULL, " \n", &save))
		argv[argc++] = w;
	x.ifindex = ifindex;
	words_is_change(argc, argv);
	if (words_parse(&x, argc, argv) == 0) {
		assert_true(x.nlh->nlmsg_len >= sizeof(*x.nlh) && x.nlh->nlmsg_len <= WORDS_MSG_MAX);
		rtnl_do(&R, x.nlh, &err);
	} else {
		assert_true(*x.error && x.exit_code);
	}
	free(line);
	if (++runs % 64 == 0)
		t_advance(H.t, NS_PER_S / 10);
	return 0;
}

void fuzz_end(void)
{
	rtnl_done(&R);
	h_end(&H);
}
