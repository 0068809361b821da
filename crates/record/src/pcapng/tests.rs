//! What is written reads back; odd bytes break nothing; the tools that others use agree.

mod any;
mod facts;
mod oracles;
mod reading;
mod speed;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::{
    BootId, ConnectionId, Container, Endpoint, FileIdentity, Interface, InterfaceKey, LinkType,
    NetworkNamespace, Packet, PacketEnds, PacketOwner, Parent, Part, PathState, Process, ProcessId,
    Protocol, Source, Text, Timestamp, Way, WhyNoProcess,
};
use proptest::prelude::*;

use super::blocks::MOST_PACKET_BYTES;
use super::*;

const NETNS: NetworkNamespace = NetworkNamespace(4_026_531_840);
const ETH: InterfaceKey = InterfaceKey {
    netns: Some(NETNS),
    index: 2,
};
const LOOPBACK: InterfaceKey = InterfaceKey {
    netns: Some(NETNS),
    index: 1,
};
const BEGAN: i64 = 1_795_342_500_123_456_789;

fn header() -> Header {
    Header {
        case: "2026-11-22-anna".to_owned(),
        hardware: Some("x86_64".to_owned()),
        os: "Linux 6.1.0-38-amd64 x86_64".to_owned(),
        version: "0.1.0".to_owned(),
        packet_bytes: None,
        command_lines: true,
    }
}

fn eth() -> Interface {
    Interface {
        key: ETH,
        name: Text::from("eth0"),
        link: LinkType::ETHERNET,
        addresses: vec![
            (IpAddr::from([192, 0, 2, 7]), 24),
            (IpAddr::from(Ipv6Addr::LOCALHOST), 128),
        ],
    }
}

fn id(pid: u32, start_ticks: u64) -> ProcessId {
    ProcessId {
        boot: BootId([7; 16]),
        pid,
        start_ticks,
    }
}

fn process(pid: u32, start_ticks: u64, name: &str) -> Arc<Process> {
    Arc::new(Process {
        id: id(pid, start_ticks),
        started: Some(Timestamp::from_unix_nanos(BEGAN)),
        ended: None,
        name: Text::from(name),
        path: Some(Text::from(format!("/usr/bin/{name}"))),
        path_state: PathState::Present,
        file: Some(FileIdentity {
            device: 1,
            inode: 2,
        }),
        sha256: Some([0xab; 32]),
        command_line: Some(vec![Text::from(name), Text::from("-s"), Text::from("100%")]),
        command_line_truncated: false,
        uid: Some(1000),
        user: Some(Text::from("alice")),
        parents: vec![Parent {
            pid: 1,
            name: Text::from("systemd"),
            path: None,
        }],
        container: Some(Container {
            engine: "docker",
            id: Text::from("abc123"),
        }),
        unit: Some(Text::from("user@1000.service")),
        netns: Some(NETNS),
        kernel_thread: false,
        examined: None,
    })
}

fn known(process: ProcessId) -> PacketOwner {
    PacketOwner::Known {
        process,
        source: Source::Ebpf,
        connection: Some(ConnectionId([0xcd; 16])),
    }
}

