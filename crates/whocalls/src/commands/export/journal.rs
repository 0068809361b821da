//! Events as rows between the packets.

use std::sync::Arc;

use anyhow::Result;
use model::{Endpoint, Event, Observed, Snapshot, Timestamp};
use record::case::OpenCase;
use record::pcapng::{Exporter, JournalEntry};

use crate::commands::case::{Story, Tale};

/// The events of a case in the order of time, each handed on when its time has come.
pub(super) struct Events {
    /// `None`: none are wanted.
    story: Option<Story>,
    next: Option<Event>,
}

impl Events {
    pub(super) fn of(wanted: bool, case: &Arc<OpenCase>) -> Result<Self> {
        let story = wanted.then(|| Story::of(case)).transpose()?;
        Ok(Self { story, next: None })
    }

    /// Writes those until then; all that are left where no time is given.
    ///
    /// Errors: the case is damaged.
    pub(super) fn until(
        &mut self,
        time: Option<Timestamp>,
        snapshot: &Snapshot,
        exporter: &mut Exporter,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        loop {
            if self.next.is_none() {
                self.next = self.read()?;
            }
            let is_due = |event: &mut Event| time.is_none_or(|time| event.time <= time);
            match self.next.take_if(is_due) {
                Some(event) => write(&event, snapshot, exporter, out),
                None => return Ok(()),
            }
        }
    }

    fn read(&mut self) -> Result<Option<Event>> {
        let Some(story) = &mut self.story else {
            return Ok(None);
        };
        while let Some(tale) = story.next()? {
            if let Tale::Observed(Observed::Event(event)) = tale
                && event.kind != model::EventKind::Tick
            {
                return Ok(Some(event));
            }
        }
        self.story = None;
        Ok(None)
    }
}

fn write(event: &Event, snapshot: &Snapshot, exporter: &mut Exporter, out: &mut Vec<u8>) {
    let process = event.process.and_then(|id| snapshot.processes.get(&id));
    let name = process.map_or_else(|| "no process".into(), |process| process.name.lossy());
    let mut message = format!("{name}: {}", event.kind.word());
    if let Some(protocol) = event.protocol {
        message.push_str(&format!(" {}", protocol.word()));
    }
    let (local, remote) = (event.local.map(end), event.remote.map(end));
    if let Some(remote) = &remote {
        message.push_str(&format!(" {remote}"));
    }
    let mut facts = vec![("event", event.kind.word())];
    facts.extend(local.as_deref().map(|local| ("local", local)));
    facts.extend(remote.as_deref().map(|remote| ("remote", remote)));
    let entry = JournalEntry {
        time: event.time,
        message: &message,
        pid: event.process.map(|id| id.pid),
        name: process.map(|process| &process.name),
        path: process.and_then(|process| process.path.as_ref()),
        command_line: process.and_then(|process| process.command_line.as_deref()),
        uid: process.and_then(|process| process.uid),
        facts: &facts,
    };
    exporter.event(&entry, out);
}

fn end(end: Endpoint) -> String {
    match (end.ip, end.port) {
        (Some(ip), Some(port)) => std::net::SocketAddr::new(ip, port).to_string(),
        (Some(ip), None) => ip.to_string(),
        (None, _) => "-".to_owned(),
    }
}
