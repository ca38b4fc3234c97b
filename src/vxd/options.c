/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "log/vlog.h"
#include "net/vx.h"

enum { LINGER_MAX = 86400 };

static const char vxd_usage[] =
	"Usage: vxd [OPTIONS]\n"
	"A VXLAN switch in user space.  \"vx\" is the command that talks to it.\n"
	"\n"
	"  -f FILE          run the commands in FILE, one a line as \"vx\" takes them, without \"vx\";\n"
	"                   an error in one of them ends vxd, and nothing was made\n"
	"      --rundir DIR where the sockets vxd.nl and vxd.ctl are (default: $VX_RUNDIR, /run/vx,\n"
	"                   $XDG_RUNTIME_DIR/vx, or vx-UID in the temporary directory)\n"
	"      --statedir DIR where the state is kept (default: /var/lib/vx, $XDG_STATE_HOME/vx or\n"
	"                   ~/.local/state/vx)\n"
	"      --no-state   keep no state; so does -f without --statedir\n"
	"      --linger N   when vxd crashes, its helper holds the interfaces for N seconds, with their\n"
	"                   carrier, for the next vxd (default 60; 0: not at all)\n"
	"      --workers N  threads that carry packets, 1..16 (default 1)\n"
	"      --ovsdb REMOTE  the Open_vSwitch database (unix:PATH, tcp:ADDRESS[:PORT]): make what it\n"
	"                   asks for, and answer ovs-appctl\n"
	"\n"
	"Called as ovs-vswitchd, or with --ovsdb:\n";

static const char vswitchd_usage[] =
	"Usage: ovs-vswitchd [OPTIONS] [DATABASE]\n"
	"vxd, a VXLAN switch in user space, in ovs-vswitchd's place.  DATABASE is where ovsdb-server\n"
	"listens: unix:PATH or tcp:ADDRESS[:PORT] (default: unix:$OVS_RUNDIR/db.sock, and without that\n"
	"variable unix:/var/run/openvswitch/db.sock).\n"
	"\n";

static const char common_usage[] =
	"      --detach     go on in the background, once the first configuration is done\n"
	"      --monitor    another process starts it again when it crashes\n"
	"      --no-chdir   do not change to /\n"
	"      --pidfile[=FILE]  the pid file (default: ovs-vswitchd.pid in $OVS_RUNDIR)\n"
	"      --overwrite-pidfile  start even if somebody runs with that pid file\n"
	"      --unixctl=SOCKET  for ovs-appctl (default: ovs-vswitchd.PID.ctl; \"none\": none)\n"
	"  -v[SPEC], --verbose[=SPEC]  levels of the log, as \"ovs-appctl vlog/set\" takes them\n"
	"      --log-file[=FILE]  log to a file (default: ovs-vswitchd.log in $OVS_LOGDIR)\n"
	"      --mlockall   keep all of it in memory\n"
	"  -h, --help       this text\n"
	"  -V, --version    the version\n";

/* Those above this have no letter. */
enum {
	OPT_RUNDIR = 256,
	OPT_STATEDIR,
	OPT_NO_STATE,
	OPT_LINGER,
	OPT_WORKERS,
	OPT_OVSDB,
	OPT_DETACH,
	OPT_MONITOR,
	OPT_NO_CHDIR,
	OPT_PIDFILE,
	OPT_OVERWRITE,
	OPT_UNIXCTL,
	OPT_LOG_FILE,
	OPT_MLOCKALL,
	OPT_IGNORED, /* asks for what vxd does anyway, or has no use for */
	OPT_DPDK,
	OPT_TLS,
};

