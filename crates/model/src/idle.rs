//! Whether somebody is at the computer.

use std::time::Duration;

use crate::Timestamp;

/// When somebody has last used a keyboard, a mouse or a terminal of the computer, as far as its terminals
/// and displays tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// So long nobody has. `None`: nothing could be asked.
    pub idle: Option<Duration>,
    /// What tells the shortest time.
    pub source: Option<IdleSource>,
    /// Displays that could not be asked: somebody may be at one of them.
    pub unasked_displays: u32,
}

impl Idle {
    /// Who has not used it for so long is somewhere else.
    pub const LIMIT: Duration = Duration::from_secs(300);

    pub fn presence(&self) -> Presence {
        match self.idle {
            Some(idle) if idle < Self::LIMIT => Presence::Active,
            Some(_) if self.unasked_displays == 0 => Presence::Idle,
            Some(_) | None => Presence::NotKnown,
        }
    }
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Active,
    /// Nobody has used it for [`Idle::LIMIT`] or longer.
    Idle,
    NotKnown,
}

impl Presence {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::NotKnown => "not known",
        }
    }
}

/// What tells since when nobody has used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleSource {
    /// A terminal: when something was last read from it.
    Tty,
    /// An X server.
    X11,
}

impl IdleSource {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tty => "tty",
            Self::X11 => "x11",
        }
    }
}

/// Since when somebody was there, or nobody was, as far as it was told; in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendance {
    changes: Vec<(Timestamp, Presence)>,
}

impl Attendance {
    /// So many changes are kept, the newest.
    const MOST: usize = 1024;

    /// Told at this time. That nobody is there holds since somebody was last.
    pub fn note(&mut self, time: Timestamp, idle: &Idle) {
        let presence = idle.presence();
        let away = idle.idle.filter(|_| presence == Presence::Idle);
        let away = away.map_or(0, |it| i64::try_from(it.as_nanos()).unwrap_or(i64::MAX));
        let since = Timestamp::from_unix_nanos(time.unix_nanos().saturating_sub(away));
        let last = self.changes.last();
        if last.is_some_and(|(_, before)| *before == presence) {
            return;
        }
        let since = last.map_or(since, |(before, _)| since.max(*before));
        self.changes.push((since, presence));
        let surplus = self.changes.len().saturating_sub(Self::MOST);
        self.changes.drain(..surplus);
    }

    pub fn at(&self, time: Timestamp) -> Presence {
        let later = self.changes.partition_point(|(since, _)| *since <= time);
        let before = later.checked_sub(1).and_then(|it| self.changes.get(it));
        before.map_or(Presence::NotKnown, |(_, presence)| *presence)
    }

    /// How long it was so between these times.
    pub fn lasted(&self, presence: Presence, from: Timestamp, until: Timestamp) -> Duration {
        let ends = self.changes.iter().skip(1).map(|(since, _)| *since);
        let spans = self.changes.iter().zip(ends.chain([until]));
        let spans = spans.filter(|((_, it), _)| *it == presence);
        let spans = spans.map(|((since, _), end)| since.max(&from).until(end.min(until)));
        spans.fold(Duration::ZERO, Duration::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_was_there_since_somebody_was_last() {
        let at = |seconds: i64| Timestamp::from_unix_nanos(seconds * 1_000_000_000);
        let idle = |seconds| Idle {
            idle: Some(Duration::from_secs(seconds)),
            source: None,
            unasked_displays: 0,
        };
        let mut attendance = Attendance::default();
        assert_eq!(attendance.at(at(0)), Presence::NotKnown);
        attendance.note(at(1000), &idle(10));
        attendance.note(at(2000), &idle(400));
        attendance.note(at(3000), &idle(1400));
        attendance.note(at(4000), &idle(0));
        let told = [999, 1000, 1599, 1600, 3999, 4000].map(|it| attendance.at(at(it)));
        use Presence::{Active, NotKnown};
        let idle = Presence::Idle;
        assert_eq!(told, [NotKnown, Active, Active, idle, idle, Active]);
        let lasted = |presence, from, until| attendance.lasted(presence, at(from), at(until));
        assert_eq!(lasted(idle, 0, 9000), Duration::from_secs(2400));
        assert_eq!(lasted(idle, 2000, 3000), Duration::from_secs(1000));
        assert_eq!(lasted(Active, 0, 5000), Duration::from_secs(1600));
        assert_eq!(lasted(Active, 5000, 5000), Duration::ZERO);
    }

    #[test]
    fn nobody_is_there_only_where_all_displays_say_so() {
        let check = |seconds: Option<u64>, unasked_displays, expected| {
            let idle = Idle {
                idle: seconds.map(Duration::from_secs),
                source: None,
                unasked_displays,
            };
            assert_eq!(idle.presence(), expected, "{idle:?}");
        };
        check(Some(299), 0, Presence::Active);
        check(Some(299), 1, Presence::Active);
        check(Some(300), 0, Presence::Idle);
        check(Some(300), 1, Presence::NotKnown);
        check(None, 0, Presence::NotKnown);
    }
}
