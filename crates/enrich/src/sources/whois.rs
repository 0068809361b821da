//! Registration data as text (RFC 3912): for where there is no RDAP. Each registry has a way of its own
//! to be asked and to answer.
//!
//! Addresses: the registry that the bootstrap lists name, else IANA's server, which sends us on. Names:
//! IANA's server learns the top-level domain only; the one that it names is asked for what was
//! registered. A registrar is told and not asked.

mod asker;
mod names;
mod networks;
mod outcome;
mod referral;
mod text;

use model::{Question, Registration, Reply, Said};

pub use self::asker::without_asker;
use self::referral::Referral;
use self::text::Answer;
use super::rdap::{self, bootstrap};
use super::registries::{self, Registry};
use super::{Conversation, Request};
use crate::special;

/// Knows who answers for everything else.
const IANA: &str = "whois.iana.org";
/// RFC 3912, 2.
const PORT: u16 = 43;
/// How often we are sent on.
const MOST_REFERRALS: usize = 4;

/// A server, as it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
}

impl Server {
    fn named(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: PORT,
        }
    }

    /// `host:port`, `[::1]:43`, or a host.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('/');
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().ok()?)
            }
            _ => (text, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let Conversation {
        question,
        replies,
        base,
    } = conversation;
    let server = match base {
        // Whoever set it wants it to be asked, and nobody else.
        Some(base) if replies.is_empty() => Server::parse(base)?,
        Some(_) => return None,
        None => {
            let mut asked = vec![first(question)?];
            for reply in replies {
                match referral::of(&Answer::read(&reply.bytes), question, &asked) {
                    Some(Referral::To(server)) => asked.push(server),
                    Some(Referral::NotFollowed { .. }) | None => return None,
                }
            }
            if asked.len() > MOST_REFERRALS + 1 {
                return None;
            }
            asked.pop()?
        }
    };
    let line = line(&server.host, question, base.is_some())?;
    Some(Request::Line {
        host: server.host,
        port: server.port,
        line,
    })
}

/// Who is asked first. `None`: nobody is asked for such a thing.
fn first(question: &Question) -> Option<Server> {
    match question {
        Question::Address(_) | Question::Network(_) => {
            let network = rdap::network(question)?;
            if special::use_of(network.first()).is_some_and(|it| !it.is_global) {
                return None;
            }
            let registry = bootstrap::for_network(network).and_then(Registry::of_url);
            Some(Server::named(registry.map_or(IANA, Registry::whois_host)))
        }
        Question::Name(name) => {
            if special::use_of_name(name).is_some() {
                return None;
            }
            rdap::registered(name).map(|_| Server::named(IANA))
        }
        Question::Hash(_) => None,
    }
}

/// What is sent to a server. Flags are those of its help: `-r` leaves people out.
fn line(host: &str, question: &Question, is_chosen: bool) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let address = match question {
        Question::Address(address) => address.to_canonical().to_string(),
        Question::Network(network) => network.to_string(),
        Question::Name(name) => {
            let registered = rdap::registered(name)?;
            return Some(match host.as_str() {
                // IANA is asked who has the top-level domain.
                IANA if !is_chosen => registered.rsplit('.').next()?.to_owned(),
                "whois.denic.de" => format!("-T dn,ace {registered}"),
                "whois.jprs.jp" => format!("{registered}/e"),
                "whois.verisign-grs.com" => format!("domain {registered}"),
                _ => registered,
            });
        }
        Question::Hash(_) => return None,
    };
    let is_network = matches!(question, Question::Network(_));
    Some(match host.as_str() {
        "whois.arin.net" if is_network => format!("r + {address}"),
        "whois.arin.net" => format!("n + {address}"),
        "whois.ripe.net" | "whois.apnic.net" | "whois.afrinic.net" => format!("-r {address}"),
        "whois.nic.ad.jp" => format!("{address}/e"),
        _ => address,
    })
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    let Some(last) = replies.last() else {
        return Said::NoData;
    };
    let mut said = read_one(question, last);
    if said == Said::NoData {
        // Whoever sent us on may know something itself; IANA knows only where to ask.
        let before = replies.iter().rev().skip(1);
        let mut before = before.filter(|reply| reply.host != IANA);
        let known = before.find_map(|reply| {
            let Said::Registration(registration) = read_one(question, reply) else {
                return None;
            };
            Some(registration)
        });
        if let Some(mut registration) = known {
            let remark = format!("{}, to which it sends on, knows nothing of it.", last.host);
            registration.remarks.push(remark.into());
            said = Said::Registration(registration);
        }
    }
    said
}

fn read_one(question: &Question, reply: &Reply) -> Said {
    let answer = Answer::read(&reply.bytes);
    let found = match question {
        Question::Address(_) | Question::Network(_) => networks::read(&answer, question),
        Question::Name(name) => names::read(&answer, name),
        Question::Hash(_) => None,
    };
    let Some(mut registration) = found else {
        return outcome::of(&answer);
    };
    finish(&mut registration, &answer, question, reply);
    Said::Registration(Box::new(registration))
}

fn finish(registration: &mut Registration, answer: &Answer, question: &Question, reply: &Reply) {
    if registration.registry.is_none() {
        registration.registry = registries::registry_of(&reply.host);
    }
    registration.is_redacted |= answer.is_redacted();
    if let Some(Referral::NotFollowed { to, why }) = referral::of(answer, question, &[]) {
        let remark = format!("It sends on to {to}, which was not asked: {why}.");
        registration.remarks.push(remark.into());
    }
    if outcome::is_reduced(answer) {
        let remark = "It was asked too often, and says less than it knows.";
        registration.remarks.push(remark.into());
    }
    registries::hold_against(registration, question);
}

#[cfg(test)]
mod tests;
