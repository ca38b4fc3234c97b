#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vxd in ovs-vswitchd's place: Debian's start script starts, finds, restarts and stops it; ovs-appctl
# finds its pid file and socket; it detaches when it is configured, is started again when it crashes,
# logs to a file that is rotated, and leaves or removes what the host shows.  The numbers are the
# statements' of the specification.
. "$(dirname "$0")/lib.sh"
CTL=/usr/share/openvswitch/scripts/ovs-ctl
for p in ovsdb-server ovs-vsctl ovs-appctl $CTL; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done

netns A
D=$TMP/d
mkdir -p "$D"/{bin,run,log,db,etc/openvswitch}
ln -s "$VXD" "$D/bin/ovs-vswitchd"
ln -s "$(command -v ovsdb-server)" "$D/bin/ovsdb-server"
export OVS_RUNDIR=$D/run OVS_LOGDIR=$D/log OVS_DBDIR=$D/db OVS_SYSCONFDIR=$D/etc OVS_SBINDIR=$D/bin
export VX_RUNDIR=$TMP/A XDG_STATE_HOME=$D/state
LOG=$D/log/ovs-vswitchd.log PIDFILE=$D/run/ovs-vswitchd.pid
OPTIONS="--no-state -vconsole:emer -vsyslog:off"

ctl() { LIMIT=60 in_ns A $CTL "$@" >"$TMP/ctl.out" 2>&1 </dev/null; }
appctl() { in_ns A ovs-appctl "$@"; }
vsctl() { in_ns A ovs-vsctl -t 5 "$@"; }
# What lives in the namespace ends with the test, whatever happened.
end_all() {
	local pid
	for pid in $(ip netns pids ${NSTAG}A 2>/dev/null); do
		kill "$pid" 2>/dev/null
	done
	sleep 0.3
	for pid in $(ip netns pids ${NSTAG}A 2>/dev/null); do
		kill -9 "$pid" 2>/dev/null
	done
	cleanup
}
trap end_all EXIT

# --- ovs-ctl ---
ctl start --system-id=random --ovs-vswitchd-options="--no-state -vsyslog:off" || fail "ovs-ctl start: $(cat "$TMP/ctl.out")"
pid=$(cat "$PIDFILE")
same "its name" ovs-vswitchd "$(cat "/proc/$pid/comm")"
ctl status || fail "ovs-ctl status: $(cat "$TMP/ctl.out")"
grep -q "ovs-vswitchd is running with pid $pid" "$TMP/ctl.out" || fail "status says: $(cat "$TMP/ctl.out")"
same "version (S61)" "ovs-vswitchd (Open vSwitch) 3.1.0" "$(appctl version)"
same "ovs_version" '"3.1.0"' "$(vsctl get Open_vSwitch . ovs_version)"
vsctl get Open_vSwitch . iface_types | grep -q vxlan || fail "iface_types (S2)"
vsctl add-br br1 || fail "add-br"
ip -n ${NSTAG}A addr add 192.168.77.1/24 dev br1
ip -n ${NSTAG}A link set br1 up
ip -n ${NSTAG}A route add 10.77.0.0/16 via 192.168.77.2
place() {
	echo $(ip -n ${NSTAG}A -o link show br1 | cut -d: -f1) \
		$(ip -n ${NSTAG}A -o -4 addr show br1 | awk '{print $4}') \
		$(ip -n ${NSTAG}A route show dev br1 | sed 's/ linkdown//' | tr '\n' ';')
}
had_place=$(place)
still_there() { same "br1 after $1 (84)" "$had_place" "$(place)"; }
ctl start || fail "a second ovs-ctl start"
same "it is left alone" "$pid" "$(cat "$PIDFILE")"
ctl restart --ovs-vswitchd-options="$OPTIONS" || fail "ovs-ctl restart: $(cat "$TMP/ctl.out")"
[ "$(cat "$PIDFILE")" != "$pid" ] || fail "it was not restarted"
still_there "ovs-ctl restart"

# --- a crash: the monitor starts it again ---
pid=$(cat "$PIDFILE")
kill -SEGV "$pid"
await eval '[ "$(cat "$PIDFILE")" != '$pid' ] && in_ns A ovs-appctl version'
still_there "a crash"
grep -q "|daemon_unix|ERR|pid $pid died, killed (Segmentation fault).*, restarting" "$LOG" || fail "no word of the crash: $(cat "$LOG")"
await eval 'vsctl --timeout=1 set Open_vSwitch . external_ids:a=b'

# --- the pid file (S61) ---
got=$(LIMIT=5 in_ns A env VX_RUNDIR="$TMP/B" "$D/bin/ovs-vswitchd" --pidfile --no-state 2>&1)
same "a second one's exit code" 1 $?
same "a second one" "ovs-vswitchd: $PIDFILE: already running as pid $(cat "$PIDFILE"), aborting" "$got"
cp "$PIDFILE" "$D/run/other.pid" # unlocked
appctl -t other version 2>"$TMP/err" && fail "an unlocked pid file is taken for a live one"
grep -q "No such process" "$TMP/err" || fail "$(cat "$TMP/err")"

# --- commands: texts of errors (S62, S63), the log (S71) ---
got=$(appctl nosuch 2>&1)
same "an unknown command's code" 2 $?
same "an unknown command" '"nosuch" is not a valid command (use "list-commands" to see a list of valid commands)
ovs-appctl: ovs-vswitchd: server returned an error' "$got"
same "too many arguments" '"version" command takes at most 0 arguments
ovs-appctl: ovs-vswitchd: server returned an error' "$(appctl version x 2>&1)"
appctl list-commands >"$TMP/commands"
same "the list's head" "The available commands are:" "$(head -1 "$TMP/commands")"
tail -n +2 "$TMP/commands" | LC_ALL=C sort -c || fail "the list is not sorted (S64)"
grep -qx "  vlog/set                {spec | PATTERN:destination:pattern}" "$TMP/commands" || fail "the list's form (S64): $(cat "$TMP/commands")"
for c in exit version ofproto/list; do
	grep -q "^  $c " "$TMP/commands" || fail "no command $c (S64)"
