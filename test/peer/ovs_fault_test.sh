#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Faults around Open vSwitch's ports: the database's server, the lock, what is between, a second vxd,
# crashes, the host's hand on what is ours.  Nothing that was configured is lost, and vxd lives.  The
# numbers are the statements' of the specification.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-appctl ovs-vswitchd; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done

for n in A B; do netns $n; done
wire A eth0 B eth0
ip -n ${NSTAG}A addr add 172.16.0.38/24 dev eth0
ip -n ${NSTAG}B addr add 172.16.0.39/24 dev eth0
ip -n ${NSTAG}B link add vxlan1 up type vxlan id 100 dstport 4789 remote 172.16.0.38 local 172.16.0.39 dev eth0
ip -n ${NSTAG}B addr add 192.168.9.2/24 dev vxlan1
export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
SERVER=$OVS_RUNDIR/server.sock DB=$OVS_RUNDIR/db.sock LOG=$TMP/vxd.log
OVS_VXD="-vconsole:off -vfile:dbg --log-file=$LOG --ovsdb unix:$DB"
SCHEMA=$TMP/schema
# A newer schema (S12): columns that nobody here has heard of, and one less.
"$PYTHON" - /usr/share/openvswitch/vswitch.ovsschema >"$SCHEMA" <<'EOF'
import json, sys
schema = json.load(open(sys.argv[1]))
del schema["tables"]["Interface"]["columns"]["lldp"]
for table in schema["tables"].values():
    table["columns"]["novelty"] = {
        "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
schema.update(version="8.8.0", cksum="1 1")
print(json.dumps(schema))
EOF

start_database() {
	[ -e "$OVS_RUNDIR/conf.db" ] || ovsdb-tool create "$OVS_RUNDIR/conf.db" "$SCHEMA"
	ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$SERVER" --unixctl=none --no-chdir \
		-vconsole:off 2>"$TMP/ovsdb.err" &
	database=$!
	pids+=($database)
	await test -S "$SERVER"
}
kill_database() {
	kill -9 $database
	wait $database 2>/dev/null
	rm -f "$SERVER"
}
# connect: the database under the name that vxd knows; connect WORDS...: by the proxy.
connect() {
	[ -z "${proxy-}" ] || { kill $proxy; wait $proxy 2>/dev/null; }
	proxy=
	rm -f "$DB" "$TMP/messages"
	[ $# = 0 ] && { ln -s "$SERVER" "$DB"; return; }
	[ "$1" = plain ] && shift
	"$PYTHON" "$here/ovs_proxy.py" "$DB" "$SERVER" "$TMP/messages" "$@" &
	proxy=$!
	pids+=($proxy)
	await test -S "$DB"
}
vsctl() { timeout -k 1 8 ovs-vsctl --db="unix:$SERVER" -t 7 "$@"; }
client() { timeout -k 1 60 "$PYTHON" "$here/ovs_db_client.py" "$SERVER" "$@"; }
# vxd is started anew by start_vxd: only the last one is ended by finish.
forget() { vxds=($(printf '%s\n' "${vxds[@]}" | grep -vx "$1")); }
ms() { echo $(($(date +%s%N) / 1000000)); }
# within MS WHAT COMMAND...: it succeeds before so long is over, which is printed.
within() {
	local limit=$1 what=$2 began took
	shift 2
	began=$(ms)
	until "$@" >/dev/null 2>&1; do
		[ $(($(ms) - began)) -lt "$limit" ] || { fail "$what: not within $limit ms"; return 1; }
		sleep 0.02
	done
	echo "$what: $(($(ms) - began)) ms"
}
# Traffic beside what happens: B pings 50 times a second.
begin_traffic() {
	ip netns exec ${NSTAG}B ping -q -i 0.02 192.168.9.1 >"$TMP/ping" 2>&1 &
	pinging=$!
	sleep 0.1
}
# end_traffic WHAT [MAY-BE-LOST]
end_traffic() {
	local lost
	kill -INT $pinging
	wait $pinging
	lost=$(awk '/transmitted/ { print $1 - $4 }' "$TMP/ping")
	echo "$1: $(grep -o '^[0-9]* packets transmitted' "$TMP/ping"), $lost lost"
	[ "${lost:-999999}" -le "${2-1}" ] || fail "$1: $lost packets lost: $(cat "$TMP/ping")"
}
# What was configured, as ip and the database have it.
place() {
	echo $(ip -n ${NSTAG}A -o link show br1 | cut -d: -f1) \
		$(ip -n ${NSTAG}A -o -4 addr show br1 | awk '{print $4}') \
		$(ip -n ${NSTAG}A route show dev br1 | tr '\n' ';')
}
numbers() { echo $(vsctl get interface br1 ofport -- get interface vx1 ofport); }
# Written by vxd, and not kept by the database's server (S6).
ephemeral() {
	vsctl get bridge br1 datapath_id -- get interface br1 mac_in_use mtu status admin_state link_state ifindex \
		-- get interface vx1 mac_in_use statistics link_state
}
is_filled() { ! ephemeral | grep -qE '^(\[\]|\{\})$'; }

start_second() {
	OVS_RUNDIR=$TMP/ovs2 ip netns exec ${NSTAG}A "$VXD" --no-state --rundir "$TMP/A2" -vconsole:off \
		--log-file="$TMP/second.log" --ovsdb "unix:$TMP/second.sock" 2>"$TMP/A2.err" &
	second=$!
	pids+=($second)
}
kill_vxd() {
	kill -9 $VXD_PID_A
	wait $VXD_PID_A 2>/dev/null
	forget A
}
reaches() { in_ns "${2-B}" ping -qc1 -W0.3 "${1-192.168.9.1}"; }
# all_is_back WHAT MS
all_is_back() {
	within "$2" "$1" eval 'reaches && is_filled'
	same "numbers after: $1" "$had_numbers" "$(numbers)"
	same "place after: $1" "$had_place" "$(place)"
}
# messages CHECK [ARGUMENTS]: what the proxy saw.
messages() { "$PYTHON" "$here/ovs_messages.py" "$TMP/messages" "$@"; }

# --- a server that is not there yet ---
rm -f "$DB"
start_vxd A $OVS_VXD
sleep 0.5
start_database
vsctl --no-wait init -- add-br br1 -- add-port br1 vx1 -- set interface vx1 type=vxlan \
	options:remote_ip=172.16.0.39 options:key=100
connect plain
within 8000 "a server that comes later" is_filled || ephemeral
ip -n ${NSTAG}A addr add 192.168.9.1/24 dev br1
ip -n ${NSTAG}A link set br1 up
ip -n ${NSTAG}A route add 10.77.0.0/16 via 192.168.9.2
await reaches
had_place=$(place) had_numbers=$(numbers)

# --- a server that dies (S6) ---
begin_traffic
spent_before=$(awk '{ print $14 + $15 }' /proc/$VXD_PID_A/stat)
kill_database
sleep 6 # statistics are due, and there is nobody to tell; attempts are up to 8 s apart by then
spent=$(awk '{ print $14 + $15 }' /proc/$VXD_PID_A/stat)
start_database
within 9000 "all written again (S6)" is_filled || ephemeral
end_traffic "while the server was gone (S6)"
echo "CPU time meanwhile: $((spent - spent_before)) ticks in 6 s"
[ $((spent - spent_before)) -lt 100 ] || fail "vxd is busy without its database"
all_is_back "a server that died" 1000

# --- what a server, or what is between, may do ---
# restart: a new vxd, after a crash.
restart() {
	kill_vxd
	start_vxd A $OVS_VXD
}
# try WHAT WORDS...: by the proxy; a change is followed.
try() {
	local what=$1
	shift
	connect "$@"
	restart
	all_is_back "$what" 4000
	await grep -q transact "$TMP/messages"
	vsctl add-port br1 i1 -- set interface i1 type=internal ofport_request=77 || fail "$what: add-port"
	same "$what: i1" 77 "$(vsctl get interface i1 ofport)"
	vsctl del-port br1 i1 || fail "$what: del-port"
}
try "echoes (S7)" plain echo=0.1
await messages echoed
messages asserted || fail "messages: asserted" # S11
messages columns "$SCHEMA" || fail "messages: columns" # 12
messages used monitor_cond_since || fail "messages: used monitor_cond_since"
try "no monitor_cond_since (S13)" refuse=monitor_cond_since
messages used monitor_cond || fail "messages: used monitor_cond"
messages asserted || fail "messages: asserted"
try "no monitor_cond (S13)" refuse=monitor_cond_since,monitor_cond
messages used monitor || fail "messages: used monitor"
messages asserted || fail "messages: asserted"
try "byte by byte (S14)" split
messages asserted || fail "messages: asserted"
for bad in '{"id":}' '[1,2' '{"id":1,"method":5,"params":{}}' $'{"a":"\xff\x01"}' \
	'{"id":null,"method":"update3","params":[["monid","Open_vSwitch"],7,{"Bridge":{"x":{"modify":3}}}]}' \
	'{"id":99999,"result":[{"error":5}],"error":null}{"id":null,"method":"stolen","params":[7]}'; do
	begin_traffic
	connect garbage="$bad"
	within 8000 "the proxy again" grep -qx connected "$TMP/messages"
	await grep -qx garbage "$TMP/messages"
	sleep 0.2
	end_traffic "bad JSON: $bad"
	restart
	all_is_back "bad JSON: $bad" 4000
done
begin_traffic
connect plain
within 8000 "a connection without tricks" eval 'grep -q transact "$TMP/messages"'
end_traffic "a connection without tricks"

# --- huge transactions ---
follows() { [ "$(vsctl get Open_vSwitch . cur_cfg)" = "$(vsctl get Open_vSwitch . next_cfg)" ]; }
# huge WHAT COMMAND...
huge() {
	local what=$1
	shift
	client "$@" || fail "$what"
	within 20000 "$what" follows
}
begin_traffic
huge "20,001 rows that are of no use" junk 10000
huge "they go" unjunk
huge "1,000 ports in one" ports br1 1000
[ "$(vsctl get interface m999 ofport)" -gt 0 ] || fail "m999"
huge "they go" unports br1
end_traffic "huge transactions"
all_is_back "huge transactions" 2000

# --- the lock is stolen (S5) ---
client steal 2 >"$TMP/stolen" &
thief=$!
await grep -q stolen "$TMP/stolen"
await eval "! ip netns exec ${NSTAG}A ss -Hlun | grep -q :4789" # ovs.md 11.23
ip -n ${NSTAG}A link show br1 >/dev/null || fail "br1 went with the lock"
same "its place meanwhile" "${had_place%% *}" "$(place | cut -d' ' -f1)"
vsctl --no-wait add-port br1 i2 -- set interface i2 type=internal
wait $thief || fail "the thief"
same "what was written without the lock (S5)" "changes 0" "$(tail -1 "$TMP/stolen")"
all_is_back "the lock is back (S5)" 1000
await eval '[ "$(vsctl get interface i2 ofport)" -gt 0 ]'
vsctl del-port br1 i2 || fail "del-port i2"

# --- another vxd (S3, S4) ---
"$PYTHON" "$here/ovs_proxy.py" "$TMP/second.sock" "$SERVER" "$TMP/second.messages" &
pids+=($!)
start_second
await grep -q "another ovs-vswitchd process is running, disabling this process (pid $second) until it goes away" "$TMP/second.log"
vsctl set interface vx1 external_ids:n=1 || fail "a command beside the second"
sleep 0.3
grep -q '^> .*transact' "$TMP/second.messages" && fail "the second writes (S3)"
kill_vxd
all_is_back "the second takes over (S4)" 1000
kill -9 $second
wait $second 2>/dev/null
start_vxd A $OVS_VXD
all_is_back "the first again" 2000

# --- ends, and new starts, with traffic (S84) ---
begin_traffic
kill_vxd
start_vxd A $OVS_VXD
all_is_back "kill -9 and a new start (S84)" 2000
timeout 5 ovs-appctl exit || fail "exit"
wait $VXD_PID_A
forget A
same "place after exit" "$had_place" "$(place)"
start_vxd A $OVS_VXD
all_is_back "exit and a new start" 2000
end_traffic "two new starts" 200
same "one device of the tunnels (S84)" 1 "$(vx A exec ip -o link | grep -c vxlan_sys)"

# --- an internal port in another namespace, under another name ---
netns C
vsctl add-port br1 i3 -- set interface i3 type=internal || fail "add-port i3"
ip -n ${NSTAG}A link set i3 netns ${NSTAG}C name eth7
ip -n ${NSTAG}C link set eth7 up
ip -n ${NSTAG}C addr add 192.168.9.3/24 dev eth7
there() { ip -n ${NSTAG}C -o link show eth7 | grep -oE '^[0-9]+|mtu [0-9]+|ether [0-9a-f:]+'; ip -n ${NSTAG}C -o -4 addr show eth7; }
await reaches 192.168.9.3
had_there=$(there) had_i3=$(vsctl get interface i3 ofport)
kill_vxd
start_vxd A $OVS_VXD
within 2000 "a moved port after a crash" reaches 192.168.9.3
same "the moved port" "$had_there" "$(there)"
same "its number" "$had_i3" "$(vsctl get interface i3 ofport)"
ip -n ${NSTAG}A link show i3 >/dev/null 2>&1 && fail "a second i3"
vsctl del-port br1 i3
await eval "! ip -n ${NSTAG}C link show eth7"

# --- what happens while no vxd runs (control.md S2, ovs.md 11.23) ---
end_vxd() { # as a system does that stops it
	kill "$VXD_PID_A"
	wait "$VXD_PID_A" 2>/dev/null
	forget A
}
start_kept() { # start_vxd, with a state
	ip netns exec ${NSTAG}A "$VXD" --statedir "$TMP/state" --rundir "$TMP/A" $OVS_VXD 2>"$TMP/A.err" &
	pids+=($!)
	vxds+=(A)
	VXD_PID_A=$!
	await test -S "$TMP/A/vxd.ctl"
}
its_index() { vx A -j link show "$1" | grep -o '"ifindex":[0-9]*'; }
end_vxd
start_kept
within 2000 "a vxd with a state" reaches
for i in 4 5 6 7; do vsctl add-port br1 i$i -- set interface i$i type=internal || fail "add-port i$i"; done
vsctl add-br br3 || fail "add-br br3"
ip -n ${NSTAG}A link set i4 netns ${NSTAG}C name eth8
ip -n ${NSTAG}C link set eth8 up
ip -n ${NSTAG}C addr add 192.168.9.5/24 dev eth8
ip -n ${NSTAG}A link set i6 netns ${NSTAG}C
within 2000 "a moved port" reaches 192.168.9.5
await grep -q 'by-ovsdb i6 index [0-9]* side netns' "$TMP/state/vxd.state"
had_i4=$(its_index i4) had_sys=$(its_index vxlan_sys_4789)
end_vxd
ip -n ${NSTAG}A link show i5 >/dev/null || fail "i5 went with vxd"
vsctl --no-wait del-port i5 -- del-port i6 -- del-port i7 -- del-br br3
ip -n ${NSTAG}A link del i7
ip -n ${NSTAG}A tuntap add dev i7 mode tap # somebody else's
start_kept
within 2000 "a moved port after a stop" reaches 192.168.9.5
ip -n ${NSTAG}A link show i4 >/dev/null 2>&1 && fail "a second i4"
same "its index" "$had_i4" "$(its_index i4)"
same "the tunnels' index" "$had_sys" "$(its_index vxlan_sys_4789)"
for i in i5 br3; do
	await eval "! ip -n ${NSTAG}A link show $i"
	grep -q "$i went from the database while no vxd ran: removed" "$LOG" || fail "the log of $i"
done
await eval "! ip -n ${NSTAG}C link show i6"
ip -n ${NSTAG}A link show i7 >/dev/null || fail "somebody else's i7 is gone"
ip -n ${NSTAG}A link del i7
grep -qE 'i5|i6|i7|br3' "$TMP/state/vxd.state" && fail "the state: $(cat "$TMP/state/vxd.state")"
# A crash, and its namespace is gone: the port is made here.
netns D
vsctl add-port br1 i8 -- set interface i8 type=internal || fail "add-port i8"
ip -n ${NSTAG}A link set i8 netns ${NSTAG}D
await grep -q "by-ovsdb i8 .*netns" "$TMP/state/vxd.state"
end_vxd
ip netns del ${NSTAG}D
start_kept
await ip -n ${NSTAG}A link show i8
same "where i8 is" "$(its_index i8 | cut -d: -f2)" "$(ip -n ${NSTAG}A -o link show i8 | cut -d: -f1)"
vsctl del-port i4 -- del-port i8 || fail "del-port"
kill_vxd
vsctl --no-wait add-port br1 i9 -- set interface i9 type=internal
start_kept
await ip -n ${NSTAG}A link show i9
timeout 5 ovs-appctl exit --cleanup || fail "exit --cleanup"
wait $VXD_PID_A
forget A
grep -q by-ovsdb "$TMP/state/vxd.state" && fail "cleaned up: $(cat "$TMP/state/vxd.state")"
ip -n ${NSTAG}A link show i9 >/dev/null 2>&1 && fail "i9 stays"
vsctl --no-wait del-port i9
start_vxd A $OVS_VXD
ip -n ${NSTAG}A addr add 192.168.9.1/24 dev br1
ip -n ${NSTAG}A link set br1 up
ip -n ${NSTAG}A route add 10.77.0.0/16 via 192.168.9.2
within 2000 "as it was" reaches

# --- what ovs-vswitchd 3.1 leaves: TAPs with a single queue ---
# its COLUMN...: of the interfaces' of the host.
its() {
	for i in br7 i7; do
		ip -n ${NSTAG}R -o link show $i | grep -oE '^[0-9]+|ether [0-9a-f:]+|<[^>]*UP[^>]*>' | sed 's/,LOWER_UP//; s/,PROMISC//; s/,NO-CARRIER//'
		ip -n ${NSTAG}R -o -4 addr show $i | awk '{print $4}'
		ip -n ${NSTAG}R route show dev $i
	done
}
if ovs-vswitchd --version | grep -q ' 3\.1\.'; then
	netns R
	R=$TMP/theirs
	mkdir "$R"
	ovsdb-tool create "$R/conf.db" "$SCHEMA"
	ovsdb-server "$R/conf.db" --remote="punix:$R/db.sock" --unixctl=none --no-chdir -vconsole:off &
	pids+=($!)
	await test -S "$R/db.sock"
	theirs() { timeout -k 1 8 ovs-vsctl --db="unix:$R/db.sock" -t 7 "$@"; }
	theirs --no-wait init
	OVS_RUNDIR=$R ip netns exec ${NSTAG}R ovs-vswitchd "unix:$R/db.sock" --unixctl="$R/ctl" --no-chdir \
		-vconsole:off >"$R/out" 2>&1 &
	real=$!
	pids+=($real)
	ip -n ${NSTAG}R link add h8 up type veth peer name h9 netns ${NSTAG}C
	ip -n ${NSTAG}C addr add 192.168.7.2/24 dev h9
	ip -n ${NSTAG}C link set h9 up
	theirs add-br br7 -- set bridge br7 datapath_type=netdev -- add-port br7 i7 -- set interface i7 type=internal \
		-- add-port br7 h8 || fail "their ports"
	ip -n ${NSTAG}R addr add 192.168.7.1/24 dev br7
	ip -n ${NSTAG}R addr add 192.168.70.1/24 dev i7
	for i in br7 i7; do ip -n ${NSTAG}R link set $i up; done
	ip -n ${NSTAG}R route add 10.78.0.0/16 via 192.168.7.2
	await reaches 192.168.7.1 C || fail "their ping"
	had=$(its) had_ports=$(theirs --columns=name,ofport -f csv list interface)
	timeout 5 ovs-appctl -t "$R/ctl" exit || fail "their exit"
	wait $real
	start_real_successor() { OVS_RUNDIR=$R start_vxd R -vconsole:off --ovsdb "unix:$R/db.sock"; }
	start_real_successor
	within 2000 "taking over from 3.1" reaches 192.168.7.1 C
	same "what 3.1 left" "$had" "$(its)"
	same "its numbers" "$had_ports" "$(theirs --columns=name,ofport -f csv list interface)"
	ip -n ${NSTAG}R -d link show br7 | grep -q multi_queue && fail "its queues: $(ip -n ${NSTAG}R -d link show br7)"
	# A single queue cannot be kept by the helper, but where nobody else would look for it.
	ip -n ${NSTAG}R link set i7 netns ${NSTAG}C
	ip -n ${NSTAG}C addr add 192.168.7.7/24 dev i7
	ip -n ${NSTAG}C link set i7 up
	ip -n ${NSTAG}C link set h9 down
	await reaches 192.168.7.1 C
	kill -9 $VXD_PID_R
	wait $VXD_PID_R 2>/dev/null
	forget R
	start_real_successor
	within 2000 "a single queue after a crash" reaches 192.168.7.1 C
	theirs del-br br7 || fail "their del-br"
	await eval "! ip -n ${NSTAG}R link show br7"
	ip -n ${NSTAG}C link show i7 >/dev/null 2>&1 && fail "i7 stays"
	accounts R any
fi

# --- the host's hand (ovs.md 11.24, 86) ---
ip -n ${NSTAG}A link del br1
within 1000 "br1 is made again" eval "ip -n ${NSTAG}A link show br1"
grep -q "bridge br1: interface br1 was deleted on the host, and is made again" "$LOG" || fail "no warning"
ip -n ${NSTAG}A addr add 192.168.9.1/24 dev br1
ip -n ${NSTAG}A link set br1 up
ip -n ${NSTAG}A route add 10.77.0.0/16 via 192.168.9.2
within 2000 "it works" reaches
ip -n ${NSTAG}A link add h0 up type veth peer name h1 address 02:00:00:00:00:04 netns ${NSTAG}C
ip -n ${NSTAG}C addr add 192.168.9.4/24 dev h1
ip -n ${NSTAG}C link set h1 up
vsctl add-port br1 h0 || fail "add-port h0"
within 2000 "h0" reaches 192.168.9.4
had_h0=$(vsctl get interface h0 ofport)
ip -n ${NSTAG}A link del h0
within 2000 "h0 is missed" eval 'vsctl get interface h0 error | grep -q "No such device"'
ip -n ${NSTAG}A link add h0 up type veth peer name h1 address 02:00:00:00:00:04 netns ${NSTAG}C
ip -n ${NSTAG}C addr add 192.168.9.4/24 dev h1
ip -n ${NSTAG}C link set h1 up
within 2000 "h0 is back" reaches 192.168.9.4
same "its number" "$had_h0" "$(vsctl get interface h0 ofport)"
ip -n ${NSTAG}A link set h0 down
ip -n ${NSTAG}A link set h0 name h5 up
ip -n ${NSTAG}A link set h5 down
ip -n ${NSTAG}A link set h5 name h0 up
within 2000 "h0 was renamed, and back (S86)" reaches 192.168.9.4
vsctl del-port br1 h0
ip -n ${NSTAG}A link add br2 type veth peer name p2
vsctl add-br br2 2>"$TMP/err"
grep -q "could not open network device br2 (Invalid argument)" "$TMP/err" || fail "br2 is something else: $(cat "$TMP/err")"
same "br2" '-1' "$(vsctl get interface br2 ofport)"
ip -n ${NSTAG}A link del br2
await eval '[ "$(vsctl get interface br2 ofport)" = 65534 ]'
vsctl del-br br2 || fail "del-br br2"

kill -0 $VXD_PID_A || fail "vxd is gone"
vsctl del-br br1 || fail "del-br br1"
accounts A any
finish
