#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks src/ against the table of doc/layers.md: includes go down, never up or sideways.  With
# LIBVX naming libvx.a it also checks that the library calls no system and owns no writable data.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
failures=0

fail() { echo "FAIL: $*"; failures=$((failures + 1)); }

declare -A layer
while IFS='|' read -r _ n dir _; do
	dir=${dir//[\` ]/}
	layer[${dir#src/}]=${n// /}
done < <(grep -E '^\| [0-9][a-z]? \| `src/' doc/layers.md)
[ ${#layer[@]} -ge 10 ] || fail "no table in doc/layers.md"

for d in src/*/; do
	d=${d#src/} d=${d%/}
	[ -n "${layer[$d]:-}" ] || fail "src/$d is not in the table of doc/layers.md"
done

n=0
while IFS=: read -r file line text; do
	from=${file#src/} from=${from%%/*}
	to=${text#*\"} to=${to%%\"*}
	n=$((n + 1))
	case $to in
	*/*) to=${to%%/*} ;;
	*)	# a header beside the file, or the public one
		[ -e "${file%/*}/$to" ] || [ -e "include/$to" ] || fail "$file:$line: $to is not there"
		continue ;;
	esac
	[ "$to" = "$from" ] && continue
	if [ -z "${layer[$to]:-}" ]; then
		fail "$file:$line: includes $to/, which is not in the table"
	elif [[ ${layer[$to]} > ${layer[$from]:-0} ]]; then
		fail "$file:$line: $from/ (layer ${layer[$from]}) includes $to/ above it (layer ${layer[$to]})"
	elif [ "${layer[$to]}" = "${layer[$from]}" ]; then
		fail "$file:$line: $from/ includes $to/ beside it (layer ${layer[$to]})"
	fi
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' -r src --include='*.[ch]')
[ "$n" -gt 100 ] || fail "only $n includes found"

# What asks or changes the system, the clock or the environment; memory, strings and mutexes do not.
calls='accept4?|bind|clock_gettime|close|connect|epoll_.*|eventfd|execv.*|fopen(64)?|fork|getenv'
calls="$calls|getpid|getrandom|gettimeofday|ioctl|listen|mmap|open(at)?(64)?|p?poll|printf|puts|rand"
calls="$calls|random|p?read(64)?|readv|recv.*|select|send.*|setsockopt|sleep|socket|stat|syscall"
calls="$calls|time|usleep|nanosleep|p?write(64)?|writev|pthread_create"
if [ -n "${LIBVX:-}" ]; then
	bad=$(nm -A -u "$LIBVX" 2>/dev/null | sed -E 's/^[^:]*:([^:]*):.* U /\1 /' |
	      grep -E " ($calls)(@.*)?\$" | sort -u)
	[ -z "$bad" ] || fail "libvx makes system calls: $(tr '\n' ';' <<<"$bad")"
	# In sections that stay writable after relocation; thread-local ones are not among them.
	bad=$(objdump -t "$LIBVX" 2>/dev/null |
	      awk '/file format/ { f = $1 }
		   $0 ~ /[ \t]O? *\.(data|bss)(\.[^ \t]*)?\t/ && $0 !~ /\.data\.rel\.ro/ {
			if ($NF !~ /^\./) print f, $NF }' | sort -u)
	[ -z "$bad" ] || fail "libvx has writable global data: $(tr '\n' ';' <<<"$bad")"
fi

[ $failures = 0 ] || { echo "$failures failures"; exit 1; }
echo "ok: $n includes"
