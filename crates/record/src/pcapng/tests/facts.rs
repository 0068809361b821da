//! What is told of processes, interfaces and counts reads back.

use super::*;

#[test]
fn facts_of_a_process_read_back() {
    let curl = process(10, 1, "curl");
    let bytes = file(&[Arc::clone(&curl)], &[(4000, Way::Out, known(curl.id), 0)]);
    let mut reader = Reader::new(&bytes[..]);
    let mut found = None;
    while let Some(item) = reader.next().unwrap() {
        if let Item::Process(process) = item {
            found = Some(process);
        }
    }
    let found = found.unwrap();
    assert_eq!(
        found.comment.unwrap().lossy(),
        format!(
            "whocalls/1 name=curl pid=10 start=2026-11-22T10:15:00.123Z exe=/usr/bin/curl \
             cmd=curl%20-s%20100%25 user=alice(1000) ppid=1(systemd) unit=user@1000.service \
             container=docker:abc123 sha256={} deleted=0 process=10-1-07070707 conf=exact src=ebpf",
            "ab".repeat(32)
        )
    );
    let record = found.record.unwrap();
    assert_eq!(record.fact("cmd"), Some(&Text::from("curl -s 100%")));
    assert_eq!(
        record.started(),
        Some(Timestamp::from_unix_nanos(BEGAN / 1_000_000 * 1_000_000))
    );
    assert_eq!(record.user(), Some((Some(Text::from("alice")), 1000)));
    assert_eq!(record.parent(), Some((1, Text::from("systemd"))));
    assert_eq!(record.fact("pkg"), None);
}

#[test]
fn arguments_stay_out_when_they_are_not_wanted() {
    let mut writer = Writer::new(Header {
        command_lines: false,
        ..header()
    });
    let mut out = Vec::new();
    writer.start(1, &mut out);
    let curl = process(10, 1, "curl");
    writer.process(&curl);
    write(
        &mut writer,
        0,
        &(4000, Way::Out, known(curl.id), 0),
        &mut out,
    );
    check(&out, &["10 0:curl new"]);
    assert!(!out.windows(4).any(|bytes| bytes == b"cmd="));
}

#[test]
fn counts_and_names_and_interfaces_read_back() {
    let mut writer = Writer::new(Header {
        packet_bytes: Some(128),
        ..header()
    });
    let mut out = Vec::new();
    writer.start(1, &mut out);
    writer.statistics(statistics().ended, &statistics(), &mut out);
    let head = out.len();
    writer.interface(&eth());
    writer.statistics(statistics().ended, &statistics(), &mut out);
    assert!(out.len() > head, "nothing is known of the namespace before");
    let names = [
        (IpAddr::from([203, 0, 113, 9]), "example.org"),
        (IpAddr::from(Ipv6Addr::LOCALHOST), "localhost"),
        (IpAddr::from(Ipv4Addr::LOCALHOST), ""),
        (IpAddr::from(Ipv4Addr::LOCALHOST), "a\0b"),
    ];
    writer.names(&names, &mut out);
    writer.names(&names[2..], &mut out);

    let mut reader = Reader::new(&out[..]);
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(match item {
            Item::Section(section) => format!(
                "{} {}",
                section.os.unwrap().lossy(),
                section.application.unwrap().lossy()
            ),
            Item::Interface(interface) => {
                assert_eq!(interface.addresses, eth().addresses);
                assert_eq!(interface.netns, Some(NETNS));
                assert_eq!(interface.link, LinkType::ETHERNET);
                format!(
                    "{} {} {}",
                    interface.name.unwrap().lossy(),
                    interface.description.unwrap().lossy(),
                    interface.filter.unwrap().lossy()
                )
            }
            Item::Statistics(read) => {
                let counts = statistics();
                assert_eq!(
                    (read.began, read.ended),
                    (Some(counts.began), Some(counts.ended))
                );
                assert_eq!(read.time, Some(counts.ended));
                assert_eq!(read.received, Some(counts.received));
                assert_eq!(read.dropped, Some(counts.dropped));
                assert_eq!(read.delivered, Some(counts.delivered));
                format!("statistics {}", read.of_namespace)
            }
            Item::Names(read) => {
                let names = read.names.iter();
                let names = names.map(|(ip, name)| format!("{ip}={}", name.lossy()));
                names.collect::<Vec<_>>().join(" ")
            }
            Item::Process(_) | Item::Packet(_) | Item::Other { .. } => "other".to_owned(),
        });
    }
    assert_eq!(
        items,
        [
            "Linux 6.1.0-38-amd64 x86_64 whocalls 0.1.0",
            "eth0 network namespace 4026531840 the first 128 bytes of each packet",
            "statistics true",
            "203.0.113.9=example.org ::1=localhost",
        ]
    );
}
