#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs builds, meson's suites and fuzz targets and sums up.

    run.py check              everything (make check)
    run.py fuzz --seconds N   every fuzz target for N seconds
    run.py coverage           which lines the stored corpora of the fuzz targets reach
    run.py bench              every program in test/bench

The last line is "N passed, N failed, N skipped".  A test that exits with 77 is skipped; why is in
its last line.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
SANITIZERS = {
    # A leak is an error in unit tests, an undefined operation always.
    'ASAN_OPTIONS': 'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    # A report is told at once and makes the exit code 66 in the end.
    'TSAN_OPTIONS': 'exitcode=66:second_deadlock_stack=1',
}
BUILDS = {
    # What is shipped, and what the peer tests run.
    'gcc': ('build-gcc', 'gcc', []),
    # The second compiler, with the sanitizers and, for the fuzz targets, libFuzzer's coverage.
    # b_lundef: a shared object leaves the sanitizers' functions to the program.
    'clang': ('build-clang', 'clang',
              ['-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dfuzz=true']),
    # Workers beside each other and beside control.  (gcc has no fences under this sanitizer.)
    'tsan': ('build-tsan', 'clang', ['-Db_sanitize=thread', '-Db_lundef=false']),
    'coverage': ('build-coverage', 'clang',
                 ['-Dc_args=-fprofile-instr-generate -fcoverage-mapping',
                  '-Dc_link_args=-fprofile-instr-generate']),
}
# Whose lines a packet or a request can reach, and how many of them the stored corpora have to.
COVERED = {'wire': 90, 'net': 90, 'vxlan': 90}


class Score:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.notes = []
        self.began = time.monotonic()

    def add(self, result, name, seconds=None, why='', output=''):
        took = '' if seconds is None else f' {seconds:.1f} s'
        print(f'{result:4} {name}{took}{": " + why if why else ""}', flush=True)
        if result == 'ok':
            self.passed += 1
        elif result == 'skip':
            self.skipped += 1
            self.notes.append(f'skipped: {name}: {why or "no reason given"}')
        else:
            self.failed += 1
            self.notes.append(f'FAILED: {name}')
            # Of ninja only what went wrong.
            lines = [x for x in output.strip().splitlines() if not re.match(r'\[\d+/\d+\] ', x)]
            for line in lines[-60:]:
                print('  |', line, flush=True)

    def step(self, name, argv, limit, **kw):
        """Runs a command that counts as one test; True if it passed."""
        start = time.monotonic()
        code, out = run(argv, limit, **kw)
        took = time.monotonic() - start
        if code == 77:
            self.add('skip', name, took, last_line(out))
        elif code:
            why = f'longer than {limit} s' if code == 124 else f'exit code {code}'
            self.add('FAIL', name, took, why, out)
        else:
            self.add('ok', name, took)
        return code == 0

    def end(self):
        for note in self.notes:
            print(note)
        print(f'{time.monotonic() - self.began:.0f} seconds')
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        return 1 if self.failed else 0


def last_line(text):
    lines = [x for x in text.strip().splitlines() if x.strip()]
    line = lines[-1].strip() if lines else ''
    return line[5:].strip() if line.lower().startswith('skip:') else line


def run(argv, limit, **kw):
    """(exit code, output); 124 after 'limit' seconds.  What it started goes with it."""
    proc = subprocess.Popen(argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors='replace',
                            start_new_session=True, **kw)
    try:
        out = proc.communicate(timeout=limit)[0]
        return proc.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(proc.pid, 15)
        try:
            out = proc.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            os.killpg(proc.pid, 9)
            out = proc.communicate()[0]
        return 124, out


def build(score, which, only=None):
    """Configures and builds all, or only these targets; the build directory, or None."""
    where, cc, options = BUILDS[which]
    name = f'build with {cc} -Werror' + (', ThreadSanitizer' if which == 'tsan' else '')
    if not shutil.which(cc):
        score.add('skip', f'build with {cc}', why=f'no {cc}')
        return None
    # Anew each time: scripts and fuzz targets are found by name.
    setup = ['meson', 'setup', where, '-Dwerror=true', *options]
    if (TOP / where / 'build.ninja').exists():
        setup.insert(2, '--reconfigure')
    # What meson tries out is no part of a profile.
    code, out = run(setup, 120, env={**os.environ, 'CC': cc, 'LLVM_PROFILE_FILE': os.devnull})
    if code:
        score.add('FAIL', f'configure with {cc}', why=f'exit code {code}', output=out)
        return None
    ninja = ['ninja', '-k', '0', '-C', where, *(only(where) if only else ['all', *test_targets(where)])]
    return where if score.step(name, ninja, 400) else None


