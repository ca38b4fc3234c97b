#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The man pages know every object of "vx help" and every option of "vxd --help".
set -u
: "${VX:?}" "${VXD:?}"
doc=$(cd "$(dirname "$0")/../doc" && pwd)
failures=0

knows() { grep -qF -e "$2" "$doc/$1" || { echo "FAIL: doc/$1 lacks $2"; failures=$((failures + 1)); }; }

objects=$("$VX" help | sed -n '/^OBJECTS/,/^OPTIONS/s/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$objects")" -gt 5 ] || { echo "FAIL: vx help lists no objects"; exit 1; }
for o in $objects; do
	knows vx.8.scd "$o"
	grep -qE "^\*vx\*? .*\b$o\b" "$doc/vx.8.scd" ||
		{ echo "FAIL: doc/vx.8.scd has no paragraph on vx $o"; failures=$((failures + 1)); }
done
for o in $("$VXD" --help | grep -oE '(^|[ ,])--?[a-zA-Z][-a-z]*' | grep -oE -e '-.*'); do
	knows vxd.8.scd "*$o*"
done
[ $failures = 0 ] || exit 1
echo ok
