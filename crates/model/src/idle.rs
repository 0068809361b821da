//! Whether somebody is at the computer.

use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

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