def targets(where, wanted):
    """Paths in 'where' of the executables that 'wanted' takes."""
    code, out = run(['meson', 'introspect', where, '--targets'], 60)
    return [] if code else sorted({os.path.relpath(f, TOP / where) for t in json.loads(out)
                                   for f in t['filename']
                                   if t['type'] == 'executable' and wanted(t)})


def test_targets(where):
    """What tests need and a plain build does not make."""
    return targets(where, lambda t: not t['build_by_default'] and not t['name'].endswith('_fuzz'))


def suite(score, where, name, limit, env=None, under=()):
    """A suite of meson's, each test counted; 'under' is what starts meson."""
    log = TOP / where / 'meson-logs' / f'testlog-{name}.json'
    log.unlink(missing_ok=True)
    code, out = run([*under, 'meson', 'test', '-C', where, '--no-rebuild', '--suite', name,
                     '--logbase', f'testlog-{name}'], limit, env={**os.environ, **(env or {})})
    tests = [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []
    if not tests:
        none = 'No suitable tests' in out
        score.add('skip' if none else 'FAIL', f'suite {name} in {where}',
                  why='no tests' if none else f'exit code {code}', output=out)
    for t in tests:
        text = (t.get('stdout') or '') + (t.get('stderr') or '')
        label = t['name'].split(' / ')[-1]
        result = {'OK': 'ok', 'EXPECTEDFAIL': 'ok', 'SKIP': 'skip'}.get(t['result'], 'FAIL')
        why = last_line(text) if result == 'skip' else t['result'] if result == 'FAIL' else ''
        score.add(result, f'{name}: {label}', t.get('duration'), why, text)
    if tests and code == 124:
        score.add('FAIL', f'suite {name}', why=f'longer than {limit} s')


def fuzz(score, where, seconds):
    """Each target for a while, on its corpus; what it finds is left in where/crash-*."""
    found = targets(where, lambda t: t['build_by_default'] and t['name'].endswith('_fuzz'))
    if not found:
        score.add('skip', 'fuzz', why='no fuzz targets')
    for t in (TOP / where / x for x in found):
        work = TOP / where / 'corpus' / t.name
        work.mkdir(parents=True, exist_ok=True)
        seeds = TOP / 'test' / 'corpus' / t.name.removesuffix('_fuzz')
        score.step(f'fuzz: {t.name}',
                   # libFuzzer's own exit code for a crash is 77, which means "skipped" here.
                   [str(t), f'-max_total_time={seconds}', '-timeout=10', '-error_exitcode=1',
                    '-rss_limit_mb=1024', f'-artifact_prefix={where}/{t.name}-', str(work),
                    *([str(seeds)] if seeds.is_dir() else [])],
                   seconds + 60, env={**os.environ, **SANITIZERS})


def thread_targets(where):
    """vxd, vx and the tests of meson's suite "threads"."""
    code, out = run(['meson', 'introspect', where, '--tests'], 60)
    tests = [] if code else [t['cmd'][0] for t in json.loads(out)
                             if any(s.endswith(':threads') for s in t['suite'])]
    return ['src/vx', 'src/vxd', *(os.path.relpath(t, TOP / where) for t in tests)]


def threads(score):
    """Tests with threads under ThreadSanitizer, and a vxd with workers while control changes all."""
    tsan = build(score, 'tsan', thread_targets)
    if not tsan:
        return
    # This run time wants its addresses where few kernels put them by chance.
    fixed = ['setarch', '-R'] if run(['setarch', '-R', 'true'], 10)[0] == 0 else []
    suite(score, tsan, 'threads', 240, SANITIZERS, fixed)
    score.step('threads: vxd, churn', [*fixed, 'test/peer/churn_test.sh'], 120, env={
        **os.environ, **SANITIZERS, 'WORKERS': '4',
        'VX': str(TOP / tsan / 'src/vx'), 'VXD': str(TOP / tsan / 'src/vxd')})


def check(score, args):
    score.step('packages', ['dist/deps.sh'], 300)
    gcc = build(score, 'gcc')
    if gcc:
        suite(score, gcc, 'tree', 60)
        suite(score, gcc, 'bench', 300)
    clang = build(score, 'clang')
    if clang:
        suite(score, clang, 'unit', 240, SANITIZERS)
        suite(score, clang, 'fuzz', 300, SANITIZERS)
    threads(score)
    if gcc:
        suite(score, gcc, 'peer', 900)
    if clang:
        fuzz(score, clang, args.seconds or 5)


def only_fuzz(score, args):
    clang = build(score, 'clang')
    if clang:
        fuzz(score, clang, args.seconds or 60)


def llvm(tool):
    """The tool that reads what this clang writes."""
    version = re.search(r'version (\d+)', run(['clang', '--version'], 60)[1])
    return shutil.which(f'{tool}-{version.group(1)}' if version else tool) or tool


def is_product(path):
    return not re.search(r'(_test|_fuzz|testing|fuzz_main|script|script_ctl|script_memory)\.[ch]$', path)


def replay(score, where, work):
    """Each target on its stored corpus, no mutations; the programs that ran."""
    ran = []
    for t in targets(where, lambda t: t['name'].startswith('fuzz-')):
        name = t.rsplit('fuzz-')[-1]
        if score.step(f'corpus: {name}', [str(TOP / where / t), '0', f'test/corpus/{name}'], 120,
                      env={**os.environ, 'LLVM_PROFILE_FILE': f'{work}/{name}.profraw'}):
            ran.append(str(TOP / where / t))
    return ran


def line_counts(where, merged):
    """Of each source file; what ran how often is left in where/lines.txt."""
    def call(what, *more):
        # Warnings would get between: each program has a main() of its own.
        return subprocess.run([llvm('llvm-cov'), what, *more, *merged], cwd=TOP, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    (TOP / where / 'lines.txt').write_bytes(call('show'))
    files = json.loads(call('export', '-summary-only'))['data'][0]['files']
    return {os.path.relpath(f['filename'], TOP): f['summary']['lines'] for f in files}


def coverage(score, args):
    """Lines of wire/, net/ and vxlan/ that the stored corpora reach."""
    where = build(score, 'coverage')
    if not where:
        return
    work = TOP / where / 'profiles'
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    programs = replay(score, where, work)
    if not score.step('profiles', [llvm('llvm-profdata'), 'merge', '-o', f'{work}/all',
                                   *map(str, work.glob('*.profraw'))], 120):
        return
    files = line_counts(where, [f'-instr-profile={work}/all', programs[0],
                                *(f'-object={x}' for x in programs[1:])])
    for name, goal in COVERED.items():
        mine = {f: n for f, n in files.items() if f.startswith(f'src/{name}/') and is_product(f) and n['count']}
        total, hit = (sum(n[k] for n in mine.values()) for k in ('count', 'covered'))
        percent = 100 * hit / total if total else 0
        for f, n in sorted(mine.items(), key=lambda x: x[1]['percent']):
            if n['percent'] < goal:
                print(f'       {n["percent"]:5.1f} %  {n["count"] - n["covered"]:3} lines missed  {f}')
        score.add('ok' if percent >= goal else 'FAIL', f'coverage: src/{name}',
                  why=f'{percent:.1f} % of {total} lines, {goal} % wanted')
    print(f'{where}/lines.txt has every line and how often it ran')


def bench(score, args):
    programs = sorted(x for x in (TOP / 'test' / 'bench').glob('*')
                      if x.is_file() and os.access(x, os.X_OK))
    if not programs:
        score.add('skip', 'bench', why='no benchmarks in test/bench')
    for b in programs:
        print(f'--- {b.name}', flush=True)
        code = subprocess.run([str(b)], cwd=TOP, check=False).returncode
        score.add({0: 'ok', 77: 'skip'}.get(code, 'FAIL'), b.name)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('what', choices=['check', 'fuzz', 'coverage', 'bench'])
    ap.add_argument('--seconds', type=int, default=0)
    args = ap.parse_args()
    score = Score()
    {'check': check, 'fuzz': only_fuzz, 'coverage': coverage, 'bench': bench}[args.what](score, args)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
