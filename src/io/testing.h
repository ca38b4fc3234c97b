/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of io/ against the kernel: a network namespace of the test's own. */
#ifndef VX_IO_TESTING_H
#define VX_IO_TESTING_H

/* Enters one, as root or in a user namespace, and runs 'command' there.  Where that does not work the
 * test is skipped, and 'lacks' says why. */
void io_test_enter(char **argv, const char *command, const char *lacks);

#endif
