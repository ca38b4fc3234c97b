/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against the real ovsdb-server, which the test starts for itself in a directory of its
 * own, with ovs-vsctl and ovsdb-client as the others.  Skipped where they are not installed.
 */
#include "ovsdb/idl.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ovsdb/testing.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

static char dir[] = "/tmp/vxovsdb.XXXXXX";
static pid_t server;
static struct ovsdb_idl *idl;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* A command in the test's directory; its output, of which only the last call's stays. */
static const char *sh(const char *fmt, ...) PRINTF(1, 2);
static const char *sh(const char *fmt, ...)
{
	static char out[4096];
	char cmd[2048], line[3000];
	size_t n;
	va_list ap;
	FILE *f;
	int rc;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "cd %s && exec 2>&1 && timeout 60 %s", dir, cmd);
	f = popen(line, "r");
	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = 0;
	rc = pclose(f);
	if (rc)
		fail_msg("%s: %d: %s", cmd, rc, out);
	return out;
}

#define VSCTL "ovs-vsctl --db=unix:db.sock --no-wait -t 30 "

/* A process that ends with the test; its output is in FILE. */
static pid_t start(const char *file, const char *const argv[])
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir(dir) || !freopen(file, "w", stdout) || dup2(1, 2) < 0)
		_exit(1);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void stop(pid_t *pid, int sig)
{
	if (*pid > 0) {
		kill(*pid, sig);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

/* 'file' in the test's directory has 'text' in it within 5 s. */
static void wait_for_text(const char *file, const char *text)
{
	char path[100], buf[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	for (int i = 0; i < 500; i++) {
		FILE *f = fopen(path, "r");
		size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

		if (f)
			fclose(f);
		buf[n] = 0;
		if (strstr(buf, text))
			return;
		usleep(10000);
	}
	fail_msg("%s: no \"%s\" in \"%s\"", file, text, buf);
}

static void start_server(void)
{
	const char *const argv[] = {"ovsdb-server",	      "conf.db",
				    "--remote=punix:db.sock", "--remote=ptcp:0:127.0.0.1",
				    "--unixctl=ctl",	      "--no-chdir",
				    "--log-file=server.log",  NULL};

	sh("rm -f server.log db.sock");
	server = start("server.out", argv);
	wait_for_text("server.log", "ovsdb-server (Open vSwitch)");
}

static struct ovsdb_idl *make_idl(const char *remote)
{
	struct ovsdb_idl_config cfg = {
		.remote = remote, .rundir = dir, .lock = "ovs_vswitchd", .db = &test_db};
	struct ovsdb_idl *i;
	char why[200];

	if (ovsdb_idl_create(&i, &cfg, why, sizeof(why)))
		fail_msg("%s", why);
	return i;
}

static int begin(void **state)
{
	(void)state;
	sh("rm -f conf.db .conf.db.~lock~");
	sh("ovsdb-tool create conf.db " SCHEMA);
	start_server();
	sh(VSCTL "init");
	idl = make_idl("unix:db.sock");
	return 0;
}

static int finish(void **state)
{
	(void)state;
	ovsdb_idl_destroy(idl);
	stop(&server, SIGKILL);
	return 0;
}

/* --- waiting for states
 * ---------------------------------------------------------------------------------- */

static void turn(struct ovsdb_idl *i, uint64_t until)
{
	struct pollfd p = {.fd = ovsdb_idl_fd(i), .events = POLLIN};
	uint64_t deadline = until, t = now();

	ovsdb_idl_wait(i, &deadline);
	poll(&p, 1, deadline <= t ? 0 : (int)((deadline - t) / NS_PER_MS + 1));
	ovsdb_idl_run(i, now());
}

#define WAIT_FOR(i, cond)                                                                          \
	do {                                                                                       \
		uint64_t until_ = now() + 20 * NS_PER_S;                                           \
		while (!(cond) && now() < until_)                                                  \
			turn(i, MIN(until_, now() + 100 * NS_PER_MS));                             \
		if (!(cond))                                                                       \
			fail_msg("never: %s (%s)", #cond, ovsdb_idl_why(i));                       \
	} while (0)

static const struct ovsdb_row *find(size_t table, size_t name_column, const char *name)
{
	ovsdb_table_for_each(
		row, ovsdb_idl_table(idl, table)) if (!strcmp(ovsdb_row_string(row, name_column),
							      name)) return row;
	return NULL;
}

static const struct ovsdb_row *iface(const char *name)
{
	return find(T_IFACE, IFACE_NAME, name);
}

static void expect_txn(struct ovsdb_idl_txn *txn, enum ovsdb_idl_txn_status status)
{
	ovsdb_idl_txn_commit(txn);
	WAIT_FOR(idl, ovsdb_idl_txn_status(txn) != OVSDB_TXN_INCOMPLETE);
	if (ovsdb_idl_txn_status(txn) != status)
		fail_msg("%d %s", ovsdb_idl_txn_status(txn), ovsdb_idl_txn_error(txn));
	ovsdb_idl_txn_destroy(txn);
}

static struct ovsdb_idl_txn *set_ofport(const char *name, int64_t n)
{
	struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);

	ovsdb_idl_txn_set_integer(txn, iface(name), IFACE_OFPORT, n);
	return txn;
}

/* Status of br1 as its owner would write it. */
static struct ovsdb_idl_txn *write_status(void)
{
	struct ovsdb_idl_txn *txn = set_ofport("br1", 65534);
	struct ovsdb_datum d;

	ovsdb_idl_txn_set_string(txn, find(T_BRIDGE, BRIDGE_NAME, "br1"), BRIDGE_DATAPATH_ID,
				 "00003e23b677ce4f");
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_INTEGER);
	assert_true(ovsdb_datum_put_count(&d, "rx_packets", 5) &&
		    ovsdb_datum_put_count(&d, "tx_packets", 6));
	ovsdb_idl_txn_set(txn, iface("br1"), IFACE_STATISTICS, &d);
	return txn;
}

/* --- tests
 * ------------------------------------------------------------------------------------------------
 */

static void reads_and_writes(void **state)
{
	struct ovsdb_idl_txn *txn;
	unsigned seqno;

	(void)state;
	sh(VSCTL "add-br br1 -- set bridge br1 fail_mode=secure other_config:x=\\\"a,b\\\" "
		 "flood_vlans=[5,7]");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	WAIT_FOR(idl, iface("br1"));
	assert_string_equal(ovsdb_row_string(find(T_BRIDGE, BRIDGE_NAME, "br1"), BRIDGE_FAIL_MODE),
			    "secure");
	assert_int_equal(find(T_BRIDGE, BRIDGE_NAME, "br1")->d[BRIDGE_FLOOD_VLANS].n, 2);
	assert_ptr_equal(ovsdb_row_ref(ovsdb_row_ref(find(T_BRIDGE, BRIDGE_NAME, "br1"),
						     BRIDGE_PORTS, 0, ovsdb_idl_table(idl, T_PORT)),
				       PORT_INTERFACES, 0, ovsdb_idl_table(idl, T_IFACE)),
			 iface("br1"));
	seqno = ovsdb_idl_seqno(idl);
	expect_txn(write_status(), OVSDB_TXN_SUCCESS);
	assert_int_equal(ovsdb_idl_seqno(idl), seqno); /* its own writing */
	assert_string_equal(sh(VSCTL "get interface br1 ofport statistics"),
			    "65534\n{rx_packets=5, tx_packets=6}\n");
	assert_string_equal(sh(VSCTL "get bridge br1 datapath_id"), "\"00003e23b677ce4f\"\n");
	expect_txn(write_status(), OVSDB_TXN_UNCHANGED);
	/* Differences of maps and sets, as the server sends them. */
	sh(VSCTL "add-port br1 vx1 -- set interface vx1 type=vxlan options:key=1 "
		 "options:remote_ip=10.1.1.2");
	WAIT_FOR(idl, iface("vx1"));
	sh(VSCTL "set interface vx1 options:key=2 options:ttl=9 -- remove interface vx1 options "
		 "remote_ip "
		 "-- set port vx1 tag=3 -- remove bridge br1 flood_vlans 5 -- add bridge br1 "
		 "flood_vlans 6");
	WAIT_FOR(idl, ovsdb_row_integer(find(T_PORT, PORT_NAME, "vx1"), PORT_TAG, -1) == 3);
	assert_string_equal(ovsdb_row_get(iface("vx1"), IFACE_OPTIONS, "key"), "2");
	assert_string_equal(ovsdb_row_get(iface("vx1"), IFACE_OPTIONS, "ttl"), "9");
	assert_null(ovsdb_row_get(iface("vx1"), IFACE_OPTIONS, "remote_ip"));
	assert_int_equal(find(T_BRIDGE, BRIDGE_NAME, "br1")->d[BRIDGE_FLOOD_VLANS].n, 2);
	assert_int_equal(find(T_BRIDGE, BRIDGE_NAME, "br1")->d[BRIDGE_FLOOD_VLANS].keys[0].integer,
			 6);
	/* One key of a map, whatever else came into it. */
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_insert_pair(txn, iface("vx1"), IFACE_STATUS, "mine", "1");
	sh(VSCTL "set interface vx1 status:hers=2");
	expect_txn(txn, OVSDB_TXN_SUCCESS);
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_insert_pair(txn, iface("vx1"), IFACE_STATUS, "mine", "3");
	expect_txn(txn, OVSDB_TXN_SUCCESS);
	assert_string_equal(sh(VSCTL "get interface vx1 status"), "{hers=\"2\", mine=\"3\"}\n");
	/* What the server does not take. */
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_set_integer(txn, find(T_PORT, PORT_NAME, "vx1"), PORT_TAG, 5000);
	ovsdb_idl_txn_commit(txn);
	WAIT_FOR(idl, ovsdb_idl_txn_status(txn) != OVSDB_TXN_INCOMPLETE);
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_ERROR);
	assert_non_null(strstr(ovsdb_idl_txn_error(txn), "constraint violation"));
	ovsdb_idl_txn_destroy(txn);
	sh(VSCTL "del-port vx1 -- del-br br1");
	WAIT_FOR(idl, !iface("br1") && !iface("vx1"));
}

/* A wait on the column that somebody else wrote meanwhile. */
static void racing_write(void **state)
{
	struct ovsdb_idl_txn *txn;

	(void)state;
	sh(VSCTL "add-br br1");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl) && iface("br1"));
	txn = set_ofport("br1", 1);
	ovsdb_idl_txn_verify(txn, iface("br1"), IFACE_ERROR);
	expect_txn(txn, OVSDB_TXN_SUCCESS);
	txn = set_ofport("br1", 2);
	ovsdb_idl_txn_verify(txn, iface("br1"), IFACE_ERROR);
	sh(VSCTL "set interface br1 error=boo");
	expect_txn(txn, OVSDB_TXN_TRY_AGAIN);
	assert_string_equal(sh(VSCTL "get interface br1 ofport"), "1\n");
}

