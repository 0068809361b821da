//! One object of an answer (RFC 9083, 5), as the five registries, the national ones below them and the
//! registries of names write it: each in its own way.

use std::net::IpAddr;

use model::{Network, Question, Registration, Text};
use serde_json::{Map, Value};

use super::entities;
use crate::sources::registries::{self, MOST_LINES};

/// An answer has no more bytes. The list of servers for names is the largest.
const MOST_BYTES: usize = 1 << 20;
/// Items of a list that are looked at.
pub(super) const MOST_ITEMS: usize = 256;

/// The document.
///
/// Errors: what came instead.
pub(super) fn document(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return Err("nothing came where JSON should be".to_owned());
    }
    if bytes.len() > MOST_BYTES {
        return Err(format!("more than {MOST_BYTES} bytes of JSON"));
    }
    if bytes.first() == Some(&b'<') {
        return Err("a web page came where JSON should be".to_owned());
    }
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str(&text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        if error.is_eof() {
            format!("JSON that ends in the middle: {place}")
        } else {
            format!("no JSON: {place}")
        }
    })
}

/// Texts: a list of them, or one.
pub(super) fn lines(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => {
            let list = list.iter().take(MOST_ITEMS);
            list.filter_map(Value::as_str).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Network,
    AutonomousSystem,
    Domain,
    Entity,
    Nameserver,
}

/// An object with its members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) class: Class,
    pub(super) members: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The object that the answer is about. `None`: there is none.
    pub(super) fn find(document: &'a Value, question: &Question) -> Option<Self> {
        let members = document.as_object()?;
        if let Some(object) = Self::of(members) {
            return Some(object);
        }
        // What it was before stands beside what it is (APNIC): the last that has no end.
        if let Some(records) = members.get("records").and_then(Value::as_array) {
            let current = records.iter().rev().find(|it| {
                let end = it.get("applicableUntil");
                end.is_none_or(Value::is_null)
            });
            let content = current.or(records.last())?.get("content")?.as_object()?;
            return Self::of(content);
        }
        let results = members
            .iter()
            .find(|(name, _)| name.ends_with("SearchResults"));
        let results = results?.1.as_array()?;
        let objects = results.iter().take(MOST_ITEMS).filter_map(Value::as_object);
        objects.filter_map(Self::of).find(|object| match question {
            Question::Name(name) => {
                let found = object.text("ldhName").unwrap_or_default();
                let found = found.trim_end_matches('.').to_ascii_lowercase();
                let above = name.strip_suffix(&found);
                !found.is_empty()
                    && above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Question::Address(_) | Question::Network(_) => object.class == Class::Network,
            Question::Hash(_) => false,
        })
    }

    /// Its class is said, or seen by what it has.
    pub(super) fn of(members: &'a Map<String, Value>) -> Option<Self> {
        let has = |name| members.contains_key(name);
        let said = members.get("objectClassName").and_then(Value::as_str);
        let class = match said.unwrap_or_default().to_ascii_lowercase().as_str() {
            "ip network" => Class::Network,
            "autnum" => Class::AutonomousSystem,
            "domain" => Class::Domain,
            "entity" => Class::Entity,
            "nameserver" => Class::Nameserver,
            _ if has("startAddress") || has("cidr0_cidrs") => Class::Network,
            _ if has("startAutnum") => Class::AutonomousSystem,
            _ if has("ipAddresses") => Class::Nameserver,
            _ if has("ldhName") => Class::Domain,
            _ if has("vcardArray") || has("roles") => Class::Entity,
            _ => return None,
        };
        Some(Self { class, members })
    }

    /// A text member that has something in it.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.members.get(name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let list = self.members.get(name).and_then(Value::as_array);
        list.into_iter().flatten().take(MOST_ITEMS)
    }

    /// The first time at which this was done (RFC 9083, 4.5), as it is written.
    pub(super) fn event(&self, action: &str) -> Option<Text> {
        let mut events = self.list("events");
        let event = events.find(|event| {
            let said = event.get("eventAction").and_then(Value::as_str);
            said.is_some_and(|said| said.eq_ignore_ascii_case(action))
        });
        registries::kept(event?.get("eventDate")?.as_str()?)
    }

    /// The link to itself.
    pub(super) fn link(&self) -> Option<Text> {
        let mut links = self.list("links");
        let link = links.find(|link| link.get("rel").and_then(Value::as_str) == Some("self"));
        let link = link?.get("href")?.as_str()?;
        super::host_of(link).and_then(|_| registries::kept(link))
    }

    /// What is known of it. `host` answered.
    pub(super) fn registration(&self, host: &str) -> Registration {
        let organisation = entities::holder(self);
        let handle = self.text("handle");
        let range = self.range();
        let autonomous_systems = self.autonomous_systems();
        let own = self.text("country").and_then(registries::code);
        let of_holder = organisation.as_ref().and_then(|it| it.country.clone());
        let (registrar, abuse) = (entities::registrar(self), entities::abuse(self));
        Registration {
            range,
            networks: self.networks(range),
            autonomous_systems,
            name: self.name(),
            handle: handle
                .filter(|handle| !self.is_echo(handle))
                .and_then(registries::kept),
            parent: self.text("parentHandle").and_then(registries::kept),
            kind: self.text("type").and_then(registries::kept),
            origins: self.origins(),
            organisation,
            country: own.or(of_holder.filter(|it| it.bytes().len() == 2)),
            registered: self.event("registration"),
            changed: self.event("last changed"),
            expires: self.event("expiration"),
            registrar,
            abuse,
            statuses: self.texts("status"),
            name_servers: self.name_servers(),
            remarks: self.remarks(),
            link: self.link(),
            registry: self.registry(host),
            is_redacted: self.is_redacted(),
        }
    }

    fn name(&self) -> Option<Text> {
        let name = match self.class {
            Class::Domain | Class::Nameserver => {
                self.text("ldhName").or_else(|| self.text("unicodeName"))
            }
            Class::Network | Class::AutonomousSystem => self.text("name"),
            Class::Entity => None,
        };
        name.and_then(registries::kept)
    }

    fn address(&self, name: &str) -> Option<IpAddr> {
        registries::address(self.text(name)?)
    }

    fn range(&self) -> Option<(IpAddr, IpAddr)> {
        if self.class != Class::Network {
            return None;
        }
        if self
            .text("handle")
            .is_some_and(|handle| self.is_echo(handle))
        {
            return None;
        }
        let (first, last) = (self.address("startAddress"), self.address("endAddress"));
        if let (Some(first), Some(last)) = (first, last) {
            let is_range = first.is_ipv4() == last.is_ipv4() && first <= last;
            return is_range.then_some((first, last));
        }
        let blocks = self.blocks();
        if let (Some(first), Some(last)) = (blocks.iter().min(), blocks.iter().max()) {
            return Some((first.first(), last.last()));
        }
        let written = self.text("startAddress").or_else(|| self.text("handle"));
        registries::range(written?)
    }

    /// LACNIC may give back the address that was asked for in the place of the block and of its handle.
    fn is_echo(&self, handle: &str) -> bool {
        let of = |text: &str| text.parse::<IpAddr>().ok();
        self.class == Class::Network
            && of(handle).is_some()
            && self.text("startAddress").and_then(of) == of(handle)
            && self.text("endAddress").and_then(of) == of(handle)
    }

    /// Those of the extension `cidr0` (bitbucket.org/nroecg/nro-rdap-cidr).
    fn blocks(&self) -> Vec<Network> {
        let block = |value: &Value| {
            let prefix = value.get("v4prefix").or_else(|| value.get("v6prefix"))?;
            let length = value.get("length")?;
            let length = u8::try_from(number(length)?).ok()?;
            Network::new(registries::address(prefix.as_str()?)?, length)
        };
        self.list("cidr0_cidrs").filter_map(block).collect()
    }

    fn networks(&self, range: Option<(IpAddr, IpAddr)>) -> Vec<Network> {
        let blocks = self.blocks();
        match range {
            Some(range) if blocks.is_empty() => registries::cover(range),
            _ => blocks,
        }
    }

    fn autonomous_systems(&self) -> Option<(u32, u32)> {
        let first = number(self.members.get("startAutnum")?)?;
        let last = self.members.get("endAutnum").and_then(number);
        let last = last.unwrap_or(first);
        (first <= last).then_some((first, last))
    }

    /// The extensions `arin_originas0` (ARIN) and `nicbr_autnum` (registro.br).
    fn origins(&self) -> Vec<u32> {
        let mut origins: Vec<u32> = Vec::new();
        let single = self.members.get("nicbr_autnum").into_iter();
        for number in self
            .list("arin_originas0_originautnums")
            .chain(single)
            .filter_map(number)
        {
            if !origins.contains(&number) {
                origins.push(number);
            }
        }
        origins
    }

    fn texts(&self, name: &str) -> Vec<Text> {
        let mut texts = Vec::new();
        let found = self.members.get(name).map(lines).unwrap_or_default();
        found
            .into_iter()
            .for_each(|text| registries::add(&mut texts, text));
        texts
    }

    fn name_servers(&self) -> Vec<Text> {
        let mut names = Vec::new();
        for server in self.list("nameservers").filter_map(Value::as_object) {
            let name = server.get("ldhName").or_else(|| server.get("unicodeName"));
            if let Some(name) = name.and_then(Value::as_str) {
                registries::add(&mut names, name);
            }
        }
        names
    }

    fn remarks(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        for remark in self.list("remarks") {
            let found = remark.get("description").map(lines).unwrap_or_default();
            for line in found.iter().flat_map(|text| text.lines()) {
                if texts.len() < MOST_LINES {
                    registries::add(&mut texts, line);
                }
            }
        }
        texts
    }

    /// A national registry may stand behind the one that answers.
    fn registry(&self, host: &str) -> Option<Text> {
        let mut notices = self.list("notices");
        let source = notices.find(|notice| {
            let title = notice.get("title").and_then(Value::as_str);
            title.is_some_and(|title| title.eq_ignore_ascii_case("source"))
        });
        let source = source.and_then(|it| it.get("description")).map(lines);
        if let Some([_, source]) = source.as_deref()
            && source.len() <= 32
        {
            return registries::kept(source);
        }
        let named = self.text("port43").filter(|it| {
            let is_addresses = matches!(self.class, Class::Network | Class::AutonomousSystem);
            is_addresses && !it.is_empty()
        });
        registries::registry_of(named.unwrap_or(host))
    }

    /// It says that something was left out: by RFC 9537, by a remark (RFC 9083, 10.2.1), or in the
    /// place of a text.
    fn is_redacted(&self) -> bool {
        if self.list("redacted").next().is_some() {
            return true;
        }
        let whole: Vec<&Value> = self.members.values().collect();
        says_redacted(&whole, 0)
    }
}

/// Deeper than this, nothing is looked for.
const MOST_DEPTH: usize = 12;

fn says_redacted(values: &[&Value], depth: usize) -> bool {
    depth < MOST_DEPTH
        && values.iter().any(|value| match value {
            Value::String(text) => {
                let text = text.trim();
                text.len() < 200 && {
                    let lower = text.to_ascii_lowercase();
                    lower == "redacted"
                        || lower.contains("redacted for privacy")
                        || lower.starts_with("object redacted")
                        || lower.starts_with("object truncated due to authorization")
                }
            }
            Value::Array(list) => says_redacted(&list.iter().collect::<Vec<_>>(), depth + 1),
            Value::Object(members) => {
                says_redacted(&members.values().collect::<Vec<_>>(), depth + 1)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        })
}

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<u32> {
    let Some(text) = value.as_str() else {
        return u32::try_from(value.as_u64()?).ok();
    };
    let text = text.trim();
    let digits = text.strip_prefix("AS").or(text.strip_prefix("as"));
    digits.unwrap_or(text).parse().ok()
}
