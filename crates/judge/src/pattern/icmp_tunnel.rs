//! Data within echoes (ping): who asks for an echo gets back what it sent, each time of the same size.
//! A tunnel has packets of many sizes, and what comes back is something else.

use model::{Confidence, Fact, Severity};

use super::echoes::{EchoSums, Echoes};
use super::fit;
use super::questions::{share, weighed};
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST_PACKETS: u64 = 50;
const FEWEST_BYTES: u64 = 4_000;
/// The part of the packets that are of exchanges with more than one size.
const OF_MANY_SIZES: f64 = 0.5;
/// What comes back differs by so much from what was sent, for each packet.
const DIFFERS: f64 = 0.005;
/// So much more comes back than was asked for.
const UNASKED: f64 = 1.05;
/// Programs that ask for echoes send 32 to 64 bytes.
const LARGE: f64 = 100.0;
const MUCH: u64 = 100_000;

pub(super) struct IcmpTunnel;

impl Rule for IcmpTunnel {
    fn word(&self) -> &'static str {
        "icmp_tunnel"
    }

    fn echoes(&self, echoes: &Echoes, fits: &mut Vec<Fit>) {
        let Some(terms) = terms(&echoes.sums) else {
            return;
        };
        let sums = echoes.sums;
        let more = u32::try_from(terms.len()).unwrap_or(0).saturating_sub(2);
        let points = 60 + 5 * more;
        let confidence = match terms.len() {
            4.. => Confidence::High,
            3 => Confidence::Medium,
            _ => Confidence::Low,
        };
        let address = echoes.remote.to_string();
        let weight = (Severity::Low, confidence);
        let reason = Reason::new(&address, weight, &["T1095", "T1572"])
            .text("address", address.as_str())
            .text("signs", terms.join(", "))
            .with([
                ("packets_sent", Fact::Count(sums.sent)),
                ("packets_received", Fact::Count(sums.received)),
                ("bytes_sent", Fact::Bytes(sums.bytes_sent)),
                ("bytes_received", Fact::Bytes(sums.bytes_received)),
            ]);
        if let Some(reason) = weighed(&echoes.asker, points, reason) {
            fits.push(fit(reason, address));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// What speaks for a tunnel. `None`: these are echoes.
pub(crate) fn terms(sums: &EchoSums) -> Option<Vec<&'static str>> {
    let packets = sums.sent.saturating_add(sums.received);
    let bytes = sums.bytes_sent.saturating_add(sums.bytes_received);
    let of_many_sizes = share(sums.of_many_sizes, packets) >= OF_MANY_SIZES;
    let (each_sent, each_received) = (
        share(sums.bytes_sent, sums.sent),
        share(sums.bytes_received, sums.received),
    );
    // Where nothing comes back, nothing can be compared.
    let both = sums.sent > 0 && sums.received > 0;
    let differs =
        both && (each_sent - each_received).abs() > DIFFERS * each_sent.max(each_received);
    if packets < FEWEST_PACKETS || bytes < FEWEST_BYTES || !of_many_sizes || !differs {
        return None;
    }
    let terms = [
        ("many sizes", true),
        ("other answers", true),
        (
            "unasked answers",
            share(sums.received, sums.sent) >= UNASKED,
        ),
        ("large packets", each_sent.max(each_received) >= LARGE),
        ("much data", bytes >= MUCH),
    ];
    let terms = terms
        .into_iter()
        .filter_map(|(word, is)| is.then_some(word));
    Some(terms.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets and bytes that were sent and received, in exchanges of one size or not.
    #[track_caller]
    fn check(sent: (u64, u64), received: (u64, u64), of_many_sizes: bool, expected: &str) {
        let sums = EchoSums {
            sent: sent.0,
            received: received.0,
            bytes_sent: sent.1,
            bytes_received: received.1,
            of_many_sizes: if of_many_sizes {
                sent.0 + received.0
            } else {
                0
            },
        };
        let terms = terms(&sums).map(|it| it.join(", "));
        assert_eq!(terms.unwrap_or_default(), expected);
    }

    #[test]
    fn echoes_come_back_as_they_were_sent() {
        check((1000, 56_000), (1000, 56_000), false, "");
        // Some were lost.
        check((1000, 1_400_000), (700, 980_000), false, "");
        check((1000, 56_000), (0, 0), false, "");
        // Of all sizes, and each came back.
        check((600, 300_150), (600, 300_150), true, "");
        check((20, 3_000), (20, 4_000), true, "");
    }

    #[test]
    fn a_tunnel_has_packets_of_many_sizes() {
        check(
            (448, 79_750),
            (415, 74_814),
            true,
            "many sizes, other answers, large packets, much data",
        );
        check(
            (60, 2_500),
            (90, 5_000),
            true,
            "many sizes, other answers, unasked answers",
        );
    }
}
