//! Just enough of a name server: every name has one address.

use std::net::Ipv4Addr;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);
const HEADER: usize = 12;

/// The answer to a question (RFC 1035, 4.1). `None`: it is not one.
pub fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = question.split_at_checked(HEADER)?;
    let is_response = header[2] & 0x80 != 0;
    if is_response || header[4..6] != [0, 1] || header[6..8] != [0, 0] {
        return None;
    }
    while let (&length, after) = rest.split_first()?
        && length != 0
    {
        rest = after.get(usize::from(length)..)?;
    }
    let (kind, after) = rest[1..].split_at_checked(4)?;
    let is_address = kind == [0, 1, 0, 1];
    let mut answer = question[..question.len() - after.len()].to_vec();
    // Response, recursion wanted and given, no error; one question, and what is asked of it.
    answer[2..HEADER].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
    if is_address {
        // The name of the question, IN A, a minute, four bytes.
        answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(ADDRESS.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_a_question_for_an_address() {
        let question =
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01";
        let answer = answer(question).unwrap();
        assert_eq!(answer[..8], *b"\x12\x34\x81\x80\x00\x01\x00\x01");
        assert_eq!(answer[question.len() + 12..], [192, 0, 2, 80]);
    }

    #[test]
    fn leaves_noise_alone() {
        assert_eq!(answer(&[b'w'; 40]), None);
        assert_eq!(answer(&[0; 12]), None);
        assert_eq!(answer(b"\0\0\0\0\0\x01\0\0\0\0\0\0\x3fshort"), None);
    }
}
