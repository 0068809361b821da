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
    let own = path.lossy().to_lowercase();
    let of_wine = format!(r"{}\system32\explorer.exe", windows.to_lowercase());
    // It lies in both folders there.
    if kept.is_wine && own == of_wine {
        return Outcome::NothingFound;
    }
    let other = like_system(&own, windows);
    let traces = other.map(|other| Trace::of_file(Sign::LikeOther, Text::from(other)));
    Outcome::of(traces.into_iter().collect())
}
