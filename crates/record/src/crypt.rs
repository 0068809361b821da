//! Encryption to the recipients of a case, in the age format (<https://age-encryption.org/v1>).
//! Public keys and bytes go in, age files come out; private keys and age files go in, bytes come
//! out. After its header an age file is a row of chunks of 64 KiB that stand for themselves: of
//! one that was cut off, each complete chunk can still be read.
//!
//! Errors of the crate `age` are never printed: it would look for their text in files of
//! translations.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Write};
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use age::stream::{StreamReader, StreamWriter};
use age::x25519;
use age::{DecryptError, Decryptor, Encryptor};

#[cfg(test)]
mod tests;

/// Each recipient adds a paragraph to the header of each file; there are files each second.
pub const MOST_RECIPIENTS: usize = 32;
/// How many private keys are tried on each file.
const MOST_IDENTITIES: usize = 256;
/// Longer headers are not read. That of [`MOST_RECIPIENTS`] has less than 5 KiB.
const LONGEST_HEADER: usize = 16 * 1024;
/// How an age file begins (its version follows).
const MAGIC: &[u8] = b"age-encryption.org/";
const VERSION: &[u8] = b"v1\n";
/// The last line of the header begins so.
const MAC_LINE: &[u8] = b"---";
/// What stands between the header and the first chunk, in bytes.
const NONCE_BYTES: u64 = 16;

/// Why a key cannot be used, or a file not be read. No text has a key in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the public key in {from}, line {line}: {why}")]
    Recipient {
        from: String,
        line: usize,
        why: KeyFault,
    },
    #[error(
        "{from}, line {line}: this is a PRIVATE key (AGE-SECRET-KEY-): who has it can read every \
         case made for it. It must never be on a suspect computer"
    )]
    PrivateKey { from: String, line: usize },
    #[error("there is no public key in {from}")]
    NoRecipient { from: String },
    #[error("there are more than {most} keys in {from}")]
    TooManyKeys { from: String, most: usize },
    #[error("cannot read the private key in {from}, line {line}: {why}")]
    Identity {
        from: String,
        line: usize,
        why: KeyFault,
    },
    #[error("there is no private key in {from}")]
    NoIdentity { from: String },
    #[error("{from} is itself encrypted")]
    EncryptedIdentity { from: String },
    #[error("this is no age file")]
    NotAge,
    #[error("this age file is of a newer version than this build can read")]
    TooNew,
    #[error("none of the private keys opens this file")]
    WrongKey,
    #[error("this file was encrypted with a passphrase, not for a public key")]
    Passphrase,
    #[error("the header of this age file is damaged")]
    DamagedHeader,
    /// A reader tells it as the inner error of an [`io::Error`], after what could be read.
    #[error("the file ends too early; {readable_bytes} bytes of its content can be read")]
    CutShort { readable_bytes: u64 },
    /// As [`Error::CutShort`].
    #[error("the file was changed; {readable_bytes} bytes of its content can be read before that")]
    Changed { readable_bytes: u64 },
    #[error("cannot read the file: {0}")]
    Read(io::Error),
}

impl Error {
    /// What the person can do about it. `None`: nothing, or it says so itself.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::PrivateKey { .. } => Some(
                "if this computer is the one under examination, treat this key as stolen: make a \
                 new one with age-keygen elsewhere, keep it there, and put only its public key \
                 (age1...) beside whocalls",
            ),
            Self::Recipient { .. } | Self::NoRecipient { .. } => Some(
                "one public key a line, as age-keygen prints it after \"Public key:\"; it begins \
                 with age1",
            ),
            Self::Identity { .. } | Self::NoIdentity { .. } => {
                Some("name the file that age-keygen wrote; its key begins with AGE-SECRET-KEY-1")
            }
            Self::EncryptedIdentity { .. } => {
                Some("decrypt it with: age --decrypt -o key-file THIS-FILE")
            }
            Self::Passphrase => Some("decrypt it with: age --decrypt -o CASE.zip THIS-FILE"),
            Self::TooManyKeys { .. }
            | Self::NotAge
            | Self::TooNew
            | Self::WrongKey
            | Self::DamagedHeader
            | Self::CutShort { .. }
            | Self::Changed { .. }
            | Self::Read(_) => None,
        }
    }

    /// What [`OpenFile`] told inside an error of reading. `None`: it comes from the file system.
    pub fn inside(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("a character is wrong or missing")]
    Checksum,
    #[error("it does not begin with age1")]
    NotPublic,
    #[error("it does not begin with AGE-SECRET-KEY-1")]
    NotPrivate,
    #[error("it is a public key (age1...); the private one is needed")]
    Public,
    #[error("keys of SSH are not used here")]
    Ssh,
    #[error("keys that need a plugin or are post-quantum are not used here")]
    OtherKind,
    #[error("there is more than a key in the line")]
    MoreThanKey,
}

