/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes to a unixctl server, in pieces of as many bytes as the first one says. */
#include "base/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/unixctl.h"

static void echo(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)aux;
	if (argc > 1)
		unixctl_reply(c, argv[argc - 1]);
	else
		unixctl_fail(c, argv[0]);
}

static const struct unixctl_command commands[] = {{"echo", "[WORD]...", 0, 5, echo}};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unixctl_server s;
	struct unixctl_conn *c;
	size_t piece = size ? data[0] * 4u + 1 : 1;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) < 0)
		abort();
	unixctl_server_create(&s);
	if (unixctl_add(&s, commands, 1, NULL) < 0)
		abort();
	c = unixctl_conn_new(&s, sv[0]);
	for (size_t at = 1; at < size; at += piece) {
		ssize_t n = send(sv[1], data + at, size - at < piece ? size - at : piece, MSG_NOSIGNAL);

		if (n < 0 || !unixctl_server_run(c))
			break;
		if (c->id) /* every command here answers at once */
			abort();
	}
	unixctl_server_destroy(&s);
	close(sv[1]);
	return 0;
}

void fuzz_end(void)
{
}
