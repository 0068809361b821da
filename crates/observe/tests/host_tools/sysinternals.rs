//! TCPView and Tcpvcon.

use super::{check, read};

const EXPECTED: [&str; 4] = [
    "tcp listen listening 0.0.0.0:135 - svchost.exe(988)",
    "tcp established outbound 10.0.0.5:50001 203.0.113.9:443 beacon, the.exe(1244)",
    "tcp time_wait outbound 10.0.0.5:50002 203.0.113.9:443 -",
    "udp open listening 0.0.0.0:500 - lsass.exe(696)",
];

#[test]
fn a_list_of_version_4() {
    let text = "Process Name\tProcess ID\tProtocol\tState\tLocal Address\tLocal Port\tRemote Address\tRemote Port\tCreate Time\tModule Name\tSent Packets\tRecv Packets\tSent Bytes\tRecv Bytes\r\n\
        svchost.exe\t988\tTCP\tListen\t0.0.0.0\t135\t0.0.0.0\t0\t11/22/2026 9:00:00 AM\tRpcEptMapper\t\t\t\t\r\n\
        beacon, the.exe\t1244\tTCP\tEstablished\t10.0.0.5\t50001\t203.0.113.9\thttps\t11/12/2026 10:15:00 PM\tbeacon.exe\t3\t4\t1,500\t2,000\r\n\
        [Time Wait]\t\tTCP\tTime Wait\t10.0.0.5\t50002\t203.0.113.9\t443\t\t\t\t\t\t\r\n\
        lsass.exe\t696\tUDP\t\t0.0.0.0\t500\t*\t*\t11/22/2026 9:00:01 AM\tIKEEXT\t\t\t\t\r\n";
    let list = check(text.as_bytes(), "TCPView list", &EXPECTED, 0);
    let called = &list.connections[1];
    assert_eq!(
        called.opened.unwrap().to_string(),
        "2026-11-12T22:15:00.000000000Z"
    );
    assert_eq!(
        (called.packets_sent, called.packets_received),
        (Some(3), Some(4))
    );
    assert_eq!(
        (called.bytes_sent, called.bytes_received),
        (Some(1500), Some(2000))
    );
    assert_eq!(list.gaps.len(), 1);
    // The same columns in another order, with commas.
    let text = "\"Protocol\",\"Process ID\",\"Process Name\",\"Local Address\",\"Local Port\",\"Remote Address\",\"Remote Port\",\"State\"\n\
        \"TCP\",\"988\",\"svchost.exe\",\"0.0.0.0\",\"135\",\"0.0.0.0\",\"0\",\"Listen\"\n\
        \"TCP\",\"1244\",\"beacon, the.exe\",\"10.0.0.5\",\"50001\",\"203.0.113.9\",\"443\",\"Established\"\n\
        \"TCP\",\"0\",\"[System Process]\",\"10.0.0.5\",\"50002\",\"203.0.113.9\",\"443\",\"Time Wait\"\n\
        \"UDP\",\"696\",\"lsass.exe\",\"0.0.0.0\",\"500\",\"\",\"\",\"\"\n";
    check(text.as_bytes(), "TCPView list", &EXPECTED, 0);
}

#[test]
fn lists_without_a_header() {
    let version_4 = "svchost.exe\t988\tTCP\tListen\t0.0.0.0\t135\t0.0.0.0\t0\t\t\n\
        beacon, the.exe\t1244\tTCP\tEstablished\t10.0.0.5\t50001\t203.0.113.9\t443\t\t\n\
        [Time Wait]\t0\tTCP\tTime Wait\t10.0.0.5\t50002\t203.0.113.9\t443\t\t\n\
        lsass.exe\t696\tUDP\t\t0.0.0.0\t500\t*\t*\t\t\n";
    check(version_4.as_bytes(), "TCPView list", &EXPECTED, 0);
    let version_3 = "svchost.exe\t988\tTCP\t0.0.0.0\tepmap\t0.0.0.0\t0\tLISTENING\t\t\t\t\n\
        beacon, the.exe\t1244\tTCP\t10.0.0.5\t50001\t203.0.113.9\thttps\tESTABLISHED\t1\t2\t3\t4\n\
        [System Process]\t0\tTCP\t10.0.0.5\t50002\t203.0.113.9\thttps\tTIME_WAIT\t\t\t\t\n\
        lsass.exe\t696\tUDP\t0.0.0.0\tisakmp\t*\t*\t\t\t\t\t\n";
    let list = check(version_3.as_bytes(), "TCPView list", &EXPECTED, 0);
    assert_eq!(list.connections[1].bytes_sent, Some(2));
    let version_2 = "svchost.exe:988\tTCP\t0.0.0.0:135\t0.0.0.0:0\tLISTENING\t\n\
        beacon, the.exe:1244\tTCP\t10.0.0.5:50001\t203.0.113.9:443\tESTABLISHED\t\n\
        [System Process]:0\tTCP\t10.0.0.5:50002\t203.0.113.9:443\tTIME_WAIT\t\n\
        lsass.exe:696\tUDP\t0.0.0.0:500\t*:*\t\t\n";
    check(version_2.as_bytes(), "TCPView list", &EXPECTED, 0);
    let names = "chrome.exe:77\tTCP\tdesktop-bn:https\tserver.example:50001\tESTABLISHED\t\n";
    check(
        names.as_bytes(),
        "TCPView list",
        &["tcp established unknown ?:443 server.example:50001 chrome.exe(77)"],
        0,
    );
}

#[test]
fn tcpvcon_with_and_without_commas() {
    let plain = "\r\nTCPView v3.01 - TCP/UDP endpoint viewer\r\nCopyright (C) 1998-2010 Mark Russinovich\r\nSysinternals - www.sysinternals.com\r\n\r\n\
        [TCP] svchost.exe\r\n\tPID:     988\r\n\tState:   LISTENING\r\n\tLocal:   0.0.0.0:135\r\n\tRemote:  0.0.0.0:0\r\n\
        [TCP] beacon, the.exe\r\n\tPID:     1244\r\n\tState:   ESTABLISHED\r\n\tLocal:   10.0.0.5:50001\r\n\tRemote:  203.0.113.9:443\r\n\
        [TCP] [System Process]\r\n\tPID:     0\r\n\tState:   TIME_WAIT\r\n\tLocal:   10.0.0.5:50002\r\n\tRemote:  203.0.113.9:443\r\n\
        [UDP] lsass.exe\r\n\tPID:     696\r\n\tState:   *\r\n\tLocal:   0.0.0.0:500\r\n\tRemote:  *:*\r\n";
    check(plain.as_bytes(), "Tcpvcon output", &EXPECTED, 0);
    let commas = "TCP,svchost.exe,988,LISTENING,0.0.0.0:135,0.0.0.0:0\r\n\
        TCP,beacon, the.exe,1244,ESTABLISHED,10.0.0.5:50001,203.0.113.9:443\r\n\
        TCP,[System Process],0,TIME_WAIT,10.0.0.5:50002,203.0.113.9:443\r\n\
        UDP,lsass.exe,696,*,0.0.0.0:500,*:*\r\n";
    check(commas.as_bytes(), "Tcpvcon output", &EXPECTED, 0);
}

#[test]
fn a_list_that_is_cut_gives_what_is_there() {
    let list = read(b"[TCP] a.exe\n\tPID: 1\n\tState: ESTABLISHED\n\tLocal: 10.0.0.1:1\n\tRemote: 10.0.0.2:2\n[TCP] b.exe\n\tPID: 2\n");
    assert_eq!(list.unwrap().connections.len(), 1);
}
