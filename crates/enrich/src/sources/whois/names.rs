//! Names, as their registries write them; there is no common form. What most of them have is read by
//! the words that stand in front of it, wherever they stand.
//!
//! A holder is kept where it is said to be an organisation; people are not.

use model::{Organisation, Registration, Text};

use super::text::{Answer, Object, Pair};
use crate::sources::{rdap, registries};
use crate::suffix::Name;

const DOMAIN: [&str; 4] = ["domain name", "domain", "domainname", "domain-name"];
const REGISTERED: [&str; 13] = [
    "creation date",
    "created",
    "created on",
    "created date",
    "creation time",
    "registered",
    "registered on",
    "registered date",
    "registration date",
    "registration time",
    "domain registration date",
    "domain created",
    "assigned",
];
const CHANGED: [&str; 12] = [
    "updated date",
    "last-update",
    "last update",
    "last updated",
    "last updated on",
    "last modified",
    "last-modified",
    "modified",
    "modification date",
    "changed",
    "updated",
    "last updated date",
];
const EXPIRES: [&str; 17] = [
    "registry expiry date",
    "registrar registration expiration date",
    "expiration date",
    "expiration time",
    "expiry date",
    "expiry",
    "expires",
    "expires on",
    "expire",
    "expire date",
    "expire-date",
    "paid-till",
    "validity",
    "valid until",
    "valid-date",
    "renewal date",
    "domain expiration date",
];
const REGISTRAR: [&str; 5] = [
    "registrar",
    "registrar name",
    "sponsoring registrar",
    "registrar organization",
    "authorized agency",
];
const STATUS: [&str; 6] = [
    "domain status",
    "status",
    "state",
    "eppstatus",
    "registration status",
    "[status]",
];
const NAME_SERVER: [&str; 9] = [
    "name server",
    "name servers",
    "nserver",
    "nameserver",
    "nameservers",
    "domain servers",
    "domain nameservers",
    "host name",
    "dns",
];
const ORGANISATION: [&str; 8] = [
    "registrant organization",
    "registrant organisation",
    "registrant organization name",
    "org",
    "organization",
    "organisation",
    "organization name",
    "org-name",
];
const ABUSE: [&str; 3] = [
    "registrar abuse contact email",
    "abuse-mailbox",
    "abuse contact email",
];

/// `None`: it is not in the answer, or nobody has it.
pub(super) fn read(answer: &Answer, asked: &str) -> Option<Registration> {
    let asked = asked.trim_end_matches('.').to_ascii_lowercase();
    let registered = rdap::registered(&asked);
    let is_asked = |name: &str| name == asked || Some(name) == registered.as_deref();
    let names = answer
        .objects
        .iter()
        .enumerate()
        .filter_map(|(at, object)| {
            let name = domain_of(object)?;
            Some((at, name))
        });
    let names: Vec<(usize, String)> = names.collect();
    let (begin, name) = names.iter().find(|(_, name)| is_asked(name))?;
    let end = names.iter().find(|(at, other)| at > begin && other != name);
    let end = end.map_or(answer.objects.len(), |(at, _)| *at);
    let objects = answer.objects.get(*begin..end)?;
    let mut reading = Reading {
        holder_handle: objects
            .iter()
            .find_map(|it| it.first(&["holder-c", "registrant-c", "owner-c"])),
        registration: Registration {
            name: registries::kept(name),
            ..Registration::default()
        },
        holder: Organisation::default(),
        is_organisation: false,
    };
    for object in objects {
        reading.object(object);
    }
    let registration = reading.end();
    let is_free = |text: &Text| matches!(text.bytes(), b"free" | b"available" | b"AVAILABLE");
    let is_nobodys = !registration.statuses.is_empty() && registration.statuses.iter().all(is_free);
    (!is_nobodys).then_some(registration)
}

/// The name that an object is about, with A-labels.
fn domain_of(object: &Object) -> Option<String> {
    let mut pairs = object.pairs.iter();
    let pair = pairs.find(|pair| DOMAIN.contains(&pair.key.as_str()) && !pair.value.is_empty())?;
    let name = pair.value.split_whitespace().next()?;
    Some(Name::parse(name).ok()?.ascii)
}

/// Who looks after a name for its holder.
const OTHERS: [&str; 5] = ["tech", "admin", "zone", "billing", "reseller"];

/// Of whom a line tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Domain,
    Holder,
    Registrar,
    /// Somebody who looks after it, or a server.
    Another,
}

struct Reading<'a> {
    holder_handle: Option<&'a str>,
    registration: Registration,
    /// What is told of the holder, whoever that is.
    holder: Organisation,
    is_organisation: bool,
}

