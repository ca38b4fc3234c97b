#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is wrong is refused with one clear sentence and the exit code of vxlan.md 9.1, and changes
# nothing.  Where ip or bridge has the same command, its own sentence is the model.
. "$(dirname "$0")/lib.sh"

netns A; netns K
for n in A K; do
	ip -n $NSTAG$n link add eth0 type veth peer name e1
	ip -n $NSTAG$n addr add 10.0.0.1/24 dev eth0
	ip -n $NSTAG$n link set eth0 up
done
start_vxd A
vx A link add vxlan1 type vxlan id 1 dstport 4789 remote 10.0.0.2 || fail "the good device"
ip -n ${NSTAG}K link add vxlan1 type vxlan id 1 dstport 4789 remote 10.0.0.2 ||
	skip "this kernel has no vxlan driver"

# bad EXIT TEXT WORDS...: vx says exactly this line and nothing on stdout.  EXIT and TEXT are iproute2's.
bad() {
	local code=$1 text=$2 out rc
	shift 2
	out=$(vx A "$@" 2>"$TMP/err")
	rc=$?
	[ $rc = "$code" ] && [ -z "$out" ] && [ "$(cat "$TMP/err")" = "$text" ] ||
		fail "vx $*: exit $rc, not $code; $out$(cat "$TMP/err"); wanted $text"
}

# as_ip EXIT TEXT WORDS...: and iproute2 says so, too ("link" is ip's, "fdb" bridge's).
as_ip() {
	local code=$1 text=$2 tool=ip err rc
	shift 2
	bad "$code" "$text" "$@"
	[ "$1" = fdb ] && tool=bridge
	err=$(in_ns K $tool "$@" 2>&1 >/dev/null)
	rc=$?
	# 6.1 wrote "is a garbage" and an empty line after it.
	[ $rc = "$code" ] && [ "$(sed 's/is a garbage/is garbage/; /^$/d' <<<"$err")" = "$text" ] ||
		fail "$tool $*: exit $rc, $err: the test is wrong"
}

