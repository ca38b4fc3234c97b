#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Control changes everything while packets flow both ways: options, entries, up and down, devices made
# and deleted, routes, the host's side of the device; of vx's own stack addresses, routes, neighbours,
# rules, the MAC of its interface.  vxd stays, every packet is accounted for, no buffer is left over,
# and traffic flows afterwards as before.
. "$(dirname "$0")/lib.sh"
: "${SECONDS_OF_CHURN:=6}"
command -v iperf3 >/dev/null || skip "needs iperf3"
command -v ping >/dev/null || skip "needs ping"

netns A; netns B
wire A eth0 B eth0
ip -n ${NSTAG}A addr add 10.0.0.1/24 dev eth0
ip -n ${NSTAG}B addr add 10.0.0.2/24 dev eth0
ip -n ${NSTAG}B addr add 10.0.0.3/24 dev eth0
wire A eth1 B eth1
ip -n ${NSTAG}B addr add 10.0.1.2/24 dev eth1
start_vxd A --workers "${WORKERS-2}"

make_a() {
	vx A link add vxlan$1 type vxlan id 10$1 remote 10.0.0.2 local 10.0.0.1 dstport ${2-4789} &&
		vx A link set vxlan$1 up && ip -n ${NSTAG}A addr add 192.168.$1.1/24 dev vxlan$1 ||
		fail "make vxlan$1"
}
for i in 1 2; do
	make_a $i
	ip -n ${NSTAG}B link add vxlan$i type vxlan id 10$i remote 10.0.0.1 local 10.0.0.2 dstport 4789 ||
		skip "this kernel has no vxlan driver"
	ip -n ${NSTAG}B link set vxlan$i up
	ip -n ${NSTAG}B addr add 192.168.$i.2/24 dev vxlan$i
done

# vxlan4 by vx's own stack.
for words in "link add up0 type packet dev eth1" "link set up0 up" "addr add 10.0.1.1/24 dev up0" \
	"link add vxlan4 up type vxlan id 104 remote 10.0.1.2 local 10.0.1.1 dstport 4789 dev up0"; do
	vx A $words || fail "$words"
done
ip -n ${NSTAG}A addr add 192.168.4.1/24 dev vxlan4
ip -n ${NSTAG}B link add vxlan4 type vxlan id 104 remote 10.0.1.1 local 10.0.1.2 dstport 4789
ip -n ${NSTAG}B link set vxlan4 up
ip -n ${NSTAG}B addr add 192.168.4.2/24 dev vxlan4

# Traffic that does not care about losses: UDP both ways on both devices, floods of pings.
for i in 1 2; do
	LIMIT=60 in_ns B iperf3 -s -p 520$i >/dev/null 2>&1 &
	pids+=($!)
done
traffic() {
	local i=$1 way=$2
	while [ ! -e "$TMP/stop" ]; do
		LIMIT=20 in_ns A iperf3 -c 192.168.$i.2 -p 520$i $way -t 1 >/dev/null 2>&1
	done
}
traffic 1 "" & pids+=($!)
traffic 2 "-R -u -b 200M" & pids+=($!)
LIMIT=60 in_ns B ping -q -f -w $((SECONDS_OF_CHURN + 2)) 192.168.1.1 >/dev/null 2>&1 & pids+=($!)
LIMIT=60 in_ns A ping -q -f -s 3000 -w $((SECONDS_OF_CHURN + 2)) 192.168.2.2 >/dev/null 2>&1 & pids+=($!)
LIMIT=60 in_ns B ping -q -f -w $((SECONDS_OF_CHURN + 2)) 192.168.4.1 >/dev/null 2>&1 & pids+=($!)
LIMIT=60 in_ns A ping -q -f -s 3000 -w $((SECONDS_OF_CHURN + 2)) 192.168.4.2 >/dev/null 2>&1 & pids+=($!)
LIMIT=60 in_ns B ping -q -f -s 3000 -w $((SECONDS_OF_CHURN + 2)) 10.0.1.1 >/dev/null 2>&1 & pids+=($!)

