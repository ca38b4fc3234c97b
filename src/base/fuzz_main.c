/* SPDX-License-Identifier: Apache-2.0 */
/* main() of a fuzz target without libFuzzer: NAME RUNS CORPUS...  base/fuzz.h has the rest. */
#include "base/fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEEDS_MAX = 2048, INPUT_MAX = 8192 };

struct seed {
	uint8_t *b;
	size_t n;
};

static struct seed seeds[SEEDS_MAX];
static uint32_t n_seeds;
static uint64_t rnd = 0x5eed;
/* The input at work, for who looks at a crash. */
static uint8_t now[INPUT_MAX];
static size_t now_len;

void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

static uint64_t next(void)
{
	uint64_t z = rnd += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void keep_input(void)
{
	FILE *f = fopen("crash-input", "wb");

	if (!f)
		return;
	fwrite(now, 1, now_len, f);
	fclose(f);
	fprintf(stderr, "the input is in ./crash-input (%zu bytes)\n", now_len);
}

static void on_abort(int sig)
{
	keep_input();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run(const uint8_t *b, size_t n)
{
	uint8_t *exact = malloc(n + !n); /* so that a read beyond the end is seen */

	memcpy(now, b, n);
	now_len = n;
	memcpy(exact, b, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct seed *s = &seeds[n_seeds];

	if (!f || n_seeds == SEEDS_MAX)
		return;
	s->b = malloc(INPUT_MAX);
	s->n = fread(s->b, 1, INPUT_MAX, f);
	n_seeds++;
	fclose(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_dir(const char *dir)
{
	char *names[SEEDS_MAX], path[4096];
	struct dirent *e;
	DIR *d = opendir(dir);
	size_t n = 0;

	if (!d)
		return;
	while ((e = readdir(d)) && n < SEEDS_MAX)
		if (e->d_name[0] != '.')
			names[n++] = strdup(e->d_name);
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name); /* the same order everywhere */
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		load(path);
		free(names[i]);
	}
}

/* One small change of b; its new length. */
static size_t mutate(uint8_t *b, size_t n)
{
	static const uint8_t edges[] = {0, 1, 2, 4, 5, 6, 7, 8, 13, 14, 19, 20, 39, 40, 63, 64, 127, 128,
					0xf0, 0xfe, 0xff};
	uint64_t r = next();
	size_t at = n ? (r >> 32) % n : 0, k = 1 + (r >> 8) % 8;

	switch (r % 8) {
	case 0:
	case 1:
	case 2:
		if (n)
			b[at] ^= (uint8_t)(1u << (r >> 16) % 8);
		break;
	case 3:
		if (n)
			b[at] = edges[(r >> 16) % sizeof(edges)];
		break;
	case 4:
		if (n)
			b[at] = (uint8_t)(r >> 16);
		break;
	case 5: /* shorter */
		if (r & 0x10000)
			return at;
		k = k < n - at ? k : n - at;
		memmove(b + at, b + at + k, n - at - k);
		return n - k;
	case 6: /* longer */
		if (n + k > INPUT_MAX)
			break;
		memmove(b + at + k, b + at, n - at);
		memset(b + at, (int)(r >> 16), k);
		return n + k;
	case 7: { /* a piece of another */
		const struct seed *s = &seeds[next() % n_seeds];
		size_t from = s->n ? next() % s->n : 0, len = s->n - from;

		len = len < INPUT_MAX - at ? len : INPUT_MAX - at;
		if (len)
			memcpy(b + at, s->b + from, len);
		return at + len > n ? at + len : n;
	}
	}
	return n;
}

int main(int argc, char **argv)
{
	static uint8_t b[INPUT_MAX];
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;

	for (int i = 2; i < argc; i++) {
		load_dir(argv[i]);
		load(argv[i]);
	}
	if (!n_seeds) {
		fprintf(stderr, "use: %s RUNS CORPUS...\n", argv[0]);
		return 2;
	}
	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	LLVMFuzzerInitialize(&argc, &argv);
	for (uint32_t i = 0; i < n_seeds; i++)
		run(seeds[i].b, seeds[i].n);
	for (unsigned long i = 0; i < runs; i++) {
		const struct seed *s = &seeds[next() % n_seeds];
		size_t n = s->n, changes = 1 + next() % 6;

		memcpy(b, s->b, n);
		while (changes--)
			n = mutate(b, n);
		run(b, n);
	}
	now_len = 0;
	fuzz_end();
	for (uint32_t i = 0; i < n_seeds; i++)
		free(seeds[i].b);
	printf("%u seeds, %lu mutations\n", n_seeds, runs);
	return 0;
}
