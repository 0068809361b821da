//! An address of the internet that a program called and nobody asked a name for. Only of connections
//! that began while whocalls saw names.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Protocol, Severity};

use super::{RAW_ADDRESS, different, seen};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::Destination;

/// Questions for names; those who answer them are set up by their address.
const NAMES: u16 = 53;
/// Addresses of this computer (DHCP, RFC 2131; RFC 9915) and time (NTP, RFC 5905): servers of these are
/// told by address.
const SET_UP: [u16; 5] = [67, 68, 546, 547, 123];

/// The destination answers questions for names.
const RESOLVER: &str = "resolver";

pub(super) struct RawAddress;

impl Rule for RawAddress {
    fn word(&self) -> &'static str {
        RAW_ADDRESS
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        let (key, members) = (&destination.pair.key, &destination.pair.members);
        let Some(port) = key.port else {
            return;
        };
        let carries = matches!(
            key.protocol,
            Protocol::Tcp | Protocol::Mptcp | Protocol::Udp | Protocol::Sctp | Protocol::Dccp
        );
        let named = !members.names.is_empty() || members.names_let_go > 0;
        // Nothing is known of the beginning of those that stood before.
        let began = members.nameless > members.present;
        let kinds = &destination.known.facts.kinds;
        let is_public_resolver = kinds.contains(&NetworkKind::PublicResolver);
        // The rule for Tor tells of these.
        let matched = &destination.known.matched;
        let is_relay = kinds.contains(&NetworkKind::Tor)
            || matched.iter().any(|it| it.meaning == ListMeaning::Tor);
        if !carries || named || !began || is_relay || SET_UP.contains(&port) {
            return;
        }
        if !destination.is_public() || (port == NAMES && is_public_resolver) {
            return;
        }
        let answers = is_public_resolver || port == NAMES;
        fits.push(Fit {
            thing: if answers { RESOLVER } else { "" }.to_owned(),
            seen: destination.ip.to_string(),
            confidence: Confidence::Low,
            why: Why::Nothing,
            inbound: false,
        });
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let resolver = pieces.iter().all(|it| it.fit.thing == RESOLVER);
        Told {
            severity: if resolver {
                Severity::Informational
            } else {
                Severity::Low
            },
            confidence: Confidence::Low,
            facts: vec![
                ("address", seen(pieces)),
                ("addresses", Fact::Count(different(pieces))),
            ],
            attack: Vec::new(),
        }
    }
}
