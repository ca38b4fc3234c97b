# SPDX-License-Identifier: Apache-2.0
"""Devices and entries, and what vx has to print of them, character by character.  Masked are indices
(N), MACs of devices (MAC) and seconds.  Options that vx has not built are left out of the lines; where
vx differs on purpose (vxlan.md section 12) the line says so.  Called by golden_test.sh."""
import atexit
import re

from lib import *

V = [VX, "--rundir", TMP + "/V"]
DEV_LINE = re.compile(r"(?m)^\d+: ")
LINK_MAC = re.compile(r"(link/ether )[0-9a-f:]{17}")


def vx(*words):
    return run(*V, *words)


def do(*words):
    rc, out, err = vx(*words)
    if rc or out or err:
        fail("vx " + " ".join(words), "exit %d: %s%s" % (rc, out, err))


def same(what, wanted, got):
    if wanted != got:
        fail(what, "wanted %s\ngot    %s" % (wanted, got))


def masked(text):
    return LINK_MAC.sub(r"\1MAC", DEV_LINE.sub("N: ", text))


# The rest of a detailed line; vx adds a line of its own, what stands behind the device.
TAIL = "addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 " \
    "tso_max_size %d tso_max_segs 65535 gro_max_size 65536 gso_ipv4_max_size 65536 " \
    "gro_ipv4_max_size 65536 \n    vx tap\n"

# Options, the MTU, the largest TSO, and the third line of -d: 9.2.
DEVICES = [
    (["id", "100", "dstport", "4789"], 1500, 65536,
     "vxlan id 100 srcport 0 0 dstport 4789 ttl auto ageing 300 reserved_bits 0xf7ffffff000000ff "),
    (["id", "100", "remote", "10.0.0.2", "dev", "ks-va", "srcport", "5000", "6000", "dstport", "4789",
      "tos", "0x10", "ttl", "5", "df", "set", "ageing", "100", "maxaddress", "10", "nolearning",
      "noudpcsum"], 1450, 524280,
     "vxlan id 100 remote 10.0.0.2 dev ks-va srcport 5000 6000 dstport 4789 tos 0x10 ttl 5 df set "
     "ageing 100 maxaddr 10 reserved_bits 0xf7ffffff000000ff nolearning noudp_csum "),
    (["id", "100", "remote", "fd00::2", "local", "fd00::1", "dstport", "8472", "tos", "inherit", "ttl",
      "inherit", "df", "inherit", "flowlabel", "0x12345", "udp6zerocsumtx", "udp6zerocsumrx"], 1500,
     65536,
     "vxlan id 100 remote fd00::2 local fd00::1 srcport 0 0 dstport 8472 tos inherit ttl inherit "
     "df inherit flowlabel 0x12345 ageing 300 reserved_bits 0xf7ffffff000000ff udp_zero_csum6_tx "
     "udp_zero_csum6_rx "),
    (["id", "16777215", "local", "10.0.0.1", "dstport", "0", "ttl", "auto", "tos", "1", "nolocalbypass",
      "reserved_bits", "0x0"], 1500, 65536,
     "vxlan id 16777215 local 10.0.0.1 srcport 0 0 dstport 8472 tos inherit ttl auto ageing 300 "
     "reserved_bits 0 nolocalbypass "),
    (["id", "100", "dstport", "4789", "gbp"], 1500, 65536,
     "vxlan id 100 srcport 0 0 dstport 4789 ttl auto ageing 300 reserved_bits 0x77000000000000ff gbp "),
    # Different on purpose: "none" is never; a word for the flow label's policy; peers.
    (["id", "0", "remote", "fd00::2", "dstport", "4789", "ageing", "none", "flowlabel", "inherit",
      "peers", "known"], 1500, 65536,
     "vxlan id 0 remote fd00::2 srcport 0 0 dstport 4789 ttl auto flowlabel inherit ageing 0 "
     "reserved_bits 0xf7ffffff000000ff peers known "),
]


