//! Events out of an EVTX file. A chunk that is ruined is counted, and the others are read.

use std::borrow::Cow;
use std::io::{self, Read};

use model::{Gap, Imported, Source};

use super::super::field;
use super::super::format::{Format, Out};
use super::super::input::{Input, is_damage};
use super::binary_xml::{self, Sink};
use super::chunk;
use super::events::Events;
use super::processes::number;
use super::record::{Provider, Record};

#[derive(Default)]
pub(super) struct Evtx {
    /// How many chunks were read. `None`: not even the head.
    chunks: Option<u64>,
    /// How many there should be.
    in_use: u64,
    events: Events,
    collected: Collected,
}

impl Format for Evtx {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        let Some(chunks) = self.chunks else {
            let head = piece(input, chunk::HEAD)?;
            self.chunks = Some(0);
            self.in_use = chunk::in_use(&head);
            if head.len() < chunk::HEAD {
                out.cut(format!("byte {}", head.len()));
            } else if !chunk::is_head_whole(&head) {
                out.skip(
                    || "head of the file".to_owned(),
                    || "it does not fit its checksum; what follows is here".to_owned(),
                );
            }
            if chunk::is_dirty(&head) {
                out.seen.push(Imported::Gap(Gap::standing(
                    "log_not_closed",
                    Source::Log,
                    "the event log was not closed when this file was made from it, as its head says",
                    "events of its last moments may not have been written yet",
                )));
            }
            return Ok(head.len() == chunk::HEAD);
        };
        let bytes = piece(input, chunk::CHUNK)?;
        if bytes.len() < chunk::CHUNK {
            if !bytes.is_empty() {
                out.cut(format!("chunk {}", chunks + 1));
            }
            self.chunk(chunks + 1, &bytes, out);
            self.events.end(out);
            return Ok(false);
        }
        self.chunks = Some(chunks + 1);
        self.chunk(chunks + 1, &bytes, out);
        Ok(true)
    }
}

impl Evtx {
    fn chunk(&mut self, number: u64, bytes: &[u8], out: &mut Out) {
        if bytes.is_empty() {
            return;
        }
        let place = || format!("chunk {number}");
        if chunk::is_unused(bytes) {
            // Windows makes room for later.
            if number <= self.in_use {
                out.skip(place, || "there is nothing in it".to_owned());
            }
            return;
        }
        let Some(records) = chunk::records(bytes) else {
            out.skip(place, || "it is ruined".to_owned());
            return;
        };
        // Of one that is cut the end is missing, which is said by itself.
        if let Some(why) = chunk::damage(bytes).filter(|_| bytes.len() == chunk::CHUNK) {
            out.skip(place, || why.to_owned());
        }
        for (record, place) in (1_u32..).zip(records) {
            let told = match place {
                Ok(place) => self.record(bytes, &place, out),
                Err(chunk::Ruined) => Err("here a record should begin"),
            };
            if let Err(why) = told {
                out.skip(
                    || format!("chunk {number}, record {record}"),
                    || why.to_owned(),
                );
            }
        }
    }

    fn record(
        &mut self,
        bytes: &[u8],
        place: &chunk::Place,
        out: &mut Out,
    ) -> Result<(), &'static str> {
        let collected = &mut self.collected;
        collected.clear();
        let read = binary_xml::read(bytes, place.from, place.to, collected);
        read.map_err(|binary_xml::Ruined| "it is ruined")?;
        match collected.record(place.written) {
            Some(record) => self.events.tell(&record, out),
            None => Ok(()),
        }
    }
}

/// So many bytes, or what there is.
fn piece(input: &mut Input, bytes: usize) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(bytes);
    let most = u64::try_from(bytes).unwrap_or(u64::MAX);
    match input.by_ref().take(most).read_to_end(&mut piece) {
        Ok(_) => Ok(piece),
        // What it was packed in is damaged: what was read counts.
        Err(error) if is_damage(&error) => Ok(piece),
        Err(error) => Err(error),
    }
}

/// What is wanted of an event.
#[derive(Debug, Default)]
struct Collected {
    /// The elements that are open.
    open: Vec<Element>,
    provider: String,
    event: String,
    created: String,
    computer: String,
    fields: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Provider,
    EventId,
    TimeCreated,
    Computer,
    /// Of `EventData`: the last of the fields.
    Data,
    Other,
}

impl Sink for Collected {
    fn element(&mut self, name: &str) {
        let element = match name {
            "Provider" => Element::Provider,
            "EventID" => Element::EventId,
            "TimeCreated" => Element::TimeCreated,
            "Computer" => Element::Computer,
            "Data" => {
                self.fields.push(Default::default());
                Element::Data
            }
            _ => Element::Other,
        };
        self.open.push(element);
    }

    fn value(&mut self, attribute: Option<&str>, text: &str) {
        let place = match (self.open.last(), attribute) {
            (Some(Element::Provider), Some("Name")) => &mut self.provider,
            (Some(Element::EventId), None) => &mut self.event,
            (Some(Element::TimeCreated), Some("SystemTime")) => &mut self.created,
            (Some(Element::Computer), None) => &mut self.computer,
            (Some(Element::Data), attribute) => match (self.fields.last_mut(), attribute) {
                (Some((name, _)), Some("Name")) => name,
                (Some((_, value)), None) => value,
                _ => return,
            },
            _ => return,
        };
        place.push_str(text);
    }

    fn end(&mut self) {
        self.open.pop();
    }
}

impl Collected {
    fn clear(&mut self) {
        self.open.clear();
        self.fields.clear();
        for text in [
            &mut self.provider,
            &mut self.event,
            &mut self.created,
            &mut self.computer,
        ] {
            text.clear();
        }
    }

    /// `None`: nothing is taken from it.
    fn record(&self, written: Option<i64>) -> Option<Record<'_>> {
        let provider = Provider::named(self.provider.as_bytes());
        let event = number(self.event.as_bytes())?;
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()));
        Record::is_wanted(provider, event).then(|| Record {
            provider,
            event,
            written: field::time(self.created.as_bytes()).or(written),
            computer: Cow::Borrowed(self.computer.as_bytes()),
            fields: fields.collect(),
            message: Cow::Borrowed(b""),
        })
    }
}
