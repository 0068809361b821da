//! From what is observed to lines.

use std::sync::Arc;

use model::{Event, Gap, Host, Look, Observed, Process, Restated, Text, Tier, Timestamp};

use super::event::{CountsLine, EventLine, GapLine};
use super::json;
use super::known::Known;
use super::look::{LookEnd, LookLine, RememberedLine, SocketLine};
use super::name::AnsweredLine;
use super::process::ProcessLine;
use super::restated::ConnectionLine;
use super::start::{EndLine, StartLine};

/// So many counts stand in one line at most.
const COUNTS: usize = 256;

/// Makes the lines of one run, segment by segment. It makes bytes only; who writes them where is
/// not its business.
#[derive(Debug)]
pub struct Encoder {
    /// Of the first line of this segment.
    home: Host,
    known: Known,
    all_events: u64,
    /// Of this segment.
    events: u64,
    gaps: u64,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            home: Host {
                name: Text::default(),
                boot: model::BootId([0; 16]),
            },
            known: Known::default(),
            all_events: 0,
            events: 0,
            gaps: 0,
        }
    }
}

impl Encoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// The first line of a segment. Segments are numbered from 1; each can be read by itself.
    pub fn start(
        &mut self,
        host: &Host,
        taken: Timestamp,
        tier: Tier,
        segment: u32,
        out: &mut Vec<u8>,
    ) {
        self.home = host.clone();
        self.known = Known::default();
        self.events = 0;
        json::line(out, &StartLine::of(host, taken, tier, segment));
    }

    /// What was known when this segment began; comes right after its first line, from the second
    /// segment on.
    pub fn restate(&mut self, state: &Restated, out: &mut Vec<u8>) {
        let home = self.home.boot;
        json::line(out, &LookLine::restated(state));
        for process in &state.processes {
            self.process(process, true, out);
        }
        for connection in &state.connections {
            json::line(out, &ConnectionLine::of(connection, home));
        }
        for answer in &state.answers {
            json::line(out, &AnsweredLine::of(answer, home));
        }
        for event in &state.names {
            json::line(out, &EventLine::restated(event, home));
        }
        for entry in &state.remembered {
            json::line(out, &RememberedLine::of(entry, true, home));
        }
        for (gaps, later) in [(&state.gaps, false), (&state.later_gaps, true)] {
            for gap in gaps {
                json::line(out, &GapLine::of(gap, true, later));
            }
        }
        json::line(out, &LookEnd::of(true));
    }

    pub fn observed(&mut self, observed: &Observed, out: &mut Vec<u8>) {
        match observed {
            Observed::Event(event) => self.event(event, out),
            Observed::Process(process) => self.process(process, false, out),
            Observed::Look(look) => self.look(look, out),
            Observed::Counts(counts) => {
                let parts = counts.chunks(COUNTS).filter_map(CountsLine::of);
                parts.for_each(|part| json::line(out, &part));
            }
            Observed::Gap(gap) => self.gap(gap, out),
        }
    }

    /// The last line of a run: without it, the run was cut off. `lost`: events that the kernel had
    /// no room for.
    pub fn end(&mut self, time: Timestamp, lost: u64, out: &mut Vec<u8>) {
        json::line(out, &EndLine::of(time, self.all_events, self.gaps, lost));
    }

    /// Lines of events in this segment so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.all_events += 1;
        self.events += 1;
        json::line(out, &EventLine::of(event, self.home.boot));
    }

    fn process(&mut self, process: &Arc<Process>, restated: bool, out: &mut Vec<u8>) {
        let former = self.known.get(process.id).map(Arc::as_ref);
        let line = ProcessLine::of(process, former, restated, self.home.boot);
        json::line(out, &line);
        self.known.told(process);
    }

    fn gap(&mut self, gap: &Gap, out: &mut Vec<u8>) {
        self.gaps += 1;
        json::line(out, &GapLine::of(gap, false, false));
    }

    fn look(&mut self, look: &Look, out: &mut Vec<u8>) {
        let home = self.home.boot;
        json::line(out, &LookLine::of(look, &self.home));
        for process in &look.processes {
            self.process(&Arc::new(process.clone()), false, out);
        }
        for socket in &look.sockets {
            json::line(out, &SocketLine::of(socket, home));
        }
        for entry in &look.remembered {
            json::line(out, &RememberedLine::of(entry, false, home));
        }
        for gap in &look.gaps {
            self.gap(gap, out);
        }
        json::line(out, &LookEnd::of(false));
    }
}
