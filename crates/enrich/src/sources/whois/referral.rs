//! Where an answer sends us on to, and whether we go there.

use std::net::IpAddr;

use model::Question;

use super::text::Answer;
use super::{PORT, Server};
use crate::sources::registries::Registry;
use crate::special;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Referral {
    To(Server),
    NotFollowed { to: String, why: &'static str },
}

/// `None`: it sends us nowhere, or back to where we were.
pub(super) fn of(answer: &Answer, question: &Question, asked: &[Server]) -> Option<Referral> {
    let is_name = matches!(question, Question::Name(_));
    // Of IANA; and of ARIN. What a registry of names says of its registrars is not asked.
    let named = answer.pairs().find_map(|pair| {
        let is_it = match pair.key.as_str() {
            "refer" => true,
            "whois" => pair.section.is_empty() && is_of_iana(answer),
            "referralserver" => !is_name,
            _ => false,
        };
        (is_it && !pair.value.is_empty()).then_some(pair.value.as_str())
    });
    let referral = match named {
        Some(named) => judged(named),
        None if is_name => return None,
        None => Referral::To(Server::named(transferred(answer)?.whois_host())),
    };
    if let Referral::To(server) = &referral
        && asked
            .iter()
            .any(|it| it.host.eq_ignore_ascii_case(&server.host))
    {
        return None;
    }
    Some(referral)
}

fn is_of_iana(answer: &Answer) -> bool {
    let mut sources = answer.pairs().filter(|pair| pair.key == "source");
    sources.any(|pair| pair.value == "IANA")
}

/// `Transferred to LACNIC`, `Early Registrations, Transferred to APNIC` (ARIN).
fn transferred(answer: &Answer) -> Option<Registry> {
    answer.pairs().find_map(|pair| {
        let is_kind = pair.key == "nettype";
        let (_, to) = pair
            .value
            .split_once("ransferred to ")
            .filter(|_| is_kind)?;
        Registry::of_word(to)
    })
}

fn judged(named: &str) -> Referral {
    let not = |why| Referral::NotFollowed {
        to: named.to_owned(),
        why,
    };
    let rest = match named.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("whois") => rest,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("rwhois") => {
            return not("that is a server of whoever has the addresses");
        }
        Some(_) => return not("it is asked in another way than WHOIS"),
        None => named,
    };
    let end = rest.find(['/', '?', ' ', '\t']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let Some(server) = Server::parse(authority) else {
        return not("that is no server");
    };
    let host = server.host.to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        if special::use_of(address).is_some_and(|it| !it.is_global) {
            return not("its address is not one of the internet");
        }
    } else if !is_host(&host) || special::use_of_name(&host).is_some() {
        return not("its name is not one of the internet");
    }
    // Nothing else listens for a line there.
    if server.port != PORT && server.port < 1024 {
        return not("that port is for something else");
    }
    Referral::To(Server { host, ..server })
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(is_plain)
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= 253 && host.contains('.') && host.split('.').all(is_label) && !is_number
}
