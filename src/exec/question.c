/* SPDX-License-Identifier: Apache-2.0 */
/* A request of our own; question.h holds the contract. */
#include "question.h"

#include "channel.h"
#include "fdtable.h"
#include "portid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void question_put(struct question *q, int type, const void *data, size_t len)
{
	struct rtattr *rta = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(rta->rta_len);
}

/* One datagram of answers.  1: more will come; else 0 or a negative errno, and the end. */
static int answers(const char *data, size_t left, answer_fn *fn, void *arg)
{
	const struct nlmsghdr *head;
	int more = 1;

	while (head = (const void *)data, NLMSG_OK(head, left)) {
		const struct nlmsgerr *e = NLMSG_DATA(head);
		size_t step = NLMSG_ALIGN((size_t)head->nlmsg_len);

		if (head->nlmsg_type == NLMSG_DONE)
			return 0;
		if (head->nlmsg_type == NLMSG_ERROR)
			return head->nlmsg_len < NLMSG_LENGTH(sizeof(e->error)) ? -EPROTO
										: e->error;
		if (fn)
			fn(head, arg);
		if (!(head->nlmsg_flags & NLM_F_MULTI))
			more = 0;
		if (step >= left)
			break;
		data += step;
		left -= step;
	}
	return more;
}

static int next_answers(int fd, answer_fn *fn, void *arg)
{
	ssize_t len;
	char *data;
	int r;

	do {
		len = real.recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return -ENODEV;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	len = real.recv(fd, data, len, 0);
	r = len > 0 ? answers(data, len, fn, arg) : -ENODEV;
	free(data);
	return r;
}

static ssize_t send_whole(int fd, const struct question *q)
{
	ssize_t n;

	do {
		n = real.send(fd, q, q->head.nlmsg_len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Without the eventfd: the answer itself says when it ends. */
int question_ask(struct question *q, answer_fn *fn, void *arg)
{
	int saved = errno, fd, r = -ENODEV;

	fd = channel_connect(SOCK_CLOEXEC);
	if (fd < 0)
		goto out;
	fdtable_lock();
	q->head.nlmsg_pid = portid_other();
	fdtable_unlock();
	q->head.nlmsg_seq = 1;
	q->head.nlmsg_flags |= NLM_F_REQUEST;
	if (send_whole(fd, q) > 0) {
		do {
			r = next_answers(fd, fn, arg);
		} while (r > 0);
	}
	real.close(fd);
out:
	errno = saved;
	return r;
}
