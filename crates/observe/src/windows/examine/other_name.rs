//! Called like a program of the system, and in another folder than that one.

use model::{Outcome, Sign, Text, Trace, Untested};

use super::kept::Kept;
use super::subject::Subject;
use crate::parse::windows_place::like_system;

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    let Some(path) = &subject.path else {
        return Outcome::NotTestable(Untested::NoRights);
    };
    let Some(windows) = &kept.windows_folder else {
        return Outcome::NotTestable(Untested::Unreadable);
    };
    let name = like_system(&path.lossy(), windows);
    let traces = name.map(|name| Trace {
        name: Some(Text::from(name.to_owned())),
        ..Trace::of_file(Sign::LikeOther, path.clone())
    });
    Outcome::of(traces.into_iter().collect())
}
