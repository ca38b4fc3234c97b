# SPDX-License-Identifier: Apache-2.0
#
# What the demonstrations share: two hosts as network namespaces, $a and $b, joined by eth0; commands
# shown as one would type them.  Everything happens in a mount namespace of the script, so nothing is
# left of it.  Read by them with "." after $demo, the name of the demonstration, was set.
VX=$(readlink -f "${VX:-build/src/vx}") VXD=$(readlink -f "${VXD:-build/src/vxd}")
export VX VXD

die() { echo "$demo: $*" >&2; exit 1; }
[ -x "$VX" ] && [ -x "$VXD" ] || die "no vx and vxd; run make first"
command -v ip >/dev/null || die "no ip command (package iproute2)"

# Namespaces first: /run is a fresh one, because "ip netns" keeps its names there.
if [ "${1:-}" != --inside ]; then
	flags=(--mount)
	[ "$(id -u)" = 0 ] || flags+=(--user --map-root-user --net)
	unshare "${flags[@]}" true 2>/dev/null ||
		die "this user may not make namespaces (unshare ${flags[*]}): run it as root"
	exec unshare "${flags[@]}" "$0" --inside
fi
mount -t tmpfs tmpfs /run || die "cannot mount a private /run"

a=vxdemo-a$$ b=vxdemo-b$$
tmp=$(mktemp -d)
vx_pids=() other_pids=() failures=0 step=0

cleanup() {
	trap - EXIT INT TERM HUP
	for pid in "${vx_pids[@]}" "${other_pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${vx_pids[@]}" "${other_pids[@]}"; do
		wait "$pid" 2>/dev/null
	done
	for ns in $a $b; do
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

say() { step=$((step + 1)); printf '\n%d. %s\n' $step "$*"; }
note() { printf '   (%s)\n' "$*"; }
bad() { printf '   FAILED: %s\n' "$*"; failures=$((failures + 1)); }

# Shows a command as one would type it, and runs it; what it prints is indented.
show() {
	local code
	printf '   $ %s\n' "$*"
	run "$@" 2>&1 | sed 's/^/     /'
	code=${PIPESTATUS[0]}
	[ "$code" = 0 ] || bad "$* (exit code $code)"
	return "$code"
}

# vx talks to the vxd of namespace a; all else happens in it.
run() {
	local cmd=$1
	shift
	case $cmd in
	vx) "$VX" --rundir "$tmp/a" "$@" ;;
	*) ip netns exec $a "$cmd" "$@" ;;
	esac
}

# Waits up to 5 s for a command to succeed.
await() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	return 1
}

start_vxd() {	# NAMESPACE RUNDIR [OPTIONS]
	local ns=$1 dir=$2
	shift 2
	ip netns exec "$ns" "$VXD" --no-state --rundir "$dir" "$@" 2>"$tmp/vxd.err" &
	vx_pids+=($!)
	await test -S "$dir/vxd.ctl" && return
	sed 's/^/     /' "$tmp/vxd.err"
	die "vxd does not start"
}

two_hosts() {	# ADDRESS/LENGTH of each
	ip netns add $a && ip netns add $b || die "cannot make network namespaces"
	ip -n $a link add eth0 type veth peer name eth0 netns $b || die "cannot make a veth pair"
	for ns in $a $b; do
		ip -n $ns link set lo up
		ip -n $ns link set eth0 up
	done
	ip -n $a addr add "$1" dev eth0
	ip -n $b addr add "$2" dev eth0
}

# Are these the stages, in this order, of one of the packets in the file?
names_stages() {	# FILE STAGES
	awk -v want="$2" '
		BEGIN { n = split(want, w, /[ \t\n]+/) }
		/^#/ { k = 1 }
		{ sub(/^[^a-z]*/, ""); if (k <= n && $1 == w[k]) k++; if (k > n) found = 1 }
		END { exit !found }' "$1"
}

finish() {
	echo
	[ $failures = 0 ] || { echo "$demo: $failures steps failed"; exit 1; }
	echo "$demo: all went well"
	exit 0
}
