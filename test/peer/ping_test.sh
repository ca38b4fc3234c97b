#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vxd against the kernel's driver, against itself, and beside a pair of kernels with the same traffic:
# ping, ARP and ND, learnt entries, interface counters, TCP and UDP both ways, over IPv4 and IPv6
# underlay, with and without outer checksums.
. "$(dirname "$0")/lib.sh"
command -v iperf3 >/dev/null || skip "needs iperf3"
command -v ping >/dev/null || skip "needs ping"

# A and E run vxd, B, C and D the kernel's driver; A-B, A-E and C-D are wired.
for n in A B C D E; do netns $n; done
wire A eth0 B eth0; wire A eth1 E eth0; wire C eth0 D eth0
address() { ip -n "$NSTAG$1" addr add "$3" dev "$2" ${4-}; }
for pair in "A eth0 B eth0 0" "A eth1 E eth0 1" "C eth0 D eth0 0"; do
	set -- $pair
	address $1 $2 10.0.$5.1/24; address $3 $4 10.0.$5.2/24
	address $1 $2 fd00:$5::1/64 nodad; address $3 $4 fd00:$5::2/64 nodad
done
start_vxd A; start_vxd E

# link LETTER WORDS...: vx link or ip link, whichever that namespace has.
link() {
	local n=$1
	shift
	case $n in
	A | E) vx $n link "$@" ;;
	*) ip -n "$NSTAG$n" link "$@" ;;
	esac || fail "$n: link $*"
}
fdb_of() {
	case $1 in
	A | E) vx "$1" fdb show dev vxlan1 ;;
	*) in_ns "$1" bridge fdb show dev vxlan1 ;;
	esac
}

# up LETTER DEV LOCAL REMOTE OPTIONS...: the tunnel's end, with the overlay's addresses.
up() {
	local n=$1 dev=$2 mine=$3 other=$4 host=${3##*[.:]}
	shift 4
	link $n add vxlan1 address 02:00:00:00:cc:0$host type vxlan id 100 dstport 4789 local $mine \
		remote $other dev $dev "$@"
	# No ARP but the first: on a busy machine the probes after 5 s would be counted, too.
	ip netns exec $NSTAG$n sysctl -qw net.ipv6.conf.vxlan1.disable_ipv6=1 \
		net.ipv4.neigh.vxlan1.delay_first_probe_time=600 \
		net.ipv4.neigh.vxlan1.base_reachable_time_ms=3600000
	link $n set vxlan1 up
	address $n vxlan1 192.168.9.$host/24
}
down() { for n; do link $n del vxlan1; done; }

numbers() {
	case $1 in
	A | E) vx $1 -j -s link show vxlan1 ;;
	*) in_ns $1 ip -j -s link show vxlan1 ;;
	esac | "$PYTHON" -c '
import json, sys
s = json.load(sys.stdin)[0]["stats64"]
print(*["%s %s %d" % (w, k, s[w][k]) for w in ("rx", "tx")
        for k in ("packets", "bytes", "errors", "dropped")], sep="\n")'
}

# The same pings, and what both ends counted.
pings() {
	in_ns $1 ping -q -c 3 -i 0.1 -W 2 192.168.9.2 >/dev/null || fail "ping $1 to $2"
	in_ns $2 ping -q -c 3 -i 0.1 -W 2 -s 1000 192.168.9.1 >/dev/null || fail "ping $2 to $1"
	in_ns $1 ping -q -c 2 -i 0.1 -W 2 -s 4000 192.168.9.2 >/dev/null || fail "ping $1 to $2, fragments"
}

neighbours() { in_ns $1 ip neigh show dev vxlan1 | awk '{print $1, $3}'; }