/// Who can read what is encrypted: one public key or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Reads a `key.txt`: one public key a line; blank lines and those that begin with `#` do not
    /// count. `from` says in errors where the text comes from.
    ///
    /// Errors: no key, too many, one that cannot be read, a private one.
    pub fn parse(text: &str, from: &str) -> Result<Self, Error> {
        // A private key below a faulty line is what matters more; who reads comments has it, too.
        if let Some((line, _)) = iter::zip(1.., text.lines()).find(|(_, line)| is_private(line)) {
            let from = from.to_owned();
            return Err(Error::PrivateKey { from, line });
        }
        let mut recipients = Vec::new();
        for (line, key) in keys(text) {
            let recipient = public_key(key).map_err(|why| Error::Recipient {
                from: from.to_owned(),
                line,
                why,
            })?;
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        let from = from.to_owned();
        match recipients.len() {
            0 => Err(Error::NoRecipient { from }),
            1..=MOST_RECIPIENTS => Ok(Self(recipients)),
            _ => Err(Error::TooManyKeys {
                from,
                most: MOST_RECIPIENTS,
            }),
        }
    }

    /// These and the others, each once.
    ///
    /// Errors: too many together.
    pub fn and(mut self, others: Self) -> Result<Self, Error> {
        for recipient in others.0 {
            if !self.0.contains(&recipient) {
                self.0.push(recipient);
            }
        }
        if self.0.len() > MOST_RECIPIENTS {
            return Err(Error::TooManyKeys {
                from: "all sources together".to_owned(),
                most: MOST_RECIPIENTS,
            });
        }
        Ok(self)
    }

    /// The public keys, for the log and the screen.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// Encrypts what is written to it. A chunk leaves when the next one begins, so [`Write::flush`]
/// does not bring everything out: only [`SealedFile::finish`] does.
pub struct SealedFile<W: Write>(StreamWriter<W>);

impl<W: Write> SealedFile<W> {
    /// Writes the header.
    ///
    /// Errors: of `out`.
    pub fn new(out: W, recipients: &Recipients) -> io::Result<Self> {
        let recipients = recipients.0.iter().map(|one| one as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .map_err(|_| io::Error::other("cannot encrypt for these public keys"))?;
        encryptor.wrap_output(out).map(Self)
    }

    /// Writes the last chunk and gives back what was written to. Without it the file counts as cut
    /// off.
    ///
    /// Errors: of what is written to.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealedFile<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> fmt::Debug for SealedFile<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SealedFile").finish_non_exhaustive()
    }
}

/// Private keys. They never get into a text.
#[derive(Clone)]
pub struct Identities(Vec<x25519::Identity>);

impl fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// Reads what `age-keygen` writes: one private key a line; blank lines and those that begin
    /// with `#` do not count. `from` says in errors where the text comes from.
    ///
    /// Errors: no key, too many, one that cannot be read, a file that is itself encrypted.
    pub fn parse(text: &str, from: &str) -> Result<Self, Error> {
        let is_encrypted = ["age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"];
        if is_encrypted.iter().any(|begin| text.starts_with(begin)) {
            let from = from.to_owned();
            return Err(Error::EncryptedIdentity { from });
        }
        let identities = keys(text)
            .take(MOST_IDENTITIES + 1)
            .map(|(line, key)| {
                private_key(key).map_err(|why| Error::Identity {
                    from: from.to_owned(),
                    line,
                    why,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let from = from.to_owned();
        match identities.len() {
            0 => Err(Error::NoIdentity { from }),
            1..=MOST_IDENTITIES => Ok(Self(identities)),
            _ => Err(Error::TooManyKeys {
                from,
                most: MOST_IDENTITIES,
            }),
        }
    }

    /// Who has to be named as recipient for these to open it.
    pub fn recipients(&self) -> Recipients {
        Recipients(self.0.iter().map(x25519::Identity::to_public).collect())
    }

    /// Reads an age file. What the reader gives is what was written; the end of a file that was
    /// cut off, and a place that was changed, are errors of reading that come after it
    /// ([`Error::inside`] has them).
    ///
    /// Errors: no age file, a newer one, none of the keys fits, its header is damaged or cut off.
    pub fn open<R: Read>(&self, file: R) -> Result<OpenFile<R>, Error> {
        let at_end = Arc::new(AtomicBool::new(false));
        let mut file = BufReader::new(UntilEnd {
            file,
            at_end: Arc::clone(&at_end),
        });
        let header = Cursor::new(header(&mut file)?);
        let decryptor = Decryptor::new_buffered(header.chain(file)).map_err(unreadable)?;
        if decryptor.is_scrypt() {
            return Err(Error::Passphrase);
        }
        let identities = self.0.iter().map(|one| one as &dyn age::Identity);
        let stream = decryptor.decrypt(identities).map_err(unreadable)?;
        Ok(OpenFile {
            stream,
            at_end,
            readable_bytes: 0,
        })
    }
}

/// An age file that was opened.
pub struct OpenFile<R: Read> {
    stream: StreamReader<HeaderAndRest<R>>,
    at_end: Arc<AtomicBool>,
    readable_bytes: u64,
}

impl<R: Read> fmt::Debug for OpenFile<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenFile").finish_non_exhaustive()
    }
}

impl<R: Read> Read for OpenFile<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let readable_bytes = self.readable_bytes;
        match self.stream.read(bytes) {
            Ok(read) => {
                self.readable_bytes += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let cut = Error::CutShort { readable_bytes };
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut))
            }
            // The last chunk is shorter than the others. When it does not fit, its rest is missing
            // or it was changed; which of the two cannot be told, and the first is what happens.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(if self.at_end.load(Ordering::Relaxed) {
                    let cut = Error::CutShort { readable_bytes };
                    io::Error::new(io::ErrorKind::UnexpectedEof, cut)
                } else {
                    let changed = Error::Changed { readable_bytes };
                    io::Error::new(io::ErrorKind::InvalidData, changed)
                })
            }
            Err(error) => Err(error),
        }
    }
}

