//! Whether something stands on a list that was fetched as a whole. Whoever gives the list away does not
//! learn what is looked for in it.

use std::net::IpAddr;

use model::{Network, Question};

use super::place;
use crate::special;

/// What is looked for. `None`: no list of addresses has such things, or it belongs to a network of its
/// own.
pub(super) fn wanted(question: &Question) -> Option<Network> {
    match question {
        Question::Address(_) => single(place::address(question)?),
        Question::Network(network) => {
            let first = special::use_of(network.first());
            first.is_none_or(|it| it.is_global).then_some(*network)
        }
        Question::Name(_) | Question::Hash(_) => None,
    }
}

pub(super) fn single(address: IpAddr) -> Option<Network> {
    let address = address.to_canonical();
    Network::new(address, if address.is_ipv4() { 32 } else { 128 })
}

/// Whether they have an address in common.
pub(super) fn touches(one: Network, other: Network) -> bool {
    one.contains(other.first()) || other.contains(one.first())
}

/// `192.0.2.0/24`, or a single address. `None`: it is neither.
pub(super) fn network(text: &str) -> Option<Network> {
    let text = text.trim();
    match text.split_once('/') {
        None => single(text.parse().ok()?),
        Some((first, prefix)) => Network::new(first.parse().ok()?, prefix.parse().ok()?),
    }
}
