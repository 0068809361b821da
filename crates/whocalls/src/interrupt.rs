//! Ends a waiting run cleanly on Ctrl-C or SIGTERM, and when its terminal is closed. A second Ctrl-C
//! ends it at once; nothing else does, since SIGHUP comes twice when a terminal is closed: from the
//! kernel and from the shell. On Windows the console asks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use observe::signals::Asked;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::flag;

use crate::exit::INTERRUPTED_TWICE;

/// How soon a wish to stop is heard.
const STEP: Duration = Duration::from_millis(50);

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Tells whether the person wants to stop.
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    /// There was a Ctrl-C, so that another one ends it at once.
    pressed: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let pressed = Arc::new(AtomicBool::new(false));
        register(&asked, &pressed)?;
        Ok(Self { asked, pressed })
    }

    /// What was asked for is done: the next one counts as the first again.
    pub(crate) fn forget(&self) {
        self.asked.store(false, Ordering::Relaxed);
        self.pressed.store(false, Ordering::Relaxed);
    }

    /// Whether the person has asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Who has. `None`: nobody, or it cannot be told here.
    pub(crate) fn asked_by(&self) -> Option<Asked> {
        self.is_asked().then(observe::signals::first).flatten()
    }

    /// Waits; true when the person asked to stop meanwhile.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let start = Instant::now();
        loop {
            if self.is_asked() {
                return true;
            }
            let Some(left) = time.checked_sub(start.elapsed()) else {
                return false;
            };
            thread::sleep(left.min(STEP));
        }
    }
}

#[cfg(unix)]
fn register(asked: &Arc<AtomicBool>, pressed: &Arc<AtomicBool>) -> io::Result<()> {
    observe::signals::note_senders(&SIGNALS)?;
    // The condition is looked at before this one fulfils it.
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED_TWICE, Arc::clone(pressed))?;
    flag::register(SIGINT, Arc::clone(pressed))?;
    for signal in SIGNALS {
        flag::register(signal, Arc::clone(asked))?;
    }
    Ok(())
}

#[cfg(windows)]
fn register(asked: &Arc<AtomicBool>, pressed: &Arc<AtomicBool>) -> io::Result<()> {
    observe::signals::hear_console(observe::signals::Listener {
        asked: Arc::clone(asked),
        pressed: Arc::clone(pressed),
        twice: INTERRUPTED_TWICE,
    })
}
