//! Blocks of addresses, as the registries write them: ARIN in words of its own; RIPE, APNIC and AFRINIC
//! in RPSL (RFC 2622, RFC 4012); LACNIC in short blocks; JPNIC and KRNIC in English.
//!
//! Of several blocks the smallest that holds what was asked for counts: the others are what it is a
//! part of.

use std::net::IpAddr;

use model::{Organisation, Question, Registration, Text};

use super::text::{Answer, Object};
use crate::sources::registries::{self, Registry};

type Range = (IpAddr, IpAddr);

/// What stands in front of a block.
const RANGE: [&str; 8] = [
    "netrange",
    "inetnum",
    "inet6num",
    "network number",
    "ipv4 address",
    "ipv6 address",
    "netblock",
    "ip-network",
];
/// What is announced; read where no block is told.
const ROUTE: [&str; 2] = ["route", "route6"];

/// `None`: nothing is registered in it.
pub(super) fn read(answer: &Answer, question: &Question) -> Option<Registration> {
    block(answer, question)
        .or_else(|| listed(answer, question))
        .or_else(|| systems(answer))
}

fn block(answer: &Answer, question: &Question) -> Option<Registration> {
    let of = |keys: &'static [&'static str]| {
        let objects = answer.objects.iter().enumerate();
        let ranges = objects.filter_map(|(at, object)| {
            let range = registries::range(object.first(keys)?)?;
            Some((at, object, range))
        });
        ranges.collect::<Vec<_>>()
    };
    let mut found = of(&RANGE);
    if found.is_empty() {
        found = of(&ROUTE);
    }
    let holds = |range: Range| match question {
        Question::Address(address) => {
            let address = address.to_canonical();
            range.0.is_ipv4() == address.is_ipv4() && (range.0..=range.1).contains(&address)
        }
        Question::Network(network) => range.0 <= network.last() && network.first() <= range.1,
        Question::Name(_) | Question::Hash(_) => true,
    };
    if found.iter().any(|(_, _, range)| holds(*range)) {
        found.retain(|(_, _, range)| holds(*range));
    }
    // Of two that are the same, the later is within the earlier.
    let smallest = found.iter().rev().min_by_key(|(_, _, range)| width(*range));
    let &(at, object, range) = smallest?;
    let parent = object.first(&["parent", "inetnum-up"]).map(str::to_owned);
    let larger = found.iter().filter(|(other, ..)| *other != at);
    let next = larger.min_by_key(|(_, _, range)| width(*range));
    let parent = parent.or_else(|| next.and_then(|(_, object, _)| called(object)));
    let organisation = organisation(answer, at, object);
    let blocks = registries::blocks(object.first(&["cidr"]).unwrap_or_default());
    let own = object.first(&["country"]).and_then(registries::code);
    // What was handed over to another registry is not where that registry is.
    let is_elsewhere = object
        .first(&["nettype"])
        .is_some_and(|kind| kind.contains("ransferred to "));
    let of_holder = organisation.as_ref().filter(|_| !is_elsewhere);
    let of_holder = of_holder.and_then(|it| it.country.clone());
    let mut registration = Registration {
        range: Some(range),
        networks: if blocks.is_empty() {
            registries::cover(range)
        } else {
            blocks
        },
        name: kept(
            object,
            &["netname", "network name", "network-name", "service name"],
        ),
        handle: kept(object, &["nethandle", "netid", "id"]),
        parent: parent.as_deref().and_then(registries::kept),
        kind: kept(object, &["nettype", "status", "network type"]),
        origins: origins(answer, object, range),
        country: own.or(of_holder.filter(|it| it.bytes().len() == 2)),
        registered: kept(
            object,
            &[
                "regdate",
                "created",
                "registration date",
                "assigned date",
                "allocated date",
            ],
        ),
        changed: changed(object),
        abuse: abuse(answer, object),
        link: kept(object, &["ref"]),
        registry: registry(object),
        organisation,
        ..Registration::default()
    };
    for line in object.all(&["comment", "descr", "remarks"]) {
        registries::add(&mut registration.remarks, line);
    }
    Some(registration)
}

fn width((first, last): Range) -> u128 {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    bits(last).saturating_sub(bits(first))
}

fn kept(object: &Object, keys: &[&str]) -> Option<Text> {
    object.first(keys).and_then(registries::kept)
}

/// `NAME (HANDLE)`, as ARIN writes of what a block is a part of.
fn called(object: &Object) -> Option<String> {
    let name = object.first(&["netname", "network name", "service name"]);
    match (name, object.first(&["nethandle"])) {
        (Some(name), Some(handle)) => Some(format!("{name} ({handle})")),
        (Some(name), None) => Some(name.to_owned()),
        (None, handle) => handle.map(str::to_owned),
    }
}

