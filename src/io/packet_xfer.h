/* SPDX-License-Identifier: Apache-2.0 */
/* The packet path of a packet socket: io->rx and io->tx. */
#ifndef VX_IO_PACKET_XFER_H
#define VX_IO_PACKET_XFER_H

#include "net/port.h"

uint32_t packet_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget);
void packet_tx(struct io *io, struct worker *w, struct batch *b);

#endif
