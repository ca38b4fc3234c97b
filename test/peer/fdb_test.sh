#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The forwarding database: commands, their text and exit codes, events, learning, roaming and ageing of
# vx fdb, of vx exec bridge and of bridge with the kernel.  Statements 49-53, 55-74 of vxlan.md section
# 10; fdb.py has the steps.
. "$(dirname "$0")/lib.sh"
bench X
timeout 100 "$PYTHON" "$here/fdb.py" || failures=$((failures + 1))
accounts V "fdb_static_elsewhere no_target"
accounts X "fdb_static_elsewhere no_target"
finish