done
same "an empty answer" "" "$(appctl vlog/set bridge:file:dbg)"
same "a level" "bridge            EMER        OFF        DBG" "$(appctl vlog/list | grep ^bridge)"
same "an unknown level" 'no destination, level, or module "foo"
ovs-appctl: ovs-vswitchd: server returned an error' "$(appctl vlog/set bridge:foo 2>&1)"
appctl vlog/list-pattern | grep -qxF 'FILE     none                              %D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m' ||
	fail "patterns: $(appctl vlog/list-pattern)"
mv "$LOG" "$LOG.1"
appctl vlog/reopen || fail "vlog/reopen"
vsctl add-br br2 || fail "add-br br2"
grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z\|[0-9]{5}\|bridge\|INFO\|bridge br2: added interface br2 on port 65534$' "$LOG" ||
	fail "the new file: $(cat "$LOG")"
appctl vlog/set PATTERN:file:%c.%-6p.%m.%A || fail "a pattern"
vsctl del-br br2
vsctl add-br br2 -- add-port br2 nosuch0 2>/dev/null
grep -qx 'bridge.INFO  .bridge br2: added interface br2 on port 65534.ovs-vswitchd' "$LOG" || fail "the pattern: $(tail -5 "$LOG")"
vsctl del-br br2

# --- the end (S70) ---
pid=$(cat "$PIDFILE")
appctl exit || fail "exit"
same "files after exit" "db.sock" "$(ls "$D/run" | grep -v 'ovsdb-server\|other.pid\|ovs-vswitchd.[0-9]*.ctl')"
[ -e "$D/run/ovs-vswitchd.$pid.ctl" ] && fail "the socket stays"
still_there exit
[ -e "$TMP/A/vxd.ctl" ] && fail "vxd's sockets stay"

# --- signals (6.3 of the specification) ---
(cd "$D" && OVS_RUNDIR=run in_ns A bin/ovs-vswitchd --pidfile --detach $OPTIONS --log-file </dev/null >/dev/null 2>&1) ||
	fail "--detach, with a run directory that is relative"
still_there "a start without ovs-ctl"
for p in $(cat "$PIDFILE") $(pgrep -P "$(cat "$PIDFILE")"); do # vxd and its helper
	same "the directory of $(cat /proc/$p/comm)" / "$(readlink /proc/$p/cwd)"
done
grep -q "cannot change to /" "$LOG" && fail "$(grep "cannot change" "$LOG")"
kill "$(cat "$PIDFILE")"
await test ! -e "$PIDFILE"
grep -q "terminating with signal 15 (Terminated)" "$LOG" || fail "no word of the signal: $(tail -3 "$LOG")"
still_there SIGTERM

# --- an empty database (S1), and none (S90) ---
in_ns A ovs-appctl -t ovsdb-server exit
rm -f "$D/db/conf.db"
ovsdb-tool create "$D/db/conf.db" /usr/share/openvswitch/vswitch.ovsschema
in_ns A ovsdb-server "$D/db/conf.db" --remote="punix:$D/run/db.sock" --pidfile --detach --no-chdir -vconsole:off --log-file=/dev/null ||
	fail "ovsdb-server"
in_ns A "$D/bin/ovs-vswitchd" --pidfile --detach $OPTIONS </dev/null >/dev/null 2>&1 || fail "--detach with an empty database (S1)"
[ -S "$D/run/ovs-vswitchd.$(cat "$PIDFILE").ctl" ] || fail "no socket when --detach returns (S1)"
vsctl --no-wait init
vsctl add-br br1 || fail "add-br br1 again"
still_there "being adopted"
appctl exit --cleanup || fail "exit --cleanup"
ip -n ${NSTAG}A link show br1 >/dev/null 2>&1 && fail "br1 is there after exit --cleanup"
in_ns A ovs-appctl -t ovsdb-server exit
rm -f "$LOG"
in_ns A "$D/bin/ovs-vswitchd" unix:nosuch.sock --pidfile $OPTIONS --log-file &
await test -e "$PIDFILE"
await in_ns A ovs-appctl version
cpu() { awk '{print $14 + $15}' "/proc/$(cat "$PIDFILE")/stat"; }
before=$(cpu)
sleep 2
spent=$(($(cpu) - before))
[ $spent -le 4 ] || fail "waiting for the database takes $spent ticks in 2 s (S90)"
grep -qE '\|(WARN|ERR|EMER)\|' "$LOG" && fail "it complains (S90): $(cat "$LOG")"
same "lines of the log" 2 "$(wc -l <"$LOG")"
appctl exit || fail "exit without a database (S90)"
wait $!

# --- what is wrong on the command line ---
for row in "--nosuch|unknown option \"--nosuch\"" "-vfoo|processing --verbose: no destination, level, or module \"foo\"" \
	"a b|unknown word \"b\"" "--dpdk|there is no DPDK here"; do
	got=$(LIMIT=5 in_ns A "$D/bin/ovs-vswitchd" ${row%|*} 2>&1)
	same "the code of ${row%|*}" 1 $?
	same "${row%|*}" "ovs-vswitchd: ${row#*|}" "$(head -1 <<<"$got")"
done
same "--version" "ovs-vswitchd (Open vSwitch) 3.1.0" "$("$D/bin/ovs-vswitchd" --version | head -1)"
finish
