/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vxd and its helper give up for good: capabilities, the way to get new ones
 * (no_new_privs), and system calls.  sandbox.c has the lists with the reason for each entry: code
 * that needs another system call adds it there.
 *
 * A call that is not listed fails with ENOSYS and is logged (audit, `dmesg`).  Not with a kill: the
 * C library of tomorrow may try a call that is unknown today, and it falls back on an older one
 * after ENOSYS and after no other error.  Whoever runs code in vxd gains nothing from an error.
 *
 * Called before there are threads, which inherit all of it.  Where the kernel refuses, one sentence
 * on stderr says so, and things go on.
 */
#ifndef VX_VXD_SANDBOX_H
#define VX_VXD_SANDBOX_H

void sandbox_vxd(void);	   /* no capability, calls for sockets, files and threads */
void sandbox_helper(void); /* the capabilities for what helper_proto.h lists, and the calls */

#endif