# Overlay IPv6, after the counting: MLD's timing is random.
pings6() {
	for n; do
		ip netns exec $NSTAG$n sysctl -qw net.ipv6.conf.vxlan1.disable_ipv6=0
	done
	address $1 vxlan1 fd09::1/64 nodad; address $2 vxlan1 fd09::2/64 nodad
	in_ns $1 ping -6 -q -c 2 -i 0.1 -W 2 fd09::2 >/dev/null || fail "ping6 $1 to $2"
	in_ns $2 ping -6 -q -c 2 -i 0.1 -W 2 -s 3000 fd09::1 >/dev/null || fail "ping6 $2 to $1"
	in_ns $1 ip -6 neigh show fd09::2 dev vxlan1 | grep -q 02:00:00:00:cc:02 || fail "ND in $1"
	in_ns $2 ip -6 neigh show fd09::1 dev vxlan1 | grep -q 02:00:00:00:cc:01 || fail "ND in $2"
}

# What one end sent the other got, byte by byte (nothing is a super-frame here).
mirrored() {
	local way
	for way in packets bytes; do
		[ "$(numbers $1 | grep "tx $way" | cut -d' ' -f3)" = \
			"$(numbers $2 | grep "rx $way" | cut -d' ' -f3)" ] ||
			fail "$3: tx $way of $1 are not the rx $way of $2"
	done
}

# iperf FROM TO WHAT OPTIONS...: bytes arrive; of UDP at most 5 % is lost.  A busy machine has three
# chances.
iperf() {
	iperf_once "$@" || iperf_once "$@" || iperf_once "$@" || fail "iperf3 ${*:3}"
}

iperf_once() {
	local from=$1 to=$2 what=$3
	shift 3
	rm -f "$TMP/iperf.log"
	in_ns $to iperf3 -s -1 -p 5201 --logfile "$TMP/iperf.log" --forceflush &
	await grep -q listening "$TMP/iperf.log"
	LIMIT=15 in_ns $from iperf3 -c 192.168.9.2 -p 5201 -t 1 -J "$@" >"$TMP/iperf.json" 2>/dev/null
	wait $!
	"$PYTHON" - "$what $*" "$TMP/iperf.json" <<'P'
import json, sys
try:
    j = json.load(open(sys.argv[2]))
    e = j["end"]
    u = "sum" in e and "lost_percent" in e["sum"]
    s = e["sum"] if u else e["sum_received"]
    print("%-44s %7.0f Mbit/s%s" % (sys.argv[1], s["bits_per_second"] / 1e6,
                                    ", %.1f %% lost" % s["lost_percent"] if u else ""))
    sys.exit(not (s["bytes"] > 1e5 and (not u or s["lost_percent"] < 5)))
except (KeyError, ValueError) as x:
    print(sys.argv[1], j.get("error") if "j" in vars() else x)
    sys.exit(1)
P
}

# With the wire's offloads on: super-frames both ways, and inner checksums that are left to a card
# that is not there; vx finds that out and says so (stack.md W3).  Trains of ours and of the kernel's are
# told apart by the size of what comes back out (W4); no XDP is in the way of super-frames (W8).
offloaded() {
	local to="$TMP/unfinished.txt" teller n
	for n in A B; do in_ns $n ethtool -K eth0 tx on tso on gso on gro on >/dev/null 2>&1; done
	vx A -d explain -c 3 inner "tcp and greater 2000" >"$to" 2>/dev/null &
	teller=$!
	iperf A B "$1, offloads, from the kernel:" -R
	wait $teller || fail "$1: explain saw no super-frame"
	grep -q "inner checksum unfinished, from a virtual link; a super-frame of 1[34][0-9][0-9] byte" \
		"$to" || fail "$1: no word of unfinished checksums: $(cat "$to")"
	iperf A B "$1, offloads, to the kernel:"
	iperf A B "$1, offloads, from the kernel:" -R -u -b 5M -w 1M -l 1400
	iperf A B "$1, offloads, to the kernel:" -u -b 5M -w 1M -l 1400
	for n in A B; do in_ns $n ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1; done
}

