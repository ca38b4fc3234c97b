/* SPDX-License-Identifier: Apache-2.0 */
/* Writes doc/options.md from the tables of the link types: "meson compile options" puts it there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/options.h"
#include "io/mem.h"
#include "io/netif.h"
#include "io/packet.h"
#include "io/pcap.h"
#include "net/attr.h"
#include "vxlan/options.h"

static const char head[] =
	"<!-- Made by doc/options_gen.c from the types' tables: `meson compile -C build options`. -->\n"
	"# Options of link types\n"
	"\n"
	"`vx link add NAME type TYPE OPTIONS` takes these words, in any order, after the type; `vx link "
	"help TYPE` prints them.\n"
	"In netlink each is the attribute of that number inside IFLA_INFO_DATA: the kernel's number, or, "
	"from 8193 (0x2001) on,\n"
	"vx's own; an address has one number for IPv4 and one for IPv6. **set**: `vx link set NAME type "
	"TYPE ...` can change it. What\n"
	"the kernel has and vx does not is listed last, and refused with a sentence.\n";

static const char *kind_name(const struct attr *a)
{
	static const char *const names[] = {
		[ATTR_U8] = "u8",      [ATTR_U16] = "u16",     [ATTR_U32] = "u32",
		[ATTR_BE16] = "be16",  [ATTR_BE32] = "be32",   [ATTR_BE64] = "be64",
		[ATTR_BOOL] = "u8",    [ATTR_FLAG] = "flag",   [ATTR_IP] = "address",
		[ATTR_DEV] = "u32",    [ATTR_RANGE] = "2 be16", [ATTR_STRING] = "string",
		[ATTR_WORDS] = "u8",
	};

	return names[a->kind];
}

static void print_word(const struct attr *a)
{
	if (a->flags & ATTR_NO_WORD) {
		printf("see `%.*s`", (int)strcspn(a->name, " "), a->name);
		return;
	}
	printf("`%s%s", a->kind == ATTR_BOOL ? "[no]" : "", a->name);
	for (const char *s = a->arg ? a->arg : ""; *s; s++)
		printf("%s%s", s == a->arg ? " " : "", *s == '|' ? "\\|" : (char[]){*s, 0});
	printf("`");
	if (a->alias)
		printf(", `%s`", a->alias);
}

static void print_default(const struct attr *a)
{
	switch (a->kind) {
	case ATTR_BOOL:
	case ATTR_FLAG:
		printf("%s", a->def ? "on" : "off");
		return;
	case ATTR_WORDS:
		printf("%s", a->words[a->def]);
		return;
	case ATTR_BE64:
		printf("0x%" PRIx64, a->def);
		return;
	case ATTR_IP:
	case ATTR_DEV:
	case ATTR_RANGE:
	case ATTR_STRING:
		printf("-");
		return;
	}
	printf("%" PRIu64, a->def);
}

static void print_option(const struct attr *a)
{
	printf("| ");
	print_word(a);
	printf(" | %u", a->nl);
	if (a->nl6)
		printf(", %u", a->nl6);
	printf(" %s | ", kind_name(a));
	print_default(a);
	printf(" | %s | %s |\n", a->flags & ATTR_CHANGE ? "yes" : "no", a->help);
}

static void print_type(const struct attr_set *s)
{
	const char *before = "\nNot built: ";

	printf("\n## %s\n\n| word | netlink | default | set | what |\n|---|---|---|---|---|\n", s->kind);
	for (uint32_t i = 0; i < s->n; i++)
		if (!(s->attrs[i].flags & ATTR_NOT_BUILT))
			print_option(&s->attrs[i]);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->attrs[i].flags & ATTR_NOT_BUILT) {
			printf("%s%s (%u)", before, s->attrs[i].name, s->attrs[i].nl);
			before = ", ";
		}
	if (*before == ',')
		printf(".\n");
}

int main(void)
{
	const struct attr_set *const sets[] = {&vxlan_attrs, &bridge_attrs, &packet_attrs,
					       &netif_attrs, &pcap_attrs,   &mem_attrs};

	fputs(head, stdout);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		print_type(sets[i]);
	return 0;
}
