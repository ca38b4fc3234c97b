/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vx exec; exec.h holds the contract.
 *
 * The loader drops a preloaded object without a word where it must not or cannot load it, and the
 * program then configures the host instead of vxd.  So everything that would have this effect is
 * looked for first: no loader at all, another machine's or another C library's, privileges gained
 * by the exec.  What the program starts later is out of reach.
 */
#include "exec.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { EXIT_REFUSED = 1, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };
enum { SCRIPT_DEPTH = 5 }; /* the kernel follows fewer interpreters of interpreters */
enum { HEAD_SIZE = 256 };  /* what the kernel reads of a file to find "#!" */

/* What the start of a program file tells. */
struct elf_info {
	bool is_elf;
	unsigned char class;
	uint16_t machine;
	char interp[PATH_MAX]; /* "" without PT_INTERP */
};

/* Prints "vx exec: " and one sentence; returns 'code'. */
__attribute__((format(printf, 2, 3))) static int refuse(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("vx exec: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

/* ---- vxd and the object ---- */

static int check_vxd(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return refuse(EXIT_REFUSED, "%s: the path is too long for a socket", path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(EXIT_REFUSED, "no socket: %s", strerror(errno));
	err = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
	close(fd);
	if (err == EACCES || err == EPERM)
		return refuse(EXIT_REFUSED, "%s: vxd does not let this user in: %s", path,
			      strerror(err));
	if (err)
		return refuse(EXIT_REFUSED, "%s: vxd is not running here: %s", path, strerror(err));
	return 0;
}

/* Where PT_INTERP of the ELF file 'fd' points; "" if there is none or the file is damaged. */
static void read_interp(int fd, const ElfW(Ehdr) * eh, struct elf_info *info)
{
	for (int i = 0; i < eh->e_phnum; i++) {
		ElfW(Phdr) ph;
		ssize_t n;

		if (pread(fd, &ph, sizeof(ph), eh->e_phoff + (off_t)i * sizeof(ph)) != sizeof(ph))
			return;
		if (ph.p_type != PT_INTERP || ph.p_filesz >= sizeof(info->interp))
			continue;
		n = pread(fd, info->interp, ph.p_filesz, ph.p_offset);
		info->interp[n > 0 ? n : 0] = '\0';
		return;
	}
}

static void read_elf(int fd, struct elf_info *info)
{
	ElfW(Ehdr) eh;

	memset(info, 0, sizeof(*info));
	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return;
	info->is_elf = true;
	info->class = eh.e_ident[EI_CLASS];
	info->machine = eh.e_machine; /* at the same place in both classes */
	if (info->class == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	    eh.e_phentsize == sizeof(ElfW(Phdr)))
		read_interp(fd, &eh, info);
}

/* Fills in what 'path' is built for. */
static int check_object(const char *path, struct elf_info *object)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return refuse(EXIT_REFUSED, "%s cannot be loaded: %s", path, strerror(errno));
	read_elf(fd, object);
	close(fd);
	/* The loader's own word on it (a file system mounted noexec, say): there it would only
	 * warn. */
	if (!dlopen(path, RTLD_NOW | RTLD_LOCAL))
		return refuse(EXIT_REFUSED, "cannot load %s", dlerror());
	if (strpbrk(path, " :"))
		return refuse(EXIT_REFUSED, "%s: the loader takes no path with a space or a colon",
			      path);
	return 0;
}

/* ---- finding the program ---- */

static bool is_runnable(const char *path, int *err)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISDIR(st.st_mode) && access(path, X_OK))) {
		*err = errno;
		return false;
	}
	*err = EACCES;
	return !S_ISDIR(st.st_mode);
}

/* Writes the file that execvp() would take for 'name' to 'path'.  0 or an exit code. */
static int find_program(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");
	int err = ENOENT, denied = 0;

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		if (is_runnable(path, &err))
			return 0;
		return refuse(err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN,
			      "%s: %s", name, strerror(err));
	}
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; *name; dirs++) {
		int len = strcspn(dirs, ":");

		if (snprintf(path, PATH_MAX, "%.*s/%s", len ? len : 1, len ? dirs : ".", name) <
			    PATH_MAX &&
		    is_runnable(path, &err))
			return 0;
		if (err == EACCES)
			denied = err;
		dirs += len;
		if (!*dirs)
			break;
	}
	if (denied)
		return refuse(EXIT_CANNOT_RUN, "%s: %s", name, strerror(denied));
	return refuse(EXIT_NOT_FOUND, "%s: no such program in PATH", name);
}

/* ---- would it take the object? ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool drops_by_name(const char *path)
{
	const char *base = base_name(path);

	return !strcmp(base, "sudo") || !strcmp(base, "su");
}

/* Names that reset the environment, by the name given or the file behind it. */
static int check_name(const char *path)
{
	char target[PATH_MAX];

	if (drops_by_name(path) || (realpath(path, target) && drops_by_name(target)))
		return refuse(EXIT_REFUSED,
			      "%s drops what vx exec loads and would act on the host; "
			      "run vx exec inside it",
			      path);
	return 0;
}

