#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What comes in: the same raw VXLAN datagrams to vxd's device and to the kernel's.  Statements 14, 15
# and 21-40 of vxlan.md section 10; rx.py has the table.
. "$(dirname "$0")/lib.sh"
bench
timeout 100 "$PYTHON" "$here/rx.py" || failures=$((failures + 1))
accounts V any
finish
