#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# TCP through a tunnel whose one end is vxd or Linux's own driver, the other end always Linux's: Mbit/s,
# median of ROUNDS rounds of TIME seconds, the two in turn so that noise meets both.  The first column is
# the direction: "out" is sent by the end under test, "in" received by it.
set -u
: "${VX:?}" "${VXD:?}" "${ROUNDS:=3}" "${TIME:=2}"
VX=$(readlink -f "$VX") VXD=$(readlink -f "$VXD")

skip() { echo "skip: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
command -v iperf3 >/dev/null || skip "needs iperf3"
if [ "${1:-}" != --inside ]; then
	export VX VXD ROUNDS TIME
	exec unshare --mount "$0" --inside
fi
mount -t tmpfs tmpfs /run || skip "cannot mount a private /run"

a=vxbench-a b=vxbench-b tmp=$(mktemp -d) pids=()
cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	ip netns del $a
	ip netns del $b
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

ip netns add $a && ip netns add $b || exit 1
ip -n $a link add eth0 type veth peer name eth0 netns $b || exit 1
for ns in $a $b; do
	ip -n $ns link set lo up
	ip -n $ns link set eth0 up
done
ip -n $a addr add 10.0.0.1/24 dev eth0
ip -n $b addr add 10.0.0.2/24 dev eth0
ip netns exec $a "$VXD" --no-state --rundir "$tmp/run" &
pids+=($!)
for _ in $(seq 100); do
	[ -S "$tmp/run/vxd.ctl" ] && break
	sleep 0.05
done

# Network 192.168.1.0 is the kernel's at both ends, on a port of its own; 192.168.2.0 is vxd's in a.
words() { echo "type vxlan id $1 remote $2 dstport $((4788 + $1)) dev eth0"; }
# shellcheck disable=SC2046
{
	ip -n $a link add kernel1 $(words 1 10.0.0.2) || skip "kernel without vxlan"
	"$VX" --rundir "$tmp/run" link add vx2 up $(words 2 10.0.0.2) || exit 1
	ip -n $b link add kernel1 $(words 1 10.0.0.1) && ip -n $b link add kernel2 $(words 2 10.0.0.1)
} || exit 1
i=0
for where in "$a kernel1 1" "$a vx2 2" "$b kernel1 1" "$b kernel2 2"; do
	read -r ns dev net <<<"$where"
	i=$((i + 1))
	ip -n $ns link set "$dev" up
	ip -n $ns addr add 192.168.$net.$i/24 dev "$dev"
done
ip netns exec $b iperf3 -s >/dev/null 2>&1 &
pids+=($!)
sleep 0.5

once() {	# SERVER STREAMS [-R]: Mbit/s
	timeout $((TIME + 20)) ip netns exec $a iperf3 -c "$1" -t "$TIME" -P "$2" ${3:-} -J 2>/dev/null |
		python3 -c 'import json, sys
print(round(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6))' 2>/dev/null ||
		echo 0
}
median() { sort -n | sed -n "$(((ROUNDS + 1) / 2))p"; }

printf '%-4s %8s %14s %14s %6s\n' "" streams "kernel Mbit/s" "vx Mbit/s" ratio
for streams in 1 4; do
	for direction in out in; do
		flag=
		[ $direction = in ] && flag=-R
		rm -f "$tmp/kernel" "$tmp/vx"
		for _ in $(seq "$ROUNDS"); do
			once 192.168.1.3 $streams $flag >>"$tmp/kernel"
			once 192.168.2.4 $streams $flag >>"$tmp/vx"
		done
		k=$(median <"$tmp/kernel") v=$(median <"$tmp/vx")
		[ "$v" -gt 0 ] && [ "$k" -gt 0 ] || { echo "iperf3 failed"; exit 1; }
		printf '%-4s %8d %14d %14d %6s\n' $direction $streams "$k" "$v" \
			"$(awk "BEGIN { printf \"%.2f\", $v / $k }")"
	done
done
"$VX" --rundir "$tmp/run" stop
