//! Which program of one side is which of the other.

use std::collections::{BTreeMap, BTreeSet};

use model::{PackageState, Text};

use super::place::{is_path, is_path_of, short_name, without_version};
use super::program::{Program, ProgramKey};

pub(super) type Keyed<'a> = (&'a ProgramKey, &'a Program);

/// A program, on the sides where it was seen; on one of them at least.
#[derive(Clone, Copy)]
pub(super) struct Matched<'a> {
    pub(super) before: Option<Keyed<'a>>,
    pub(super) after: Option<Keyed<'a>>,
}

/// One that was seen on both sides.
#[derive(Clone, Copy)]
pub(super) struct Both<'a> {
    pub(super) before: Keyed<'a>,
    pub(super) after: Keyed<'a>,
}

impl<'a> Both<'a> {
    /// The path where one side has it, else the name.
    pub(super) fn key(&self) -> &'a ProgramKey {
        let (before, after) = (self.before.0, self.after.0);
        if is_path_of(before) && !is_path_of(after) {
            before
        } else {
            after
        }
    }
}

impl<'a> Matched<'a> {
    pub(super) fn both(&self) -> Option<Both<'a>> {
        let (before, after) = self.before.zip(self.after)?;
        Some(Both { before, after })
    }

    /// It is whocalls, which is where it is looked from.
    pub(super) fn is_this_tool(&self) -> bool {
        let mut programs = self.before.iter().chain(&self.after).map(|it| it.1);
        programs.any(|it| it.package_state == Some(PackageState::ThisTool))
    }

    pub(super) fn of(&self, which: model::Which) -> Option<Keyed<'a>> {
        match which {
            model::Which::Before => self.before,
            model::Which::After => self.after,
        }
    }

    /// That of the side where it is; of both as [`Both::key`].
    pub(super) fn key(&self) -> Option<&'a ProgramKey> {
        let only = self.after.or(self.before).map(|it| it.0);
        self.both().map(|both| both.key()).or(only)
    }
}

type Programs = BTreeMap<ProgramKey, Program>;

/// First those that are called the same; then a bare name and the path that ends so; then two versions of
/// one program. Where several would do, none is taken.
pub(super) fn matched<'a>(before: &'a Programs, after: &'a Programs) -> Vec<Matched<'a>> {
    let mut all = Vec::with_capacity(before.len().max(after.len()));
    let mut old: Vec<Keyed<'a>> = Vec::new();
    for (key, program) in before {
        match after.get_key_value(key) {
            Some(other) => all.push(Matched {
                before: Some((key, program)),
                after: Some(other),
            }),
            None => old.push((key, program)),
        }
    }
    let new = after.iter().filter(|(key, _)| !before.contains_key(key));
    let mut new: Vec<Keyed<'a>> = new.collect();
    for same in [by_name, by_place] {
        for (one, other) in same(&old, &new) {
            all.push(Matched {
                before: Some(one),
                after: Some(other),
            });
            old.retain(|it| it.0 != one.0);
            new.retain(|it| it.0 != other.0);
        }
    }
    let only = |before, after| Matched { before, after };
    all.extend(old.into_iter().map(|it| only(Some(it), None)));
    all.extend(new.into_iter().map(|it| only(None, Some(it))));
    all
}

type Found<'a> = Vec<(Keyed<'a>, Keyed<'a>)>;

/// One side has no right to see paths, or its source tells none.
fn by_name<'a>(old: &[Keyed<'a>], new: &[Keyed<'a>]) -> Found<'a> {
    let name = |key: &ProgramKey| {
        let program = key.program.as_ref()?;
        Some((short_name(program).to_vec(), key.engine))
    };
    let bare = |key: &ProgramKey| key.program.as_ref().is_some_and(|it| !is_path(it));
    let found = only_ones(old, new, name);
    let found = found.into_iter();
    found
        .filter(|(one, other)| bare(one.0) != bare(other.0))
        .collect()
}

fn by_place<'a>(old: &[Keyed<'a>], new: &[Keyed<'a>]) -> Found<'a> {
    only_ones(old, new, |key| {
        let place =
            |path: &Text| without_version(path).or_else(|| Some(path.as_utf8()?.to_owned()));
        let script = |script: &String| {
            let path = Text::from(script.as_str());
            without_version(&path).unwrap_or_else(|| script.clone())
        };
        let program = place(key.program.as_ref().filter(|it| is_path(it))?)?;
        Some((program, key.script.as_ref().map(script), key.engine))
    })
}

/// Those of which either side has exactly one.
fn only_ones<'a, N: Ord>(
    old: &[Keyed<'a>],
    new: &[Keyed<'a>],
    name: impl Fn(&ProgramKey) -> Option<N>,
) -> Found<'a> {
    let one_of_each = |all: &[Keyed<'a>]| {
        let (mut one, mut several) = (BTreeMap::new(), BTreeSet::new());
        for keyed in all {
            if let Some(name) = name(keyed.0) {
                match one.remove(&name) {
                    None if !several.contains(&name) => {
                        one.insert(name, *keyed);
                    }
                    None | Some(_) => {
                        several.insert(name);
                    }
                }
            }
        }
        one
    };
    let (old, mut new) = (one_of_each(old), one_of_each(new));
    let pairs = old
        .into_iter()
        .filter_map(|(name, one)| Some((one, new.remove(&name)?)));
    pairs.collect()
}
