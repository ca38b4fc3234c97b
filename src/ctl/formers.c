/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/formers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/canon.h"

static void add_line(struct text *t, const struct former *f)
{
	text_printf(t, "by-ovsdb");
	canon_word(t, f->name, false);
	text_printf(t, " index %u%s", f->ifindex, f->has_side ? " side" : "");
	if (*f->netns) {
		text_printf(t, " netns");
		canon_word(t, f->netns, true);
	}
	if (*f->host_name) {
		text_printf(t, " netname");
		canon_word(t, f->host_name, false);
	}
	text_printf(t, "\n");
}

void formers_add_line(struct text *t, struct dev *d)
{
	struct former f;

	former_of(&f, d);
	add_line(t, &f);
}

void formers_del_line(struct text *t, const struct dev *d)
{
	text_printf(t, "by-ovsdb del");
	canon_word(t, d->name, false);
	text_printf(t, "\n");
}

void formers_canon(struct vx *vx, struct text *t)
{
	list_for_each (f, &vx->formers, struct former, node)
		add_line(t, f);
	list_for_each (d, &vx->devs, struct dev, node)
		if (d->owner == OWNER_OVSDB)
			formers_add_line(t, d);
}

/* False: it is too long. */
static bool copy(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

static bool parse(struct former *f, int argc, char *const argv[])
{
	bool good = argc >= 4 && !strcmp(argv[2], "index") && copy(f->name, sizeof(f->name), argv[1]);
	int i = 4;

	if (!good)
		return false;
	f->ifindex = (uint32_t)strtoul(argv[3], NULL, 10);
	if (i < argc && !strcmp(argv[i], "side")) {
		f->has_side = true;
		i++;
	}
	if (i + 1 < argc && !strcmp(argv[i], "netns")) {
		good &= copy(f->netns, sizeof(f->netns), argv[i + 1]);
		i += 2;
	}
	if (i + 1 < argc && !strcmp(argv[i], "netname")) {
		good &= copy(f->host_name, sizeof(f->host_name), argv[i + 1]);
		i += 2;
	}
	return good && i == argc && f->ifindex && f->ifindex <= INT32_MAX;
}

int formers_line(struct vx *vx, int argc, char *const argv[], char *why, size_t size)
{
	struct former f = {0};

	if (argc == 3 && !strcmp(argv[1], "del")) {
		former_free(former_find(vx, argv[2]));
		return 0;
	}
	if (!parse(&f, argc, argv))
		snprintf(why, size,
			 "not understood: by-ovsdb NAME index N [side] [netns NETNS] [netname NAME]");
	else if (former_add(vx, &f) < 0)
		snprintf(why, size, "out of memory");
	else
		return 0;
	return -1;
}
