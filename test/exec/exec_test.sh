#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vx exec against the kernel: iproute2, led from a namespace "caller" to a stand-in for vxd in the
# namespace "led", has to do and print what the same commands do and print run directly.  "ref" is a
# namespace like "led" that only direct commands touch.
#
# VX is the program before "CMD..." (a driver of vx_exec(), with VX_TEST_NL naming the socket),
# VX_PRELOAD the object, STANDIN the server, CLIENT the test client.

set -u
: "${VX:?}" "${VX_PRELOAD:?}" "${STANDIN:?}" "${CLIENT:?}"
export VX_PRELOAD

skip() { echo "skip: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
command -v ip >/dev/null && command -v bridge >/dev/null || skip "needs iproute2"

tag=vxexec$$
led=${tag}l ref=${tag}r caller=${tag}c
tmp=$(mktemp -d)
export VX_TEST_NL=$tmp/vxd.nl
failures=0
pids=()

cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	for ns in $led $ref $caller; do
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT

fail() { echo "FAIL: $*"; failures=$((failures + 1)); }

# check WHAT WANTED GOT
check() {
	[ "$2" = "$3" ] && return
	fail "$1"
	diff <(echo "$2") <(echo "$3") | sed 's/^/    /'
}

# Waits up to 5 s for a command to succeed.
await() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	fail "waited in vain: $*"
}

# What hangs fails, too.
vx() { timeout 20 ip netns exec $caller "$VX" "$@"; }
direct() { ip netns exec $led "$@"; }

