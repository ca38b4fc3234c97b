/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the link types other than vxlan: ATTR_SET(table). */
