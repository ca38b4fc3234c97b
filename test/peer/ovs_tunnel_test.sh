#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch's tunnel ports on the wire: the real ovsdb-server and ovs-vsctl, vxd in ovs-vswitchd's
# place (V).  P sends and sees raw frames; then P and Q are the kernel's driver with group policies.
# Statements 38, 41-47 of ovs.md section 9, GBP (11.5) and the path's MTU; ovs_tunnel.py has the cases.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ping; do
	command -v $p >/dev/null || skip "needs openvswitch-switch and ping"
done

for n in V P Q; do netns $n; done
ip netns exec "${NSTAG}P" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
wire V eth0 P pv
wire V eth1 Q qv
ip -n ${NSTAG}V link set eth0 address 02:00:00:00:aa:01
ip -n ${NSTAG}V addr add 10.0.0.1/24 dev eth0
ip -n ${NSTAG}V addr add 10.0.0.11/24 dev eth0
ip -n ${NSTAG}V addr add fd00::1/64 dev eth0 nodad
for i in 2 3 4; do
	ip -n ${NSTAG}V neigh add 10.0.0.$i lladdr 02:00:00:00:bb:0$i dev eth0 nud permanent
	ip -n ${NSTAG}V neigh add fd00::$i lladdr 02:00:00:00:bb:0$i dev eth0 nud permanent
done
ip -n ${NSTAG}V addr add 10.0.1.1/24 dev eth1
ip -n ${NSTAG}Q addr add 10.0.1.2/24 dev qv
ip netns exec ${NSTAG}V sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # nothing but what the test sends

export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
export DB=unix:$OVS_RUNDIR/db.sock
ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server "$OVS_RUNDIR/conf.db" --remote="p$DB" --unixctl=none --no-chdir -vconsole:off \
	2>"$TMP/ovsdb.err" &
pids+=($!)
await test -S "$OVS_RUNDIR/db.sock"
ovs-vsctl --db="$DB" --no-wait init || fail "init"
start_vxd V --ovsdb "$DB"
timeout 5 ovs-vsctl --db="$DB" add-br br1 || fail "add-br"
ip -n ${NSTAG}V link set br1 multicast off # no IGMP of the host's
ip -n ${NSTAG}V link set br1 up || fail "no br1"

timeout 120 "$PYTHON" "$here/ovs_tunnel.py" || failures=$((failures + 1))

timeout 5 ovs-vsctl --db="$DB" del-br br1 || fail "del-br"
sed -i '/^vxd: bridge br1: \(added\|deleted\) interface vx/d' "$TMP/V.err"
sed -i '/non-VXLAN-GBP tunnels can.t be configured on the same dst_port$/d' "$TMP/V.err"
accounts V any
finish
