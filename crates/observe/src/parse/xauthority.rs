//! Files with the cookies of X displays (Xauthority, libXau: AuRead.c): one entry after the other, each a
//! family (two bytes) and four texts with their length before them (two bytes, big-endian): address,
//! number of the display, name and data.

/// What X asks for before it lets somebody in.
const MAGIC_COOKIE: &[u8] = b"MIT-MAGIC-COOKIE-1";
pub(crate) const COOKIE: usize = 16;
/// Nobody has more displays.
const MOST: usize = 64;

/// One cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// `None`: of whatever display there is.
    pub(crate) display: Option<u16>,
    pub(crate) cookie: [u8; COOKIE],
}

impl Cookie {
    pub(crate) fn is_of(&self, display: u16) -> bool {
        self.display.is_none_or(|it| it == display)
    }
}

/// Those that come before the first byte that is none. What is for other ways in is left out.
pub(crate) fn cookies(mut bytes: &[u8]) -> Vec<Cookie> {
    let mut found = Vec::new();
    while let Some((entry, rest)) = entry(bytes) {
        bytes = rest;
        if found.len() < MOST {
            found.extend(entry);
        }
    }
    found
}

/// The first entry, if it is a cookie, and what follows.
fn entry(bytes: &[u8]) -> Option<(Option<Cookie>, &[u8])> {
    let (_family, rest) = bytes.split_first_chunk::<2>()?;
    let (_address, rest) = text(rest)?;
    let (number, rest) = text(rest)?;
    let (name, rest) = text(rest)?;
    let (data, rest) = text(rest)?;
    let display = std::str::from_utf8(number).ok().map(str::parse);
    let display = match display {
        _ if number.is_empty() => Some(None),
        Some(Ok(display)) => Some(Some(display)),
        Some(Err(_)) | None => None,
    };
    let cookie = data.try_into().ok().filter(|_| name == MAGIC_COOKIE);
    let cookie = display
        .zip(cookie)
        .map(|(display, cookie)| Cookie { display, cookie });
    Some((cookie, rest))
}

fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry_of(number: &str, name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        for text in [b"desk", number.as_bytes(), name, data] {
            let length = u16::try_from(text.len()).unwrap();
            bytes.extend(length.to_be_bytes());
            bytes.extend(text);
        }
        bytes
    }

    /// What `xauth add :77 . 0123456789abcdef0123456789abcdef` wrote.
    #[test]
    fn reads_what_xauth_writes() {
        let mut file = b"\x01\x00\x00\x02vm\x00\x0277\x00\x12MIT-MAGIC-COOKIE-1\x00\x10".to_vec();
        let cookie = [
            0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
            0xcd, 0xef,
        ];
        file.extend(cookie);
        let display = Some(77);
        assert_eq!(cookies(&file), [Cookie { display, cookie }]);
    }

    #[test]
    fn what_is_no_cookie_is_passed_over() {
        let cookie = [7; COOKIE];
        let any = entry_of("", MAGIC_COOKIE, &cookie);
        let all = [
            entry_of("0", b"XDM-AUTHORIZATION-1", &[1; 16]),
            entry_of("0", MAGIC_COOKIE, &[1; 15]),
            entry_of("x", MAGIC_COOKIE, &[1; 16]),
            entry_of("65536", MAGIC_COOKIE, &[1; 16]),
            any.clone(),
            vec![0, 0, 0xff, 0xff, 1],
            any,
        ];
        let found = cookies(&all.concat());
        let display = None;
        assert_eq!(found, [Cookie { display, cookie }]);
        assert!(found.iter().all(|it| it.is_of(0) && it.is_of(9)));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            cookies(&bytes);
        }

        #[test]
        fn is_bounded(count in 0..200_usize) {
            let one = entry_of("1", MAGIC_COOKIE, &[1; 16]);
            prop_assert_eq!(cookies(&one.repeat(count)).len(), count.min(MOST));
        }
    }
}
