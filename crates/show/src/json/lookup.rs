//! What is known of addresses, names and hashes in JSON.

mod answers;

use std::io::{self, Write};

use model::{
    AddressFacts, Announcer, Confidence, FileFacts, Item, Listed, ListedAs, LookedUp, hex,
};

use self::answers::answered;
use super::SCHEMA;
use super::writer::{Object, object, string};
use crate::lookup::{not_known, search};

/// Writes one document. `tables` is the SHA-256 of the tables, `date` when the youngest of their
/// sources was made.
pub fn looked_up(
    items: &[LookedUp],
    tables: &[u8; 32],
    date: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    object(&mut buffer, |document| {
        document.plain("schema", SCHEMA);
        document.object("tables", |it| {
            it.text("date", date);
            it.plain("sha256", hex(tables));
        });
        document.array("items", items, |out, looked_up| {
            object(out, |it| item(it, looked_up));
        });
    });
    buffer.push(b'\n');
    out.write_all(&buffer)?;
    out.flush()
}

fn item(object: &mut Object<'_>, looked_up: &LookedUp) {
    object.text("item", &looked_up.item);
    object.word(
        "kind",
        match looked_up.what {
            Item::Address(_) | Item::Network(_) => "address",
            Item::Name(_) => "name",
            Item::Hash(_) => "hash",
        },
    );
    members(object, &looked_up.what);
    object.array("known", &looked_up.known, listed);
    object.array("told", &looked_up.told, told);
    object.array("answers", &looked_up.answers, |out, it| {
        super::writer::object(out, |object| answered(object, it));
    });
    object.boolean("wanted", looked_up.is_wanted);
    object.array("not_known", not_known(looked_up), |out, word| {
        string(out, word);
    });
    match search(looked_up) {
        Some(search) => object.object("search", |it| {
            it.text("quoted", &search.quoted);
            it.text("defanged", &search.defanged);
        }),
        None => object.null("search"),
    }
}

fn members(object: &mut Object<'_>, what: &Item) {
    match what {
        Item::Address(item) => {
            object.ip("ip", item.ip);
            object.optional_number("port", item.port);
            object.object("address", |it| address(it, &item.facts));
        }
        Item::Network(item) => {
            object.plain("network", format_args!("{}/{}", item.first, item.length));
            object.array("announcers", &item.announcers, |out, (known, ranges)| {
                super::writer::object(out, |it| {
                    announcer(it, known);
                    it.number("ranges", *ranges);
                });
            });
            object.number("more_announcers", item.more_announcers);
            object.boolean("has_holes", item.has_holes);
            object.null("address");
        }
        Item::Name(item) => {
            object.null("address");
            object.object("name", |it| {
                it.text("ascii", &item.ascii);
                it.text("unicode", &item.unicode);
                it.text("public_suffix", &item.public_suffix);
                it.word("suffix_by", item.suffix_by.word());
                it.optional_text("registrable", item.registrable.as_deref());
                it.optional_text("platform", item.platform.as_deref());
                special_use(it, item.special);
                it.array("lookalikes", &item.lookalikes, |out, (character, like)| {
                    super::writer::object(out, |it| {
                        it.plain("character", format_args!("U+{:04X}", u32::from(*character)));
                        it.text("looks_like", &like.to_string());
                    });
                });
            });
        }
        Item::Hash(kind) => {
            object.null("address");
            object.object("hash", |it| it.word("algorithm", kind.word()));
        }
    }
}

/// The members of `address`: of an item, and of a connection.
pub(super) fn address(object: &mut Object<'_>, facts: &AddressFacts) {
    match &facts.announced_by {
        Some(known) => object.object("announced_by", |it| announcer(it, known)),
        None => object.null("announced_by"),
    }
    object.optional_plain("block_country", facts.block_country);
    object.array("kind", &facts.kinds, |out, kind| string(out, kind.word()));
    // Only a registry tells the holder, where one was asked.
    let holder = facts.holder.as_ref();
    object.optional_text("holder", holder.map(|it| it.name.lossy()).as_deref());
    object.optional_text("holder_source", holder.map(|it| it.source.word()));
    let special = facts.special.map(|it| (it.name, it.defined_in));
    special_use(object, special);
}

fn announcer(object: &mut Object<'_>, announcer: &Announcer) {
    object.number("asn", announcer.asn);
    object.text("organisation", &announcer.organisation.lossy());
}

fn special_use(object: &mut Object<'_>, special: Option<(&str, &str)>) {
    match special {
        Some((name, defined_in)) => object.object("special_use", |it| {
            it.text("name", name);
            it.text("defined_in", defined_in);
        }),
        None => object.null("special_use"),
    }
}

fn listed(out: &mut Vec<u8>, listed: &Listed) {
    object(out, |it| {
        it.text("list", &listed.list);
        it.optional_text("publisher", listed.publisher.as_deref());
        it.optional_text("date", listed.date.as_deref());
        match &listed.listed_as {
            ListedAs::Kind { kind, provider } => {
                it.word("kind", kind.word());
                let provider = Some(provider.as_str()).filter(|it| !it.is_empty());
                it.optional_text("provider", provider);
                for name in ["indicator", "matched_by", "confidence", "about"] {
                    it.null(name);
                }
            }
            ListedAs::Indicator {
                meaning,
                indicator,
                by,
                confidence,
                about,
            } => {
                it.word("kind", meaning.word());
                it.null("provider");
                it.text("indicator", indicator);
                it.word("matched_by", by.word());
                it.word("confidence", sure(*confidence));
                it.optional_text("about", about.as_deref());
            }
        }
    });
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

fn told(out: &mut Vec<u8>, told: &FileFacts) {
    object(out, |it| {
        it.text("list", &told.list);
        it.optional_text("publisher", told.publisher.as_deref());
        it.optional_text("date", told.date.as_deref());
        it.array("facts", &told.facts, |out, (name, value)| {
            super::writer::object(out, |it| {
                it.text("name", name);
                it.text("value", value);
            });
        });
    });
}
