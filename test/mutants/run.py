#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes away each increment of the accounting, one at a time: a unit test has to fail.

    run.py                 all of them (make mutants)
    run.py --list          what would be taken away
    run.py --only WORD     those whose place or text contains WORD
    run.py --peer          also those of allow.txt, each against the peer test it names (root)

Increments are found by their text, so new ones are covered: `acct.X++`, `acct.X += n`, and every
call that counts and does something else (pkt_drop, pkt_drop_at, pkt_consume, pkt_make,
pkt_make_clone), which then does only the other thing.  A private copy of the tree is built once
with all of them behind a number that the environment chooses; which tests reach which increment is
noted in a first run, and only those are run with it taken away.

allow.txt names those that no unit test can reach, why, and the peer test that does.  Survivors are
printed; any that allow.txt does not name makes the exit code 1, and so does a line of allow.txt that
matches nothing or something a unit test kills.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DIRS = ['net', 'io', 'vxlan', 'bridge', 'datapath', 'ofproto', 'api', 'vx']
INCREMENT = re.compile(r'\bacct\.\w+(?:\[[^\]]*\])?\s*(\+\+|\+=)')
CALL = re.compile(r'(?<![\w>.])(pkt_drop_at|pkt_drop|pkt_consume|pkt_make_clone|pkt_make)\(')
# A call without its count, of the call's arguments.
BARE = {
    'pkt_drop_at': lambda a: f'pkt_free({a[1]})',
    'pkt_drop': lambda a: f'pkt_free({a[1]})',
    'pkt_consume': lambda a: f'pkt_free({a[1]})',
    'pkt_make': lambda a: f'pkt_new(({a[0]})->pool, {a[1]})',
    'pkt_make_clone': lambda a: f'pkt_clone(({a[0]})->pool, {a[1]})',
}
# In the copy: VX_MUTANT is the number taken away; VX_MUTANT_LOG a directory for those reached.
HEADER = '''
extern int vx_mutant_is;
int vx_mutant_reached(int n);
#define MUTANT_KEPT(n) (vx_mutant_reached(n) && vx_mutant_is != (n))
'''
SOURCE = '''
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX = 4096 };
int vx_mutant_is = -1;
int vx_mutant_reached(int n);
static unsigned char reached[MAX];

int vx_mutant_reached(int n)
{
	reached[n] = 1;
	return 1;
}

static void log_reached(void)
{
	const char *dir = getenv("VX_MUTANT_LOG");
	char name[4096];
	FILE *f;

	if (!dir)
		return;
	snprintf(name, sizeof(name), "%s/%d", dir, (int)getpid());
	f = fopen(name, "w");
	for (int i = 0; f && i < MAX; i++)
		if (reached[i])
			fprintf(f, "%d\\n", i);
	if (f)
		fclose(f);
}

__attribute__((constructor)) static void begin(void)
{
	const char *n = getenv("VX_MUTANT");

	vx_mutant_is = n ? atoi(n) : -1;
	atexit(log_reached);
}
'''


def closing(text, at):
    """Index of the parenthesis that closes the one at 'at', and the arguments between."""
    depth, begin, args = 0, at + 1, []
    for i in range(at, len(text)):
        c = text[i]
        depth += (c in '([{') - (c in ')]}')
        if (c == ',' and depth == 1) or depth == 0:
            args.append(' '.join(text[begin:i].split()))
            begin = i + 1
        if depth == 0:
            return i, args
    raise ValueError('unbalanced')


def is_definition(text, at):
    """Of a function, or its declaration: those begin in the first column, with a type."""
    line = text[text.rfind('\n', 0, at) + 1:at]
    return re.match(r'(static |struct |void |inline )', line) is not None


def in_comment(text, at):
    return text.rfind('/*', 0, at) > text.rfind('*/', 0, at)


