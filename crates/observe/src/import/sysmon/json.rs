//! Events as JSON, one on each line: of winlogbeat (`winlog.event_data`), of NXLog and the data sets
//! made with it (flat), of evtx_dump (`Event.System`), of Velociraptor (`System`). Lists of events with
//! one on each line are read too.

use std::borrow::Cow;
use std::io;

use super::super::field;
use super::super::format::{Format, Out};
use super::super::input::Input;
use super::super::json::Value;
use super::super::lines;
use super::events::Events;
use super::record::{Provider, Record};

/// So many lines are read at once.
const LINES: usize = 1024;

pub(super) fn recognises(head: &[u8]) -> bool {
    let head = lines::decoded(head);
    let mut objects = lines::of_head(&head)
        .map(bare)
        .filter(|line| !line.is_empty());
    let first = objects.next().and_then(Value::object);
    first.is_some_and(|event| Form::of(event).is_some())
}

#[derive(Default)]
pub(super) struct Lines {
    lines: lines::Lines,
    events: Events,
}

impl Format for Lines {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        for _ in 0..LINES {
            let Some((_, line)) = self.lines.next(input, out)? else {
                self.events.end(out);
                return Ok(false);
            };
            let line = bare(line);
            if line.is_empty() {
                continue;
            }
            let told = match Value::object(line) {
                Some(event) => match record(event) {
                    Some(record) => self.events.tell(&record, out),
                    None => Ok(()),
                },
                None => Err("it is no JSON object"),
            };
            if let Err(why) = told {
                self.lines.skip(out, why);
            }
        }
        Ok(true)
    }
}

/// Without what stands around it in a list.
fn bare(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    let line = line
        .strip_prefix(b"[")
        .or_else(|| line.strip_prefix(b","))
        .unwrap_or(line);
    let line = match line.strip_suffix(b"]") {
        Some(rest) if !rest.trim_ascii_end().ends_with(b"[") => rest,
        _ => line,
    };
    line.trim_ascii()
        .strip_suffix(b",")
        .unwrap_or(line.trim_ascii())
}

/// Where the parts of an event stand.
struct Form<'a> {
    event: Option<Value<'a>>,
    provider: Option<Value<'a>>,
    computer: Option<Value<'a>>,
    written: Option<Value<'a>>,
    fields: Value<'a>,
    message: Option<Value<'a>>,
}

impl<'a> Form<'a> {
    /// `None`: it is no event of Windows.
    fn of(whole: Value<'a>) -> Option<Self> {
        let inner = whole.member("Event").unwrap_or(whole);
        let form = if let Some(system) = inner.member("System") {
            let event = system.member("EventID")?;
            let value = event.member("Value").or_else(|| event.member("#text"));
            let provider = system.member("Provider");
            let attributes = |value: Option<Value<'a>>, name| {
                let value = value?;
                value.member("#attributes").unwrap_or(value).member(name)
            };
            let created = system.member("TimeCreated");
            Self {
                event: value.or(Some(event)),
                provider: attributes(provider, "Name")
                    .or_else(|| attributes(system.member("Provider_attributes"), "Name")),
                computer: system.member("Computer"),
                written: attributes(created, "SystemTime")
                    .or_else(|| attributes(system.member("TimeCreated_attributes"), "SystemTime")),
                fields: inner.member("EventData")?,
                message: whole.member("Message"),
            }
        } else if let Some(winlog) = whole.member("winlog") {
            Self {
                event: winlog.member("event_id"),
                provider: winlog.member("provider_name"),
                computer: winlog.member("computer_name"),
                written: whole.member("@timestamp"),
                fields: winlog.member("event_data").unwrap_or_default(),
                message: whole.member("message"),
            }
        } else if let Some(data) = whole.member("event_data") {
            // Winlogbeat before version 7.
            Self {
                event: whole.member("event_id"),
                provider: whole.member("source_name"),
                computer: whole.member("computer_name"),
                written: whole.member("@timestamp"),
                fields: data,
                message: whole.member("message"),
            }
        } else {
            Self {
                event: whole.member("EventID"),
                provider: whole
                    .member("SourceName")
                    .or_else(|| whole.member("ProviderName")),
                computer: whole
                    .member("Hostname")
                    .or_else(|| whole.member("Computer")),
                written: whole.member("@timestamp"),
                fields: whole,
                message: whole.member("Message"),
            }
        };
        (form.event.is_some() && form.provider.is_some()).then_some(form)
    }
}

/// `None`: nothing is taken from it.
fn record(whole: Value<'_>) -> Option<Record<'_>> {
    let form = Form::of(whole)?;
    let provider = Provider::named(form.provider?.plain()?);
    let event = form.event?.number()?;
    if !Record::is_wanted(provider, event) {
        return None;
    }
    let string = |value: Option<Value<'_>>| -> Cow<'_, [u8]> {
        value
            .and_then(Value::string)
            .unwrap_or_default()
            .into_owned()
            .into()
    };
    let fields = form
        .fields
        .members()
        .filter_map(|(name, value)| Some((Cow::Borrowed(name), value.string()?)));
    Some(Record {
        provider,
        event,
        written: form
            .written
            .and_then(Value::plain)
            .and_then(field::any_time),
        computer: string(form.computer),
        fields: fields.collect(),
        message: string(form.message),
    })
}