/* S5. */
static void lock_contention_and_steal(void **state)
{
	const char *const steal[] = {"ovsdb-client", "steal", "unix:db.sock", "ovs_vswitchd", NULL};
	struct ovsdb_idl *other, *mine;
	struct ovsdb_idl_txn *txn;
	pid_t thief;

	(void)state;
	sh(VSCTL "add-br br1");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl) && iface("br1"));
	other = make_idl("unix:db.sock");
	WAIT_FOR(other, ovsdb_idl_is_live(other) && ovsdb_idl_is_lock_contended(other));
	assert_false(ovsdb_idl_has_lock(other));
	/* The holder goes: it is the other's. */
	ovsdb_idl_destroy(idl);
	WAIT_FOR(other, ovsdb_idl_has_lock(other));
	mine = idl = other;
	/* Stolen, and this side has not heard of it yet: the server refuses the write. */
	assert_true(ovsdb_idl_has_lock(mine));
	thief = start("steal.out", steal);
	wait_for_text("steal.out", "locked");
	txn = set_ofport("br1", 77);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
	WAIT_FOR(mine, ovsdb_idl_txn_status(txn) != OVSDB_TXN_INCOMPLETE);
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_NOT_LOCKED);
	assert_non_null(strstr(ovsdb_idl_txn_error(txn), "not owner"));
	ovsdb_idl_txn_destroy(txn);
	assert_string_equal(sh(VSCTL "get interface br1 ofport"), "[]\n");
	/* By now it has. */
	WAIT_FOR(mine, ovsdb_idl_is_lock_contended(mine));
	expect_txn(set_ofport("br1", 78), OVSDB_TXN_NOT_LOCKED);
	/* The thief goes: the server gives it back unasked. */
	stop(&thief, SIGTERM);
	WAIT_FOR(mine, ovsdb_idl_has_lock(mine));
	expect_txn(set_ofport("br1", 79), OVSDB_TXN_SUCCESS);
	assert_string_equal(sh(VSCTL "get interface br1 ofport"), "79\n");
}

