//! Programs that send whole frames: what leaves by a packet socket is bound to no connection, and
//! may pass the capture of packets.

use std::collections::HashSet;

use model::{Gap, Source};

use crate::parse::socket_event::SocketEvent;
use crate::stamp::Stamp;

/// So many processes are named.
const MOST_NAMED: usize = 64;

/// Which processes have been told of.
#[derive(Default)]
pub(super) struct FrameSenders {
    named: HashSet<(u32, u64)>,
    /// It was said that there are others.
    has_others: bool,
}

impl FrameSenders {
    /// What is not sure from the first frame on that a process sends. `told`: of a packet socket.
    pub(super) fn gap(&mut self, told: &SocketEvent, stamp: &Stamp) -> Option<Gap> {
        let owner = told.owner.filter(|_| told.packets_sent > 0)?;
        let process = (owner.pid, owner.started);
        if self.named.contains(&process) {
            return None;
        }
        let who = if self.named.len() < MOST_NAMED {
            self.named.insert(process);
            let name = String::from_utf8_lossy(owner.name());
            let name: String = name.chars().filter(|it| !it.is_control()).collect();
            format!(
                "a program sends by a packet socket: {name} (process {})",
                owner.pid
            )
        } else if std::mem::replace(&mut self.has_others, true) {
            return None;
        } else {
            format!(
                "more than {MOST_NAMED} programs send by packet sockets; the others are not named"
            )
        };
        Some(Gap {
            id: "frames_sent".to_owned(),
            source: Source::Ebpf,
            why: who,
            missed: "what it sends may pass the capture of packets, and may borrow the ends of a \
                     connection of another program"
                .to_owned(),
            since: Some(stamp.time(told.time)),
            until: None,
            count: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::socket_event::{socket_event, tests::event};
    use model::{BootId, Timestamp};

    #[test]
    fn each_is_named_once_and_the_rest_together() {
        let stamp = Stamp {
            boot: BootId([0; 16]),
            boot_time: Timestamp::from_unix_nanos(0),
            boot_time_shift: 0,
            source: Source::Ebpf,
            seq: 0,
        };
        let mut senders = FrameSenders::default();
        let mut gaps = |pid, packets_sent| {
            let mut told = socket_event(&event(5, 0)).unwrap();
            told.packets_sent = packets_sent;
            told.owner.as_mut().unwrap().pid = pid;
            senders.gap(&told, &stamp)
        };
        assert_eq!((1..=100).filter_map(|pid| gaps(pid, 0)).count(), 0);
        let all: Vec<_> = (1..=100)
            .chain(1..=100)
            .filter_map(|pid| gaps(pid, 3))
            .collect();
        assert_eq!(all.len(), MOST_NAMED + 1);
        assert!(all[0].why.ends_with("curl (process 1)"), "{:?}", all[0]);
        assert!(
            all[MOST_NAMED].why.contains("the others"),
            "{:?}",
            all[MOST_NAMED]
        );
    }
}
