/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target, src/DIR/NAME_fuzz.c, has the functions below.  It is built twice: by clang with
 * libFuzzer (meson -Dfuzz=true), and with base/fuzz_main.c as a test that runs the corpus and then
 * a bounded number of mutations of it, the same ones each time.
 */
#ifndef VX_BASE_FUZZ_H
#define VX_BASE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* After the last input: all that has to be true then, such as every buffer in its pool.  libFuzzer
 * does not call it, so LLVMFuzzerTestOneInput() has to check now and then what it can. */
void fuzz_end(void);

/* Reading an input from its front; what is beyond the end is 0. */
struct fuzz_in {
	const uint8_t *p;
	size_t n;
};

static inline uint8_t fuzz_u8(struct fuzz_in *in)
{
	return in->n ? (in->n--, *in->p++) : 0;
}

static inline uint16_t fuzz_u16(struct fuzz_in *in)
{
	uint16_t hi = fuzz_u8(in);

	return (uint16_t)(hi << 8 | fuzz_u8(in));
}

static inline uint32_t fuzz_u32(struct fuzz_in *in)
{
	uint32_t hi = fuzz_u16(in);

	return hi << 16 | fuzz_u16(in);
}

/* The next *n bytes, where they lie; fewer if fewer are left. */
static inline const uint8_t *fuzz_bytes(struct fuzz_in *in, size_t *n)
{
	const uint8_t *p = in->p;

	if (*n > in->n)
		*n = in->n;
	in->p += *n;
	in->n -= *n;
	return p;
}

#endif
