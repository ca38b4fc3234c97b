#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vxd without privileges, its helper with them: what each may, everything of a normal day, devices in
# other namespaces, vxd killed (its successor takes over, with the carrier) and the helper killed.
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

helpers=()
end_helpers() { # by their numbers, each of which this test's vxds had as a child
	for h in "${helpers[@]}"; do
		[ "$(cat /proc/$h/comm 2>/dev/null)" = vxd-helper ] && kill -9 $h
	done
}
trap 'end_helpers; cleanup' EXIT

# run OPTIONS...: vxd in A with a state; $V and $H are it and its helper.
run() {
	ip netns exec ${NSTAG}A "$VXD" --rundir $TMP/A --statedir $TMP/state ${VXD_OPTIONS-} "$@" \
		2>>$TMP/A.err &
	V=$!
	pids+=($V)
	await vx A link show || { cat $TMP/A.err; exit 1; }
	H=$(pgrep -P $V)
	helpers+=($H)
}
end() { # a clean stop
	kill $V && wait $V || fail "vxd ends with exit code $?"
	await not kill -0 $H || fail "the helper stays after a clean stop"
	[ -z "$(ls $TMP/A)" ] || fail "left in the run directory: $(ls $TMP/A)"
	said "$@"
}
not() { ! "$@"; }
said() { # [TEXT]: what vxd said since the last time
	local text
	text=$(cat $TMP/A.err)
	: >$TMP/A.err
	case $text in
	*"${1-}"*) [ -n "${1-}" ] || [ -z "$text" ] || fail "vxd said: $text" ;;
	*) fail "vxd said \"$text\" instead of \"$1\"" ;;
	esac
}
crash() { kill -9 $V; wait $V 2>/dev/null; }
refused() { # TEXT WORDS...: vx refuses with that sentence
	local text want=$1
	shift
	text=$(vx A "$@" 2>&1) && fail "vx $* is let"
	case $text in
	*"$want"*) ;;
	*) fail "vx $*: \"$text\" instead of \"$want\"" ;;
	esac
}
pings() { await in_ns A ping -qc1 -W1 192.168.1.2; }
index() { ip -n $NSTAG$1 -o link show dev $2 | cut -d: -f1; }
has() { ip -n $NSTAG$1 link show dev $2 >/dev/null 2>&1; }
has_not() { not has "$@"; }

