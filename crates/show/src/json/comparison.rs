//! What two sides differ in, in JSON.

use std::collections::HashMap;
use std::io::{self, Write};

use model::{Comparison, Difference, DifferenceChange, NotCompared, Side, Timestamp};

use super::finding::{evidence, fact, members as finding_members};
use super::writer::{Object, object, string};
use super::{SCHEMA, gap};
use crate::comparison::in_words;
use crate::messages::comparison as around;

/// The buffer is handed on whenever it holds this much.
const CHUNK: usize = 256 * 1024;

/// Writes one document: both sides, every difference, ordinary ones among them, and what could not be
/// compared.
pub fn compared(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut result = Ok(());
    object(&mut buffer, |document| {
        document.plain("schema", SCHEMA);
        document.object("before", |it| side(it, &comparison.before));
        document.object("after", |it| side(it, &comparison.after));
        document.array("not_compared", &comparison.not_compared, |out, it| {
            object(out, |object| not_compared(object, *it));
        });
        document.object("same", |same| {
            same.number("programs", comparison.same.programs);
            same.number("destinations", comparison.same.destinations);
            same.number("listeners", comparison.same.listeners);
            same.number("findings", comparison.same.findings);
        });
        document.object("counts", |counts| {
            for change in DifferenceChange::ALL {
                let of = comparison.differences.iter();
                let of = of.filter(|it| it.change == *change);
                let ordinary = of.clone().filter(|it| it.ordinary).count();
                counts.object(change.word(), |it| {
                    it.number("all", of.count());
                    it.number("ordinary", ordinary);
                });
            }
        });
        document.array("differences", &comparison.differences, |buffer, it| {
            object(buffer, |object| members(object, it));
            if buffer.len() >= CHUNK && result.is_ok() {
                result = out.write_all(buffer);
                buffer.clear();
            }
        });
    });
    result?;
    buffer.push(b'\n');
    out.write_all(&buffer)?;
    out.flush()
}

fn side(object: &mut Object<'_>, side: &Side) {
    object.text("name", &side.name);
    object.word("kind", side.kind.word());
    let host = side.host.as_ref().map(|it| it.lossy());
    object.optional_text("host", host.as_deref());
    object.optional_plain("boot", side.boot);
    let from = side.span.and_then(|it| it.0.told());
    let until = side.span.and_then(|it: (Timestamp, Timestamp)| it.1.told());
    object.optional_plain("from", from);
    object.optional_plain("until", until);
    object.optional_plain("tier", side.tier.map(model::Tier::word));
    object.object("shows", |it| {
        let shows = side.shows;
        it.boolean("owners", shows.owners);
        it.boolean("listeners", shows.listeners);
        it.boolean("names", shows.names);
        it.boolean("packages", shows.packages);
        it.boolean("hashes", shows.hashes);
        it.boolean("examined", shows.examined);
        it.boolean("every_process", shows.every_process);
    });
    object.array("gaps", &side.gaps, gap);
}

fn not_compared(object: &mut Object<'_>, it: NotCompared) {
    object.word("what", it.word());
    object.optional_plain("side", it.side().map(model::Which::word));
    object.optional_number("count", it.count());
    object.text("text", &around::not_compared(it, false));
}

fn members(object: &mut Object<'_>, difference: &Difference) {
    let said = in_words(difference);
    object.word("kind", difference.kind.word());
    object.word("change", difference.change.word());
    object.word("severity", difference.severity.word());
    object.word("confidence", difference.confidence.word());
    object.boolean("ordinary", difference.ordinary);
    let program = difference.program.as_ref().map(|it| it.lossy());
    object.optional_text("program", program.as_deref());
    let device = difference
        .device
        .map(|it| crate::devices::in_short(it, &HashMap::new()));
    object.optional_text("device", device.as_deref());
    object.text("thing", &difference.thing);
    object.text("title", &said.title);
    object.text("explanation", &said.explanation);
    object.text("innocent", &said.innocent);
    object.text("next", &said.next);
    object.object("facts", |facts| {
        for (name, value) in &difference.facts {
            fact(facts, name, value);
        }
    });
    object.array("doubts", &difference.doubts, |out, it| {
        string(out, it.word())
    });
    object.object("evidence", |object| {
        object.array("before", &difference.before, evidence);
        object.array("after", &difference.after, evidence);
    });
    match &difference.finding {
        Some(finding) => object.object("finding", |object| {
            finding_members(object, finding, &HashMap::new());
        }),
        None => object.null("finding"),
    }
}