def first_lines(mtu, up=False):
    return "N: vx: <BROADCAST,MULTICAST%s> mtu %d qdisc %s mode DEFAULT group default qlen 1000\n" \
        "    link/ether MAC brd ff:ff:ff:ff:ff:ff" % \
        (",UP,LOWER_UP" if up else "", mtu, "noqueue state UNKNOWN" if up else "noop state DOWN")


def link_text():
    """9.2, and the columns of 7.1."""
    for options, mtu, tso, third in DEVICES:
        do("link", "add", "vx", "type", "vxlan", *options)
        detail = " promiscuity 0 allmulti 0 minmtu 68 maxmtu 65535 \n    "
        for d in (["-d", "link", "show", "vx"], ["-details", "link", "show", "dev", "vx"],
                  ["-d", "link", "list", "type", "vxlan"]):
            same("9.2 " + " ".join(d + options), first_lines(mtu) + detail + third + TAIL % tso,
                 masked(vx(*d)[1]))
        same("9.2 link show", first_lines(mtu) + "\n", masked(vx("link", "show", "vx")[1]))
        do("link", "del", "vx")
    do("link", "add", "vx", "type", "vxlan", *DEVICES[1][0])
    all_of_it = vx("-d", "-d", "link", "show", "vx")[1].splitlines()[2]
    same("9.2 -d -d: all booleans",
         "reserved_bits 0xf7ffffff000000ff noexternal novnifilter nolearning noproxy norsc nol2miss "
         "nol3miss noudp_csum noudp_zero_csum6_tx noudp_zero_csum6_rx noremcsum_tx noremcsum_rx "
         "localbypass addrgenmode", all_of_it[all_of_it.index("reserved_bits"):
                                             all_of_it.index("addrgenmode") + 11])
    do("link", "set", "vx", "up")
    same("9.2 up", first_lines(1450, True) + "\n", masked(vx("link", "show", "vx")[1]))
    rx = "    RX:  bytes packets errors dropped  missed   mcast           \n" + \
        "             0       0      0       0       0       0 \n"
    tx = "    TX:  bytes packets errors dropped carrier collsns           \n" + \
        "             0       0      0       0       0       0 "
    same("7.1 -s", first_lines(1450, True) + "\n" + rx + tx + "\n",
         masked(vx("-s", "link", "show", "vx")[1]))
    same("7.1 -s -s", first_lines(1450, True) + "\n" + rx +
         "    RX errors:  length    crc   frame    fifo overrun\n" +
         "                     0      0       0       0       0 \n" + tx + "\n" +
         "    TX errors: aborted   fifo  window heartbt transns\n" +
         "                     0      0       0       0       0 \n",
         masked(vx("-s", "-s", "link", "show", "vx")[1]))
    do("link", "del", "vx")
    same("9.2 none", (0, "", ""), vx("link", "show"))


# --- JSON -------------------------------------------------------------------------------------------

BOOLEANS = ["external", "learning", "proxy", "rsc", "l2miss", "l3miss", "udp_csum", "udp_zero_csum6_tx",
            "udp_zero_csum6_rx", "remcsum_tx", "remcsum_rx", "localbypass"]


def info(head, tail, reserved="0xf7ffffff000000ff", more=(), flags=(), **other):
    """info_data: what comes before and after df, the booleans, those of them that are not the default."""
    on = {"learning", "udp_csum", "localbypass"}
    j = dict(head, **tail)
    j["reserved_bits"] = reserved
    j.update({f: None for f in flags})
    j.update({b: other.get(b, b in on) for b in BOOLEANS})
    return dict(j, **dict(more))


