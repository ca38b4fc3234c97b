#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""doc/rows.md against the code: every row of the specification has a test, every drop reason is seen
by one.  A test is a function that its program runs; its row's name, or DROP_reason, stands in it, in
the comment above it, or in what it uses (tables, helpers) of its file.  Of a test in test/ that is no
C the file has to say the name."""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# The rows that there have to be: "A1-3" is A1, A2, A3.
ROWS = """N1-3 R1-7 B1-3 I1-12 I-v6 D1-3 L1-6 F1-7 U1-10 X1-6 C1-6 O1-3 W1-9
2.1-1 2.1-2 2.1-3 2.1-4 2.1-5 2.1-7 2.1-10 2.1-11 2.1-12 2.1-13 2.1-14 2.1-15 2.1-16 2.1-17
3.1-5 3.1-7 3.1-8 3.5-1 3.5-2 3.5-5 3.5-6 3.5-7
3.5-family 3.5-port 3.5-vni 3.5-oif 3.5-source 3.5-ttl 3.5-ttl0 3.5-tos 3.5-ecn 3.5-label 3.5-df 3.5-csum
3.6-range 3.6-hash 3.7-plain 3.7-gbp 3.7-inner
3.8-id 3.8-gso 3.8-fragment 3.8-csum0 3.8-counters 3.8-bare 3.8-error4 3.8-error6 3.8-neighbour
3.8-recursion 3.8-mark 3.9-1 3.9-2 3.9-3
9.1 9.2 9.3 9.4
S1-58 S60-67 S69-74 S84-87 S90""".split()

failures = []


def expected():
    for r in ROWS:
        m = re.fullmatch(r'([A-Z])(\d+)-(\d+)', r)
        yield from [r] if not m else (m[1] + str(n) for n in range(int(m[2]), int(m[3]) + 1))


def has(text, word):
    return re.search(r'(?<![\w.-])%s(?![\w-])' % re.escape(word), text) is not None


class Source:
    """A C file in its top-level pieces: functions, tables, with the comments above them."""

    def __init__(self, path):
        self.pieces, self.text = {}, path.read_text()
        name = ''
        for part in re.split(r'(?<=^\})\n|(?<=^\};)\n|\n(?=\n)', self.text, flags=re.M):
            names = re.findall(r'^(?:static|int|void|enum|struct|#define)\b[^;{(=]*?(\w+)'
                               r'(?:\[[^]]*\])*\s*(?:\(|=|\{)', part, flags=re.M)
            name = names[-1] if names else name
            self.pieces[name] = self.pieces.get(name, '') + part + '\n'

    def runs(self, name):
        return re.search(r'\bstatic void %s\(void \*\*state\)' % name, self.text) and \
            re.search(r'\b\w+\(%s\)' % name, self.text[self.text.index('int main('):])

    def uses(self, name, seen=None):
        """The text of a function and of what it uses, and so on."""
        seen = set() if seen is None else seen
        if name in seen or name not in self.pieces:
            return ''
        seen.add(name)
        text = self.pieces[name]
        return text + ''.join(self.uses(w, seen) for w in set(re.findall(r'\w+', text)))


sources = {}


def test_says(ref, row, word):
    """Complains unless the test 'net/ip4: function' or 'test/peer/rx.py: function' says this word."""
    where, _, name = (x.strip() for x in ref.partition(':'))
    path = TOP / (where if where.startswith('test/') else f'src/{where}_test.c')
    if not path.is_file():
        failures.append(f'{row}: there is no {path.relative_to(TOP)}')
        return
    if path.suffix != '.c':
        text = path.read_text()
        if name and not re.search(r'^(?:def )?%s\(' % name, text, flags=re.M):
            failures.append(f'{row}: {where} has no {name}()')
        if not has(text, word.removeprefix('DROP_')):
            failures.append(f'{row}: {where} does not say {word.removeprefix("DROP_")}')
        return
    s = sources.setdefault(path, Source(path))
    if not s.runs(name):
        failures.append(f'{row}: {path.relative_to(TOP)} runs no {name}()')
    elif not has(s.uses(name), word):
        failures.append(f'{row}: {name}() in {path.relative_to(TOP)} does not say {word}')


def main():
    table = {}
    for line in (TOP / 'doc/rows.md').read_text().splitlines():
        m = re.fullmatch(r'\| `?([\w.-]+)`? \| (?:.* \| )?`(.*)` \|', line)
        if m:
            if m[1] in table:
                failures.append(f'{m[1]} is there twice')
            table[m[1]] = m[2].split(', ')
    drops = re.findall(r'^DROP\((\w+)', (TOP / 'src/pkt/drop_list.h').read_text(), flags=re.M)
    rows = list(expected())
    failures.extend(f'doc/rows.md lacks {r}' for r in rows + drops if r not in table)
    failures.extend(f'doc/rows.md has {r}: no such row or reason' for r in table
                    if r not in rows + drops)
    for row, refs in table.items():
        for ref in refs:
            test_says(ref, row, 'DROP_' + row if row in drops else row)
    for f in failures:
        print('FAIL:', f)
    if failures or len(rows) < 100:
        sys.exit(1)
    print(f'ok: {len(rows)} rows, {len(drops)} drop reasons')


main()
