#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make demo-ovs: Open vSwitch's tools and vxd, in network namespaces of its own.
#
#   vxdemo-a           172.16.0.38/24 eth0 ---- eth0 172.16.0.39/24       vxdemo-b
#   ovsdb-server, ovs-vsctl, vxd: br1 192.168.9.1/24    192.168.9.2/24 vxlan1: Linux's own driver
#
# VX and VXD name the programs.  Root is not needed where user namespaces are allowed.  0, or 1 if a
# step failed.
set -u
demo=demo-ovs
. "$(dirname "$0")/demo_lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-appctl; do
	command -v $p >/dev/null || die "no $p (package openvswitch-switch)"
done
export OVS_RUNDIR=$tmp/ovs

# A stage of each part of the way, in order: a packet that comes in, and its reply.
way_in='udp_queue_rcv vxlan_rcv gro_cells_receive netif_receive vport_frame_hook vport_receive
	flow_key_extract dp_process_packet upcall execute_actions do_output vport_send dev_to_host'
way_out='io_rx dev_queue_xmit vport_receive flow_key_extract dp_process_packet execute_actions do_output
	vport_send dev_queue_xmit vxlan_xmit vxlan_xmit_one vxlan_build udp_tunnel_xmit udp_send'

database() {
	mkdir "$OVS_RUNDIR"
	ovsdb-tool create "$tmp/conf.db" /usr/share/openvswitch/vswitch.ovsschema || die "no database"
	ip netns exec $a ovsdb-server "$tmp/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" \
		--unixctl=none --no-chdir -vconsole:off </dev/null &
	other_pids+=($!)
	await test -S "$OVS_RUNDIR/db.sock" || die "ovsdb-server does not start"
	run ovs-vsctl --no-wait init
}

peer() {
	local words="type vxlan id 100 remote 172.16.0.38 local 172.16.0.39 dstport 4789 dev eth0"
	# shellcheck disable=SC2086
	if ip -n $b link add vxlan1 $words 2>/dev/null; then
		peer="Linux's own vxlan driver"
	else
		peer="a second vxd, as this kernel has no vxlan driver"
		start_vxd $b "$tmp/b"
		"$VX" --rundir "$tmp/b" link add vxlan1 $words || die "no peer"
	fi
	ip -n $b link set vxlan1 up
	ip -n $b addr add 192.168.9.2/24 dev vxlan1
}

echo "Open vSwitch's database and commands, without its daemon and without a kernel module"
two_hosts 172.16.0.38/24 172.16.0.39/24
database
peer

say "vxd in ovs-vswitchd's place; the peer, 172.16.0.39, is $peer."
start_vxd $a "$tmp/a" --ovsdb "unix:$OVS_RUNDIR/db.sock" -vconsole:warn
await eval "run ovs-vsctl get Open_vSwitch . iface_types | grep -q vxlan" || die "vxd does not take the database"
show ovs-vsctl add-br br1
show ovs-vsctl add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=172.16.0.39 options:key=100
show ip addr add 192.168.9.1/24 dev br1
show ip link set br1 up
note "the bridge is an interface of the host; there is no device for the tunnel on it, but behind vx exec"
show vx exec ip -d link show vxlan_sys_4789

say "Packets cross."
show ping -q -c 3 -i 0.2 -W 2 192.168.9.2
show ovs-appctl fdb/show br1
show ovs-appctl dpctl/dump-flows
run ovs-appctl fdb/show br1 | grep -q ' 0  ' || bad "nothing was learnt"

say "One ping from the other end, and its reply: the flow is taken away, so the first asks what to do."
run ovs-appctl dpctl/del-flows >/dev/null
printf '   $ vx -d explain -c 2 inner icmp\n'
timeout 10 "$VX" --rundir "$tmp/a" -d explain -c 2 inner icmp >"$tmp/explain" 2>&1 &
other_pids+=($!)
sleep 0.5
run ovs-appctl dpctl/del-flows >/dev/null
timeout 20 ip netns exec $b ping -q -c 1 -W 2 192.168.9.1 >/dev/null || bad "ping"
wait "${other_pids[-1]}"
sed 's/^/     /' "$tmp/explain"
names_stages "$tmp/explain" "$way_in" || bad "a stage of the way in is missing"
names_stages "$tmp/explain" "$way_out" || bad "a stage of the way out is missing"

say "What would happen to a packet, without one."
show ovs-appctl ofproto/trace br1 in_port=LOCAL,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02

say "The database, as its own tool shows it."
show ovs-vsctl show

say "The end: the ports go with the bridge."
show ovs-vsctl del-br br1
await eval "! ip -n $a link show br1 2>/dev/null" || bad "br1 is still there"
show ovs-appctl exit
finish
