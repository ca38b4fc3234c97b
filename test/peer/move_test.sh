#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Names and places of a device's host side: renamed by vx and by the host, moved by the host to other
# namespaces and back, deleted there; packets flow, settings stay in step, a vxd that is killed finds
# all of it again.
. "$(dirname "$0")/lib.sh"
command -v ping >/dev/null || skip "needs ping"

# A runs vxd, B is the kernel's peer, C and D are containers of a kind.
for n in A B C D; do netns $n; done
wire A eth0 B eth0
ip -n ${NSTAG}A addr add 10.0.0.1/24 dev eth0
ip -n ${NSTAG}B addr add 10.0.0.2/24 dev eth0
ip -n ${NSTAG}B link add vxlan1 type vxlan id 100 remote 10.0.0.1 local 10.0.0.2 dstport 4789 ||
	skip "this kernel has no vxlan driver"
ip -n ${NSTAG}B link set vxlan1 up
ip -n ${NSTAG}B addr add 192.168.1.2/24 dev vxlan1

run() { # [OPTIONS]
	ip netns exec ${NSTAG}A "$VXD" --rundir $TMP/A --statedir $TMP/state ${VXD_OPTIONS-} "$@" \
		2>>$TMP/A.err &
	V=$!
	pids+=($V)
	await vx A link show || { cat $TMP/A.err; exit 1; }
}
crash() { kill -9 $V; wait $V 2>/dev/null; }
said() { # nothing since the last time
	[ -s $TMP/A.err ] && fail "vxd said: $(cat $TMP/A.err)"
	: >$TMP/A.err
}
refused() { # TEXT COMMAND...
	local text want=$1
	shift
	text=$("$@" 2>&1) && fail "$* is let"
	case $text in
	*"$want"*) ;;
	*) fail "$*: \"$text\" instead of \"$want\"" ;;
	esac
}
not() { ! "$@"; }
has() { ip -n $NSTAG$1 link show dev $2 >/dev/null 2>&1; }
shows() { vx A -d link show $1 | tr '\n' ' ' | grep -qE -- "$2"; }
host_shows() { ip -n $NSTAG$1 -o link show $2 | grep -qE -- "$3"; }
index() { vx A -j link show $1 | "$PYTHON" -c 'import json,sys; print(json.load(sys.stdin)[0]["ifindex"])'; }
saved() { vx A save | grep -qE -- "$1"; }
# What a restart has to bring back is what "vx save" says, and the file says the same.
restarts() {
	local before
	before=$(vx A save)
	crash
	run
	same "after a restart" "$before" "$(vx A save)"
	same "state file" "$before" "$(grep -v '^#' $TMP/state/vxd.state)"
}
pings() { await in_ns $1 ping -qc1 -W1 192.168.1.2; }

run
vx A link add vxlan1 type vxlan id 100 remote 10.0.0.2 local 10.0.0.1 dstport 4789 &&
	vx A link set vxlan1 up || fail "vxlan1"
vx A link add n1 nohost type vxlan id 101 dstport 4790 && vx A link set n1 up || fail "n1"
vx A link add br1 type bridge || fail "br1"
ip -n ${NSTAG}A addr add 192.168.1.1/24 dev vxlan1
ip -n ${NSTAG}A addr add 10.9.0.1/24 dev br1
pings A
was=$(index vxlan1)

# --- renamed by vx ----------------------------------------------------------------------------------
timeout 60 "$VX" --rundir $TMP/A monitor link >$TMP/monitor 2>&1 &
monitor=$!
pids+=($monitor)
sleep 0.3
vx A link set vxlan1 name vxlan9 || fail "rename"
await grep -q "vxlan9" $TMP/monitor
kill $monitor
has A vxlan9 && not has A vxlan1 || fail "the host side has another name"
pings A
[ "$(index vxlan9)" = $was ] || fail "another index"
ip -n ${NSTAG}A addr show vxlan9 | grep -q 192.168.1.1/24 || fail "its address is gone"
vx A exec ip link set vxlan9 name vxlan1 || fail "rename by ip"
has A vxlan1 || fail "not renamed by ip"
vx A fdb add 02:00:00:00:00:05 dev vxlan1 dst 10.0.0.3 || fail "fdb add after renaming"
vx A link set n1 name n2 && saved "^link add n2 .*nohost" || fail "rename a nohost device"
vx A link set n2 master br1 && vx A link set br1 name bridge.1 && saved "link set n2 master bridge.1" ||
	fail "the master's name"