static void server_killed(void **state)
{
	unsigned snapshots;

	(void)state;
	sh(VSCTL "add-br br1 -- set bridge br1 other_config:a=b");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl) && iface("br1"));
	expect_txn(write_status(), OVSDB_TXN_SUCCESS);
	snapshots = ovsdb_idl_snapshots(idl);
	stop(&server, SIGKILL);
	WAIT_FOR(idl, !ovsdb_idl_is_connected(idl));
	assert_false(ovsdb_idl_has_lock(idl));
	assert_non_null(iface("br1")); /* all is kept */
	assert_int_equal(iface("br1")->d[IFACE_STATISTICS].n, 2);
	start_server();
	sh(VSCTL "add-port br1 p1"); /* before the client is back */
	WAIT_FOR(idl, ovsdb_idl_snapshots(idl) == snapshots + 1 && ovsdb_idl_has_lock(idl));
	WAIT_FOR(idl, iface("p1"));
	assert_int_equal(ovsdb_row_integer(iface("br1"), IFACE_OFPORT, -1), 65534);
	assert_int_equal(iface("br1")->d[IFACE_STATISTICS].n, 0); /* ephemeral */
	assert_string_equal(
		ovsdb_row_string(find(T_BRIDGE, BRIDGE_NAME, "br1"), BRIDGE_DATAPATH_ID), "");
	expect_txn(write_status(), OVSDB_TXN_SUCCESS);
	assert_string_equal(sh(VSCTL "get interface br1 statistics"),
			    "{rx_packets=5, tx_packets=6}\n");
}

