/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32c, the checksum of SCTP (RFC 9260, appendix A). */
#ifndef VX_WIRE_CRC32C_H
#define VX_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from 'crc', which is ~0 to begin with; complemented at the end it is what a header holds,
 * lowest byte first. */
uint32_t crc32c_add(uint32_t crc, const void *p, size_t len);

#endif
