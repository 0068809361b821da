//! Captures of other tools, where they lie beside the repository.

use std::collections::BTreeSet;

use model::{NameSource, Protocol};

use super::super::super::tests::{Read, corpus, read_file};

fn capture(file: &str) -> Option<Read> {
    corpus(file).map(|path| read_file(&path))
}

/// How many packets, and how many conversations of TCP and UDP, each counted once.
fn check(file: &str, packets: u64, tcp: usize, udp: usize) {
    let Some(read) = capture(file) else { return };
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    let mut counted = 0;
    for it in read.connections() {
        counted += it.packets_sent.unwrap_or(0) + it.packets_received.unwrap_or(0);
        let [tcp, udp] = &mut found;
        let ends = (it.local, it.remote);
        if it.protocol == Protocol::Tcp {
            tcp.insert(ends);
        } else if it.protocol == Protocol::Udp {
            udp.insert(ends);
        }
    }
    let [found_tcp, found_udp] = found.map(|ends| ends.len());
    assert_eq!((found_tcp, found_udp), (tcp, udp), "{file}");
    assert_eq!(counted, packets, "{file}");
    assert_eq!(read.skipped.count, 0, "{file}: {:?}", read.skipped);
}

#[test]
fn counts_are_those_of_the_notes() {
    check("imports/pcap/ptcpdump-curl-thread.pcapng", 10, 1, 0);
    check("imports/pcap/ptcpdump-curl-user.pcapng", 5, 1, 0);
    check("imports/pcap/ptcpdump-tcp.pcapng", 24, 1, 0);
    // With 519 of ARP.
    check("imports/pcap/slips-test8-malicious.pcap", 15, 0, 1);
    check("imports/pcap/slips-test-cc-capture-1.pcap", 7931, 297, 0);
    check("imports/pcap/scapy-macos.pcapng.gz", 1, 0, 1);
    for kind in ["001-le", "001-be", "016-be"] {
        check(&format!("imports/pcap/pcapng-test{kind}.pcapng"), 4, 0, 2);
    }
    let quic = "imports/pcap/zeek-quic";
    check(
        &format!("{quic}-chromium-115.0.5790.110-api-cirrus-com.pcap"),
        19,
        0,
        1,
    );
    check(&format!("{quic}-quicv2-http3-443.pcap"), 14, 0, 1);
    check(
        &format!("{quic}-quic-multiple-initial-fragmented-crypto.pcap"),
        15,
        0,
        1,
    );
    check(
        "imports/pcap/zeek-tls-chrome-1250-tls-x25519-kyber.pcap",
        15,
        1,
        0,
    );
    check("imports/pcap/zeek-tls-ecdhe.pcap", 28, 1, 0);
    check("imports/pcap/zeek-dns-ech.pcap", 4, 0, 2);
    check("imports/pcap/zeek-dns-long-connection.pcap", 22, 0, 1);
    check("imports/pcap/zeek-dns-mdns.pcap", 24, 0, 2);
}

#[test]
fn ptcpdump_says_all_of_a_process() {
    for file in ["curl-thread", "curl-user", "tcp"] {
        let file = format!("imports/pcap/ptcpdump-{file}.pcapng");
        let Some(read) = capture(&file) else { return };
        let owners: BTreeSet<_> = read.owners().into_iter().collect();
        assert_eq!(owners.len(), 1, "{file}: {owners:?}");
        let curl = read.process("curl");
        assert_eq!(curl.path, Some("/usr/bin/curl".into()));
        let arguments = curl.command_line.as_ref().map(Vec::len);
        assert_eq!(arguments, Some(2), "{file}");
        let parent = curl.parents.first().map(|parent| parent.name.lossy());
        let uid = curl.uid;
        match file.contains("user") {
            true => assert_eq!((uid, parent.as_deref()), (Some(1000), Some("bash"))),
            false => assert_eq!(uid, None),
        }
    }
}

#[test]
fn macos_says_whose_a_packet_is() {
    let Some(read) = capture("imports/pcap/gopacket-pktap.pcap") else {
        return;
    };
    assert_eq!(
        read.owners(),
        ["Google Chrome He(2227)", "Spotify Helper(794)"]
    );
    let local: BTreeSet<_> = read.connections().filter_map(|it| it.local.port).collect();
    assert_eq!(local, [54230, 64356].into());
}

#[test]
fn synthetic_files_keep_their_promises() {
    let owners = |file: &str, expected: &[&str]| {
        let read = capture(&format!("imports/synthetic/{file}.pcapng"))?;
        assert_eq!(read.owners(), expected, "{file}");
        Some(read)
    };
    let long = "an-extremely-long-process-name-over-15-chars(77)";
    owners("darwin-dpib", &["curl(501)", long, "-"]);
    let both = ["curl(1234)", "curl(1234)", "процесс-é(77)", "-"];
    owners("darwin-dpib-comments-pid", &both);
    owners("darwin-two-sections", &["one(1)", "one(1)", "two(2)"]);
    owners("pid-reuse", &["first(500)", "second(500)"]);
    owners("journal-events", &["-", "-"]);

    let Some(read) = owners("wireshark5-pib", &["curl(1234)"]) else {
        return;
    };
    let curl = read.process("curl");
    assert_eq!(curl.path, Some("/usr/bin/curl".into()));
    assert_eq!(curl.command_line.as_ref().map(Vec::len), Some(3));
    assert_eq!(curl.parents.first().map(|parent| parent.pid), Some(1));
    assert_eq!(
        (curl.uid, curl.user.clone()),
        (Some(1000), Some("alice".into()))
    );
    assert!(curl.started.is_some() && curl.id.start_ticks > 0);

    let Some(read) = owners("wireshark5-pib-two-owners", &["curl(1234)"]) else {
        return;
    };
    let connection = read.connections().next().expect("a connection");
    let others: Vec<_> = connection.also_held_by.iter().map(|id| id.pid).collect();
    assert_eq!(others, [55]);

    let Some(read) = owners("nrb-mid-file", &["-", "-"]) else {
        return;
    };
    for connection in read.connections() {
        let name = connection.name.as_ref().expect("a name");
        assert_eq!(
            (&name.name, name.source),
            (&"example.com".into(), NameSource::Log)
        );
    }

    let Some(read) = owners("dropcount", &["-", "-"]) else {
        return;
    };
    let lost: Vec<_> = read.gaps().map(|gap| gap.count).collect();
    assert_eq!(lost, [Some(77)]);

    let Some(read) = capture("imports/synthetic/truncated-last-block.pcapng") else {
        return;
    };
    assert_eq!(read.connections().count(), 3);
    assert!(read.skipped.cut.is_some());
}
