#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make demo: vxd at work, in network namespaces of its own.
#
#   vxdemo-a            10.0.0.1/24 eth0 ---- eth0 10.0.0.2/24            vxdemo-b
#   vxd: vxlan1 192.168.9.1/24     (VXLAN, VNI 100)     192.168.9.2/24 vxlan1: Linux's own driver
#
# VX and VXD name the programs.  Root is not needed where user namespaces are allowed.  Everything
# happens in a mount namespace of the script, so nothing is left of it.  0, or 1 if a step failed.
set -u
demo=demo
. "$(dirname "$0")/demo_lib.sh"

# The other end of the tunnel: Linux's driver, or where the kernel has none a second vxd.
peer_link_add() {	# NAME VNI ADDRESS/LENGTH
	local words="type vxlan id $2 remote 10.0.0.1 local 10.0.0.2 dstport 4789 dev eth0"
	# shellcheck disable=SC2086
	if ip -n $b link add "$1" $words 2>/dev/null; then
		peer="Linux's own vxlan driver"
	else
		peer="a second vxd, as this kernel has no vxlan driver"
		[ -S "$tmp/b/vxd.ctl" ] || start_vxd $b "$tmp/b"
		"$VX" --rundir "$tmp/b" link add "$1" $words || die "no peer"
	fi
	ip -n $b link set "$1" up
	ip -n $b addr add "$3" dev "$1"
}

transfer() {	# TCP from a to b through the tunnel
	if command -v iperf3 >/dev/null; then
		ip netns exec $b iperf3 -s -1 -B 192.168.9.2 >/dev/null 2>&1 &
		other_pids+=($!)
		await eval "ip netns exec $b ss -Hltn | grep -q :5201" || return 1
		printf '   $ iperf3 -c 192.168.9.2 -t 2\n'
		timeout 20 ip netns exec $a iperf3 -c 192.168.9.2 -t 2 -f m >"$tmp/iperf" 2>&1 || {
			sed 's/^/     /' "$tmp/iperf"
			return 1
		}
		sed -n '/receiver/s/^/     /p' "$tmp/iperf"
		return
	fi
	note "no iperf3: 64 MB by Python instead"
	ip netns exec $b python3 -c '
import socket
s = socket.create_server(("192.168.9.2", 5201))
c = s.accept()[0]
n = 0
while d := c.recv(1 << 16):
    n += len(d)
c.sendall(b"%d" % n)' &
	other_pids+=($!)
	await eval "ip netns exec $b ss -Hltn | grep -q :5201" || return 1
	timeout 60 ip netns exec $a python3 -c '
import socket, sys, time
c = socket.create_connection(("192.168.9.2", 5201))
t = time.monotonic()
c.sendall(bytes(64 << 20))
c.shutdown(socket.SHUT_WR)
n = int(c.recv(100))
print("     %d bytes, %.0f Mbit/s" % (n, n * 8e-6 / (time.monotonic() - t)))
sys.exit(n != 64 << 20)'
}

# The host's own UDP sockets carry the tunnel; vxlan1 is an interface like any other.
scene1() {
	echo "Scene 1: two hosts, one tunnel; vxd needs no kernel module and no address of its own"
	two_hosts 10.0.0.1/24 10.0.0.2/24
	start_vxd $a "$tmp/a"

	say "One end is vxd.  The words are those of ip link."
	show vx link add vxlan1 up type vxlan id 100 remote 10.0.0.2 local 10.0.0.1 \
		dstport 4789 dev eth0 || die "no device, nothing to show"
	show ip addr add 192.168.9.1/24 dev vxlan1

	peer_link_add vxlan1 100 192.168.9.2/24
	say "The other end, 192.168.9.2, is $peer."
	show ping -q -c 3 -i 0.2 -W 2 192.168.9.2
	note "and the other way, from there"
	timeout 20 ip netns exec $b ping -q -c 3 -i 0.2 -W 2 192.168.9.1 | sed 's/^/     /'
	[ "${PIPESTATUS[0]}" = 0 ] || bad "ping from the other end"

	say "TCP through it."
	transfer || bad "TCP"
	show vx -s link show

	say "What vxd learnt: which MAC is behind which host."
	show vx fdb show
	run vx fdb show | grep -q 'dst 10.0.0.2.*self' || bad "nothing was learnt"

	say "The other end starts to send with VNI 101, which nobody configured here."
	peer_link_add vxlan2 101 192.168.10.2/24
	ip netns exec $b ping -q -c 2 -i 0.2 -W 1 192.168.10.1 >/dev/null 2>&1
	note "its ping is lost, of course; why?"
	show vx drops
	run vx drops | grep -q vxlan_unknown_vni || bad "vx drops does not name the VNI"
}

# Every stage of a packet that comes in, and of the reply that goes out (architecture, section 4).
way_in='napi_schedule napi_poll io_rx gro_receive netif_receive ip4_rcv hook_prerouting
	ip4_rcv_finish route_input dst_input ip_local_deliver hook_input ip_local_deliver_finish
	udp_rcv udp_queue_rcv vxlan_rcv gro_cells_receive gro_receive netif_receive dev_to_host'
way_out='dev_queue_xmit vxlan_xmit vxlan_xmit_one vxlan_build udp_tunnel_xmit ip_tunnel_xmit
	ip_local_out hook_output ip_output hook_postrouting neigh_output dev_queue_xmit io_tx'

# vxd owns the underlay interface: addresses, ARP, UDP are its own, and it explains each step.
scene2() {
	printf '\nScene 2: the same hosts; now vxd owns the underlay interface, and no stage is the host'"'"'s\n'
	run vx link del vxlan1
	for dev in vxlan1 vxlan2; do
		ip -n $b link del $dev 2>/dev/null
		[ -S "$tmp/b/vxd.ctl" ] && "$VX" --rundir "$tmp/b" link del $dev 2>/dev/null
	done

	say "The address moves from the host's interface to vxd's port on it."
	show ip addr del 10.0.0.1/24 dev eth0
	show vx link add up0 up type packet dev eth0
	show vx addr add 10.0.0.1/24 dev up0
	show vx link add vxlan1 up type vxlan id 100 remote 10.0.0.2 dstport 4789 dev up0
	show ip addr add 192.168.9.1/24 dev vxlan1
	peer_link_add vxlan1 100 192.168.9.2/24
	timeout 20 ip netns exec $b ping -q -c 1 -W 2 192.168.9.1 >/dev/null 2>&1 # ARP is out of the way

	say "One ping from the other end, and its reply: the way of both packets."
	printf '   $ vx -d explain -c 2 icmp\n'
	timeout 10 "$VX" --rundir "$tmp/a" -d explain -c 2 icmp >"$tmp/explain" 2>&1 &
	other_pids+=($!)
	sleep 0.5
	timeout 20 ip netns exec $b ping -q -c 1 -W 2 192.168.9.1 >/dev/null || bad "ping"
	wait "${other_pids[-1]}"
	sed 's/^/     /' "$tmp/explain"
	names_stages "$tmp/explain" "$way_in" || bad "a stage of the way in is missing"
	names_stages "$tmp/explain" "$way_out" || bad "a stage of the way out is missing"
}

scene1
"$VX" explain help >/dev/null 2>&1 && scene2

say "The end: vxd takes back what it made."
show vx stop
await eval "! ip -n $a link show vxlan1" || bad "vxlan1 is still there"
finish
