//! Files made by hand, whole and damaged.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::{Connection, Direction, Owner, Protocol, State};
use proptest::prelude::*;

use super::super::super::tests::{Read, read};
use super::packets::*;

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 1;
const US: (&str, u16) = ("192.168.0.7", 50_000);
const THEM: (&str, u16) = ("93.184.216.34", 80);

fn only(read: &Read) -> &Connection {
    let mut connections = read.connections();
    let connection = connections.next().expect("a connection");
    assert!(connections.next().is_none(), "more than one");
    connection
}

/// What a gap counts. `None`: there is no such gap.
fn counted(read: &Read, id: &str) -> Option<u64> {
    read.gaps().find(|gap| gap.id == id)?.count
}

fn talk() -> Vec<(u64, Vec<u8>)> {
    each_second([
        tcp(US, THEM, SYN, 100, b""),
        tcp(THEM, US, SYN | ACK, 500, b""),
        tcp(US, THEM, ACK, 101, b"hello"),
        tcp(US, THEM, ACK, 101, b"hello"),
        tcp(THEM, US, ACK, 501, b"hello to you"),
        tcp(US, THEM, ACK | FIN, 106, b""),
        tcp(THEM, US, ACK | FIN, 513, b""),
    ])
}

#[test]
fn a_connection_is_what_its_packets_were() {
    let read = read(&pcap(101, &talk()));
    let connection = only(&read);
    assert_eq!(connection.protocol, Protocol::Tcp);
    assert_eq!(connection.state, State::Closed);
    assert_eq!(connection.direction, Direction::Outbound);
    assert_eq!(connection.local.port, Some(50_000));
    assert_eq!(connection.bytes_sent, Some(5));
    assert_eq!(connection.bytes_received, Some(12));
    assert_eq!(connection.packets_sent, Some(4));
    assert_eq!(connection.packets_received, Some(3));
    let seconds = |time: model::Timestamp| time.unix_nanos() / 1_000_000_000 - 1_700_000_000;
    assert_eq!(connection.opened.map(seconds), Some(0));
    assert_eq!(connection.closed.map(seconds), Some(6));
    assert!(matches!(connection.owner, Owner::Unknown { .. }));
    assert_eq!(read.skipped.count, 0);
    assert_eq!(read.skipped.cut, None);
}

