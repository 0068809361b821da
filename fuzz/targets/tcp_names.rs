#![no_main]
//! TCP connections in segments of any order: pieces give what the whole gives, and what is told is bounded.

#[expect(dead_code, unused_imports, reason = "one of two")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod names;
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::names::{Side, TcpNames};
#[expect(unused_imports, reason = "the parsers name each other by it")]
use observe::parse;

const PORTS: [u16; 12] = [21, 22, 25, 53, 80, 143, 389, 443, 3389, 5222, 5432, 9999];

/// What is told of the streams in one piece each.
fn whole(port: u16, client: &[u8], server: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let mut names = TcpNames::new(port);
    names.data(Side::Client, None, client, &mut |seen| {
        all.push(format!("{seen:?}"))
    });
    names.data(Side::Server, None, server, &mut |seen| {
        all.push(format!("{seen:?}"))
    });
    all.sort();
    all
}

fuzz_target!(|data: &[u8]| {
    let [port, order, cut, share, streams @ ..] = data else {
        return;
    };
    let port = PORTS[usize::from(*port) % PORTS.len()];
    let (client, server) = streams.split_at(streams.len() * usize::from(*share) / 256);
    let each = usize::from(*cut).max(1);
    // So many parts that do not touch are kept.
    let each = each.max(streams.len() / 500 + 1);
    let expected = whole(port, client, server);
    let mut all = Vec::new();
    let mut told = |seen: model::NameSeen| all.push(format!("{seen:?}"));
    let mut names = TcpNames::new(port);
    for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
        // The numbers come round in the middle.
        let first = 0_u32.wrapping_sub(u32::try_from(bytes.len() / 2).unwrap());
        names.syn(side, first.wrapping_sub(1));
        let mut parts: Vec<_> = bytes.chunks(each).enumerate().collect();
        match order % 3 {
            0 => {}
            1 => parts.reverse(),
            _ => parts.sort_by_key(|(place, _)| place.wrapping_mul(usize::from(*order)) % 251),
        }
        for (place, part) in parts {
            let sequence = first.wrapping_add(u32::try_from(place * each).unwrap());
            names.data(side, Some(sequence), part, &mut told);
        }
    }
    all.sort();
    assert_eq!(all, expected);
    names.end(&mut |_| {});
    assert!(!names.wants(Side::Client) && !names.wants(Side::Server));
});
