//! Whether somebody is at the computer, once a minute: by its terminals, and by its X displays where they can
//! be asked. Told at the beginning, and when it is not as it was.

use std::time::{Duration, Instant};

use model::{Idle, IdleSource, Presence};

use crate::linux::clock::now;
use crate::linux::displays::{Display, XDisplay, displays};
use crate::linux::seats::{MOST, Seats};
use crate::linux::terminals;

const EACH: Duration = Duration::from_secs(60);
/// Displays that take longer do not answer.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) struct Idling {
    /// `None`: there was no X display when we began, or it has ended.
    seats: Option<Seats>,
    due: Instant,
    asking: Option<Asking>,
    told: Option<Presence>,
}

struct Asking {
    until: Instant,
    /// Also those that cannot be asked.
    displays: u32,
}

impl Idling {
    /// To be called while there are rights.
    pub(super) fn begin() -> Self {
        let has_x = displays().iter().any(|it| matches!(it, Display::X(_)));
        Self {
            seats: has_x.then(|| Seats::start().ok()).flatten(),
            due: Instant::now(),
            asking: None,
            told: None,
        }
    }

    /// What is to be told now. Does not wait.
    pub(super) fn tick(&mut self) -> Option<Idle> {
        let time = Instant::now();
        let (displays, answers) = match &self.asking {
            Some(asking) => {
                let answer = self.seats.as_mut().map_or(Some(Vec::new()), Seats::answer);
                let answer = answer.or_else(|| {
                    // A later answer would be taken for that to another question.
                    let is_late = time >= asking.until;
                    is_late.then(|| self.seats = None).map(|()| Vec::new())
                });
                (asking.displays, answer?)
            }
            None if time >= self.due => {
                self.due = time + EACH;
                let all = displays();
                let displays = u32::try_from(all.len()).unwrap_or(u32::MAX);
                if self.ask(&all) {
                    let until = time + PATIENCE;
                    self.asking = Some(Asking { until, displays });
                    return None;
                }
                (displays, Vec::new())
            }
            None => return None,
        };
        self.asking = None;
        self.news(of(terminals::idle(now()), &answers, displays))
    }

    /// Whether there is anybody to wait for.
    fn ask(&mut self, all: &[Display]) -> bool {
        let used = all.iter().filter_map(|display| match display {
            Display::X(display) => Some(*display).filter(|it| it.is_used),
            Display::Other => None,
        });
        let used: Vec<XDisplay> = used.take(MOST).collect();
        let seats = self.seats.as_mut().filter(|_| !used.is_empty());
        seats.is_some_and(|seats| seats.ask(&used))
    }

    fn news(&mut self, idle: Idle) -> Option<Idle> {
        let presence = idle.presence();
        (self.told.replace(presence) != Some(presence)).then_some(idle)
    }
}

/// What terminals and displays say together.
fn of(terminals: Option<Duration>, answers: &[Option<Duration>], displays: u32) -> Idle {
    let answered = answers.iter().flatten();
    let asked = u32::try_from(answered.clone().count()).unwrap_or(u32::MAX);
    let shown = answered.min().map(|idle| (*idle, IdleSource::X11));
    let typed = terminals.map(|idle| (idle, IdleSource::Tty));
    let last = shown.into_iter().chain(typed).min_by_key(|(idle, _)| *idle);
    Idle {
        idle: last.map(|(idle, _)| idle),
        source: last.map(|(_, source)| source),
        unasked_displays: displays.saturating_sub(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn what_was_used_last_counts() {
        let check = |terminals, answers: &[Option<Duration>], displays, expected| {
            let idle = of(terminals, answers, displays);
            let seconds = idle.idle.map(|it| it.as_secs());
            assert_eq!((seconds, idle.source, idle.presence()), expected);
        };
        let (tty, x11) = (Some(IdleSource::Tty), Some(IdleSource::X11));
        check(None, &[], 0, (None, None, Presence::NotKnown));
        check(seconds(900), &[], 0, (Some(900), tty, Presence::Idle));
        // Somebody may be at the display.
        check(seconds(900), &[], 1, (Some(900), tty, Presence::NotKnown));
        check(
            seconds(900),
            &[None],
            1,
            (Some(900), tty, Presence::NotKnown),
        );
        let shown = [seconds(400)];
        check(seconds(900), &shown, 1, (Some(400), x11, Presence::Idle));
        check(seconds(20), &shown, 1, (Some(20), tty, Presence::Active));
        check(
            None,
            &[seconds(20), None],
            2,
            (Some(20), x11, Presence::Active),
        );
    }

    #[test]
    fn only_what_is_not_as_it_was_is_told() {
        let mut idling = Idling {
            seats: None,
            due: Instant::now(),
            asking: None,
            told: None,
        };
        let told: Vec<_> = [10, 20, 400, 500, 30]
            .into_iter()
            .filter_map(|it| idling.news(of(seconds(it), &[], 0)))
            .map(|it| it.idle.unwrap().as_secs())
            .collect();
        assert_eq!(told, [10, 400, 30]);
    }
}
