/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hostdriver.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int fd, const char *name, void *question)
{
	struct ifreq r = {.ifr_data = question};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &r) < 0 ? -errno : 0;
}

int host_driver(const char *name, struct host_driver *out)
{
	struct ethtool_drvinfo drv = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_cmd set = {.cmd = ETHTOOL_GSET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
	uint32_t speed;

	if (fd < 0)
		return -errno;
	r = ask(fd, name, &drv);
	*out = (struct host_driver){0};
	if (r == 0) {
		snprintf(out->name, sizeof(out->name), "%.32s", drv.driver);
		snprintf(out->version, sizeof(out->version), "%.32s", drv.version);
		snprintf(out->firmware, sizeof(out->firmware), "%.32s", drv.fw_version);
	}
	if (r == 0 && ask(fd, name, &set) == 0) {
		speed = ethtool_cmd_speed(&set);
		out->speed = speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed * 1000000ull;
		out->is_full = set.duplex == DUPLEX_FULL;
	}
	close(fd);
	return r;
}
