//! Executable memory that belongs to no file. Browsers, .NET and Java make code while they run: where a
//! library of that kind is loaded, it is named as well.

use model::{Outcome, Sign, Trace, Untested};

use super::kept::Kept;
use super::subject::{Kind, Region, Subject};

pub(super) fn check(subject: &Subject, _: &Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let regions = subject.regions()?.iter();
    let own = regions.filter(|it| it.executable && it.kind != Kind::Image);
    Ok(Outcome::of(own.map(|it| trace(subject, it)).collect()))
}

fn trace(subject: &Subject, region: &Region) -> Trace {
    let bytes = subject.read(region.start, Trace::MOST_BYTES);
    let sign = if bytes.starts_with(b"MZ") {
        Sign::PeInMemory
    } else if region.writable {
        Sign::WritableAndExecutable
    } else {
        Sign::Executable
    };
    Trace {
        address: Some(region.start),
        length: Some(region.length),
        bytes: Some(bytes).filter(|it| !it.is_empty()),
        ..Trace::new(sign)
    }
}