#[test]
fn names_belong_to_their_connection() {
    let request = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let packets = each_second([
        tcp(US, THEM, SYN, 100, b""),
        tcp(THEM, US, SYN | ACK, 500, b""),
        // In two parts, the second first.
        tcp(US, THEM, ACK, 121, &request[20..]),
        tcp(US, THEM, ACK, 101, &request[..20]),
    ]);
    let read = read(&pcap(101, &packets));
    let (event, seen) = read.names().next().expect("a name");
    assert_eq!(seen.source, model::NameSource::Host);
    assert_eq!(seen.name, Some("example.com".into()));
    assert_eq!(event.socket, Some(only(&read).socket));
    assert_eq!(event.local, Some(only(&read).local));
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let mut packets = talk();
    let again = START + 10 * SECOND;
    packets.push((again, tcp(US, THEM, SYN, 9000, b"")));
    packets.push((again, tcp(US, THEM, SYN, 9000, b"")));
    let read = read(&pcap(101, &packets));
    let states: Vec<_> = read.connections().map(|it| it.state).collect();
    assert_eq!(states, [State::Closed, State::SynSent]);
    let ids: Vec<_> = read.connections().map(|it| it.id).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn datagrams_after_a_long_silence_are_another_connection() {
    let times = [0, 59, 118, 179].map(|second| START + second * SECOND);
    let packets = times.map(|time| (time, udp(US, ("9.9.9.9", 7), b"x")));
    let read = read(&pcap(101, &packets));
    let packets: Vec<_> = read.connections().map(|it| it.packets_sent).collect();
    assert_eq!(packets, [Some(3), Some(1)]);
}

#[test]
fn who_asks_in_vain_has_failed() {
    let mut packets = each_second([tcp(US, THEM, SYN, 100, b"")]);
    packets.push((START + 600 * SECOND, udp(US, ("9.9.9.9", 7), b"x")));
    let read = read(&pcap(101, &packets));
    let tcp = read.connections().find(|it| it.protocol == Protocol::Tcp);
    let tcp = tcp.expect("a connection");
    assert_eq!(tcp.state, State::Failed);
    assert_eq!(tcp.error.as_ref().and_then(|error| error.errno), None);
}

#[test]
fn an_icmp_error_belongs_to_what_it_is_about() {
    let asked = udp(US, ("9.9.9.9", 7), b"x");
    let error = [&[3, 3, 0, 0, 0, 0, 0, 0], &asked[..28]].concat();
    let error = ip("9.9.9.9", US.0, 1, &error);
    let read = read(&pcap(101, &each_second([asked, error])));
    let connection = only(&read);
    assert_eq!(connection.state, State::Failed);
    let errno = connection.error.as_ref().and_then(|error| error.errno);
    assert_eq!(errno, Some(111));
}

#[test]
fn an_echo_and_its_answers_are_one_connection() {
    let echo = |kind, from, to| ip(from, to, 1, &[kind, 0, 0, 0, 0, 77, 0, 1, 1, 2, 3]);
    let packets = each_second([
        echo(8, US.0, "9.9.9.9"),
        echo(0, "9.9.9.9", US.0),
        echo(8, US.0, "9.9.9.9"),
    ]);
    let read = read(&pcap(101, &packets));
    let connection = only(&read);
    assert_eq!(connection.packets_sent, Some(2));
    assert_eq!(connection.bytes_sent, Some(6));
    assert_eq!(connection.direction, Direction::Outbound);
    let Protocol::Icmp(kind) = connection.protocol else {
        panic!("{:?}", connection.protocol);
    };
    assert_eq!((kind.kind, kind.id), (Some(8), Some(77)));
}

#[test]
fn an_answer_without_its_question_still_goes_to_who_asked() {
    let answer = ip("9.9.9.9", "8.8.8.8", 1, &[0, 0, 0, 0, 0, 77, 0, 1, 1, 2, 3]);
    let read = read(&pcap(101, &each_second([answer])));
    let connection = only(&read);
    assert_eq!(connection.local.ip, "8.8.8.8".parse().ok());
    assert_eq!(connection.direction, Direction::Unknown);
    assert_eq!(connection.packets_received, Some(1));
}

#[test]
fn packets_that_are_captured_in_part_are_counted() {
    let mut file = pcap(101, &talk());
    // The first packet was longer than what is there of it.
    let length = file[36..40].to_vec();
    assert_eq!(length, 40_u32.to_le_bytes());
    file[36..40].copy_from_slice(&60_u32.to_le_bytes());
    assert_eq!(counted(&read(&file), "packets_cut"), Some(1));
    assert_eq!(counted(&read(&pcap(101, &talk())), "packets_cut"), None);
}

#[test]
fn later_fragments_belong_to_their_first() {
    let datagram = udp(US, THEM, &[7; 64]);
    let (head, body) = datagram.split_at(20);
    let part = |field: u16, range: std::ops::Range<usize>| {
        let mut part = [head, &body[range]].concat();
        let length = u16::try_from(part.len()).unwrap();
        part[2..4].copy_from_slice(&length.to_be_bytes());
        part[6..8].copy_from_slice(&field.to_be_bytes());
        part
    };
    let packets = each_second([part(0x2000, 0..40), part(5, 40..72)]);
    let whole = read(&pcap(101, &packets));
    let connection = only(&whole);
    assert_eq!(connection.packets_sent, Some(2));
    assert_eq!(connection.bytes_sent, Some(64));
    assert_eq!(counted(&whole, "fragments_without_beginning"), None);
    assert_eq!(counted(&whole, "packets_in_parts"), Some(1));
    let later = read(&pcap(101, &each_second([part(5, 40..72)])));
    assert_eq!(later.connections().count(), 0);
    assert_eq!(counted(&later, "fragments_without_beginning"), Some(1));
}

#[test]
fn tunnels_are_looked_into() {
    let inner = udp(US, THEM, b"x");
    let gre = [&[0x20, 0, 8, 0, 0, 0, 0, 7][..], &inner].concat();
    let ends = ("1.2.3.4", "5.6.7.8");
    let packets = each_second([
        ip(ends.0, ends.1, 4, &inner),
        ip(ends.0, ends.1, 47, &gre),
        ip("2001:db8::1", "2001:db8::2", 4, &inner),
    ]);
    let read = read(&pcap(101, &packets));
    assert_eq!(only(&read).packets_sent, Some(3));
    assert_eq!(counted(&read, "tunnel_ends"), Some(3));
    let why = &read.gaps().next().expect("a gap").why;
    assert!(
        why.contains("1.2.3.4 and 5.6.7.8, 2001:db8::1 and"),
        "{why}"
    );
}

#[test]
fn devices_stand_where_no_process_is_known() {
    let packets = each_second([
        frame(PHONE, &udp(US, ("9.9.9.9", 7), b"x")),
        frame(ROUTER, &udp(("9.9.9.9", 7), US, b"x")),
        frame(ROUTER, &udp(("8.8.8.8", 7), US, b"x")),
        frame(ROUTER, &udp(("10.9.9.9", 7000), ("8.8.8.8", 7), b"x")),
    ]);
    let read = read(&pcap(1, &packets));
    let mut ids: Vec<_> = read.connections().map(|it| it.device).collect();
    ids.sort_unstable();
    ids.dedup();
    let behind = model::DeviceId::Address("10.9.9.9".parse().unwrap());
    assert_eq!(ids, [Some(model::DeviceId::Mac(PHONE)), Some(behind)]);
    assert_eq!(read.devices().count(), 2);
}

#[test]
fn what_the_capture_says_tells_which_end_is_local() {
    let mut file = Pcapng::new(false);
    file.interface(101, &[]);
    // As a server of whocalls' own captures has it.
    let flags = file.option(2, &1_u32.to_le_bytes());
    file.packet(
        0,
        1,
        &tcp(("8.8.8.8", 5000), ("1.1.1.1", 80), SYN, 1, b""),
        &flags,
    );
    let read = read(&file.bytes);
    let connection = only(&read);
    assert_eq!(connection.local.port, Some(80));
    assert_eq!(connection.direction, Direction::Inbound);
}

#[test]
fn both_byte_orders_and_all_kinds_of_packets() {
    for is_big_endian in [false, true] {
        let mut file = Pcapng::new(is_big_endian);
        let nanoseconds = file.option(9, &[9]);
        file.interface(101, &nanoseconds);
        file.interface(1, &[]);
        let packet = |port| udp(("192.168.0.7", port), ("9.9.9.9", 7), b"x");
        file.packet(0, START, &packet(50_001), &[]);
        file.packet(1, START / 1000, &frame(PHONE, &packet(50_002)), &[]);
        // A simple one: 33 bytes, of the first interface, without a time.
        let simple = packet(50_003);
        let length = file.u32(u32::try_from(simple.len()).unwrap());
        file.block(3, &[&length[..], &simple, &[0; 3]].concat());
        // An old one.
        let old = packet(50_004);
        let length = file.u32(u32::try_from(old.len()).unwrap());
        let time = [START >> 32, START & 0xffff_ffff];
        let time = time
            .map(|half| file.u32(u32::try_from(half).unwrap()))
            .concat();
        let head = [&file.u16(0)[..], &file.u16(12), &time, &length, &length].concat();
        file.block(2, &[&head[..], &old, &[0; 3]].concat());
        // Unknown, and an interface that is not there.
        file.block(0x0bad_cafe, b"whatever");
        file.packet(7, START, &packet(50_005), &[]);
        file.section();
        file.interface(101, &nanoseconds);
        file.packet(0, START, &packet(50_006), &[]);
        let read = read(&file.bytes);
        let mut opened: Vec<_> = read
            .connections()
            .map(|it| (it.local.port.unwrap(), it.opened.map(|it| it.unix_nanos())))
            .collect();
        opened.sort_unstable();
        let start = i64::try_from(START).ok();
        let expected = [
            (50_001, start),
            (50_002, start),
            (50_003, None),
            (50_004, start),
            (50_006, start),
        ];
        assert_eq!(opened, expected);
        assert_eq!(read.skipped.count, 1, "{:?}", read.skipped);
        let lost: Vec<_> = read.gaps().map(|gap| gap.count).collect();
        assert_eq!(lost, [Some(12)]);
    }
}

#[test]
fn lost_packets_are_counted_once() {
    let mut file = Pcapng::new(false);
    file.interface(101, &[]);
    let lost = file.option(4, &3_u64.to_le_bytes());
    file.packet(0, 1, &udp(US, THEM, b"x"), &lost);
    for count in [2_u64, 5] {
        let counts = file.option(7, &count.to_le_bytes());
        file.block(5, &[&[0; 12][..], &counts].concat());
    }
    let read = read(&file.bytes);
    let lost: Vec<_> = read.gaps().map(|gap| gap.count).collect();
    assert_eq!(lost, [Some(5)]);
}

#[test]
fn doubtful_owners_are_believed_where_they_agree() {
    let owners = |pids: &[u32]| {
        let mut file = Pcapng::new(false);
        file.interface(101, &[]);
        for pid in pids {
            let comment = file.option(1, format!("PID={pid}").as_bytes());
            file.packet(0, 1, &udp(US, THEM, b"x"), &comment);
        }
        read(&file.bytes).owners()
    };
    assert_eq!(owners(&[7, 7, 7]), ["(7)"]);
    assert_eq!(owners(&[7, 7, 8]), ["-"]);
}

#[test]
fn who_has_the_most_packets_is_the_owner() {
    let mut file = Pcapng::new(false);
    file.interface(101, &[]);
    for (pid, name) in [(7, "one"), (8, "other"), (8, "other")] {
        let comment = format!("rustnet process={name} pid={pid}");
        let comment = file.option(1, comment.as_bytes());
        file.packet(0, 1, &udp(US, THEM, b"x"), &comment);
    }
    let read = read(&file.bytes);
    assert_eq!(read.owners(), ["other(8)"]);
    assert_eq!(only(&read).also_held_by.len(), 1);
    assert_eq!(only(&read).device, None);
}

#[test]
fn both_modified_and_old_headers_are_read() {
    let little = pcap(101, &talk());
    let check = |file: &[u8]| assert_eq!(read(file).connections().count(), 1);
    check(&little);
    // Big-endian: every number of the headers turned around.
    let mut big: Vec<u8> = little[..24]
        .chunks(4)
        .flat_map(|number| number.iter().rev().copied())
        .collect();
    let mut rest = &little[24..];
    let mut modified = little[..24].to_vec();
    modified[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    while !rest.is_empty() {
        let length = usize::from(rest[8]) + usize::from(rest[9]) * 256;
        let (header, behind) = rest.split_at(16);
        let (packet, behind) = behind.split_at(length);
        big.extend(header.chunks(4).flat_map(|it| it.iter().rev().copied()));
        big.extend(packet);
        modified.extend([header, &[0; 8], packet].concat());
        rest = behind;
    }
    check(&big);
    check(&modified);
}

#[test]
fn what_ends_in_the_middle_says_where() {
    let whole = pcap(101, &talk());
    for end in 1..whole.len() {
        let cut = read(&whole[..end]);
        assert!(cut.connections().count() <= 1);
    }
    let cut = read(&whole[..whole.len() - 1]);
    assert_eq!(only(&cut).packets_received, Some(2));
    let last = whole.len() - 16 - 40;
    assert_eq!(cut.skipped.cut, Some(format!("byte {last}")));
    // The header alone is an empty capture.
    let empty = read(&whole[..24]);
    assert_eq!((empty.seen.len(), empty.skipped.cut), (0, None));
    assert_eq!(read(&whole[..10]).skipped.cut, Some("byte 0".to_owned()));
}

#[test]
fn what_is_no_packet_ends_the_reading() {
    let mut damaged = pcap(101, &talk());
    damaged.extend([0xff; 64]);
    let read = read(&damaged);
    assert_eq!(only(&read).packets_sent, Some(4));
    assert_eq!(read.skipped.count, 1);
    assert!(read.skipped.first[0].place.starts_with("byte "));
}

#[test]
fn a_link_that_is_not_known_is_counted() {
    let read = read(&pcap(105, &talk()));
    assert_eq!(read.connections().count(), 0);
    assert_eq!(read.skipped.count, 7);
}

#[test]
fn never_more_than_a_bound_is_remembered() {
    use super::super::super::Options;
    use super::super::super::format::Out;
    use super::super::book::{Book, Frame};
    let mut book = Book::new(100);
    let mut out = Out::new(model::BootId([0; 16]), Options::default());
    for port in 0..1000 {
        let packet = tcp((US.0, 1000 + port), THEM, ACK, 1, b"x");
        let frame = Frame {
            time: Some(i64::from(port)),
            link: 101,
            bytes: &packet,
            length: 41,
            way: None,
        };
        book.packet(&frame, &mut out);
    }
    assert_eq!(out.seen.len(), 900);
    while book.end(&mut out) {}
    let connections = out.seen.iter();
    let connections = connections.filter(|it| matches!(it, model::Imported::Connection(_)));
    assert_eq!(connections.count(), 1000);
    let gap = out.seen.iter().find_map(|it| {
        let model::Imported::Gap(gap) = it else {
            return None;
        };
        gap.count
    });
    assert_eq!(gap, Some(900));
}

proptest! {
    #[test]
    fn never_panics(
        kind in 0_usize..6,
        link in prop::sample::select(vec![0, 1, 9, 12, 101, 104, 108, 113, 149, 228, 258, 276]),
        records: Vec<Vec<u8>>,
        tail: Vec<u8>,
    ) {
        let mut bytes = if kind < 2 {
            let records: Vec<_> = records.into_iter().map(|record| (START, record)).collect();
            pcap(u32::from(link), &records)
        } else {
            let mut file = Pcapng::new(kind % 2 == 0);
            file.interface(link, &[]);
            for record in records {
                match kind {
                    2 | 3 => file.packet(0, START, &record, &record),
                    _ => {
                        let number = record.first().copied().unwrap_or(0) % 12;
                        let kind = match number {
                            7 => 0x8000_0001,
                            8 => 0x0bad,
                            number => u32::from(number),
                        };
                        let padded = record.len() / 4 * 4;
                        file.block(kind, &record[..padded]);
                    }
                }
            }
            file.bytes
        };
        bytes.extend(tail);
        let _ = read(&bytes);
    }

    /// In whatever order packets come, each is counted in one connection.
    #[test]
    fn every_packet_is_counted_once(order in Just(talk()).prop_shuffle()) {
        let read = read(&pcap(101, &order));
        let count = |it: &Connection| {
            it.packets_sent.unwrap_or(0) + it.packets_received.unwrap_or(0)
        };
        prop_assert_eq!(read.connections().map(count).sum::<u64>(), 7);
    }
}

#[test]
fn what_was_packed_is_read_up_to_where_it_can_be_unpacked() {
    let plain = pcap(101, &talk());
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&plain).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(read(&packed).skipped.cut, None);
    // Cut off, a wrong checksum, and something that follows.
    let mut wrong = packed.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let cut = packed[..packed.len() - 1].to_vec();
    let padded = [&packed[..], &[0; 512]].concat();
    for damaged in [cut, wrong, padded] {
        let read = read(&damaged);
        assert_eq!(only(&read).bytes_received, Some(12));
        let end = format!("byte {}", plain.len());
        assert_eq!(read.skipped.cut, Some(end));
    }
}

#[test]
fn what_is_neither_ip_nor_arp_is_counted() {
    let frame = |kind: [u8; 2]| [&[2; 12][..], &kind, &[0; 40]].concat();
    let packets = each_second([frame([0x88, 0xe7]), frame([8, 6]), frame([0, 40])]);
    assert_eq!(
        counted(&read(&pcap(1, &packets)), "packets_not_ip"),
        Some(2)
    );
    assert_eq!(counted(&read(&pcap(101, &talk())), "packets_not_ip"), None);
}