impl Reading<'_> {
    fn object(&mut self, object: &Object) {
        let whole = match object.kind() {
            "nic-hdl" | "nic-hdl-br" | "contact" | "person" | "role" => {
                let handle = object.first(&["nic-hdl", "nic-hdl-br", "contact"]);
                if handle.is_some() && handle == self.holder_handle {
                    About::Holder
                } else {
                    About::Another
                }
            }
            "registrar" | "registrar name" => About::Registrar,
            "server name" => About::Another,
            // `** Administrative Contact:`, and what is told of it below.
            kind if object.first(&[kind]).is_none()
                && OTHERS.iter().any(|it| kind.contains(it)) =>
            {
                About::Another
            }
            _ => About::Domain,
        };
        let kind = object.pairs.iter().find(|pair| pair.key == "type");
        if let Some(kind) = kind
            && (whole == About::Holder || about(kind) == About::Holder)
        {
            self.is_organisation = is_organisation(&kind.value);
        }
        for pair in &object.pairs {
            let is_of_domain = whole == About::Domain;
            let about = if is_of_domain { about(pair) } else { whole };
            match about {
                About::Domain => self.domain(pair),
                About::Holder => self.holder(pair),
                About::Registrar => self.registrar(pair),
                About::Another => {}
            }
        }
    }

    fn domain(&mut self, pair: &Pair) {
        let it = &mut self.registration;
        let (key, value) = (pair.key.as_str(), pair.value.as_str());
        let has = |keys: &[&str]| keys.contains(&key);
        if has(&REGISTERED) {
            set(&mut it.registered, dated(value));
        } else if has(&CHANGED) {
            set(&mut it.changed, dated(value));
        } else if has(&EXPIRES) {
            set(&mut it.expires, dated(value));
        } else if has(&REGISTRAR) {
            // Nominet: `A Ltd t/a B [Tag = A]`.
            set(
                &mut it.registrar,
                value.split(" [Tag").next().unwrap_or_default(),
            );
        } else if has(&STATUS) {
            // Behind a status stands where it is explained.
            let status = value.split(" http").next().unwrap_or_default();
            registries::add(&mut it.statuses, status.trim_end_matches(" ("));
        } else if has(&NAME_SERVER) {
            let server = value.split([' ', '\t', ',']).next().unwrap_or_default();
            if server.contains('.') {
                registries::add(&mut it.name_servers, server.trim_end_matches('.'));
            }
        } else if has(&ABUSE) {
            if let Some(mailbox) = registries::mailbox(value) {
                registries::add(&mut it.abuse, mailbox);
            }
        } else if has(&ORGANISATION) {
            set(&mut self.holder.name, value);
            self.is_organisation |= self.holder.name.is_some();
        } else if key == "registry domain id" || key == "domain id" {
            set(&mut it.handle, value);
        } else if has(&["descr", "remarks"]) {
            registries::add(&mut it.remarks, value);
        } else if let Some(key) = key.strip_prefix("registrant ") {
            self.place(key, value);
        }
    }

    fn holder(&mut self, pair: &Pair) {
        let key = pair.key.as_str();
        match key {
            "name" | "contact" | "org" | "organization" | "organisation" | "org-name" => {
                set(&mut self.holder.name, &pair.value);
                self.is_organisation |= key.starts_with("org") && self.holder.name.is_some();
            }
            "nic-hdl" => set(&mut self.holder.handle, &pair.value),
            _ => self.place(key, &pair.value),
        }
    }

    /// Where the holder is.
    fn place(&mut self, key: &str, value: &str) {
        match key {
            "street" | "address" | "address1" | "address2" => {
                registries::add(&mut self.holder.address, value);
            }
            "city" => set(&mut self.holder.city, value),
            "country" | "country/economy" | "countrycode" => {
                let code = registries::code(value).or_else(|| registries::code_of_name(value));
                let country = code.or_else(|| registries::kept(value));
                self.holder.country = self.holder.country.take().or(country);
            }
            _ => {}
        }
    }

    fn registrar(&mut self, pair: &Pair) {
        let is_name = matches!(
            pair.key.as_str(),
            "registrar" | "registrar name" | "name" | "organization" | "organisation"
        );
        if is_name {
            let value = pair.value.split(" [Tag").next().unwrap_or_default();
            set(&mut self.registration.registrar, value);
        }
    }

    fn end(self) -> Registration {
        let mut registration = self.registration;
        registration.country = self
            .holder
            .country
            .clone()
            .filter(|it| it.bytes().len() == 2);
        if self.is_organisation && self.holder.name.is_some() {
            registration.organisation = Some(self.holder);
        }
        registration
    }
}

/// By the heading above a line.
fn about(pair: &Pair) -> About {
    let section = pair.section.as_str();
    if section.is_empty() || section == pair.key {
        return About::Domain;
    }
    let has = |words: &[&str]| words.iter().any(|word| section.contains(word));
    if has(&OTHERS) || has(&["server"]) {
        if NAME_SERVER.contains(&pair.key.as_str()) || section == "nservers" {
            return About::Domain;
        }
        About::Another
    } else if has(&["registrar"]) {
        About::Registrar
    } else if has(&["holder", "registrant", "owner"]) {
        About::Holder
    } else {
        About::Domain
    }
}

fn is_organisation(kind: &str) -> bool {
    let kind = kind.trim().to_ascii_lowercase();
    ["legal", "org", "company", "corporation", "role"]
        .iter()
        .any(|begin| kind.starts_with(begin))
}

/// The first that has something in it stays.
fn set(place: &mut Option<Text>, value: &str) {
    if place.is_none() {
        *place = registries::kept(value);
    }
}

/// A day without who wrote it: `registrar AT ns.il 19990605 (Assigned)`.
fn dated(value: &str) -> &str {
    if !value.contains('@') && !value.contains(" AT ") {
        // `2001-Aug-23.`
        return value.trim_end_matches('.');
    }
    let mut words = value.split_whitespace();
    let is_day = |word: &&str| word.len() >= 8 && word.bytes().all(|it| it.is_ascii_digit());
    words.find(is_day).unwrap_or_default()
}
