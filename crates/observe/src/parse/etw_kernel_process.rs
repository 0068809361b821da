//! What the provider Microsoft-Windows-Kernel-Process of event tracing tells: which process began, by whom,
//! and which ended, and how. In: the id, the version and the payload of an event. Out: what it says.
//!
//! Layout: the provider's manifest, as Windows 7 (versions 0 and 1) and Windows 10 and 11 (up to 3 and 2)
//! have it. Numbers are little-endian; texts of UTF-16 end with a zero.

use model::{Text, Timestamp};

use super::windows_tables::file_time;

/// `{22fb2cd6-0e7b-422b-a0c7-2fad1fd0e716}`.
pub(crate) const PROVIDER: u128 = 0x22fb2cd6_0e7b_422b_a0c7_2fad1fd0e716;
/// `WINEVENT_KEYWORD_PROCESS`: neither threads nor libraries.
pub(crate) const KEYWORDS: u64 = 0x10;

/// `ProcessStart` and `ProcessStop`.
pub(crate) const START: u16 = 1;
pub(crate) const STOP: u16 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Start {
        pid: u32,
        /// `None`: a time that nobody can mean.
        started: Option<Timestamp>,
        parent: u32,
        /// As the kernel names it: `\Device\HarddiskVolume2\Windows\notepad.exe`; what is no file has a
        /// name only.
        image: Text,
    },
    Stop {
        pid: u32,
        /// As above.
        started: Option<Timestamp>,
        /// What it ended with.
        code: u32,
    },
}

/// What an event says. `None`: not one of those known, of a version that is not, or too short.
pub(crate) fn told(id: u16, version: u8, payload: &[u8]) -> Option<Told> {
    let mut rest = Fields(payload);
    match (id, version) {
        (START, 0..=2) => {
            let pid = rest.number()?;
            let started = file_time(rest.long()?);
            let parent = rest.number()?;
            let _session = rest.number()?;
            if version > 0 {
                let _flags = rest.number()?;
            }
            let image = rest.text()?;
            Some(Told::Start {
                pid,
                started,
                parent,
                image,
            })
        }
        (START, 3) => {
            let pid = rest.number()?;
            let _sequence = rest.long()?;
            let started = file_time(rest.long()?);
            let parent = rest.number()?;
            let _sequence_of_parent = rest.long()?;
            // Session, flags, kind of token, whether it is elevated.
            let _four = [
                rest.number()?,
                rest.number()?,
                rest.number()?,
                rest.number()?,
            ];
            rest.skip_identifier()?;
            let image = rest.text()?;
            Some(Told::Start {
                pid,
                started,
                parent,
                image,
            })
        }
        (STOP, 0..=2) => {
            let pid = rest.number()?;
            if version == 2 {
                let _sequence = rest.long()?;
            }
            let started = file_time(rest.long()?);
            let _ended = rest.long()?;
            let code = rest.number()?;
            Some(Told::Stop { pid, started, code })
        }
        _ => None,
    }
}

/// What has not been taken off the front yet.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A SID ([MS-DTYP] 2.4.2.2): revision, how many parts, six bytes of authority, and the parts.
    fn skip_identifier(&mut self) -> Option<()> {
        let [_revision, parts, ..]: [u8; 8] = self.array()?;
        self.0 = self.0.get(usize::from(parts) * 4..)?;
        Some(())
    }

    /// Up to a zero, which has to be there: without it, the rest was cut off.
    fn text(&mut self) -> Option<Text> {
        let (units, _) = self.0.as_chunks();
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
        let length = units.clone().position(|unit| unit == 0)?;
        let units: Vec<u16> = units.take(length).collect();
        Some(Text::from(String::from_utf16_lossy(&units)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-01 00:00:00 UTC.
    const A_DAY: u64 = (20_454 + 134_774) * 86_400 * 10_000_000;
    const IMAGE: &str = r"\Device\HarddiskVolume2\Windows\notepad.exe";

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|it| it.to_le_bytes()).collect()
    }

    fn text(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    }

    fn start(version: u8) -> Vec<u8> {
        let sequence = 77_u64.to_le_bytes();
        let mut bytes = numbers(&[4242]);
        if version == 3 {
            bytes.extend(sequence);
        }
        bytes.extend(A_DAY.to_le_bytes());
        bytes.extend(numbers(&[1200]));
        if version == 3 {
            bytes.extend(sequence);
        }
        bytes.extend(numbers(&[1]));
        if version > 0 {
            bytes.extend(numbers(&[0]));
        }
        if version == 3 {
            bytes.extend(numbers(&[1, 1]));
            // S-1-16-8192: medium.
            bytes.extend([1, 1, 0, 0, 0, 0, 0, 16, 0, 0x20, 0, 0]);
        }
        bytes.extend(text(IMAGE));
        if version >= 2 {
            bytes.extend(numbers(&[1, 2]));
            bytes.extend(text(""));
            bytes.extend(text(""));
        }
        bytes
    }

    fn stop(version: u8) -> Vec<u8> {
        let mut bytes = numbers(&[4242]);
        if version == 2 {
            bytes.extend(77_u64.to_le_bytes());
        }
        bytes.extend(A_DAY.to_le_bytes());
        bytes.extend((A_DAY + 10_000_000).to_le_bytes());
        bytes.extend(numbers(&[0xc000_0005, 1, 60]));
        bytes.extend(vec![0; if version == 0 { 16 } else { 44 }]);
        bytes.extend(b"notepad.exe\0");
        bytes
    }

    fn started() -> Option<Timestamp> {
        let nanos = 20_454 * 86_400 * 1_000_000_000;
        Some(Timestamp::from_unix_nanos(nanos))
    }

    #[test]
    fn it_is_told_who_began_and_who_ended() {
        for version in 0..=3 {
            let expected = Told::Start {
                pid: 4242,
                started: started(),
                parent: 1200,
                image: Text::from(IMAGE),
            };
            assert_eq!(
                told(START, version, &start(version)),
                Some(expected),
                "{version}"
            );
        }
        for version in 0..=2 {
            let expected = Told::Stop {
                pid: 4242,
                started: started(),
                code: 0xc000_0005,
            };
            assert_eq!(
                told(STOP, version, &stop(version)),
                Some(expected),
                "{version}"
            );
        }
    }

    #[test]
    fn what_is_cut_short_or_unknown_is_none() {
        // Up to the zero behind the name.
        let needed = 4 + 8 + 4 + 4 + 2 * (IMAGE.len() + 1);
        assert!(told(START, 0, &start(0)[..needed]).is_some());
        for length in 0..needed {
            assert_eq!(told(START, 0, &start(0)[..length]), None, "{length}");
        }
        for length in 0..24 {
            assert_eq!(told(STOP, 0, &stop(0)[..length]), None, "{length}");
        }
        assert_eq!(told(START, 4, &start(3)), None);
        assert_eq!(told(STOP, 3, &stop(2)), None);
        assert_eq!(told(3, 0, &start(0)), None);
        assert_eq!(PROVIDER.to_be_bytes()[..4], [0x22, 0xfb, 0x2c, 0xd6]);
        assert_eq!(KEYWORDS, 0x10);
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_or_not(id in 0_u16..4, version in 0_u8..5, bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _told = told(id, version, &bytes);
        }
    }
}