type HeaderAndRest<R> = Chain<Cursor<Vec<u8>>, BufReader<UntilEnd<R>>>;

/// A file, and whether its end was met.
struct UntilEnd<R> {
    file: R,
    at_end: Arc<AtomicBool>,
}

impl<R: Read> Read for UntilEnd<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        if read == 0 && !bytes.is_empty() {
            self.at_end.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}

/// The lines with something in them and their numbers, from 1.
fn keys(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Editors on Windows put a mark in front of a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    iter::zip(1.., text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Also one that was broken on the way, or stands behind something else.
fn is_private(line: &str) -> bool {
    line.to_ascii_uppercase().contains("AGE-SECRET-KEY-")
}

fn public_key(key: &str) -> Result<x25519::Recipient, KeyFault> {
    if key.starts_with("ssh-") || key.starts_with("ecdsa-") {
        return Err(KeyFault::Ssh);
    }
    if !key.starts_with("age1") {
        return Err(KeyFault::NotPublic);
    }
    if key.contains(char::is_whitespace) {
        return Err(KeyFault::MoreThanKey);
    }
    // The kind stands before the last `1` (Bech32, BIP 173); data never has one.
    if key.rfind('1') != Some("age".len()) {
        return Err(KeyFault::OtherKind);
    }
    key.parse().map_err(|_| KeyFault::Checksum)
}

fn private_key(key: &str) -> Result<x25519::Identity, KeyFault> {
    let capitals = key.to_ascii_uppercase();
    if capitals.starts_with("AGE-PLUGIN-") || capitals.starts_with("AGE-SECRET-KEY-PQ-") {
        return Err(KeyFault::OtherKind);
    }
    if capitals.starts_with("AGE1") {
        return Err(KeyFault::Public);
    }
    if capitals.starts_with("-----BEGIN OPENSSH") {
        return Err(KeyFault::Ssh);
    }
    if !capitals.starts_with("AGE-SECRET-KEY-1") {
        return Err(KeyFault::NotPrivate);
    }
    if key.contains(char::is_whitespace) {
        return Err(KeyFault::MoreThanKey);
    }
    key.parse().map_err(|_| KeyFault::Checksum)
}

/// The header and the nonce behind it. `age` itself would read a header without end.
fn header(file: &mut impl BufRead) -> Result<Vec<u8>, Error> {
    let mut header = Vec::new();
    loop {
        let begins = header.len();
        let room = (LONGEST_HEADER - begins) as u64;
        let read = file.take(room).read_until(b'\n', &mut header);
        read.map_err(Error::Read)?;
        let line = header.get(begins..).unwrap_or_default();
        if begins == 0 && !is_first_line(line) {
            let is_age = line.starts_with(MAGIC) && line.ends_with(b"\n");
            return Err(if is_age { Error::TooNew } else { Error::NotAge });
        }
        if header.len() >= LONGEST_HEADER {
            return Err(Error::DamagedHeader);
        }
        if !line.ends_with(b"\n") {
            return Err(Error::CutShort { readable_bytes: 0 });
        }
        if line.starts_with(MAC_LINE) {
            break;
        }
    }
    let nonce = file.take(NONCE_BYTES).read_to_end(&mut header);
    match nonce.map_err(Error::Read)? as u64 {
        NONCE_BYTES => Ok(header),
        _ => Err(Error::CutShort { readable_bytes: 0 }),
    }
}

/// Whether it is the first line of an age file, or what is left of it. An empty file is one that
/// was cut off: it was made, and its header not written any more.
fn is_first_line(line: &[u8]) -> bool {
    let whole: Vec<u8> = [MAGIC, VERSION].concat();
    whole.starts_with(line)
}

fn unreadable(error: DecryptError) -> Error {
    match error {
        DecryptError::NoMatchingKeys => Error::WrongKey,
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::DamagedHeader
        }
        DecryptError::Io(error) => Error::Read(error),
        DecryptError::DecryptionFailed
        | DecryptError::ExcessiveWork { .. }
        | DecryptError::InvalidHeader
        | DecryptError::InvalidMac
        | DecryptError::KeyDecryptionFailed
        | DecryptError::UnknownFormat => Error::DamagedHeader,
        _ => Error::DamagedHeader,
    }
}

/// A new private key and its public one, for tests of other parts.
#[cfg(test)]
pub(crate) fn new_keys() -> (Identities, Recipients) {
    let identities = Identities(vec![x25519::Identity::generate()]);
    let recipients = identities.recipients();
    (identities, recipients)
}
