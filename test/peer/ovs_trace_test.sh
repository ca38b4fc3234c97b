#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ofproto/trace: what vxd answers beside what Open vSwitch 3.1 does, with the same bridges, ports and
# learnt addresses.  The table of calls is ovs_trace.py's.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-vswitchd ovs-appctl; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done
ovs-vswitchd --version | grep -q ' 3\.1\.' || skip "needs Open vSwitch 3.1"

for n in A R; do netns $n; done

# start_database NAME: its directory is $TMP/NAME.
start_database() {
	local dir=$TMP/$1
	mkdir -p "$dir"
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	OVS_RUNDIR=$dir ovsdb-server "$dir/conf.db" --remote="punix:$dir/db.sock" --unixctl=none --no-chdir \
		-vconsole:off 2>"$TMP/$1.ovsdb.err" &
	pids+=($!)
	await test -S "$dir/db.sock"
	timeout 5 ovs-vsctl --db="unix:$dir/db.sock" --no-wait init || fail "init"
}
vsctl_of() {
	local dir=$TMP/$1
	shift
	timeout 10 ovs-vsctl --db="unix:$dir/db.sock" "$@"
}
# Of both.
conf() { vsctl_of ours "$@" && vsctl_of theirs "$@" || fail "ovs-vsctl $*"; }
# port BRIDGE NAME OFPORT [COLUMN=VALUE of Port...]: 3.1's is a dummy, ours an interface of the host.
port() {
	ip -n ${NSTAG}A link add "$2" type veth peer name "${2}p" || fail "no $2"
	vsctl_of ours add-port "$1" "$2" "${@:4}" -- set interface "$2" ofport_request=$3 || fail "add-port $2"
	vsctl_of theirs add-port "$1" "$2" "${@:4}" -- set interface "$2" ofport_request=$3 type=dummy ||
		fail "add-port $2"
}
# tunnel BRIDGE NAME OFPORT OPTION=VALUE...
tunnel() {
	conf add-port "$1" "$2" -- set interface "$2" ofport_request=$3 type=vxlan "${@:4}"
}
# patch BRIDGE NAME OFPORT BRIDGE NAME OFPORT: a pair.
patch() {
	conf add-port "$1" "$2" -- set interface "$2" ofport_request=$3 type=patch options:peer=$5 \
		-- add-port "$4" "$5" -- set interface "$5" ofport_request=$6 type=patch options:peer=$2
}

export OVS_RUNDIR=$TMP/ours # vxd's, as ovs-vswitchd
start_database ours
start_database theirs
start_vxd A --ovsdb "unix:$TMP/ours/db.sock"
OVS_RUNDIR=$TMP/theirs OVS_LOGDIR=$TMP/theirs ip netns exec ${NSTAG}R ovs-vswitchd "unix:$TMP/theirs/db.sock" \
	--unixctl="$TMP/theirs/ovs.ctl" --pidfile="$TMP/theirs/ovs.pid" --enable-dummy --disable-system \
	--no-chdir -vconsole:off -vfile:off 2>"$TMP/theirs.err" &
pids+=($!)
await test -S "$TMP/theirs/ovs.ctl"
for side in ours theirs; do
	await eval "vsctl_of $side get Open_vSwitch . iface_types | grep -q vxlan"
done

for br in br1 br2 br3 br4 br5; do
	vsctl_of ours add-br $br -- set bridge $br datapath_type=netdev "other_config:hwaddr=02:00:00:00:ff:${br#br}0"
	vsctl_of theirs add-br $br -- set bridge $br datapath_type=dummy "other_config:hwaddr=02:00:00:00:ff:${br#br}0"
