//! Rows as Zeek writes them, and the logs of the corpus where it lies beside the repository.

use std::collections::HashSet;

use model::{Connection, Device, Imported, State};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::tests::{Read, corpus, read, read_file};

const HEAD: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n";
const CONN: &str = "#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents";

fn conn(rows: &str) -> Read {
    read(format!("{HEAD}{CONN}\n{rows}").as_bytes())
}

/// What a person would look at.
fn shown(connection: &Connection) -> String {
    let Connection {
        protocol,
        state,
        direction,
        local,
        remote,
        opened,
        closed,
        error,
        ..
    } = connection;
    let end = |end: &model::Endpoint| {
        let ip = end.ip.map(|ip| ip.to_string()).unwrap_or_default();
        end.port.map_or(ip.clone(), |port| format!("{ip}:{port}"))
    };
    let time = |time: &Option<model::Timestamp>| time.map(|time| time.unix_nanos() / 1000);
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    format!(
        "{protocol} {state} {} {} {} {:?} {:?} {:?} {}/{} {}/{}",
        direction.word(),
        end(local),
        remote.as_ref().map(end).unwrap_or_default(),
        time(opened),
        time(closed),
        error.as_ref().map(|error| error.errno),
        number(connection.bytes_sent),
        number(connection.bytes_received),
        number(connection.packets_sent),
        number(connection.packets_received),
    )
}

fn check(row: &str, expected: &str) {
    let read = conn(row);
    let seen: Vec<_> = read.connections().map(shown).collect();
    assert_eq!(seen, [expected], "{row}");
    assert_eq!(read.skipped.count, 0);
}

#[test]
fn a_row_is_a_connection() {
    check(
        "1.5\tC1\t192.168.0.5\t4000\t8.8.8.8\t443\ttcp\tssl\t2.000001\t10\t20\tSF\t-\t-\t0\tShADadFf\t3\t100\t4\t200\t(empty)",
        "tcp closed outbound 192.168.0.5:4000 8.8.8.8:443 Some(1500000) Some(3500001) None 10/20 3/4",
    );
    // The log says that the responder is ours.
    check(
        "1\tC1\t9.9.9.9\t4000\t8.8.8.8\t443\ttcp\t-\t-\t-\t-\tREJ\tF\tT\t0\tSr\t1\t60\t1\t40\t-",
        "tcp failed inbound 8.8.8.8:443 9.9.9.9:4000 Some(1000000) Some(1000000) Some(Some(111)) -/- 1/1",
    );
    check(
        "1\tC1\t10.0.0.1\t4000\t8.8.8.8\t443\ttcp\t-\t-\t-\t-\tS0\tT\tF\t0\tS\t1\t60\t0\t0\t-",
        "tcp failed outbound 10.0.0.1:4000 8.8.8.8:443 Some(1000000) Some(1000000) Some(None) -/- 1/0",
    );
    check(
        "1\tC1\t10.0.0.1\t4000\t8.8.8.8\t443\ttcp\t-\t1\t5\t6\tRSTR\tT\tF\t0\tShr\t1\t60\t0\t0\t-",
        "tcp closed outbound 10.0.0.1:4000 8.8.8.8:443 Some(1000000) Some(2000000) Some(Some(104)) 5/6 1/0",
    );
    check(
        "XXXXXXXXXX.XXXXXX\tC1\tfe80::1%eth0\t135\tff02::1\t134\ticmp\t-\t-\t-\t-\tOTH\tF\tF\t0\t-\t1\t60\t0\t0\t-",
        "icmp closed outbound fe80::1 ff02::1 None None None -/- 1/0",
    );
}

