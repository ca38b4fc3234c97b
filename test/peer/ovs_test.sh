#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch's ports: the real ovsdb-server and ovs-vsctl, vxd in ovs-vswitchd's place, the kernel's
# driver at the other end.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl; do
	PATH=$PATH:/usr/share/openvswitch/scripts command -v $p >/dev/null || skip "needs openvswitch-switch"
done

for n in A B; do netns $n; done
wire A eth0 B eth0
ip -n ${NSTAG}A addr add 172.16.0.38/24 dev eth0
ip -n ${NSTAG}B addr add 172.16.0.39/24 dev eth0
export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
DB=$OVS_RUNDIR/db.sock

start_database() {
	[ -e "$OVS_RUNDIR/conf.db" ] ||
		ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$DB" --unixctl=none --no-chdir \
		-vconsole:off 2>"$TMP/ovsdb.err" &
	database=$!
	pids+=($database)
	await test -S "$DB"
}
vsctl() { timeout 5 ovs-vsctl --db="unix:$DB" "$@"; }

start_database
vsctl --no-wait init || fail "init"
start_vxd A --ovsdb "unix:$DB"
await eval 'vsctl get Open_vSwitch . iface_types | grep -q vxlan'

began=$(date +%s%N)
vsctl add-br br1 || fail "add-br"
vsctl add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=172.16.0.39 options:key=100 ||
	fail "add-port"
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 2000 ] || fail "add-br and add-port took $took ms"
same "what the database says" "65534 1 []" \
	"$(vsctl get interface br1 ofport) $(vsctl get interface vx1 ofport) $(vsctl get interface vx1 error)"
vsctl get bridge br1 datapath_id | grep -qE '^"[0-9a-f]{16}"$' || fail "datapath_id"

ip -n ${NSTAG}A addr add 192.168.9.1/24 dev br1 && ip -n ${NSTAG}A link set br1 up || fail "no br1"
ip -n ${NSTAG}B link add vxlan1 up type vxlan id 100 dstport 4789 remote 172.16.0.38 local 172.16.0.39 dev eth0
ip -n ${NSTAG}B addr add 192.168.9.2/24 dev vxlan1
await in_ns A ping -qc1 -W1 192.168.9.2
in_ns A ping -q -c 5 -i 0.1 -W 2 -s 1000 192.168.9.2 >/dev/null || fail "ping"
in_ns B ping -q -c 5 -i 0.1 -W 2 192.168.9.1 >/dev/null || fail "ping from the kernel's side"

if command -v iperf3 >/dev/null; then # with the wire's offloads: super-frames both ways
	for n in A B; do in_ns $n ethtool -K eth0 tx on tso on gso on gro on >/dev/null 2>&1; done
	for way in "" -R; do
		in_ns B iperf3 -s -1 -p 5201 --logfile "$TMP/iperf.log" --forceflush &
		await grep -q listening "$TMP/iperf.log"
		in_ns A iperf3 -c 192.168.9.2 -p 5201 -t 1 -J $way >"$TMP/iperf.json" 2>&1
		wait $!
		rm -f "$TMP/iperf.log"
		"$PYTHON" -c 'import json,sys
n = json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 1e6
print("TCP", sys.argv[2:], "%.0f Mbit/s" % n)
sys.exit(n < 50)' "$TMP/iperf.json" $way || fail "TCP $way: $(head -c 300 "$TMP/iperf.json")"
	done
fi
vx A -d explain -c 2 inner icmp >"$TMP/explained" 2>/dev/null &
teller=$!
sleep 0.5
in_ns A ping -q -c 3 -i 0.2 192.168.9.2 >/dev/null
wait $teller
for stage in vport_receive flow_key_extract dp_process_packet execute_actions do_output vport_send \
	vxlan_xmit_one udp_rcv vxlan_rcv vport_frame_hook; do
	grep -qw "$stage" "$TMP/explained" || fail "no stage $stage in: $(cat "$TMP/explained")"
done
same "the tunnel's device" "master ovs-system openvswitch_slave external id 0 dstport 4789 nolearning udp6zerocsumrx mtu 65000" \
	"$(vx A exec ip -d link show vxlan_sys_4789 | tr ' ' '\n' | awk '
		{ if (p == "master" || p == "id" || p == "dstport" || p == "mtu") v[p] = p " " $0; p = $0; s[$0] = 1 }
		END { print v["master"], s["openvswitch_slave"] ? "openvswitch_slave" : "",
			s["external"] ? "external" : "", v["id"], v["dstport"], s["nolearning"] ? "nolearning" : "",
			s["udp6zerocsumrx"] ? "udp6zerocsumrx" : "", v["mtu"] }')"

