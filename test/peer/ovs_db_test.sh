#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the database asks for, and what is written back: the same ovs-vsctl commands for vxd and for
# the real ovs-vswitchd, each with an ovsdb-server of its own, and the same answers.  The numbers are
# the statements' of the specification.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-vswitchd; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done

for n in A R X; do netns $n; done
# start_database LETTER
start_database() {
	local dir=$TMP/ovs$1
	mkdir -p "$dir"
	[ -e "$dir/conf.db" ] || ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	in_ns_bg $1 ovsdb-server "$dir/conf.db" --remote="punix:$dir/db.sock" --unixctl="$dir/db.ctl" \
		--no-chdir -vconsole:off
	await test -S "$dir/db.sock"
}
in_ns_bg() {
	local ns=$NSTAG$1
	shift
	ip netns exec "$ns" "$@" </dev/null >/dev/null 2>"$TMP/bg.err" &
	pids+=($!)
}
for n in A R; do
	start_database $n
	timeout 5 ovs-vsctl --db="unix:$TMP/ovs$n/db.sock" --no-wait init
	# One interface of the host's, with an address that a maker gave.
	ip -n $NSTAG$n link add h0 address 00:11:22:33:44:55 type veth peer name p0
	ip -n $NSTAG$n link set h0 up
	ip -n $NSTAG$n link set p0 up
done
OVS_RUNDIR=$TMP/ovsA start_vxd A -vconsole:off -vfile:dbg --log-file="$TMP/vxd.log" --ovsdb "unix:$TMP/ovsA/db.sock"
OVS_RUNDIR=$TMP/ovsR in_ns_bg R ovs-vswitchd "unix:$TMP/ovsR/db.sock" --unixctl="$TMP/ovsR/ctl" \
	--no-chdir -vconsole:off --log-file="$TMP/ovs.log"

# A command to one side, with what it says; timeouts show as 124 or 142.
one() {
	local n=$1
	shift
	timeout -k 1 6 ovs-vsctl --db="unix:$TMP/ovs$n/db.sock" -t 5 "$@" 2>&1 </dev/null
	local rc=$?
	[ $rc = 0 ] || echo "exit code $rc"
}
logdir='s/The default log directory is .*/LOGDIR/'
# both COMMAND...: the same to both; the answers have to be equal.
both() { same "ovs-vsctl $*" "$(one R "$@" | sed "$logdir")" "$(one A "$@" | sed "$logdir")"; }
value() { one A --if-exists get "$@"; }
await eval '[ -n "$(one R get Open_vSwitch . iface_types | grep vxlan)" ]'
await eval '[ -n "$(one A get Open_vSwitch . iface_types | grep vxlan)" ]'
N="datapath_type=netdev"

# --- bridges (S15, S20, S22, S23, S25) ---
both add-br br1 -- set bridge br1 $N
both get interface br1 ofport
one A get bridge br1 datapath_id | grep -qE '^"[0-9a-f]{16}"$' || fail "datapath_id (S15)"
both get bridge br1 datapath_version
both get interface br1 admin_state link_state mtu link_speed duplex status error type
both get Open_vSwitch . dpdk_initialized dpdk_version datapath_types
both add-br br2 -- set bridge br2 datapath_type=nosuch # S22
both list-br
both del-br br2
both add-br ../x -- set bridge ../x $N # S25
both del-br ../x
[ -z "$(find "$TMP" -name '*x*' -newer "$TMP/ovsA/db.sock" -name '*.mgmt')" ] || fail "a file of ../x (S25)"
both add-br br3 -- set bridge br3 $N
both del-br br3
ip -n ${NSTAG}A link show br3 >/dev/null 2>&1 && fail "br3 is still there (S23)"

# --- a bridge's address (S29, S30) ---
mac_of() { one $1 get interface br1 mac_in_use | tr -d '"'; }
dpid_of() { one $1 get bridge br1 datapath_id | tr -d '"'; }
uuid=$(one A get bridge br1 _uuid)
want=$(echo "$uuid" | sed -E 's/^(..)(..)(..)(..)-....-(..)(..).*/\4 \3 \2 \1 \6 \5/' | {
	read -r a b c d e f
	printf '%02x:%s:%s:%s:%s:%s' $(((0x$a & 0xfe) | 2)) $b $c $d $e $f
})
same "the address from the uuid (S29)" "$want 0000$(tr -d : <<<"$want")" "$(mac_of A) $(dpid_of A)"
both set bridge br1 other-config:hwaddr=02:00:00:00:00:77
both get interface br1 mac_in_use
both get bridge br1 datapath_id
same "the TAP's (S29)" 02:00:00:00:00:77 "$(ip -n ${NSTAG}A -o link show br1 | grep -o 'ether [0-9a-f:]*' | cut -d' ' -f2)"
for bad in 01:00:00:00:00:01 00:00:00:00:00:00 nonsense; do
	both set bridge br1 other-config:hwaddr=$bad
	same "hwaddr $bad" "$want" "$(mac_of A)"