JSON = [
    info({"id": 100, "port_range": {"low": 0, "high": 0}, "port": 4789, "ttl": 0, "df": "unset"},
         {"ageing": 300}),
    info({"id": 100, "remote": "10.0.0.2", "link": "ks-va", "port_range": {"low": 5000, "high": 6000},
          "port": 4789, "tos": "0x10", "ttl": 5, "df": "set"}, {"ageing": 100, "limit": 10},
         learning=False, udp_csum=False),
    # Different on purpose: iproute2 leaves "ttl" out.
    info({"id": 100, "remote6": "fd00::2", "local6": "fd00::1", "port_range": {"low": 0, "high": 0},
          "port": 8472, "tos": "0x1", "ttl": "inherit", "df": "inherit"},
         {"label": "0x12345", "ageing": 300}, udp_zero_csum6_tx=True, udp_zero_csum6_rx=True),
    info({"id": 16777215, "local": "10.0.0.1", "port_range": {"low": 0, "high": 0}, "port": 8472,
          "tos": "0x1", "ttl": 0, "df": "unset"}, {"ageing": 300}, "0", localbypass=False),
    info({"id": 100, "port_range": {"low": 0, "high": 0}, "port": 4789, "ttl": 0, "df": "unset"},
         {"ageing": 300}, "0x77000000000000ff", flags=["gbp"]),
    info({"id": 0, "remote6": "fd00::2", "port_range": {"low": 0, "high": 0}, "port": 4789, "ttl": 0,
          "df": "unset"}, {"label": "inherit", "ageing": 0}, more={"peers": "known"}),
]


def link_json():
    """9.3: names, types, values and their order."""
    for (options, mtu, tso, _), data in zip(DEVICES, JSON):
        do("link", "add", "vx", "type", "vxlan", *options)
        text = vx("-j", "-d", "link", "show", "vx")[1]
        text = re.sub(r'("ifindex":)\d+', r"\1 7", re.sub(r'("address":")[^"]*', r"\1MAC", text))
        head = {"ifindex": 7, "ifname": "vx", "flags": ["BROADCAST", "MULTICAST"], "mtu": mtu,
                "qdisc": "noop", "operstate": "DOWN", "linkmode": "DEFAULT", "group": "default",
                "txqlen": 1000, "link_type": "ether", "address": "MAC",
                "broadcast": "ff:ff:ff:ff:ff:ff"}
        wanted = dict(head, promiscuity=0, allmulti=0, min_mtu=68, max_mtu=65535,
                      linkinfo={"info_kind": "vxlan", "info_data": data}, inet6_addr_gen_mode="eui64",
                      num_tx_queues=1, num_rx_queues=1, gso_max_size=65536, gso_max_segs=65535,
                      tso_max_size=tso, tso_max_segs=65535, gro_max_size=65536,
                      gso_ipv4_max_size=65536, gro_ipv4_max_size=65536,
                      vx={"host": "tap"})  # vx's own
        same("9.3 " + " ".join(options), json.dumps([wanted]), json.dumps(json.loads(text)))
        same("9.3 one line", 1, text.count("\n"))
        do("link", "set", "vx", "up")
        j = json.loads(vx("-s", "-j", "link", "show", "vx")[1])[0]
        same("7.1 -s -j", list(head) + ["stats64"], list(j))
        rx = ["bytes", "packets", "errors", "dropped", "over_errors", "multicast"]
        tx = ["bytes", "packets", "errors", "dropped", "carrier_errors", "collisions"]
        same("7.1 stats64", [rx, tx], [list(j["stats64"]["rx"]), list(j["stats64"]["tx"])])
        j = json.loads(vx("-s", "-s", "-j", "link", "show", "vx")[1])[0]["stats64"]
        same("7.1 -s -s -j", [
            rx + ["length_errors", "crc_errors", "frame_errors", "fifo_errors", "missed_errors"],
            tx + ["aborted_errors", "fifo_errors", "window_errors", "heartbeat_errors",
                  "carrier_changes"]], [list(j["rx"]), list(j["tx"])])
        do("link", "del", "vx")
    same("9.3 none", (0, "[]\n", ""), vx("-j", "link", "show"))