# own_stack ROUND: what of the stack underlay changes.
own_stack() {
	local words
	cat >"$TMP/own" <<-EOF
	addr add 10.0.1.9/24 dev up0
	route add 10.7.0.0/16 via 10.0.1.2 dev up0
	neigh replace 10.0.1.2 lladdr $(cat "$TMP/mac") dev up0
	link set vxlan4 address 02:00:00:00:44:$(printf %02x $(($1 % 200)))
	route del 10.7.0.0/16
	neigh del 10.0.1.2 dev up0
	addr del 10.0.1.9/24 dev up0
	EOF
	vx A -b "$TMP/own" || fail "vx's own stack"
	for words in "rule add input drop udp port 9" "ping 10.0.1.2 -c 1" "udp send 10.0.1.2 9 hello"; do
		vx A $words >/dev/null || fail "$words"
	done
	vx A rule del "$(vx A rule show | tail -1 | cut -d: -f1)" || fail "rule del"
	ip -n ${NSTAG}A link set eth1 address 02:00:00:00:45:$(printf %02x $(($1 % 200)))
}
in_ns B cat /sys/class/net/eth1/address >"$TMP/mac"

zero=00:00:00:00:00:00
for i in $(seq 300); do
	printf 'fdb add 02:00:02:00:%02x:%02x dev vxlan1 dst 10.0.0.3 dynamic\n' $((i / 256)) $((i % 256))
done >"$TMP/add"
printf 'fdb flush dev vxlan1 dynamic\n' >"$TMP/flush"

end=$(($(date +%s) + SECONDS_OF_CHURN)) round=0
while [ "$(date +%s)" -lt $end ] || { [ $round -lt 3 ] && [ "$(date +%s)" -lt $((end + 30)) ]; }; do
	round=$((round + 1))
	vx A link set vxlan1 type vxlan ttl $((round % 200 + 1)) tos $((round % 2 * 10)) df set || fail ttl
	vx A fdb append $zero dev vxlan1 dst 10.0.0.3 || fail append
	vx A -b "$TMP/add" || fail "batch of entries"
	vx A link set vxlan1 type vxlan nolearning df unset || fail nolearning
	vx A fdb show >/dev/null || fail show
	for what in account drops nstat "-s link show"; do
		vx A $what >/dev/null || fail "$what"
	done
	vx A -b "$TMP/flush" || fail flush
	vx A fdb del $zero dev vxlan1 dst 10.0.0.3 || fail del
	vx A link set vxlan1 type vxlan learning remote 10.0.0.3 || fail remote
	vx A link set vxlan1 type vxlan remote 10.0.0.2 || fail remote
	ip -n ${NSTAG}A route add blackhole 10.0.0.2
	ip -n ${NSTAG}A route del blackhole 10.0.0.2
	case $((round % 4)) in
	0) vx A link set vxlan2 down && vx A link set vxlan2 up || fail "vxlan2 down and up" ;;
	1) vx A link del vxlan2 && make_a 2 ;;
	2) ip -n ${NSTAG}A link set vxlan2 down; ip -n ${NSTAG}A link set vxlan2 up ;;
	3) ip -n ${NSTAG}A link set vxlan2 mtu 1300; vx A link set vxlan2 mtu 1450 || fail mtu ;;
	esac
	# Both devices at once: the socket itself goes and comes.
	[ $((round % 3)) = 0 ] && { vx A link set vxlan1 down; vx A link set vxlan2 down
		vx A link set vxlan1 up && vx A link set vxlan2 up || fail "both down and up"; }
	own_stack $round
	make_a 3 4790
	vx A link del vxlan3 || fail "del vxlan3"
done
echo "$round rounds"
[ $round -ge 3 ] || fail "only $round rounds"
touch "$TMP/stop"
for n in A B; do
	ip -n $NSTAG$n neigh flush all # MACs that were changed: the kernel would notice after seconds
done
for i in 1 2 4; do
	await in_ns A ping -q -c 2 -i 0.1 -W 1 192.168.$i.2
	await in_ns B ping -q -c 2 -i 0.1 -W 1 192.168.$i.1
done
for pid in "${pids[@]}"; do # all but vxd
	[ "$pid" = "$VXD_PID_A" ] || kill "$pid" 2>/dev/null
done
sleep 0.2
# A fragment whose others were lost is held for 30 s.
nothing_held() { [ "$(account A held)" = 0 ]; }
for _ in $(seq 70); do
	nothing_held && break
	sleep 0.5
done
drops A | sed 's/^/dropped: /'
accounts A any
finish
