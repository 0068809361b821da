//! The header that macOS and iOS put before a packet: whose it is (XNU, bsd/net/pktap.h). Two
//! versions; the numbers are in the order of the computer, which is little-endian.

use super::fields::Fields;
use super::link::Way;

/// `struct pktap_header` of the first systems that had it; later ones are longer.
const LEAST_HEADER: usize = 108;
/// `struct pktap_v2_hdr`.
const HEADER_2: usize = 40;
const FLAG_IN: u32 = 1;
const FLAG_OUT: u32 = 2;
const NAME: usize = 20;

/// What it says of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) way: Option<Way>,
    pub(super) owner: Option<Named<'a>>,
    /// The process that the owner works for, where that is another one.
    pub(super) effective: Option<Named<'a>>,
}

/// A process by its pid, and its name as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) pid: u32,
    pub(super) name: &'a [u8],
}

/// What it says, the link type of the packet that follows, and that packet. `None`: it is cut.
pub(super) fn of(bytes: &[u8]) -> Option<(Told<'_>, u16, &[u8])> {
    let first: [u8; 4] = *bytes.first_chunk()?;
    // In version 2 the place of the interface's name stands where in version 1 the length has
    // zeros, and every packet has an interface.
    let [short, long, more, most] = first;
    if (more, most) == (0, 0) {
        let length = u16::from_le_bytes([short, long]);
        let (header, rest) = bytes.split_at_checked(length.into())?;
        version_1(header, rest)
    } else {
        let (header, rest) = bytes.split_at_checked(short.into())?;
        version_2(header, rest)
    }
}

fn version_1<'a>(header: &'a [u8], rest: &'a [u8]) -> Option<(Told<'a>, u16, &'a [u8])> {
    if header.len() < LEAST_HEADER {
        return None;
    }
    let link = u16::try_from(le32(header, 8)?).ok()?;
    let name = |at: usize| Some(until_nul(header.get(at..at + NAME)?));
    let owner = named(le32(header, 52)?, name(56)?);
    let effective = named(le32(header, 84)?, name(88)?);
    Some((told(le32(header, 36)?, owner, effective), link, rest))
}

fn version_2<'a>(header: &'a [u8], rest: &'a [u8]) -> Option<(Told<'a>, u16, &'a [u8])> {
    if header.len() < HEADER_2 {
        return None;
    }
    let [_, _, _, _, name, effective_name, low, high] = *header.first_chunk()?;
    // 0: there is none.
    let name_at = |at: u8| match usize::from(at) {
        at if at >= HEADER_2 => until_nul(header.get(at..).unwrap_or_default()),
        _ => &[],
    };
    let owner = named(le32(header, 28)?, name_at(name));
    let effective = named(le32(header, 32)?, name_at(effective_name));
    let told = told(le32(header, 36)?, owner, effective);
    Some((told, u16::from_le_bytes([low, high]), rest))
}

fn told<'a>(flags: u32, owner: Option<Named<'a>>, effective: Option<Named<'a>>) -> Told<'a> {
    Told {
        way: match flags & (FLAG_IN | FLAG_OUT) {
            FLAG_IN => Some(Way::In),
            FLAG_OUT => Some(Way::Out),
            _ => None,
        },
        // Where only the one is known that it was for, that one it is.
        owner: owner.or(effective),
        effective: effective
            .filter(|effective| owner.is_some_and(|owner| owner.pid != effective.pid)),
    }
}

/// 0 and -1 are nobody; 0 with a name is the kernel.
fn named(pid: u32, name: &[u8]) -> Option<Named<'_>> {
    let is_nobody = pid == u32::MAX || (pid == 0 && name.is_empty());
    (!is_nobody).then_some(Named { pid, name })
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    let mut fields = Fields {
        bytes: bytes.get(at..)?,
        is_big_endian: false,
    };
    fields.u32()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_1(flags: u32, pid: u32, name: &[u8], epid: u32, ename: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 156];
        bytes[0] = 156;
        bytes[4] = 1;
        bytes[8] = 101;
        bytes[36..40].copy_from_slice(&flags.to_le_bytes());
        bytes[52..56].copy_from_slice(&pid.to_le_bytes());
        bytes[56..56 + name.len()].copy_from_slice(name);
        bytes[84..88].copy_from_slice(&epid.to_le_bytes());
        bytes[88..88 + ename.len()].copy_from_slice(ename);
        bytes.push(0x45);
        bytes
    }

    fn header_2(flags: u32, pid: u32, name: &[u8], epid: u32) -> Vec<u8> {
        let length = u8::try_from(40 + 4 + name.len() + 1).expect("short");
        let mut bytes = vec![length, 0, 0, 40, 44, 0, 101, 0];
        bytes.resize(28, 0);
        bytes.extend(pid.to_le_bytes());
        bytes.extend(epid.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(b"en0\0");
        bytes.extend(name);
        bytes.extend([0, 0x45]);
        bytes
    }

    fn named(pid: u32, name: &[u8]) -> Option<Named<'_>> {
        Some(Named { pid, name })
    }

    #[test]
    fn both_versions_say_whose_it_is() {
        let bytes = header_1(0x20001, 77, b"Google Chrome He", 77, b"Google Chrome He");
        let (told, link, rest) = of(&bytes).expect("whole");
        assert_eq!((link, rest), (101, &[0x45][..]));
        let expected = Told {
            way: Some(Way::In),
            owner: named(77, b"Google Chrome He"),
            effective: None,
        };
        assert_eq!(told, expected);

        let bytes = header_2(0x2002, 300, b"mDNSResponder", 501);
        let (told, link, rest) = of(&bytes).expect("whole");
        assert_eq!((link, rest), (101, &[0x45][..]));
        let expected = Told {
            way: Some(Way::Out),
            owner: named(300, b"mDNSResponder"),
            effective: named(501, b""),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn nobody_is_nobody() {
        let bytes = header_1(3, u32::MAX, b"", 0, b"");
        let (told, ..) = of(&bytes).expect("whole");
        assert_eq!(told, Told::default());
        let bytes = header_1(0, u32::MAX, b"", 9, b"Safari");
        let (told, ..) = of(&bytes).expect("whole");
        assert_eq!((told.owner, told.effective), (named(9, b"Safari"), None));
        let bytes = header_1(0, 0, b"kernel_task", 0, b"");
        assert_eq!(of(&bytes).expect("whole").0.owner, named(0, b"kernel_task"));
    }

    #[test]
    fn what_is_cut_is_none() {
        for bytes in [header_1(0, 1, b"a", 1, b"a"), header_2(0, 1, b"a", 0)] {
            for end in 0..bytes.len() - 1 {
                assert_eq!(of(&bytes[..end]), None, "{end}");
            }
        }
        assert_eq!(of(&[0; 200]), None);
        assert_eq!(of(&[0xff; 200]), None);
    }
}
