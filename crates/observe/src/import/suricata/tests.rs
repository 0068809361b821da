//! Events as Suricata writes them, and the logs of the corpus where it lies beside the repository.

use std::collections::HashSet;

use model::{ConnectionId, NameSource};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::tests::{corpus, read, read_file};
use super::*;

fn event(kind: &str, more: &str) -> String {
    format!(
        "{{\"timestamp\":\"2021-06-06T15:59:46.457984+0200\",\"flow_id\":7,\"event_type\":\"{kind}\",\"src_ip\":\"192.168.1.2\",\"src_port\":40000,\"dest_ip\":\"203.0.113.1\",\"dest_port\":443,\"proto\":\"TCP\"{more}}}\n"
    )
}

const FLOW: &str = r#","flow":{"pkts_toserver":3,"pkts_toclient":2,"bytes_toserver":300,"bytes_toclient":200,"start":"2021-06-06T15:59:00.000000+0200","end":"2021-06-06T15:59:10.000000+0200","state":"closed"},"tcp":{"state":"closed"}"#;

#[test]
fn a_flow_is_a_connection_and_other_events_do_not_replace_it() {
    let flow = event("flow", FLOW);
    let alert = event(
        "alert",
        r#","flow":{"pkts_toserver":1,"start":"2021-06-06T15:59:00+0200"}"#,
    );
    for text in [format!("{flow}{alert}"), format!("{alert}{flow}{alert}")] {
        let read = read(text.as_bytes());
        let ids: HashSet<_> = read.connections().map(|connection| connection.id).collect();
        assert_eq!(ids.len(), 1);
        let last = read.connections().last().expect("a connection");
        assert_eq!(
            (last.packets_sent, last.packets_received),
            (Some(3), Some(2))
        );
        assert_eq!((last.bytes_sent, last.state), (None, State::Closed));
        let (opened, closed) = last.opened.zip(last.closed).expect("times");
        assert_eq!(opened.to_string(), "2021-06-06T13:59:00.000000000Z");
        assert_eq!(opened.until(closed).as_secs(), 10);
        assert!(matches!(read.seen.last(), Some(Imported::Gap(gap)) if gap.count.is_some()));
    }
}

#[test]
fn a_packet_of_the_answer_is_of_the_same_connection() {
    let answer = r#"{"timestamp":"2021-06-06T15:59:46.457984+0200","flow_id":7,"event_type":"alert","src_ip":"203.0.113.1","src_port":443,"dest_ip":"192.168.1.2","dest_port":40000,"proto":"UDP""#;
    let flow = event("flow", FLOW).replace("TCP", "UDP");
    for direction in ["", r#","direction":"to_client""#] {
        let read = read(format!("{answer}{direction}}}\n{flow}").as_bytes());
        let ids: HashSet<_> = read.connections().map(|one| one.id).collect();
        assert_eq!((read.connections().count(), ids.len()), (2, 1));
    }
    let ends = read(format!("{answer},\"direction\":\"to_client\"}}").as_bytes());
    let direction = ends.connections().next().map(|one| one.direction);
    assert_eq!(direction, Some(Direction::Outbound));
}

