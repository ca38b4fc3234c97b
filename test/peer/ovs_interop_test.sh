#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A VXLAN port made by ovs-vsctl, and who may be at its other end: Linux's own device, another vxd, a
# real Open vSwitch 3.1 with its user-space datapath; over IPv4 and IPv6.  Ping, TCP both ways, and
# frames with a VLAN tag inside (S15, S16, S48, S49).
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-vswitchd iperf3; do
	command -v $p >/dev/null || skip "needs openvswitch-switch and iperf3"
done

for n in A K V O; do netns $n; done
start_database() { # LETTER
	local dir=$TMP/ovs$1
	mkdir -p "$dir"
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ip netns exec $NSTAG$1 ovsdb-server "$dir/conf.db" --remote="punix:$dir/db.sock" --unixctl=none \
		--no-chdir -vconsole:off </dev/null >/dev/null 2>&1 &
	pids+=($!)
	await test -S "$dir/db.sock"
	vsctl $1 --no-wait init
}
vsctl() {
	local n=$1
	shift
	timeout -k 1 8 ovs-vsctl --db="unix:$TMP/ovs$n/db.sock" -t 6 "$@" </dev/null || fail "$n: ovs-vsctl $*"
}
for n in A V O; do start_database $n; done
for n in A V; do OVS_RUNDIR=$TMP/ovs$n start_vxd $n --ovsdb "unix:$TMP/ovs$n/db.sock"; done
OVS_RUNDIR=$TMP/ovsO ip netns exec ${NSTAG}O ovs-vswitchd "unix:$TMP/ovsO/db.sock" \
	--unixctl="$TMP/ovsO/ctl" --no-chdir -vconsole:off --log-file="$TMP/ovs.log" </dev/null >/dev/null 2>&1 &
pids+=($!)

# A wire to each peer, with addresses of its own: 10.0.N.1 here, 10.0.N.2 there.
net=0
for n in K V O; do
	net=$((net + 1))
	wire A e$n $n eth0
	ip -n ${NSTAG}A addr add 10.0.$net.1/24 dev e$n
	ip -n ${NSTAG}A addr add fd00:$net::1/64 dev e$n nodad
	eval "net_$n=$net"
done
for n in K V; do
	eval "net=\$net_$n"
	ip -n $NSTAG$n addr add 10.0.$net.2/24 dev eth0
	ip -n $NSTAG$n addr add fd00:$net::2/64 dev eth0 nodad
done

# The outcome's two lines, each of them under a second.
timed() {
	local began took
	began=$(date +%s%N)
	"$@"
	took=$((($(date +%s%N) - began) / 1000000))
	[ $took -lt 1000 ] || fail "$* took $took ms"
}
timed vsctl A add-br br1
ip -n ${NSTAG}A addr add 192.168.9.1/24 dev br1
ip -n ${NSTAG}A link set br1 up
# A port in VLAN 30 of the bridge: what it sends is tagged in the tunnel, which is a trunk.
vsctl A add-port br1 i30 tag=30 -- set interface i30 type=internal
ip -n ${NSTAG}A addr add 192.168.30.1/24 dev i30
ip -n ${NSTAG}A link set i30 up

# Peers: each has 192.168.9.2 in the tunnel, and 192.168.30.2 in VLAN 30 of it.
peer_K() { # FAMILY: 4 or 6
	local local_ip=10.0.1.2 remote=10.0.1.1
	[ $1 = 6 ] && local_ip=fd00:1::2 remote=fd00:1::1
	ip -n ${NSTAG}K link add vxlan1 up type vxlan id 100 dstport 4789 remote $remote local $local_ip dev eth0
	ip -n ${NSTAG}K addr add 192.168.9.2/24 dev vxlan1
}
unpeer_K() { ip -n ${NSTAG}K link del vxlan1; }

# This kernel has no VLAN devices: who-has 192.168.30.1, tagged, and the tagged answer.
vlan_K() {
	in_ns K tcpdump -nei vxlan1 -Q in -c 1 'vlan 30 and arp[6:2] = 2' >"$TMP/answer" 2>"$TMP/dump.err" &
	local dump=$!
	await grep -q "listening on" "$TMP/dump.err"
	in_ns K "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vxlan1", 0))
