/* SPDX-License-Identifier: Apache-2.0 */
/* vx exec: runs a program with its NETLINK_ROUTE sockets led to vxd. */
#ifndef VX_EXEC_H
#define VX_EXEC_H

/*
 * Becomes the program 'argv' (NULL at the end, searched in PATH as execvp() does) with the object
 * at 'preload_path' loaded and vxd found at 'nl_path'.  Returns only if that is refused or fails,
 * after one sentence on stderr: the exit code 1, 126 (found but cannot be run) or 127 (not found).
 *
 * A program that would drop the object and so act on the host is refused: spec/control.md, X6.
 */
int vx_exec(const char *nl_path, const char *preload_path, char **argv);

#endif
