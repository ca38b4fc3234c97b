#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what packages.txt lists and this machine lacks; without root it names it and fails.
# Silent when nothing is missing.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; see packages.txt for what vx needs" >&2
	exit 0
fi

wanted=$(sed -n 's/^\([a-z0-9][^ 	]*\).*/\1/p' "$top/packages.txt")
# shellcheck disable=SC2086 # a list of words
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
       sed -n 's/^installed //p') || true
missing=
for p in $wanted; do
	printf '%s\n' "$have" | grep -qxF "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "deps: missing:$missing" >&2
	echo "deps: install them with: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
install() { apt-get install -y --no-install-recommends $missing; }

echo "deps: installing$missing"
ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get update
install || { apt-get update && install; }

# The tests start an ovsdb-server of their own.  Those daemons that came with the package just now are
# not wanted; where it was installed before, they are the host's.
case "$missing " in
*" openvswitch-switch "*) invoke-rc.d openvswitch-switch stop || true ;;
esac
