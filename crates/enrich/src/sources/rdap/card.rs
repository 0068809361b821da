//! Who an entity is: a card in the form of jCard (RFC 7095) or of JSContact (RFC 9553). What is not of
//! the form that it should have is passed over.

use serde_json::{Map, Value};

use super::answer::MOST_ITEMS;
use crate::sources::registries;

/// What is wanted of a card. Telephones and all else are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Card {
    /// Lower case: `individual`, `org`, `group`. `None`: it does not say; then it is a person (RFC
    /// 6350, 6.1.4), or nobody knows.
    pub(super) kind: Option<String>,
    /// What it is called as a whole.
    pub(super) name: Option<String>,
    pub(super) organisation: Option<String>,
    /// Lines of the postal address, without the country where that is known.
    pub(super) address: Vec<String>,
    pub(super) city: Option<String>,
    /// A code where it has one, else a name.
    pub(super) country: Option<String>,
    pub(super) mailboxes: Vec<Mailbox>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) text: String,
    /// It is said that it is for reports of abuse.
    pub(super) is_for_abuse: bool,
    pub(super) is_preferred: bool,
}

impl Card {
    /// The card of an entity; empty when it has none.
    pub(super) fn of(entity: &Map<String, Value>) -> Self {
        if let Some(card) = entity.get("vcardArray").and_then(Self::jcard) {
            return card;
        }
        let card = entity.get("jscard_card").or_else(|| entity.get("jscard"));
        card.and_then(Value::as_object)
            .map(Self::contact)
            .unwrap_or_default()
    }

    /// `["vcard", [[name, {parameters}, type, value...], ...]]`. `None`: it is not of that form.
    pub(super) fn jcard(value: &Value) -> Option<Self> {
        let [label, properties, ..] = value.as_array()?.as_slice() else {
            return None;
        };
        let is_card = label.as_str()?.eq_ignore_ascii_case("vcard");
        let properties = properties.as_array().filter(|_| is_card)?;
        let mut card = Self::default();
        for property in properties
            .iter()
            .take(MOST_ITEMS)
            .filter_map(Value::as_array)
        {
            let [name, parameters, kind, first, ..] = property.as_slice() else {
                continue;
            };
            let (Some(name), Some(_)) = (name.as_str(), kind.as_str()) else {
                continue;
            };
            let empty = Map::new();
            let parameters = parameters.as_object().unwrap_or(&empty);
            match name.to_ascii_lowercase().as_str() {
                "kind" => card.kind = text(first).map(|it| it.to_ascii_lowercase()),
                "fn" => set(&mut card.name, text(first)),
                // A value in parts begins with the organisation, and goes on with what is within it.
                "org" => set(&mut card.organisation, flat(first).into_iter().next()),
                "adr" => card.postal(parameters, first),
                "email" => card.mailbox(parameters, first),
                _ => {}
            }
        }
        Some(card)
    }

    /// RFC 7095, 3.3.1.3: seven parts, each a text or a list of them; or one text in the parameter
    /// `label`.
    fn postal(&mut self, parameters: &Map<String, Value>, value: &Value) {
        if !self.address.is_empty() || self.country.is_some() {
            return;
        }
        let label = parameters.get("label").and_then(Value::as_str);
        // Some have written the end of a line as two characters.
        let label = label.unwrap_or_default().replace("\\n", "\n");
        let lines = label.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !registries::is_left_out(line));
        let label: Vec<String> = lines.map(str::to_owned).collect();
        let parts = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let part = |at: usize| parts.get(at).map(flat).unwrap_or_default();
        let coded = parameters.get("cc").and_then(Value::as_str);
        let named = part(6).into_iter().next_back();
        self.country = coded.map(str::to_owned).or(named);
        if label.is_empty() {
            self.address = (0..6).flat_map(part).collect();
            // AFRINIC fills the parts in a row, whatever they are for.
            let is_in_place = part(0).is_empty();
            self.city = part(3).into_iter().next().filter(|_| is_in_place);
        } else {
            self.address = label;
        }
        if self.country.is_none()
            && let Some(last) = self.address.last()
            && let Some(code) = registries::code_of_name(last)
        {
            self.country = Some(code.lossy().into_owned());
        }
        if let Some(country) = &self.country
            && let Some(code) = registries::code_of_name(country)
        {
            let is_country = |line: &String| registries::code_of_name(line).as_ref() == Some(&code);
            self.address.pop_if(|line| is_country(line));
        }
    }

    fn mailbox(&mut self, parameters: &Map<String, Value>, value: &Value) {
        let Some(text) = text(value) else {
            return;
        };
        let Some(text) = registries::mailbox(&text).map(str::to_owned) else {
            return;
        };
        let kinds = parameters.get("type").map(super::answer::lines);
        let is_abuse = |kind: &str| kind.eq_ignore_ascii_case("abuse");
        let is_for_abuse = kinds.unwrap_or_default().into_iter().any(is_abuse);
        let begins = text.get(..5).is_some_and(is_abuse);
        self.mailboxes.push(Mailbox {
            is_for_abuse: is_for_abuse || begins,
            is_preferred: parameters.contains_key("pref"),
            text,
        });
    }

    /// RFC 9553, 2: members with ids in front of what they hold.
    fn contact(card: &Map<String, Value>) -> Self {
        let member = |name: &str| card.get(name).and_then(Value::as_object);
        let texts = |of: Option<&Map<String, Value>>, name: &str| -> Vec<String> {
            let values = of.into_iter().flat_map(Map::values).take(MOST_ITEMS);
            values
                .filter_map(|it| it.get(name))
                .filter_map(text)
                .collect()
        };
        let postal = member("addresses").and_then(|it| it.values().next());
        let mut lines = Vec::new();
        if let Some(full) = postal.and_then(|it| it.get("full")).and_then(text) {
            lines.extend(full.lines().map(str::to_owned));
        }
        let parts = postal
            .and_then(|it| it.get("components"))
            .and_then(Value::as_array);
        let parts = || parts.into_iter().flatten().take(MOST_ITEMS);
        if lines.is_empty() {
            lines.extend(parts().filter_map(|it| it.get("value")).filter_map(text));
        }
        let city = parts().find(|it| it.get("kind").and_then(Value::as_str) == Some("locality"));
        let mut read = Self {
            kind: card
                .get("kind")
                .and_then(text)
                .map(|it| it.to_ascii_lowercase()),
            name: member("name").and_then(|it| it.get("full")).and_then(text),
            organisation: texts(member("organizations"), "name").into_iter().next(),
            address: lines,
            city: city.and_then(|it| it.get("value")).and_then(text),
            country: postal.and_then(|it| it.get("countryCode")).and_then(text),
            mailboxes: Vec::new(),
        };
        for address in texts(member("emails"), "address") {
            read.mailbox(&Map::new(), &Value::String(address));
        }
        read
    }
}

/// The first that has something in it stays.
fn set(place: &mut Option<String>, text: Option<String>) {
    if place.is_none() {
        *place = text;
    }
}

/// A text that has something in it, and does not say that it was left out.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty() && !registries::is_left_out(text)).then(|| text.to_owned())
}

/// A text, or a list of them.
fn flat(value: &Value) -> Vec<String> {
    match value.as_array() {
        Some(list) => list.iter().take(MOST_ITEMS).filter_map(text).collect(),
        None => text(value).into_iter().collect(),
    }
}
