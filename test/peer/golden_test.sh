#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What vx prints against the lines that iproute2 7.1 prints for the same devices and entries, as
# vxlan.md 9.1 to 9.4 has them: no iproute2 is asked, so it does not matter which one is installed.
# golden.py has the lines.
. "$(dirname "$0")/lib.sh"
netns V
ip -n ${NSTAG}V link add ks-va type veth peer name ks-vb
ip -n ${NSTAG}V link set ks-va up
ip -n ${NSTAG}V link set ks-vb up
ip -n ${NSTAG}V addr add 10.0.0.1/24 dev ks-va
ip netns exec ${NSTAG}V sysctl -qw net.ipv6.conf.default.disable_ipv6=1
start_vxd V
timeout 100 "$PYTHON" "$here/golden.py" || failures=$((failures + 1))
accounts V
finish