done
both remove bridge br1 other-config hwaddr
both set bridge br1 other-config:datapath-id=00000000000000ab
both get bridge br1 datapath_id
for bad in ab 0000000000000000 00000000000000xy; do # S30
	both set bridge br1 other-config:datapath-id=$bad
	same "datapath-id $bad (S30)" "0000$(tr -d : <<<"$want")" "$(dpid_of A)"
done
both remove bridge br1 other-config datapath-id
both add-port br1 h0
both get interface h0 ofport error type admin_state link_state link_resets mtu mac_in_use status link_speed duplex
both get interface br1 mac_in_use
both get bridge br1 datapath_id
both del-port br1 h0
same "after its port is gone" "$want" "$(mac_of A)"

# --- MTU: internal ports follow the least of the others, unless they are told ---
both add-port br1 i1 -- set interface i1 type=internal
both get interface i1 mtu
for n in A R; do ip -n $NSTAG$n link set h0 mtu 1400; done
both add-port br1 h0
both get interface h0 mtu
both get interface i1 mtu
both get interface br1 mtu
both set interface i1 mtu_request=1300
both get interface i1 mtu
same "the TAP's MTU" 1300 "$(ip -n ${NSTAG}A -o link show i1 | grep -o 'mtu [0-9]*' | cut -d' ' -f2)"
both clear interface i1 mtu_request
same "without a request it follows at once (3.1: when a port next changes)" 1400 "$(value interface i1 mtu)"
# Of an interface of the host it is the host's.
hosts_mtu() { ip -n $NSTAG$1 -o link show h0 | grep -o 'mtu [0-9]*' | cut -d' ' -f2; }
for mtu in 1450 2000; do
	both set interface h0 mtu_request=$mtu
	both get interface h0 mtu
	both get interface br1 mtu
	for n in A R; do same "the host's MTU of h0, $n" $mtu "$(hosts_mtu $n)"; done
done
for n in A R; do ip -n $NSTAG$n link set h0 mtu 1600; done # which is not for others to set then
for n in A R; do await eval '[ "$(hosts_mtu '$n')" = 2000 ]'; done
both clear interface h0 mtu_request
both get interface h0 mtu
for n in A R; do ip -n $NSTAG$n link set h0 mtu 1400; done
await eval '[ "$(value interface h0 mtu)" = 1400 ]'
both set interface h0 mtu_request=65000
both get interface h0 mtu
for n in A R; do same "the host's MTU of h0, $n" 65000 "$(hosts_mtu $n)"; done
both set interface h0 mtu_request=1400
both clear interface h0 mtu_request
both del-port br1 h0
both get interface br1 mtu
both add-port br1 t1 -- set interface t1 type=tap # as an internal one
both set interface i1 mtu_request=1300
both get interface t1 mtu
both get interface br1 mtu
both clear interface i1 mtu_request
both del-port br1 t1
both set interface i1 'mac="02:00:00:00:00:99"'
both get interface i1 mac_in_use
both del-port br1 i1
ip -n ${NSTAG}A link show i1 >/dev/null 2>&1 && fail "i1 is still there (S23)"

