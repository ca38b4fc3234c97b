#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Frames that are longer than their path takes: who is told what, by vx and by the kernel.  Statements
# 94-96 of vxlan.md section 10; pmtu.py has the cases.
. "$(dirname "$0")/lib.sh"
command -v ping >/dev/null || skip "needs ping"
bench
timeout 100 "$PYTHON" "$here/pmtu.py" || failures=$((failures + 1))
accounts V any
finish
