//! What of a case can be looked up: the addresses of the other ends, the names that were seen, and the
//! hashes of programs.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use model::{Connection, Detail, Snapshot};
use track::Limits;

use super::item::Asked;
use crate::arguments::IdentityArguments;
use crate::commands::case::{self, Missing, Wanted};
use crate::commands::evidence::{self, Evidence};
use crate::exit::Exit;
use crate::output::Talk;

pub(super) struct OfCase {
    /// Addresses, names, hashes; each once and in order.
    pub(super) items: Vec<Asked>,
    /// Names that were seen and are none.
    odd: usize,
    missing: Missing,
}

/// Errors: no case, encrypted and no key that fits, or it cannot be read.
pub(super) fn items(word: &str, identity: &IdentityArguments, talk: Talk) -> Result<OfCase> {
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
    let mut items = addresses(&snapshot);
    let mut named: Vec<Asked> = named.into_iter().flatten().collect();
    named.sort_by(|one, other| one.text.cmp(&other.text));
    named.dedup();
    items.extend(named);
    let hashes = snapshot.processes.values().filter_map(|it| it.sha256);
    let hashes: BTreeSet<_> = hashes.collect();
    items.extend(hashes.iter().map(Asked::sha256));
    Ok(OfCase {
        items,
        odd: odd.len(),
        missing,
    })
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