# --- VXLAN ports (S16, S17, S31-S38, S44) ---
tunnel() { both --may-exist add-port br1 $1 -- set interface $1 type=vxlan "${@:2}"; both get interface $1 ofport; both get interface $1 error; both --if-exists del-port br1 $1; }
both add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=10.1.1.2 options:key=100 # S16
both get interface vx1 ofport error ifindex mtu admin_state link_state link_resets duplex link_speed # S17
same "statistics (S17)" '{rx_bytes=0, rx_packets=0, tx_bytes=0, tx_packets=0}' "$(value interface vx1 statistics)"
both add-port br1 tt -- set interface tt type=vxlan options:remote_ip=10.1.1.2 options:key=100 # S35
both get interface tt ofport error
both set interface tt options:key=101 # S36
both get interface tt error
both del-port br1 tt
tunnel v1                                                     # S31
tunnel v2 options:remote_ip=239.1.1.1                         # S32
tunnel v3 options:remote_ip=ff02::5
tunnel v4 options:remote_ip=10.1.1.9 options:local_ip=flow    # S33
tunnel v5 options:remote_ip=fd00::2 options:local_ip=10.1.1.1 # S34
tunnel v6 options:remote_ip=nonsense
tunnel v7 options:remote_ip=10.1.1.3 options:bogus=1          # S39
tunnel v8 options:remote_ip=10.1.1.3 options:exts=foo
tunnel v9 options:remote_ip=10.1.1.3 options:tos=3
tunnel v10 options:remote_ip=10.1.1.3 options:exts=gbp        # S38: 4789 is used without
tunnel v11 options:remote_ip=10.1.1.3 options:packet_type=x
tunnel v13 options:remote_ip=10.1.1.3 options:packet_type=legacy_l3
tunnel v12 options:remote_ip=flow options:key=flow
# Where it leaves, and as routes change (S50).
for n in A R; do ip -n $NSTAG$n addr add 10.9.0.1/24 dev h0; done
both add-port br1 e1 -- set interface e1 type=vxlan options:remote_ip=10.9.0.2
both get interface e1 status
for n in A R; do ip -n $NSTAG$n addr del 10.9.0.1/24 dev h0; done
await eval '[ "$(value interface e1 status)" = "{}" ]'
ip -n ${NSTAG}A addr add 10.9.0.1/24 dev p0
began=$(date +%s%N)
await eval 'value interface e1 status | grep -q egress_iface=p0'
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 1500 ] || fail "a new route shows after $took ms (S50)"
both del-port br1 e1
# What 3.1 guesses is refused.
refused() {
	one A add-port br1 $1 -- set interface $1 type=vxlan options:remote_ip=10.1.1.3 "$2" >/dev/null
	same "$2" -1 "$(value interface $1 ofport)"
	value interface $1 error | grep -qF "$3" || fail "$2: $(value interface $1 error)"
	one A del-port br1 $1
}
refused w1 options:key=badkey key
refused w2 options:key=0x1000000 key
refused w3 options:dst_port=70000 dst_port
refused w4 options:ttl=300 ttl
refused w5 options:local_ip=nonsense local_ip
both set interface vx1 options:key=200 # S44: it keeps its number
both get interface vx1 ofport
both set interface vx1 options:remote_ip=239.0.0.1
both get interface vx1 ofport error mac_in_use admin_state ifindex mtu
both set interface vx1 options:remote_ip=10.1.1.2
both get interface vx1 error
both del-port br1 vx1

# --- other ports (S18, S19, S26, S60) ---
both add-port br1 nosuch0 # S18
both get interface nosuch0 ofport error
for n in A R; do ip -n $NSTAG$n link add nosuch0 type veth peer name np0; done
await eval '[ "$(value interface nosuch0 ofport)" -gt 0 ]' # S19
same "the error is gone (S19)" "[]" "$(value interface nosuch0 error)"
both del-port br1 nosuch0
both add-port br1 typ -- set interface typ type=nosuchtype
both get interface typ ofport error
both del-port br1 typ
both add-port br1 a1 -- set interface a1 type=internal ofport_request=7 # S26
both get interface a1 ofport
both add-port br1 a2 -- set interface a2 type=internal ofport_request=7
[ "$(value interface a2 ofport)" -gt 0 ] && [ "$(value interface a2 ofport)" != 7 ] || fail "two want 7 (S26)"
both del-port br1 a1 -- del-port br1 a2
# A request moves a port that is there, and who has the number without a request.
both add-br br5 -- set bridge br5 $N
for i in n1 n2 n3; do both add-port br5 $i -- set interface $i type=internal; done
numbers_of() { for i in br5 n1 n2 n3; do both get interface $i ofport; done; }
for words in "n3 ofport_request=1" "n3 ofport_request=30" "n2 ofport_request=30" "br5 ofport_request=9" \
	"n3 ofport_request=31 -- set interface n2 ofport_request=32" \
	"n3 ofport_request=32 -- set interface n2 ofport_request=31" "n1 ofport_request=31"; do
	both set interface $words
	numbers_of
done
same "n3 as asked for (S26)" 32 "$(value interface n3 ofport)"
both clear interface n2 ofport_request # n1 wants 31, too
both get interface n1 ofport
same "n1 as asked for (S26)" 31 "$(value interface n1 ofport)"
both get interface n1 admin_state mtu error
# Of another type: columns of the old one go.
both set interface n1 type=vxlan options:remote_ip=10.1.1.66
both get interface n1 ofport link_speed duplex mtu ifindex error link_resets
both set interface n1 type=patch options='{peer=n9}'
both get interface n1 ofport link_speed duplex mtu status ifindex error
both del-br br5
# Names of the datapath's own (2.4).
for name in vxlan_sys_4789 gre_sys9 udp_sys_1 ovs-netdev ovs-system; do
	both add-port br1 $name -- set interface $name type=internal
	both get interface $name ofport error
	both del-port br1 $name
