/* SPDX-License-Identifier: Apache-2.0 */
/* Writes doc/drops.md from pkt/drop_list.h: "meson compile drops" puts it there. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "pkt/drop.h"

static const char head[] =
	"<!-- Made by doc/drops_gen.c from src/pkt/drop_list.h: `meson compile -C build drops`. -->\n"
	"# Drop reasons\n"
	"\n"
	"Every packet that vx drops has one of these reasons. `vx drops` counts them, `vx explain` shows "
	"for one packet the\n"
	"stage, what decided, the counters that moved, and the advice with its words filled in. `vx "
	"explain drop REASON` waits\n"
	"for the next packet with that reason.\n"
	"\n"
	"* **kernel**: the SKB_DROP_REASON that Linux 6.18 gives; - where it has none.\n"
	"* **counters**: what else moves. In small letters: of the device, as in `ip -s -s link`. With "
	"capitals: of vx's own\n"
	"  stack (`vx nstat`), with a 6 over IPv6; for a reason that begins with host_ of the host "
	"(`nstat`).\n"
	"* **advice**: a command in `such type` can be run as `vx explain` prints it. Words in capitals "
	"are filled in there; where\n"
	"  something is nearer (a device with this VNI that is down, on another port or of the other IP "
	"version), `vx explain`\n"
	"  says that instead. What only the other side can change is said as such, with the setting.\n"
	"\n"
	"Reasons that begin with host_ are not drops of vx: the host's own stack kept a datagram from "
	"the VXLAN socket. `vx\n"
	"explain` sees them with CAP_NET_RAW, for VXLAN devices on the host's sockets; its first line says "
	"if it can.\n";

/* "rx_errors|tx_errors (UdpInErrors)" */
static void print_counters(const char *s)
{
	const char *bar = strchr(s, '|'), *paren = strchr(s, '(');

	if (bar)
		printf("%.*s (IPv4), %s (IPv6)", (int)(bar - s), s, bar + 1);
	else if (paren)
		printf("%.*s%s%.*s", (int)(paren - s), s, paren > s ? ", " : "",
		       (int)strcspn(paren + 1, ")"), paren + 1);
	else
		printf("%s", *s ? s : "-");
}

/* {dev} becomes DEV. */
static void print_advice(const char *s)
{
	for (bool inside = false; *s; s++) {
		if (*s == '{' || *s == '}')
			inside = *s == '{';
		else
			putchar(inside ? toupper((unsigned char)*s) : *s);
	}
}

int main(void)
{
	fputs(head, stdout);
	for (int i = 1; i < DROP_COUNT; i++) {
		const struct drop_info *d = &drop_infos[i];

		printf("\n## %s\n\n%c%s.\n\n* kernel: %s\n* counters: ", d->name,
		       toupper((unsigned char)d->text[0]), d->text + 1, *d->kernel ? d->kernel : "-");
		print_counters(d->counters);
		printf("\n");
		if (*d->advice) {
			printf("* advice: ");
			print_advice(d->advice);
			printf("\n");
		}
	}
	return 0;
}