# sentence EXIT PATTERN WORDS...: a line of vx's own wording.
sentence() {
	local code=$1 pattern=$2 out rc
	shift 2
	out=$(vx A "$@" 2>&1)
	rc=$?
	[ $rc = "$code" ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q "$pattern" <<<"$out" ||
		fail "vx $*: exit $rc, not $code: $out"
}

v="link add x type vxlan id 9 dstport 0"

words_of_link() {
	local dev out
	as_ip 1 'vxlan: missing virtual network identifier' link add x type vxlan dstport 0
	as_ip 255 'Error: argument "16777216" is wrong: invalid id' link add x type vxlan id 16777216
	as_ip 255 'Error: argument "-1" is wrong: invalid id' link add x type vxlan id -1
	as_ip 255 'Error: argument "abc" is wrong: invalid id' link add x type vxlan id abc
	as_ip 255 'Command line is not complete. Try option "help"' link add x type vxlan id
	as_ip 255 'Command line is not complete. Try option "help"' $v remote
	as_ip 255 'Error: argument "256" is wrong: TTL must be <= 255' $v ttl 256
	as_ip 255 'Error: argument "much" is wrong: invalid TTL' $v ttl much
	as_ip 255 'Error: argument "300" is wrong: bad TOS value' $v tos 300
	as_ip 255 'Error: argument "maybe" is wrong: DF must be '"'unset', 'set' or 'inherit'" $v df maybe
	as_ip 255 'Error: argument "0x100000" is wrong: invalid flowlabel' $v flowlabel 0x100000
	as_ip 255 'Error: argument "70000" is wrong: dst port' link add x type vxlan id 9 dstport 70000
	as_ip 255 'Error: argument "70000" is wrong: min port' $v srcport 70000 1
	as_ip 255 'Error: argument "70000" is wrong: max port' $v srcport 1 70000
	as_ip 255 'Command line is not complete. Try option "help"' $v srcport 1
	as_ip 2 'Error: Invalid source port range.' $v srcport 5 4
	as_ip 255 'Error: argument "long" is wrong: ageing timer' $v ageing long
	as_ip 255 'Error: argument "few" is wrong: max addresses' $v maxaddress few
	as_ip 255 'Error: argument "239.1.1.1" is wrong: invalid remote address' $v remote 239.1.1.1
	as_ip 255 'Error: argument "10.0.0.9" is wrong: invalid group address' $v group 10.0.0.9
	as_ip 255 'Error: argument "239.1.1.1" is wrong: invalid local address' $v local 239.1.1.1
	as_ip 1 'Error: any valid address is expected rather than "10.0.0.x".' $v remote 10.0.0.x
	as_ip 1 'Error: inet address is expected rather than "fd00::2".' $v local 10.0.0.1 remote fd00::2
	as_ip 1 'Error: inet6 address is expected rather than "10.0.0.1".' $v remote fd00::2 local 10.0.0.1
	as_ip 1 "vxlan: 'group' requires 'dev' to be specified" $v group 239.1.1.1
	as_ip 1 'vxlan: both group and remote cannot be specified' \
		$v group 239.1.1.1 remote 10.0.0.2 dev eth0
	as_ip 255 'Error: either "id" is duplicate, or "10" is garbage.' link add x type vxlan id 9 id 10
	as_ip 255 'Error: either "nolearning" is duplicate, or "nolearning" is garbage.' \
		$v learning nolearning
	as_ip 2 'Error: Label attribute only applies to IPv6 VXLAN devices.' $v flowlabel 5
	as_ip 2 'Error: Local interface required for link-local local/remote addresses.' \
		$v remote fe80::1 local fe80::2
	for dev in "" "dev eth0"; do
		as_ip 2 'Error: Invalid combination of local and remote address scopes.' $v remote fe80::1 $dev
		as_ip 2 'Error: Invalid combination of local and remote address scopes.' \
			$v remote fe80::1 local fd00::1 $dev
		as_ip 2 'Error: Invalid combination of local and remote address scopes.' \
			$v remote fd00::2 local fe80::1 $dev
	done
	as_ip 255 'Cannot find device "absent"' $v dev absent
	as_ip 2 'Error: Provided Ethernet address is not unicast.' \
		link add x address 01:00:00:00:00:01 type vxlan id 9 dstport 0
	as_ip 2 'RTNETLINK answers: File exists' link add vxlan1 type vxlan id 9 dstport 0
	as_ip 2 'RTNETLINK answers: File exists' link add eth0 type vxlan id 9 dstport 0
	as_ip 2 'Error: A VXLAN device with the specified VNI already exists.' \
		link add x type vxlan id 1 dstport 4789
	as_ip 1 'Device "absent" does not exist.' link show absent
	as_ip 1 'Cannot find device "absent"' link del absent
	as_ip 1 'Cannot find device "absent"' link set absent up
	as_ip 2 'Error: Cannot change VNI.' link set vxlan1 type vxlan id 2
	as_ip 2 'Error: Cannot change port.' link set vxlan1 type vxlan dstport 4789
	as_ip 2 'Error: Cannot change port range.' link set vxlan1 type vxlan srcport 1 2
	as_ip 2 'Error: Cannot change limit.' link set vxlan1 type vxlan maxaddress 5
	as_ip 2 'Error: Cannot change UDP_CSUM flag.' link set vxlan1 type vxlan noudpcsum
	as_ip 2 'Error: New group address family does not match old group.' \
		link set vxlan1 type vxlan remote fd00::2
	as_ip 2 'Error: mtu less than device minimum.' link set vxlan1 mtu 67
	as_ip 2 'Error: mtu greater than device maximum.' link set vxlan1 mtu 65536
	out=$(vx A $v colour red 2>&1)
	[ $? = 1 ] && [ "${out%%$'\n'*}" = 'vxlan: unknown command "colour"?' ] || fail "colour: $out"
	sentence 255 'frob' link frob
	sentence 255 'gizmo' gizmo add
	sentence 255 'zap' --zap link show
	sentence 2 'not built' $v remcsumtx
	sentence 2 'not built' $v proxy
	sentence 2 'group' $v group 239.1.1.1 dev eth0
}

words_of_fdb() {
	local m=02:00:00:00:00:01
	as_ip 255 'Error: argument "16777216" is wrong: invalid VNI' \
		fdb add $m dev vxlan1 dst 10.0.0.2 vni 16777216
	as_ip 255 'Error: argument "70000" is wrong: invalid port' \
		fdb add $m dev vxlan1 dst 10.0.0.2 port 70000
	as_ip 255 'Invalid mac address 02:00:00:00:01' fdb add 02:00:00:00:01 dev vxlan1 dst 10.0.0.2
	as_ip 255 'Device and address are required arguments.' fdb add $m dst 10.0.0.2
	as_ip 255 'Device and address are required arguments.' fdb add dev vxlan1 dst 10.0.0.2
	as_ip 255 'Cannot find device "absent"' fdb add $m dev absent dst 10.0.0.2
	as_ip 255 'Cannot find device "absent"' fdb show dev absent
	as_ip 255 'Error: either "dst" is duplicate, or "10.0.0.3" is garbage.' \
		fdb add $m dev vxlan1 dst 10.0.0.2 dst 10.0.0.3
	as_ip 255 'RTNETLINK answers: Invalid argument' fdb add $m dev vxlan1
	as_ip 255 'RTNETLINK answers: Address family not supported by protocol' \
		fdb add $m dev vxlan1 dst fd00::2
	as_ip 255 'RTNETLINK answers: No such file or directory' fdb del $m dev vxlan1
	as_ip 254 'Error: Fdb entry not found.' fdb get $m dev vxlan1 self
	as_ip 254 'Error: Device is not a bridge port.' fdb get $m dev vxlan1
	as_ip 255 'Command line is not complete. Try option "help"' fdb add $m dev
	sentence 255 'frob' fdb frob
}

port_in_use() {
	"$PYTHON" - "$NSTAG" <<'P' &
import sys
sys.path.insert(0, sys.path[0])
import ctypes, os, socket, time
fd = os.open("/run/netns/" + sys.argv[1] + "A", os.O_RDONLY)
ctypes.CDLL(None).setns(fd, 0x40000000)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4789))
time.sleep(10)
P
	local pid=$!
	pids+=($pid)
	await sh -c "ip netns exec ${NSTAG}A ss -lun 2>/dev/null | grep -q :4789"
	bad 2 'RTNETLINK answers: Address already in use' link set vxlan1 up
	vx A link show vxlan1 | grep -q 'state DOWN' || fail "up failed, but the device is not down"
	kill $pid
	wait $pid 2>/dev/null
	vx A link set vxlan1 up || fail "up once the port is free"
	vx A link set vxlan1 down
}

