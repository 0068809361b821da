//! Families of generic netlink (include/uapi/linux/genetlink.h): each boot gives them other numbers.

use super::attributes::{attributes, u16_at};

/// Length of `struct genlmsghdr`.
pub(crate) const HEADER: usize = 4;
/// The message type of questions about families themselves (GENL_ID_CTRL).
pub(crate) const FAMILY_KIND: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// Length of `struct nlattr`, which also the length within it counts.
const ATTRIBUTE: usize = 4;

/// A question of a family: its command, with one attribute.
pub(crate) fn question(command: u8, attribute: u16, value: &[u8]) -> Vec<u8> {
    let mut question = vec![command, 1, 0, 0];
    let length = u16::try_from(ATTRIBUTE.saturating_add(value.len())).unwrap_or(u16::MAX);
    question.extend(length.to_ne_bytes());
    question.extend(attribute.to_ne_bytes());
    question.extend(value);
    question.resize(question.len().next_multiple_of(4), 0);
    question
}

/// Asks which number this boot gave to a family.
pub(crate) fn family_question(name: &str) -> Vec<u8> {
    let name = [name.as_bytes(), b"\0"].concat();
    question(CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, &name)
}

/// The number in the answer to [`family_question`].
pub(crate) fn family(answer: &[u8]) -> Option<u16> {
    let mut all = attributes(answer.get(HEADER..)?);
    let (_, value) = all.find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID)?;
    u16_at(value, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 6.18: the beginning of the answer to `family_question`.
    const TCP_METRICS: &[u8] = b"\x01\x02\0\0\
        \x10\0\x02\0tcp_metrics\0\
        \x06\0\x01\0\x1b\0\0\0\
        \x08\0\x03\0\x01\0\0\0";

    #[test]
    fn reads_the_number_of_the_family() {
        assert_eq!(family(TCP_METRICS), Some(0x1b));
        assert_eq!(family(&TCP_METRICS[..20]), None);
        assert_eq!(
            family_question("tcp_metrics"),
            *b"\x03\x01\0\0\x10\0\x02\0tcp_metrics\0"
        );
    }

    #[test]
    fn asks_as_the_kernel_wants_it() {
        let question = family_question("wireguard");
        assert_eq!(question[..4], [3, 1, 0, 0]);
        let all: Vec<_> = attributes(&question[4..]).collect();
        assert_eq!(all, [(2, &b"wireguard\0"[..])]);
        assert_eq!(question.len() % 4, 0);
    }

    proptest! {
        #[test]
        fn never_panics(answer: Vec<u8>) {
            let _ = family(&answer);
        }

        #[test]
        fn reads_the_number(number: u16) {
            let answer = question(1, CTRL_ATTR_FAMILY_ID, &number.to_ne_bytes());
            prop_assert_eq!(family(&answer), Some(number));
        }
    }
}
