#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vx exec with the real vxd against the kernel: the same ip and bridge commands, led and direct, have to
# print the same, exit the same and leave the same.  Then what only vx exec has: programs that are
# refused, large dumps to an impatient reader, the end of vxd.
. "$(dirname "$0")/lib.sh"

for n in A K; do
	netns $n
	ip netns exec $NSTAG$n sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip -n $NSTAG$n link add eth0 type veth peer name e1
	ip -n $NSTAG$n addr add 10.10.10.11/24 dev eth0
	ip -n $NSTAG$n link set eth0 up
	ip -n $NSTAG$n link set e1 up
done
ip -n ${NSTAG}K link add probe type vxlan id 1 dstport 9 2>/dev/null ||
	skip "this kernel has no vxlan driver"
ip -n ${NSTAG}K link del probe
start_vxd A

led() { vx A exec "$@"; }
direct() { in_ns K "$@"; }

# Numbers and addresses of links are each side's own.
mask() {
	sed -E 's/^[0-9]+: /N: /; s/"ifindex":[0-9]+/"ifindex":N/g;
		s/(link\/ether |"address":"|lladdr )[0-9a-f:]{17}/\1MAC/g; s/@if[0-9]+/@ifN/g;
		s/^(vxlan1 +[A-Z]+ +)[0-9a-f:]{17}/\1MAC/'
}
outcome() {
	local out rc
	out=$("$@" 2>&1)
	rc=$?
	echo "$out"
	echo "exit $rc"
}

# both CMD...: led and direct, the same.
both() { same "$*" "$(outcome direct "$@" | mask)" "$(outcome led "$@" | mask)"; }

# differs REASON EXIT PATTERN CMD...: led, this exit code and text (control.md 4, vxlan.md 12); direct it
# has the same exit code.
differs() {
	local reason=$1 code=$2 pattern=$3 out rc
	shift 3
	direct "$@" >/dev/null 2>&1
	[ $? = "$code" ] || fail "$*: the kernel's exit code is not $code"
	out=$(led "$@" 2>&1)
	rc=$?
	[ $rc = "$code" ] && grep -q "$pattern" <<<"$out" || fail "$* ($reason): $rc, $out"
}

vxlan="type vxlan id 1 dstport 4789 remote 10.10.10.9 local 10.10.10.11 dev eth0"

# vx's own listing of the same device, where it does not depend on iproute2's version.
own() {
	same "vx $* as ip $*" "$(led ip "$@")" "$(vx A "$@")"
}

six_commands() {
	both ip link add vxlan1 $vxlan
	both ip link set vxlan1 up
	both ip -d link show vxlan1
	both ip -s link show vxlan1
	both bridge fdb show dev vxlan1
	same "the default entry" "00:00:00:00:00:00 dst 10.10.10.9 via eth0 self permanent" \
		"$(led bridge fdb show dev vxlan1)"
	both ip link del vxlan1
	both ip link show vxlan1
}

many_commands() {
	local m=02:00:00:00:00:07 zero=00:00:00:00:00:00
	both ip link add vxlan1 $vxlan
	both ip link set vxlan1 up
	both ip -br link show vxlan1
	both ip -o link show vxlan1
	both ip -s -s link show vxlan1
	own link show vxlan1
	own -s link show vxlan1
	own -s -s link show vxlan1
	same "JSON" "$(led ip -j -s -s link show vxlan1 | "$PYTHON" -m json.tool --sort-keys)" \
		"$(vx A -j -s -s link show vxlan1 | "$PYTHON" -m json.tool --sort-keys)"
	both bridge fdb append $zero dev vxlan1 dst 10.10.10.8
	both bridge fdb add $m dev vxlan1 dst 10.10.10.7 port 5000 vni 7 static
	both bridge fdb add $m dev vxlan1 dst 10.10.10.7
	both bridge fdb replace $m dev vxlan1 dst 10.10.10.6 dynamic
	both bridge fdb show dev vxlan1
	both bridge -j fdb show dev vxlan1
	both bridge -s fdb show dev vxlan1
	both bridge fdb show dev vxlan1 state permanent
	both bridge fdb get $m dev vxlan1 self
	both bridge fdb get 02:00:00:00:00:09 dev vxlan1 self
	both bridge fdb get $m dev vxlan1
	both bridge fdb del $m dev vxlan1
	both bridge fdb del 02:00:00:00:00:09 dev vxlan1
	# Both sentences for what is there.
	both ip link add vxlan1 $vxlan
	both ip link add vxlan2 $vxlan
	both ip link set vxlan1 type vxlan ttl 7
	both ip link set vxlan1 type vxlan tos 0x10 df set ageing 60 nolearning
	both ip -d link show vxlan1
	both ip link set vxlan1 type vxlan learning df unset tos inherit
	both ip -d link show vxlan1
	both ip link set vxlan1 type vxlan remote 10.10.10.5
	both bridge fdb show dev vxlan1
	local option
	for option in "dstport 5" "dstport 4789" "id 2" "id 1" "srcport 1 2" "maxaddress 9" noudpcsum \
		udp6zerocsumrx udp6zerocsumtx "remote fd00::1" "ttl inherit"; do
		both ip link set vxlan1 type vxlan $option
	done
	differs "the text names the limit" 2 1450 ip link set vxlan1 mtu 1451
	both ip link set vxlan1 mtu 67
	both ip link set vxlan1 mtu 65536
	both ip link set vxlan1 mtu 1400
	both ip link set vxlan1 address 02:00:00:00:00:99
	differs "the kernel says no more than EADDRNOTAVAIL" 2 "not unicast" \
		ip link set vxlan1 address 01:00:00:00:00:99
	both ip -d link show vxlan1
	both ip link set vxlan1 down
	both ip -d link show vxlan1
	both ip link set vxlan1 up
	both ip -j -d link show vxlan1
	both ip link show type vxlan
	both ip -d -j link show type vxlan
	both ip stats show dev vxlan1 group link
	both ip link show dev eth0
	both ip link show nosuch0
	both ip link del nosuch0
	both ip link add v9 type vxlan id 9 dstport 0 dev nosuch0
	both ip link add v9 type vxlan id 9 dstport 0 remote fd00::1 local 10.0.0.1
	both ip link add v9 type vxlan id 9 dstport 0 remote fd00::1 dev eth0
	both ip link add v9 type vxlan id 9 dstport 0 srcport 5 4
	both ip link add v9 address 01:00:00:00:00:01 type vxlan id 9 dstport 0
	both ip link add v9 type vxlan id 16777216 dstport 0
	both ip link add v9 type vxlan dstport 0
	both ip link add v9 type vxlan id 9
	both ip -d link show v9
	both ip link del v9
	both ip link add v9 mtu 1500 type vxlan id 9 dstport 0 dev eth0
	both ip -d link show v9
	both bridge fdb flush dev vxlan1
	both bridge fdb show dev vxlan1
	# The host's own FDB entries are not vx's to show (control.md I1).
	same "bridge fdb show, all of vx's" "" "$(led bridge fdb show | grep -v ' dev \(eth0\|e1\|lo\) ')"
	both ip link del v9
	both ip link del vxlan1
	both ip link show vxlan1
	both ip link show type vxlan
}

monitor() {
	local out=$TMP/monitor pid
	led stdbuf -oL ip monitor link >"$out" 2>&1 &
	pid=$!
	pids+=($pid)
	led ip link add mon0 type vxlan id 70 dstport 4789
	for _ in $(seq 40); do # it listens once it prints
		led ip link set mon0 up
		led ip link set mon0 down
		grep -q mon0 "$out" && break
		sleep 0.05
	done
	led ip link add mon1 type vxlan id 77 dstport 4789
	led ip link del mon1
	await grep -q 'Deleted.*mon1' "$out"
	grep -q '^[0-9]*: mon1' "$out" || fail "ip monitor does not show mon1"
	led ip link del mon0
	grep -q 'does not serve' "$out" && fail "ip monitor asks in vain: $(sort -u "$out" | grep serve)"
	kill -0 $pid || fail "ip monitor ended: $(cat "$out")"
	kill $pid
}

refused() { # PATTERN CMD...
	local pattern=$1 out rc
	shift
	out=$(led "$@" 2>&1)
	rc=$?
	[ $rc = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -qi "$pattern" <<<"$out" ||
		fail "vx exec $*: exit $rc: $out"
}

refusals() {
	echo 'void _start(void) { for (;;) ; }' >"$TMP/static.c"
	if ${CC:-cc} -static -nostdlib -o "$TMP/static" "$TMP/static.c" 2>/dev/null; then
		refused static "$TMP/static"
	else
		echo "note: no compiler, a static program is not tried"
	fi
	cp "$(command -v ip)" "$TMP/suid"
	chmod 4755 "$TMP/suid"
	refused set "$TMP/suid" link
	command -v sudo >/dev/null && refused sudo sudo ip link
	refused su su -c "ip link"
	outcome led /nonexistent/program | grep -q 'exit 127' ||
		fail "a program that is not there: $(outcome led /nonexistent/program)"
	outcome led sh -c 'exit 37' | grep -q 'exit 37' || fail "the program's exit code is lost"
}

# 10,000 entries, made by one batch, read whole by a reader that does not wait.
many() {
	local client=${CLIENT:-$TMP/client} i
	led ip link add vxlan1 $vxlan || fail "add for many"
	for i in $(seq 9999); do
		printf 'fdb add 02:00:01:00:%02x:%02x dev vxlan1 dst 10.10.10.8\n' $((i / 256)) $((i % 256))
	done >"$TMP/batch"
	LIMIT=60 led bridge -batch "$TMP/batch" || fail "bridge -batch"
	same "entries" 10000 "$(led bridge fdb show dev vxlan1 | wc -l)"
	same "entries by vx" 10000 "$(vx A fdb show dev vxlan1 | wc -l)"
	same "the same entries" "$(vx A fdb show dev vxlan1 | sort | md5sum)" \
		"$(led bridge fdb show dev vxlan1 | sort | md5sum)"
	if [ -x "$client" ] || ${CC:-cc} -D_GNU_SOURCE -pthread -o "$client" "$here/../exec/client.c" 2>/dev/null; then
		for i in 1 2 3; do
			same "dump with O_NONBLOCK" "10000 whole" "$(led "$client" dump 2>&1)"
		done
	else
		echo "note: no compiler, a reader with O_NONBLOCK is not tried"
	fi
	led ip link del vxlan1
}

# A monitor when vxd ends: told of it, and not spinning.
end_of_vxd() {
	local pid ticks
	led ip monitor link >"$TMP/end" 2>&1 &
	pid=$!
	pids+=($pid)
	sleep 0.3
	vx A stop || fail "stop"
	for _ in $(seq 60); do
		kill -0 "$VXD_PID_A" 2>/dev/null || break
		sleep 0.05
	done
	kill -0 "$VXD_PID_A" 2>/dev/null && fail "vxd still runs after vx stop"
	sleep 1
	if kill -0 $pid 2>/dev/null; then
		ticks=$(cut -d' ' -f14,15 /proc/$pid/stat | tr ' ' '+')
		[ $((ticks)) -lt 30 ] || fail "ip monitor spins: $ticks ticks"
		kill $pid
	else
		grep -q . "$TMP/end" || fail "ip monitor ended without a word"
	fi
	ip -n ${NSTAG}A link show type tun 2>/dev/null | grep -q . && fail "vx stop left interfaces"
	[ -e "$TMP/A/vxd.nl" ] && fail "vx stop left its socket"
	outcome led ip link show | grep -q 'vxd' || fail "vx exec without vxd: $(outcome led ip link show)"
}

six_commands
many_commands
monitor
refusals
many
accounts A
end_of_vxd
finish
