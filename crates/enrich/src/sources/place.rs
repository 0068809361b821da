//! Where a question goes, and whether it may go out at all.

use std::fmt::Write;
use std::net::IpAddr;

use model::Question;

use super::{Conversation, KeyPlace, Method, Request};
use crate::special;

/// A GET of JSON, the only request of its kind in a conversation. `usual` ends in `/`.
pub(super) fn get(
    conversation: Conversation<'_>,
    usual: &str,
    rest: &str,
    key: Option<KeyPlace>,
) -> Option<Request> {
    json(conversation, usual, rest, Method::Get, key)
}

/// The same with a body.
pub(super) fn post(
    conversation: Conversation<'_>,
    usual: &str,
    rest: &str,
    (content_type, body): (&'static str, String),
    key: KeyPlace,
) -> Option<Request> {
    let method = Method::Post { content_type, body };
    json(conversation, usual, rest, method, Some(key))
}

/// A GET of lines: of text, or each of JSON.
pub(super) fn lines(
    conversation: Conversation<'_>,
    usual: &str,
    rest: &str,
    key: Option<KeyPlace>,
) -> Option<Request> {
    request(conversation, usual, rest, Method::Get, Vec::new(), key)
}

fn json(
    conversation: Conversation<'_>,
    usual: &str,
    rest: &str,
    method: Method,
    key: Option<KeyPlace>,
) -> Option<Request> {
    let accept = vec![("Accept", "application/json".to_owned())];
    request(conversation, usual, rest, method, accept, key)
}

fn request(
    conversation: Conversation<'_>,
    usual: &str,
    rest: &str,
    method: Method,
    headers: Vec<(&'static str, String)>,
    key: Option<KeyPlace>,
) -> Option<Request> {
    if !conversation.replies.is_empty() {
        return None;
    }
    let base = conversation.base.unwrap_or(usual);
    let slash = if base.ends_with('/') { "" } else { "/" };
    let url = format!("{base}{slash}{rest}");
    Some(Request::Http {
        method,
        url,
        headers,
        key,
    })
}

/// The address that is asked about. `None`: it is something else, or belongs to a network of its own
/// and says nothing to anybody outside.
pub(super) fn address(question: &Question) -> Option<IpAddr> {
    let Question::Address(address) = question else {
        return None;
    };
    let address = address.to_canonical();
    let is_public = special::use_of(address).is_none_or(|it| it.is_global);
    is_public.then_some(address)
}

/// The name that is asked about. `None`: it is something else, or no name of the public name system.
pub(super) fn name(question: &Question) -> Option<&str> {
    let Question::Name(name) = question else {
        return None;
    };
    let is_public = name.contains('.') && special::use_of_name(name).is_none();
    is_public.then_some(name.as_str())
}

/// Percent-encoded for a path, a query or a form (RFC 3986, 2.1). Colons are kept: addresses have
/// them, and they stand for themselves in all of these.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            other => {
                // Writing to a text does not fail.
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_becomes_part_of_the_url() {
        assert_eq!(
            encoded("a/../b?c=d&e#f g\u{e4}%"),
            "a%2F..%2Fb%3Fc%3Dd%26e%23f%20g%C3%A4%25"
        );
        assert_eq!(encoded("2606:4700::1111"), "2606:4700::1111");
    }

    #[test]
    fn what_belongs_to_a_network_of_its_own_stays_here() {
        for (text, expected) in [
            ("1.1.1.1", true),
            ("::ffff:1.1.1.1", true),
            ("2606:4700::1111", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("127.0.0.1", false),
            ("100.64.1.1", false),
            ("169.254.1.1", false),
            ("224.0.0.1", false),
            ("fe80::1", false),
            ("fd00::1", false),
        ] {
            let question = Question::Address(text.parse().unwrap());
            assert_eq!(address(&question).is_some(), expected, "{text}");
        }
        for (text, expected) in [
            ("gist.github.com", true),
            ("printer", false),
            ("nas.local", false),
            ("x.home.arpa", false),
        ] {
            let question = Question::Name(text.to_owned());
            assert_eq!(name(&question).is_some(), expected, "{text}");
        }
    }
}
