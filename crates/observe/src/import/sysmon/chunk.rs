//! Files and chunks of EVTX: a head of 4 KiB, then chunks of 64 KiB, each with its own texts and
//! templates. (libevtx, "Windows XML Event Log (EVTX)".)

use flate2::Crc;

/// The first bytes of a file, and how long its head is.
pub(super) const FILE: &[u8] = b"ElfFile\0";
pub(super) const HEAD: usize = 4096;
pub(super) const CHUNK: usize = 64 << 10;
/// Where a head says how many chunks are in use.
const IN_USE: usize = 42;
/// Where it has its flags, and that of them which says that it was not closed.
const FLAGS: usize = 120;
const DIRTY: u32 = 1;
/// The first bytes of a chunk.
const CHUNK_MARK: &[u8] = b"ElfChnk\0";
/// The first bytes of a record.
const RECORD_MARK: &[u8] = b"**\0\0";
/// Where the records begin, and where it says where they end.
const RECORDS: usize = 512;
const END: usize = 48;
/// Where it has the checksum of its records; that of a head stands at the same place in both.
const RECORDS_SUM: usize = 52;
const HEAD_SUM: usize = 124;
/// Of the head of a file so much is summed, of that of a chunk also what comes behind its sum.
const SUMMED: usize = 120;
/// Mark, size, number and time stand before what happened, the size again behind it.
const RECORD_HEAD: usize = 24;
const RECORD_TAIL: usize = 4;

/// Between 1601 and 1970, in units of 100 ns.
const FROM_1601_TO_1970: i64 = 116_444_736_000_000_000;

/// A record: when it was written, and where in the chunk its binary XML stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) written: Option<i64>,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Whether there is nothing in a chunk: it was set aside and never used.
pub(super) fn is_unused(chunk: &[u8]) -> bool {
    chunk.iter().all(|byte| *byte == 0)
}

/// Whether the head of a file is as it was written.
pub(super) fn is_head_whole(head: &[u8]) -> bool {
    sum(&[head.get(..SUMMED)]) == le32(head, HEAD_SUM)
}

/// Whether the log was still written to when it was copied, or never closed: its head is then older
/// than its chunks.
pub(super) fn is_dirty(head: &[u8]) -> bool {
    le32(head, FLAGS).is_some_and(|flags| flags & DIRTY != 0)
}

/// What of a chunk is not as it was written. `None`: nothing.
pub(super) fn damage(chunk: &[u8]) -> Option<&'static str> {
    let end = le32(chunk, END).and_then(|end| usize::try_from(end).ok());
    let head = sum(&[chunk.get(..SUMMED), chunk.get(HEAD_SUM + 4..RECORDS)]);
    let records = sum(&[end.and_then(|end| chunk.get(RECORDS..end))]);
    let is_head_whole = head == le32(chunk, HEAD_SUM);
    let is_whole = records == le32(chunk, RECORDS_SUM);
    match (is_head_whole, is_whole) {
        (true, true) => None,
        (true, false) => Some("its records do not fit their checksum; what can be read is here"),
        (false, true) => Some("its head does not fit its checksum; what can be read is here"),
        (false, false) => Some("it does not fit its checksums; what can be read is here"),
    }
}

/// CRC32 of some parts, one behind the other. `None`: one is not there.
fn sum(parts: &[Option<&[u8]>]) -> Option<u32> {
    let mut sum = Crc::new();
    for part in parts {
        sum.update((*part)?);
    }
    Some(sum.sum())
}

/// The records of a chunk. `None`: it is no chunk, or it says nonsense of itself.
pub(super) fn records(chunk: &[u8]) -> Option<Records<'_>> {
    let end = usize::try_from(le32(chunk, END)?).ok()?;
    let is_whole = chunk.starts_with(CHUNK_MARK) && (RECORDS..=chunk.len()).contains(&end);
    is_whole.then_some(Records {
        chunk,
        at: RECORDS,
        end,
    })
}

/// How many chunks are in use, by the head of the file. A log that was not closed says too few.
pub(super) fn in_use(head: &[u8]) -> u64 {
    le16(head, IN_USE).map_or(0, u64::from)
}

/// Goes from record to record. Behind what is ruined it goes on with the next that is whole.
pub(super) struct Records<'a> {
    chunk: &'a [u8],
    at: usize,
    end: usize,
}

/// Here a record should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruined;

impl Iterator for Records<'_> {
    type Item = Result<Place, Ruined>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .chunk
            .get(self.at..self.end)
            .filter(|rest| !rest.is_empty())?;
        let Some(size) = size(rest) else {
            let marks = rest.windows(RECORD_MARK.len()).enumerate().skip(1);
            let mut marks = marks.filter(|(_, mark)| *mark == RECORD_MARK);
            let whole =
                marks.find(|(at, _)| rest.get(*at..).is_some_and(|rest| size(rest).is_some()));
            self.at += whole.map_or(rest.len(), |(at, _)| at);
            return Some(Err(Ruined));
        };
        let place = Place {
            written: le64(rest, 16).and_then(file_time),
            from: self.at + RECORD_HEAD,
            to: self.at + size - RECORD_TAIL,
        };
        self.at += size;
        Some(Ok(place))
    }
}

/// Of the record that begins there. `None`: none does.
fn size(rest: &[u8]) -> Option<usize> {
    let size = usize::try_from(le32(rest, 4)?).ok()?;
    let fits = (RECORD_HEAD + RECORD_TAIL..=rest.len()).contains(&size);
    let again = le32(rest, size.checked_sub(RECORD_TAIL)?);
    (rest.starts_with(RECORD_MARK) && fits && again == le32(rest, 4)).then_some(size)
}

/// A FILETIME as nanoseconds since 1970.
pub(super) fn file_time(units: u64) -> Option<i64> {
    let units = i64::try_from(units).ok()?;
    units.checked_sub(FROM_1601_TO_1970)?.checked_mul(100)
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