static int check_privileges(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
	if (st.st_mode & (S_ISUID | S_ISGID))
		return refuse(EXIT_REFUSED,
			      "%s is set-user-id or set-group-id, so it would drop what vx exec "
			      "loads and act on the host",
			      path);
	if (fgetxattr(fd, "security.capability", NULL, 0) >= 0)
		return refuse(EXIT_REFUSED,
			      "%s has file capabilities, so it would drop what vx exec loads and "
			      "act on the host",
			      path);
	return 0;
}

static int check_elf(const char *path, const struct elf_info *info, const struct elf_info *object)
{
	struct elf_info self = {0};
	int fd;

	if (info->class != object->class || info->machine != object->machine)
		return refuse(EXIT_REFUSED,
			      "%s is built for another kind of machine than what vx exec loads, "
			      "so it would act on the host",
			      path);
	if (!*info->interp)
		return refuse(EXIT_REFUSED,
			      "%s is a static program, which loads nothing, so it would act on "
			      "the host",
			      path);
	/* Another C library's loader (musl) passes over an object it cannot load. */
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		read_elf(fd, &self);
		close(fd);
	}
	if (*self.interp && strcmp(base_name(self.interp), base_name(info->interp)))
		return refuse(EXIT_REFUSED,
			      "%s uses the loader %s, which cannot load what vx exec loads, so it "
			      "would act on the host",
			      path, info->interp);
	return 0;
}

/* The interpreter of a "#!" line; false if 'head' is none. */
static bool parse_script(const char *head, char interp[HEAD_SIZE])
{
	size_t len;

	if (strncmp(head, "#!", 2))
		return false;
	head += 2;
	head += strspn(head, " \t");
	len = strcspn(head, " \t\n");
	memcpy(interp, head, len);
	interp[len] = '\0';
	return len > 0;
}

static int check_program(const char *path, const struct elf_info *object, int depth);

/* What is neither ELF nor "#!" is run by /bin/sh, as execvp() does. */
static int check_script(const char *path, int fd, const struct elf_info *object, int depth)
{
	char head[HEAD_SIZE + 1] = "", interp[HEAD_SIZE] = "/bin/sh";
	ssize_t n = pread(fd, head, HEAD_SIZE - 1, 0);

	if (n < 0)
		return refuse(EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
	if (depth >= SCRIPT_DEPTH)
		return refuse(EXIT_CANNOT_RUN, "%s: too many interpreters of interpreters", path);
	if (!parse_script(head, interp) && depth)
		return refuse(EXIT_CANNOT_RUN, "%s: not a program", path);
	return check_program(interp, object, depth + 1);
}

/* 0 if 'path' can be run and will take the object, else an exit code. */
static int check_program(const char *path, const struct elf_info *object, int depth)
{
	struct elf_info info;
	int fd, r = check_name(path);

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return refuse(EXIT_NOT_FOUND, "%s: %s", path, strerror(errno));
	if (fd < 0)
		return refuse(EXIT_REFUSED,
			      "%s cannot be read to see whether it would act on the "
			      "host: %s",
			      path, strerror(errno));
	r = check_privileges(path, fd);
	if (!r) {
		read_elf(fd, &info);
		r = info.is_elf ? check_elf(path, &info, object)
				: check_script(path, fd, object, depth);
	}
	close(fd);
	return r;
}

/* ---- running it ---- */

static int set_environment(const char *nl_path, const char *preload_path)
{
	const char *old = getenv("LD_PRELOAD");
	char *list = NULL;
	int r;

	if (asprintf(&list, "%s%s%s", preload_path, old && *old ? ":" : "", old ? old : "") < 0)
		return -1;
	r = setenv("LD_PRELOAD", list, 1) || setenv("VX_NL", nl_path, 1);
	free(list);
	return r ? -1 : 0;
}

int vx_exec(const char *nl_path, const char *preload_path, char **argv)
{
	char nl_abs[PATH_MAX], preload_abs[PATH_MAX], path[PATH_MAX];
	struct elf_info object;
	int r;

	if (!argv || !argv[0])
		return refuse(EXIT_REFUSED, "which program?");
	if (!realpath(nl_path, nl_abs))
		return refuse(EXIT_REFUSED, "%s: vxd is not running here: %s", nl_path,
			      strerror(errno));
	r = check_vxd(nl_abs);
	if (r)
		return r;
	if (!realpath(preload_path, preload_abs))
		return refuse(EXIT_REFUSED, "%s cannot be loaded: %s", preload_path,
			      strerror(errno));
	r = check_object(preload_abs, &object);
	if (r)
		return r;
	r = find_program(argv[0], path);
	if (r)
		return r;
	r = check_program(path, &object, 0);
	if (r)
		return r;
	if (set_environment(nl_abs, preload_abs))
		return refuse(EXIT_REFUSED, "no memory");
	execvp(path, argv); /* by the path that was checked; it has a slash */
	return refuse(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s: %s", path,
		      strerror(errno));
}
