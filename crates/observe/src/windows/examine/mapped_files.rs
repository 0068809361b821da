//! Whether what is loaded is what lies at its path: a file that was written to after it was loaded, and
//! before anybody looked, shows another program. Programs and libraries of which the sections are others.

use std::collections::BTreeSet;
use std::time::Instant;

use model::{Outcome, Sign, Text, Trace, Untested};

use super::code::{LONGEST, MOST_MODULES};
use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::windows::memory::Kind;

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    let regions = subject.regions()?.iter();
    let modules = regions.filter(|it| it.kind == Kind::Image);
    let modules: BTreeSet<u64> = modules.map(|it| it.allocation).collect();
    let (mut traces, mut is_unread) = (Vec::new(), modules.len() > MOST_MODULES);
    let began = Instant::now();
    for base in modules.into_iter().take(MOST_MODULES) {
        if began.elapsed() > LONGEST {
            is_unread = true;
            break;
        }
        let path = files::path_at(subject, base);
        let loaded = path.as_deref().and_then(|it| kept.code.of(it, base));
        let (Some(path), Some(loaded)) = (path, loaded) else {
            is_unread = true;
            continue;
        };
        match loaded.is_other(subject, base) {
            Some(true) => traces.push(Trace {
                address: Some(base),
                ..Trace::of_file(Sign::OtherFile, Text::from(path))
            }),
            Some(false) => {}
            None => is_unread = true,
        }
    }
    if traces.is_empty() && is_unread {
        return Err(Untested::Unreadable);
    }
    Ok(Outcome::of(traces))
}
