/* SPDX-License-Identifier: Apache-2.0 */
#include "vxlan/ecn.h"

#include "wire/ip4.h"

enum ecn_result ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *to)
{
	if (inner == ECN_NOT)
		return outer == ECN_CE ? ECN_DROP : ECN_KEEP;
	if (inner == ECN_CE || outer == inner || outer == ECN_NOT)
		return ECN_KEEP;
	if (outer == ECN_CE) {
		*to = ECN_CE;
		return ECN_SET;
	}
	if (inner == ECN_ECT0 && outer == ECN_ECT1) {
		*to = ECN_ECT1;
		return ECN_SET;
	}
	return ECN_KEEP;
}
