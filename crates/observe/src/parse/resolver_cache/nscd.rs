//! The cache of host names of nscd, glibc's name service cache daemon: a file that it and its
//! clients map (glibc, nscd/nscd-client.h, hstcache.c, aicache.c).

use std::net::IpAddr;

use model::Timestamp;

use super::{Answers, Reading};
use crate::parse::attributes::{u32_at, u64_at};
use crate::parse::tcp_metrics::address;

/// The question for a descriptor of this file, to nscd's socket: version 2, GETFDHST, the length
/// of the name that follows.
pub(crate) const DESCRIPTOR_QUESTION: &[u8; 18] = b"\x02\0\0\0\x0d\0\0\0\x06\0\0\0hosts\0";

/// Length of `struct database_pers_head`.
pub(crate) const HEAD: usize = 120;
const VERSION: u32 = 2;
/// No further entry (ENDREF).
const END: u32 = u32::MAX;
/// Length of `struct datahead`.
const DATA_HEAD: usize = 24;
const GETHOSTBYNAME: u8 = 4;
const GETHOSTBYNAMEV6: u8 = 5;
const GETHOSTBYADDR: u8 = 6;
const GETHOSTBYADDRV6: u8 = 7;
const GETAI: u8 = 14;

/// How often nscd had moved its entries together when it wrote this head; odd while it does so.
/// `None`: not such a file.
pub(crate) fn move_count(head: &[u8]) -> Option<u32> {
    if u32_at(head, 0)? != VERSION || u32_at(head, 4)? != u32::try_from(HEAD).ok()? {
        return None;
    }
    u32_at(head, 8)
}

/// Reads the answers in the file, those that have run out too. `None`: not such a file.
pub(crate) fn answers(file: &[u8], limit: usize) -> Option<Answers> {
    move_count(file)?;
    let buckets = usize::try_from(u32_at(file, 40)?).ok()?;
    let table = file.get(HEAD..)?.get(..buckets.checked_mul(4)?)?;
    let data = file.get(HEAD + table.len().next_multiple_of(16)..)?;
    let mut reading = Reading::new(file.len(), limit);
    for first in table.chunks_exact(4) {
        read_chain(data, u32_at(first, 0)?, &mut reading);
    }
    Some(reading.answers)
}

/// Reads the entries of one bucket. `None`: one is damaged, or enough was read, since damage could
/// make them endless.
fn read_chain(data: &[u8], first: u32, reading: &mut Reading) -> Option<()> {
    let mut next = first;
    while next != END {
        reading.step()?;
        let entry = at(data, next)?;
        read_entry(data, entry, reading);
        next = u32_at(entry, 16)?;
    }
    Some(())
}

/// What stands where a `ref_t` points.
fn at(data: &[u8], reference: u32) -> Option<&[u8]> {
    data.get(usize::try_from(reference).ok()?..)
}

/// Reads one `struct hashentry` and what it points to. `None`: it is damaged, or enough was read.
fn read_entry(data: &[u8], entry: &[u8], reading: &mut Reading) -> Option<()> {
    let kind = *entry.first()?;
    let key_length = usize::try_from(u32_at(entry, 4)?).ok()?;
    let key = at(data, u32_at(entry, 8)?)?.get(..key_length)?;
    let record = at(data, u32_at(entry, 20)?)?;
    let size = usize::try_from(u32_at(record, 4)?).ok()?;
    let reply = record.get(DATA_HEAD..)?.get(..size)?;
    let usable = *record.get(18)? != 0;
    if !usable {
        return None;
    }
    let asked = asked(record);
    let found = u32_at(reply, 4)? == 1;
    match (kind, found) {
        (GETHOSTBYADDR | GETHOSTBYADDRV6, _) => {
            let host = found.then(|| Host::read(reply)).flatten();
            reading.add(address(key)?, host.map(|host| name(host.name)), asked)?;
        }
        (GETHOSTBYNAME | GETHOSTBYNAMEV6, true) => {
            let host = Host::read(reply)?;
            for bytes in host.addresses.chunks_exact(host.address_length) {
                reading.add(address(bytes)?, Some(name(key)), asked)?;
            }
        }
        (GETAI, true) => {
            for address in addresses_of_addrinfo(reply)? {
                reading.add(address, Some(name(key)), asked)?;
            }
        }
        _ => {}
    }
    Some(())
}

/// When a program asked, out of `struct datahead`: the record runs out at `timeout`, which was
/// `ttl` seconds away then. `None` when nscd has asked again by itself since (`nreloads`). Later
/// uses of the same answer leave no trace.
fn asked(record: &[u8]) -> Option<Timestamp> {
    let reloads = *record.get(17)?;
    if reloads != 0 {
        return None;
    }
    let seconds = u64_at(record, 8)?.checked_sub(u32_at(record, 20)?.into())?;
    let nanos = i64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
    Some(Timestamp::from_unix_nanos(nanos))
}

