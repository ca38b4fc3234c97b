#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One switch, two faces: what ovs-vsctl made is in vx link, vx fdb and behind vx exec ip, with its owner;
# what the database says of it can be changed there alone, the rest by either side (control.md I2,
# ovs.md 11.14, 11.15).
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-appctl; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done

netns A
export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" --unixctl=none --no-chdir \
	-vconsole:off </dev/null >/dev/null 2>&1 &
pids+=($!)
await test -S "$OVS_RUNDIR/db.sock"
vsctl() { timeout -k 1 6 ovs-vsctl -t 5 "$@" </dev/null; }
vsctl --no-wait init
start_vxd A --ovsdb "unix:$OVS_RUNDIR/db.sock"
ip -n ${NSTAG}A link add h0 type veth peer name p0
vx A link add d0 up nohost type vxlan id 9 dstport 4800
vsctl add-br br1 -- add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=10.0.0.1 options:key=5 \
	-- add-port br1 i1 -- set interface i1 type=internal -- add-port br1 h0 -- add-port br1 d0 || fail "ports"

# --- shown ---
owners() { vx A -d link show | awk '/^[0-9]/ { sub(":", "", $2); n = $2 } / vx .*owner ovsdb/ { print n }' | LC_ALL=C sort | tr '\n' ' '; }
same "whose devices they are" "br1 h0 i1 ovs-system vxlan_sys_4789 " "$(owners)"
same "the same in JSON" '"ovsdb"' "$(vx A -j -d link show br1 | "$PYTHON" -c 'import json,sys
print(json.dumps(json.load(sys.stdin)[0]["vx"]["owner"]))')"
same "masters behind vx exec ip" "d0 h0 vxlan_sys_4789 " \
	"$(vx A exec ip -o link show master ovs-system | awk '{ sub("[:@].*", "", $2); print $2 }' | LC_ALL=C sort | tr '\n' ' ')"
in_ns A ovs-appctl fdb/add br1 i1 7 02:00:00:00:00:09
same "its MAC table" "02:00:00:00:00:09 vlan 7 port i1 static" "$(vx A fdb show br br1)"
same "its MAC table in JSON" "i1 7" "$(vx A -j fdb show br br1 | "$PYTHON" -c 'import json,sys
for m in json.load(sys.stdin): print(m["port"], m["vlan"])')"

# --- the database's ---
refused() { # WORDS OF vx|WHAT IT SAYS
	local got
	got=$(vx A ${1%|*} 2>&1)
	same "the code of vx ${1%|*}" 2 $?
	same "vx ${1%|*}" "Error: ${1#*|}." "$got"
}
for d in br1 i1 h0 vxlan_sys_4789 ovs-system; do
	refused "link del $d|$d is the Open vSwitch database's: use ovs-vsctl del-port or del-br"
done
refused "link set br1 name foo|br1 is the Open vSwitch database's, and so is its name: use ovs-vsctl del-port and add-port"
refused "link set h0 nomaster|h0 is the Open vSwitch database's, and so is its master: use ovs-vsctl add-port or del-port"
refused "link set i1 master ovs-system|i1 is the Open vSwitch database's, and so is its master: use ovs-vsctl add-port or del-port"
refused "link set d0 nomaster|d0 is a port of ovs-system: use ovs-vsctl del-port"
refused "link set vxlan_sys_4789 type vxlan ttl 5|vxlan_sys_4789 is the Open vSwitch database's, and so is its set of options: use ovs-vsctl set interface"
refused "link set br1 address 02:00:00:00:00:55|br1 is the Open vSwitch database's, and so is its address: use ovs-vsctl set bridge ... other-config:hwaddr, or set interface ... mac"

# --- anybody's, until the database says something ---
vx A link set i1 mtu 1400 && vx A link set i1 up && vx A link set i1 address 02:00:00:00:00:66 || fail "i1 cannot be set"
same "on the host" "mtu 1400 02:00:00:00:00:66" \
	"$(ip -n ${NSTAG}A -o link show i1 | grep -oE 'mtu [0-9]+') $(ip -n ${NSTAG}A -o link show i1 | grep -oE 'ether [0-9a-f:]*' | cut -d' ' -f2)"
ip -n ${NSTAG}A link set i1 mtu 1300
await eval 'vx A link show i1 | grep -q "mtu 1300"'
vsctl set interface i1 mtu_request=1200 || fail "mtu_request"
refused "link set i1 mtu 1400|i1 is the Open vSwitch database's, and so is its MTU: use ovs-vsctl set interface ... mtu_request"
vsctl clear interface i1 mtu_request
vx A link set i1 mtu 1250 || fail "the MTU is not free again"

# --- a device of vx's own as a port goes, and is reported gone ---
[ "$(vsctl get interface d0 ofport)" -gt 0 ] || fail "d0 is no port"
vx A link del d0 || fail "link del d0"
await eval '[ "$(vsctl get interface d0 ofport)" = -1 ]'
same "d0" '"could not open network device d0 (No such device)"' "$(vsctl get interface d0 error)"
vx A link add d0 up nohost type vxlan id 9 dstport 4800
await eval '[ "$(vsctl get interface d0 ofport)" -gt 0 ]'

# --- nothing of it is in the state, and all goes with the bridge ---
same "what is saved" "1" "$(vx A save | grep -c 'link add')"
vsctl del-br br1 || fail "del-br"
same "what is left" "" "$(owners)"
vx A link del d0
accounts A any
sed -i '/could not open network device d0 (No such device)/d; /interface d0: the host has no/d' "$TMP/A.err"
finish
