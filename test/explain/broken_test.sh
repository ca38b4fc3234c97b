#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Broken set-ups (rows.py): `vx explain` names stage, entry and counter, and what it advises makes the
# next packet arrive: a command, executed as printed, or a setting at the other side.
#
#   VX, VXD   the programs (paths);  JOBS  rows at a time (4);  words: only rows with these names
set -u
: "${VX:?the path of vx}" "${VXD:?the path of vxd}"
VX=$(realpath "$VX") VXD=$(realpath "$VXD")
: "${PYTHON:=/usr/bin/python3}"
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skip: $*"; exit 77; }

[ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
for tool in ip ethtool nft nstat setpriv timeout; do
	command -v $tool >/dev/null || skip "needs $tool"
done
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"

TMP=$(mktemp -d /tmp/vxexplain.XXXXXX)
NSTAG=vxe$$
export VX VXD TMP NSTAG
cleanup() {
	for ns in $(ip netns list | awk -v t="^$NSTAG-" '$1 ~ t { print $1 }'); do
		ip netns pids "$ns" | xargs -r kill 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$TMP"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
timeout 150 "$PYTHON" "$here/broken.py" "$@"