static void thousand_interfaces(void **state)
{
	struct ovsdb_idl_txn *txn = NULL;
	size_t n = 0;

	(void)state;
	sh("sh -c '" VSCTL
	   "add-br br1 $(for i in $(seq 1000); do echo -- add-port br1 p$i -- set interface "
	   "p$i type=vxlan options:key=flow options:remote_ip=10.0.0.1; done)'");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl) && ovsdb_idl_table(idl, T_IFACE)->rows.n == 1001);
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_table_for_each(row, ovsdb_idl_table(idl, T_IFACE))
	{
		struct ovsdb_datum d;

		ovsdb_idl_txn_set_integer(txn, row, IFACE_OFPORT, (int64_t)++n);
		ovsdb_idl_txn_set_string(txn, row, IFACE_MAC_IN_USE, "02:00:00:00:00:01");
		ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_INTEGER);
		assert_true(ovsdb_datum_put_count(&d, "rx_bytes", (int64_t)n) &&
			    ovsdb_datum_put_count(&d, "tx_bytes", 0));
		ovsdb_idl_txn_set(txn, row, IFACE_STATISTICS, &d);
	}
	ovsdb_table_for_each(row, ovsdb_idl_table(idl, T_ROOT))
		ovsdb_idl_txn_set_integer(txn, row, ROOT_CUR_CFG, 9);
	expect_txn(txn, OVSDB_TXN_SUCCESS);
	/* Reported before the reply, so they are here already. */
	n = 0;
	ovsdb_table_for_each(row, ovsdb_idl_table(idl, T_IFACE))
		assert_int_equal(ovsdb_row_integer(row, IFACE_OFPORT, -1), ++n);
	assert_string_equal(sh("sh -c '" VSCTL "--bare --columns=name find interface "
			       "mac_in_use=02\\\\:00\\\\:00\\\\:00\\\\:00\\\\:01 | grep -c .'"),
			    "1001\n");
	assert_string_equal(sh(VSCTL "get open_vswitch . cur_cfg"), "9\n");
}

/* monitor_cond switched off: the server is as those were that had monitor only. */
static void old_server(void **state)
{
	(void)state;
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	sh("ovs-appctl -t %s/ctl ovsdb-server/disable-monitor-cond", dir);
	WAIT_FOR(idl, !ovsdb_idl_is_live(idl)); /* it has all reconnect */
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	sh(VSCTL "add-br br1 -- set interface br1 options:a=1 options:b=2");
	WAIT_FOR(idl, iface("br1"));
	sh(VSCTL "remove interface br1 options a -- set interface br1 type=tap");
	WAIT_FOR(idl, !strcmp(ovsdb_row_string(iface("br1"), IFACE_TYPE), "tap"));
	assert_int_equal(iface("br1")->d[IFACE_OPTIONS].n, 1);
	expect_txn(write_status(), OVSDB_TXN_SUCCESS);
	expect_txn(write_status(), OVSDB_TXN_UNCHANGED);
	sh(VSCTL "del-br br1");
	WAIT_FOR(idl, !iface("br1"));
}

