//! How long a packet takes; run by hand: `cargo test --release -p record speed -- --ignored --nocapture`.
#![expect(clippy::print_stdout, reason = "it is what the measurement is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::*;

const PACKETS: u32 = 20_000;
const ROUNDS: u32 = 100;
/// As in use, where a full buffer is handed on and taken again.
const BUFFER_BYTES: usize = 1 << 20;

#[test]
#[ignore = "measures, and checks nothing"]
fn speed() {
    let mut writer = Writer::new(header());
    writer.interface(&eth());
    for pid in 0..300 {
        writer.process(&process(pid, 1, "program"));
    }
    let bytes = frame(4000, Way::Out, &[b'x'; 58]);
    for flows in [1, 100, 20_000] {
        let mut out = Vec::with_capacity(BUFFER_BYTES * 2);
        writer.start(1, &mut out);
        let each = quickest(&mut out, |number, out| {
            let port = u16::try_from(number % flows).unwrap();
            let packet = packet(&bytes, port, Way::Out, i64::from(number));
            let owner = known(id(u32::from(port % 300), 1));
            writer.packet(&packet, &owner, u64::from(number), 0, out);
        });
        let copy = quickest(&mut out, |_, out| out.extend_from_slice(black_box(&bytes)));
        println!(
            "{} bytes, {flows} flows: {each:?} a packet, of which the copy {copy:?}",
            bytes.len()
        );
    }

    let packets = vec![(4000, Way::Out, known(id(1, 1)), 0); 20_000];
    let file = file(&[], &packets);
    let read = quickest(&mut Vec::new(), |number, _| {
        if number == 0 {
            let mut reader = Reader::new(&file[..]);
            while let Some(item) = reader.next().unwrap() {
                black_box(&item);
            }
        }
    });
    let rate = f64::from(u32::try_from(file.len()).unwrap()) / (read * PACKETS).as_secs_f64();
    println!("read at {:.0} MB/s", rate / 1e6);
}

/// The time of one call in the quickest round; others may be busy here.
fn quickest(out: &mut Vec<u8>, mut call: impl FnMut(u32, &mut Vec<u8>)) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        for number in 0..PACKETS {
            call(number, out);
            if out.len() >= BUFFER_BYTES {
                out.clear();
            }
        }
        began.elapsed() / PACKETS
    });
    rounds.min().unwrap_or_default()
}