fn names(kind: &str, more: &str) -> String {
    let read = read(event(kind, more).as_bytes());
    assert_eq!(read.skipped.count, 0);
    assert_eq!(read.connections().count(), 1);
    read.names()
        .map(|(_, name)| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn names_are_taken_with_what_was_said() {
    let tls = names(
        "tls",
        r#","tls":{"subject":"OU=X, CN=b.example","sni":"a.example","ja4":{"hash":"t13d"},"client_alpns":["h2","http/1.1"]}"#,
    );
    assert!(tls.contains("Some(\"a.example\"), source: Sni"), "{tls}");
    assert!(
        tls.contains("alpn: [\"h2\", \"http/1.1\"], ech: false, ja4: Some(\"t13d\")"),
        "{tls}"
    );
    assert!(
        tls.contains("Some(\"b.example\"), source: Certificate"),
        "{tls}"
    );
    let http = names(
        "http",
        r#","http":{"hostname":"a.example","url":"\/x","http_user_agent":"curl\/8","http_method":"GET"}"#,
    );
    assert!(http.contains("Some(\"a.example\"), source: Host"), "{http}");
    assert!(
        http.contains("target: Some(\"/x\"), user_agent: Some(\"curl/8\")"),
        "{http}"
    );
    let quic = names("quic", r#","quic":{"version":"1","sni":"q.example"}"#);
    assert!(
        quic.contains("Some(\"q.example\")") && quic.contains("quic: Some(1)"),
        "{quic}"
    );
    let ssh = names(
        "ssh",
        r#","ssh":{"client":{"proto_version":"2.0","software_version":"libssh_0.9"},"server":{"proto_version":"2.0","software_version":"OpenSSH_9"}}"#,
    );
    assert!(
        ssh.contains("client: Some(\"SSH-2.0-libssh_0.9\"), server: Some(\"SSH-2.0-OpenSSH_9\")"),
        "{ssh}"
    );
}

#[test]
fn dns_is_read_in_all_its_versions() {
    for answer in [
        r#","dns":{"type":"answer","id":1,"rcode":"NOERROR","rrname":"a.example","rrtype":"A","ttl":91,"rdata":"192.0.2.1"}"#,
        r#","dns":{"version":2,"type":"answer","rrname":"a.example","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"a.example","rrtype":"A","ttl":91,"rdata":"192.0.2.1"}],"grouped":{"A":["192.0.2.1"]}}"#,
        r#","dns":{"version":3,"type":"response","rcode":"NOERROR","queries":[{"rrname":"a.example","rrtype":"A"}],"answers":[{"rrname":"a.example","rrtype":"A","ttl":91,"rdata":"192.0.2.1"}]}"#,
    ] {
        let told = names("dns", answer);
        assert!(
            told.contains("Some(\"a.example\"), source: Dns, question: Some(1)"),
            "{told}"
        );
        assert!(
            told.contains("code: 0") && told.contains("[(192.0.2.1, 91)]"),
            "{told}"
        );
    }
    let grouped = names(
        "dns",
        r#","dns":{"version":2,"type":"answer","rrname":"a.example","rcode":"NXDOMAIN","grouped":{"AAAA":["2001:db8::1"],"CNAME":["b.example"]}}"#,
    );
    assert!(
        grouped.contains("code: 3, aliases: [\"b.example\"], addresses: [(2001:db8::1, 0)]"),
        "{grouped}"
    );
    for query in [
        r#","dns":{"type":"query","rrname":"a.example","rrtype":"TYPE65"}"#,
        r#","dns":{"version":3,"type":"request","queries":[{"rrname":"a.example","rrtype":"HTTPS"}]}"#,
    ] {
        let told = names("dns", query);
        assert!(told.contains("question: Some(65), answer: None"), "{told}");
    }
}

#[test]
fn odd_lines_are_counted_and_the_others_are_read() {
    let flow = event("flow", FLOW);
    let text = format!(
        "{flow}nonsense\n\n{{\"event_type\":\"stats\",\"timestamp\":\"x\"}}\n{{\"src_ip\":\"x\",\"event_type\":\"flow\"}}\n{flow}{}",
        flow.get(..90).unwrap_or_default()
    );
    let read = read(text.as_bytes());
    assert_eq!(read.connections().count(), 2);
    assert_eq!(
        (read.skipped.count, read.skipped.cut.as_deref()),
        (3, Some("line 7"))
    );
}

#[test]
fn the_log_of_the_corpus_gives_what_its_notes_say() {
    let Some(path) = corpus("imports/suricata/slips-test6.eve.json") else {
        return;
    };
    let read = read_file(&path);
    assert_eq!(read.skipped, Default::default());
    let ids: HashSet<ConnectionId> = read.connections().map(|connection| connection.id).collect();
    assert_eq!(ids.len(), 3847);
    let flows: Vec<_> = read
        .connections()
        .filter(|one| one.closed.is_some())
        .collect();
    assert_eq!(flows.len(), 3512);
    let ends = |one: &&Connection| (one.protocol, one.direction, one.local, one.remote);
    let distinct: HashSet<_> = flows.iter().map(ends).collect();
    assert_eq!(distinct.len(), 3471);
    let of = |source| {
        read.names()
            .filter(|(_, name)| name.source == source)
            .count()
    };
    assert_eq!(
        (
            of(NameSource::Dns),
            of(NameSource::Host),
            of(NameSource::Sni)
        ),
        (680, 56, 1)
    );
    let alerts = read.seen.iter().find_map(|seen| {
        let Imported::Gap(gap) = seen else {
            return None;
        };
        assert_eq!(gap.missed.matches("\"ET ").count(), 5, "{}", gap.missed);
        gap.count
    });
    assert_eq!(alerts, Some(745));
    let Some(path) = corpus("imports/suricata/sv-fileinfo.eve.json") else {
        return;
    };
    let read = read_file(&path);
    let connection = read.connections().next().expect("a connection");
    assert_eq!(
        connection.local.ip.map(|ip| ip.to_string()).as_deref(),
        Some("10.16.1.11")
    );
    assert_eq!(connection.direction, Direction::Outbound);
}

proptest! {
    #[test]
    fn never_panics(bytes in vec(any::<u8>(), 0..200), more in "[a-z:,\"{}\\[\\]0-9]{0,60}") {
        read(&[event("flow", FLOW).as_bytes(), &bytes].concat());
        for kind in ["flow", "dns", "tls", "http", "dhcp"] {
            read(event(kind, &format!(",\"{kind}\":{{{more}}}")).as_bytes());
        }
    }
}
