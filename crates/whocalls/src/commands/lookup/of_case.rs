//! What of a case can be looked up: the addresses of the other ends, the names that were seen, and the
//! hashes of programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use enrich::tables::Tables;
use model::{Connection, Detail, PackageState, Snapshot};
use record::case::OpenCase;
use record::review::{Review, path_of};
use track::Limits;

use super::item::Asked;
use super::online::{self, LeftOut};
use crate::arguments::IdentityArguments;
use crate::commands::case::{self, Missing, Wanted};
use crate::commands::evidence::{self, Evidence};
use crate::exit::Exit;
use crate::output::Talk;

pub(super) struct OfCase {
    folder: PathBuf,
    case: Arc<OpenCase>,
    /// Addresses, names, hashes; each once and in order, with why others are not asked about it unless
    /// the person says so.
    /// Before them what a person has put on the list of what to ask from another computer.
    pub(super) items: Vec<(Asked, Option<LeftOut>)>,
    /// How many these are.
    wanted: usize,
    /// Names that were seen and are none.
    odd: usize,
    missing: Missing,
}

/// Errors: no case, encrypted and no key that fits, or it cannot be read.
pub(super) fn items(
    word: &str,
    identity: &IdentityArguments,
    tables: &Tables,
    talk: Talk,
) -> Result<OfCase> {
    let words = [word.to_owned()];
    let folder = match evidence::named(&words)?.0 {
        Some(Evidence::Case(folder)) => folder,
        Some(Evidence::Files(_)) => {
            return Err(anyhow!(
                "{word} is no case\nhelp: a case is a folder with a manifest.sha256; \
                 'whocalls list FILE' shows what a capture or a log holds"
            ));
        }
        None => return Err(evidence::missing(&words)),
    };
    let case = case::open(&folder, identity)?;
    let mut names = BTreeSet::new();
    let (snapshot, missing) = case::replay(
        &case,
        None,
        Wanted::WithImports,
        Limits::CASE.without_pairs(),
        &mut |event| {
            if let Detail::Name(seen) = &event.detail {
                names.extend(seen.name.clone());
            }
        },
        talk,
    )?;
    let of_connections = snapshot
        .connections
        .iter()
        .filter_map(|it| it.name.as_ref());
    names.extend(of_connections.map(|it| it.name.clone()));
    let asked = names.iter().map(|name| Asked::name(&name.lossy()));
    let (named, odd): (Vec<_>, Vec<_>) = asked.partition(Option::is_some);
    let mut named: Vec<Asked> = named.into_iter().flatten().collect();
    named.sort_by(|one, other| one.text.cmp(&other.text));
    named.dedup();
    let addresses = addresses(&snapshot).into_iter().map(|it| (it, None));
    let named = named.into_iter().map(|it| {
        let left_out = is_unique(&it.text, tables).then_some(LeftOut::UniqueName);
        (it, left_out)
    });
    let hashed = hashes(&snapshot).into_iter().map(|(hash, is_packaged)| {
        let left_out = (!is_packaged).then_some(LeftOut::UnpackagedHash);
        (Asked::sha256(&hash), left_out)
    });
    let wanted = wanted(&folder).unwrap_or_else(|error| {
        // What the case itself has is told all the same.
        talk.say(&format!("The list of what to ask is not used: {error:#}\n"));
        Vec::new()
    });
    let seen = addresses.chain(named).chain(hashed);
    let seen = seen.filter(|(it, _)| !wanted.iter().any(|wanted| wanted.what == it.what));
    let seen: Vec<_> = seen.collect();
    let count = wanted.len();
    let wanted = wanted.into_iter().map(|it| (it, None));
    Ok(OfCase {
        items: wanted.chain(seen).collect(),
        wanted: count,
        folder,
        case,
        odd: odd.len(),
        missing,
    })
}

/// What a person has put on the list, in that order: wanted, so that none of it is left out.
///
/// Errors: the list cannot be read.
fn wanted(case: &Path) -> Result<Vec<Asked>> {
    let Some(review) = Review::read(&path_of(case))? else {
        return Ok(Vec::new());
    };
    let questions = review.to_ask()?.into_iter();
    // Somebody may have changed the file.
    let asked = questions.filter_map(|(question, _)| Asked::parse(&question.to_string()).ok());
    Ok(asked.collect())
}

/// Whether a name may have been made for one person: it is on no list, and not what was registered.
fn is_unique(name: &str, tables: &Tables) -> bool {
    let registrable = tables.registry_suffix(name).registrable;
    let is_registered =
        registrable.is_some_and(|it| name == it || name.strip_prefix("www.") == Some(it));
    !is_registered && tables.lists_of_name(name).next().is_none()
}

/// Of all program files, with whether a package has it.
fn hashes(snapshot: &Snapshot) -> BTreeMap<[u8; 32], bool> {
    let mut hashes = BTreeMap::new();
    for process in snapshot.processes.values() {
        let Some(hash) = process.sha256 else {
            continue;
        };
        let package = process.examined.as_ref().and_then(|it| it.package.as_ref());
        let is_packaged = package.is_some_and(|it| it.state == PackageState::Intact);
        *hashes.entry(hash).or_insert(false) |= is_packaged;
    }
    hashes
}

/// The addresses of other ends. That of no address is none.
fn addresses(snapshot: &Snapshot) -> Vec<Asked> {
    let remote = |it: &Connection| it.remote?.ip;
    let all = snapshot.connections.iter().filter_map(remote);
    let all = all.map(|ip| ip.to_canonical());
    let all: BTreeSet<_> = all.filter(|ip| !ip.is_unspecified()).collect();
    all.into_iter().map(Asked::address).collect()
}

impl OfCase {
    pub(super) fn evidence(&self) -> online::OfCase<'_> {
        online::OfCase {
            folder: &self.folder,
            opened: &self.case,
        }
    }

    /// Whether a person has put it on the list of what to ask from another computer.
    pub(super) fn is_wanted(&self, asked: &Asked) -> bool {
        let mut wanted = self.items.iter().take(self.wanted);
        wanted.any(|(it, _)| it == asked)
    }

    /// Says what of the case was not read, when all else has been said.
    pub(super) fn say(&self, talk: Talk) -> Exit {
        if self.items.is_empty() {
            talk.say("Nothing in the case can be looked up: no other end, no name, no hash.\n");
        }
        if self.odd > 0 {
            let names = if self.odd == 1 {
                "name is"
            } else {
                "names are"
            };
            talk.say(&format!(
                "{} {names} none that can be looked up; list and export have them.\n",
                self.odd
            ));
        }
        case::say_missing(&self.missing, talk);
        self.missing.exit()
    }
}
