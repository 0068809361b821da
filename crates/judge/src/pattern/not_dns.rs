//! Packets to the port where names are asked for, of which hardly one asks for a name: that port is open
//! in most networks, and so other things go through it.

use model::{Confidence, Fact, Severity};

use super::echoes::{EchoSums, ToNameServer};
use super::fit;
use super::questions::weighed;
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST_PACKETS: u64 = 40;
/// So many packets for each question: who gets no answer asks again, and a log may tell that once.
const PACKETS: u64 = 4;

pub(super) struct NotDns;

impl Rule for NotDns {
    fn word(&self) -> &'static str {
        "not_dns"
    }

    fn to_name_server(&self, sent: &ToNameServer, fits: &mut Vec<Fit>) {
        let sums = sent.sums;
        if !is_other(&sums, sent.questions) {
            return;
        }
        let address = sent.remote.to_string();
        let weight = (Severity::Low, Confidence::Medium);
        let reason = Reason::new(&address, weight, &["T1572", "T1571"])
            .text("address", address.as_str())
            .with([
                ("packets_sent", Fact::Count(sums.sent)),
                ("packets_received", Fact::Count(sums.received)),
                ("questions", Fact::Count(sent.questions)),
                ("bytes_sent", Fact::Bytes(sums.bytes_sent)),
                ("bytes_received", Fact::Bytes(sums.bytes_received)),
            ]);
        let trusted = if sent.asker.is_trusted() { 20 } else { 0 };
        if let Some(reason) = weighed(&sent.asker, 60 - trusted, reason) {
            fits.push(fit(reason, address));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// Whether hardly a packet asks for a name, and somebody answers all the same.
pub(crate) fn is_other(sums: &EchoSums, questions: u64) -> bool {
    let enough = sums.sent >= FEWEST_PACKETS && sums.received > 0;
    enough && questions.saturating_mul(PACKETS) <= sums.sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_a_question() {
        let check = |sent, received, questions, expected| {
            let sums = EchoSums {
                sent,
                received,
                ..EchoSums::default()
            };
            assert_eq!(is_other(&sums, questions), expected);
        };
        check(100, 100, 100, false);
        // Three tries of each, told once.
        check(300, 100, 100, false);
        check(100, 200, 3, true);
        check(100, 200, 0, true);
        check(39, 200, 0, false);
        // Nobody is there.
        check(100, 0, 0, false);
    }
}
