//! `/proc/meminfo`: lines of `NAME:   NUMBER kB`. Source: `proc_meminfo(5)`.

/// How many bytes programs may still take without others being swapped out.
pub(crate) fn available(file: &[u8]) -> Option<u64> {
    let file = std::str::from_utf8(file).ok()?;
    let value = file
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_is_available() {
        let file =
            b"MemTotal:       24000000 kB\nMemFree: 1 kB\nMemAvailable:   23061232 kB\nX: 1\n";
        assert_eq!(available(file), Some(23_061_232 << 10));
    }

    #[test]
    fn anything_else_is_unknown() {
        let others = [
            "",
            "MemFree: 1 kB\n",
            "MemAvailable: 1 MB\n",
            "MemAvailable: kB\n",
            "MemAvailable: 18446744073709551615 kB\n",
        ];
        for other in others {
            assert_eq!(available(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(file: Vec<u8>) {
            available(&file);
        }
    }
}
