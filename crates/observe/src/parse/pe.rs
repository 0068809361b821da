//! A program or library of Windows (PE/COFF; "PE Format" of the Windows documentation): where its code
//! lies in the file, and which bytes it has in memory once it was moved to its place there.

const MOST_SECTIONS: usize = 96;
/// A large library has some 100,000.
const MOST_MOVED: usize = 4_000_000;
const PAGE: u32 = 4096;
const WIDE: u16 = 0x20b;
const NARROW: u16 = 0x10b;
/// Section flags.
const EXECUTABLE: u32 = 0x2000_0000;
const WRITABLE: u32 = 0x8000_0000;
/// Numbers of data directories.
const IMPORTS: usize = 1;
const MOVED: usize = 5;
const IMPORT_ADDRESSES: usize = 12;
const LATE_IMPORTS: usize = 13;
/// Kinds of base relocations.
const MOVED_WORD: u16 = 3;
const MOVED_LONG: u16 = 10;

/// What the head says. Addresses count from where the file begins in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pe {
    /// Where it was made to be loaded.
    pub(crate) base: u64,
    /// Where it begins to run; 0: nowhere (libraries without code of their own, programs of .NET).
    pub(crate) entry: u32,
    pub(crate) sections: Vec<Section>,
    /// From, to (not included): what the loader writes to by itself.
    written: Vec<(u32, u32)>,
    moved: Option<(u32, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// In memory.
    pub(crate) address: u32,
    /// As many bytes of it come from the file.
    pub(crate) length: u32,
    /// In the file, in bytes.
    pub(crate) offset: u32,
    pub(crate) executable: bool,
    pub(crate) writable: bool,
}

/// `None`: it is none, or it is cut off before its sections are listed.
pub(crate) fn pe(file: &[u8]) -> Option<Pe> {
    if !file.starts_with(b"MZ") {
        return None;
    }
    let head = file.get(usize::try_from(word(file, 0x3c)?).ok()?..)?;
    if !head.starts_with(b"PE\0\0") {
        return None;
    }
    let count = usize::from(short(head, 6)?).min(MOST_SECTIONS);
    let optional_length = usize::from(short(head, 20)?);
    let optional = head.get(24..)?;
    let (base, directories) = match short(optional, 0)? {
        WIDE => (long(optional, 24)?, 112),
        NARROW => (word(optional, 28)?.into(), 96),
        _ => return None,
    };
    let listed = optional.get(..optional_length)?;
    let directory = |number: usize| {
        let at = number.checked_mul(8)?.checked_add(directories)?;
        let (from, length) = (word(listed, at)?, word(listed, at.checked_add(4)?)?);
        (length > 0).then_some((from, from.saturating_add(length)))
    };
    let tables = optional.get(optional_length..)?;
    let sections = tables.chunks_exact(40).take(count).map(section);
    let sections: Option<Vec<_>> = sections.collect();
    let sections = sections.filter(|it| it.len() == count)?;
    let written = [IMPORTS, IMPORT_ADDRESSES, LATE_IMPORTS];
    Some(Pe {
        base,
        entry: word(optional, 16)?,
        sections,
        written: written.into_iter().filter_map(directory).collect(),
        moved: directory(MOVED),
    })
}

fn section(entry: &[u8]) -> Option<Section> {
    let (in_memory, in_file) = (word(entry, 8)?, word(entry, 16)?);
    let flags = word(entry, 36)?;
    Some(Section {
        address: word(entry, 12)?,
        // Old linkers leave the first one 0.
        length: if in_memory == 0 {
            in_file
        } else {
            in_memory.min(in_file)
        },
        offset: word(entry, 20)?,
        executable: flags & EXECUTABLE != 0,
        writable: flags & WRITABLE != 0,
    })
}

