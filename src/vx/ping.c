/* SPDX-License-Identifier: Apache-2.0 */
/* `vx ping` and `vx udp`: tools of vx's own stack. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "vx/vx.h"
#include "wire/types.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void pause_ms(unsigned long long ms)
{
	struct timespec ts = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/* --- vx ping --------------------------------------------------------------------------------------- */

struct ping_words {
	const char *ip, *size, *ttl;
	unsigned long long count, interval; /* ms */
};

/* "-c 3" and its like.  0 or an exit code. */
static int ping_option(struct ping_words *x, char letter, const char *arg)
{
	unsigned long long n;
	char *end;
	double s;

	if (!arg)
		return cli_error("Error: \"-%c\" needs a value. Try \"vx ping help\".", letter);
	if (letter == 'i') {
		s = strtod(arg, &end);
		if (end == arg || *end || !(s >= 0.001 && s <= 3600))
			return cli_error("Error: argument \"%s\" is wrong: seconds, 0.001 to 3600",
					 arg);
		x->interval = (unsigned long long)(s * 1000);
		return 0;
	}
	if (text_to_u64(arg, letter == 't' ? 255 : 65000, &n) < 0)
		return cli_error("Error: argument \"%s\" is wrong: a number up to %s", arg,
				 letter == 't' ? "255" : "65000");
	if (letter == 'c')
		x->count = n;
	else if (letter == 's')
		x->size = arg;
	else
		x->ttl = arg;
	return 0;
}

static int parse_ping(struct ping_words *x, int argc, char **argv)
{
	struct ip_addr ip;
	int r = 0;

	*x = (struct ping_words){.size = "56", .ttl = "0", .interval = 1000};
	for (int i = 1; i < argc && !r; i++) {
		const char *w = argv[i];

		if (w[0] == '-' && w[1] && strchr("cist", w[1]) && !w[2])
			r = ping_option(x, w[1], ++i < argc ? argv[i] : NULL);
		else if (x->ip || *w == '-')
			r = cli_error("Error: \"%s\" is garbage. Try \"vx ping help\".", w);
		else
			x->ip = w;
	}
	if (r)
		return r;
	if (!x->ip)
		return cli_error("Which address? vx ping IP [-c COUNT] [-i SECONDS] [-s SIZE] [-t TTL]");
	if (ip_parse(x->ip, &ip) < 0)
		return cli_error("Error: any valid address is expected rather than \"%s\".", x->ip);
	return 0;
}

int cmd_ping(struct vx_cli *c, int argc, char **argv)
{
	unsigned long long sent = 0, received = 0;
	struct ping_words x;
	int r = parse_ping(&x, argc, argv);

	if (r)
		return r;
	signal(SIGINT, on_signal);
	printf("PING %s %s bytes of data, from vx's own stack.\n", x.ip, x.size);
	while (!interrupted && (!x.count || sent < x.count)) {
		const char *call[] = {"ping", x.ip, x.size, x.ttl};
		char *text;

		if (sent)
			pause_ms(x.interval);
		text = cli_call(c, 4, call);
		if (!text)
			return 2;
		sent++;
		received += strstr(text, " from ") != NULL;
		printf("seq=%llu %s\n", sent, text);
		fflush(stdout);
		free(text);
	}
	printf("%llu packets transmitted, %llu received, %llu%% packet loss\n", sent, received,
	       sent ? (sent - received) * 100 / sent : 0);
	return received ? 0 : 1;
}

/* --- vx udp ----------------------------------------------------------------------------------------- */

static int udp_send(struct vx_cli *c, const char *lite, const char *coverage, int argc, char **argv)
{
	char *text;

	if (argc != 3)
		return cli_error("vx udp send [lite COVERAGE] IP PORT TEXT");
	const char *call[] = {"udp/send", argv[0], argv[1], lite, coverage, argv[2]};

	text = cli_call(c, 6, call);
	free(text);
	return text ? 0 : 1;
}

struct listen_words {
	const char *port, *family;
	unsigned long long count;
};

static int parse_listen(struct listen_words *x, int argc, char **argv)
{
	*x = (struct listen_words){.family = "4"};
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "inet6")) {
			x->family = "6";
		} else if (!strcmp(argv[i], "-c")) {
			if (++i == argc || text_to_u64(argv[i], 1000000, &x->count) < 0)
				return cli_error("Error: \"-c\" needs a count, 1 to 1000000.");
		} else if (!x->port) {
			x->port = argv[i];
		} else {
			return cli_error("Error: \"%s\" is garbage. Try \"vx udp help\".", argv[i]);
		}
	}
	return x->port ? 0 : cli_error("vx udp listen [lite COVERAGE] PORT [inet6] [-c COUNT]");
}

static int udp_listen(struct vx_cli *c, const char *lite, const char *coverage, int argc,
		      char **argv)
{
	const char *next[] = {"udp/next"}, *stop[] = {"udp/stop"};
	struct listen_words x;
	char *text;
	int r = parse_listen(&x, argc, argv);

	if (r)
		return r;
	const char *call[] = {"udp/listen", x.port, lite, coverage, x.family};

	text = cli_call(c, 5, call);
	if (!text)
		return 1;
	free(text);
	for (unsigned long long n = 0; !x.count || n < x.count; n++) {
		text = cli_call(c, 1, next);
		if (!text)
			return 1;
		puts(text);
		fflush(stdout);
		free(text);
	}
	free(cli_call(c, 1, stop));
	return 0;
}

int cmd_udp(struct vx_cli *c, int argc, char **argv)
{
	const char *lite = "-", *coverage = "0";
	bool send = argc > 1 && !strcmp(argv[1], "send");
	int skip = 2;

	if (argc < 3 || (!send && strcmp(argv[1], "listen")))
		return cli_error("vx udp send [lite COVERAGE] IP PORT TEXT;  "
				 "vx udp listen [lite COVERAGE] PORT [inet6] [-c COUNT]");
	if (argc > 3 && !strcmp(argv[2], "lite")) {
		lite = argv[2];
		coverage = argv[3];
		skip = 4;
	}
	return (send ? udp_send : udp_listen)(c, lite, coverage, argc - skip, argv + skip);
}