/// A UDP packet from or to this computer, from Ethernet's header on.
fn frame(local_port: u16, way: Way, payload: &[u8]) -> Vec<u8> {
    let (here, there) = ([192, 0, 2, 7], [203, 0, 113, 9]);
    let (source, destination) = match way {
        Way::Out => (here, there),
        Way::In | Way::Broadcast | Way::Multicast | Way::OtherHost => (there, here),
    };
    let (from, to) = match way {
        Way::Out => (local_port, 5300_u16),
        Way::In | Way::Broadcast | Way::Multicast | Way::OtherHost => (5300, local_port),
    };
    let udp = u16::try_from(8 + payload.len()).unwrap();
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend((20 + udp).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(source);
    frame.extend(destination);
    frame.extend(from.to_be_bytes());
    frame.extend(to.to_be_bytes());
    frame.extend(udp.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

fn packet(bytes: &[u8], local_port: u16, way: Way, nanos: i64) -> Packet<'_> {
    let local = Endpoint::new(IpAddr::from([192, 0, 2, 7]), local_port);
    let remote = Endpoint::new(IpAddr::from([203, 0, 113, 9]), 5300);
    let (source, destination) = match way {
        Way::Out => (local, remote),
        Way::In | Way::Broadcast | Way::Multicast | Way::OtherHost => (remote, local),
    };
    Packet {
        time: Timestamp::from_unix_nanos(BEGAN + nanos),
        boot_ns: 0,
        interface: ETH,
        link: LinkType::ETHERNET,
        way,
        loopback: false,
        length: u32::try_from(bytes.len()).unwrap(),
        bytes,
        ends: Some(PacketEnds {
            protocol: Protocol::Udp,
            source,
            destination,
            part: Part::Whole,
            tcp: None,
            about: None,
        }),
    }
}

/// What a test says of a packet: its port, way, owner and how many were lost before it.
type Told = (u16, Way, PacketOwner, u32);

fn file(processes: &[Arc<Process>], packets: &[Told]) -> Vec<u8> {
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(1, &mut out);
    writer.interface(&eth());
    for process in processes {
        writer.process(process);
    }
    for (number, told) in packets.iter().enumerate() {
        write(&mut writer, number, told, &mut out);
    }
    out
}

fn write(writer: &mut Writer, number: usize, told: &Told, out: &mut Vec<u8>) {
    let (port, way, owner, dropped) = told;
    let bytes = frame(*port, *way, &[b'x'; 7]);
    let nanos = i64::try_from(number).unwrap() * 1_000_001;
    let seq = u64::try_from(number).unwrap() + 1000;
    writer.packet(
        &packet(&bytes, *port, *way, nanos),
        owner,
        seq,
        *dropped,
        out,
    );
}

fn statistics() -> Statistics {
    Statistics {
        netns: Some(NETNS),
        interface: None,
        began: Timestamp::from_unix_nanos(BEGAN),
        ended: Timestamp::from_unix_nanos(BEGAN + 60_000_000_000),
        received: 12,
        dropped: 3,
        delivered: 9,
    }
}

/// A packet as it was read: number, pid, process with its name, comment.
#[derive(Debug, PartialEq)]
struct Seen {
    seq: u64,
    pid: Option<u32>,
    process: Option<(u32, String)>,
    comment: Option<String>,
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Option<Stop>) {
    let mut reader = Reader::new(bytes);
    let (mut packets, mut names) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Process(process) => names.push(process.name.unwrap().lossy().into_owned()),
            Item::Packet(packet) => packets.push(Seen {
                seq: packet.seq.unwrap(),
                pid: packet.pid,
                process: packet.process.map(|index| {
                    let name = &names[usize::try_from(index).unwrap()];
                    (index, name.clone())
                }),
                comment: packet
                    .comments()
                    .next()
                    .map(|comment| String::from_utf8(comment.to_vec()).unwrap()),
            }),
            Item::Section(_)
            | Item::Interface(_)
            | Item::Statistics(_)
            | Item::Names(_)
            | Item::Other { .. } => {}
        }
    }
    (packets, reader.stop())
}

