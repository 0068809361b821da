//! `netstat` of BSD and macOS, which writes a dot before the port.

use super::check;

#[test]
fn the_dot_before_the_port() {
    let text = "Active Internet connections (including servers)\n\
        Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n\
        tcp4       0      0  192.168.1.2.55012      17.57.144.20.5223      ESTABLISHED\n\
        tcp6       0      0  *.22                   *.*                    LISTEN\n\
        tcp4       0      0  192.168.1.2.22         192.168.1.9.50222      ESTABLISHED\n\
        tcp6       0      0  fe80::aede:48ff:.49163 fe80::aede:48ff:.62078 ESTABLISHED\n\
        udp4       0      0  *.5353                 *.*\n\
        udp46      0      0  *.*                    *.*\n\
        icm4       0      0  *.*                    *.*\n\
        Active LOCAL (UNIX) domain sockets\n\
        Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref Addr\n\
        fb73c2ca9d505aed stream      0      0                0 fb73c2ca94692475                0                0 /var/run/mDNSResponder\n";
    check(
        text.as_bytes(),
        "netstat output",
        &[
            "tcp established outbound 192.168.1.2:55012 17.57.144.20:5223 -",
            "tcp listen listening :::22 - -",
            "tcp established inbound 192.168.1.2:22 192.168.1.9:50222 -",
            "tcp established outbound ?:49163 ?:62078 -",
            "udp open listening 0.0.0.0:5353 - -",
            "udp open listening :::? - -",
            "raw open unknown 0.0.0.0:? - -",
        ],
        0,
    );
}

#[test]
fn columns_of_mac_os() {
    let old = "Active Internet connections\n\
        Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      rhiwat shiwat    pid   epid  state    options\n\
        tcp4       0      0  10.0.0.5.55012         17.57.144.20.5223      ESTABLISHED  131072 131072    345      0 00102 00000000\n\
        udp4       0      0  *.5353                 *.*                                 196724   9216    222      0 00100 00000000\n";
    check(
        old.as_bytes(),
        "netstat output",
        &[
            "tcp established unknown 10.0.0.5:55012 17.57.144.20:5223 (345)",
            "udp open listening 0.0.0.0:5353 - (222)",
        ],
        0,
    );
    let new = "Active Internet connections (including servers)\n\
        Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      rxbytes      txbytes  rhiwat  shiwat    process:pid    state  options           gencnt\n\
        tcp4       0      0  10.0.0.5.55012         17.57.144.20.5223      ESTABLISHED     4958         3996  131072  131072 Google Chrome H:1345 00102 00000000 0000000000012345\n\
        udp4       0      0  *.5353                 *.*                                    1000         2000  786896    9216  mDNSResponder:222  00100 00000000 0000000000000123\n";
    let list = check(
        new.as_bytes(),
        "netstat output",
        &[
            "tcp established unknown 10.0.0.5:55012 17.57.144.20:5223 Google Chrome H(1345)",
            "udp open listening 0.0.0.0:5353 - mDNSResponder(222)",
        ],
        0,
    );
    let first = &list.connections[0];
    assert_eq!(
        (first.bytes_received, first.bytes_sent),
        (Some(4958), Some(3996))
    );
}

#[test]
fn a_narrow_column_cuts_ports() {
    let text = "Active Internet connections\n\
        Socket           Flowhash Proto Recv-Q Send-Q  Local Address      Foreign Address    (state)        rxbytes    txbytes\n\
        7fb03cb94d505aed cedd0cbf tcp4       0      0  192.168.1.221.5486 140.82.113.26.443  ESTABLISHED       4958       3996\n\
        7fb03cb94d692475  6a3d6e4 tcp4       0      0  10.0.0.5.5486      140.82.113.26.443  ESTABLISHED       4958       3996\n";
    check(
        text.as_bytes(),
        "netstat output",
        &[
            "tcp established unknown 192.168.1.221:? 140.82.113.26:443 -",
            "tcp established unknown 10.0.0.5:5486 140.82.113.26:443 -",
        ],
        0,
    );
}
