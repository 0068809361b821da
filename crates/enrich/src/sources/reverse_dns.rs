//! The names that whoever runs the reverse zone gives to an address. Often that is the hoster, or the
//! one who uses the address: a name is no proof, and the question is seen there.

use model::{Question, Reply, Said, SeenName};

use super::dns_message::{Record, records};
use super::reverse::backwards;
use super::{Conversation, RecordKind, Request};

/// More names than this are not shown: no address needs them.
const MOST_NAMES: usize = 32;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let Question::Address(address) = conversation.question else {
        return None;
    };
    if !conversation.replies.is_empty() {
        return None;
    }
    let zone = if address.to_canonical().is_ipv4() {
        "in-addr.arpa"
    } else {
        "ip6.arpa"
    };
    Some(Request::Dns {
        name: format!("{}.{zone}", backwards(*address)),
        kind: RecordKind::Ptr,
    })
}

pub(super) fn read(_: &Question, replies: &[Reply]) -> Said {
    let Some(reply) = replies.last() else {
        return Said::NoData;
    };
    let records = match records(reply, RecordKind::Ptr) {
        Ok(records) => records,
        Err(said) => return said,
    };
    let mut names: Vec<SeenName> = Vec::new();
    for record in records {
        let Record::Pointer(name) = record else {
            continue;
        };
        let name = SeenName {
            name: name.into(),
            first_seen: None,
            last_seen: None,
        };
        if names.len() < MOST_NAMES && !name.name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Said::NoData;
    }
    Said::Names(names)
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{message, reply, wire};
    use super::*;

    fn asked(address: &str) -> Option<Request> {
        next(Conversation {
            question: &Question::Address(address.parse().unwrap()),
            replies: &[],
            base: None,
        })
    }

    #[test]
    fn asks_for_the_address_backwards() {
        let name = "28.0.6.216.in-addr.arpa".to_owned();
        let request = Request::Dns {
            name,
            kind: RecordKind::Ptr,
        };
        assert_eq!(asked("216.6.0.28"), Some(request.clone()));
        assert_eq!(asked("::ffff:216.6.0.28"), Some(request));
        assert!(
            matches!(asked("2001:db8::1"), Some(Request::Dns { name, .. }) if name.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"))
        );
    }

    #[test]
    fn reads_names_through_a_delegation_of_few_addresses() {
        // RFC 2317, 4.
        let answers = [
            (
                "1.2.0.192.in-addr.arpa",
                5,
                wire("1.0/25.2.0.192.in-addr.arpa"),
            ),
            ("1.0/25.2.0.192.in-addr.arpa", 12, wire("host1.a.example")),
        ];
        let reply = reply(0, message("1.2.0.192.in-addr.arpa", 12, &answers));
        let question = Question::Address("192.0.2.1".parse().unwrap());
        let Said::Names(names) = read(&question, &[reply]) else {
            unreachable!()
        };
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].name, "host1.a.example".into());
    }

    #[test]
    fn no_name_is_no_data() {
        let question = Question::Address("192.0.2.1".parse().unwrap());
        let reply = reply(3, message("1.2.0.192.in-addr.arpa", 12, &[]));
        assert_eq!(read(&question, &[reply]), Said::NoData);
    }
}
