/* SPDX-License-Identifier: Apache-2.0 */
/* Links and their addresses; link.h holds the contract. */
#include "link.h"

#include "question.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static void parse_link(const struct nlmsghdr *head, void *arg)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(head);
	const struct rtattr *rta = IFLA_RTA(ifi);
	int left = IFLA_PAYLOAD(head);
	struct link *link = arg;

	if (head->nlmsg_type != RTM_NEWLINK || left < 0)
		return;
	link->index = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->type = ifi->ifi_type;
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		size_t len = RTA_PAYLOAD(rta);

		if (rta->rta_type == IFLA_MTU && len == 4)
			memcpy(&link->mtu, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFLA_TXQLEN && len == 4)
			memcpy(&link->txqlen, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFLA_IFNAME && len && len <= sizeof(link->name))
			memcpy(link->name, RTA_DATA(rta), len);
		else if (rta->rta_type == IFLA_ADDRESS && len <= sizeof(link->addr))
			memcpy(link->addr, RTA_DATA(rta), len);
	}
	link->name[IFNAMSIZ - 1] = '\0';
}

static struct question about_link(int type, int flags, int index)
{
	return (struct question){
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			 .nlmsg_type = type,
			 .nlmsg_flags = flags},
		.link = {.ifi_index = index},
	};
}

static int find(struct question *q, struct link *link)
{
	const uint32_t mask = RTEXT_FILTER_SKIP_STATS;
	int r;

	memset(link, 0, sizeof(*link));
	question_put(q, IFLA_EXT_MASK, &mask, sizeof(mask));
	r = question_ask(q, parse_link, link);
	return r ? r : link->index ? 0 : -ENODEV;
}

int link_find(const char *name, struct link *link)
{
	struct question q = about_link(RTM_GETLINK, 0, 0);
	size_t len = name ? strnlen(name, IFNAMSIZ) : 0;

	if (!len || len == IFNAMSIZ)
		return -ENODEV;
	question_put(&q, IFLA_IFNAME, name, len + 1);
	return find(&q, link);
}

int link_find_index(int index, struct link *link)
{
	struct question q = about_link(RTM_GETLINK, 0, index);

	return index > 0 ? find(&q, link) : -ENODEV;
}

int link_set_flags(const struct link *link, unsigned int flags)
{
	struct question q = about_link(RTM_NEWLINK, NLM_F_ACK, link->index);

	/* What dev_change_flags() lets be set; the rest of the word is state. */
	q.link.ifi_change =
		(link->flags ^ flags) &
		(IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI |
		 IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA | IFF_DYNAMIC);
	q.link.ifi_flags = flags & q.link.ifi_change;
	return q.link.ifi_change ? question_ask(&q, NULL, NULL) : 0;
}

int link_set_attr(const struct link *link, int type, const void *data, size_t len)
{
	struct question q = about_link(RTM_NEWLINK, NLM_F_ACK, link->index);

	question_put(&q, type, data, len);
	return question_ask(&q, NULL, NULL);
}

/* ---- addresses ---- */

struct addr_list {
	const char *only;
	struct ifreq *reqs;
	size_t count, room; /* 'count' goes on where 'room' ends */
};

static void add_addr(struct addr_list *list, const char *name, const struct sockaddr_in *sin)
{
	struct ifreq *req;

	if (list->only && strncmp(list->only, name, IFNAMSIZ))
		return;
	if (list->count++ >= list->room)
		return;
	req = &list->reqs[list->count - 1];
	memset(req, 0, sizeof(*req));
	memcpy(req->ifr_name, name, IFNAMSIZ);
	memcpy(&req->ifr_addr, sin, sizeof(*sin));
}

static void parse_addr(const struct nlmsghdr *head, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(head);
	const struct rtattr *rta = IFA_RTA(ifa);
	int left = IFA_PAYLOAD(head);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	char name[IFNAMSIZ] = "";

	if (head->nlmsg_type != RTM_NEWADDR || left < 0 || ifa->ifa_family != AF_INET)
		return;
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		size_t len = RTA_PAYLOAD(rta);

		if (rta->rta_type == IFA_LOCAL && len == 4)
			memcpy(&sin.sin_addr, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFA_LABEL && len <= sizeof(name))
			memcpy(name, RTA_DATA(rta), len);
	}
	name[IFNAMSIZ - 1] = '\0';
	add_addr(arg, name, &sin);
}

int link_addrs(const char *only, struct ifreq *reqs, size_t room, size_t *count)
{
	struct question q = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.addr)),
				      .nlmsg_type = RTM_GETADDR,
				      .nlmsg_flags = NLM_F_DUMP},
			     .addr = {.ifa_family = AF_INET}};
	struct addr_list list = {.only = only, .reqs = reqs, .room = room};
	int r = question_ask(&q, parse_addr, &list);

	if (!r)
		*count = list.count;
	return r;
}
