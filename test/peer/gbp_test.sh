#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Group policies on the wire: what a pair of devices in a bridge makes of them, vx's and the kernel's.
# Statements 13, 41, 42 and 98 of vxlan.md section 10; gbp.py has the cases.
. "$(dirname "$0")/lib.sh"
bench
timeout 60 "$PYTHON" "$here/gbp.py" || failures=$((failures + 1))
accounts V any
finish
