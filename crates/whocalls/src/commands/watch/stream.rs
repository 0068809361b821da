//! Writes lines as they come: a line is out at most 100 ms after what it tells of.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result};
use show::json::{End, Program, Status, Stream};

use super::queue::{Dropped, Item, Queue};
use crate::commands::data;
use crate::commands::fold::Outcome;
use crate::output::Out;

/// How long to wait for a line before looking whether there will be any.
const STEP: Duration = Duration::from_millis(500);
/// Lines are handed on when they hold this much, or nothing more waits.
const CHUNK: usize = 256 * 1024;

/// Lines that go to standard output.
pub(super) struct Lines {
    stream: Stream,
    out: Out,
}

/// Writes everything that comes; the last line is still to be written.
///
/// Errors: nobody reads any more, or the disk is full. Then the queue is abandoned.
pub(super) fn write(queue: &Queue, out: Out) -> Result<Lines> {
    let mut lines = Lines::new(out);
    let mut items = Vec::new();
    while queue.take(STEP, &mut items) {
        if let Err(error) = lines.tell_all(&mut items) {
            queue.abandon();
            return Err(error).context("cannot write to standard output");
        }
    }
    Ok(lines)
}

impl Lines {
    pub(super) fn new(out: Out) -> Self {
        let mut stream = Stream::default();
        stream.ask(data::addresses());
        Self { stream, out }
    }

    pub(super) fn tell_all(&mut self, items: &mut Vec<Item>) -> io::Result<()> {
        if items.is_empty() && self.out.is_closed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        for item in items.drain(..) {
            self.tell(item)?;
        }
        self.flush()
    }

    fn tell(&mut self, item: Item) -> io::Result<()> {
        let stream = &mut self.stream;
        match item {
            Item::Start { host, taken, tier } => stream.start(&host, taken, tier),
            Item::Event { event, process } => {
                process.iter().for_each(|process| stream.process(process));
                stream.event(&event);
            }
            Item::Process(process) => stream.process(&process),
            Item::Connection {
                change,
                time,
                connection,
                owner,
                also_held_by,
            } => {
                for process in owner.iter().chain(&also_held_by) {
                    stream.process(process);
                }
                stream.connection(change.word(), time, &connection);
            }
            Item::Gap(gap) => stream.gap(&gap),
            Item::Finding {
                change,
                time,
                finding,
                process,
            } => {
                process.iter().for_each(|process| stream.process(process));
                stream.finding(change, time, &finding);
            }
            Item::Findings(findings) => stream.find(&findings),
        }
        if stream.waiting_bytes() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_to(&mut self.out)
    }

    /// Writes the last line.
    pub(super) fn end(&mut self, outcome: &Outcome, dropped: Dropped) -> io::Result<()> {
        self.stream.end(&End {
            time: outcome.time,
            events_seen: outcome.totals.events,
            lost: outcome.totals.lost,
            dropped: dropped.all(),
            dropped_updates: dropped.updated,
            program: outcome.program.map(|(pid, ended)| Program {
                pid,
                status: ended.map(|ended| Status {
                    code: ended.code,
                    signal: ended.signal,
                }),
            }),
        });
        self.flush()
    }

    /// How many gaps were told of.
    pub(super) fn gaps(&self) -> u64 {
        self.stream.gaps()
    }
}