/// RPSL has had a mailbox in front of the day: `changed: someone@a.example 20021025`.
fn changed(object: &Object) -> Option<Text> {
    let keys = ["updated", "last-modified", "last update", "changed"];
    let value = object.all(&keys).last()?;
    let day = value.split_whitespace().find(|word| !word.contains('@'))?;
    if value.contains('@') {
        return registries::kept(day);
    }
    registries::kept(value)
}

/// `source: RIPE # Filtered`.
fn registry(object: &Object) -> Option<Text> {
    let source = object.first(&["source"])?.split('#').next()?.trim();
    match Registry::of_word(source) {
        Some(registry) => Some(registry.word().into()),
        None => registries::kept(source),
    }
}

/// Autonomous systems that may announce it: of the block, and of routes in the same answer that hold it.
fn origins(answer: &Answer, object: &Object, (first, last): Range) -> Vec<u32> {
    let mut origins: Vec<u32> = Vec::new();
    let mut add = |text: &str| {
        for word in text.split([',', ' ']) {
            let digits = word.trim().trim_start_matches(['A', 'S', 'a', 's']);
            if let Ok(number) = digits.parse()
                && origins.len() < 64
                && !origins.contains(&number)
            {
                origins.push(number);
            }
        }
    };
    object
        .all(&["originas", "aut-num", "origin"])
        .for_each(&mut add);
    for route in &answer.objects {
        let Some(range) = route.first(&ROUTE).and_then(registries::range) else {
            continue;
        };
        if range.0 <= first && last <= range.1 {
            route.all(&["origin"]).for_each(&mut add);
        }
    }
    origins
}

fn organisation(answer: &Answer, at: usize, object: &Object) -> Option<Organisation> {
    // LACNIC, JPNIC and KRNIC tell it with the block.
    if let Some(owner) = object.first(&["owner", "organization name"]) {
        return Some(told(object, Some(owner), object.first(&["ownerid"])));
    }
    // ARIN tells name and handle with the block, and all of it in an object of its own.
    let named = object.first(&["organization", "customer", "organization-name"]);
    let (name, handle) = match named {
        Some(named) => match named.rsplit_once(" (") {
            Some((name, handle)) => (Some(name), handle.strip_suffix(')')),
            None => (Some(named), None),
        },
        None => (None, object.first(&["org"])),
    };
    let is_it = |it: &&Object| {
        let id = it.first(&["orgid", "organisation"]);
        handle.is_some() && id == handle
    };
    let is_organisation = |it: &&Object| {
        let is_one = matches!(it.kind(), "orgname" | "custname" | "organisation");
        is_one && it.first(&["orgname", "custname", "org-name"]).is_some()
    };
    let behind = answer.objects.iter().skip(at + 1);
    let until_next = behind.take_while(|it| it.first(&RANGE).is_none());
    let is_arin = object.first(&["netrange"]).is_some();
    let own = answer.objects.iter().find(is_it);
    let own = own.or_else(|| until_next.filter(|_| is_arin).find(is_organisation));
    match own {
        Some(own) => {
            let name = own
                .first(&["orgname", "custname", "org-name", "organisation"])
                .or(name);
            let id = own.first(&["orgid", "organisation"]).or(handle);
            Some(told(own, name, id))
        }
        None if name.is_some() || handle.is_some() => Some(Organisation {
            name: name.and_then(registries::kept),
            handle: handle.and_then(registries::kept),
            ..Organisation::default()
        }),
        // IANA, of whoever has the whole block.
        None => {
            let name = object.first(&["organisation"])?;
            Some(told(object, Some(name), None))
        }
    }
}

fn told(object: &Object, name: Option<&str>, handle: Option<&str>) -> Organisation {
    let is_block = object.first(&RANGE).is_some();
    let mut organisation = Organisation {
        name: name.and_then(registries::kept),
        handle: handle.and_then(registries::kept),
        city: kept(object, &["city"]),
        country: object.first(&["country"]).and_then(|it| {
            let code = registries::code(it).or_else(|| registries::code_of_name(it));
            code.or_else(|| registries::kept(it))
                .filter(|code| code.bytes() != b"ZZ")
        }),
        ..Organisation::default()
    };
    // Lines of a block tell of the block.
    if !is_block {
        organisation.registered = kept(object, &["regdate", "created"]);
        organisation.changed = changed(object);
        organisation.link = kept(object, &["ref"]);
    }
    for line in object.all(&["address", "stateprov", "postalcode", "zip code"]) {
        registries::add(&mut organisation.address, line);
    }
    organisation
}

