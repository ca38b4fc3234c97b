/* SPDX-License-Identifier: Apache-2.0 */
/* libc's own functions; real.h holds the contract. */
#include "real.h"

#include <dlfcn.h>

struct real real;

void real_start(void)
{
#define FIND(name) (real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name))
	FIND(socket), FIND(close), FIND(dup), FIND(dup2), FIND(dup3), FIND(fcntl), FIND(ioctl);
	FIND(bind), FIND(connect), FIND(getsockname), FIND(getpeername), FIND(setsockopt);
	FIND(getsockopt), FIND(send), FIND(sendto), FIND(sendmsg), FIND(sendmmsg), FIND(write);
	FIND(writev), FIND(recv), FIND(recvfrom), FIND(recvmsg), FIND(recvmmsg), FIND(read);
	FIND(readv);
#undef FIND
}
