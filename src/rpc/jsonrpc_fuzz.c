/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes to a JSON-RPC connection, in pieces of as many bytes as the first one says.
 * The messages have to be the same as when all comes at once. */
#include "base/fuzz.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/jsonrpc.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Each message is sent back as it is, so that writing is tried, too. */
static void take(struct jsonrpc *c, json_t *all, int *end)
{
	struct jsonrpc_msg m;

	while ((*end = jsonrpc_recv(c, &m)) == 1) {
		if ((m.kind == JSONRPC_REQUEST || m.kind == JSONRPC_NOTIFY) &&
		    (!m.method || !json_is_array(m.params)))
			abort();
		if ((m.kind != JSONRPC_NOTIFY) != !!m.id || (m.kind == JSONRPC_ERROR) != !!m.error)
			abort();
		json_array_append(all, m.json);
		jsonrpc_send(c, json_incref(m.json));
		jsonrpc_msg_done(&m);
	}
	if (jsonrpc_has_input(c) && !*end)
		abort();
}

static json_t *run(const uint8_t *data, size_t size, size_t piece, int *end)
{
	json_t *all = json_array();
	struct jsonrpc *c;
	int sv[2];

	*end = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) < 0)
		abort();
	c = jsonrpc_new(sv[0]);
	for (size_t at = 0; at < size && !*end; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (send(sv[1], data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
			abort();
		take(c, all, end);
	}
	if (!!*end != !!jsonrpc_why(c)[0])
		abort();
	jsonrpc_free(c);
	close(sv[1]);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *pieces, *whole;
	int end_a, end_b;

	if (size < 2 || size > 60000) /* more than the socket takes at once */
		return 0;
	pieces = run(data + 1, size - 1, data[0] % 64u + 1, &end_a);
	whole = run(data + 1, size - 1, size, &end_b);
	if (!json_equal(pieces, whole) || end_a != end_b)
		abort();
	json_decref(pieces);
	json_decref(whole);
	return 0;
}

void fuzz_end(void)
{
}
