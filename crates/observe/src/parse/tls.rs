//! The first messages of TLS (RFC 8446, 4 and 5; RFC 5246): what a client greets with, and which
//! certificate a server of TLS 1.2 and older shows. Later ones are encrypted.

use super::cursor::Cursor;

/// Types of records.
pub(crate) const HANDSHAKE: u8 = 22;
/// Types of handshake messages.
pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const CERTIFICATE: u8 = 11;
/// Type and length before a record, and before a handshake message.
pub(crate) const RECORD_HEADER: usize = 5;
pub(crate) const MESSAGE_HEADER: usize = 4;
/// What a record may carry, with what a cipher may add (RFC 5246, 6.2.3).
const LONGEST_RECORD: usize = (1 << 14) + 2048;
/// Extensions.
pub(crate) const SERVER_NAME: u16 = 0;
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(crate) const ALPN: u16 = 16;
pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
const TLS_1_3: u16 = 0x0304;
/// More protocols are not read of one greeting.
const MOST_PROTOCOLS: usize = 32;

/// What begins a record: type and how long what it carries is. `Err`: it is no record of TLS.
/// `Ok(None)`: more bytes are needed.
pub(crate) fn record(bytes: &[u8]) -> Result<Option<(u8, usize)>, NotTls> {
    let mut header = Cursor::new(bytes);
    let Some(kind) = header.u8() else {
        return Ok(None);
    };
    if !(20..=24).contains(&kind) || bytes.get(1).is_some_and(|major| *major != 3) {
        return Err(NotTls);
    }
    let (Some(version), Some(length)) = (header.u16(), header.u16()) else {
        return Ok(None);
    };
    let length = usize::from(length);
    if version > 0x0304 || length == 0 || length > LONGEST_RECORD {
        return Err(NotTls);
    }
    Ok(Some((kind, length)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTls;

/// The type of a handshake message, and how long it is with its header. `None`: more bytes are
/// needed.
pub(crate) fn message(bytes: &[u8]) -> Option<(u8, usize)> {
    let mut header = Cursor::new(bytes);
    let kind = header.u8()?;
    let length = usize::try_from(header.u24()?).ok()?;
    Some((kind, length.checked_add(MESSAGE_HEADER)?))
}

/// What a client says first (RFC 8446, 4.1.2; DTLS: RFC 6347, 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    /// The highest that it speaks, if [`SUPPORTED_VERSIONS`] does not say another.
    pub(crate) version: u16,
    /// Cipher suites, two bytes each.
    pub(crate) ciphers: &'a [u8],
    extensions: &'a [u8],
    /// All of it is there.
    pub(crate) is_whole: bool,
}

impl<'a> ClientHello<'a> {
    /// Reads what stands behind the header of a message whose end is missing. `None`: as [`Self::read`].
    pub(crate) fn part(body: &'a [u8]) -> Option<Self> {
        // One that is cut right before its extensions looks like one without.
        Self::read(body, false).map(|hello| Self {
            is_whole: false,
            ..hello
        })
    }

    /// Reads what stands behind the header of the message.
    ///
    /// `None`: not even the cipher suites are there.
    pub(crate) fn read(body: &'a [u8], is_datagram: bool) -> Option<Self> {
        let mut rest = Cursor::new(body);
        let version = rest.u16()?;
        let _random = rest.take(32)?;
        let _session = rest.counted8()?;
        if is_datagram {
            let _cookie = rest.counted8()?;
        }
        let ciphers = rest.counted16()?;
        if ciphers.len() % 2 != 0 {
            return None;
        }
        let compressions = rest.counted8();
        let has_extensions = compressions.is_some() && !rest.is_empty();
        let (extensions, is_whole) = if has_extensions {
            match rest.counted16() {
                Some(whole) => (whole, true),
                None => (rest.rest().get(2..).unwrap_or_default(), false),
            }
        } else {
            (&[][..], compressions.is_some())
        };
        Some(Self {
            version,
            ciphers,
            extensions,
            is_whole,
        })
    }

    /// Types and values, in their order, up to the first that is cut short.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        extensions(self.extensions)
    }

    fn extension(&self, wanted: u16) -> Option<&'a [u8]> {
        self.extensions()
            .find_map(|(kind, value)| (kind == wanted).then_some(value))
    }

    /// The name of the server that the client wants (RFC 6066, 3).
    pub(crate) fn server_name(&self) -> Option<&'a [u8]> {
        let mut names = Cursor::new(Cursor::new(self.extension(SERVER_NAME)?).counted16()?);
        loop {
            let kind = names.u8()?;
            let name = names.counted16()?;
            if kind == 0 {
                return (!name.is_empty()).then_some(name);
            }
        }
    }

    /// What it offers to speak, in its order (RFC 7301).
    pub(crate) fn protocols(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let list = self
            .extension(ALPN)
            .and_then(|value| Cursor::new(value).counted16());
        let mut list = Cursor::new(list.unwrap_or_default());
        std::iter::from_fn(move || list.counted8()).take(MOST_PROTOCOLS)
    }

    /// Whether there is an Encrypted Client Hello in it (RFC 9849), or something that looks the same.
    pub(crate) fn offers_ech(&self) -> bool {
        self.extension(ENCRYPTED_CLIENT_HELLO).is_some()
    }
}

/// Whether what a server answers, without the header of the message, chooses TLS 1.3, where its
/// certificate is encrypted. `None`: not readable.
pub(crate) fn chooses_encryption(server_hello: &[u8]) -> Option<bool> {
    let mut rest = Cursor::new(server_hello);
    let _version = rest.u16()?;
    let _random = rest.take(32)?;
    let _session = rest.counted8()?;
    let _cipher = rest.u16()?;
    let _compression = rest.u8()?;
    let Some(list) = rest.counted16() else {
        return Some(false);
    };
    Some(extensions(list).any(|(kind, value)| {
        kind == SUPPORTED_VERSIONS && Cursor::new(value).u16() >= Some(TLS_1_3)
    }))
}

/// The server's own certificate, the first of its message (RFC 5246, 7.4.2), without the header.
/// `None`: there is none, or more bytes are needed.
pub(crate) fn first_certificate(message: &[u8]) -> Option<&[u8]> {
    let mut rest = Cursor::new(message);
    let _all = rest.u24()?;
    let length = usize::try_from(rest.u24()?).ok()?;
    rest.take(length)
        .filter(|certificate| !certificate.is_empty())
}

fn extensions(list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = Cursor::new(list);
    std::iter::from_fn(move || {
        let kind = rest.u16()?;
        Some((kind, rest.counted16()?))
    })
}

#[cfg(test)]
pub(crate) mod tests;