# --- entries ----------------------------------------------------------------------------------------

def fdb():
    """9.4: text, JSON, events."""
    monitor = subprocess.Popen([*V, "monitor", "fdb"], stdout=subprocess.PIPE, text=True)
    atexit.register(monitor.kill)
    do("link", "add", "vx", "up", "type", "vxlan", "id", "100", "dstport", "4789", "dev", "ks-va")
    time.sleep(0.3)
    dev = ["dev", "vx"]
    do("fdb", "add", "02:00:00:00:01:02", *dev, "dst", "10.0.0.3", "port", "5000", "vni", "200", "via",
       "ks-va", "static")
    do("fdb", "append", "02:cc:00:00:00:09", *dev, "dst", "10.0.0.2", "vni", "70")
    do("fdb", "add", "02:aa:00:00:00:99", *dev, "dst", "10.0.0.2", "dynamic")
    do("fdb", "add", "02:aa:00:00:00:98", *dev, "dst", "10.0.0.2", "extern_learn", "dynamic")
    do("fdb", "add", "02:aa:00:00:00:97", *dev, "dst", "10.0.0.2", "router", "sticky")
    lines = ["02:aa:00:00:00:97 dst 10.0.0.2 self router sticky permanent",
             "02:aa:00:00:00:98 dst 10.0.0.2 self extern_learn ",
             "02:aa:00:00:00:99 dst 10.0.0.2 self ",
             "02:cc:00:00:00:09 dst 10.0.0.2 vni 70 self permanent",
             "02:00:00:00:01:02 dst 10.0.0.3 port 5000 vni 200 via ks-va self static"]
    same("9.4 show dev", lines, vx("fdb", "show", *dev)[1].splitlines())
    same("9.4 show", [s.replace(" dst", " dev vx dst") for s in lines],
         vx("fdb", "show")[1].splitlines())
    timed = re.sub(r"used \d+/\d+ ", "used U/V ", vx("-s", "fdb", "show", *dev)[1]).splitlines()
    same("9.4 -s show", [s.replace(" self", " used U/V self") for s in lines], timed)
    same("9.4 get", "02:aa:00:00:00:99 dev vx dst 10.0.0.2 self \n",
         vx("fdb", "get", "02:aa:00:00:00:99", *dev, "self")[1])
    text = re.sub(r'("(used|updated)":)\d+', r"\g<1>0", vx("-s", "-j", "fdb", "show", *dev)[1])
    golden = '{"mac":"02:00:00:00:01:02","dst":"10.0.0.3","port":5000,"vni":200,"viaIf":"ks-va",' \
        '"used":0,"updated":0,"flags":["self"],"state":"static"}'
    if golden not in text:
        fail("9.4 -s -j", text)
    same("9.4 -j", '{"mac":"02:aa:00:00:00:99","ifname":"vx","dst":"10.0.0.2","flags":["self"],'
         '"state":""}', [s for s in re.findall(r"\{[^}]*\}", vx("-j", "fdb", "show")[1])
                         if ":99" in s][0])
    same("9.4 flags", ["self", "router", "sticky"], json.loads(text)[0]["flags"])
    do("fdb", "replace", "02:aa:00:00:00:99", *dev, "dst", "10.0.0.3", "dynamic")
    do("fdb", "del", "02:aa:00:00:00:99", *dev)
    do("link", "del", "vx")
    same("9.4 none", (0, "", ""), vx("fdb", "show"))
    same("9.4 none", (0, "[]\n", ""), vx("-j", "fdb", "show"))
    monitor.terminate()
    events = monitor.communicate()[0].splitlines()
    added = [s.replace(" dst", " dev vx dst") for s in lines[::-1]]
    same("9.4 events", added + ["02:aa:00:00:00:99 dev vx dst 10.0.0.3 self ",
                                "Deleted 02:aa:00:00:00:99 dev vx dst 10.0.0.3 self "],
         events[:len(added) + 2])


