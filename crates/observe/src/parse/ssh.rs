//! The first line of SSH (RFC 4253, 4.2), which each side writes before anything else.

use model::Text;

/// With its end.
pub(crate) const LONGEST_LINE: usize = 255;
const BEGINNING: &[u8] = b"SSH-";

/// Whether bytes begin a first line of SSH. `None`: more bytes are needed.
pub(crate) fn begins(bytes: &[u8]) -> Option<bool> {
    let length = bytes.len().min(BEGINNING.len());
    let begins = bytes.get(..length) == BEGINNING.get(..length);
    (!begins || bytes.len() >= BEGINNING.len()).then_some(begins)
}

/// The line without its end. `None`: it is none, or it has no end.
pub(crate) fn banner(bytes: &[u8]) -> Option<Text> {
    let line = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
    let end = line.iter().position(|byte| *byte == b'\n')?;
    let line = line.get(..end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.starts_with(BEGINNING).then(|| line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], begins_so: Option<bool>, expected: Option<&str>) {
        assert_eq!(begins(bytes), begins_so);
        assert_eq!(banner(bytes), expected.map(Text::from));
    }

    #[test]
    fn reads_the_line() {
        let openssh = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3";
        check(
            format!("{openssh}\r\n\0\0").as_bytes(),
            Some(true),
            Some(openssh),
        );
        check(b"SSH-1.99-x\n", Some(true), Some("SSH-1.99-x"));
        check(b"SSH-2.0-x", Some(true), None);
        check(b"SS", None, None);
        check(b"SEARCH / HTTP/1.1\r\n", Some(false), None);
        check(
            &[&b"SSH-"[..], &[b'a'; 255], b"\n"].concat(),
            Some(true),
            None,
        );
    }
}
