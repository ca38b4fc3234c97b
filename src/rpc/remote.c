/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

static const char *parse_unix(struct remote *r, const char *path, const char *rundir)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&r->sa;
	int n;

	if (!*path)
		return "no path";
	sun->sun_family = AF_UNIX;
	if (*path == '/' || !rundir)
		n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", path);
	else
		n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%s", rundir, path);
	r->sa_len = sizeof(*sun);
	return n < 0 || (size_t)n >= sizeof(sun->sun_path) ? "the path is too long" : NULL;
}

/* Cuts 's', ADDRESS[:PORT] with IPv6 in brackets, in two; NULL if it has not that form. */
static char *cut_port(char *s, const char **port)
{
	char *end;

	*port = NULL;
	if (*s == '[') {
		end = strchr(++s, ']');
		if (!end || (end[1] && end[1] != ':'))
			return NULL;
		*port = end[1] ? end + 2 : NULL;
		*end = 0;
		return s;
	}
	end = strchr(s, ':');
	if (end) {
		*end = 0;
		*port = end + 1;
	}
	return s;
}

static const char *parse_tcp(struct remote *r, const char *where)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&r->sa;
	struct sockaddr_in *sin = (struct sockaddr_in *)&r->sa;
	unsigned long long port = REMOTE_PORT;
	const char *port_text;
	char buf[100], *addr;

	if (snprintf(buf, sizeof(buf), "%s", where) >= (int)sizeof(buf))
		return "the address is too long";
	addr = cut_port(buf, &port_text);
	if (!addr)
		return "the form is tcp:ADDRESS[:PORT], IPv6 in brackets";
	if (port_text && (text_to_u64(port_text, 65535, &port) || !port))
		return "the port is not a number from 1 to 65535";
	r->probes = true;
	if (inet_pton(AF_INET, addr, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)port);
		r->sa_len = sizeof(*sin);
		return NULL;
	}
	if (inet_pton(AF_INET6, addr, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons((uint16_t)port);
		r->sa_len = sizeof(*sin6);
		return NULL;
	}
	return "the address is not one of IPv4 or IPv6 (names are not looked up)";
}

static const char *parse_one(struct remote *r, const char *rundir)
{
	if (!strncmp(r->name, "unix:", 5))
		return parse_unix(r, r->name + 5, rundir);
	if (!strncmp(r->name, "tcp:", 4))
		return parse_tcp(r, r->name + 4);
	if (!strncmp(r->name, "ssl:", 4))
		return "ssl is not built: use unix: or tcp:";
	return "unix:PATH or tcp:ADDRESS[:PORT] is accepted";
}

int remotes_parse(struct remotes *rs, const char *text, const char *rundir, char *why,
		  size_t why_size)
{
	const char *bad;

	*rs = (struct remotes){0};
	for (;;) {
		size_t len = strcspn(text, ",");
		struct remote *r = &rs->r[rs->n];

		if (rs->n == REMOTES_MAX) {
			snprintf(why, why_size, "more than %d remotes", REMOTES_MAX);
			break;
		}
		r->name = strndup(text, len);
		if (!r->name) {
			remotes_done(rs);
			return -ENOMEM;
		}
		rs->n++;
		bad = parse_one(r, rundir);
		if (bad) {
			snprintf(why, why_size, "remote \"%s\": %s", r->name, bad);
			break;
		}
		if (!text[len])
			return 0;
		text += len + 1;
	}
	remotes_done(rs);
	return -EINVAL;
}

void remotes_done(struct remotes *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		free(rs->r[i].name);
	rs->n = 0;
}

int remote_connect(const struct remote *r)
{
	int fd = socket(r->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&r->sa, r->sa_len) == 0 || errno == EINPROGRESS)
		return fd;
	/* A Unix socket whose listener's queue is full gives EAGAIN: a failure like any other. */
	err = -errno;
	close(fd);
	return err;
}

int remote_connected(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return -err;
}
