//! What a tracker told, in one line for each change.

use model::{Connection, Endpoint, Owner, Phase, Snapshot, Tier, Timestamp};

use super::super::{Change, Limits, Tracker};
use super::seen::{Seen, host};

/// What became of a run.
pub(super) struct Run {
    pub(super) tracker: Tracker,
    /// Each connection at each change.
    pub(super) told: Vec<(Change, Connection)>,
    lines: Vec<String>,
}

/// Plays all steps and compares what was told.
#[track_caller]
pub(super) fn check(steps: impl IntoIterator<Item = Seen>, expected: &[&str]) -> Run {
    let run = run(Limits::default(), steps);
    assert_eq!(run.lines, expected, "\n{:#?}", run.lines);
    run
}

pub(super) fn run(limits: Limits, steps: impl IntoIterator<Item = Seen>) -> Run {
    let mut run = Run {
        tracker: Tracker::new(host(), Tier::Full, limits),
        told: Vec::new(),
        lines: Vec::new(),
    };
    for step in steps {
        run.step(step);
    }
    run
}

impl Run {
    pub(super) fn step(&mut self, Seen(observed): Seen) {
        self.tracker.apply(observed, &mut |change, time, it| {
            self.lines.push(line(change, time, it));
            self.told.push((change, it.clone()));
        });
    }

    pub(super) fn view(&mut self) -> Snapshot {
        self.tracker.settle(&mut |_, _, _| {});
        self.tracker.snapshot()
    }
}

pub(super) fn millis(time: Timestamp) -> i64 {
    time.unix_nanos() / 1_000_000
}

fn line(change: Change, time: Timestamp, it: &Connection) -> String {
    let owner = match it.owner {
        Owner::Known { process, .. } => process.pid.to_string(),
        Owner::Unknown { why } => why.word().to_owned(),
    };
    let mut line = format!(
        "{} {} {} {} {} {} > {} by {owner}",
        millis(time),
        change.word(),
        it.protocol,
        it.state,
        it.direction.word(),
        end(Some(it.local)),
        end(it.remote),
    );
    if !it.also_held_by.is_empty() {
        let others = it.also_held_by.iter().map(|other| other.pid.to_string());
        line += &format!(" and {}", others.collect::<Vec<_>>().join(", "));
    }
    if let (Some(sent), Some(received)) = (it.bytes_sent, it.bytes_received) {
        line += &format!(" {sent}/{received}");
    }
    if let Some(name) = &it.name {
        line += &format!(
            " {} {} {}",
            name.name.lossy(),
            name.source.word(),
            name.strength.word()
        );
    }
    if let Some(error) = &it.error {
        let errno = error.errno.map_or("none".to_owned(), |it| it.to_string());
        let phase = match error.phase {
            Phase::Connect => "connect",
            Phase::Handshake => "handshake",
            Phase::Established => "established",
            Phase::Send => "send",
        };
        line += &format!(" error {errno} {phase}");
    }
    line
}

fn end(endpoint: Option<Endpoint>) -> String {
    let Some(Endpoint { ip: Some(ip), port }) = endpoint else {
        return "-".to_owned();
    };
    port.map_or(ip.to_string(), |port| format!("{ip}:{port}"))
}
