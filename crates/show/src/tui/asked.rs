//! What became of names that were asked for, in words.

use std::net::IpAddr;

use model::{Asked, NameSource, Place, Snapshot};

use super::rows::Name;
use crate::messages::names as texts;

/// What was answered to some of those who asked, for a cell.
pub(super) fn answer_in_short(snapshot: &Snapshot, asked: &[Place]) -> String {
    let asked = asked.iter().filter_map(|it| snapshot.asked.get(*it));
    let mut asked: Vec<&Asked> = asked.filter(|it| it.code.is_some()).collect();
    // The newest counts; where two are equally new, the one that knows an address.
    asked.sort_by_key(|it| (it.last, it.code == Some(0), !it.addresses.is_empty()));
    match asked.last() {
        Some(newest) if newest.code == Some(0) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for ip in asked.iter().rev().flat_map(|it| &it.addresses) {
                if !addresses.contains(ip) {
                    addresses.push(*ip);
                }
            }
            match addresses.split_first() {
                Some((first, rest)) => texts::first_of(first, rest.len()),
                None => texts::NO_ADDRESS.to_owned(),
            }
        }
        Some(newest) => newest_answer(newest),
        None => texts::NO_ANSWER.to_owned(),
    }
}

/// How the newest answer went.
pub(super) fn newest_answer(asked: &Asked) -> String {
    match (asked.code, asked.addresses.first()) {
        (None, _) => texts::NO_ANSWER.to_owned(),
        (Some(0), None) => texts::NO_ADDRESS.to_owned(),
        (Some(0), Some(ip)) => texts::first_of(ip, asked.addresses.len() - 1),
        (Some(code), _) => texts::error(code),
    }
}

/// Whether a connection followed, for a cell.
pub(super) fn then(name: &Name) -> String {
    if !name.connections.is_empty() {
        texts::calls(name.sums.calls, name.sums.failed)
    } else if name.address_called {
        texts::ADDRESS_CALLED.to_owned()
    } else {
        texts::NOT_CALLED.to_owned()
    }
}

pub(super) fn way(source: NameSource) -> &'static str {
    match source {
        NameSource::Resolver => texts::OVER_RESOLVER,
        NameSource::Mdns => texts::OVER_MDNS,
        NameSource::Llmnr => texts::OVER_LLMNR,
        NameSource::Dns
        | NameSource::Sni
        | NameSource::Host
        | NameSource::Certificate
        | NameSource::Dhcp
        | NameSource::Ssh
        | NameSource::Log => texts::OVER_DNS,
    }
}
