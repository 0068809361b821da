//! `ss`, `netstat` and `lsof` of Linux.

use super::check;

const SS: &str = r#"
user@host:~$ sudo ss -tunape
Netid State     Recv-Q Send-Q     Local Address:Port      Peer Address:Port Process
udp   UNCONN    0      0      127.0.0.53%lo:53           0.0.0.0:*     users:(("systemd-resolve",pid=101,fd=12)) uid:101 ino:29400 sk:7 cgroup:/x <->
udp   ESTAB     0      0      10.0.0.5%eth0:68          10.0.0.1:67    users:(("NetworkManager",pid=7,fd=25)) ino:30 sk:8 <->
tcp   LISTEN    0      128          0.0.0.0:22           0.0.0.0:*     users:(("sshd",pid=800,fd=3)) ino:40 sk:9 <->
tcp   LISTEN    0      511                *:80                 *:*     users:(("nginx",pid=901,fd=6),("nginx",pid=900,fd=6)) ino:41 sk:a v6only:0 <->
tcp   ESTAB     0      0           10.0.0.5:22          10.0.0.9:50222 users:(("sshd",pid=810,fd=4),("sshd",pid=811,fd=4)) timer:(keepalive,119min,0) ino:42 sk:b <->
tcp   SYN-SENT  0      1           10.0.0.5:41000   203.0.113.7:4444   users:(("a",pid=1,fd=2)",pid=666,fd=3)) timer:(on,1sec,3) uid:1000 ino:43 sk:c <->
	 cubic wscale:7,7 rto:204 bytes_sent:900 bytes_retrans:100 bytes_received:70 segs_out:9 segs_in:8
tcp   TIME-WAIT 0      0           10.0.0.5:41002   203.0.113.8:443    timer:(timewait,46sec,0) ino:0 sk:d
tcp   ESTAB     0      0      [::ffff:10.0.0.5]:80  [::ffff:10.0.0.7]:5000 users:(("nginx",pid=901,fd=9)) ino:44 sk:e <->
tcp   ESTAB     0      0     [fe80::1]%eth0:5001     [fe80::2]%eth0:443 ino:45 sk:f <->
u_str ESTAB     0      0                  * 1234             * 1235    users:(("dbus",pid=3,fd=4))
p_raw UNCONN    0      0                  *:eth0             *         users:(("tcpdump",pid=31,fd=3)) ino:50 sk:10
raw   UNCONN    0      0            0.0.0.0:1          0.0.0.0:*       users:(("ping",pid=32,fd=3)) ino:51 sk:11
this line is of nobody
"#;

#[test]
fn ss_with_everything() {
    let list = check(
        SS.as_bytes(),
        "ss output",
        &[
            "udp open listening 127.0.0.53:53 - systemd-resolve(101)",
            "udp open outbound 10.0.0.5:68 10.0.0.1:67 NetworkManager(7)",
            "tcp listen listening 0.0.0.0:22 - sshd(800)",
            "tcp listen listening :::80 - nginx(901),nginx(900)",
            "tcp established inbound 10.0.0.5:22 10.0.0.9:50222 sshd(810),sshd(811)",
            "tcp syn_sent outbound 10.0.0.5:41000 203.0.113.7:4444 a\",pid=1,fd=2)(666)",
            "tcp time_wait outbound 10.0.0.5:41002 203.0.113.8:443 -",
            "tcp established inbound 10.0.0.5:80 10.0.0.7:5000 nginx(901)",
            "tcp established outbound fe80::1:5001 fe80::2:443 -",
            "packet open unknown ?:? - tcpdump(31)",
            "raw open unknown 0.0.0.0:? - ping(32)",
        ],
        1,
    );
    assert_eq!(list.skipped.first[0].place, "line 17");
    let interface = list.connections[0].interface.as_ref().unwrap();
    assert_eq!(interface.lossy(), "lo");
    assert_eq!(list.connections[0].uid, Some(101));
    assert_eq!(list.connections[2].uid, Some(0));
    assert_eq!(list.connections[2].socket.inode, Some(40));
    assert_eq!(list.connections[6].uid, None);
    assert_eq!(list.connections[6].socket.inode, None);
    let called = &list.connections[5];
    assert_eq!(
        (called.bytes_sent, called.bytes_received),
        (Some(800), Some(70))
    );
    assert_eq!(
        (called.packets_sent, called.packets_received),
        (Some(9), Some(8))
    );
}

#[test]
fn ss_of_one_kind_and_without_a_header() {
    let udp = "UNCONN 0 0 0.0.0.0:5353 0.0.0.0:*\nESTAB 0 0 10.0.0.5:40000 9.9.9.9:53\n";
    let expected = [
        "udp open listening 0.0.0.0:5353 -  -",
        "udp open outbound 10.0.0.5:40000 9.9.9.9:53 -",
    ];
    let expected = expected.map(|row| row.replace("  ", " "));
    check(
        udp.as_bytes(),
        "ss output",
        &expected.each_ref().map(String::as_str),
        0,
    );
    // Nobody is seen to listen: nothing tells who called.
    let tcp = "ESTAB 0 0 10.0.0.5:22 10.0.0.9:50222\n";
    check(
        tcp.as_bytes(),
        "ss output",
        &["tcp established unknown 10.0.0.5:22 10.0.0.9:50222 -"],
        0,
    );
}

#[test]
fn ss_with_names_and_of_an_older_version() {
    let old = "State      Recv-Q Send-Q        Local Address:Port          Peer Address:Port\n\
        LISTEN     0      128                      *:ssh                     *:*        users:((\"sshd\",823,3))\n\
        LISTEN     0      128                     :::http                   :::*        users:((\"httpd\",9,4),(\"httpd\",8,4))\n\
        ESTAB      0      0                 host.example:ssh          laptop.example:50222\n";
    check(
        old.as_bytes(),
        "ss output",
        &[
            "tcp listen listening 0.0.0.0:22 - sshd(823)",
            "tcp listen listening :::80 - httpd(9),httpd(8)",
            "tcp established inbound ?:22 laptop.example:50222 -",
        ],
        0,
    );
}

#[test]
fn an_empty_list_is_a_list() {
    check(
        b"Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n",
        "ss output",
        &[],
        0,
    );
}

const NETSTAT: &str = "\
Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       User       Inode      PID/Program name     Timer
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      0          1147       800/sshd: /usr/sbin  off (0.00/0/0)
tcp        0     36 10.0.0.5:22             10.0.0.9:50222          ESTABLISHED 0          1160       810/sshd: a b        on (0.20/0/0)
tcp        0      0 10.0.0.5:41002          203.0.113.8:443         TIME_WAIT   0          0          -                    timewait (46.10/0/0)
tcp6       0      0 :::80                   :::*                    LISTEN      33         1170       900/nginx: master    off (0.00/0/0)
tcp6       0      0 2001:db8::1:2:333:12345 2001:db8::9:443         ESTABLISHED 33         1171       901/nginx: worker    keepalive (7187.05/0/0)
udp        0      0 0.0.0.0:68              0.0.0.0:*                           0          1180       70/dhclient          off (0.00/0/0)
udp        0      0 10.0.0.5:40000          9.9.9.9:53              ESTABLISHED 101        1181       71/resolver          off (0.00/0/0)
raw6       0      0 :::58                   :::*                    7           0          1190       60/NetworkManager    off (0.00/0/0)
Active UNIX domain sockets (servers and established)
Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path
unix  2      [ ACC ]     STREAM     LISTENING     13851    1/systemd            /run/lvm/lvmpolld.socket
";

#[test]
fn netstat_with_everything() {
    let list = check(
        NETSTAT.as_bytes(),
        "netstat output",
        &[
            "tcp listen listening 0.0.0.0:22 - sshd: /usr/sbin(800)",
            "tcp established inbound 10.0.0.5:22 10.0.0.9:50222 sshd: a b(810)",
            "tcp time_wait outbound 10.0.0.5:41002 203.0.113.8:443 -",
            "tcp listen listening :::80 - nginx: master(900)",
            "tcp established outbound ?:12345 2001:db8::9:443 nginx: worker(901)",
            "udp open listening 0.0.0.0:68 - dhclient(70)",
            "udp open outbound 10.0.0.5:40000 9.9.9.9:53 resolver(71)",
            "raw open unknown :::? - NetworkManager(60)",
        ],
        0,
    );
    assert_eq!(list.connections[3].uid, Some(33));
    assert_eq!(list.connections[3].socket.inode, Some(1170));
}

#[test]
fn netstat_in_another_language() {
    let german = "Aktive Internetverbindungen (Server und stehende Verbindungen)\n\
        Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n\
        tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      800/sshd\n\
        tcp        0      0 10.0.0.5:22             10.0.0.9:50222          VERBUNDEN   810/sshd\n\
        Aktive Sockets in der UNIX Domain (Server und stehende Verbindungen)\n\
        Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path\n\
        unix  2      [ ]         DGRAM                    6906     -                    /dev/log\n";
    check(
        german.as_bytes(),
        "netstat output",
        &[
            "tcp listen listening 0.0.0.0:22 - sshd(800)",
            "tcp established inbound 10.0.0.5:22 10.0.0.9:50222 sshd(810)",
        ],
        0,
    );
}

const LSOF: &str = "\
COMMAND     PID   TID TASKCMD     USER   FD      TYPE             DEVICE SIZE/OFF       NODE NAME
systemd       1                   root  cwd       DIR              253,0      224         64 /
sshd        800                   root    3u     IPv4              21598      0t0        TCP *:22 (LISTEN)
sshd        800                   root    4u     IPv6              21607      0t0        TCP *:22 (LISTEN)
Web\\x20Con  900   901 Web\\x20C   alice   31u     IPv4              30001      0t0        TCP 10.0.0.5:40001->203.0.113.9:443 (ESTABLISHED)
sshd        810                  1000    3u     IPv6              44866      0t0        TCP [::1]:22->[::1]:50000 (ESTABLISHED)
ssh         811                  1000    3u     IPv6              44867      0t0        TCP [::1]:50000->[::1]:22 (ESTABLISHED)
avahi        90                  avahi   12u     IPv4              50000      0t0        UDP *:mdns
chrony       91                 chrony    5u     IPv4              50001      0t0        UDP localhost:323
lsof: WARNING: can't stat() fuse file system
sock         92                   root    5u     sock                0,8      0t0      12345 protocol: UNIX-STREAM
";

#[test]
fn lsof_shows_sockets_among_files() {
    let list = check(
        LSOF.as_bytes(),
        "lsof output",
        &[
            "tcp listen listening 0.0.0.0:22 - sshd(800)",
            "tcp listen listening :::22 - sshd(800)",
            "tcp established outbound 10.0.0.5:40001 203.0.113.9:443 Web Con(900)",
            "tcp established inbound ::1:22 ::1:50000 sshd(810)",
            "tcp established outbound ::1:50000 ::1:22 ssh(811)",
            "udp open listening 0.0.0.0:5353 - avahi(90)",
            "udp open unknown ?:323 - chrony(91)",
        ]
        .map(|row| row.replace("udp open unknown", "udp open listening"))
        .each_ref()
        .map(String::as_str),
        0,
    );
    assert_eq!(list.processes[&900].user.as_ref().unwrap().lossy(), "alice");
    assert_eq!(list.processes[&810].uid, Some(1000));
    assert_eq!(list.connections[0].socket.inode, Some(21598));
}

#[test]
fn lsof_with_a_field_in_each_line() {
    let fields = "p800\ncsshd\nLroot\nu0\nfcwd\ntDIR\nn/\nf3\ntIPv4\nd21598\nPTCP\nn*:22\nTST=LISTEN\nTQR=0\n\
        p810\ncssh\\x20d\nu1000\nf4\ntIPv4\nPTCP\nn10.0.0.5:22->10.0.0.9:50222\nTST=ESTABLISHED\nf5\ntIPv6\nPUDP\nn*:546\n";
    let expected = [
        "tcp listen listening 0.0.0.0:22 - sshd(800)",
        "tcp established inbound 10.0.0.5:22 10.0.0.9:50222 ssh d(810)",
        "udp open listening :::546 - ssh d(810)",
    ];
    check(fields.as_bytes(), "lsof -F output", &expected, 0);
    let sets = "p800\0csshd\0\nf3\0tIPv4\0PTCP\0n*:22\0TST=LISTEN\0\np810\0cssh\\x20d\0\n\
        f4\0tIPv4\0PTCP\0n10.0.0.5:22->10.0.0.9:50222\0TST=ESTABLISHED\0\nf5\0tIPv6\0PUDP\0n*:546\0\n";
    let list = check(sets.as_bytes(), "lsof -F output", &expected, 0);
    assert_ne!(list.connections[1].id, list.connections[2].id);
}