/// A `hst_response_header` that names a host, and what follows it: the name, the lengths of the
/// aliases, the addresses, the aliases.
struct Host<'a> {
    name: &'a [u8],
    addresses: &'a [u8],
    /// Never zero.
    address_length: usize,
}

impl<'a> Host<'a> {
    fn read(reply: &'a [u8]) -> Option<Self> {
        let number = |offset| usize::try_from(u32_at(reply, offset)?).ok();
        let (name_length, aliases) = (number(8)?, number(12)?);
        let (address_length, count) = (number(20)?, number(24)?);
        let (name, rest) = reply.get(32..)?.split_at_checked(name_length)?;
        let addresses = rest
            .get(aliases.checked_mul(4)?..)?
            .get(..count.checked_mul(address_length)?)?;
        (address_length > 0).then_some(Self {
            name,
            addresses,
            address_length,
        })
    }
}

/// The addresses that follow an `ai_response_header`: all of them, then the family of each. Ends
/// at the first that is damaged.
fn addresses_of_addrinfo(reply: &[u8]) -> Option<impl Iterator<Item = IpAddr>> {
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    let number = |offset| usize::try_from(u32_at(reply, offset)?).ok();
    let (count, length) = (number(8)?, number(12)?);
    let (mut bytes, rest) = reply.get(24..)?.split_at_checked(length)?;
    let families = rest.get(..count)?;
    Some(families.iter().map_while(move |family| {
        let length = match *family {
            AF_INET => 4,
            AF_INET6 => 16,
            _ => return None,
        };
        let (this, others) = bytes.split_at_checked(length)?;
        bytes = others;
        address(this)
    }))
}