# --- errors -----------------------------------------------------------------------------------------

HINT = "vxlan: destination port not specified\nWill use Linux kernel default (non-standard value)\n" \
    "Use 'dstport 4789' to get the IANA assigned value\n" \
    "Use 'dstport 0' to get default and quiet this message\n"
ADD = "link add x type vxlan dstport 4789 "
FDB = "fdb add 02:00:00:00:00:01 dev vx "


def wrong(value, why):
    return 'Error: argument "%s" is wrong: %s\n' % (value, why)


def duplicate(word, value):
    return 'Error: either "%s" is duplicate, or "%s" is garbage.\n' % (word, value)


ERRORS = [  # command, exit code, what it says
    ("link show nosuch", 1, 'Device "nosuch" does not exist.\n'),
    ("link del nosuch", 1, 'Cannot find device "nosuch"\n'),
    ("link set nosuch up", 1, 'Cannot find device "nosuch"\n'),
    ("link add x type vxlan dstport 4789", 1, "vxlan: missing virtual network identifier\n"),
    (ADD + "id 100 remote 10.0.0.2 group 239.1.1.1 dev ks-va", 1,
     "vxlan: both group and remote cannot be specified\n"),
    (ADD + "id 100 group 239.1.1.1", 1, "vxlan: 'group' requires 'dev' to be specified\n"),
    (ADD + "external id 100", 1, "vxlan: both 'external' and vni cannot be specified\n"),
    (ADD + "id 100 vnifilter", 1, "vxlan: vnifilter is valid only when 'external' is set\n"),
    (ADD + "id 16777216", 255, wrong("16777216", "invalid id")),
    (ADD + "id 1 remote 239.1.1.1", 255, wrong("239.1.1.1", "invalid remote address")),
    (ADD + "id 1 group 10.0.0.1 dev ks-va", 255, wrong("10.0.0.1", "invalid group address")),
    (ADD + "id 1 local 239.1.1.1", 255, wrong("239.1.1.1", "invalid local address")),
    (ADD + "id 1 ttl 256", 255, wrong("256", "TTL must be <= 255")),
    (ADD + "id 1 ttl x", 255, wrong("x", "invalid TTL")),
    (ADD + "id 1 tos x", 255, wrong("x", "bad TOS value")),
    (ADD + "id 1 df x", 255, wrong("x", "DF must be 'unset', 'set' or 'inherit'")),
    (ADD + "id 1 flowlabel x", 255, wrong("x", "invalid flowlabel")),
    (ADD.replace("4789", "70000") + "id 1", 255, wrong("70000", "dst port")),
    (ADD + "id 1 srcport x 2", 255, wrong("x", "min port")),
    (ADD + "id 1 srcport 1 x", 255, wrong("x", "max port")),
    (ADD + "id 1 ageing x", 255, wrong("x", "ageing timer")),
    (ADD + "id 1 maxaddress x", 255, wrong("x", "max addresses")),
    (ADD + "id 1 reserved_bits x", 255, wrong("x", "reserved_bits")),
    (ADD + "id 1 dev nosuch", 255, 'Cannot find device "nosuch"\n'),
    (ADD + "id 1 id 2", 255, duplicate("id", "2")),
    (ADD + "id 1 learning nolearning", 255, duplicate("nolearning", "nolearning")),
    (ADD + "id", 255, 'Command line is not complete. Try option "help"\n'),
    (ADD + "id 1 remote 10.0.0.2 local fd00::1", 1,
     'Error: inet address is expected rather than "fd00::1".\n'),
    (ADD + "id 100", 2, "Error: A VXLAN device with the specified VNI already exists.\n"),
    ("link add x mtu 67 type vxlan dstport 4789 id 1", 2,
     "Error: MTU must be between 68 and 65535.\n"),
    ("link add x address 01:00:00:00:00:01 type vxlan dstport 4789 id 1", 2,
     "Error: Provided Ethernet address is not unicast.\n"),
    ("link set vx mtu 67", 2, "Error: mtu less than device minimum.\n"),
    ("link set vx mtu 65536", 2, "Error: mtu greater than device maximum.\n"),
    ("link set vx type vxlan id 101", 2, "Error: Cannot change VNI.\n"),
    ("link set vx type vxlan dstport 4789", 2, "Error: Cannot change port.\n"),
    ("link set vx type vxlan srcport 1 2", 2, "Error: Cannot change port range.\n"),
    ("link set vx type vxlan maxaddress 9", 2, "Error: Cannot change limit.\n"),
    ("link set vx type vxlan noudpcsum", 2, "Error: Cannot change UDP_CSUM flag.\n"),
    ("link set vx type vxlan udp6zerocsumtx", 2,
     "Error: vxlan: cannot change UDP_ZERO_CSUM6_TX flag.\n"),
    ("link set vx type vxlan ttl inherit", 2, "Error: vxlan: cannot change TTL_INHERIT flag.\n"),
    ("link set vx type vxlan remote fd00::2", 2,
     "Error: New group address family does not match old group.\n"),
    (FDB + "dst 10.0.0.2", 255, "RTNETLINK answers: File exists\n"),
    (FDB + "", 255, "RTNETLINK answers: Invalid argument\n"),
    (FDB + "dst 10.0.0.2 vni 16777216", 255, wrong("16777216", "invalid VNI")),
    (FDB + "dst 10.0.0.2 port 70000", 255, wrong("70000", "invalid port")),
    (FDB + "dst 10.0.0.2 dst 10.0.0.3", 255, duplicate("dst", "10.0.0.3")),
    (FDB + "dst fd00::2", 255, "RTNETLINK answers: Address family not supported by protocol\n"),
    (FDB + "dst 10.0.0.2 via nosuch", 255, 'Cannot find device "nosuch"\n'),
    ("fdb add 02:00:00:00:01 dev vx dst 10.0.0.2", 255, "Invalid mac address 02:00:00:00:01\n"),
    ("fdb add 02:00:00:00:00:02 dst 10.0.0.2", 255, "Device and address are required arguments.\n"),
    ("fdb add dev vx dst 10.0.0.2", 255, "Device and address are required arguments.\n"),
    ("fdb add 02:00:00:00:00:02 dev nosuch dst 10.0.0.2", 255, 'Cannot find device "nosuch"\n'),
    ("fdb del 02:00:00:00:00:02 dev vx", 255, "RTNETLINK answers: No such file or directory\n"),
    ("fdb get 02:00:00:00:00:02 dev vx self", 254, "Error: Fdb entry not found.\n"),
    ("fdb get 02:00:00:00:00:01 dev vx", 254, "Error: Device is not a bridge port.\n"),
    ("fdb replace 00:00:00:00:00:00 dev vx dst 10.0.0.3", 255,
     "Error: Cannot replace non-unicast fdb entries.\n"),
    ("fdb flush dev vx sticky", 255, "Error: Unsupported fdb flush ndm flag bits set.\n"),
    ("fdb flush dev vx vlan 5", 255, "Error: Unsupported attribute.\n"),
    ("link add y type vxlan id 5", 0, HINT),
]


def errors():
    """9.1, with the texts of 1.2, 1.3, 1.8, 4.3, 4.6 and 4.10."""
    do("link", "add", "vx", "type", "vxlan", "id", "100", "dstport", "4789", "remote", "10.0.0.2")
    do("fdb", "add", "02:00:00:00:00:01", "dev", "vx", "dst", "10.0.0.2")
    for words, rc, says in ERRORS:
        same("9.1 vx " + words, (rc, "", says), vx(*words.split()))
    for d in ("vx", "y"):
        do("link", "del", d)


link_text()
link_json()
fdb()
errors()
finish()