vsctl add-port br1 nosuch0 2>"$TMP/err"
same "a port that is not there" "-1" "$(vsctl get interface nosuch0 ofport)"
grep -q "could not open network device nosuch0 (No such device)" "$TMP/err" || fail "$(cat "$TMP/err")"
# It appears: no command is needed (S19).
ip -n ${NSTAG}A link add nosuch0 type veth peer name other0
ip -n ${NSTAG}A link set nosuch0 up
await eval '[ "$(vsctl get interface nosuch0 ofport)" -gt 0 ]'
same "its error" "[]" "$(vsctl get interface nosuch0 error)"
await eval 'vsctl get interface vx1 statistics | grep -q "tx_packets=[1-9]"'
vsctl del-port br1 nosuch0 || fail "del-port"
ip -n ${NSTAG}A link del nosuch0
# An interface of the host as a port: traffic, with unfinished checksums, and one answer to one ARP
# request, though both the bridge and the interface have the host behind them (ovs.md 11.14).
ip -n ${NSTAG}A link add sys0 up type veth peer name far0 netns ${NSTAG}B
ip -n ${NSTAG}B link set far0 up
ip -n ${NSTAG}B addr add 192.168.9.3/24 dev far0
vsctl add-port br1 sys0 || fail "add-port sys0"
await in_ns A ping -qc1 -W1 192.168.9.3
in_ns B "$PYTHON" - far0 192.168.9.3 192.168.9.1 >"$TMP/arp" <<'PY' || fail "ARP"
import socket, sys, time
dev, us, them = sys.argv[1:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
s.bind((dev, 0x0806))
mac = s.getsockname()[4]
ip = socket.inet_aton
s.send(b"\xff" * 6 + mac + b"\x08\x06\0\1\x08\0\6\4\0\1" + mac + ip(us) + b"\0" * 6 + ip(them))
end, n = time.time() + 1, 0
while (left := end - time.time()) > 0:
    s.settimeout(left)
    try:
        f = s.recv(100)
    except TimeoutError:
        break
    n += f[20:22] == b"\0\2" and f[28:32] == ip(them)
print(n)
PY
same "answers to one ARP request" 1 "$(cat "$TMP/arp")"
in_ns B ethtool -K far0 tx on >/dev/null 2>&1
in_ns A "$PYTHON" -c 'import socket
s = socket.create_server(("192.168.9.1", 5202))
s.settimeout(8)
c = s.accept()[0]
n = 0
while d := c.recv(65536): n += len(d)
print(n)' >"$TMP/got" &
got=$!
await eval 'in_ns A ss -Hltn | grep -q :5202'
in_ns B "$PYTHON" -c 'import socket
c = socket.create_connection(("192.168.9.1", 5202), 5, ("192.168.9.3", 0))
c.sendall(bytes(1 << 20))'
wait $got
same "TCP by the system port" $((1 << 20)) "$(cat "$TMP/got")"
vsctl del-port br1 sys0 || fail "del-port sys0"
ip -n ${NSTAG}A link del sys0
# A bond is not made, and does not forward; a bridge that has no rule does not either.
ip -n ${NSTAG}A link add bo0 type veth peer name bo1
vsctl add-bond br1 bond0 bo0 bo1 2>/dev/null
same "a bond" '-1 "bond0: bonds are not built, use one interface"' \
	"$(vsctl get interface bo0 ofport) $(vsctl get interface bo1 error)"
vsctl del-port br1 bond0 || fail "del-port bond0"
vsctl set-fail-mode br1 secure
await eval "! in_ns A ping -qc1 -W1 192.168.9.2 >/dev/null" # after the revalidation (S74)
grep -q "fail_mode=secure and OpenFlow is not built" "$TMP/A.err" || fail "no word of fail_mode=secure"
vsctl del-fail-mode br1
await in_ns A ping -qc1 -W1 192.168.9.2
got=$(OVS_RUNDIR=$TMP/bad in_ns A "$VXD" --no-state -vconsole:off --rundir "$TMP/bad" --ovsdb nonsense 2>&1)
same "a remote that is none" 1 $?
case $got in *'remote "nonsense": unix:PATH or tcp:ADDRESS[:PORT] is accepted') ;; *) fail "$got" ;; esac

vsctl del-port br1 vx1 || fail "del-port"
vsctl del-br br1 || fail "del-br"
await eval "! ip -n ${NSTAG}A link show br1 2>/dev/null"
grep -q '^vxd: could not open network device nosuch0 (No such device)$' "$TMP/A.err" || fail "the log does not say what is wrong"
sed -i '/^vxd: br1: fail_mode=secure and OpenFlow/d; /^vxd: could not open network device nosuch0/d; /^vxd: bond0: bonds are not/d' "$TMP/A.err"
accounts A any # what the host sent before br1 was up
finish