/* The database is taken away and put back, and converted, while the session stays. */
static void database_comes_and_goes(void **state)
{
	json_t *schema = json_load_file(SCHEMA, 0, NULL);
	json_t *columns = json_object_get(schema, "tables");
	char path[100];

	(void)state;
	sh(VSCTL "add-br br1");
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl) && iface("br1"));
	sh("ovs-appctl -t %s/ctl ovsdb-server/remove-db Open_vSwitch", dir);
	WAIT_FOR(idl, !ovsdb_idl_is_live(idl));
	WAIT_FOR(idl, strstr(ovsdb_idl_why(idl), "has no database"));
	assert_true(ovsdb_idl_is_connected(idl));
	assert_non_null(iface("br1"));
	sh("ovs-appctl -t %s/ctl ovsdb-server/add-db %s/conf.db", dir, dir);
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	expect_txn(write_status(), OVSDB_TXN_SUCCESS);

	columns = json_object_get(json_object_get(columns, "Interface"), "columns");
	assert_int_equal(json_object_del(columns, "error"), 0);
	assert_int_equal(json_object_set_new(schema, "version", json_string("8.99.0")), 0);
	assert_int_equal(json_object_del(schema, "cksum"), 0);
	snprintf(path, sizeof(path), "%s/other.ovsschema", dir);
	assert_int_equal(json_dump_file(schema, path, 0), 0);
	json_decref(schema);
	sh("ovsdb-client convert unix:db.sock other.ovsschema");
	WAIT_FOR(idl, !ovsdb_table_has(ovsdb_idl_table(idl, T_IFACE), IFACE_ERROR));
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	assert_true(ovsdb_table_has(ovsdb_idl_table(idl, T_IFACE), IFACE_OFPORT));
	expect_txn(set_ofport("br1", 12), OVSDB_TXN_SUCCESS);
	assert_string_equal(sh(VSCTL "get interface br1 ofport"), "12\n");
}

/* TCP, the second of two remotes: probes keep an idle session, both ways. (S7) */
static void tcp_probes(void **state)
{
	char remote[100], port[20] = "";
	uint64_t until;
	unsigned snapshots;

	(void)state;
	ovsdb_idl_destroy(idl);
	snprintf(port, sizeof(port), "%.10s",
		 sh("sed -n 's/.*0:127.0.0.1: listening on port \\([0-9]*\\).*/\\1/p' server.log"));
	port[strcspn(port, "\n")] = 0;
	assert_true(atoi(port) > 0);
	snprintf(remote, sizeof(remote), "unix:nobody,tcp:127.0.0.1:%s", port);
	idl = make_idl(remote);
	ovsdb_idl_set_probe(idl, 1000);
	WAIT_FOR(idl, ovsdb_idl_has_lock(idl));
	assert_string_equal(ovsdb_idl_remote(idl), strchr(remote, ',') + 1);
	snapshots = ovsdb_idl_snapshots(idl);
	until = now() + 3500 * NS_PER_MS;
	while (now() < until)
		turn(idl, until);
	assert_true(ovsdb_idl_has_lock(idl));
	assert_int_equal(ovsdb_idl_snapshots(idl), snapshots);
	/* It hangs: noticed after two intervals. */
	kill(server, SIGSTOP);
	WAIT_FOR(idl, !ovsdb_idl_is_connected(idl));
	assert_non_null(strstr(ovsdb_idl_why(idl), "no answer to a probe"));
	kill(server, SIGCONT);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	/* Where relative names lead: not to the directories of the machine's own daemons. */
	setenv("OVS_RUNDIR", dir, 1);
	setenv("OVS_DBDIR", dir, 1);
	setenv("OVS_LOGDIR", dir, 1);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	sh("rm -rf %s", dir);
	return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes),		 TEST(racing_write),
		TEST(lock_contention_and_steal), TEST(server_killed),
		TEST(thousand_interfaces),	 TEST(old_server),
		TEST(database_comes_and_goes),	 TEST(tcp_probes),
	};
	char path[4096];

	snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin",
		 getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	setenv("PATH", path, 1);
	if (access("/usr/sbin/ovsdb-server", X_OK) || access(SCHEMA, R_OK)) {
		puts("skip: needs openvswitch-switch");
		return 77;
	}
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