done
conf set Open_vSwitch . other_config:vlan-limit=2 # ours looks at two tags
timeout 5 ovs-appctl -t "$TMP/theirs/ovs.ctl" dpif/set-dp-features br1 tnl_push_pop false || fail "set-dp-features"
# In the order of their numbers: 3.1 floods in the order in which ports come.
port br1 a10 1 tag=10
port br1 t0 2
port br1 t1020 3 trunks=10,20
port br1 nu4 4 vlan_mode=native-untagged tag=10
port br1 nt5 5 vlan_mode=native-tagged tag=10
tunnel br1 vx1 6 options:remote_ip=10.1.1.2 options:key=100
tunnel br1 vx2 7 options:remote_ip=10.1.1.3 options:key=flow
patch br1 px12 8 br2 px21 1
port br1 pr1 9 tag=30
port br1 pr2 10 tag=30
conf set port pr1 protected=true -- set port pr2 protected=true
port br2 b2 2
tunnel br2 vti 3 options:remote_ip=10.1.1.9 options:tos=inherit options:ttl=inherit
tunnel br2 v6 4 options:remote_ip=fd00::9 options:egress_pkt_mark=7 options:tos=0x20 options:ttl=9 \
	options:df_default=false options:csum=true options:dst_port=4790
conf add-port br2 lone -- set interface lone type=patch options:peer=nobody ofport_request=5
port br3 c1 1
patch br3 px34 2 br4 px43 1
tunnel br3 vx3 3 options:remote_ip=10.1.1.30
port br4 d2 2 tag=3
tunnel br4 vx4 3 options:remote_ip=10.1.1.40
conf set bridge br4 flood_vlans=7
port br5 e1 1
tunnel br5 vxf 2 options:remote_ip=flow options:key=flow # NORMAL sends nothing to it
port br5 e3 3

"$PYTHON" "$here/ovs_trace.py" "$TMP/A/vxd.ctl" "$TMP/theirs/ovs.ctl" || failures=$((failures + 1))

# ovs-appctl itself, and what is no option of one flow.
same "ovs-appctl" "$(timeout 5 ovs-appctl -t "$TMP/theirs/ovs.ctl" ofproto/trace --names br1 in_port=2,dl_dst=01:80:c2:00:00:00)" \
	"$(timeout 5 ovs-appctl -t "$TMP/A/vxd.ctl" ofproto/trace --names br1 in_port=2,dl_dst=01:80:c2:00:00:00)"
for side in A/vxd theirs/ovs; do
	timeout 5 ovs-appctl -t "$TMP/$side.ctl" ofproto/trace nobr in_port=1 2>"$TMP/err"
	same "$side: exit status" 2 $?
	grep -qx "nobr: unknown bridge" "$TMP/err" || fail "$side: $(cat "$TMP/err")"
done
# What dpctl/dump-flows prints is taken as it stands.
timeout 5 ovs-appctl -t "$TMP/A/vxd.ctl" ofproto/trace \
	"tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,flags(-df+csum+key)),recirc_id(0),in_port(vxlan_sys_4789),packet_type(ns=0,id=0),eth(src=02:00:00:00:00:41,dst=02:00:00:00:00:11),eth_type(0x0800),ipv4(frag=no)" |
	grep -q "^Megaflow: .*,tun_id=0x64,.*,in_port=6,.*nw_frag=no$" || fail "a flow of dump-flows"
conf set bridge br4 other_config:forward-bpdu=true
conf set-fail-mode br3 secure
vsctl_of ours add-br n1 -- set bridge n1 datapath_type=system || fail "add-br n1"
vsctl_of theirs add-br n1 -- set bridge n1 datapath_type=netdev || fail "add-br n1"
"$PYTHON" "$here/ovs_trace.py" "$TMP/A/vxd.ctl" "$TMP/theirs/ovs.ctl" later || failures=$((failures + 1))

# The same notes stand in explain's upcall stage.
for d in d2 d2p; do ip -n ${NSTAG}A link set $d up; done
vx A -d explain -c 1 inner ether src 02:00:00:00:0d:01 >"$TMP/explained" 2>/dev/null &
teller=$!
sleep 0.5
in_ns A "$PYTHON" - <<'END'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("d2p", 0))
s.send(bytes.fromhex("020000000d02" "020000000d01" "1234") + bytes(50))
END
wait $teller
grep -q "upcall.*br4: by port 2 (d2).*learned that 02:00:00:00:0d:01 is on port d2 in VLAN 3; no learned MAC for destination, flooding; br3: by port 2 (px34); No match" \
	"$TMP/explained" || fail "explain: $(cat "$TMP/explained")"

sed -i '/br3: fail_mode=secure and OpenFlow is not built/d; /not built, and ignored: other_config:vlan-limit/d' "$TMP/A.err"
finish
