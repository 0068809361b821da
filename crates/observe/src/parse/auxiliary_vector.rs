//! `/proc/PID/auxv` (proc_pid_auxv(5), getauxval(3); kernel: fs/binfmt_elf.c, create_elf_tables): what
//! the kernel told a program when it started it. Pairs of key and value, of four or of eight bytes each,
//! in the order of this processor's bytes.

/// The size of a page, in bytes (include/uapi/linux/auxvec.h).
const PAGE_SIZE: u64 = 6;
const ENTRY: u64 = 9;
/// The kernel has some 25.
const MOST_PAIRS: usize = 64;

/// Where the program begins: the entry of the program file itself, not that of its loader.
/// `None`: it is not there.
pub(crate) fn entry(file: &[u8]) -> Option<u64> {
    value(file, ENTRY)
}

/// `None`: it is not there.
pub(crate) fn page_size(file: &[u8]) -> Option<u64> {
    value(file, PAGE_SIZE)
}

fn value(file: &[u8], wanted: u64) -> Option<u64> {
    // The size of a page is always told: where it cannot be found, the numbers are of the other width.
    let wide = pairs::<8>(file);
    let is_wide = find(&wide, PAGE_SIZE).is_some_and(u64::is_power_of_two);
    let pairs = if is_wide { wide } else { pairs::<4>(file) };
    find(&pairs, wanted)
}

fn find(pairs: &[(u64, u64)], wanted: u64) -> Option<u64> {
    let found = pairs.iter().find(|(key, _)| *key == wanted);
    found.map(|(_, value)| *value)
}

fn pairs<const WIDTH: usize>(file: &[u8]) -> Vec<(u64, u64)> {
    let (numbers, _) = file.as_chunks::<WIDTH>();
    let (pairs, _) = numbers.as_chunks::<2>();
    let number = |bytes: &[u8; WIDTH]| {
        let mut wide = [0; 8];
        // The first bytes are the lowest ones, or the last ones are.
        let at = if cfg!(target_endian = "little") {
            0
        } else {
            wide.len() - WIDTH
        };
        if let Some(place) = wide.get_mut(at..at + WIDTH) {
            place.copy_from_slice(bytes);
        }
        u64::from_ne_bytes(wide)
    };
    let pairs = pairs.iter().take(MOST_PAIRS);
    pairs
        .map(|[key, value]| (number(key), number(value)))
        .take_while(|(key, _)| *key != 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_both_widths() {
        let told = [(33_u32, 0x7fff_u32), (6, 4096), (9, 0x0804_8000), (0, 0)];
        let narrow: Vec<u8> = told
            .iter()
            .flat_map(|(key, value)| [key.to_ne_bytes(), value.to_ne_bytes()].concat())
            .collect();
        let wide: Vec<u8> = told
            .iter()
            .map(|(key, value)| (u64::from(*key), u64::from(*value)))
            .flat_map(|(key, value)| [key.to_ne_bytes(), value.to_ne_bytes()].concat())
            .collect();
        for file in [narrow, wide] {
            assert_eq!(entry(&file), Some(0x0804_8000));
            assert_eq!(page_size(&file), Some(4096));
        }
        assert_eq!(entry(&[]), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = entry(&bytes);
        }
    }
}
