//! The head of a program or library (ELF; elf(5), include/uapi/linux/elf.h), as far as it says what the
//! file is and which parts of it may be written to.

/// So much of a file is enough: a head and some 30 segments.
pub(crate) const ENOUGH: usize = 4096;
const MAGIC: &[u8] = b"\x7fELF";
const LOADED: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const STACK: u32 = 0x6474_e551;
const EXECUTABLE: u32 = 1;
const WRITABLE: u32 = 2;
/// Keys of the table for the loader, and a flag.
const TEXT_MOVED: u64 = 22;
const FLAGS: u64 = 30;
const FLAG_TEXT_MOVED: u64 = 4;
/// A large program has some 50.
const MOST_ENTRIES: usize = 512;

/// What the head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Elf {
    /// It names a program that loads it: it is a program and no library, nor a loader.
    pub(crate) has_interpreter: bool,
    /// It wants a stack that is executable.
    pub(crate) wants_executable_stack: bool,
    /// Where its table for the loader lies in the file, and how long it is, in bytes.
    pub(crate) dynamic: Option<(u64, u64)>,
    is_wide: bool,
    /// Parts that are both writable and executable: from, to (not included), in bytes of the file.
    writable_code: Vec<(u64, u64)>,
}

impl Elf {
    /// Whether its own head allows its code at that byte of the file to be written to.
    pub(crate) fn may_be_written(&self, offset: u64) -> bool {
        let mut parts = self.writable_code.iter();
        parts.any(|(from, to)| (*from..*to).contains(&offset))
    }

    /// Whether the loader writes to its code, to fit it to the place where it lies. To be asked with the
    /// bytes of [`Elf::dynamic`].
    pub(crate) fn moves_text(&self, dynamic: &[u8]) -> bool {
        let width = if self.is_wide { 16 } else { 8 };
        let number = |entry: &[u8], at| {
            if self.is_wide {
                long(entry, at)
            } else {
                word(entry, at).map(u64::from)
            }
        };
        let entries = dynamic.chunks_exact(width).take(MOST_ENTRIES);
        let entries = entries.filter_map(|it| Some((number(it, 0)?, number(it, width / 2)?)));
        let mut entries = entries.take_while(|(key, _)| *key != 0);
        entries
            .any(|(key, value)| key == TEXT_MOVED || (key == FLAGS && value & FLAG_TEXT_MOVED != 0))
    }
}

/// Whether a file, or a piece of memory, begins like one.
pub(crate) fn is_elf(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// From the first bytes of a file. `None`: it is none, or one of the other byte order, or it is cut off
/// before its segments end.
pub(crate) fn elf(start: &[u8]) -> Option<Elf> {
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if !is_elf(start) || *start.get(5)? != order {
        return None;
    }
    let is_wide = match start.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    // e_phoff, e_phentsize, e_phnum.
    let (table, size, count) = if is_wide {
        (long(start, 32)?, short(start, 54)?, short(start, 56)?)
    } else {
        (
            word(start, 28)?.into(),
            short(start, 42)?,
            short(start, 44)?,
        )
    };
    let mut found = Elf {
        is_wide,
        ..Elf::default()
    };
    let mut at = usize::try_from(table).ok()?;
    for _ in 0..count {
        let segment = start.get(at..)?;
        at = at.checked_add(size.into())?;
        // p_type, p_flags, p_offset, p_filesz.
        let kind = word(segment, 0)?;
        let (flags, offset, length) = if is_wide {
            (word(segment, 4)?, long(segment, 8)?, long(segment, 32)?)
        } else {
            let (offset, length) = (word(segment, 4)?, word(segment, 16)?);
            (word(segment, 24)?, offset.into(), length.into())
        };
        let is_executable = flags & EXECUTABLE != 0;
        match kind {
            INTERPRETER => found.has_interpreter = true,
            DYNAMIC => found.dynamic = Some((offset, length)),
            STACK => found.wants_executable_stack = is_executable,
            LOADED if is_executable && flags & WRITABLE != 0 => {
                let part = (offset, offset.saturating_add(length));
                found.writable_code.push(part);
            }
            _ => {}
        }
    }
    Some(found)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_ne_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_program_and_what_is_none() {
        let Ok(mut program) = std::fs::read("/bin/sh") else {
            return;
        };
        program.truncate(ENOUGH);
        let found = elf(&program).unwrap();
        assert!(found.has_interpreter && !found.wants_executable_stack);
        assert!(!found.may_be_written(0) && found.dynamic.is_some());
        assert_eq!(elf(b"#!/bin/sh\n"), None);
        assert_eq!(elf(&program[..70]), None);
    }

    #[test]
    fn code_that_the_loader_writes_to() {
        let moves = |is_wide, entries: &[(u32, u32)]| {
            let head = Elf {
                is_wide,
                ..Elf::default()
            };
            let numbers = entries.iter().flat_map(|(key, value)| [*key, *value]);
            let bytes: Vec<u8> = if is_wide {
                numbers.flat_map(|it| u64::from(it).to_ne_bytes()).collect()
            } else {
                numbers.flat_map(u32::to_ne_bytes).collect()
            };
            head.moves_text(&bytes)
        };
        for is_wide in [false, true] {
            assert!(moves(is_wide, &[(1, 9), (22, 0), (0, 0)]));
            assert!(moves(is_wide, &[(30, 0xc)]));
            assert!(!moves(is_wide, &[(30, 8), (1, 22), (0, 0), (22, 0)]));
        }
    }

    #[test]
    fn a_part_that_may_be_written_to() {
        let mut program = b"\x7fELF\x02\x01\x01".to_vec();
        if cfg!(target_endian = "big") {
            program[5] = 2;
        }
        program.resize(64, 0);
        program[32..40].copy_from_slice(&64_u64.to_ne_bytes());
        program[54..56].copy_from_slice(&56_u16.to_ne_bytes());
        program[56..58].copy_from_slice(&1_u16.to_ne_bytes());
        let numbers = [0x1000_u64, 0, 0, 0x2000, 0x2000, 0x1000];
        program.extend([1_u32, 7].iter().flat_map(|it| it.to_ne_bytes()));
        program.extend(numbers.iter().flat_map(|it| it.to_ne_bytes()));
        let found = elf(&program).unwrap();
        assert!(found.may_be_written(0x1000) && found.may_be_written(0x2fff));
        assert!(!found.may_be_written(0xfff) && !found.may_be_written(0x3000));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let mut start = MAGIC.to_vec();
            start.extend(bytes);
            let _ = elf(&start);
        }
    }
}