programs() {
	local out rc
	out=$("$VX" --rundir "$TMP/none" link show 2>&1)
	rc=$?
	[ $rc = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q 'vxd is not running' <<<"$out" ||
		fail "vx without vxd: exit $rc: $out"
	out=$("$VX" --rundir "$TMP/none" drops 2>&1)
	rc=$?
	[ $rc = 1 ] && grep -q 'vxd is not running' <<<"$out" || fail "vx drops without vxd: exit $rc: $out"
	out=$(in_ns A "$VXD" --no-state --rundir "$TMP/A" 2>&1)
	rc=$?
	[ $rc = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q 'another vxd' <<<"$out" ||
		fail "second vxd: exit $rc: $out"
	vx A link show vxlan1 >/dev/null || fail "the second vxd hurt the first"
	for option in --zap word "--workers 0" "--workers x" "--rundir"; do
		out=$(in_ns A "$VXD" $option 2>&1)
		[ $? = 1 ] && grep -q '^vxd: ' <<<"$out" || fail "vxd $option: $out"
	done
	out=$(in_ns A "$VXD" --no-state --rundir "$TMP/A2" -f "$TMP/absent" 2>&1)
	[ $? = 1 ] && grep -q "$TMP/absent" <<<"$out" || fail "vxd -f absent file: $out"
}

# vxd -f: all or nothing, and the line is named.
config_file() {
	local out rc
	cat >"$TMP/bad.conf" <<-F
		# a comment
		link add c1 type vxlan id 21 dstport 4700 remote 10.0.0.2
		link set c1 up

		link add c2 type vxlan id 22 dstport 4700
		fdb add 02:00:00:00:00:01 dev c1 dst 10.0.0.3
		link add c3 type vxlan id 16777216 dstport 4700
		link add c4 type vxlan id 24 dstport 4700
	F
	out=$(LIMIT=5 in_ns K "$VXD" --no-state --rundir "$TMP/f" -f "$TMP/bad.conf" 2>&1)
	rc=$?
	[ $rc = 1 ] && grep -q 'bad.conf:7\|line 7' <<<"$out" && grep -q 'invalid id' <<<"$out" ||
		fail "vxd -f with an error in line 7: exit $rc: $out"
	in_ns K ip -br link show | grep -q '^c[1-4] ' && fail "vxd -f left something: $(in_ns K ip -br link)"
	[ -e "$TMP/f/vxd.nl" ] && fail "vxd -f left its sockets"
	grep -v 16777216 "$TMP/bad.conf" >"$TMP/good.conf"
	netns F
	start_vxd F -f "$TMP/good.conf"
	same "vxd -f" "c1 c2 c4" "$(vx F -j link show | "$PYTHON" -c '
import json, sys
print(*sorted(d["ifname"] for d in json.load(sys.stdin)))')"
	vx F fdb show dev c1 | grep -q '^02:00:00:00:00:01 dst 10.0.0.3 self permanent$' ||
		fail "vxd -f: no FDB entry"
	accounts F tunnel_no_route # what the host says by itself on c1
}

# vx -b: those before the error are made, it is named, the rest is not.
batch() {
	local out rc
	cat >"$TMP/batch" <<-F
		link add b1 type vxlan id 31 dstport 4701
		# a comment
		link add b2 type vxlan id 32 dstport 4701
		link add b3 type vxlan id 31 dstport 4701
		link add b4 type vxlan id 34 dstport 4701
	F
	out=$(vx A -b "$TMP/batch" 2>&1)
	rc=$?
	[ $rc = 2 ] && grep -q 'already exists' <<<"$out" && grep -q 'batch:4' <<<"$out" ||
		fail "vx -b: exit $rc: $out"
	vx A link show b2 >/dev/null || fail "vx -b: b2 was not made"
	vx A link show b4 >/dev/null 2>&1 && fail "vx -b went on"
	out=$(vx A -b "$TMP/absent" 2>&1)
	[ $? = 1 ] && grep -q "$TMP/absent" <<<"$out" || fail "vx -b absent file: $out"
	printf 'link del b1\nlink del b2\n' | vx A -b - || fail "vx -b -"
}

# Bytes that are no netlink and no JSON: vxd lives, and its other clients are served.
junk() {
	timeout 20 "$PYTHON" - "$TMP/A" <<'P' || fail "junk to the sockets"
import os, random, socket, struct, sys
random.seed(1)
good = struct.pack("IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0)
for i in range(400):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(1)
    s.connect(sys.argv[1] + "/vxd.nl")
    b = bytearray(random.randbytes(random.choice((1, 15, 16, 17, 40, 300))))
    if i % 2:  # a head that is almost right
        n = random.choice((0, 3, 15, 16, 20, len(b), len(b) + 4, 0xffffffff))
        b[:16] = struct.pack("IHHII", n, random.choice((16, 17, 18, 19, 28, 29, 30, 0xff00)),
                             random.choice((1, 5, 0x301, 0x405, 0x605)), i, 0)
    try:
        s.send(bytes(b))
        if i % 10 == 0:
            s.send(good)
            s.recv(65536)
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass
    s.close()
for text in (b"junk\n", b"{", b'{"id":0,"method":5,"params":{}}', b"[" * 5000, b'{"method":"drops"}',
             b'{"id":1,"method":"nothing","params":[]}', b"\0" * 100, b'{"id":1,"method":"drops","params":[1,{}]}'):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(0.2)
    s.connect(sys.argv[1] + "/vxd.ctl")
    try:
        s.send(text)
        s.recv(65536)
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass
    s.close()
P
	kill -0 "$VXD_PID_A" || fail "vxd died of junk"
	vx A link show vxlan1 >/dev/null || fail "vxd does not serve after junk"
}

# More clients than vxd has descriptors for are turned away, and cost it nothing.
crowd() {
	local pid=$VXD_PID_A limit ticks
	limit=$(prlimit --pid $pid --nofile --noheadings --output=SOFT | tr -d ' ')
	prlimit --pid $pid --nofile=$(($(ls /proc/$pid/fd | wc -l) + 3)):
	ticks=$(awk '{ print $14 + $15 }' /proc/$pid/stat)
	timeout 20 "$PYTHON" - "$TMP/A/vxd.ctl" <<-'P' || fail "clients are not turned away"
		import socket, sys, time
		held = []
		for i in range(50):
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(5)
		    s.connect(sys.argv[1])
		    held.append(s)
		time.sleep(2)
		away = 0
		for s in held:
		    s.setblocking(False)
		    try:
		        away += s.recv(1) == b""
		    except BlockingIOError:
		        pass
		    except ConnectionResetError:
		        away += 1
		print(f"{away} of 50 were turned away")
		sys.exit(not 40 <= away < 50)
	P
	ticks=$(($(awk '{ print $14 + $15 }' /proc/$pid/stat) - ticks))
	[ $ticks -lt 50 ] || fail "vxd is busy with clients that it has no descriptors for: $ticks ticks in 2 s"
	prlimit --pid $pid --nofile=$limit:
	await vx A link show vxlan1
}

words_of_link
words_of_fdb
same "nothing was changed" "$(vx A -d link show)" "$(vx A -d link show vxlan1)"
same "no entry was made" "00:00:00:00:00:00 dst 10.0.0.2 self permanent" "$(vx A fdb show dev vxlan1)"
port_in_use
programs
config_file
batch
junk
crowd
accounts A
finish
