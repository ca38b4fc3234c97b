# SPDX-License-Identifier: Apache-2.0
#
# Common to the peer tests.  Each has namespaces of its own, called $NSTAG followed by a letter, and a
# temporary directory $TMP that holds the run directories of its vxds; all goes at exit.
#
#   VX, VXD   the programs (paths)
#   VXD_OPTIONS  more options for every vxd, such as "--workers 2"
#   PYTHON    a Python 3; raw frames are made without any module (default /usr/bin/python3)

set -u
: "${VX:?the path of vx}" "${VXD:?the path of vxd}"
VX=$(realpath "$VX") VXD=$(realpath "$VXD")
: "${PYTHON:=/usr/bin/python3}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() { echo "skip: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
for tool in ip bridge ethtool timeout; do
	command -v $tool >/dev/null || skip "needs $tool"
done
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"

TMP=$(mktemp -d /tmp/vxpeer.XXXXXX)
NSTAG=vxp$$
export VX VXD TMP NSTAG
namespaces=() pids=() vxds=() failures=0

cleanup() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null
	done
	for ns in "${namespaces[@]}"; do
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$TMP"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() { echo "FAIL: $*"; failures=$((failures + 1)); }

# Each vxd has to end within 5 s of being told to, with exit code 0 and without a complaint of its own
# or of a sanitizer.
end_vxds() {
	local n pid rc
	for n in "${vxds[@]}"; do
		pid=$(eval "echo \$VXD_PID_$n")
		kill "$pid" 2>/dev/null
		for _ in $(seq 100); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -9 "$pid" 2>/dev/null && fail "vxd $n does not end"
		wait "$pid"
		rc=$?
		[ $rc = 0 ] || fail "vxd $n: exit code $rc"
		[ -s "$TMP/$n.err" ] && fail "vxd $n said: $(head -40 "$TMP/$n.err")"
	done
}

finish() {
	end_vxds
	[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
	echo "ok"
	exit 0
}

# same WHAT WANTED GOT: text that has to be equal.
same() {
	[ "$2" = "$3" ] && return
	fail "$1"
	diff <(echo "$2") <(echo "$3") | sed 's/^/    /'
}

# await COMMAND...: up to 5 s until it succeeds.
await() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	fail "waited in vain: $*"
	return 1
}

# netns LETTER: a namespace $NSTAG+LETTER whose devices have no IPv6 traffic of their own.
netns() {
	local ns=$NSTAG$1
	ip netns add "$ns" || skip "cannot make a network namespace"
	namespaces+=("$ns")
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.all.rp_filter=0
	ip -n "$ns" link set lo up
}

# in_ns LETTER COMMAND...
in_ns() {
	local ns=$NSTAG$1
	shift
	timeout "${LIMIT:-20}" ip netns exec "$ns" "$@"
}

# wire LETTER DEV LETTER DEV: a veth pair, up, whose frames have finished checksums.
wire() {
	ip -n "$NSTAG$1" link add "$2" type veth peer name "$4" netns "$NSTAG$3"
	for end in "$1 $2" "$3 $4"; do
		set -- $end
		in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null 2>&1
		ip -n "$NSTAG$1" link set "$2" up
	done
}

# start_vxd LETTER [OPTIONS]: vxd in that namespace, with $TMP/LETTER as run directory.
start_vxd() {
	local n=$1
	shift
	ip netns exec "$NSTAG$n" "$VXD" --no-state --rundir "$TMP/$n" -vconsole:warn \
		${VXD_OPTIONS-} "$@" \
		2>"$TMP/$n.err" &
	pids+=($!)
	vxds+=("$n")
	eval "VXD_PID_$n=$!"
	await test -S "$TMP/$n/vxd.ctl"
}

# vx LETTER WORDS...: the command, to that namespace's vxd.
vx() {
	local n=$1
	shift
	timeout "${LIMIT:-20}" "$VX" --rundir "$TMP/$n" "$@"
}

# Number NAME in vx's accounting.
account() { vx "$1" account | "$PYTHON" -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }

# drops LETTER: "reason count" lines.
drops() {
	vx "$1" -j drops | "$PYTHON" -c '
import json, sys
for d in sorted(json.load(sys.stdin), key=lambda d: d["reason"]):
    print(d["reason"], d["packets"])'
}

balanced() { [ "$(account "$1" open)" = "$(account "$1" held)" ]; }
nothing_out() {
	[ "$(account "$1" pkts_out)$(account "$1" small_out)$(account "$1" big_out)" = 000 ]
}

# accounts LETTER [ALLOWED-DROPS]: every packet is accounted for; drops are none but those of reasons
# in the list; then all devices go, and no buffer is out.  The vxd still runs.
accounts() {
	local n=$1 allowed=" ${2-} " reason count dev
	await balanced "$n" || vx "$n" account
	while read -r reason count; do
		case $allowed in
		*" $reason "* | *" any "*) ;;
		*) fail "vxd $n dropped $count as $reason" ;;
		esac
	done < <(drops "$n")
	for dev in $(vx "$n" -j link show | "$PYTHON" -c '
import json, sys
print(*[d["ifname"] for d in json.load(sys.stdin)])'); do
		# One may have gone with the one below it.
		vx "$n" link show "$dev" >/dev/null 2>&1 || continue
		vx "$n" link del "$dev" || fail "link del $dev"
	done
	await nothing_out "$n" || { vx "$n" account; echo; }
	kill -0 "$(eval "echo \$VXD_PID_$n")" || fail "vxd $n is gone: $(cat "$TMP/$n.err")"
}

# bench [LETTER]: for frame by frame comparison.  P has pv and pk, wired to eth0 of V (vxd) and of K
# (the kernel); with LETTER X also px and X, a second vxd.  These have the same MACs, addresses and
# neighbours; P has none: the tests play it.
bench() {
	local n i
	netns P
	ip netns exec "${NSTAG}P" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	for n in V K ${1-}; do
		netns $n
		wire $n eth0 P p${n,}
		ip -n $NSTAG$n link set eth0 address 02:00:00:00:aa:01
		ip -n $NSTAG$n addr add 10.0.0.1/24 dev eth0
		ip -n $NSTAG$n addr add 10.0.0.11/24 dev eth0
		ip -n $NSTAG$n addr add fd00::1/64 dev eth0 nodad
		for i in 2 3 4; do
			ip -n $NSTAG$n neigh add 10.0.0.$i lladdr 02:00:00:00:bb:0$i dev eth0 nud permanent
			ip -n $NSTAG$n neigh add fd00::$i lladdr 02:00:00:00:bb:0$i dev eth0 nud permanent
		done
		# Nothing but what the tests send.
		ip netns exec $NSTAG$n sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		[ $n = K ] || start_vxd $n
	done
	ip -n ${NSTAG}K link add probe type vxlan id 1 dstport 9 2>/dev/null ||
		skip "this kernel has no vxlan driver"
	ip -n ${NSTAG}K link del probe
}