def mutate(path, text, first):
    """(text with all increments behind a number, [(number, line, what)])"""
    found, edits = [], []
    for m in INCREMENT.finditer(text):
        end = text.index(';', m.end())
        if in_comment(text, m.start()):
            continue
        n = first + len(found)
        if m[1] == '++':
            edits.append((m.start(1), m.end(1), f' += MUTANT_KEPT({n})'))
        else:
            edits.append((m.end(1), end, f' ({text[m.end(1):end].strip()}) * MUTANT_KEPT({n})'))
        start = text.rfind('\n', 0, m.start()) + 1
        found.append((n, text.count('\n', 0, m.start()) + 1, text[start:text.index('\n', end)].strip()))
    for m in CALL.finditer(text):
        if is_definition(text, m.start()) or in_comment(text, m.start()):
            continue
        end, args = closing(text, m.end() - 1)
        n = first + len(found)
        call = text[m.start():end + 1]
        edits.append((m.start(), end + 1, f'(MUTANT_KEPT({n}) ? {call} : {BARE[m[1]](args)})'))
        found.append((n, text.count('\n', 0, m.start()) + 1, ' '.join(call.split())))
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text, [(n, f'src/{path}', line, what) for n, line, what in found]


def sources():
    for d in DIRS:
        for f in sorted((TOP / 'src' / d).glob('*.[ch]')):
            if not re.search(r'(_test|_fuzz|testing|script|script_ctl|script_memory)\.[ch]$', f.name):
                yield f


def copy_tree(to):
    shutil.copytree(TOP, to, ignore=shutil.ignore_patterns('build*', '.git', '__pycache__'),
                    symlinks=True)
    # 'build*' above is for directories; sources that are called so come along.
    for f in TOP.glob('src/*/build*'):
        shutil.copy(f, to / f.relative_to(TOP))
    all_found = []
    for f in sources():
        text, found = mutate(f.relative_to(TOP / 'src'), f.read_text(), len(all_found))
        (to / f.relative_to(TOP)).write_text(text)
        all_found += found
    util = to / 'src/pkt/drop.h'  # what every one of them includes
    util.write_text(util.read_text() + HEADER)
    (to / 'src/base/mutant.c').write_text(SOURCE)
    meson = to / 'src/meson.build'
    text = meson.read_text()
    assert "'base/text.c'" in text
    meson.write_text(text.replace("'base/text.c'", "'base/text.c', 'base/mutant.c'", 1))
    return all_found


def header_guard(to):
    """drop.h ends with its #endif: what was added has to be read once only."""
    f = to / 'src/pkt/drop.h'
    f.write_text(f.read_text().replace(HEADER, '#ifndef VX_MUTANT\n#define VX_MUTANT\n' + HEADER +
                                       '#endif\n'))


