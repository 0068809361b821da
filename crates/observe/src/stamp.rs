//! Gives events their number and their time.

#[cfg(target_os = "linux")]
use model::{BootId, ProcessId};
use model::{Detail, Event, EventKind, Observed, Source, Timestamp};

/// What all events of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    #[cfg(target_os = "linux")]
    pub(crate) boot: BootId,
    /// UTC of the boot: one for the whole run.
    pub(crate) boot_time: Timestamp,
    /// See `linux::host::boot_time_shift`.
    #[cfg(target_os = "linux")]
    pub(crate) boot_time_shift: i64,
    pub(crate) source: Source,
    /// Of the last event.
    pub(crate) seq: u64,
}

impl Stamp {
    /// Numbers an event, and hands it on.
    pub(crate) fn tell(&mut self, mut event: Event, seen: &mut Vec<Observed>) {
        self.seq += 1;
        event.seq = self.seq;
        seen.push(Observed::Event(event));
    }

    /// A new event, without its number; `nanos` since boot.
    pub(crate) fn event(&self, nanos: u64, kind: EventKind) -> Event {
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
    pub(crate) fn time(&self, nanos: u64) -> Timestamp {
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        Timestamp::from_unix_nanos(self.boot_time.unix_nanos().saturating_add(nanos))
    }

    /// A run of a program, by its start in the kernel's own nanoseconds.
    #[cfg(target_os = "linux")]
    pub(crate) fn process(&self, pid: u32, started: u64) -> ProcessId {
        ProcessId {
            boot: self.boot,
            pid,
            start_ticks: started.saturating_add_signed(self.boot_time_shift)
                / ProcessId::NANOS_PER_TICK,
        }
    }

    /// UTC of the start of a process.
    #[cfg(target_os = "linux")]
    pub(crate) fn started(&self, id: ProcessId) -> Timestamp {
        self.time(id.start_ticks.saturating_mul(ProcessId::NANOS_PER_TICK))
    }
}
