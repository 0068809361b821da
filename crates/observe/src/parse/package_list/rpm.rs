//! The header that rpm keeps of each package (rpm: docs/manual/format_v4.md, docs/manual/tags.md):
//! numbers in network byte order, then entries of 16 bytes, then what they point at.

use super::super::cursor::Cursor;
use super::{Digest, hexadecimal};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const FILE_FLAGS: u32 = 1037;
const FILE_DIGESTS: u32 = 1035;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;
const DIGEST_KIND: u32 = 5011;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const BYTES_OF_ENTRY: usize = 16;
/// RPMFILE_GHOST: it belongs to the package, but was never in it.
const GHOST: u32 = 1 << 6;
/// More files has no package.
const MOST_FILES: usize = 2_000_000;

/// A package, taken apart as far as it is asked.
pub(crate) struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// `None`: it is none.
    pub(crate) fn new(blob: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(blob);
        let count = usize::try_from(cursor.u32()?).ok()?;
        let length = usize::try_from(cursor.u32()?).ok()?;
        let entries = cursor.take(count.checked_mul(BYTES_OF_ENTRY)?)?;
        let data = cursor.take(length)?;
        Some(Self { entries, data })
    }

    pub(crate) fn name(&self) -> &'a [u8] {
        self.text(NAME)
    }

    /// With epoch and release: `1:2.3-4`.
    pub(crate) fn version(&self) -> Vec<u8> {
        let mut version = Vec::new();
        if let Some(epoch) = self.number(EPOCH, 0) {
            version.extend(format!("{epoch}:").bytes());
        }
        version.extend(self.text(VERSION));
        version.push(b'-');
        version.extend(self.text(RELEASE));
        version
    }

    /// Whether the package has a file at this path, and what is in it. `None`: it has none;
    /// `Some(None)`: it does not say, or in a way that is not known here.
    pub(crate) fn file(&self, path: &[u8]) -> Option<Option<Digest>> {
        let at = path.iter().rposition(|byte| *byte == b'/')?;
        let (folder, name) = path.split_at_checked(at + 1)?;
        let mut folders = self.texts(DIRECTORY_NAMES);
        let number = folders.position(|it| it == folder)?;
        let names = self.texts(BASE_NAMES).enumerate();
        let mut same = names.filter(|(file, it)| {
            let folder = self.number(DIRECTORY_INDEXES, *file);
            *it == name && folder.and_then(|it| usize::try_from(it).ok()) == Some(number)
        });
        let (file, _) = same.next()?;
        let flags = self.number(FILE_FLAGS, file).unwrap_or(0);
        if flags & GHOST != 0 {
            return Some(None);
        }
        let digest = self.texts(FILE_DIGESTS).nth(file)?;
        // Numbers of RFC 9580, section 9.5; without one it is MD5.
        Some(match self.number(DIGEST_KIND, 0) {
            None | Some(0 | 1) => hexadecimal(digest).map(Digest::Md5),
            Some(2) => hexadecimal(digest).map(Digest::Sha1),
            Some(8) => hexadecimal(digest).map(Digest::Sha256),
            Some(_) => None,
        })
    }

    /// Kind, count, and what it points at.
    fn entry(&self, tag: u32) -> Option<(u32, usize, &'a [u8])> {
        self.entries.chunks_exact(BYTES_OF_ENTRY).find_map(|entry| {
            let mut cursor = Cursor::new(entry);
            if cursor.u32()? != tag {
                return None;
            }
            let (kind, offset, count) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            let data = self.data.get(usize::try_from(offset).ok()?..)?;
            Some((kind, usize::try_from(count).ok()?, data))
        })
    }

    fn text(&self, tag: u32) -> &'a [u8] {
        let entry = self.entry(tag).filter(|(kind, ..)| *kind == STRING);
        let data = entry.map(|(.., data)| data).unwrap_or_default();
        data.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    fn texts(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> {
        let entry = self.entry(tag).filter(|(kind, ..)| *kind == STRING_ARRAY);
        let (_, count, data) = entry.unwrap_or_default();
        data.split(|byte| *byte == 0).take(count.min(MOST_FILES))
    }

    fn number(&self, tag: u32, at: usize) -> Option<u32> {
        let (kind, count, data) = self.entry(tag)?;
        if kind != INT32 || at >= count {
            return None;
        }
        Cursor::new(data.get(at.checked_mul(4)?..)?).u32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(tags: &[(u32, u32, u32, Vec<u8>)]) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::<u8>::new());
        for (tag, kind, count, bytes) in tags {
            let offset = u32::try_from(data.len()).unwrap();
            for number in [*tag, *kind, offset, *count] {
                entries.extend(number.to_be_bytes());
            }
            data.extend(bytes);
        }
        let mut blob = Vec::new();
        blob.extend(u32::try_from(tags.len()).unwrap().to_be_bytes());
        blob.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        blob.extend(entries);
        blob.extend(data);
        blob
    }

    #[test]
    fn files_of_a_package() {
        let digests = ["ab".repeat(32), String::new(), "cd".repeat(32)].join("\0") + "\0";
        let indexes = [1_u32, 0, 0].map(u32::to_be_bytes).concat();
        let flags = [0_u32, GHOST, 0].map(u32::to_be_bytes).concat();
        let blob = made(&[
            (NAME, STRING, 1, b"tool\0".to_vec()),
            (VERSION, STRING, 1, b"2.3\0".to_vec()),
            (RELEASE, STRING, 1, b"4.fc41\0".to_vec()),
            (EPOCH, INT32, 1, vec![0, 0, 0, 1]),
            (
                DIRECTORY_NAMES,
                STRING_ARRAY,
                2,
                b"/usr/bin/\0/opt/\0".to_vec(),
            ),
            (BASE_NAMES, STRING_ARRAY, 3, b"a\0a\0b\0".to_vec()),
            (DIRECTORY_INDEXES, INT32, 3, indexes),
            (FILE_FLAGS, INT32, 3, flags),
            (FILE_DIGESTS, STRING_ARRAY, 3, digests.into_bytes()),
            (DIGEST_KIND, INT32, 1, vec![0, 0, 0, 8]),
        ]);
        let header = Header::new(&blob).unwrap();
        assert_eq!(
            (header.name(), header.version()),
            (&b"tool"[..], b"1:2.3-4.fc41".to_vec())
        );
        assert_eq!(
            header.file(b"/opt/a"),
            Some(Some(Digest::Sha256([0xab; 32])))
        );
        assert_eq!(header.file(b"/usr/bin/a"), Some(None));
        assert_eq!(
            header.file(b"/usr/bin/b"),
            Some(Some(Digest::Sha256([0xcd; 32])))
        );
        assert_eq!(header.file(b"/opt/b"), None);
        assert_eq!(header.file(b"/bin/b"), None);
        assert!(Header::new(&blob[..20]).is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, path: Vec<u8>) {
            if let Some(header) = Header::new(&bytes) {
                let _ = (header.name(), header.version(), header.file(&path));
            }
        }
    }
}