mac, ip = b"\2\0\0\0\0\x30", socket.inet_aton
s.send(b"\xff" * 6 + mac + b"\x81\0\0\x1e\x08\6" + b"\0\1\x08\0\6\4\0\1" + mac + ip("192.168.30.2")
	+ b"\0" * 6 + ip("192.168.30.1"))'
	await grep -q "vlan 30.*192.168.30.1 is-at" "$TMP/answer"
	kill $dump 2>/dev/null
	wait $dump
	true
}
vlan_V() { in_ns A ping -q -c 5 -i 0.05 -W 2 192.168.30.2 >/dev/null || fail "ping in VLAN 30"; }
vlan_O() { vlan_V; }

inner() { # LETTER: addresses of its bridge br1 and of i30
	vsctl $1 add-port br1 i30 tag=30 -- set interface i30 type=internal
	ip -n $NSTAG$1 addr add 192.168.9.2/24 dev br1
	ip -n $NSTAG$1 link set br1 up mtu 1400
	ip -n $NSTAG$1 addr add 192.168.30.2/24 dev i30
	ip -n $NSTAG$1 link set i30 up
}
peer_V() {
	local remote=10.0.2.1
	[ $1 = 6 ] && remote=fd00:2::1
	vsctl V add-br br1
	vsctl V add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=$remote options:key=100
	inner V
}
unpeer_V() { vsctl V del-br br1; }

peer_O() { # user space: the outer packets enter by a bridge that has the address
	local remote=10.0.3.1
	[ $1 = 6 ] && remote=fd00:3::1
	vsctl O add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 eth0
	ip -n ${NSTAG}O link set br0 up
	ip -n ${NSTAG}O addr add 10.0.3.2/24 dev br0
	ip -n ${NSTAG}O addr add fd00:3::2/64 dev br0 nodad
	vsctl O add-br br1 -- set bridge br1 datapath_type=netdev
	vsctl O add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=$remote options:key=100
	inner O
	# Its TAPs hand over unfinished checksums, which its tunnels do not finish.
	for d in br1 i30; do in_ns O ethtool -K $d tx off >/dev/null 2>&1; done
}
unpeer_O() { vsctl O del-br br1 -- del-br br0; }

tcp() { # LETTER WHAT
	for way in "" -R; do
		in_ns $1 iperf3 -s -1 -p 5201 --logfile "$TMP/iperf.log" --forceflush &
		local server=$!
		await grep -q listening "$TMP/iperf.log"
		LIMIT=10 in_ns A iperf3 -c 192.168.9.2 -p 5201 -n 2M $way >"$TMP/iperf.out" 2>&1 ||
			fail "$2: TCP $way: $(tail -3 "$TMP/iperf.out")"
		kill $server 2>/dev/null
		wait $server
		rm -f "$TMP/iperf.log"
	done
}

for n in K V O; do
	for family in 4 6; do
		what="$n over IPv$family"
		peer_$n $family
		eval "net=\$net_$n"
		remote=10.0.$net.2
		[ $family = 6 ] && remote=fd00:$net::2
		timed vsctl A add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=$remote options:key=100
		ip -n ${NSTAG}A neigh flush all # the peer before had another address
		await in_ns A ping -qc1 -W1 192.168.9.2
		in_ns A ping -q -c 5 -i 0.05 -W 2 -s 1300 192.168.9.2 >/dev/null || fail "$what: ping"
		in_ns $n ping -q -c 5 -i 0.05 -W 2 192.168.9.1 >/dev/null || fail "$what: ping from there"
		vlan_$n || fail "$what: in VLAN 30"
		tcp $n "$what"
		if [ $n = K ]; then # S49: with all offloads on
			for side in "A eK" "K eth0"; do
				set -- $side
				in_ns $1 ethtool -K $2 tx on tso on gso on gro on >/dev/null 2>&1
			done
			tcp $n "$what with offloads"
			for side in "A eK" "K eth0"; do
				set -- $side
				in_ns $1 ethtool -K $2 tx off tso off gso off >/dev/null 2>&1
			done
		fi
		vsctl A del-port br1 vx1
		unpeer_$n
	done
done
vsctl A del-br br1
accounts A any
accounts V any
finish