static const struct option longs[] = {
	{"rundir", required_argument, NULL, OPT_RUNDIR},
	{"statedir", required_argument, NULL, OPT_STATEDIR},
	{"no-state", no_argument, NULL, OPT_NO_STATE},
	{"linger", required_argument, NULL, OPT_LINGER},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"ovsdb", required_argument, NULL, OPT_OVSDB},
	{"detach", no_argument, NULL, OPT_DETACH},
	{"monitor", no_argument, NULL, OPT_MONITOR},
	{"no-chdir", no_argument, NULL, OPT_NO_CHDIR},
	{"pidfile", optional_argument, NULL, OPT_PIDFILE},
	{"overwrite-pidfile", no_argument, NULL, OPT_OVERWRITE},
	{"unixctl", required_argument, NULL, OPT_UNIXCTL},
	{"verbose", optional_argument, NULL, 'v'},
	{"log-file", optional_argument, NULL, OPT_LOG_FILE},
	{"mlockall", no_argument, NULL, OPT_MLOCKALL},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	/* ovs-vswitchd's others. */
	{"user", required_argument, NULL, OPT_IGNORED},
	{"no-self-confinement", no_argument, NULL, OPT_IGNORED},
	{"syslog-method", required_argument, NULL, OPT_IGNORED},
	{"syslog-target", required_argument, NULL, OPT_IGNORED},
	{"disable-system", no_argument, NULL, OPT_IGNORED},
	{"disable-system-route", no_argument, NULL, OPT_IGNORED},
	{"private-key", required_argument, NULL, OPT_TLS},
	{"certificate", required_argument, NULL, OPT_TLS},
	{"ca-cert", required_argument, NULL, OPT_TLS},
	{"bootstrap-ca-cert", required_argument, NULL, OPT_TLS},
	{"peer-ca-cert", required_argument, NULL, OPT_TLS},
	{"ssl-protocols", required_argument, NULL, OPT_TLS},
	{"ssl-ciphers", required_argument, NULL, OPT_TLS},
	{"dpdk", optional_argument, NULL, OPT_DPDK},
	{0},
};

static int bad_option(const char *fmt, const char *arg)
{
	fprintf(stderr, "%s: ", program_invocation_short_name);
	fprintf(stderr, fmt, arg);
	fprintf(stderr, "\nTry \"%s --help\".\n", program_invocation_short_name);
	return 1;
}

static bool is_number(const char *arg, unsigned long min, unsigned long max, uint32_t *v)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	*v = (uint32_t)n;
	return *arg && !*end && n >= min && n <= max;
}

/* "DIR/NAME", unless NAME is a path from the root; from the root in any case: the working directory
 * may become another. */
static void in_dir(char path[PATH_MAX], const char *dir, const char *name)
{
	char here[PATH_MAX], whole[PATH_MAX];

	if (!getcwd(here, sizeof(here)))
		strcpy(here, "/");
	snprintf(whole, sizeof(whole), *name == '/' || !*dir ? "%s%s" : "%s/%s",
		 *name == '/' ? "" : dir, name);
	snprintf(path, PATH_MAX, *whole == '/' ? "%.0s%s" : "%s/%s", here, whole);
}

static const char *absolute(const char *path)
{
	char whole[PATH_MAX];

	if (!path)
		return NULL;
	in_dir(whole, "", path);
	return strdup(whole); /* for the process's life */
}

static const char *directory(const char *variable, const char *none)
{
	const char *s = getenv(variable);

	return s && *s ? s : none;
}

static int set_log_file(const char *arg)
{
	char path[PATH_MAX];
	int r;

	in_dir(path, directory("OVS_LOGDIR", "/var/log/openvswitch"),
	       arg ? arg : "ovs-vswitchd.log");
	r = vlog_set_file(path);
	if (r == 0)
		return -1;
	/* A start script's directory may be missing: that is no reason not to switch. */
	fprintf(stderr, "%s: cannot write the log file %s: %s\n", program_invocation_short_name, path,
		strerror(-r));
	return -1;
}

static int set_verbose(const char *arg)
{
	struct text why = {0};
	int r = -1;

	if (!vlog_set(arg, &why))
		r = bad_option("processing --verbose: %s", text_get(&why));
	text_done(&why);
	return r;
}

static int help(const struct options *o)
{
	fputs(o->is_vswitchd ? vswitchd_usage : vxd_usage, stdout);
	fputs(common_usage, stdout);
	return 0;
}

static int version(const struct options *o)
{
	if (o->is_vswitchd)
		puts("ovs-vswitchd (Open vSwitch) " OVS_VERSION);
	puts("vxd " VX_VERSION);
	return 0;
}