# What differs between two namespaces: numbers and addresses of links.
mask() {
	sed -E 's/^[0-9]+: /N: /; s/"ifindex":[0-9]+/"ifindex":N/g;
		s/(link\/ether |"address":"|lladdr )[0-9a-f:]{17}/\1MAC/g; s/@if[0-9]+/@ifN/'
}

# Runs a command led and directly in "ref"; exit code, stdout, stderr have to be the same.
same() {
	local want got
	want=$(ip netns exec $ref "$@" 2>&1; echo "exit $?")
	got=$(vx "$@" 2>&1; echo "exit $?")
	check "$*" "$(mask <<<"$want")" "$(mask <<<"$got")"
}

# The state behind the stand-in, shown led and directly: the same to the letter.
shown() {
	check "shown: $*" "$(direct "$@" 2>&1; echo "exit $?")" "$(vx "$@" 2>&1; echo "exit $?")"
}

snapshot() {
	ip netns exec $caller ip -d link
	ip netns exec $caller ip addr
	ip netns exec $caller ip route show table all
	ip netns exec $caller bridge fdb
}

make_namespace() {
	ip netns add "$1" || skip "no network namespaces"
	# Without IPv6 no link sends by itself, so counters can be compared.
	ip netns exec "$1" sysctl -qw net.ipv6.conf.{all,default}.disable_ipv6=1
	ip -n "$1" link add eth0 type veth peer name eth0p || skip "no veth"
	ip -n "$1" addr add 10.10.10.11/24 dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" link set eth0p up
}

start_standin() {
	ip netns exec $led "$STANDIN" "$VX_TEST_NL" &
	standin=$!
	pids+=($standin)
	await test -S "$VX_TEST_NL"
}

vxlan1="link add vxlan1 type vxlan id 1 dstport 4789 remote 10.10.10.9 local 10.10.10.11 dev eth0"

test_commands() {
	local vxlan2=${vxlan1/vxlan1/vxlan2}

	same ip $vxlan1
	same ip link set vxlan1 up
	await ip netns exec $ref ip link show vxlan1 up
	same ip -d link show vxlan1
	same ip -s link show vxlan1
	same ip -j -d link show vxlan1
	same bridge fdb show dev vxlan1
	same bridge fdb append 00:00:00:00:00:00 dev vxlan1 dst 10.10.10.8
	same bridge fdb append 00:00:00:00:00:00 dev vxlan1 dst 10.10.10.8
	same bridge fdb add 02:00:00:00:00:01 dev vxlan1 dst 10.10.10.8
	same bridge fdb replace 02:00:00:00:00:01 dev vxlan1 dst 10.10.10.7
	same bridge fdb show dev vxlan1
	same bridge -j fdb show dev vxlan1
	# Both sentences for what is there already, and what else is refused.
	same ip $vxlan1
	same ip $vxlan2
	same bridge fdb add 02:00:00:00:00:01 dev vxlan1 dst 10.10.10.8
	same bridge fdb del 02:00:00:00:00:99 dev vxlan1 dst 10.10.10.8
	same ip link set vxlan1 type vxlan id 2
	same ip link set vxlan1 mtu 100000
	same ip link add v9 type vxlan id 9 dstport 0 dev nosuch0
	same ip link show nosuch0
	same ip link set vxlan1 mtu 1400
	same ip link set vxlan1 type vxlan ageing 60
	same ip link show type vxlan
	same ip -d addr show dev vxlan1 scope link
	same ip route show
	same ip stats show dev vxlan1 group link
	shown ip -d link
	shown ip -j -d -s link show
	shown ip addr
	shown bridge fdb show
	shown bridge link
	shown ip stats show
	check "index of dev eth0" "$(direct ip -d link show vxlan1 | grep -o 'dev eth0')" "dev eth0"
	ip netns exec $ref ip link show vxlan1 | grep -q mtu.1400 || fail "ref has no mtu 1400"
	[ "$(vx ip $vxlan1 2>&1; echo $?)" = $'RTNETLINK answers: File exists\n2' ] ||
		fail "the sentence for an existing name"
	vx ip $vxlan2 2>&1 | grep -q 'Error: .*VNI' || fail "the kernel's sentence for the VNI"
}

test_monitor() {
	local out=$tmp/monitor

	ip netns exec $caller "$VX" stdbuf -oL ip monitor link >"$out" 2>&1 &
	local pid=$!
	pids+=($pid)
	for _ in $(seq 40); do	# it has bound once it prints
		vx ip link set vxlan1 down
		vx ip link set vxlan1 up
		grep -q vxlan1 "$out" && break
		sleep 0.05
	done
	vx ip link add mon0 type vxlan id 77 dstport 4789
	vx ip link del mon0
	await grep -q 'Deleted.*mon0' "$out"
	grep -q '^[0-9]*: mon0' "$out" || fail "ip monitor does not show mon0"
	kill $pid
	wait $pid 2>/dev/null
}

test_many() {
	local i count

	for i in $(seq 2000); do
		printf 'fdb add 02:00:01:00:%02x:%02x dev vxlan1 dst 10.10.10.8\n' \
			$((i / 256)) $((i % 256))
	done >"$tmp/batch"
	vx bridge -batch "$tmp/batch" || fail "bridge -batch"
	count=$(direct bridge fdb show | wc -l)
	[ "$count" -gt 2000 ] || fail "the batch left $count entries"
	check "dump with O_NONBLOCK" "$count whole" "$(vx "$CLIENT" dump 2>&1)"
	kill -USR2 $standin
	check "the same from a slow server" "$count whole" "$(vx "$CLIENT" dump 2>&1)"
	kill -USR2 $standin
	check "bridge's own dump" "$count" "$(vx bridge fdb show | wc -l)"
}

# refused CODE PATTERN CMD...: does not run, with one sentence.
refused() {
	local code=$1 pattern=$2 out
	shift 2
	out=$(vx "$@" 2>&1)
	[ $? = "$code" ] || fail "$*: exit code is not $code: $out"
	[ "$(wc -l <<<"$out")" = 1 ] || fail "$*: not one sentence: $out"
	grep -q "$pattern" <<<"$out" || fail "$*: says '$out', not '$pattern'"
}

test_refused() {
	local ip
	ip=$(command -v ip)

	echo 'void _start(void) { for (;;) ; }' >"$tmp/static.c"
	if ${CC:-cc} -static -nostdlib -o "$tmp/static" "$tmp/static.c"; then
		refused 1 static "$tmp/static"
	else
		fail "cannot build a static program"
	fi
	cp "$ip" "$tmp/setuid" && chmod u+s "$tmp/setuid"
	cp "$ip" "$tmp/setgid" && chmod g+s "$tmp/setgid"
	cp "$ip" "$tmp/sudo"
	ln -s "$tmp/sudo" "$tmp/harmless"
	refused 1 set-user-id "$tmp/setuid" link
	refused 1 set-group-id "$tmp/setgid" link
	refused 1 sudo "$tmp/sudo" link
	refused 1 harmless "$tmp/harmless" link
	refused 1 su su -c true
	cp "$ip" "$tmp/caps"
	if setcap cap_net_admin+ep "$tmp/caps" 2>/dev/null; then
		refused 1 'file capabilities' "$tmp/caps" link
	else
		echo "note: no setcap, file capabilities not tried"
	fi
	printf '#!%s link\n' "$tmp/setuid" >"$tmp/script"
	printf 'exit 0\n' >"$tmp/plain"
	printf '#!/bin/sh -e\nip link show vxlan1\n' >"$tmp/good"
	printf '#! /no/such/shell\n' >"$tmp/lost"
	chmod +x "$tmp/script" "$tmp/plain" "$tmp/good" "$tmp/lost"
	refused 1 set-user-id "$tmp/script"
	refused 127 no/such/shell "$tmp/lost"
	refused 127 'no such program' nosuchprogram
	refused 127 'No such file' "$tmp/nosuch"
	refused 126 'Permission denied' "$tmp/batch"
	vx "$tmp/plain" || fail "a script without #!"
	check "a script's children" "$(direct ip link show vxlan1)" "$(vx "$tmp/good")"
	VX_PRELOAD=$tmp/batch refused 1 'cannot load' ip link
	VX_PRELOAD=$tmp/nosuch refused 1 'cannot be loaded' ip link
	VX_TEST_NL=$tmp/nosuch refused 1 "$tmp/nosuch.*not running" ip link
	check "LD_PRELOAD is kept" "$(readlink -f "$VX_PRELOAD"):/x.so" \
		"$(LD_PRELOAD=/x.so vx printenv LD_PRELOAD 2>/dev/null)"
}

test_api() {
	local out i
	# More addresses before eth0's than one look could hold.
	for i in $(seq 300); do
		echo "addr add 10.99.$((i / 256)).$((i % 256))/32 dev lo label lo:x"
	done >"$tmp/addrs"
	direct ip -batch "$tmp/addrs" || fail "addresses of lo"
	out=$(vx "$CLIENT" api vxlan1) || fail "client api: $out"
	ip netns exec $caller "$VX" "$CLIENT" overrun >"$tmp/overrun" &
	local pid=$!
	pids+=($pid)
	await grep -q ready "$tmp/overrun"
	sleep 0.1
	kill -USR1 $standin
	wait $pid || fail "client overrun: $(cat "$tmp/overrun")"
	direct ip addr flush dev lo label lo:x
	# No vxd known: never the host's netlink instead.
	out=$(LD_PRELOAD=$VX_PRELOAD ip netns exec $caller ip link 2>&1) &&
		fail "without VX_NL it acts on the host: $out"
}

test_server_ends() {
	local mon gone

	"$CLIENT" cpu ip netns exec $caller "$VX" ip monitor link >"$tmp/cpu" 2>"$tmp/mon.err" &
	mon=$!
	ip netns exec $caller "$VX" "$CLIENT" gone >"$tmp/gone" &
	gone=$!
	pids+=($mon $gone)
	await grep -q ready "$tmp/gone"
	sleep 0.5
	kill $standin
	wait $standin 2>/dev/null
	wait $gone || fail "client gone: $(cat "$tmp/gone")"
	await test -s "$tmp/cpu"
	read -r code ms <"$tmp/cpu"
	[ "$code" != 0 ] && [ "$code" -lt 128 ] || fail "ip monitor ended with $code"
	[ "$ms" -lt 200 ] || fail "ip monitor took $ms ms of CPU"
	grep -q 'No buffer space' "$tmp/mon.err" || fail "ip monitor said: $(cat "$tmp/mon.err")"
	refused 1 'not running' ip link
}

make_namespace $led
make_namespace $ref
ip netns add $caller
# Other indices than in "led", so that one looked up here would hit the wrong link there.
for i in 1 2; do
	ip -n $caller link add "c$i" type veth peer name "d$i"
done
ip -n $caller link add eth0 type veth peer name eth0p
ip -n $caller link set eth0 up
ip -n $led link add probe type vxlan id 99 dstport 4789 2>/dev/null || skip "kernel without vxlan"
ip -n $led link del probe
start_standin

before=$(snapshot)
ip netns exec $caller stdbuf -oL ip monitor all >"$tmp/caller" 2>&1 &
pids+=($!)
sleep 0.2

test_commands
test_monitor
test_many
test_refused
test_api
same ip link del vxlan1
shown ip link
test_server_ends

check "the caller's own namespace" "$before" "$(snapshot)"
check "events in the caller's own namespace" "" "$(cat "$tmp/caller")"

[ $failures = 0 ] || { echo "$failures failures"; exit 1; }
echo "ok"