def run(argv, limit, **kw):
    p = subprocess.run([str(x) for x in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors='replace', timeout=limit,
                       check=False, **kw)
    return p.returncode, p.stdout


def must(argv, limit, **kw):
    code, out = run(argv, limit, **kw)
    if code:
        print(out[-3000:])
        sys.exit(f'{argv[0]}: exit code {code}')
    return out


def build(tree, peer):
    where = tree / 'build'
    must(['meson', 'setup', where, '--buildtype=plain', '-Doptimization=1', '-Dwerror=false'], 120,
         cwd=tree, env={**os.environ, 'CC': 'gcc'})
    tests = [t for t in json.loads(must(['meson', 'introspect', where, '--tests'], 60))
             if 'unit' in ' '.join(t['suite'])]
    wanted = sorted({os.path.relpath(t['cmd'][0], where) for t in tests})
    must(['ninja', '-C', where, *wanted, *(['src/vx', 'src/vxd', 'src/libvx-exec.so'] if peer else [])],
         600)
    return {t['name']: t['cmd'] for t in tests}


def passes(cmd, env, cwd, tries=2):
    """Twice failed is failed: a test that measures time may do so once on a busy machine."""
    for _ in range(tries):
        try:
            code, out = run(cmd, 120, env={**os.environ, **env}, cwd=cwd)
        except subprocess.TimeoutExpired:
            code, out = 124, 'longer than 120 s'
        if code in (0, 77):
            return True, out
    return False, out


def reach(tests, tree):
    """{number: [tests that reach it]}; every test has to pass as it is."""
    by = {}
    for name, cmd in tests.items():
        log = tree / 'log' / name
        log.mkdir(parents=True)
        good, out = passes(cmd, {'VX_MUTANT_LOG': str(log)}, tree, 5)
        if not good:
            print(out[-3000:])
            sys.exit(f'{name} fails as it is')
        for f in log.iterdir():
            for n in f.read_text().split():
                by.setdefault(int(n), {}).setdefault(name)
    return {n: list(names) for n, names in by.items()}


def allowed():
    """[(place, text, peer test, reason)] of allow.txt"""
    rows = []
    f = TOP / 'test' / 'mutants' / 'allow.txt'
    for text in f.read_text().splitlines() if f.exists() else []:
        if text.strip() and not text.startswith('#'):
            rows.append(tuple(x.strip() for x in text.split('|', 3)))
    return rows


def allowance(rows, place, what):
    return next((r for r in rows if r[0] == place and r[1] in what), None)


def peer_kills(tree, n, row):
    script = tree / 'test' / (row[2] if '/' in row[2] else f'peer/{row[2]}_test.sh')
    where = tree / 'build' / 'src'
    env = {'VX_MUTANT': str(n), 'VX': str(where / 'vx'), 'VXD': str(where / 'vxd'),
           'VX_PRELOAD': str(where / 'libvx-exec.so'),
           # bench/tcp.py: trains are cut from TCP; only the accounting at the end may fail.
           'ONLY': 'tcp4', 'ROUNDS': '1', 'SECONDS': '1', 'VERDICT': '0'}
    try:
        return run([script], 300, env={**os.environ, **env}, cwd=tree)[0] not in (0, 77)
    except subprocess.TimeoutExpired:
        return True


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--list', action='store_true')
    ap.add_argument('--only', default='')
    ap.add_argument('--peer', action='store_true')
    args = ap.parse_args()
    tmp = pathlib.Path(tempfile.mkdtemp(prefix='vx-mutants-'))
    try:
        tree = tmp / 'vx'
        mutants = [m for m in copy_tree(tree) if args.only in f'{m[1]}:{m[2]} {m[3]}']
        header_guard(tree)
        if args.list:
            for _, place, line, what in mutants:
                print(f'{place}:{line}: {what}')
            return 0
        tests = build(tree, args.peer)
        print(f'{len(mutants)} increments, {len(tests)} unit tests', flush=True)
        return judge(tree, mutants, tests, args)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def judge(tree, mutants, tests, args):
    reached, rows, used, bad, survivors = reach(tests, tree), allowed(), set(), 0, []

    def killers(m):
        for name in reached.get(m[0], []):
            if not passes(tests[name], {'VX_MUTANT': str(m[0])}, tree)[0]:
                return name
        return None
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        killed = list(pool.map(killers, mutants))
    for m, by in zip(mutants, killed):
        n, place, line, what = m
        row = allowance(rows, place, what)
        used.add(row)
        if by:
            continue
        if row and (not args.peer or row[2] == '-'):
            print(f'allowed   {place}:{line}: {what} ({row[2]}: {row[3]})')
        elif row and peer_kills(tree, n, row):
            print(f'peer      {place}:{line}: {what} (by {row[2]})')
        else:
            why = 'and the peer test does not fail' if row else \
                'survives ' + ', '.join(reached[n]) if n in reached else 'no unit test reaches it'
            print(f'SURVIVES  {place}:{line}: {what}: {why}')
            survivors.append(m)
    for row in rows if not args.only else []:
        hits = [by for m, by in zip(mutants, killed) if allowance([row], m[1], m[3])]
        if row not in used or (hits and all(hits)):
            print(f'allow.txt: not needed any more: {" | ".join(row)}')
            bad += 1
    print(f'{sum(1 for k in killed if k)} of {len(mutants)} fail a unit test, {len(survivors)} survive')
    return 1 if survivors or bad else 0


if __name__ == '__main__':
    sys.exit(main())
