//! Going through the packets of a case.

use std::io;

use anyhow::Result;
use record::case::{CaseReader, Kind, OpenCase};
use record::pcapng::{Error, Item, Reader};

use super::Missing;

/// What is handed on of packet files.
pub(in crate::commands) enum Part<'a> {
    /// Another file begins.
    File,
    Item(Item<'a>),
    /// So many bytes of all files have been read.
    Read(u64),
}

/// How far a file could be read.
enum Came {
    ToItsEnd,
    /// What stands from this byte on is not understood.
    UpTo(u64),
    /// No more is wanted.
    Enough,
}

/// Hands on what all packet files hold, in their order, as long as `taken` says that it goes on. What is
/// damaged or cut off is passed over, and goes to `missing`.
///
/// Errors: the case cannot be read; those of `taken`.
pub(in crate::commands) fn each(
    case: &OpenCase,
    missing: &mut Missing,
    taken: &mut dyn FnMut(Part<'_>) -> Result<bool>,
) -> Result<()> {
    let mut before = 0;
    for segment in case.segments(Kind::Packets) {
        let mut file = match case.read(segment) {
            Ok(file) => file,
            Err(error) => {
                missing.damage.take(error)?;
                continue;
            }
        };
        // The end of a file is where it shows whether it is as it was written.
        let read = one(&mut file, before, taken)?;
        if matches!(read, Ok(Came::Enough)) {
            return Ok(());
        }
        let read = read.and_then(|came| io::copy(&mut file, &mut io::sink()).map(|_| came));
        match read {
            Err(error) => missing.damage.take(case.fault(segment, error))?,
            Ok(Came::UpTo(byte)) if segment.is_closed => {
                let text = format!(
                    "{}: from byte {byte} on it cannot be read as packets",
                    segment.name
                );
                missing.damage.add(&segment.name, text);
            }
            Ok(_) if segment.is_closed => {}
            Ok(_) => missing.cut = true,
        }
        before += segment.bytes;
    }
    Ok(())
}

/// Hands on one file, as far as it can be read. Within: an error of reading it.
fn one(
    file: &mut CaseReader,
    before: u64,
    taken: &mut dyn FnMut(Part<'_>) -> Result<bool>,
) -> Result<io::Result<Came>> {
    let mut reader = Reader::new(file);
    let mut goes_on = taken(Part::File)?;
    while goes_on {
        match reader.next() {
            Ok(Some(item)) => goes_on = taken(Part::Item(item))?,
            Ok(None) => {
                let stop = reader.stop();
                return Ok(Ok(stop.map_or(Came::ToItsEnd, |stop| Came::UpTo(stop.at))));
            }
            Err(Error::Read(error)) => return Ok(Err(error)),
            Err(Error::NotPcapng) => return Ok(Ok(Came::UpTo(0))),
        }
        goes_on = goes_on && taken(Part::Read(before + reader.position()))?;
    }
    Ok(Ok(Came::Enough))
}