/* How it is started, and where it says what. */
static int daemon_option(struct options *o, int c)
{
	switch (c) {
	case OPT_DETACH:
		o->daemon.detach = true;
		return -1;
	case OPT_MONITOR:
		o->daemon.monitor = true;
		return -1;
	case OPT_NO_CHDIR:
		o->daemon.chdir = false;
		return -1;
	case OPT_PIDFILE:
		o->daemon.must_pidfile = true;
		in_dir(o->pidfile, o->ovs_rundir, optarg ? optarg : "ovs-vswitchd.pid");
		return -1;
	case OPT_OVERWRITE:
		o->daemon.overwrite = true;
		return -1;
	case OPT_UNIXCTL:
		o->unixctl = optarg;
		return -1;
	case OPT_LOG_FILE:
		return set_log_file(optarg);
	case OPT_MLOCKALL:
		o->mlockall = true;
		return -1;
	case OPT_IGNORED:
		vlog(VLM_VSWITCHD, VLL_WARN, "an option of ovs-vswitchd without meaning here is "
					     "ignored (vxd has no privileges, its helper has)");
		return -1;
	case OPT_TLS:
		return bad_option("TLS to the database is not built: use unix: or tcp:%s", "");
	case OPT_DPDK:
		return bad_option("there is no DPDK here%s", "");
	}
	return -1;
}

static int option(struct options *o, int c, char **argv)
{
	switch (c) {
	case 'f':
		o->file = optarg;
		return -1;
	case OPT_RUNDIR:
		o->rundir = optarg;
		return -1;
	case OPT_STATEDIR:
		o->statedir = optarg;
		return -1;
	case OPT_NO_STATE:
		o->no_state = true;
		return -1;
	case OPT_LINGER:
		return is_number(optarg, 0, LINGER_MAX, &o->linger)
			       ? -1
			       : bad_option("--linger takes 0..86400 seconds, not \"%s\"", optarg);
	case OPT_WORKERS:
		return is_number(optarg, 1, VX_WORKERS_MAX, &o->workers)
			       ? -1
			       : bad_option("--workers takes 1..16, not \"%s\"", optarg);
	case OPT_OVSDB:
		snprintf(o->ovsdb, sizeof(o->ovsdb), "%s", optarg);
		return -1;
	case 'v':
		return set_verbose(optarg);
	case 'h':
		return help(o);
	case 'V':
		return version(o);
	case ':':
		return bad_option("\"%s\" needs a value", argv[optind - 1]);
	case '?':
		return bad_option("unknown option \"%s\"", argv[optind - 1]);
	}
	return daemon_option(o, c);
}

/* What was not said. */
static void fill_in(struct options *o)
{
	if (o->is_vswitchd && !*o->ovsdb)
		snprintf(o->ovsdb, sizeof(o->ovsdb), "unix:%s/db.sock", o->ovs_rundir);
	/* As vxd: ovs-appctl finds a switch by its pid file, and there is no reason to be lost. */
	if (*o->ovsdb && !o->is_vswitchd && !*o->pidfile)
		in_dir(o->pidfile, o->ovs_rundir, "ovs-vswitchd.pid");
	o->daemon.pidfile = *o->pidfile ? o->pidfile : NULL;
	o->daemon.chdir &= o->daemon.detach;
	if (!o->daemon.chdir)
		return;
	if (!o->rundir && *directory("VX_RUNDIR", "/") != '/')
		o->rundir = getenv("VX_RUNDIR");
	o->file = absolute(o->file);
	o->rundir = absolute(o->rundir);
	o->statedir = absolute(o->statedir);
}

int options_parse(int argc, char **argv, struct options *o)
{
	char rundir[PATH_MAX];
	int c, r = -1;

	*o = (struct options){.workers = 1, .linger = 60, .daemon.chdir = true};
	o->is_vswitchd = !strcmp(program_invocation_short_name, "ovs-vswitchd");
	in_dir(rundir, "", directory("OVS_RUNDIR", "/var/run/openvswitch"));
	snprintf(o->ovs_rundir, sizeof(o->ovs_rundir), "%s", rundir);
	vlog_init(program_invocation_short_name, !o->is_vswitchd);
	opterr = 0;
	while (r < 0 && (c = getopt_long(argc, argv, ":f:hVv::", longs, NULL)) >= 0)
		r = option(o, c, argv);
	if (r >= 0)
		return r;
	if (optind < argc && o->is_vswitchd)
		snprintf(o->ovsdb, sizeof(o->ovsdb), "%s", argv[optind++]);
	if (optind < argc)
		return bad_option("unknown word \"%s\"", argv[optind]);
	fill_in(o);
	return -1;
}
