//! Whatever is written reads back, and whatever is read breaks nothing.

use super::*;

fn any_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Text::from),
        ".{0,40}".prop_map(Text::from),
        proptest::collection::vec(any::<u8>(), 3000..5000).prop_map(Text::from),
    ]
}

proptest! {
    #[test]
    fn any_process_is_described_in_bounds(name in any_text(), path in any_text(), user in any_text(), argument in any_text()) {
        let odd = Process {
            name: name.clone(),
            path: Some(path.clone()),
            user: Some(user),
            command_line: Some(vec![argument]),
            unit: Some(path.clone()),
            container: Some(Container { engine: "kubernetes", id: path.clone() }),
            ..(*process(10, 1, "x")).clone()
        };
        let bytes = file(&[Arc::new(odd.clone())], &[(4000, Way::Out, known(odd.id), 0)]);
        let mut reader = Reader::new(&bytes[..]);
        while let Some(item) = reader.next().unwrap() {
            if let Item::Process(read) = item {
                let comment = read.comment.unwrap();
                prop_assert!(comment.bytes().len() <= 4096);
                prop_assert!(comment.as_utf8().is_some());
                prop_assert!(!comment.bytes().iter().any(u8::is_ascii_control));
                prop_assert!(!read.name.unwrap().is_empty());
                let record = read.record.unwrap();
                let told = record.fact("exe").unwrap();
                if record.fact("trunc").is_none() {
                    prop_assert_eq!(told, &path);
                    prop_assert_eq!(record.fact("name").unwrap(), &name);
                } else {
                    prop_assert!(path.bytes().starts_with(told.bytes()));
                }
                prop_assert_eq!(record.user().unwrap().1, 1000);
                prop_assert_eq!(record.fact("process").unwrap().lossy(), odd.id.to_string());
            }
        }
        prop_assert_eq!(reader.stop(), None);
    }

    #[test]
    fn packets_read_back(
        told in proptest::collection::vec(
            (0_u16..4, 0_usize..5, 0_u32..6, 0_u32..3, proptest::collection::vec(any::<u8>(), 0..50), 0_i64..i64::MAX, any::<u32>()),
            0..40,
        ),
    ) {
        let ways = [Way::Out, Way::In, Way::Broadcast, Way::Multicast, Way::OtherHost];
        let flags = [2, 5, 13, 9, 17];
        let mut writer = Writer::new(header());
        let mut out = Vec::new();
        writer.start(1, &mut out);
        writer.process(&process(1, 1, "one"));
        writer.process(&process(2, 1, "two"));
        let mut other = Writer::new(header());
        let mut with_gaps = Vec::new();
        other.start(1, &mut with_gaps);
        other.process(&process(1, 1, "one"));
        other.process(&process(2, 1, "two"));
        let mut put_together = Vec::new();
        for (seq, (port, way, pid, dropped, bytes, time, length)) in (0..).zip(&told) {
            let owner = match pid {
                0 => PacketOwner::Unknown(WhyNoProcess::Kernel),
                pid => known(id(*pid % 4, u64::from(*pid))),
            };
            let mut packet = packet(bytes, *port, ways[*way], 0);
            packet.time = Timestamp::from_unix_nanos(*time);
            packet.length = *length;
            writer.packet(&packet, &owner, seq, *dropped, &mut out);
            let place = other.packet_around(&packet, &owner, seq, *dropped, &mut with_gaps).unwrap();
            put_together.extend(with_gaps.drain(..place));
            put_together.extend(packet.bytes);
        }
        put_together.extend(with_gaps);
        prop_assert_eq!(&put_together, &out);
        let mut reader = Reader::new(&out[..]);
        let mut read = 0;
        let mut pids = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            match item {
                Item::Process(process) => pids.push(process.pid),
                Item::Packet(packet) => {
                    let (_, way, pid, dropped, bytes, time, length) = &told[read];
                    prop_assert_eq!(packet.bytes, &bytes[..]);
                    prop_assert_eq!(packet.seq, u64::try_from(read).ok());
                    prop_assert_eq!(packet.time, Some(Timestamp::from_unix_nanos(*time)));
                    prop_assert_eq!(packet.flags, Some(flags[*way]));
                    prop_assert_eq!(packet.dropped.unwrap_or(0), u64::from(*dropped));
                    prop_assert_eq!(packet.length, (*length).max(u32::try_from(bytes.len()).unwrap()));
                    let index = packet.process.map(|index| pids[usize::try_from(index).unwrap()]);
                    prop_assert_eq!(index, (*pid > 0).then_some(pid % 4));
                    prop_assert!(packet.pid.is_none() || packet.pid == index);
                    read += 1;
                }
                Item::Section(_) | Item::Interface(_) | Item::Statistics(_) | Item::Names(_) | Item::Other { .. } => {}
            }
        }
        prop_assert_eq!(read, told.len());
        prop_assert_eq!(reader.stop(), None);
    }

    #[test]
    fn odd_bytes_break_nothing(mut at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), more in proptest::collection::vec(any::<u8>(), 0..200)) {
        let curl = process(10, 1, "curl");
        let told = (4000, Way::Out, known(curl.id), 2);
        let mut bytes = file(&[curl], &[told, told]);
        at.truncate(5);
        for (index, byte) in at {
            let length = bytes.len();
            bytes[index.index(length)] = byte;
        }
        bytes.extend(more);
        let mut reader = Reader::new(&bytes[..]);
        let mut exporter = Exporter::new(header(), Form::Wireshark5);
        let _ = export(&mut reader, &mut exporter, |_, _| true, |_| Ok(()));
        prop_assert!(reader.position() <= u64::try_from(bytes.len()).unwrap());
    }

    #[test]
    fn records_of_any_text_break_nothing(text in proptest::collection::vec(any::<u8>(), 0..100)) {
        let text = [b"whocalls/1 ".to_vec(), text].concat();
        let record = RecordText::parse(&text).unwrap();
        let _ = (record.started(), record.user(), record.parent());
    }
}
