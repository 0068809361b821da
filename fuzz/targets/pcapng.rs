#![no_main]
//! Captures of any kind; what can be read of them is written again and then reads back.

use libfuzzer_sys::fuzz_target;
use record::pcapng::{Exporter, Form, Header, Item, Reader, RecordText, export};

/// Bytes, pids and names of all packets.
fn packets(bytes: &[u8]) -> Vec<(Vec<u8>, Option<u32>, Option<String>)> {
    let mut reader = Reader::new(bytes);
    let (mut packets, mut names) = (Vec::new(), Vec::new());
    while let Ok(Some(item)) = reader.next() {
        match item {
            Item::Process(process) => {
                let name = process.name.unwrap_or_default();
                names.push(name.lossy().into_owned());
            }
            Item::Packet(packet) => packets.push((
                packet.bytes.to_vec(),
                packet.pid.filter(|_| packet.process.is_none()),
                packet
                    .process
                    .map(|index| names[usize::try_from(index).unwrap()].clone()),
            )),
            _ => {}
        }
    }
    assert!(reader.position() <= bytes.len().try_into().unwrap());
    if let Some(stop) = reader.stop() {
        assert_eq!(stop.at, reader.position());
    }
    packets
}

fuzz_target!(|data: &[u8]| {
    if let Some(record) = RecordText::parse(data) {
        let _ = (record.started(), record.user(), record.parent());
        assert!(record.facts().count() <= data.len());
    }
    let before = packets(data);
    for form in [Form::Own, Form::Wireshark5] {
        let header = Header {
            case: "fuzz".to_owned(),
            hardware: None,
            os: "Linux".to_owned(),
            version: "0".to_owned(),
            packet_bytes: None,
            command_lines: true,
        };
        let mut exporter = Exporter::new(header, form);
        let mut out = Vec::new();
        exporter.start(&mut out);
        let mut reader = Reader::new(data);
        let written = export(
            &mut reader,
            &mut exporter,
            |_, _| true,
            |bytes| {
                out.extend(bytes);
                Ok(())
            },
        );
        if written.is_err() {
            continue;
        }
        let mut again = Reader::new(&out[..]);
        while again.next().unwrap().is_some() {}
        assert_eq!(again.stop(), None);
        let after = packets(&out);
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after.0, before.0);
            if form == Form::Own && before.2.is_none() {
                assert_eq!(after.1, before.1);
            }
        }
    }
});
