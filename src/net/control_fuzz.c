/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: vx's own stack with all that control does to it, a script (net/script.h) per input.
 * Ports with addresses of both families, a tunnel's sockets and ordinary ones.
 *
 * Input: flags (1 two workers, 2 few buffers, 4 no sockets), then the script.  After each step the
 * accounting has to be right, at the end every buffer is back.
 */
#include "net/script.h"

enum { FEW = 40 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* As a script would open them: slot, flags, port. */
static void open_sockets(struct script *s)
{
	static const uint8_t steps[] = {8, 0, 32, 1, 8, 1, 33, 1, 8, 2, 0, 0, 8, 3, 1, 0};
	struct fuzz_in in = s->in;

	s->in = (struct fuzz_in){steps, sizeof(steps)};
	while (s->in.n)
		script_op(s, fuzz_u8(&s->in));
	s->in = in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script s;
	uint8_t flags = size ? *data : 0;
	struct t_net *t = t_new_pools(1 + (flags & 1), flags & 2 ? FEW : 0);

	script_init(&s, t, data + !!size, size - !!size);
	script_add_port(&s, "10.0.0.1/24", "fd00::1/64");
	script_add_port(&s, "10.9.0.1/24", "fd09::1/64");
	if (!(flags & 4))
		open_sockets(&s);
	while (s.in.n) {
		script_op(&s, fuzz_u8(&s.in));
		t_check(t);
	}
	script_end(&s);
	t_end(t);
	script_check(&s);
	return 0;
}

void fuzz_end(void)
{
}