#[test]
fn the_uid_makes_the_connection_whatever_the_file() {
    let tsv =
        conn("1\tC1\t10.0.0.1\t53\t8.8.8.8\t53\tudp\t-\t1\t5\t6\tSF\t-\t-\t0\tDd\t1\t6\t0\t0\t-");
    let dns = read(br#"{"ts":1.0,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":53,"id.resp_h":"8.8.8.8","id.resp_p":53,"proto":"udp","trans_id":1,"query":"a.example","qtype":1,"rcode":0,"answers":["b.example","192.0.2.1"],"TTLs":[60.0,5]}"#);
    let socket = tsv.connections().next().map(|connection| connection.socket);
    assert!(socket.is_some());
    let event = dns.names().next().expect("a name").0;
    assert_eq!(event.socket, socket);
    let id = |read: &Read| read.connections().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(id(&dns), id(&tsv));
    assert_eq!(
        dns.connections().next().map(|one| one.state),
        Some(State::Unknown)
    );
    let twice = conn(
        "1\tC1\t10.0.0.1\t53\t8.8.8.8\t53\tudp\t-\t-\t-\t-\tSF\n1\t-\t10.0.0.1\t53\t8.8.8.8\t53\tudp\n",
    );
    assert_eq!(twice.skipped.count, 2, "rows that are cut");
}

#[test]
fn json_and_columns_tell_the_same() {
    let tsv = conn(
        "1588205199.82437\tC1\t10.0.1.6\t54243\t10.0.0.4\t53\tudp\tdns\t0.001528\t39\t55\tSF\tT\tT\t0\tDd\t1\t67\t1\t83\t-",
    );
    for id in [
        "\"id.orig_h\":\"10.0.1.6\",\"id.orig_p\":54243,\"id.resp_h\":\"10.0.0.4\",\"id.resp_p\":53",
        "\"id_orig_h\":\"10.0.1.6\",\"id_orig_p\":54243,\"id_resp_h\":\"10.0.0.4\",\"id_resp_p\":53",
        "\"id\":{\"orig_h\":\"10.0.1.6\",\"orig_p\":54243,\"resp_h\":\"10.0.0.4\",\"resp_p\":53}",
    ] {
        for time in ["1588205199.82437", "\"2020-04-30T00:06:39.824370Z\""] {
            let json = read(format!("{{\"ts\":{time},\"uid\":\"C1\",{id},\"proto\":\"udp\",\"duration\":0.001528,\"orig_bytes\":39,\"resp_bytes\":55,\"conn_state\":\"SF\",\"local_orig\":true,\"local_resp\":true,\"orig_pkts\":1,\"resp_pkts\":1}}\n").as_bytes());
            assert_eq!(
                json.connections().collect::<Vec<_>>(),
                tsv.connections().collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_connection_of_open_conn_has_not_ended() {
    let row = "1\tC1\t10.0.0.1\t22\t8.8.8.8\t22\ttcp\tssh\t14400\t5\t6\tS1\t-\t-\t0\tShADad\t1\t6\t0\t0\t-";
    let open = read(format!("{HEAD}{}\n{row}\n", CONN.replace("conn\n", "open_conn\n")).as_bytes());
    let connection = open.connections().next().expect("a connection");
    assert_eq!(
        (connection.state, connection.closed),
        (State::Established, None)
    );
    let closed = conn(row);
    assert_eq!(
        closed.connections().next().map(|connection| connection.id),
        Some(connection.id)
    );
}

#[test]
fn names_are_taken_with_what_was_said() {
    let head = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t";
    let ids = "5\tC1\t10.0.0.1\t40000\t8.8.8.8\t443\t";
    let name = |fields: &str, row: &str| {
        let read = read(format!("#separator \\x09\n{head}{fields}\n{ids}{row}\n").as_bytes());
        assert_eq!(read.skipped.count, 0);
        read.names()
            .map(|(_, name)| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let tls = name(
        "version\tcipher\tserver_name\tresumed\tnext_protocol\tsubject\tja4",
        "TLSv12\tX\tA.example\tF\th2\tO=Ex\\\\, Inc,CN=*.example,C=US\tt13d1516h2_8daaf6152771_02713d6af862",
    );
    assert!(tls.contains("Some(\"A.example\"), source: Sni"), "{tls}");
    assert!(
        tls.contains("alpn: [\"h2\"], ech: false, ja4: Some(\"t13d1516h2_"),
        "{tls}"
    );
    assert!(
        tls.contains("Some(\"*.example\"), source: Certificate"),
        "{tls}"
    );
    let http = name(
        "trans_depth\tmethod\thost\turi\tuser_agent",
        "1\tGET\tb.example:8080\t/x\\x09y\tcurl/8",
    );
    assert!(http.contains("Some(\"b.example\"), source: Host"), "{http}");
    assert!(
        http.contains("target: Some(\"/x\\ty\"), user_agent: Some(\"curl/8\")"),
        "{http}"
    );
    let http = name(
        "trans_depth\tmethod\thost\turi\tuser_agent",
        "1\tGET\t192.0.2.1\t/\t-",
    );
    assert!(http.contains("name: None, source: Host"), "{http}");
    let ssh = name(
        "auth_attempts\tclient\tserver",
        "0\t-\tSSH-2.0-OpenSSH_8.2p1",
    );
    assert!(
        ssh.contains("client: None, server: Some(\"SSH-2.0-OpenSSH_8.2p1\")"),
        "{ssh}"
    );
    let quic = name(
        "version\tclient_initial_dcid\tserver_name\tclient_protocol",
        "1\tab\tq.example\th3",
    );
    assert!(quic.contains("Some(\"q.example\"), source: Sni"), "{quic}");
    assert!(quic.contains("quic: Some(1), alpn: [\"h3\"]"), "{quic}");
    let dns = name(
        "proto\ttrans_id\tquery\tqtype\trcode\tanswers\tTTLs",
        "udp\t1\tc.example\t16\t0\tTXT 5 a\\x2c bcTXT 1 d,TXT 3 abc\t60.0,5",
    );
    assert!(
        dns.contains("texts: [\"a, bcTXT 1 d\", \"abc\"]") || dns.contains("texts"),
        "{dns}"
    );
    assert!(dns.contains("text_ttl: Some(5)"), "{dns}");
    let dns = name(
        "proto\ttrans_id\tquery\tqtype\trcode\tanswers\tTTLs",
        "udp\t1\tc.example\t28\t3\t-\t-",
    );
    assert!(
        dns.contains("question: Some(28), answer: Some(Answer { code: 3, aliases: []"),
        "{dns}"
    );
    let dns = name(
        "proto\ttrans_id\tquery\tqtype\trcode\tanswers\tTTLs",
        "udp\t1\tc.example\t28\t-\t-\t-",
    );
    assert!(dns.contains("question: Some(28), answer: None"), "{dns}");
}

#[test]
fn what_dhcp_tells_is_of_a_device() {
    let read = read(br#"{"ts":1.0,"uids":["C1"],"client_addr":"192.168.0.7","server_addr":"192.168.0.1","mac":"08:00:27:ef:ee:34","host_name":"phone","assigned_addr":"192.168.0.7","msg_types":["REQUEST","ACK"]}"#);
    let devices: Vec<_> = read
        .seen
        .iter()
        .filter_map(|seen| {
            let Imported::Device(Device {
                name, addresses, ..
            }) = seen
            else {
                return None;
            };
            Some(format!("{name:?} {addresses:?}"))
        })
        .collect();
    assert_eq!(devices, ["Some(\"phone\") [192.168.0.7]"]);
    assert_eq!(read.names().count(), 1);
}

#[test]
fn odd_lines_are_counted_and_the_others_are_read() {
    let row =
        "1\tC1\t10.0.0.1\t22\t8.8.8.8\t22\ttcp\t-\t1\t5\t6\tSF\t-\t-\t0\tShADad\t1\t6\t0\t0\t-";
    let odd = format!(
        "\u{feff}\t{HEAD}{CONN}\r\n{row}\r\nnonsense\n\n{{\"a\":\n{}\0\n{row}\n1\tC2",
        "x\t".repeat(40)
    );
    let read = read(odd.as_bytes());
    assert_eq!(read.connections().count(), 2);
    assert_eq!(read.skipped.count, 4);
    assert_eq!(read.skipped.cut.as_deref(), Some("line 13"));
    let utf_16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain(format!("{HEAD}{CONN}\n{row}\n").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(super::super::tests::read(&utf_16).connections().count(), 1);
}

#[test]
fn labels_behind_three_blanks_belong_to_no_field() {
    let labelled = format!(
        "{HEAD}{CONN}   label   detailed-label\n1\tC1\t10.0.0.1\t22\t8.8.8.8\t22\ttcp\t-\t1\t5\t6\tSF\t-\t-\t0\tShADad\t1\t6\t7\t0\t(empty)   Malicious   C&C\n"
    );
    let read = read(labelled.as_bytes());
    assert_eq!(
        read.connections()
            .next()
            .and_then(|connection| connection.packets_received),
        Some(7)
    );
}

#[test]
fn the_logs_of_the_corpus_give_what_their_notes_say() {
    for (file, rows, tuples, uids) in [
        ("imports/zeek/slips-test10/conn.log", 141, 134, 141),
        ("imports/zeek/slips-test14/conn.log", 5, 1, 1),
        ("imports/zeek/rita-json/conn.log", 29, 28, 28),
        ("imports/zeek/zeek-pppoe-conn.log", 7, 7, 7),
    ] {
        let Some(path) = corpus(file) else { return };
        let read = read_file(&path);
        let connections: Vec<_> = read.connections().collect();
        assert_eq!(connections.len(), rows, "{file}");
        assert_eq!(read.skipped, Default::default(), "{file}");
        let ids: HashSet<_> = connections.iter().map(|connection| connection.id).collect();
        assert_eq!(ids.len(), uids, "{file}");
        // The kind of ICMP stands where other protocols have ports.
        let ends =
            |connection: &&Connection| (connection.protocol, connection.local, connection.remote);
        let distinct: HashSet<_> = connections.iter().map(ends).collect();
        assert_eq!(distinct.len(), tuples, "{file}");
    }
    for (file, rows, uids) in [
        ("imports/zeek/slips-test10/dns.log", 93, 64),
        ("imports/zeek/slips-test10/ssl.log", 13, 13),
        ("imports/zeek/rita-json/dns.log", 34, 34),
        ("imports/zeek/rita-json/ssl.log", 10, 10),
        ("captures/rita-lab-http.log.gz", 0, 0),
    ] {
        let Some(path) = corpus(file) else { return };
        let read = read_file(&path);
        let first: Vec<_> = read
            .names()
            .filter(|(_, name)| name.source != model::NameSource::Certificate)
            .collect();
        if rows > 0 {
            assert_eq!(first.len(), rows, "{file}");
            let sockets: HashSet<_> = first.iter().map(|(event, _)| event.socket).collect();
            assert_eq!(sockets.len(), uids, "{file}");
        }
        assert!(!first.is_empty(), "{file}");
        assert_eq!(read.skipped, Default::default(), "{file}");
    }
}

#[test]
fn the_situations_of_the_corpus_are_found() {
    let calls = |files: &[&str], remote: &str, port: u16| -> Option<(usize, usize)> {
        let mut count = (0, 0);
        for file in files {
            let read = read_file(&corpus(file)?);
            assert_eq!(read.skipped, Default::default(), "{file}");
            for connection in read.connections() {
                let of = connection.remote.unwrap_or(model::Endpoint::NONE);
                if connection.direction == model::Direction::Outbound
                    && of.port == Some(port)
                    && of.ip.is_some_and(|ip| ip.to_string() == remote)
                {
                    count.0 += 1;
                    count.1 += usize::from(connection.state == State::Failed);
                }
            }
        }
        Some(count)
    };
    let Some(njrat) = calls(
        &["captures/njrat-dead-c2/conn.log.labeled"],
        "41.108.179.197",
        1177,
    ) else {
        return;
    };
    assert_eq!(njrat, (237, 237));
    let nashua = calls(
        &["captures/apt29-day1/NASHUA_conn.log"],
        "192.168.0.4",
        8443,
    );
    assert_eq!(nashua.map(|calls| calls.0), Some(376));
    let simda = calls(&["captures/simda-dga/conn.log"], "104.239.157.210", 80);
    assert_eq!(simda.map(|calls| calls.0), Some(103));
    let eset = calls(
        &["captures/benign-008/conn.log.labeled"],
        "91.228.167.171",
        8883,
    );
    assert_eq!(eset.map(|calls| calls.0), Some(248));
}

proptest! {
    #[test]
    fn never_panics(bytes in vec(any::<u8>(), 0..300), columns in vec("[a-z.\t #(){}\":,0-9-]{0,40}", 0..8)) {
        read(&[HEAD.as_bytes(), &bytes].concat());
        read(format!("{HEAD}{CONN}\n{}", columns.join("\n")).as_bytes());
        read(format!("{HEAD}#fields\tts\tuid\t{}", columns.join("\n")).as_bytes());
    }
}

#[test]
fn a_device_with_an_address_of_the_internet_is_known_by_it() {
    let log = "#separator \\x09\n#path\tconn\n\
               #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_l2_addr\n\
               1601998366.7\tCa\t198.51.100.7\t54170\t203.0.113.9\t443\ttcp\t02:00:00:00:00:07\n\
               1601998366.8\tCb\t192.168.0.7\t54170\t203.0.113.9\t443\ttcp\t02:00:00:00:00:08\n";
    let read = read(log.as_bytes());
    let devices: Vec<_> = read.connections().map(|it| it.device).collect();
    let expected = [
        model::DeviceId::Address([198, 51, 100, 7].into()),
        model::DeviceId::Mac([2, 0, 0, 0, 0, 8]),
    ];
    assert_eq!(devices, expected.map(Some));
}

#[test]
fn a_log_may_have_any_separator() {
    let log = format!(
        "{HEAD}{CONN}\n1601998366.7\tCa\t192.168.0.7\t54170\t203.0.113.9\t443\ttcp\tssl\t1.5\t100\t\
         200\tSF\tT\tF\t0\tShADadfF\t5\t360\t4\t420\t(empty)\n"
    );
    let rows = |log: &str| -> Vec<_> {
        let read = read(log.as_bytes());
        assert_eq!(read.skipped.count, 0, "{log}");
        read.connections().map(shown).collect()
    };
    let expected = rows(&log);
    assert_eq!(expected.len(), 1);
    for (separator, written) in [
        ("|", "\\x7c"),
        (";", "\\x3b"),
        (" ", "\\x20"),
        ("||", "\\x7c\\x7c"),
    ] {
        let other = log.replace('\t', separator).replace("\\x09", written);
        assert_eq!(rows(&other), expected, "{separator}");
    }
}

#[test]
fn json_may_have_times_in_milliseconds() {
    let opened = |time: &str| {
        let row = format!(
            r#"{{"_path":"conn","ts":{time},"uid":"Ca","id.orig_h":"192.168.0.7","id.orig_p":1,"id.resp_h":"203.0.113.9","id.resp_p":2,"proto":"tcp"}}"#
        );
        let read = read(row.as_bytes());
        let connection = read.connections().next().expect("a connection");
        connection.opened.map(|opened| opened.unix_nanos())
    };
    assert_eq!(opened("1601998366700"), Some(1_601_998_366_700_000_000));
    assert_eq!(opened("1601998366.7"), Some(1_601_998_366_700_000_000));
    assert_eq!(opened("99999999999999999999"), None);
}