# --- who may what ---------------------------------------------------------------------------------
run --workers 2
# A sanitizer's run time makes calls of its own, so there is no filter then.
filter=2
grep -qE "__(asan|tsan|msan)_init" "$VXD" && filter=0
status_of() { sed -n "s/^$2:[ \t]*//p" $1; }
for s in /proc/$V/task/*/status; do
	for cap in CapInh CapPrm CapEff CapBnd CapAmb; do
		[ "$(status_of $s $cap)" = 0000000000000000 ] || fail "$s: $cap $(status_of $s $cap)"
	done
	[ "$(status_of $s NoNewPrivs) $(status_of $s Seccomp)" = "1 $filter" ] || fail "$s: no filter"
done
[ $(ls /proc/$V/task | wc -l) -ge 3 ] || fail "fewer threads than expected"
# NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_ADMIN, BPF, and no other.
allowed=$((1 << 10 | 1 << 12 | 1 << 13 | 1 << 19 | 1 << 21 | 1 << 39))
[ $((0x$(status_of /proc/$H/status CapPrm) & ~allowed)) = 0 ] || fail "the helper has too much"
[ "$(status_of /proc/$H/status Seccomp)" = $filter ] || fail "the helper is not filtered"

# --- a normal day ----------------------------------------------------------------------------------
vx A link add vxlan1 address 02:00:00:00:00:01 type vxlan id 100 remote 10.0.0.2 local 10.0.0.1 \
	dstport 4789
vx A link set vxlan1 mtu 1400
vx A link set vxlan1 up
ip -n ${NSTAG}A addr add 192.168.1.1/24 dev vxlan1
pings
[ "$(ip -n ${NSTAG}A -o link show vxlan1 | grep -c 'UP.*mtu 1400')" = 1 ] || fail "mtu or up"
vx A link set vxlan1 address 02:00:00:00:00:11
[ "$(ip -n ${NSTAG}A -o link show vxlan1 | grep -c 02:00:00:00:00:11)" = 1 ] || fail "address"
vx A link set vxlan1 address 02:00:00:00:00:01
ip -n ${NSTAG}A link set vxlan1 mtu 1380 # the other way round
await eval 'vx A link show vxlan1 | grep -q "mtu 1380"'
vx A link add low type vxlan id 101 remote 10.0.0.2 dstport 500 || fail "a port below 1024"
vx A link del low
in_ns B ip link add pv type veth peer name pa netns ${NSTAG}A
ip -n ${NSTAG}A link set pa up; ip -n ${NSTAG}B link set pv up
ip -n ${NSTAG}B addr add 192.168.7.2/24 dev pv
vx A link add br1 type bridge && vx A link set br1 up
vx A link add pa0 type netif dev pa && vx A link set pa0 master br1 up || fail "a netif port"
ip -n ${NSTAG}A addr add 192.168.7.1/24 dev br1
await in_ns A ping -qc1 -W1 192.168.7.2
[ -z "$(cat $TMP/A.err)" ] || fail "the netif port is not hidden: $(cat $TMP/A.err)"
vx A link add up0 type packet dev eth0 && vx A link set up0 up || fail "a packet port"
vx A addr add 10.0.0.9/24 dev up0
vx A link add vs nohost type vxlan id 102 remote 10.0.0.2 local 10.0.0.9 dev up0 dstport 4790 &&
	vx A link set vs up || fail "a stack underlay"
await in_ns B ping -qc1 -W1 10.0.0.9
for d in vs up0 pa0 br1; do vx A link del $d || fail "link del $d"; done
ip -n ${NSTAG}B link del pv

# --- namespaces ------------------------------------------------------------------------------------
vx A link add c0 netns ${NSTAG}C address 02:00:00:00:00:0c type vxlan id 103 dstport 4789 nolearning ||
	fail "netns NAME"
has C c0 && has_not A c0 || fail "c0 is in the wrong namespace"
vx A link set c0 mtu 1300 && vx A link set c0 up
[ "$(ip -n ${NSTAG}C -o link show c0 | grep -c 'UP.*mtu 1300.*02:00:00:00:00:0c')" = 1 ] ||
	fail "settings in the other namespace: $(ip -n ${NSTAG}C -o link show c0)"
[ "$(vx A -j link show c0 | "$PYTHON" -c 'import json,sys; print(json.load(sys.stdin)[0]["ifindex"])')" \
	-ge 1048576 ] || fail "index of a device in another namespace"
ip netns exec ${NSTAG}D sleep 60 2>/dev/null & # a process of that namespace
pids+=($!)
await eval '[ "$(ip netns pids ${NSTAG}D | wc -l)" -ge 1 ]'
vx A link add d0 netns $(ip netns pids ${NSTAG}D | head -1) type vxlan id 104 dstport 4789 || fail "netns PID"
has D d0 || fail "d0 is not there"
vx A link add d1 netns /run/netns/${NSTAG}D type bridge || fail "netns PATH"
has D d1 || fail "d1 is not there"
refused 'there is no network namespace "nosuch"' link add x netns nosuch type bridge
refused 'there is no process 4194304' link add x netns 4194304 type bridge
refused '"/etc/passwd" is no network namespace' link add x netns /etc/passwd type bridge
refused 'this one has none' link add x netns ${NSTAG}C nohost type bridge
refused 'Cannot change netns' link set c0 netns ${NSTAG}D
vx A link del d1; await has_not D d1
# A namespace that goes takes the device along.
kill $(ip netns pids ${NSTAG}D); ip netns del ${NSTAG}D
await not vx A link show d0
vx A save | grep -q "link add c0.* netns \"${NSTAG}C\"" || fail "netns is not in the state"

# --- stopped and started ---------------------------------------------------------------------------
end
for n in "A vxlan1" "C c0"; do has $n && fail "$n stays after a clean stop"; done
run
said
has A vxlan1 && has C c0 || fail "not there again"
ip -n ${NSTAG}A addr add 192.168.1.1/24 dev vxlan1

# --- vxd killed, and the next one ------------------------------------------------------------------
# ping_over COMMAND...: pings from A through the tunnel at 20 a second while that runs; prints how many
# were lost.
ping_over() {
	LIMIT=60 in_ns A ping -q -i 0.05 -c 50 -W 1 192.168.1.2 >$TMP/ping &
	local p=$!
	sleep 0.5
	"$@"
	wait $p
	sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' $TMP/ping |
		{ read -r t r; echo $((t - r)); }
}
neighbour() { ip -n ${NSTAG}A neigh show 192.168.1.2 dev vxlan1 | grep -c lladdr; }
again() { crash; run; }

pings
was=$(index A vxlan1) was_c=$(index C c0)
timeout 60 ip -n ${NSTAG}A monitor link dev vxlan1 >$TMP/monitor &
monitor=$!
timeout 60 ip -n ${NSTAG}C monitor link dev c0 >$TMP/monitor_c &
monitor_c=$!
sleep 0.2
for i in 1 2 3; do
	old=$H
	ping_over again >$TMP/lost
	lost=$(cat $TMP/lost)
	V=$(cat $TMP/A/vxd.pid) H=$(pgrep -P $V)
	echo "crash $i: $lost pings lost"
	[ $lost -le 40 ] || fail "$lost pings lost"
	await not kill -0 $old || fail "the helper of the vxd before stays"
	[ "$(index A vxlan1) $(index C c0)" = "$was $was_c" ] || fail "not the same interfaces"
	[ "$(ip -n ${NSTAG}A -o link show vxlan1 | grep -c 'LOWER_UP.*mtu 1380')" = 1 ] || fail "settings"
done
kill $monitor $monitor_c; wait $monitor $monitor_c 2>/dev/null
grep -E "NO-CARRIER|state DOWN|Deleted" $TMP/monitor $TMP/monitor_c && fail "the carrier was lost"
vx A link set c0 mtu 1290 || fail "c0 after a crash"
ip -n ${NSTAG}C link show c0 | grep -q "mtu 1290" || fail "c0 is not the one in C"
said # nothing

# While none runs: the neighbour stays; the port is free at once.
pings
crash
[ $(neighbour) = 1 ] || fail "the neighbour entry went with vxd"
ip -n ${NSTAG}A -o link show vxlan1 | grep -q LOWER_UP || fail "no carrier without vxd"
[ "$(ls -l /proc/$H/fd | grep -c net/tun)" = 2 ] || fail "the helper holds: $(ls -l /proc/$H/fd)"
mkdir $TMP/other
ip netns exec ${NSTAG}A "$VXD" --no-state --rundir $TMP/other 2>$TMP/other.err &
other=$!
pids+=($other)
await timeout 5 "$VX" --rundir $TMP/other link show
timeout 5 "$VX" --rundir $TMP/other link add o nohost type vxlan id 100 dstport 4789 ||
	fail "the port is not free after kill -9"
timeout 5 "$VX" --rundir $TMP/other link set o up || fail "o up"
timeout 5 "$VX" --rundir $TMP/other stop
wait $other
[ -s $TMP/other.err ] && fail "the other vxd said: $(cat $TMP/other.err)"
old=$H
run
await not kill -0 $old
pings
end

# Index, MAC, addresses and routes of the host's side (stack.md W9).
host_side() {
	ip -n ${NSTAG}A -o link show vxlan1 | sed 's/: .*link/ link/'
	ip -n ${NSTAG}A -o addr show dev vxlan1
	ip -n ${NSTAG}A route show dev vxlan1 | sed 's/ linkdown//'
}

# The time limit, and none.
run --linger 1
ip -n ${NSTAG}A addr add 192.168.1.1/24 dev vxlan1
ip -n ${NSTAG}A link set vxlan1 up
pings
before=$(host_side)
crash
sleep 0.2
kill -0 $H 2>/dev/null || fail "the helper does not wait"
await not kill -0 $H
ip -n ${NSTAG}A -o link show vxlan1 | grep -q NO-CARRIER || fail "still a carrier after --linger"
ip -n ${NSTAG}A -o link show vxlan1 | grep -q '[<,]UP[,>]' || fail "W9: down without its daemon"
same "W9: index, MAC, address and route without the daemon" "$before" "$(host_side)"
run --linger 0
pings
[ -e $TMP/A/vxd.helper ] && fail "vxd.helper with --linger 0"
crash
await not kill -0 $H
run
pings
was=$(index A vxlan1)

# --- the helper killed -----------------------------------------------------------------------------
kill -9 $H
sleep 0.2
said "its helper has ended"
[ "$(ps -o stat= -p $H 2>/dev/null)" = "" ] || fail "a zombie"
pings
refused "helper has ended" link add y type bridge
vx A link add n0 nohost type vxlan id 110 remote 10.0.0.2 dstport 4791 || fail "what needs no privilege"
vx A link del n0
kill $V; wait $V || fail "vxd without its helper ends with $?"
has A vxlan1 && fail "vxlan1 stays"
said


# --- an ordinary user, in namespaces of his own ------------------------------------------------------
if unshare -Urn true 2>/dev/null; then
	mkdir -m 777 $TMP/u
	cat >$TMP/u.sh <<-'END'
	ip link set lo up
	"$VXD" --no-state --rundir $TMP/u/run 2>$TMP/u/err & v=$!
	for i in $(seq 50); do "$VX" --rundir $TMP/u/run link show >/dev/null 2>&1 && break; sleep 0.1; done
	vx() { "$VX" --rundir $TMP/u/run "$@"; }
	vx link add v1 nohost type vxlan id 1 dstport 4789 && echo nohost
	vx link add v2 type vxlan id 2 dstport 4789 && ip -o link show v2 | cut -d: -f2 | cut -d@ -f1
	if ip link add pa type veth peer name pb 2>/dev/null; then # the kernel refuses an eBPF drop here
		ip link set pa up; ip link set pb up; ip addr add 192.168.7.2/24 dev pb
		vx link add n0 type netif dev pa && vx link set n0 up
		vx explain -c 1 arp >$TMP/u/shared 2>/dev/null & e=$!
		sleep 0.5; ping -qc1 -W1 192.168.7.1 >/dev/null; wait $e
		grep -o "the host sees these frames too" $TMP/u/shared
		sed -i "/sees the frames of pa, too: it refuses an eBPF drop/d" $TMP/u/err
	fi
	grep -E "^(CapEff|Seccomp):" /proc/$v/status
	kill $v; wait $v; echo $?
	cat $TMP/u/err
	END
	# The tree may be where that user cannot go.
	mkdir $TMP/bin && cp "$VX" "$VXD" "$(dirname "$VXD")"/*.so $TMP/bin
	chmod 755 $TMP $TMP/u.sh $TMP/bin
	want=$(printf 'nohost\n v2\nthe host sees these frames too\nCapEff:\t0000000000000000\nSeccomp:\t%d\n0' $filter)
	export TMP
	VX=$TMP/bin/vx VXD=$TMP/bin/vxd LD_LIBRARY_PATH=$TMP/bin
	export VX VXD LD_LIBRARY_PATH
	same "root of a user namespace" "$want" \
		"$(timeout 30 setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urnm sh $TMP/u.sh 2>&1)"
	# And without one: what needs a privilege is refused in a sentence, the rest works.
	rm -rf $TMP/u/run
	got=$(timeout 30 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		unshare -n true 2>&1; cd / && timeout 30 ip netns exec ${NSTAG}B setpriv --reuid 65534 \
		--regid 65534 --clear-groups sh $TMP/u.sh 2>&1)
	case $got in
	*nohost*"run as root"*CapEff*0000000000000000*Seccomp*$filter*0) ;;
	*) fail "an ordinary user: $got" ;;
	esac
fi
finish