/// Where abuse is reported; no other mailbox is kept.
fn abuse(answer: &Answer, object: &Object) -> Vec<Text> {
    let mut mailboxes = Vec::new();
    let mut add = |text: &str| {
        if let Some(mailbox) = registries::mailbox(text) {
            registries::add(&mut mailboxes, mailbox);
        }
    };
    // `Abuse contact for '62.239.237.0 - 62.239.237.255' is 'protect@bt.com'`
    let range = object.first(&RANGE).unwrap_or_default();
    for comment in &answer.comments {
        let quoted = comment.strip_prefix("Abuse contact for ").and_then(|it| {
            let mut parts = it.split('\'');
            let of = parts.nth(1)?;
            parts.nth(1).filter(|_| of == range)
        });
        quoted.into_iter().for_each(&mut add);
    }
    // Of the network itself, then of its holder (ARIN).
    for keys in [["rabuseemail", "abuse"], ["orgabuseemail", "abuse-mailbox"]] {
        for object in &answer.objects {
            object.all(&keys).for_each(&mut add);
        }
    }
    // LACNIC names whom to look for.
    let person = object.first(&["abuse-c"]);
    let persons = answer.objects.iter().filter(|it| {
        let handle = it.first(&["nic-hdl", "nic-hdl-br"]);
        handle.is_some() && handle == person
    });
    for person in persons {
        person.all(&["e-mail"]).for_each(&mut add);
    }
    mailboxes.truncate(8);
    mailboxes
}

/// The list that ARIN gives where several blocks fit and no more was asked for:
/// `Google LLC GOGL (NET-74-125-0-0-1) 74.125.0.0 - 74.125.255.255`.
fn listed(answer: &Answer, question: &Question) -> Option<Registration> {
    let line = |line: &str| {
        let (before, range) = line.rsplit_once(") ")?;
        let (name, handle) = before.rsplit_once(" (")?;
        let is_handle = handle.starts_with("NET");
        let range = registries::range(range).filter(|_| is_handle)?;
        Some((name.to_owned(), handle.to_owned(), range))
    };
    let holds = |(first, last): Range| match question {
        Question::Address(address) => (first..=last).contains(&address.to_canonical()),
        Question::Network(_) | Question::Name(_) | Question::Hash(_) => true,
    };
    let found = answer.prose.iter().filter_map(|it| line(it));
    let found = found.filter(|(_, _, range)| holds(*range));
    let (name, handle, range) = found.min_by_key(|(_, _, range)| width(*range))?;
    let (holder, name) = match name.rsplit_once(' ') {
        Some((holder, name)) => (Some(holder), name.to_owned()),
        None => (None, name),
    };
    Some(Registration {
        range: Some(range),
        networks: registries::cover(range),
        name: registries::kept(&name),
        handle: registries::kept(&handle),
        organisation: holder.and_then(registries::kept).map(|name| Organisation {
            name: Some(name),
            ..Organisation::default()
        }),
        registry: Some(Registry::Arin.word().into()),
        ..Registration::default()
    })
}

/// Autonomous systems: of RPSL, and IANA's blocks of them.
fn systems(answer: &Answer) -> Option<Registration> {
    let keys = ["aut-num", "asnumber", "as-block"];
    let object = answer.objects.iter().find(|it| keys.contains(&it.kind()))?;
    let value = object.first(&keys)?;
    let number = |text: &str| -> Option<u32> {
        let text = text.trim().trim_start_matches(['A', 'S', 'a', 's']);
        text.parse().ok()
    };
    let (first, last) = match value.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(value)?, number(value)?),
    };
    let at = answer
        .objects
        .iter()
        .position(|it| std::ptr::eq(it, object))?;
    let organisation = organisation(answer, at, object);
    let mut registration = Registration {
        autonomous_systems: (first <= last).then_some((first, last)),
        name: kept(object, &["as-name", "asname"]),
        handle: kept(object, &["ashandle"]),
        country: object.first(&["country"]).and_then(registries::code),
        registered: kept(object, &["regdate", "created"]),
        changed: changed(object),
        abuse: abuse(answer, object),
        link: kept(object, &["ref"]),
        registry: registry(object),
        organisation,
        ..Registration::default()
    };
    for line in object.all(&["comment", "descr", "remarks"]) {
        registries::add(&mut registration.remarks, line);
    }
    Some(registration)
}
