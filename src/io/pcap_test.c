/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files as a port, and pcapng with comments; read again by libpcap and by tcpdump. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "io/pcap.h"
#include "io/pcapng.h"
#include "net/napi.h"
#include "net/ptype.h"
#include "wire/eth.h"

enum { TYPE = 0x88b5 };

struct opts {
	char read[PCAP_FILE_MAX], write[PCAP_FILE_MAX];
};

static char dir[] = "/tmp/vx_pcap_XXXXXX";
static struct vx *vx;
static char warning[512];

static void warn(void *x, const char *text)
{
	snprintf(warning, sizeof(warning), "%s", text);
}

static struct pcap_ctx ctx = {.warn = warn, .epoch = 1700000000 * NS_PER_S};
static struct ptype rcv;
static uint32_t n_rcv, sum_rcv;

static void count(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		n_rcv++;
		sum_rcv += b->p[i]->data[0];
		pkt_consume(w, b->p[i]);
	}
}

static int setup(void **state)
{
	struct vx_config cfg = {.n_workers = 1, .now = NS_PER_S};

	vx = vx_new(&cfg);
	assert_int_equal(pcap_init_module(vx, &ctx), 0);
	rcv = (struct ptype){.type = TYPE, .rcv = count};
	assert_int_equal(ptype_add(vx, &rcv), 0);
	n_rcv = sum_rcv = 0;
	*warning = 0;
	return 0;
}

static int teardown(void **state)
{
	struct account a;

	vx_account(vx, &a);
	assert_int_equal(account_open(&a), 0);
	while (vx->n_devs)
		link_dellink(container_of(vx->devs.prev, struct dev, node), false);
	quiesce_idle(&vx->quiesce, 0);
	quiesce_reap(&vx->quiesce);
	assert_int_equal(vx_pool_stats(vx).pkts_out, 0);
	assert_int_equal(vx_pool_stats(vx).small_out, 0);
	ptype_del(vx, &rcv);
	vx_free(vx);
	return 0;
}

static const char *path(const char *name)
{
	static char p[2][PCAP_FILE_MAX];
	static int which;

	which = !which;
	snprintf(p[which], sizeof(p[which]), "%s/%s", dir, name);
	return p[which];
}

static int add(const char *name, const char *in, const char *out, bool up, struct dev **d,
	       struct vx_err *err)
{
	struct link_cfg c = {.has_up = true, .up = up};
	struct opts o = {"", ""};

	snprintf(c.name, sizeof(c.name), "%s", name);
	if (in)
		snprintf(o.read, sizeof(o.read), "%s", in);
	if (out)
		snprintf(o.write, sizeof(o.write), "%s", out);
	return link_newlink(vx, link_type_find(vx, "pcap"), &c, &o, 3, err, d);
}

/* A capture of n frames, frame i at second i with byte i behind its header. */
static void make_capture(const char *file, uint32_t n, uint32_t len, int link)
{
	pcap_t *dead = pcap_open_dead(link, 100000);
	pcap_dumper_t *out = pcap_dump_open(dead, file);
	uint8_t *bytes = calloc(1, len);

	for (uint32_t i = 0; i < n; i++) {
		struct pcap_pkthdr h = {.ts = {.tv_sec = i, .tv_usec = 5},
					.caplen = len, .len = len};

		if (len >= 15) {
			bytes[12] = TYPE >> 8;
			bytes[13] = TYPE & 0xff;
			bytes[14] = (uint8_t)i;
		}
		pcap_dump((uint8_t *)out, &h, bytes);
	}
	free(bytes);
	pcap_dump_close(out);
	pcap_close(dead);
}

static void reading(void **state)
{
	struct dev *d;

	make_capture(path("in.pcap"), 200, 60, DLT_EN10MB);
	assert_int_equal(add("c", path("in.pcap"), NULL, false, &d, NULL), 0);
	while (vx_turn(vx, 0, NS_PER_S))
		;
	assert_int_equal(n_rcv, 0); /* down: nothing is read */
	dev_change_flags(d, true, NULL);
	assert_true(vx_turn(vx, 0, NS_PER_S));
	assert_int_equal(n_rcv, 64);
	while (vx_turn(vx, 0, NS_PER_S))
		;
	assert_int_equal(n_rcv, 200);
	assert_int_equal(sum_rcv, 199 * 100);
	assert_string_equal(warning, "");
}

