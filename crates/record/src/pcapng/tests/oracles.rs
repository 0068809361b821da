//! Wireshark's tools and tcpdump read every file without a word, and find in it what was written.
//! A test whose tool is not here says so and passes.
#![expect(clippy::print_stdout, reason = "a test says when it is skipped")]

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A file that is removed when the test is over.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let name = format!("whocalls-{}-{name}.pcapng", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a tool says of a file; nothing may be wrong with it. `None`: the tool is not here.
fn run(tool: &str, arguments: &[&str]) -> Option<String> {
    let (output, complaints) = run_anyhow(tool, arguments)?;
    assert_eq!(complaints, "", "{tool} {arguments:?}");
    Some(output)
}

/// The same, with what it complains of.
fn run_anyhow(tool: &str, arguments: &[&str]) -> Option<(String, String)> {
    let output = Command::new(tool).args(arguments).env("TZ", "UTC").output();
    let Ok(output) = output else {
        println!("skipped: {tool} is not installed");
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let complaints = text(&output.stderr);
    // It says who runs it and which file it reads, whatever the file.
    let complaints = complaints.lines().filter(|line| {
        !line.starts_with("Running as user") && !line.starts_with("reading from file")
    });
    Some((
        text(&output.stdout),
        complaints.collect::<Vec<_>>().join("\n"),
    ))
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

/// A file with everything that a file can have.
fn example() -> Vec<u8> {
    let (curl, dig, old) = (
        process(10, 900, "curl"),
        process(11, 1, "dig"),
        process(10, 1, "Öl"),
    );
    let mut writer = Writer::new(header());
    let mut out = Vec::new();
    writer.start(7, &mut out);
    writer.interface(&eth());
    for process in [&curl, &dig, &old] {
        writer.process(process);
    }
    writer.names(&[(IpAddr::from([203, 0, 113, 9]), "example.org")], &mut out);
    let nobody = PacketOwner::Unknown(WhyNoProcess::ClosedPort);
    let told = [
        (4000, Way::Out, known(old.id), 0),
        (4000, Way::In, known(old.id), 3),
        (4001, Way::Out, known(curl.id), 0),
        (4001, Way::In, known(curl.id), 0),
        (4002, Way::Out, known(dig.id), 0),
        (4003, Way::In, nobody, 0),
        (4003, Way::Broadcast, nobody, 0),
        (4004, Way::Out, known(id(99, 5)), 0),
    ];
    for (number, told) in told.iter().enumerate() {
        write(&mut writer, number, told, &mut out);
    }
    let bytes = frame(4000, Way::Out, b"loopback");
    let packet = Packet {
        interface: LOOPBACK,
        loopback: true,
        length: 1500,
        ..packet(&bytes, 4000, Way::Out, 20_000_000)
    };
    writer.packet(&packet, &known(dig.id), 2000, 0, &mut out);
    writer.statistics(statistics().ended, &statistics(), &mut out);
    out
}

#[test]
fn tshark_finds_in_each_packet_what_was_written() {
    let bytes = example();
    let file = Kept::new("fields", &bytes);
    let fields = [
        "frame.time_epoch",
        "frame.len",
        "frame.cap_len",
        "frame.packet_id",
        "frame.packet_flags_direction",
        "frame.drop_count",
        "frame.interface_id",
        "frame.comment",
    ];
    let mut arguments = vec![
        "-r",
        path(&file.0),
        "-n",
        "-T",
        "fields",
        "-E",
        "separator=|",
    ];
    fields
        .iter()
        .for_each(|field| arguments.extend(["-e", field]));
    let Some(output) = run("tshark", &arguments) else {
        return;
    };

    let mut reader = Reader::new(&bytes[..]);
    let mut expected = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Packet(packet) = item {
            let nanos = packet.time.unwrap().unix_nanos();
            let comments = packet.comments().map(String::from_utf8_lossy);
            expected.push(format!(
                "{}.{:09}|{}|{}|{}|{}|{}|{}|{}",
                nanos / 1_000_000_000,
                nanos % 1_000_000_000,
                packet.length,
                packet.bytes.len(),
                packet.seq.unwrap(),
                packet.flags.unwrap() & 3,
                packet
                    .dropped
                    .map_or(String::new(), |dropped| dropped.to_string()),
                packet.interface,
                comments.collect::<Vec<_>>().join(","),
            ));
        }
    }
    assert_eq!(expected.len(), 9);
    let lines = output.lines().map(|line| {
        // The direction is a number in hexadecimal digits.
        line.replace("|0x00000001|", "|1|")
            .replace("|0x00000002|", "|2|")
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn wireshark_4_6_shows_the_process_of_each_packet() {
    let Some(known) = run("tshark", &["-G", "fields"]) else {
        return;
    };
    if !known.contains("\tframe.darwin.process_info.pname\t") {
        println!("skipped: this tshark is older than 4.6");
        return;
    }
    let bytes = example();
    let file = Kept::new("processes", &bytes);
    let arguments = [
        "-r",
        path(&file.0),
        "-T",
        "fields",
        "-e",
        "frame.darwin.process_info.pid",
        "-e",
        "frame.darwin.process_info.pname",
    ];
    let lines = [
        "10\tÖl", "10\tÖl", "10\tcurl", "10\tcurl", "11\tdig", "\t", "\t", "99\t?", "11\tdig",
    ];
    assert_eq!(
        run("tshark", &arguments)
            .unwrap()
            .lines()
            .collect::<Vec<_>>(),
        lines
    );
}

#[test]
fn other_tools_read_it() {
    let file = Kept::new("tools", &example());
    if let Some(output) = run("capinfos", &["-M", path(&file.0)]) {
        for line in [
            "Number of packets:   9",
            "File timestamp precision:  nanoseconds (9)",
            "Name = eth0",
            "Number of interfaces in file: 2",
            "Capture application: whocalls 0.1.0",
        ] {
            assert!(output.contains(line), "{line} is not in {output}");
        }
    }
    if let Some((output, complaints)) = run_anyhow("tcpdump", &["-n", "-r", path(&file.0)]) {
        assert_eq!((complaints.as_str(), output.lines().count()), ("", 9));
    }
    for (tool, arguments) in [
        ("editcap", vec![path(&file.0)]),
        ("mergecap", vec![path(&file.0), path(&file.0), "-w"]),
    ] {
        let result = Kept::new(tool, b"");
        let arguments = [arguments, vec![path(&result.0)]].concat();
        if run(tool, &arguments).is_none() {
            continue;
        }
        // The comments are still there, and the packets.
        let changed = std::fs::read(&result.0).unwrap();
        let mut reader = Reader::new(&changed[..]);
        let mut told = 0;
        while let Some(item) = reader.next().unwrap() {
            if let Item::Packet(packet) = item {
                told += packet
                    .comments()
                    .filter(|comment| RecordText::parse(comment).is_some())
                    .count();
            }
        }
        assert_eq!(reader.stop(), None);
        assert_eq!(told, if tool == "editcap" { 6 } else { 12 });
    }
}

#[test]
fn a_file_that_is_cut_in_its_last_block_is_read_by_tshark_too() {
    let bytes = example();
    let file = Kept::new("cut", &bytes[..bytes.len() - 50]);
    let arguments = ["-r", path(&file.0), "-T", "fields", "-e", "frame.packet_id"];
    if let Some((output, complaints)) = run_anyhow("tshark", &arguments) {
        assert_eq!(output.lines().count(), 9);
        assert!(complaints.contains("cut short in the middle of a packet"));
    }
}

#[test]
fn exports_are_read_by_tshark() {
    let bytes = example();
    for (form, rows) in [(Form::Own, 10), (Form::Wireshark5, 14)] {
        let mut exporter = Exporter::new(header(), form);
        let mut out = Vec::new();
        exporter.start(&mut out);
        let (name, program) = (Text::from("curl"), Text::from("/usr/bin/curl"));
        let event = JournalEntry {
            time: Timestamp::from_unix_nanos(BEGAN),
            message: "curl opened a connection",
            pid: Some(10),
            name: Some(&name),
            path: Some(&program),
            command_line: Some(&[Text::from("curl"), Text::from("-s\n_PID=1")]),
            uid: Some(1000),
            facts: &[("remote", "203.0.113.9:443")],
        };
        exporter.event(&event, &mut out);
        let stop = export(
            &mut Reader::new(&bytes[..]),
            &mut exporter,
            |_, _| true,
            |bytes| {
                out.extend(bytes);
                Ok(())
            },
        );
        assert_eq!(stop.unwrap(), None);
        let file = Kept::new(&format!("export-{rows}"), &out);
        let arguments = [
            "-r",
            path(&file.0),
            "-T",
            "fields",
            "-e",
            "systemd_journal.pid",
            "-e",
            "frame.packet_id",
            "-e",
            "systemd_journal.cmdline",
        ];
        let Some(output) = run("tshark", &arguments) else {
            return;
        };
        // Before version 5 the blocks of that version are rows of their own: one for each process.
        assert_eq!(output.lines().count(), rows, "{output}");
        assert_eq!(output.lines().next(), Some("10\t\tcurl -s\u{fffd}_PID=1"));
        assert_eq!(output.lines().last(), Some("\t2000\t"));
    }
}

/// The bytes of Wireshark's own block, which this version of tshark may not know.
#[test]
fn a_process_for_wireshark_5_is_written_as_it_writes_it() {
    let curl = process(10, 1, "curl");
    let bytes = file(&[Arc::clone(&curl)], &[(4000, Way::Out, known(curl.id), 0)]);
    let mut exporter = Exporter::new(header(), Form::Wireshark5);
    let mut out = Vec::new();
    let wanted = |_: &PacketRead<'_>, _: Option<&ProcessRead>| true;
    let write = |bytes: &[u8]| {
        out.extend(bytes);
        Ok(())
    };
    export(&mut Reader::new(&bytes[..]), &mut exporter, wanted, write).unwrap();
    let kind = 0x0BAD_u32.to_le_bytes();
    let start = out.windows(4).position(|bytes| bytes == kind).unwrap();
    let mut expected = [32_622_u32, 3].map(u32::to_le_bytes).concat();
    assert_eq!(out[start + 8..start + 16], expected);
    let length = u32::from_le_bytes(out[start + 16..start + 20].try_into().unwrap());
    let entry = &out[start + 20..][..usize::try_from(length).unwrap()];
    let mut option = |code: u8, value: &[u8]| {
        expected.extend([code, 0, u8::try_from(value.len()).unwrap(), 0]);
        expected.extend(value);
        expected.resize(expected.len().next_multiple_of(4), 0);
    };
    option(2, b"curl");
    option(3, b"/usr/bin/curl");
    option(4, b"curl\x00-s\x00100%");
    option(5, &1_u32.to_le_bytes());
    option(6, &1000_u32.to_le_bytes());
    option(7, b"alice");
    option(9, &1_795_342_500_123_000_000_u64.to_le_bytes());
    assert_eq!(entry[..4], [10, 0, 0, 0]);
    assert!(entry[4..].starts_with(&expected[8..]));
    assert!(entry.ends_with(b"src=ebpf\0\0\0\0") || entry.ends_with(b"\0\0\0\0"));
}

#[test]
fn tshark_takes_every_display_filter() {
    let file = Kept::new("filters", &example());
    let ips = [
        IpAddr::from([203, 0, 113, 9]),
        IpAddr::from([0, 0, 0, 0]),
        "2001:db8::1".parse().unwrap(),
        "::".parse().unwrap(),
    ];
    let mut filters = std::collections::BTreeSet::new();
    let icmp = |id| {
        Protocol::Icmp(model::IcmpKind {
            id,
            ..model::IcmpKind::default()
        })
    };
    for protocol in [
        Protocol::Tcp,
        Protocol::Mptcp,
        Protocol::Udp,
        Protocol::UdpLite,
        Protocol::Sctp,
        Protocol::Dccp,
        icmp(None),
        icmp(Some(7)),
        Protocol::Raw { ip_protocol: 89 },
        Protocol::Raw { ip_protocol: 255 },
        Protocol::Packet { ethertype: 0x88cc },
        Protocol::Packet { ethertype: 3 },
        Protocol::Other(47),
        Protocol::Other(300),
    ] {
        for ip in ips {
            let end = Endpoint::new(ip, 443);
            for remote in [None, Some(end), Some(Endpoint::without_port(ip))] {
                let window = remote.map(|_| (Timestamp::from_unix_nanos(-5), statistics().ended));
                filters.insert(display_filter(protocol, end, remote, window));
            }
        }
        filters.insert(display_filter(protocol, Endpoint::NONE, None, None));
    }
    // Each once in a while: starting tshark takes most of the time. All together is one filter.
    let all = filters.iter().map(|filter| format!("({filter})"));
    let all = all.collect::<Vec<_>>();
    for some in all.chunks(40) {
        let filter = some.join(" || ");
        run("tshark", &["-r", path(&file.0), "-Y", &filter]);
    }
}

#[test]
fn a_display_filter_shows_its_connection_and_no_other() {
    let file = Kept::new("connection", &example());
    let local = Endpoint::new(IpAddr::from([192, 0, 2, 7]), 4001);
    let remote = Endpoint::new(IpAddr::from([203, 0, 113, 9]), 5300);
    let at = |nanos| Timestamp::from_unix_nanos(BEGAN + nanos);
    for (window, expected) in [
        (None, "1002\n1003\n"),
        (Some((at(2_000_002), at(2_000_002))), "1002\n"),
        (Some((at(2_000_003), at(3_000_003))), "1003\n"),
    ] {
        let filter = display_filter(Protocol::Udp, local, Some(remote), window);
        let arguments = [
            "-r",
            path(&file.0),
            "-Y",
            &filter,
            "-T",
            "fields",
            "-e",
            "frame.packet_id",
        ];
        if let Some(output) = run("tshark", &arguments) {
            assert_eq!(output, expected, "{filter}");
        }
    }
}
