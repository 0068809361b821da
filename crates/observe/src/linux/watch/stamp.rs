//! Gives events their number and their time.

use model::{BootId, Detail, Event, EventKind, Observed, ProcessId, Source, Timestamp};

/// What all events of a run share.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) boot: BootId,
    /// UTC of the boot: one for the whole run.
    pub(super) boot_time: Timestamp,
    /// See `host::boot_time_shift`.
    pub(super) boot_time_shift: i64,
    pub(super) source: Source,
    /// Of the last event.
    pub(super) seq: u64,
}

impl Stamp {
    /// Numbers an event, and hands it on.
    pub(super) fn tell(&mut self, mut event: Event, seen: &mut Vec<Observed>) {
        self.seq += 1;
        event.seq = self.seq;
        seen.push(Observed::Event(event));
    }

    /// A new event, without its number; `nanos` since boot.
    pub(super) fn event(&self, nanos: u64, kind: EventKind) -> Event {
        Event {
            seq: 0,
            time: self.time(nanos),
            boot_ns: nanos,
            source: self.source,
            kind,
            process: None,
            thread: None,
            netns: None,
            socket: None,
            protocol: None,
            local: None,
            remote: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            detail: Detail::Nothing,
        }
    }

    /// UTC of a moment after boot.
    pub(super) fn time(&self, nanos: u64) -> Timestamp {
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        Timestamp::from_unix_nanos(self.boot_time.unix_nanos().saturating_add(nanos))
    }

    /// A run of a program, by its start in the kernel's own nanoseconds.
    pub(super) fn process(&self, pid: u32, started: u64) -> ProcessId {
        ProcessId {
            boot: self.boot,
            pid,
            start_ticks: started.saturating_add_signed(self.boot_time_shift)
                / ProcessId::NANOS_PER_TICK,
        }
    }

    /// UTC of the start of a process.
    pub(super) fn started(&self, id: ProcessId) -> Timestamp {
        self.time(id.start_ticks.saturating_mul(ProcessId::NANOS_PER_TICK))
    }
}