done
# A name that means "any number" is refused, for a reason of vx's own.
one A add-port br1 'a%d' -- set interface 'a%d' type=internal >/dev/null
same "a%d" -1 "$(value interface 'a%d' ofport)"
value interface 'a%d' error | grep -q 'could not open network device a%d (Invalid argument)' || fail "a%d: $(value interface 'a%d' error)"
one A del-port br1 'a%d'
both add-port br1 vxlan_sys_1 -- set interface vxlan_sys_1 type=vxlan options:remote_ip=10.1.1.67
both del-port br1 vxlan_sys_1
both add-br br4 -- set bridge br4 $N
patch() { both --may-exist add-port br1 px1 -- set interface px1 type=patch "$@"; both get interface px1 error; both del-port br1 px1; }
patch
patch options:peer=px2 options:foo=bar
patch options:peer=px1
both add-port br1 px1 -- set interface px1 type=patch options:peer=px2 # S60
[ "$(value interface px1 ofport)" -ge 1 ] || fail "a patch port without a peer (S60)"
both get interface px1 error
both add-port br4 px2 -- set interface px2 type=patch options:peer=px1
await eval '[ "$(value interface px1 error)" = "[]" ]'
both get interface px1 ofport error admin_state link_state mtu ifindex
both del-br br4

# --- what is not built says so; the rest goes on ---
one A -- --id=@m create mirror name=m0 -- set bridge br1 mirrors=@m >/dev/null
one A set-controller br1 tcp:127.0.0.1:1 >/dev/null
grep -q '|bridge|WARN|br1: not built, and ignored: controller, mirrors' "$TMP/vxd.log" || fail "no word of what is not built: $(grep WARN "$TMP/vxd.log")"
one A del-controller br1
one A set Open_vSwitch . other_config:vlan-limit=2 other_config:hw-offload=true >/dev/null
grep -q '|bridge|WARN|Open_vSwitch: not built, and ignored: other_config:hw-offload, other_config:vlan-limit' "$TMP/vxd.log" ||
	fail "no word of vlan-limit: $(tail -3 "$TMP/vxd.log")"
one A clear Open_vSwitch . other_config >/dev/null
one A clear bridge br1 mirrors
one A add-port br1 d0 -- set port d0 vlan_mode=dot1q-tunnel tag=5 -- set interface d0 type=internal >/dev/null
same "dot1q-tunnel" '-1 "d0: vlan_mode dot1q-tunnel is not built, use access, trunk, native-tagged or native-untagged"' \
	"$(value interface d0 ofport) $(value interface d0 error)"
one A del-port br1 d0
# S87: what makes no sense warns only
both add-port br1 z0 -- set port z0 tag=5 trunks=6,7 -- set interface z0 type=internal
both set port z0 other_config:priority-tags=nonsense
both set bridge br1 other_config:mac-aging-time=nonsense other_config:mac-table-size=-1
both set bridge br1 other_config:mac-aging-time=3
both del-port br1 z0

# --- counters of configuration (S10, S21, S28) ---
cfg() { one A get Open_vSwitch . cur_cfg; }
both set interface br1 external_ids:x=y # S21
sleep 0.3
before=$(cfg)
sleep 1
same "nothing goes on by itself (S10)" "$before" "$(cfg)"
began=$(date +%s)
for i in $(seq 200); do # S28, a part of it: each returns
	timeout -k 1 5 ovs-vsctl --db="unix:$TMP/ovsA/db.sock" -t 4 set bridge br1 external_ids:n=$i || { fail "set $i"; break; }
done
same "cur_cfg after 200 (S28)" "$(one A get Open_vSwitch . next_cfg)" "$(cfg)"
[ $(($(date +%s) - began)) -lt 30 ] || fail "200 commands took $(($(date +%s) - began)) s (S28)"

# --- without the daemon, and after it (S24, S27) ---
one A add-port br1 s1 -- set interface s1 type=internal >/dev/null
one A add-port br1 s2 -- set interface s2 type=vxlan options:remote_ip=10.1.1.7 >/dev/null
numbers() { for i in br1 s1 s2; do value interface $i ofport; done | tr '\n' ' '; }
had=$(numbers)
kill "$VXD_PID_A"
wait "$VXD_PID_A"
timeout 5 ovs-vsctl --db="unix:$TMP/ovsA/db.sock" --no-wait add-port br1 s3 -- set interface s3 type=internal || fail "--no-wait (S24)"
OVS_RUNDIR=$TMP/ovsA start_vxd A -vconsole:off --ovsdb "unix:$TMP/ovsA/db.sock"
await eval '[ "$(value interface s3 ofport)" -gt 0 ]' # S24
same "numbers after a restart (S27)" "$had" "$(numbers)"
one A del-br br1
await eval "! ip -n ${NSTAG}A link show s1 2>/dev/null"
accounts A any
finish
