//! Registration data as JSON (RFC 9082, RFC 9083): of a block of addresses, and of a name.
//!
//! Addresses: the registry that IANA names for the block (`bootstrap`). Names: its list of servers, where
//! the program has none, then the registry of the name that was registered. A registrar is told and not
//! asked: that is another receiver. Where an organisation is only a handle, it is asked for; people
//! never are.

pub(super) mod bootstrap;

mod answer;
mod card;
mod entities;

use model::{Failure, Network, Organisation, Question, Registration, Reply, Said};
use serde_json::Value;

use self::answer::Object;
use super::registries;
use super::{Conversation, Method, Request};
use crate::special;
use crate::tables::Tables;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let Conversation {
        question,
        replies,
        base,
    } = conversation;
    let path = path(question, base.is_some())?;
    let (base, replies) = match (base, question) {
        (Some(base), _) => (base.to_owned(), replies),
        (None, Question::Name(name)) => match bootstrap::for_name(name) {
            Some(base) => (base.to_owned(), replies),
            None => {
                let Some((list, replies)) = replies.split_first() else {
                    return Some(get(bootstrap::NAMES_URL.to_owned()));
                };
                if problem(list).is_some() {
                    return None;
                }
                let list = bootstrap::Bootstrap::read(&list.bytes).ok()?;
                (list.name(name)?.to_owned(), replies)
            }
        },
        (None, _) => {
            let base = bootstrap::for_network(network(question)?)?;
            (base.to_owned(), replies)
        }
    };
    match replies {
        [] => Some(get(format!("{base}{path}"))),
        [answer] => organisation(question, answer, &base, conversation.base.is_some()),
        _ => None,
    }
}

fn get(url: String) -> Request {
    Request::Http {
        method: Method::Get,
        url,
        headers: vec![(
            "Accept",
            "application/rdap+json, application/json".to_owned(),
        )],
        key: None,
    }
}

/// What stands behind the URL of the server (RFC 9082, 3.1). `None`: such things are not asked for.
fn path(question: &Question, anywhere: bool) -> Option<String> {
    let is_public = |special: Option<model::SpecialUse>| {
        anywhere || special.is_none_or(|special| special.is_global)
    };
    match question {
        Question::Address(address) => {
            let address = address.to_canonical();
            is_public(special::use_of(address)).then(|| format!("ip/{address}"))
        }
        Question::Network(network) => is_public(special::use_of(network.first()))
            .then(|| format!("ip/{}/{}", network.first(), network.prefix())),
        Question::Name(name) => {
            if !anywhere && special::use_of_name(name).is_some() {
                return None;
            }
            registered(name).map(|name| format!("domain/{name}"))
        }
        Question::Hash(_) => None,
    }
}

/// What was registered, by the rules of registries: what lies below it is known to its holder only.
/// `None`: it is where others are registered.
pub(super) fn registered(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let registrable = Tables::embedded()
        .registry_suffix(&name)
        .registrable?
        .to_owned();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    registrable.bytes().all(is_plain).then_some(registrable)
}

pub(super) fn network(question: &Question) -> Option<Network> {
    match question {
        Question::Address(address) => {
            let address = address.to_canonical();
            Network::new(address, if address.is_ipv4() { 32 } else { 128 })
        }
        Question::Network(network) => Some(*network),
        Question::Name(_) | Question::Hash(_) => None,
    }
}