impl Pe {
    /// What a section has in memory when the file lies at `base`. `None`: the file is cut off, or its
    /// table of what has to be moved is broken.
    pub(crate) fn loaded(&self, file: &[u8], section: &Section, base: u64) -> Option<Vec<u8>> {
        let mut bytes = slice(file, section.offset, section.length)?.to_vec();
        let by = base.wrapping_sub(self.base);
        if by == 0 {
            return Some(bytes);
        }
        // One that cannot be moved never lies elsewhere.
        let (from, to) = self.moved?;
        let mut table = self.at(file, from, to.saturating_sub(from))?;
        let mut left = MOST_MOVED;
        while let (Some(page), Some(length)) = (word(table, 0), word(table, 4)) {
            let length = usize::try_from(length).ok()?;
            if length < 8 {
                break;
            }
            let block = table.get(8..length)?;
            table = table.get(length..)?;
            let (entries, _) = block.as_chunks::<2>();
            left = left.checked_sub(entries.len())?;
            for entry in entries {
                let entry = u16::from_le_bytes(*entry);
                let address = page.saturating_add(u32::from(entry & 0xfff));
                let at = i64::from(address).saturating_sub(section.address.into());
                match entry >> 12 {
                    MOVED_WORD => add::<4>(&mut bytes, at, by),
                    MOVED_LONG => add::<8>(&mut bytes, at, by),
                    _ => {}
                }
            }
        }
        Some(bytes)
    }

    /// The first part of a piece of memory that is of no section with code: of the head, or of data. `to`
    /// is not included. Of a file whose sections share pages, nothing: all of it may run.
    pub(crate) fn beside_code(&self, from: u32, to: u32) -> Option<(u32, u32)> {
        if self.sections.iter().any(|it| it.address % PAGE != 0) {
            return None;
        }
        let sections = self.sections.iter().map(|it| (it.address, it.executable));
        let mut starts: Vec<_> = std::iter::once((0, false)).chain(sections).collect();
        starts.sort_by_key(|(start, _)| *start);
        let ends = starts.iter().skip(1).map(|(start, _)| *start);
        let parts = starts.iter().zip(ends.chain([u32::MAX]));
        let others = parts.filter(|((_, executable), _)| !executable);
        let mut others = others.map(|((start, _), end)| (from.max(*start), to.min(end)));
        others.find(|(from, to)| from < to)
    }

    /// Whether the loader writes to that address by itself.
    pub(crate) fn is_written(&self, address: u32) -> bool {
        let mut written = self.written.iter();
        written.any(|(from, to)| (*from..*to).contains(&address))
    }

    /// Bytes of the file by their address in memory.
    fn at<'file>(&self, file: &'file [u8], address: u32, length: u32) -> Option<&'file [u8]> {
        let mut sections = self.sections.iter();
        let of_it = |it: &&Section| {
            let into = address.checked_sub(it.address);
            into.is_some_and(|into| into < it.length)
        };
        let section = sections.find(of_it)?;
        let into = address.checked_sub(section.address)?;
        slice(file, section.offset.checked_add(into)?, length)
    }
}

/// Adds to a number of `N` bytes, as far as it lies within; it may begin before the bytes.
fn add<const N: usize>(bytes: &mut [u8], at: i64, by: u64) {
    let Some(place) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at..)) else {
        return;
    };
    let Some(place) = place.first_chunk_mut::<N>() else {
        return;
    };
    let mut wide = [0; 8];
    for (to, from) in wide.iter_mut().zip(place.iter()) {
        *to = *from;
    }
    let sum = u64::from_le_bytes(wide).wrapping_add(by).to_le_bytes();
    for (to, from) in place.iter_mut().zip(sum) {
        *to = from;
    }
}

