#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes out: the same frames into vxd's device and into the kernel's, captured on the peer's
# interface and compared field by field.  Statements 19, 48 and 74-93 of vxlan.md section 10; tx.py has the cases.
. "$(dirname "$0")/lib.sh"
bench
timeout 110 "$PYTHON" "$here/tx.py" || failures=$((failures + 1))
accounts V any
finish