/// The request for the organisation, where the answer has no more of it than its handle.
fn organisation(
    question: &Question,
    answer: &Reply,
    base: &str,
    anywhere: bool,
) -> Option<Request> {
    if problem(answer).is_some() {
        return None;
    }
    let document = answer::document(&answer.bytes).ok()?;
    let object = Object::find(&document, question)?;
    let handle = entities::unnamed(&object)?;
    let host = host_of(base)?;
    let base = if anywhere || host.eq_ignore_ascii_case(&answer.host) || answer.host.is_empty() {
        base
    } else {
        // It was sent on to another registry: that one knows its organisations.
        bootstrap::of_host(&answer.host)?
    };
    Some(get(format!("{base}entity/{handle}")))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    let Some((first, rest)) = replies.split_first() else {
        return Said::Failed(Failure::NobodyToAsk);
    };
    let (answer, rest) = if first.asked == bootstrap::NAMES_URL {
        if let Some(problem) = problem(first) {
            // That there is no such list says nothing of the name.
            let is_missing = problem == Said::NoData;
            let missing = Said::Failed(Failure::Status(404, None));
            return if is_missing { missing } else { problem };
        }
        if let Err(why) = bootstrap::Bootstrap::read(&first.bytes) {
            return Said::Failed(Failure::Unreadable(why));
        }
        match rest.split_first() {
            Some(split) => split,
            None => return Said::Failed(Failure::NobodyToAsk),
        }
    } else {
        (first, rest)
    };
    if let Some(problem) = problem(answer) {
        return problem;
    }
    let document = match answer::document(&answer.bytes) {
        Ok(document) => document,
        Err(why) => return Said::Failed(Failure::Unreadable(why)),
    };
    let Some(object) = Object::find(&document, question) else {
        let why = "JSON without registration data".to_owned();
        return Said::Failed(Failure::Unreadable(why));
    };
    let mut registration = object.registration(&answer.host);
    if let Some(found) = rest.first().and_then(|it| read_organisation(it, question)) {
        take(&mut registration, found);
    }
    registries::hold_against(&mut registration, question);
    Said::Registration(Box::new(registration))
}

/// The answer to the second question. What is wrong with it spoils nothing.
fn read_organisation(reply: &Reply, question: &Question) -> Option<Organisation> {
    if problem(reply).is_some() {
        return None;
    }
    let document = answer::document(&reply.bytes).ok()?;
    entities::organisation(&Object::find(&document, question)?)
}

fn take(registration: &mut Registration, found: Organisation) {
    let handle = registration.organisation.take().and_then(|it| it.handle);
    registration.country = registration
        .country
        .take()
        .or_else(|| found.country.clone());
    registration.organisation = Some(Organisation {
        handle: found.handle.or(handle),
        ..found
    });
}

/// What is said instead of an answer: by the status, or by an error in the place of an object (RFC 9083,
/// 6).
fn problem(reply: &Reply) -> Option<Said> {
    let document = answer::document(&reply.bytes).ok();
    let member = |name: &str| document.as_ref().and_then(|it| it.get(name));
    let told = member("errorCode").and_then(answer::number);
    let told = told.and_then(|it| u16::try_from(it).ok());
    let status = match (reply.status, told) {
        (None | Some(200..=299), Some(told)) => told,
        (None | Some(200..=299), None) => return None,
        (Some(status), _) => status,
    };
    let text = || {
        let title = member("title").and_then(Value::as_str);
        let lines = member("description").map(answer::lines).unwrap_or_default();
        let all: Vec<&str> = title.into_iter().chain(lines).collect();
        registries::kept(&all.join(": "))
    };
    // A server that is no registry has such a page, too.
    let is_page = reply.bytes.trim_ascii_start().starts_with(b"<");
    Some(match status {
        404 if is_page => Said::Failed(Failure::Status(404, Some("a web page".into()))),
        404 => Said::NoData,
        429 => Said::Failed(Failure::AskedTooOften(None)),
        status => Said::Failed(Failure::Status(status, text())),
    })
}

/// The host of a URL. `None`: it is none that can be asked.
fn host_of(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or(url.strip_prefix("http://"))?;
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\');
    let mut escapes = rest.split('%').skip(1);
    let is_escape = |it: &str| {
        it.get(..2)
            .is_some_and(|it| u8::from_str_radix(it, 16).is_ok())
    };
    if !rest.bytes().all(is_plain) || !escapes.all(is_escape) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty() && !authority.contains('@')).then_some(host)
}

#[cfg(test)]
mod tests;