fn slice(file: &[u8], offset: u32, length: u32) -> Option<&[u8]> {
    let rest = file.get(usize::try_from(offset).ok()?..)?;
    rest.get(..usize::try_from(length).ok()?)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0x1_4000_0000;

    fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// One section of code with a pointer at 0x1008, and one with the table that moves it.
    fn library() -> Vec<u8> {
        let mut file = vec![0; 0x600];
        put(&mut file, 0, b"MZ");
        put(&mut file, 0x3c, &0x40_u32.to_le_bytes());
        put(&mut file, 0x40, b"PE\0\0");
        put(&mut file, 0x46, &2_u16.to_le_bytes());
        put(&mut file, 0x54, &240_u16.to_le_bytes());
        put(&mut file, 0x58, &WIDE.to_le_bytes());
        put(&mut file, 0x58 + 16, &0x1008_u32.to_le_bytes());
        put(&mut file, 0x58 + 24, &BASE.to_le_bytes());
        let directories = 0x58 + 112;
        put(&mut file, directories + 8, &0x1010_u32.to_le_bytes());
        put(&mut file, directories + 12, &0x10_u32.to_le_bytes());
        put(&mut file, directories + 40, &0x2000_u32.to_le_bytes());
        put(&mut file, directories + 44, &12_u32.to_le_bytes());
        let tables = 0x58 + 240;
        for (at, numbers) in [
            (tables, [0x1f0_u32, 0x1000, 0x200, 0x200]),
            (tables + 40, [0x100, 0x2000, 0x200, 0x400]),
        ] {
            for (nth, number) in numbers.into_iter().enumerate() {
                put(&mut file, at + 8 + nth * 4, &number.to_le_bytes());
            }
        }
        put(&mut file, tables + 36, &0x6000_0020_u32.to_le_bytes());
        put(&mut file, 0x208, &(BASE + 0x1234).to_le_bytes());
        put(&mut file, 0x400, &0x1000_u32.to_le_bytes());
        put(&mut file, 0x404, &12_u32.to_le_bytes());
        put(&mut file, 0x408, &0xa008_u16.to_le_bytes());
        file
    }

    #[test]
    fn code_is_as_it_lies_in_memory() {
        let file = library();
        let head = pe(&file).unwrap();
        assert_eq!((head.base, head.entry), (BASE, 0x1008));
        let code = &head.sections[0];
        assert!(code.executable && !code.writable && !head.sections[1].executable);
        assert_eq!(
            (code.address, code.length, code.offset),
            (0x1000, 0x1f0, 0x200)
        );
        let here = head.loaded(&file, code, BASE).unwrap();
        assert_eq!(here, file[0x200..0x3f0]);
        let moved = head.loaded(&file, code, 0x7ff0_0000_0000).unwrap();
        assert_eq!(moved[8..16], (0x7ff0_0000_1234_u64).to_le_bytes());
        assert!(head.is_written(0x1010) && !head.is_written(0x1020));
    }

    #[test]
    fn what_is_none_or_cut_off() {
        let file = library();
        assert_eq!(pe(b"\x7fELF"), None);
        assert_eq!(pe(&file[..0x150]), None);
        let head = pe(&file).unwrap();
        assert_eq!(head.loaded(&file[..0x300], &head.sections[0], BASE), None);
        assert_eq!(head.loaded(&file[..0x404], &head.sections[0], 0), None);
    }

    #[test]
    fn what_is_beside_the_code_is_known() {
        let head = pe(&library()).unwrap();
        for (piece, beside) in [
            ((0x1000, 0x2000), None),
            ((0, 0x1000), Some((0, 0x1000))),
            ((0x800, 0x1800), Some((0x800, 0x1000))),
            ((0x1800, 0x2800), Some((0x2000, 0x2800))),
            ((0x9000, u32::MAX), Some((0x9000, u32::MAX))),
            ((0x2800, 0x2800), None),
        ] {
            let (from, to) = piece;
            assert_eq!(head.beside_code(from, to), beside, "{piece:x?}");
        }
        let mut small = head;
        small.sections[0].address = 0x200;
        assert_eq!(small.beside_code(0, 0x1000), None);
    }

    proptest! {
        #[test]
        fn never_panics(
            changes in proptest::collection::vec((0_usize..0x600, any::<u8>()), 0..40),
            cut in 0_usize..=0x600,
            base: u64,
        ) {
            let mut file = library();
            for (at, byte) in changes {
                file[at] = byte;
            }
            let file = &file[..cut];
            if let Some(head) = pe(file) {
                for section in &head.sections {
                    let _ = head.loaded(file, section, base);
                }
            }
        }
    }
}