/// Pids, process names, and the reason or source in the comment, of all packets.
fn check(bytes: &[u8], expected: &[&str]) {
    let (packets, stop) = read(bytes);
    assert_eq!(stop, None);
    let told = packets.iter().map(|packet| {
        let record = packet.comment.as_ref();
        let record = record.map(|comment| RecordText::parse(comment.as_bytes()).unwrap());
        let comment = record.map_or("", |record| {
            let what = record.fact("why").or(record.fact("src")).unwrap();
            if what.bytes() == b"ebpf" {
                " new"
            } else {
                " none"
            }
        });
        let pid = packet.pid.map_or("-".to_owned(), |pid| pid.to_string());
        match &packet.process {
            Some((index, name)) => format!("{pid} {index}:{name}{comment}"),
            None => format!("{pid} -{comment}"),
        }
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn the_first_packet_of_a_flow_and_a_new_owner_have_a_comment() {
    let (curl, dig) = (process(10, 1, "curl"), process(11, 1, "dig"));
    let (a, b) = (known(curl.id), known(dig.id));
    let nobody = PacketOwner::Unknown(WhyNoProcess::ClosedPort);
    let packets = [
        (4000, Way::Out, a, 0),
        (4000, Way::In, a, 0),
        (4001, Way::Out, a, 0),
        (4000, Way::In, b, 0),
        (4000, Way::In, b, 0),
        (4002, Way::In, nobody, 0),
        (4002, Way::Out, nobody, 0),
    ];
    check(
        &file(&[curl, dig], &packets),
        &[
            "10 0:curl new",
            "10 0:curl",
            "10 0:curl new",
            "11 1:dig new",
            "11 1:dig",
            "- - none",
            "- -",
        ],
    );
}

#[test]
fn over_loopback_each_way_is_a_flow_of_its_own() {
    let (client, server) = (process(10, 1, "client"), process(11, 1, "server"));
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(1, &mut out);
    writer.process(&client);
    writer.process(&server);
    for (seq, way) in [(1, Way::Out), (2, Way::In), (3, Way::Out), (4, Way::In)] {
        let bytes = frame(4000, way, b"");
        let packet = Packet {
            interface: LOOPBACK,
            loopback: true,
            ..packet(&bytes, 4000, way, 0)
        };
        let owner = if way == Way::Out {
            client.id
        } else {
            server.id
        };
        writer.packet(&packet, &known(owner), seq, 0, &mut out);
    }
    check(
        &out,
        &[
            "10 0:client new",
            "11 1:server new",
            "10 0:client",
            "11 1:server",
        ],
    );
}

#[test]
fn a_packet_that_is_cut_is_not_written_around() {
    let mut writer = Writer::new(header());
    for (length, is_written) in [(MOST_PACKET_BYTES, true), (MOST_PACKET_BYTES + 1, false)] {
        let bytes = vec![0; length];
        let packet = packet(&bytes, 4000, Way::Out, 0);
        let owner = PacketOwner::Unknown(WhyNoProcess::Kernel);
        let mut out = Vec::new();
        let place = writer.packet_around(&packet, &owner, 1, 0, &mut out);
        assert_eq!((place.is_some(), !out.is_empty()), (is_written, is_written));
    }
}

#[test]
fn a_pid_that_two_processes_had_stands_on_no_later_packet() {
    let (old, new) = (process(10, 1, "old"), process(10, 900, "new"));
    let packets = [
        (4000, Way::Out, known(old.id), 0),
        (4001, Way::Out, known(new.id), 0),
        (4000, Way::Out, known(old.id), 0),
    ];
    check(
        &file(&[old, new], &packets),
        &["10 0:old new", "- 1:new new", "- 0:old"],
    );
}

#[test]
fn another_program_in_the_same_process_has_a_block_of_its_own() {
    let (shell, curl) = (process(10, 1, "sh"), process(10, 1, "curl"));
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(1, &mut out);
    writer.process(&shell);
    let told = (4000, Way::Out, known(shell.id), 0);
    write(&mut writer, 0, &told, &mut out);
    writer.process(&curl);
    write(&mut writer, 1, &told, &mut out);
    // It ended: that is no other program.
    let ended = Process {
        ended: Some(Timestamp::from_unix_nanos(BEGAN + 5)),
        ..(*curl).clone()
    };
    writer.process(&Arc::new(ended));
    write(&mut writer, 2, &told, &mut out);
    check(&out, &["10 0:sh new", "10 1:curl new", "10 1:curl"]);
}

#[test]
fn each_file_stands_alone() {
    let curl = process(10, 1, "curl");
    let mut writer = Writer::new(header());
    writer.interface(&eth());
    writer.process(&curl);
    let told = (4000, Way::Out, known(curl.id), 0);
    let mut files = [const { Vec::new() }; 2];
    for (segment, out) in (1..).zip(&mut files) {
        writer.start(segment, out);
        write(&mut writer, 0, &told, out);
        write(&mut writer, 0, &told, out);
        check(out, &["10 0:curl new", "10 0:curl"]);
    }
    assert_eq!(files[0].len(), files[1].len());
}

#[test]
fn a_process_that_nobody_described_has_a_name_all_the_same() {
    let bytes = file(&[], &[(4000, Way::Out, known(id(10, 1)), 0)]);
    check(&bytes, &["10 0:? new"]);
}

#[test]
fn processes_that_are_over_are_forgotten_after_a_while() {
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(1, &mut out);
    let over = |pid: u32, seconds: i64| {
        Arc::new(Process {
            ended: Some(Timestamp::from_unix_nanos(BEGAN + seconds * 1_000_000_000)),
            ..(*process(pid, 1, "sh")).clone()
        })
    };
    writer.process(&process(9, 1, "lives"));
    writer.process(&over(10, 1));
    writer.process(&over(10, 1));
    writer.process(&over(11, 200));
    writer.process(&over(12, 400));
    for (number, pid) in (9..13).enumerate() {
        let told = (4000, Way::Out, known(id(pid, 1)), 0);
        write(&mut writer, number, &told, &mut out);
    }
    check(
        &out,
        &["9 0:lives new", "10 1:? new", "11 2:sh new", "12 3:sh new"],
    );
}

#[test]
fn flows_are_remembered_in_bounded_room() {
    let owner = PacketOwner::Unknown(WhyNoProcess::NoSocket);
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(1, &mut out);
    let bytes = frame(4000, Way::Out, b"");
    let mut comments = 0;
    for round in 0..2 {
        for port in 0..200_000_u32 {
            let mut packet = packet(&bytes, 4000, Way::Out, 0);
            let ends = packet.ends.as_mut().unwrap();
            ends.source.ip = Some(IpAddr::from(Ipv4Addr::from_bits(port)));
            out.clear();
            writer.packet(&packet, &owner, 1, 0, &mut out);
            if round == 1 {
                comments += usize::from(out.windows(4).any(|bytes| bytes == b"why="));
            }
        }
    }
    // All had been forgotten, and are told again: too much said, never too little.
    assert_eq!(comments, 200_000);
}

/// One small file, byte for byte: what is in cases must stay readable.
#[test]
fn the_bytes_stay_the_same() {
    let curl = process(10, 1, "curl");
    let mut bytes = Vec::new();
    let mut writer = Writer::new(header());
    writer.start(1, &mut bytes);
    writer.interface(&eth());
    writer.process(&curl);
    write(
        &mut writer,
        0,
        &(4000, Way::Out, known(curl.id), 2),
        &mut bytes,
    );
    writer.statistics(statistics().ended, &statistics(), &mut bytes);
    let expected = include_bytes!("tests/golden.pcapng");
    if std::env::var_os("WHOCALLS_WRITE_GOLDEN").is_some() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/pcapng/tests/golden.pcapng"
        );
        std::fs::write(path, &bytes).unwrap();
        return;
    }
    assert!(bytes == expected, "the bytes of a file are other ones");
}

#[test]
fn an_export_has_its_packets_and_their_processes_only() {
    let (curl, dig, old) = (
        process(10, 1, "curl"),
        process(11, 1, "dig"),
        process(10, 0, "old"),
    );
    let first = file(
        &[Arc::clone(&old), Arc::clone(&dig), Arc::clone(&curl)],
        &[
            (4000, Way::Out, known(old.id), 0),
            (4001, Way::Out, known(dig.id), 0),
            (4002, Way::Out, known(curl.id), 0),
        ],
    );
    let second = file(
        &[Arc::clone(&curl), Arc::clone(&dig)],
        &[
            (4001, Way::Out, known(dig.id), 0),
            (4002, Way::Out, known(curl.id), 0),
        ],
    );
    let export_of = |form, names: &[&str]| {
        let mut exporter = Exporter::new(header(), form);
        let mut out = Vec::new();
        exporter.start(&mut out);
        for file in [&first, &second] {
            let stop = export(
                &mut Reader::new(&file[..]),
                &mut exporter,
                |_, process| {
                    let name = process.unwrap().name.as_ref().unwrap().lossy();
                    names.contains(&&*name)
                },
                |bytes| {
                    out.extend(bytes);
                    Ok(())
                },
            );
            assert_eq!(stop.unwrap(), None);
            exporter.next_file();
        }
        out
    };
    check(
        &export_of(Form::Own, &["curl", "dig"]),
        &[
            "11 0:dig new",
            "10 1:curl new",
            "11 0:dig new",
            "10 1:curl new",
        ],
    );
    check(
        &export_of(Form::Own, &["curl", "old"]),
        &["10 0:old new", "- 1:curl new", "- 1:curl new"],
    );
    // Blocks of the other form are not processes to readers of this one.
    check(
        &export_of(Form::Wireshark5, &["curl", "old"]),
        &["10 - new", "10 - new", "10 - new"],
    );
}