/// Names end in NUL.
fn name(key: &[u8]) -> &[u8] {
    key.strip_suffix(b"\0").unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;
    use model::Text;
    use proptest::prelude::*;

    /// glibc 2.36: what nscd wrote after `getent hosts calls.example` (IPv6), `getent ahosts
    /// alias.example` and `getent hosts 192.0.2.80`, all found, `getent hosts 192.0.2.81` and
    /// `getent hosts nothere.example`, not found. Here with 8 buckets instead of 211.
    fn file() -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(b"\x02\0\0\0\x78\0\0\0\0\0\0\0\x01\0\0\0\x5e\xe6\x02\x6b\0\0\0\0\x01\0\0\0");
        file.resize(40, 0);
        file.extend(8_u32.to_ne_bytes());
        file.resize(HEAD, 0);
        for reference in [656, 104, END, 448, 224, END, END, END] {
            file.extend(reference.to_ne_bytes());
        }
        file.resize(HEAD + 32, 0);
        file.extend(DATA);
        file
    }

    const DATA: &[u8] = b"\
        \x64\0\0\0\x3e\0\0\0\x6f\xf4\x02\x6b\0\0\0\0\0\0\x01\0\x10\x0e\0\0\
        \x02\0\0\0\x01\0\0\0\x0e\0\0\0\0\0\0\0\x0a\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\
        calls.example\0\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x80calls.example\0\0\0\0\0\
        \x05\x01\0\0\x0e\0\0\0\x56\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\
        \x51\0\0\0\x2b\0\0\0\x6f\xf4\x02\x6b\0\0\0\0\0\0\x01\0\x10\x0e\0\0\
        \x02\0\0\0\x01\0\0\0\x01\0\0\0\x04\0\0\0\x0e\0\0\0\0\0\0\0\
        \xc0\0\x02\x50\x02calls.example\0alias.example\0\0\0\0\0\0\0\0\
        \x0e\x01\0\0\x0e\0\0\0\xcb\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x88\0\0\0\0\0\0\0\0\0\0\0\
        \x60\0\0\0\x44\0\0\0\x6f\xf4\x02\x6b\0\0\0\0\0\0\x01\0\x10\x0e\0\0\
        \x02\0\0\0\x01\0\0\0\x0e\0\0\0\x01\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\0\0\0\0\
        calls.example\0\x0e\0\0\0\xc0\0\x02\x50alias.example\0\xc0\0\x02\x50\
        \x06\x01\0\0\x04\0\0\0\x5c\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x01\0\0\0\0\0\0\0\0\0\0\
        \x3c\0\0\0\x20\0\0\0\x73\xe6\x02\x6b\0\0\0\0\x01\0\x01\0\x14\0\0\0\
        \x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\x01\0\0\0\
        \xc0\0\x02\x51\0\0\0\0\
        \x06\x01\0\0\x04\0\0\0\xb8\x01\0\0\xff\xff\xff\xff\x60\x01\0\0\x80\x01\0\0\0\0\0\0\0\0\0\0\
        \x48\0\0\0\x20\0\0\0\x73\xe6\x02\x6b\0\0\0\0\x01\0\x01\0\x14\0\0\0\
        \x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\x01\0\0\0\
        nothere.example\0\
        \x05\x01\0\0\x10\0\0\0\x18\x02\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xe0\x01\0\0\0\0\0\0\0\0\0\0\
        \x48\0\0\0\x20\0\0\0\x73\xe6\x02\x6b\0\0\0\0\x01\0\x01\0\x14\0\0\0\
        \x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\x01\0\0\0\
        nothere.example\0\
        \x04\x01\0\0\x10\0\0\0\x80\x02\0\0\xff\xff\xff\xff\x28\x02\0\0\x48\x02\0\0\0\0\0\0\0\0\0\0";

    fn answer(address: &str, name: Option<&str>) -> Answer {
        let asked = Timestamp::from_unix_nanos(1_795_352_159 * 1_000_000_000);
        Answer {
            address: address.parse().unwrap(),
            name: name.map(Text::from),
            asked: Some(asked),
        }
    }

    #[test]
    fn reads_names_and_addresses_that_were_asked_for() {
        let mut answers = answers(&file(), 100).unwrap();
        answers.kept.sort();
        let expected = [
            answer("192.0.2.80", Some("alias.example")),
            answer("192.0.2.80", Some("calls.example")),
            answer("192.0.2.81", None),
            answer("2001:db8::80", Some("calls.example")),
        ];
        assert_eq!(answers.kept, expected);
        assert_eq!(answers.let_go, 0);
    }

    #[test]
    fn the_limit_is_counted() {
        let answers = answers(&file(), 1).unwrap();
        assert_eq!((answers.kept.len(), answers.let_go), (1, 3));
    }

    #[test]
    fn an_answer_that_nscd_renewed_has_no_time() {
        let mut file = file();
        file[HEAD + 32 + 17] = 1;
        let answers = answers(&file, 100).unwrap();
        let renewed = answers
            .kept
            .iter()
            .find(|answer| answer.address.is_ipv6())
            .unwrap();
        assert_eq!(renewed.asked, None);
    }

    #[test]
    fn another_file_is_none() {
        assert_eq!(answers(b"\x03\0\0\0", 100), None);
        assert_eq!(answers(&file()[..HEAD + 3], 100), None);
    }

    #[test]
    fn an_endless_chain_ends() {
        let mut file = file();
        let next = HEAD + 32 + 104 + 16;
        file[next..next + 4].copy_from_slice(&104_u32.to_ne_bytes());
        let answers = answers(&file, 2).unwrap();
        assert_eq!(answers.kept.len(), 2);
    }

    /// One entry that follows itself, with many addresses and a key of `key_length`.
    fn hostile(addresses: u32, key_length: u32) -> Vec<u8> {
        let mut words = vec![0, 32 + 4 * addresses, 0, 0, 1 << 16, 0];
        words.extend([0, 1, 0, 0, 0, 4, addresses, 0]);
        words.extend((0..addresses).map(|number| number | 1));
        let entry = u32::try_from(4 * words.len()).unwrap();
        words.extend([GETHOSTBYNAME.into(), key_length, 24 + 32, END, entry, 0]);
        let mut file = file();
        file.truncate(HEAD + 32);
        file[HEAD..HEAD + 4].copy_from_slice(&entry.to_ne_bytes());
        file.extend(words.into_iter().flat_map(u32::to_ne_bytes));
        file
    }

    #[test]
    fn a_hostile_cache_ends() {
        let file = hostile(4000, 30);
        let answers = answers(&file, 5000).unwrap();
        assert_eq!(answers.kept.len(), 5000);
        assert!(answers.let_go < file.len(), "{}", answers.let_go);
        assert!(answers.cut);
    }

    #[test]
    fn a_key_that_is_no_name_is_not_kept() {
        let file = hostile(4000, 16_000);
        let answers = answers(&file, 5000).unwrap();
        assert_eq!(answers.kept, []);
        assert!(answers.let_go < file.len() && answers.cut);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = answers(&bytes, 10);
        }

        #[test]
        fn never_panics_on_damage(at in 0..HEAD + 32 + DATA.len(), byte: u8) {
            let mut damaged = file();
            damaged[at] = byte;
            let _ = answers(&damaged, 10);
        }
    }
}
