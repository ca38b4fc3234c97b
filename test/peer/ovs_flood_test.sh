#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who floods misses starves himself only: from one port, from one remote of a tunnel port, from
# random outer sources.  What is known elsewhere loses nothing, and a new flow of another port and of
# another remote on the same tunnel port is there within 100 ms.
#
#   F f0 ---- pF    ovs br1 of A    pG ---- g0 G        172.16.1: B, 172.16.2: C, both with the
#   H h0 ---- pH                    vxB, vxC, vxD       kernel's driver; 172.16.3: D, who floods
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done
RATE=${RATE:-100000} SECONDS_EACH=5 LIMIT_MS=100

for n in A B C D F G H; do netns $n; done
i=0
for n in B C D; do
	i=$((i + 1))
	wire A eth$n $n eth0
	ip -n ${NSTAG}A addr add 172.16.$i.1/24 dev eth$n
	ip -n ${NSTAG}$n addr add 172.16.$i.2/24 dev eth0
	[ $n = D ] && continue
	ip -n ${NSTAG}$n link add vxlan1 up type vxlan id 100 dstport 4789 remote 172.16.$i.1 local 172.16.$i.2 dev eth0
	ip -n ${NSTAG}$n addr add 192.168.9.$i/24 dev vxlan1
done
i=10
for n in F G H; do
	i=$((i + 1))
	wire A p$n $n ${n,}0
	ip -n ${NSTAG}$n addr add 192.168.9.$i/24 dev ${n,}0
done
export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
DB=$OVS_RUNDIR/db.sock
ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$DB" --unixctl=none --no-chdir -vconsole:off 2>"$TMP/ovsdb.err" &
pids+=($!)
await test -S "$DB"
vsctl() { timeout -k 1 8 ovs-vsctl --db="unix:$DB" -t 7 "$@"; }
vsctl --no-wait init -- add-br br1
for n in F G H; do vsctl --no-wait add-port br1 p$n; done
i=0
for n in B C D; do
	i=$((i + 1))
	vsctl --no-wait add-port br1 vx$n -- set interface vx$n type=vxlan options:remote_ip=172.16.$i.2 options:key=100
done
start_vxd A --ovsdb "unix:$DB"
for i in 1 2; do await in_ns G ping -qc1 -W1 192.168.9.$i; done
await in_ns G ping -qc1 -W1 192.168.9.13
own_peer=$(ip -n ${NSTAG}A -o link show ethD | grep -o 'ether [0-9a-f:]*' | cut -d' ' -f2)/172.16.3.1

# known NAME LETTER ADDRESS: a flow that is there.
known() {
	ip netns exec ${NSTAG}$2 ping -q -i 0.01 "$3" >"$TMP/known.$1" 2>&1 &
	eval "known_$1=$!"
}
end_known() {
	local k pid
	for k in port tunnel remote; do
		pid=known_$k
		kill -INT ${!pid}
		wait ${!pid}
		echo "  $k: $(grep transmitted "$TMP/known.$k"); $(grep rtt "$TMP/known.$k")"
	done
}
flood_py() {
	local n=$1
	shift
	LIMIT=20 in_ns $n "$PYTHON" "$here/ovs_flood.py" "$@"
}
# What the host threw away before vxd saw it, as its socket was full.
overrun() { ip netns exec ${NSTAG}A awk '/^Udp:/ { n = $6 } END { print n }' /proc/net/snmp; }
# judge WHAT: what was said of one flood.
judge() {
	local k t
	for k in port tunnel remote; do # the last one may be on its way when it is told to end
		[ "$(awk '/transmitted/ { print $1 - $4 }' "$TMP/known.$k")" -le 1 ] || fail "$1: $k lost packets"
	done
	while read -r t; do # of five the third: others want the CPU, too
		t=$(tr ' ' '\n' <<<"${t//lost/1000.0}" | sort -n | sed -n 3p)
		[ "${t%.*}" -lt $LIMIT_MS ] || fail "$1: a new flow takes $t ms"
	done <"$TMP/new"
}
# flood WHAT LETTER DEV [PEER]: vxd shares the machine with who floods it and with who counts.  Where it
# cannot take what comes in at all, the host drops blindly, and nothing can be said of vxd: half then.
flood() {
	local rate=$RATE sender before
	for _ in 1 2 3; do
		before=$(overrun)
		known port H 192.168.9.12
		known tunnel G 192.168.9.1
		known remote C 192.168.9.13
		sleep 0.3
		flood_py $2 $1 $3 $rate $SECONDS_EACH ${4-} >"$TMP/rate" &
		sender=$!
		sleep 1.5
		flood_py H probe h0 192.168.9.1 5 >"$TMP/new"
		flood_py C probe vxlan1 192.168.9.12 5 >>"$TMP/new"
		wait $sender
		before=$(($(overrun) - before))
		echo "$1: $(cat "$TMP/rate") packets/s, $before that vxd could not take"
		echo "  new flows of another port, another remote: $(paste -sd' ' "$TMP/new") ms"
		end_known
		[ $before = 0 ] && break
		rate=$((rate / 2))
		sleep 1
	done
	judge $1
	drops A | sed 's/^/  dropped until now: /'
	kill -0 $VXD_PID_A || fail "vxd is gone"
}
flood port F f0
flood remote D eth0 $own_peer
flood sources D eth0 $own_peer
vsctl del-br br1 || fail "del-br"
accounts A any
finish
