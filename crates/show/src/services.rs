//! Names of the services that usually stand behind a port. A name says what the port is meant
//! for, never what runs there: any program may use any port.

use model::Protocol;

/// The service that `port` is meant for.
///
/// `None`: no well-known one, a protocol without such names, or a port from 32768 up, which
/// computers hand out at random for outgoing connections.
pub fn service(protocol: Protocol, port: u16) -> Option<&'static str> {
    let over = match protocol {
        Protocol::Tcp | Protocol::Mptcp => Over::Tcp,
        Protocol::Udp | Protocol::UdpLite => Over::Udp,
        Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => return None,
    };
    let first = SERVICES.partition_point(|(known, ..)| *known < port);
    SERVICES
        .get(first..)?
        .iter()
        .take_while(|(known, ..)| *known == port)
        .find(|(_, known, _)| *known == over || *known == Over::Both)
        .map(|(.., name)| *name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Over {
    Tcp,
    Udp,
    Both,
}
use Over::{Both, Tcp, Udp};

/// By port, then transport. The names of IANA's "Service Name and Transport Protocol Port Number
/// Registry", or the word in common use where that is another one (dns, dhcp, rdp, smb ...).
#[rustfmt::skip]
const SERVICES: &[(u16, Over, &str)] = &[
    (1, Tcp, "tcpmux"),
    (7, Both, "echo"),
    (9, Both, "discard"),
    (11, Tcp, "systat"),
    (13, Both, "daytime"),
    (17, Both, "qotd"),
    (19, Both, "chargen"),
    (20, Tcp, "ftp-data"),
    (21, Tcp, "ftp"),
    (22, Tcp, "ssh"),
    (23, Tcp, "telnet"),
    (25, Tcp, "smtp"),
    (37, Both, "time"),
    (43, Tcp, "whois"),
    (49, Both, "tacacs"),
    (53, Both, "dns"),
    (67, Udp, "dhcp"),
    (68, Udp, "dhcp-client"),
    (69, Udp, "tftp"),
    (70, Tcp, "gopher"),
    (79, Tcp, "finger"),
    (80, Tcp, "http"),
    (88, Both, "kerberos"),
    (102, Tcp, "iso-tsap"),
    (104, Tcp, "dicom"),
    (109, Tcp, "pop2"),
    (110, Tcp, "pop3"),
    (111, Both, "rpcbind"),
    (113, Tcp, "ident"),
    (119, Tcp, "nntp"),
    (123, Udp, "ntp"),
    (135, Tcp, "msrpc"),
    (137, Udp, "netbios-ns"),
    (138, Udp, "netbios-dgm"),
    (139, Tcp, "netbios-ssn"),
    (143, Tcp, "imap"),
    (161, Udp, "snmp"),
    (162, Udp, "snmp-trap"),
    (177, Udp, "xdmcp"),
    (179, Tcp, "bgp"),
    (194, Tcp, "irc"),
    (199, Tcp, "smux"),
    (220, Tcp, "imap3"),
    (319, Udp, "ptp-event"),
    (320, Udp, "ptp-general"),
    (389, Both, "ldap"),
    (427, Both, "svrloc"),
    (443, Both, "https"),
    (445, Tcp, "smb"),
    (464, Both, "kpasswd"),
    (465, Tcp, "smtps"),
    (500, Udp, "ike"),
    (502, Tcp, "modbus"),
    (512, Tcp, "exec"),
    (513, Tcp, "login"),
    (514, Tcp, "shell"),
    (514, Udp, "syslog"),
    (515, Tcp, "printer"),
    (517, Udp, "talk"),
    (518, Udp, "ntalk"),
    (520, Udp, "rip"),
    (521, Udp, "ripng"),
    (540, Tcp, "uucp"),
    (543, Tcp, "klogin"),
    (544, Tcp, "kshell"),
    (546, Udp, "dhcpv6-client"),
    (547, Udp, "dhcpv6"),
    (548, Tcp, "afp"),
    (554, Both, "rtsp"),
    (563, Tcp, "nntps"),
    (587, Tcp, "submission"),
    (593, Tcp, "rpc-http"),
    (601, Tcp, "syslog-conn"),
    (623, Udp, "ipmi"),
    (631, Both, "ipp"),
    (636, Tcp, "ldaps"),
    (646, Both, "ldp"),
    (655, Both, "tinc"),
    (700, Tcp, "epp"),
    (749, Tcp, "kerberos-adm"),
    (830, Tcp, "netconf-ssh"),
    (853, Tcp, "dns-tls"),
    (853, Udp, "dns-quic"),
    (860, Tcp, "iscsi"),
    (873, Tcp, "rsync"),
    (953, Tcp, "rndc"),
    (989, Tcp, "ftps-data"),
    (990, Tcp, "ftps"),
    (992, Tcp, "telnets"),
    (993, Tcp, "imaps"),
    (995, Tcp, "pop3s"),
    (1080, Tcp, "socks"),
    (1099, Tcp, "rmi"),
    (1194, Both, "openvpn"),
    (1352, Tcp, "lotusnote"),
    (1433, Tcp, "ms-sql"),
    (1434, Udp, "ms-sql-m"),
    (1494, Tcp, "ica"),
    (1521, Tcp, "oracle"),
    (1645, Udp, "radius-old"),
    (1646, Udp, "radacct-old"),
    (1701, Udp, "l2tp"),
    (1719, Udp, "h323-ras"),
    (1720, Tcp, "h323"),
    (1723, Tcp, "pptp"),
    (1812, Udp, "radius"),
    (1813, Udp, "radius-acct"),
    (1883, Tcp, "mqtt"),
    (1900, Udp, "ssdp"),
    (1935, Tcp, "rtmp"),
    (2049, Both, "nfs"),
    (2123, Udp, "gtp-control"),
    (2152, Udp, "gtp-user"),
    (2181, Tcp, "zookeeper"),
    (2375, Tcp, "docker"),
    (2376, Tcp, "docker-tls"),
    (2377, Tcp, "swarm"),
    (2379, Tcp, "etcd-client"),
    (2380, Tcp, "etcd-server"),
    (2404, Tcp, "iec-104"),
    (2628, Tcp, "dict"),
    (2947, Tcp, "gpsd"),
    (3128, Tcp, "squid"),
    (3260, Tcp, "iscsi-target"),
    (3268, Tcp, "globalcat"),
    (3269, Tcp, "globalcat-tls"),
    (3306, Tcp, "mysql"),
    (3389, Both, "rdp"),
    (3478, Both, "stun"),
    (3493, Tcp, "nut"),
    (3544, Udp, "teredo"),
    (3632, Tcp, "distcc"),
    (3689, Tcp, "daap"),
    (3690, Tcp, "svn"),
    (3702, Udp, "ws-discovery"),
    (4190, Tcp, "sieve"),
    (4369, Tcp, "epmd"),
    (4460, Tcp, "ntske"),
    (4500, Udp, "ipsec-nat-t"),
    (4505, Tcp, "salt-publish"),
    (4506, Tcp, "salt-return"),
    (4739, Both, "ipfix"),
    (4789, Udp, "vxlan"),
    (4840, Tcp, "opcua"),
    (5004, Udp, "rtp"),
    (5005, Udp, "rtcp"),
    (5060, Both, "sip"),
    (5061, Tcp, "sips"),
    (5222, Tcp, "xmpp-client"),
    (5269, Tcp, "xmpp-server"),
    (5349, Both, "stuns"),
    (5351, Udp, "nat-pmp"),
    (5353, Udp, "mdns"),
    (5355, Both, "llmnr"),
    (5357, Tcp, "wsd"),
    (5432, Tcp, "postgresql"),
    (5671, Tcp, "amqps"),
    (5672, Tcp, "amqp"),
    (5683, Udp, "coap"),
    (5684, Udp, "coaps"),
    (5900, Tcp, "vnc"),
    (5938, Both, "teamviewer"),
    (5985, Tcp, "winrm"),
    (5986, Tcp, "winrm-tls"),
    (6000, Tcp, "x11"),
    (6379, Tcp, "redis"),
    (6514, Tcp, "syslog-tls"),
    (6566, Tcp, "sane"),
    (6667, Tcp, "irc"),
    (6697, Tcp, "ircs"),
    (8008, Tcp, "http-alt"),
    (8080, Tcp, "http-alt"),
    (8333, Tcp, "bitcoin"),
    (8448, Tcp, "matrix"),
    (8883, Tcp, "mqtts"),
    (9100, Tcp, "jetdirect"),
    (9418, Tcp, "git"),
    (10050, Tcp, "zabbix-agent"),
    (10051, Tcp, "zabbix-trapper"),
    (11211, Both, "memcached"),
    (17500, Both, "dropbox-lan"),
    (20000, Tcp, "dnp3"),
    (25826, Udp, "collectd"),
    (27017, Tcp, "mongodb"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(protocol: Protocol, port: u16, expected: &str) {
        assert_eq!(service(protocol, port).unwrap_or("none"), expected);
    }

    #[test]
    fn names_by_port_and_transport() {
        check(Protocol::Tcp, 443, "https");
        check(Protocol::Mptcp, 443, "https");
        check(Protocol::Udp, 443, "https");
        check(Protocol::Tcp, 514, "shell");
        check(Protocol::Udp, 514, "syslog");
        check(Protocol::Udp, 22, "none");
        check(Protocol::Tcp, 2, "none");
        check(Protocol::Tcp, 0, "none");
        check(Protocol::Udp, 65535, "none");
        check(Protocol::Raw { ip_protocol: 6 }, 443, "none");
    }

    #[test]
    fn is_sorted_without_two_answers() {
        for pair in SERVICES.windows(2) {
            let [(first, first_over, name), (second, second_over, _)] = pair else {
                continue;
            };
            assert!((first, first_over) < (second, second_over), "{name}");
            assert!(first != second || *second_over != Both, "{name}");
        }
    }

    #[test]
    fn names_fit_a_table_cell() {
        for (port, _, name) in SERVICES {
            assert!(*port < 32768, "{name}");
            assert!(
                name.len() <= 14
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_graphic() && byte != b'/')
            );
        }
    }
}
