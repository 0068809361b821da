//! Files that end in the middle, that others wrote, or that are none.

use super::*;

#[test]
fn a_file_that_is_cut_anywhere_reads_up_to_the_cut() {
    let curl = process(10, 1, "curl");
    let told = (4000, Way::Out, known(curl.id), 0);
    let whole = file(&[curl], &[told, told]);
    let mut ends = vec![0];
    let mut reader = Reader::new(&whole[..]);
    while reader.next().unwrap().is_some() {
        ends.push(usize::try_from(reader.position()).unwrap());
    }
    assert_eq!(ends.last(), Some(&whole.len()));
    for cut in 0..whole.len() {
        let mut reader = Reader::new(&whole[..cut]);
        while reader.next().unwrap().is_some() {}
        let end = ends.iter().rev().find(|end| **end <= cut).unwrap();
        let stop = (*end < cut).then(|| Stop {
            at: u64::try_from(*end).unwrap(),
            reason: StopReason::Cut,
        });
        assert_eq!((cut, reader.stop()), (cut, stop));
        assert_eq!(reader.position(), u64::try_from(*end).unwrap());

        // A file system may fill up with zeros what was not written.
        let mut zeros = whole[..*end].to_vec();
        zeros.extend([0; 4096]);
        let mut reader = Reader::new(&zeros[..]);
        if *end > 0 {
            while reader.next().unwrap().is_some() {}
            assert_eq!(reader.stop().unwrap().reason, StopReason::Damaged);
        } else {
            assert!(matches!(reader.next(), Err(Error::NotPcapng)));
        }
    }
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    for foreign in [&b"PK\x03\x04 and more"[..], b"{\"a\": 1}", &[0; 100], b"x"] {
        assert!(matches!(Reader::new(foreign).next(), Err(Error::NotPcapng)));
    }
}

#[test]
fn other_files_are_read_too() {
    // Big-endian; microseconds since an hour after 1970; a simple packet, an old one, an unknown block.
    let mut bytes = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = u32::try_from(12 + body.len()).unwrap().to_be_bytes();
        bytes.extend([&kind.to_be_bytes(), &length[..], body, &length].concat());
    };
    block(
        0x0A0D_0D0A,
        &[
            0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
        ],
    );
    block(
        1,
        &[
            0, 101, 0, 0, 0, 0, 0, 5, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 14, 16, 0, 0, 0, 0,
        ],
    );
    block(77, &[1, 2, 3, 4]);
    block(3, &[0, 0, 0, 9, 1, 2, 3, 4, 5, 0, 0, 0]);
    block(
        2,
        &[
            0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 6, 9, 0, 0, 0,
        ],
    );
    let mut reader = Reader::new(&bytes[..]);
    let mut told = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        told.push(match item {
            Item::Packet(packet) => {
                let time = packet.time.map(Timestamp::unix_nanos);
                format!(
                    "{:?} {time:?} {} {:?}",
                    packet.bytes, packet.length, packet.dropped
                )
            }
            Item::Other { kind } => kind.to_string(),
            Item::Section(_)
            | Item::Interface(_)
            | Item::Process(_)
            | Item::Statistics(_)
            | Item::Names(_) => continue,
        });
    }
    assert_eq!(
        told,
        [
            "77",
            "[1, 2, 3, 4, 5] None 9 None",
            "[9] Some(3600000007000) 6 Some(3)",
        ]
    );
    assert_eq!(reader.stop(), None);
}

#[test]
fn interfaces_are_kept_in_bounded_room() {
    let mut exporter = Exporter::new(header(), Form::Own);
    let mut interface = InterfaceRead {
        number: 0,
        link: LinkType(1),
        name: Some(Text::from("x".repeat(1 << 20))),
        description: None,
        netns: None,
        addresses: Vec::new(),
        filter: None,
        os: None,
    };
    for number in 0..100 {
        interface.number = number;
        exporter.interface(&interface);
    }
    assert_eq!(exporter.nameless_interfaces(), 100 - 63);
    // Each file has room of its own.
    exporter.next_file();
    exporter.interface(&interface);
    assert_eq!(exporter.nameless_interfaces(), 100 - 63);
}