/* With an event loop: readable while there is something to read. */
static struct {
	int fd;
	struct napi *n;
} loop;

static int loop_add(void *x, int fd, struct napi *n)
{
	loop.fd = fd;
	loop.n = n;
	return 0;
}

static void loop_del(void *x, int fd, struct napi *n)
{
	loop.n = NULL;
}

static bool readable(void)
{
	struct pollfd p = {.fd = loop.fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void by_event_loop(void **state)
{
	const struct io_wake wk = {loop_add, loop_del, NULL};
	struct dev *d;

	ctx.wake = &wk;
	make_capture(path("in.pcap"), 100, 60, DLT_EN10MB);
	assert_int_equal(add("c", path("in.pcap"), NULL, false, &d, NULL), 0);
	assert_false(readable());
	dev_change_flags(d, true, NULL);
	for (int i = 0; i < 5 && readable(); i++) {
		napi_schedule(loop.n);
		while (vx_turn(vx, 0, NS_PER_S))
			;
	}
	assert_int_equal(n_rcv, 100);
	assert_false(readable());
	link_dellink(d, false);
	assert_null(loop.n);
	ctx.wake = NULL;
}

static void odd_frames(void **state)
{
	struct account a;
	struct dev *d;

	make_capture(path("short.pcap"), 3, 13, DLT_EN10MB);
	make_capture(path("long.pcap"), 2, 66000, DLT_EN10MB);
	assert_int_equal(add("s", path("short.pcap"), NULL, true, &d, NULL), 0);
	assert_int_equal(add("l", path("long.pcap"), NULL, true, &d, NULL), 0);
	while (vx_turn(vx, 0, NS_PER_S))
		;
	vx_account(vx, &a);
	assert_int_equal(a.rx, 5);
	assert_int_equal(a.dropped[DROP_pkt_too_small], 3);
	assert_int_equal(a.dropped[DROP_rx_too_big], 2);
}

static void cut_file(void **state)
{
	struct dev *d;

	make_capture(path("cut.pcap"), 10, 60, DLT_EN10MB);
	assert_int_equal(truncate(path("cut.pcap"), 24 + 9 * 76 + 30), 0);
	assert_int_equal(add("c", path("cut.pcap"), NULL, true, &d, NULL), 0);
	while (vx_turn(vx, 0, NS_PER_S))
		;
	assert_int_equal(n_rcv, 9);
	assert_non_null(strstr(warning, "c: cannot read all of "));
	assert_non_null(strstr(warning, "cut.pcap: truncated dump file"));
}

static void refused(void **state)
{
	struct vx_err err = {0};
	struct dev *d;

	assert_int_equal(add("c", path("nothing.pcap"), NULL, true, &d, &err), -ENOENT);
	assert_non_null(strstr(err.text, "nothing.pcap"));
	make_capture(path("raw.pcap"), 1, 60, DLT_RAW);
	assert_int_equal(add("c", path("raw.pcap"), NULL, true, &d, &err), -EINVAL);
	assert_int_equal(add("c", NULL, "/nonexistent/out.pcap", true, &d, &err), -EACCES);
	assert_int_equal(vx->n_devs, 0);
	assert_int_equal(add("c", NULL, NULL, true, &d, &err), 0); /* good for nothing */
}

static void writing(void **state)
{
	struct worker *w = vx->workers[0];
	char text[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const uint8_t *bytes;
	struct dev *d;
	struct pkt *p, *f;
	struct batch b = {.n = 1};
	pcap_t *in;

	assert_int_equal(add("c", NULL, path("out.pcap"), true, &d, NULL), 0);
	vx_turn(vx, 0, 7 * NS_PER_S + 123456789);
	p = b.p[0] = pkt_make(w, 60);
	memset(pkt_append(p, 60), 3, 60);
	f = pkt_new(w->pool, 40);
	memset(pkt_append(f, 40), 4, 40);
	pkt_add_frag(p, f);
	dev_queue_xmit(w, d, &b);
	vx_turn(vx, 0, 8 * NS_PER_S); /* reaches the file at the end of the turn */
	in = pcap_open_offline_with_tstamp_precision(path("out.pcap"), PCAP_TSTAMP_PRECISION_NANO,
						     text);
	assert_non_null(in);
	assert_int_equal(pcap_next_ex(in, &h, &bytes), 1);
	assert_int_equal(h->caplen, 100);
	assert_int_equal(h->ts.tv_sec, 1700000007);
	assert_int_equal(h->ts.tv_usec, 123456789);
	assert_int_equal(bytes[59], 3);
	assert_int_equal(bytes[60], 4);
	assert_int_equal(pcap_next_ex(in, &h, &bytes), PCAP_ERROR_BREAK);
	pcap_close(in);
	link_dellink(d, false);
	/* Without a file to write. */
	assert_int_equal(add("c", NULL, NULL, true, &d, NULL), 0);
	b.p[0] = pkt_make(w, 60);
	b.n = 1;
	pkt_append(b.p[0], 60);
	dev_queue_xmit(w, d, &b);
	assert_int_equal(w->acct.dropped[DROP_tx_failed], 1);
	assert_string_equal(warning, "");
}

static void full_disk(void **state)
{
	struct worker *w = vx->workers[0];
	struct dev *d;

	assert_int_equal(add("c", NULL, "/dev/full", true, &d, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct batch b = {.n = 1, .p = {pkt_make(w, 60)}};

		pkt_append(b.p[0], 60);
		dev_queue_xmit(w, d, &b);
		vx_turn(vx, 0, NS_PER_S);
	}
	assert_string_equal(warning, "c: cannot write /dev/full: No space left on device");
	assert_int_equal(w->acct.dropped[DROP_tx_failed], 1); /* the second */
}

/* What tcpdump prints of a file. */
static char *tcpdump(const char *file)
{
	static char out[65536];
	char cmd[PCAP_FILE_MAX + 64];
	FILE *f;
	size_t n;

	snprintf(cmd, sizeof(cmd), "tcpdump -tt -q -e -n -r %s 2>&1", file);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = 0;
	assert_int_equal(pclose(f), 0);
	return out;
}

static bool file_has(const char *file, const char *what)
{
	static char bytes[200000];
	FILE *f = fopen(file, "r");
	size_t n = fread(bytes, 1, sizeof(bytes), f);

	fclose(f);
	return memmem(bytes, n, what, strlen(what)) != NULL;
}

static void pcapng(void **state)
{
	uint8_t frame[61] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	struct pcapng *f = pcapng_create(path("x.pcapng"));
	char *longest = malloc(70001), *text;

	assert_non_null(f);
	memset(longest, 'x', 70000);
	longest[70000] = 0;
	memcpy(longest + 65534, "\xc3\xa4", 2); /* a letter on the border */
	for (size_t len = 14; len <= 61; len++) /* all paddings */
		assert_int_equal(pcapng_write(f, len % 2 ? "up0" : "vxlan1",
					      1700000000 * NS_PER_S + len, frame, len, len + 5,
					      "vxlan_rcv: \xc3\xa4 no I flag\ntry this"), 0);
	assert_int_equal(pcapng_write(f, "up0", 0, frame, 60, 60, NULL), 0);
	assert_int_equal(pcapng_write(f, "up0", 0, frame, 60, 60, ""), 0);
	assert_int_equal(pcapng_write(f, "up0", 0, frame, 60, 60, longest), 0);
	assert_int_equal(pcapng_close(f), 0);
	text = tcpdump(path("x.pcapng"));
	assert_non_null(strstr(text, "1700000000.000000"));
	assert_non_null(strstr(text, "02:00:00:00:00:02 > 02:00:00:00:00:01"));
	assert_non_null(strstr(text, "length 66"));
	assert_null(strstr(text, "bogus"));
	assert_true(file_has(path("x.pcapng"), "no I flag\ntry this"));
	assert_null(pcapng_create("/nonexistent/x"));
	assert_int_equal(pcapng_close(NULL), 0);
	free(longest);
}

static void pcapng_full_disk(void **state)
{
	struct pcapng *f = pcapng_create("/dev/full");
	uint8_t frame[60] = {0};

	assert_non_null(f);
	pcapng_write(f, "a", 0, frame, 60, 60, NULL);
	assert_int_equal(pcapng_flush(f), -ENOSPC);
	assert_int_equal(pcapng_write(f, "a", 0, frame, 60, 60, NULL), -ENOSPC);
	assert_int_equal(pcapng_close(f), -ENOSPC);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reading), T(by_event_loop), T(odd_frames), T(cut_file), T(refused), T(writing), T(full_disk),
		cmocka_unit_test(pcapng), cmocka_unit_test(pcapng_full_disk),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