# explain -w: a capture that tcpdump reads, outer headers included, with the words as comments.
captured() {
	local file="$TMP/explained.pcapng" teller
	vx A explain -c 2 -w "$file" inner icmp 2>/dev/null &
	teller=$!
	await test -e "$file"
	in_ns A ping -q -c 20 -i 0.1 192.168.9.2 >/dev/null || fail "$1: ping while explaining"
	wait $teller || fail "$1: explain -w"
	[ "$(tcpdump -nr "$file" 2>/dev/null | grep -c "ICMP echo re")" = 2 ] ||
		fail "$1: tcpdump does not read explain -w: $(tcpdump -nr "$file" 2>&1)"
	tcpdump -nr "$file" 2>/dev/null | grep -q "\.4789: VXLAN, flags \[I\] (0x08), vni 100" ||
		fail "$1: no outer headers in explain -w"
	grep -aq "vni 100 is vxlan1; .* is known at $2" "$file" || fail "$1: no comment in explain -w"
}

# pair WHAT FROM TO LOCAL REMOTE OPTIONS: everything for one pair; leaves its numbers in $TMP.  With
# noudpcsum, segments go one by one (stack.md W5).
pair() {
	local what=$1 a=$2 da=$3 b=$4 db=$5 la=$6 lb=$7 e
	shift 7
	up $a $da $la $lb "$@"; up $b $db $lb $la "$@"
	pings $a $b
	numbers $a >"$TMP/n1"; numbers $b >"$TMP/n2"
	neighbours $a >"$TMP/neigh1"; neighbours $b >"$TMP/neigh2"
	mirrored $a $b "$what"; mirrored $b $a "$what"
	for e in "$a 02:00:00:00:cc:02 dst $lb self" "$b 02:00:00:00:cc:01 dst $la self"; do
		fdb_of ${e%% *} | grep -q "^${e#* } *$" || fail "$what: not learnt: $e"
		fdb_of ${e%% *} | grep -q "^00:00:00:00:00:00 dst .* self permanent *$" ||
			fail "$what: no default entry in ${e%% *}"
	done
	pings6 $a $b
}

for family in 4 6; do
	one=10.0.0.1 two=10.0.0.2 ae1=10.0.1.1 ae2=10.0.1.2 variants=("" noudpcsum)
	[ $family = 6 ] && one=fd00::1 two=fd00::2 ae1=fd00:1::1 ae2=fd00:1::2 \
		variants=("" "udp6zerocsumtx udp6zerocsumrx")
	for opt in "${variants[@]}"; do
		what="IPv$family $opt"
		pair "kernels, $what" C eth0 D eth0 $one $two $opt
		for i in n1 n2 neigh1 neigh2; do mv $TMP/$i $TMP/k$i; done
		down C D
		pair "$what" A eth0 B eth0 $one $two $opt
		same "$what: counters of vx and of the kernel in its place" "$(cat $TMP/kn1)" "$(cat $TMP/n1)"
		same "$what: counters of the peer" "$(cat $TMP/kn2)" "$(cat $TMP/n2)"
		same "$what: neighbours" "$(cat $TMP/kneigh1 $TMP/kneigh2)" "$(cat $TMP/neigh1 $TMP/neigh2)"
		iperf A B "$what to the kernel:"
		captured "$what" $two
		offloaded "$what"
		if [ -z "$opt" ]; then
			iperf A B "$what to the kernel:" -P 4
			iperf A B "$what from the kernel:" -R -P 4
			for size in 100 1400 1440; do
				iperf A B "$what to the kernel:" -u -b 5M -w 1M -l $size
				iperf A B "$what from the kernel:" -R -u -b 5M -w 1M -l $size
			done
		fi
		same "$what: vx -s -s link show" "$(vx A exec ip -s -s link show vxlan1)" \
			"$(vx A -s -s link show vxlan1)"
		down A B
		pair "$what, vxd and vxd" A eth1 E eth0 $ae1 $ae2 $opt
		same "$what: counters of vx and vx" "$(cat $TMP/kn1)" "$(cat $TMP/n1)"
		[ -z "$opt" ] && iperf A E "$what vxd to vxd:" -P 4
		down A E
	done
done
accounts A
accounts E
finish
