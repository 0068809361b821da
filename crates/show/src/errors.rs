//! What the kernel's error numbers mean for a connection, in plain words. The same number means
//! different things before and after something has left the computer.

use std::borrow::Cow;

use model::{ConnectionError, Phase};

// Numbers of Linux that other forms have words for (asm-generic/errno.h).
pub(crate) const CONNECTION_RESET: i32 = 104;
pub(crate) const TIMED_OUT: i32 = 110;
pub(crate) const CONNECTION_REFUSED: i32 = 111;

/// What happened, in a few words for people.
pub fn word(error: &ConnectionError) -> Cow<'static, str> {
    let meant = error.errno.and_then(|errno| {
        let of_phase = MEANT
            .iter()
            .find(|(phase, number, _)| (*phase, *number) == (error.phase, errno));
        let in_general = NUMBERS.iter().find(|(number, _)| *number == errno);
        of_phase
            .map(|(_, _, word)| *word)
            .or(in_general.map(|(_, word)| *word))
    });
    match (meant, error.errno) {
        (Some(word), _) => Cow::Borrowed(word),
        (None, Some(errno)) => Cow::Owned(format!("error {errno}")),
        (None, None) => Cow::Borrowed(match error.phase {
            Phase::Connect => "never left this computer",
            Phase::Handshake => "given up: the program stopped waiting",
            Phase::Established => "broken off",
            Phase::Send => "not sent",
        }),
    }
}

/// The word of the public contract.
pub(crate) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connect",
        Phase::Handshake => "handshake",
        Phase::Established => "established",
        Phase::Send => "send",
    }
}

/// Numbers of Linux (asm-generic/errno.h), where the phase says more than the number.
#[rustfmt::skip]
const MEANT: [(Phase, i32, &str); 18] = [
    (Phase::Connect, 1, "prohibited: never left this computer"),
    (Phase::Connect, 13, "prohibited: never left this computer"),
    (Phase::Connect, 22, "swallowed by a blackhole route: never left this computer"),
    (Phase::Connect, 99, "no local address or port free: never left this computer"),
    (Phase::Connect, 101, "no route: never left this computer"),
    (Phase::Connect, 113, "unreachable by the routing table: never left this computer"),
    (Phase::Handshake, 101, "unreachable, said a router"),
    (Phase::Handshake, 104, "reset by the other side before it was open"),
    (Phase::Handshake, 110, "timed out: no answer"),
    (Phase::Handshake, 111, "refused"),
    (Phase::Handshake, 113, "no answer from the neighbour on the local network, or a router said unreachable"),
    (Phase::Established, 32, "closed by the other side"),
    (Phase::Established, 103, "broken off by this computer"),
    (Phase::Established, 104, "reset by the other side"),
    (Phase::Established, 110, "timed out"),
    (Phase::Send, 1, "prohibited: not sent"),
    (Phase::Send, 90, "too large a packet"),
    (Phase::Send, 111, "refused: nobody listens there"),
];

/// The same, whatever the phase.
const NUMBERS: [(i32, &str); 26] = [
    (1, "operation not permitted"),
    (4, "interrupted"),
    (5, "input or output error"),
    (11, "no room: try again"),
    (12, "out of memory"),
    (13, "permission denied"),
    (22, "invalid argument"),
    (32, "broken pipe"),
    (71, "protocol error"),
    (90, "message too long"),
    (92, "protocol option not available"),
    (93, "protocol not supported"),
    (97, "address family not supported"),
    (98, "address already in use"),
    (99, "address not available"),
    (100, "network is down"),
    (101, "network unreachable"),
    (102, "network dropped the connection"),
    (103, "connection aborted"),
    (104, "connection reset"),
    (105, "no buffer space"),
    (107, "not connected"),
    (110, "timed out"),
    (111, "connection refused"),
    (112, "host is down"),
    (113, "no route to host"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(phase: Phase, errno: Option<i32>, expected: &str) {
        assert_eq!(word(&ConnectionError { errno, phase }), expected);
    }

    #[test]
    fn the_same_number_means_something_else_in_another_phase() {
        check(
            Phase::Connect,
            Some(101),
            "no route: never left this computer",
        );
        check(Phase::Handshake, Some(101), "unreachable, said a router");
        check(Phase::Established, Some(101), "network unreachable");
        check(Phase::Handshake, Some(111), "refused");
        check(Phase::Send, Some(111), "refused: nobody listens there");
    }

    #[test]
    fn no_number_has_a_meaning_too() {
        check(Phase::Connect, None, "never left this computer");
        check(
            Phase::Handshake,
            None,
            "given up: the program stopped waiting",
        );
    }

    #[test]
    fn a_number_nobody_knows_stays_a_number() {
        check(Phase::Send, Some(524), "error 524");
        check(Phase::Connect, Some(-1), "error -1");
    }

    #[test]
    fn each_number_stands_once() {
        for (index, (phase, number, _)) in MEANT.iter().enumerate() {
            let again = MEANT[..index]
                .iter()
                .any(|it| (it.0, it.1) == (*phase, *number));
            assert!(!again, "{phase:?} {number}");
        }
        assert!(NUMBERS.is_sorted_by_key(|(number, _)| *number));
    }
}
