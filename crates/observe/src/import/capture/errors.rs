//! What ICMP says: which error the kernel of Linux would make of it (net/ipv4/icmp.c,
//! `icmp_err_convert`; net/ipv6/icmp.c, `tab_unreach`), and which question an answer belongs to.

use model::IcmpKind;

use crate::parse::packet::ICMP;

const EACCES: i32 = 13;
const EPROTO: i32 = 71;
const ENONET: i32 = 64;
const ENOPROTOOPT: i32 = 92;
const EOPNOTSUPP: i32 = 95;
const ENETUNREACH: i32 = 101;
const ECONNREFUSED: i32 = 111;
const EHOSTDOWN: i32 = 112;
const EHOSTUNREACH: i32 = 113;

/// errno(3). `None`: it is no failure; packets are to be smaller, or to go another way.
pub(super) fn of(number: u8, kind: IcmpKind) -> Option<i32> {
    let (kind, code) = (kind.kind?, kind.code?);
    if number == ICMP {
        return match (kind, code) {
            (3, 0 | 6 | 9 | 11) => Some(ENETUNREACH),
            (3, 2) => Some(ENOPROTOOPT),
            (3, 3) => Some(ECONNREFUSED),
            (3, 4) => None,
            (3, 5) => Some(EOPNOTSUPP),
            (3, 7) => Some(EHOSTDOWN),
            (3, 8) => Some(ENONET),
            (3 | 11, _) => Some(EHOSTUNREACH),
            (12, _) => Some(EPROTO),
            _ => None,
        };
    }
    match (kind, code) {
        (1, 0) => Some(ENETUNREACH),
        (1, 1 | 5 | 6) => Some(EACCES),
        (1, 4) => Some(ECONNREFUSED),
        (1 | 3, _) => Some(EHOSTUNREACH),
        (4, _) => Some(EPROTO),
        _ => None,
    }
}

/// The type of the question that a message asks or answers, and whether it answers.
pub(super) fn question(number: u8, kind: IcmpKind) -> (IcmpKind, bool) {
    let question = match (number == ICMP, kind.kind) {
        (true, Some(0)) => 8,
        (true, Some(14)) => 13,
        (true, Some(43)) => 42,
        (false, Some(129)) => 128,
        (false, Some(161)) => 160,
        _ => return (kind, false),
    };
    let question = IcmpKind {
        kind: Some(question),
        ..kind
    };
    (question, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::packet::ICMPV6;

    #[test]
    fn errors_are_those_of_the_kernel() {
        let errno = |number, kind, code| {
            of(
                number,
                IcmpKind {
                    kind: Some(kind),
                    code: Some(code),
                    id: None,
                },
            )
        };
        assert_eq!(errno(ICMP, 3, 1), Some(EHOSTUNREACH));
        assert_eq!(errno(ICMP, 3, 3), Some(ECONNREFUSED));
        assert_eq!(errno(ICMP, 3, 13), Some(EHOSTUNREACH));
        assert_eq!(errno(ICMP, 11, 0), Some(EHOSTUNREACH));
        for (kind, code) in [(3, 4), (5, 0), (4, 0), (0, 0)] {
            assert_eq!(errno(ICMP, kind, code), None);
        }
        assert_eq!(errno(ICMPV6, 1, 4), Some(ECONNREFUSED));
        assert_eq!(errno(ICMPV6, 1, 3), Some(EHOSTUNREACH));
        assert_eq!(errno(ICMPV6, 2, 0), None);
    }
}
