//! Whether another file lies where a program was: by its hash, else by the version of its package, else by
//! its number in the file system.

use std::collections::BTreeSet;

use model::{
    Confidence, Difference, DifferenceChange, DifferenceKind, Doubt, Fact, PackageState, Severity,
    Text,
};

use super::Sides;
use super::matching::Both;
use super::program::Program;
use crate::process::paths;

/// By what two files are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Package,
    Hash,
    Version,
    Number,
}

pub(super) fn differ(sides: Sides<'_>, both: Both<'_>, differences: &mut Vec<Difference>) {
    let (old, new) = (both.before.1, both.after.1);
    if both.before.0.program.is_none() {
        return;
    }
    let Some(by) = told_apart(old, new, sides.one_computer()) else {
        return;
    };
    let key = both.key();
    let path = key.program.as_ref().map(Text::lossy).unwrap_or_default();
    let (severity, ordinary) = severity(old, new, by, &path);
    let mut facts = new.facts(key);
    let by_word = match by {
        By::Package => "package",
        By::Hash => "hash",
        By::Version => "version",
        By::Number => "file_number",
    };
    facts.push(("by", Fact::Text(by_word.to_owned())));
    for (program, names) in [
        (old, ["state_before", "version_before", "sha256_before"]),
        (new, ["state_after", "version_after", "sha256_after"]),
    ] {
        let [state, version, hash] = names;
        let told = program.package_state.map(|it| it.word().to_owned());
        facts.extend(told.map(|it| (state, Fact::Text(it))));
        let told = joined(&program.files.versions, |it| it.lossy().into_owned());
        facts.extend(told.map(|it| (version, Fact::Text(it))));
        let told = joined(&program.files.hashes, |it| model::hex(it));
        facts.extend(told.map(|it| (hash, Fact::Text(it))));
    }
    facts.extend(new.first.map(|first| ("first", Fact::Time(first))));
    differences.push(Difference {
        kind: DifferenceKind::ProgramFile,
        change: DifferenceChange::Changed,
        severity,
        confidence: match by {
            By::Package | By::Hash => Confidence::High,
            By::Version => Confidence::Medium,
            By::Number => Confidence::Low,
        },
        ordinary,
        program: key.program.clone(),
        device: None,
        thing: key.script.clone().unwrap_or_default(),
        facts,
        doubts: if by == By::Number {
            vec![Doubt::ByFileNumber]
        } else {
            Vec::new()
        },
        before: old.evidence(),
        after: new.evidence(),
        finding: None,
    });
}

/// `None`: they are the same as far as can be told, or nothing can be.
fn told_apart(old: &Program, new: &Program, one_computer: bool) -> Option<By> {
    let (old_state, new_state) = (old.package_state, new.package_state);
    let intact = |it: Option<PackageState>| it == Some(PackageState::Intact);
    if intact(old_state) && is_bad(new_state) || is_bad(old_state) && intact(new_state) {
        return Some(By::Package);
    }
    let (old, new) = (&old.files, &new.files);
    if let Some(differ) = differ_in(&old.hashes, &new.hashes) {
        return differ.then_some(By::Hash);
    }
    if let Some(differ) = differ_in(&old.versions, &new.versions) {
        return differ.then_some(By::Version);
    }
    let differ = one_computer && differ_in(&old.numbers, &new.numbers) == Some(true);
    differ.then_some(By::Number)
}

/// `None`: one side does not tell.
fn differ_in<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Option<bool> {
    (!old.is_empty() && !new.is_empty()).then(|| old != new)
}

fn is_bad(state: Option<PackageState>) -> bool {
    matches!(
        state,
        Some(PackageState::Modified | PackageState::Unpackaged)
    )
}

fn severity(old: &Program, new: &Program, by: By, path: &str) -> (Severity, bool) {
    let intact = Some(PackageState::Intact);
    if by == By::Package {
        let is_worse = is_bad(new.package_state);
        let severity = if is_worse {
            Severity::High
        } else {
            Severity::Low
        };
        return (severity, false);
    }
    if new.package_state == intact || new.package_state == Some(PackageState::ThisTool) {
        // Both are what a package has: an update.
        return (Severity::Informational, true);
    }
    if is_bad(new.package_state) || is_bad(old.package_state) {
        return (Severity::Medium, false);
    }
    if paths::is_of_root(path) {
        (Severity::Low, false)
    } else {
        (Severity::Medium, false)
    }
}

fn joined<T>(all: &BTreeSet<T>, text: impl Fn(&T) -> String) -> Option<String> {
    let all: Vec<_> = all.iter().take(4).map(text).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
