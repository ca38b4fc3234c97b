#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What ovs-appctl gets from vxd beside what it gets from a real ovs-vswitchd 3.1 with the same
# configuration and the same frames: V is vxd, O is Open vSwitch, P plays the hosts at their ports.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-appctl ovs-vswitchd; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done
"$PYTHON" -c 'import ovs.flow.odp' 2>/dev/null || skip "needs python3-openvswitch and python3-netaddr"

for n in V O P; do
	netns $n
	in_ns $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # nothing but what the test sends
done
for i in 0 1 2; do
	for n in V O; do
		wire $n h$i P ${n,}$i
		ip -n $NSTAG$n link set h$i address 02:00:00:00:aa:0$i
	done
done
wire V eth0 P vu # the underlay: of vxd the host's, of 3.1 one of its bridges
wire O p0 P ou
ip -n ${NSTAG}V addr add 10.1.1.1/24 dev eth0
for n in V O; do # routes to look at
	ip -n $NSTAG$n link add d0 type veth peer name d1
	ip -n $NSTAG$n link set d0 up
	ip -n $NSTAG$n link set d1 up
	ip -n $NSTAG$n addr add 10.7.7.7/24 dev d0
	ip -n $NSTAG$n addr add 10.7.8.7/16 dev d0
	ip -n $NSTAG$n route add 10.77.0.0/16 via 10.7.7.9
	ip -n $NSTAG$n route add default via 10.7.7.1
done
for n in V O; do
	mkdir "$TMP/ovs$n"
	ovsdb-tool create "$TMP/ovs$n/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$TMP/ovs$n/conf.db" --remote="punix:$TMP/ovs$n/db.sock" --unixctl=none \
		--no-chdir -vconsole:off 2>"$TMP/ovs$n/db.err" &
	pids+=($!)
	await test -S "$TMP/ovs$n/db.sock"
	timeout 5 ovs-vsctl --db="unix:$TMP/ovs$n/db.sock" --no-wait init || fail "init"
done
export OVS_RUNDIR=$TMP/ovsV
start_vxd V --ovsdb "unix:$OVS_RUNDIR/db.sock"
await ovs-appctl version # finds it as it finds ovs-vswitchd
OVS_RUNDIR=$TMP/ovsO OVS_LOGDIR=$TMP/ovsO ip netns exec ${NSTAG}O ovs-vswitchd \
	"unix:$TMP/ovsO/db.sock" --unixctl="$TMP/ovsO/ctl" --enable-dummy -vconsole:off --no-chdir 2>"$TMP/ovsO/err" &
reference=$!
pids+=($reference)
await test -S "$TMP/ovsO/ctl"

V_CTL=$(echo "$OVS_RUNDIR"/ovs-vswitchd.*.ctl) timeout -k 5 200 "$PYTHON" "$here/ovs_appctl.py" || fail "ovs_appctl.py"

timeout 5 ovs-vsctl del-br br1 -- del-br br2 || fail "del-br"
kill $reference # its sockets and TAPs go with the namespace
wait $reference
sed -i '/^vxd: br1: fail_mode=secure and OpenFlow/d' "$TMP/V.err"
sed -i '/^vxd: bridge br[0-9]: \(added\|deleted\) interface /d' "$TMP/V.err"
accounts V any
finish