vx A link set n2 name "tun%d" && shows tun0 "vxlan id 101" || fail "a pattern"
vx A link set tun0 name n2
for name in vxlan1 eth0 n2; do
	refused "File exists" vx A link set bridge.1 name $name
	refused "File exists" vx A exec ip link set bridge.1 name $name
done
for name in a/b a:b . .. "a b" "a%b" 0123456789abcdef; do
	vx A link set bridge.1 name "$name" 2>/dev/null && fail "the name $name is let"
done
refused "interface of the host" vx A link set eth0 name eth9
vx A link set bridge.1 name bridge.1 || fail "its own name"
# Names that look like something else.
for name in type up address add dev '#' "a'b" 'a"b' '"'"'"; do
	vx A link set dev n2 name "$name" || fail "rename to $name"
	vx A link set dev "$name" mtu 1420 || fail "mtu of $name"
	vx A fdb add 02:00:00:00:00:06 dev "$name" dst 10.0.0.3 || fail "fdb add to $name"
	restarts
	vx A fdb del 02:00:00:00:00:06 dev "$name" || fail "fdb del of $name"
	vx A link set dev "$name" name n2 || fail "rename $name back"
done
# A part is done before the rest is refused; the state knows.
vx A link set n2 mtu 1399 name eth0 2>/dev/null && fail "eth0 is let"
saved "link add n2 .*mtu 1399" || fail "not the kernel's order: mtu, then name"
restarts
said

# --- renamed by the host ----------------------------------------------------------------------------
ip -n ${NSTAG}A link set vxlan1 name web0
await shows web0 "vxlan id 100"
restarts
ip -n ${NSTAG}A link set web0 name n2 # which vx has: it is set back
await eval 'has A web0 && not has A n2'
[ "$(vx A -j link show | grep -o '"ifname":"n2"' | wc -l)" = 1 ] || fail "two of one name"
ip -n ${NSTAG}A link set web0 name vxlan1
await shows vxlan1 "vxlan id 100"
# What a device stands on.
ip -n ${NSTAG}A link add d0 type veth peer name d0p
vx A link add over nohost type vxlan id 102 dstport 4791 dev d0 || fail "dev d0"
vx A link add p0 type packet dev d0 || fail "packet on d0"
vx A link set p0 mtu 1400 || fail "mtu of p0"
ip -n ${NSTAG}A link set d0 name d1
await eval 'grep -qE "(id 102.* dev d1 | dev d1.*id 102)" $TMP/state/vxd.state &&
	grep -q "type packet dev \"d1\"" $TMP/state/vxd.state'
restarts
ip -n ${NSTAG}A link del d1
await not vx A link show over
restarts
said

