#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# doc/path.md against the code: its functions are defined in the files that it names, its stages are
# those of pkt/stage_list.h, all of them, and what it calls "not built" is not.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
failures=0

fail() { echo "FAIL: $*"; failures=$((failures + 1)); }

# Is function $1 defined in the files after it?  At the start of a line, not a declaration.
defined() {
	local fn=$1
	shift
	awk -v fn="$fn" '
		open && /;[ \t]*$/ { open = 0 }
		open && /^\{/ { found = 1; exit }
		/^[a-z]/ && $0 ~ "(^|[ *])" fn "\\(" { open = !/;[ \t]*$/ }
		END { exit !found }' "$@"
}

stages=$(grep -o 'STAGE([a-z0-9_]*)' src/pkt/stage_list.h | sed 's/STAGE(\(.*\))/\1/' | grep -vx name)
named=' ' rows=0
while IFS='|' read -r _ stage functions file _; do
	stage=${stage//[\` ]/} file=${file//[\` ]/}
	rows=$((rows + 1))
	[ "$stage" = - ] || grep -qxF "$stage" <<<"$stages" ||
		fail "doc/path.md has the stage $stage, pkt/stage_list.h has not"
	named+="$stage "
	if [ "$file" = notbuilt ]; then
		found=$(grep -lE "^[a-z].*[ *]$stage\(" -r src --include='*.c')
		[ -z "$found" ] || ! defined "$stage" $found ||
			fail "doc/path.md says that $stage is not built: $found has it"
		continue
	fi
	[ -f "$file" ] || { fail "doc/path.md names $file, which is not there"; continue; }
	for fn in ${functions//[\`,]/ }; do
		defined "$fn" "$file" || fail "doc/path.md: $fn is not a function in $file"
	done
done < <(grep -E '^\| (`|- )' doc/path.md)

[ "$rows" -gt 50 ] || fail "doc/path.md has no tables"
for s in $stages; do
	[[ $named == *" $s "* ]] || fail "doc/path.md lacks the stage $s"
done

[ $failures = 0 ] || { echo "$failures failures"; exit 1; }
echo "ok: $rows rows, $(wc -l <<<"$stages") stages"
