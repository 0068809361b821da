//! Keys whose values come from a closed set: states, directions, protocols, owners.

/// One word of a set: as the public contract writes it, then other spellings of it in lower
/// case and without `_` and `-`.
pub(super) type Word = (&'static str, &'static [&'static str]);

/// The others are the spellings of ss(8), netstat(8) and their kin.
pub(super) const STATES: [Word; 14] = [
    ("listen", &["listening"]),
    ("syn_sent", &[]),
    ("syn_received", &["synrecv", "synrcvd"]),
    ("established", &["estab"]),
    ("fin_wait_1", &[]),
    ("fin_wait_2", &[]),
    ("close_wait", &[]),
    ("closing", &[]),
    ("last_ack", &[]),
    ("time_wait", &[]),
    ("closed", &["close"]),
    ("open", &["unconn"]),
    ("attempted", &[]),
    ("failed", &[]),
];

pub(super) const DIRECTIONS: [Word; 4] = [
    ("outbound", &["out", "outgoing"]),
    ("inbound", &["in", "incoming"]),
    ("local", &[]),
    ("listening", &["listen"]),
];

pub(super) const PROTOCOLS: [Word; 10] = [
    ("tcp", &[]),
    ("mptcp", &[]),
    ("udp", &[]),
    ("udplite", &[]),
    ("sctp", &[]),
    ("dccp", &[]),
    ("icmp", &[]),
    ("raw", &[]),
    ("packet", &[]),
    ("other", &[]),
];

pub(super) const OWNERS: [Word; 10] = [
    ("known", &[]),
    ("no_rights", &[]),
    ("no_holder", &[]),
    ("before_start", &[]),
    ("kernel", &[]),
    ("wireguard", &[]),
    ("forwarded", &[]),
    ("outside_namespace", &[]),
    ("not_in_source", &[]),
    ("lost", &[]),
];

/// The word of the contract for any spelling of it: case, `_` and `-` do not matter.
pub(super) fn find(set: &[Word], text: &str) -> Option<&'static str> {
    let plain = plain(text);
    set.iter()
        .find(|(word, others)| self::plain(word) == plain || others.contains(&plain.as_str()))
        .map(|(word, _)| *word)
}

/// The words of a set with `unknown`, which every key takes, for a help line.
pub(super) fn list(set: &[Word]) -> String {
    let words = set.iter().map(|(word, _)| *word);
    words.chain(["unknown"]).collect::<Vec<_>>().join(", ")
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Direction, IcmpKind, Protocol, State, WhyUnknown};

    fn check(set: &[Word], text: &str, expected: &str) {
        assert_eq!(find(set, text).unwrap_or("nothing"), expected, "{text}");
    }

    #[test]
    fn knows_the_words_of_other_tools() {
        // ss(8), then netstat(8), then netstat of Windows and BSD
        check(&STATES, "ESTAB", "established");
        check(&STATES, "syn-recv", "syn_received");
        check(&STATES, "fin-wait-1", "fin_wait_1");
        check(&STATES, "UNCONN", "open");
        check(&STATES, "listening", "listen");
        check(&STATES, "FIN_WAIT1", "fin_wait_1");
        check(&STATES, "SYN_RECV", "syn_received");
        check(&STATES, "CLOSE", "closed");
        check(&STATES, "TIME_WAIT", "time_wait");
        check(&STATES, "SYN_RCVD", "syn_received");
        check(&STATES, "FIN_WAIT_2", "fin_wait_2");
        check(&STATES, "connected", "nothing");
        check(&STATES, "", "nothing");
        check(&DIRECTIONS, "OUT", "outbound");
        check(&DIRECTIONS, "listen", "listening");
        check(&OWNERS, "no-rights", "no_rights");
    }

    #[test]
    fn knows_every_word_of_the_contract() {
        for word in State::ALL.map(State::word) {
            assert!(word == "unknown" || find(&STATES, word) == Some(word));
        }
        for word in Direction::ALL.map(Direction::word) {
            assert!(word == "unknown" || find(&DIRECTIONS, word) == Some(word));
        }
        let protocols = [
            Protocol::Tcp,
            Protocol::Mptcp,
            Protocol::Udp,
            Protocol::UdpLite,
            Protocol::Sctp,
            Protocol::Dccp,
            Protocol::Icmp(IcmpKind::default()),
            Protocol::Raw { ip_protocol: 1 },
            Protocol::Packet { ethertype: 3 },
            Protocol::Other(200),
        ];
        assert_eq!(
            protocols.map(Protocol::word),
            PROTOCOLS.map(|(word, _)| word)
        );
        let reasons = [
            WhyUnknown::NoRights,
            WhyUnknown::NoHolder,
            WhyUnknown::BeforeStart,
            WhyUnknown::Kernel,
            WhyUnknown::WireGuard,
            WhyUnknown::Forwarded,
            WhyUnknown::OutsideNamespace,
            WhyUnknown::NotInSource,
            WhyUnknown::Lost,
        ];
        for word in reasons.map(WhyUnknown::word) {
            assert_eq!(find(&OWNERS, word), Some(word));
        }
    }
}