# --- moved by the host ------------------------------------------------------------------------------
ip -n ${NSTAG}A link set vxlan1 netns ${NSTAG}C || fail "move"
await shows vxlan1 "vx tap netns ${NSTAG}C"
[ "$(index vxlan1)" -ge 1048576 ] || fail "index $(index vxlan1) in another namespace"
shows vxlan1 "<BROADCAST,MULTICAST>" || fail "moving sets it down"
saved "^link add vxlan1 index [0-9]* .*netns \"${NSTAG}C\"" || fail "where it is is not saved"
ip -n ${NSTAG}C addr add 192.168.1.1/24 dev vxlan1
ip -n ${NSTAG}C link set vxlan1 mtu 1333 up
await shows vxlan1 "UP.* mtu 1333"
pings C
ip -n ${NSTAG}C link set vxlan1 address 02:00:00:00:00:77
await shows vxlan1 02:00:00:00:00:77
vx A link set vxlan1 mtu 1322 address 02:00:00:00:00:78 || fail "mtu there"
host_shows C vxlan1 "mtu 1322.*02:00:00:00:00:78" || fail "mtu or address there"
vx A link set vxlan1 down && host_shows C vxlan1 "<BROADCAST,MULTICAST> " || fail "down there"
vx A link set vxlan1 up && host_shows C vxlan1 "LOWER_UP" || fail "up there"
vx A link set vxlan1 name v1 && has C v1 || fail "name there"
ip -n ${NSTAG}C link set v1 name v2
await shows v2 "vxlan id 100"
restarts
pings C
# Names need not be unique over namespaces, but in vx.
ip -n ${NSTAG}C link set v2 name eth0
await shows v2 "netns ${NSTAG}C netname eth0"
vx A link set v2 mtu 1310 && host_shows C eth0 "mtu 1310" || fail "settings under another name"
restarts
vx A link set v2 name v3 && has C eth0 || fail "a name of vx alone"
ip -n ${NSTAG}C link set eth0 name lan0
await shows v3 "netns ${NSTAG}C netname lan0"
restarts
ip -n ${NSTAG}C link set lan0 name v3
await eval 'not shows v3 netname'
restarts
vx A link add c5 netns ${NSTAG}C netname eth0 type vxlan id 105 dstport 4793 || fail "netname"
has C eth0 && not has C c5 || fail "not under its netname"
refused "File exists" vx A link add c6 netns ${NSTAG}C netname eth0 type vxlan id 106 dstport 4793
vx A link add c6 netns ${NSTAG}D netname eth0 type vxlan id 106 dstport 4793 ||
	fail "one eth0 in each namespace"
refused "netns" vx A link add c7 netname eth0 type vxlan id 107 dstport 4793
refused "Cannot change netname" vx A link set c6 netname eth1
restarts
vx A link del c5 && vx A link del c6
# On to another one; home again.
ip -n ${NSTAG}C link set v3 netns ${NSTAG}D
await shows v3 "netns ${NSTAG}D"
ip -n ${NSTAG}D addr add 192.168.1.1/24 dev v3
ip -n ${NSTAG}D link set v3 up
pings D
restarts
ip -n ${NSTAG}D link set v3 netns ${NSTAG}A
await shows v3 "vx tap *$"
[ "$(index v3)" = "$(ip -n ${NSTAG}A -o link show v3 | cut -d: -f1)" ] || fail "its index at home"
ip -n ${NSTAG}A addr add 192.168.1.1/24 dev v3
vx A link set v3 up || fail "up at home"
pings A
restarts
said
# What vx would refuse is set back: an MTU over the underlay's, a port that is in use.
vx A link set v3 down && vx A link set v3 type vxlan dev eth0 || fail "dev eth0"
ip -n ${NSTAG}A link set v3 mtu 4000
await host_shows A v3 "mtu 1310"
grep -q "is set back" $TMP/A.err || fail "it is not told"
: >$TMP/A.err
vx A link set v3 up
# A namespace without a name.
unshare -n sleep 60 &
container=$!
pids+=($container)
await eval '[ "$(readlink /proc/$container/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
ip -n ${NSTAG}A link set v3 netns $container
await shows v3 'netns net:'
timeout 5 nsenter -t $container -n ip link set v3 up mtu 1301
await shows v3 "UP.*mtu 1301"
restarts
kill $container; wait $container 2>/dev/null
await not vx A link show v3
saved "id 100" && fail "deleted with its namespace, and still saved"
# Deleted where it is, by the host and by vx.
for by in host vx; do
	vx A link add v4 type vxlan id 104 dstport 4792 || fail "v4"
	ip -n ${NSTAG}A link set v4 netns ${NSTAG}C
	await shows v4 "netns ${NSTAG}C"
	case $by in
	host) ip -n ${NSTAG}C link del v4 ;;
	vx) vx A link del v4 ;;
	esac
	await eval 'not vx A link show v4 && not has C v4'
	restarts
	saved "id 104" && fail "v4 is in the state"
done
# A name is free at once, for whatever has none on the host.
for _ in 1 2 3; do
	vx A link add v5 type bridge && vx A link del v5 && vx A link add v5 nohost type bridge &&
		vx A link del v5 || fail "v5 again"
done
said
kill $V; wait $V || fail "exit code $?"
said
finish
