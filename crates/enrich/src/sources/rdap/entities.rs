//! Who stands behind an object (RFC 9083, 5.1): the organisation that holds it, who sold it, and where
//! abuse is reported. People are passed over.

use model::{Organisation, Text};
use serde_json::Value;

use super::answer::{Class, Object, lines};
use super::card::Card;
use crate::sources::registries;

/// An entity within an entity within an entity.
const MOST_DEPTH: usize = 4;
/// Entities of one answer that are looked at.
const MOST_ENTITIES: usize = 256;
/// Places to report to.
const MOST_MAILBOXES: usize = 8;

/// An entity with what is asked of it again and again.
struct Entity<'a> {
    object: Object<'a>,
    roles: Vec<&'a str>,
    card: Card,
}

impl<'a> Entity<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let members = value.as_object()?;
        let object = Object {
            class: Class::Entity,
            members,
        };
        Some(Self {
            object,
            roles: members.get("roles").map(lines).unwrap_or_default(),
            card: Card::of(members),
        })
    }

    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|it| it.eq_ignore_ascii_case(role))
    }

    fn handle(&self) -> Option<&'a str> {
        self.object.text("handle")
    }

    /// More than one person, as it says itself or as its handle shows.
    fn is_organisation(&self) -> bool {
        match self.card.kind.as_deref() {
            Some(kind) => kind != "individual",
            None => self
                .handle()
                .is_some_and(registries::is_organisation_handle),
        }
    }

    /// What it is called, where that is no person. `None`: nobody says, or it is a handle.
    fn name(&self) -> Option<&str> {
        let whole = self.card.name.as_deref().filter(|_| self.is_organisation());
        let name = whole.or(self.card.organisation.as_deref())?;
        let is_handle = Some(name) == self.handle() || registries::is_organisation_handle(name);
        (!is_handle).then_some(name)
    }

    fn organisation(&self) -> Organisation {
        let card = &self.card;
        let is_organisation = self.is_organisation() || self.card.organisation.is_some();
        let country = card.country.as_deref();
        let country = country.map(|it| registries::code_of_name(it).or(registries::kept(it)));
        let is_person = card.kind.as_deref() == Some("individual");
        let mut organisation = Organisation {
            name: self.name().and_then(registries::kept),
            handle: self.handle().and_then(registries::kept),
            country: country.flatten(),
            registered: self.object.event("registration"),
            changed: self.object.event("last changed"),
            link: self.object.link(),
            ..Organisation::default()
        };
        if is_organisation && !is_person {
            organisation.city = card.city.as_deref().and_then(registries::kept);
            for line in &card.address {
                registries::add(&mut organisation.address, line);
            }
        }
        organisation
    }
}

fn entities<'a>(object: &Object<'a>) -> Vec<Entity<'a>> {
    object.list("entities").filter_map(Entity::of).collect()
}

/// Whose it is. `None`: it does not say, or it is a person.
pub(super) fn holder(object: &Object<'_>) -> Option<Organisation> {
    let entities = entities(object);
    let holds = |entity: &&Entity<'_>| {
        // AFRINIC has given no roles.
        let is_unsaid = object.class == Class::Network
            && entity.roles.is_empty()
            && entity.card.kind.as_deref() == Some("org");
        let is_held = entity.has("registrant") || entity.has("holder") || entity.has("owner");
        is_held || is_unsaid
    };
    let strength = |entity: &&Entity<'_>| {
        let is_handle = entity
            .handle()
            .is_some_and(registries::is_organisation_handle);
        let kind = entity.card.kind.as_deref();
        (
            entity.has("registrant"),
            entity.name().is_some() && !matches!(kind, Some("individual")),
            is_handle || kind == Some("org"),
        )
    };
    let mut best: Option<&Entity<'_>> = None;
    for entity in entities.iter().filter(holds) {
        // Maintainers and people are registrants too: only who has a name, or a handle that can be
        // asked for, is a holder.
        let is_handle = entity
            .handle()
            .is_some_and(registries::is_organisation_handle);
        let is_known = entity.name().is_some() || is_handle;
        let is_better = best.is_none_or(|best| strength(&entity) > strength(&best));
        if is_known && is_better {
            best = Some(entity);
        }
    }
    best.map(Entity::organisation)
}

/// The handle of a holder of whom nothing else is known.
pub(super) fn unnamed<'a>(object: &Object<'a>) -> Option<&'a str> {
    if object.class != Class::Network && object.class != Class::AutonomousSystem {
        return None;
    }
    if holder(object).is_some_and(|it| it.name.is_some()) {
        return None;
    }
    let entities = entities(object);
    let handles = entities.iter().filter_map(Entity::handle);
    // AFRINIC has written the handle where the name of the network stands.
    let mut handles = handles.chain(object.text("name"));
    handles.find(|handle| registries::is_organisation_handle(handle))
}

/// An entity that is the whole answer.
pub(super) fn organisation(object: &Object<'_>) -> Option<Organisation> {
    if object.class != Class::Entity {
        return None;
    }
    let entity = Entity {
        object: *object,
        roles: Vec::new(),
        card: Card::of(object.members),
    };
    entity.name()?;
    Some(entity.organisation())
}

/// Who sold a name, by name, else by handle.
pub(super) fn registrar(object: &Object<'_>) -> Option<Text> {
    let entities = entities(object);
    let seller = entities.iter().find(|entity| entity.has("registrar"))?;
    let card = &seller.card;
    let name = card.name.as_deref().or(card.organisation.as_deref());
    registries::kept(name.or(seller.handle())?)
}

/// Where abuse is reported: mailboxes of those who have that task, at any depth; those that are for
/// nothing else come first, and then alone.
pub(super) fn abuse(object: &Object<'_>) -> Vec<Text> {
    let mut mailboxes = Vec::new();
    let mut layer = vec![*object];
    let mut seen = 0;
    for _ in 0..MOST_DEPTH {
        let mut below = Vec::new();
        for entity in layer.iter().flat_map(entities) {
            seen += 1;
            if seen > MOST_ENTITIES {
                return mailboxes;
            }
            collect(&entity, &mut mailboxes);
            below.push(entity.object);
        }
        layer = below;
    }
    mailboxes
}

fn collect(entity: &Entity<'_>, mailboxes: &mut Vec<Text>) {
    if !entity.has("abuse") {
        return;
    }
    let all = &entity.card.mailboxes;
    let is_some_for_abuse = all.iter().any(|it| it.is_for_abuse);
    let is_some_preferred = all.iter().any(|it| it.is_preferred);
    for mailbox in all {
        let is_wanted = if is_some_for_abuse {
            mailbox.is_for_abuse
        } else {
            mailbox.is_preferred || !is_some_preferred
        };
        if is_wanted && mailboxes.len() < MOST_MAILBOXES {
            registries::add(mailboxes, &mailbox.text);
        }
    }
}
