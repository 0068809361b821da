//! The screen, over whatever feeds it: a watch, a recording, a case. One thread folds and publishes
//! snapshots, this one shows them and fulfils what the person asks for.

mod deeds;
mod desk;
mod list;
pub(super) mod newest;
mod shared;

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use model::{Findings, Observed};
use observe::Watch;
use show::tui::{self, Colors, Options, Terminal, Theme, Told};
use track::Tracker;

pub(crate) use self::deeds::Hands;
use self::desk::Desk;
pub(crate) use self::list::List;
pub(crate) use self::shared::{Preserving, Shared};
use super::fold::Reader;
use super::judging::{Judging, STEP};
use super::known;
use crate::arguments::{Color, ScreenColors};
use crate::output::{Talk, is_color_refused};

/// How often a new snapshot is made at first.
pub(crate) const REFRESH: Duration = Duration::from_secs(1);

/// Has a thread of its own work and shows what it publishes, until the person or the work ends it.
/// Tells what the person had done.
///
/// Errors: the terminal has gone; of the work.
pub(crate) fn alongside<T: Send>(
    work: impl FnOnce() -> Result<T> + Send,
    hands: Hands,
    options: Options,
    shared: &Shared,
    talk: Talk,
) -> Result<(Vec<String>, T)> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("fold".to_owned());
        let folding = thread.spawn_scoped(scope, || {
            let _over = Over(shared);
            work()
        })?;
        // Whatever ends this, the fold ends with it.
        let gone = Gone(shared);
        let thread = thread::Builder::new().name("judge".to_owned());
        thread.spawn_scoped(scope, || judge_all(shared))?;
        let (wishes, fulfilled) = (channel(), channel());
        let (to_hands, answers) = (wishes.0, fulfilled.1);
        let thread = thread::Builder::new().name("deeds".to_owned());
        thread.spawn_scoped(scope, move || hands.work(&wishes.1, &fulfilled.0))?;
        let desk = Desk::new(shared, to_hands, &answers);
        let log = show(options, desk).map(|mut shown| {
            if shown.waits {
                talk.say("Waiting for what was asked for last ...\n");
            }
            // Nobody wishes for anything any more: it ends with the last answer.
            shown.log.extend(answers.iter().filter_map(in_words));
            shown.log
        });
        drop(gone);
        let worked = folding.join();
        let worked = worked.map_err(|_| anyhow!("the thread behind the screen has failed"))?;
        Ok((log?, worked?))
    })
}

/// `None`: there is nothing to tell when nobody looks any more.
fn in_words(told: Told) -> Option<String> {
    match told {
        Told::Done(text) | Told::ListSaved(Ok(text) | Err(text)) | Told::NotKept(text) => {
            Some(text)
        }
        Told::Known(_) => None,
    }
}

/// Judges whatever is published, until nobody looks or nothing more comes.
fn judge_all(shared: &Shared) {
    let mut judging = Judging::new();
    let mut told = Findings::default();
    while known::is_open() && !shared.is_gone() {
        let is_over = shared.over.load(Ordering::Relaxed);
        let newest = shared.newest.get();
        let findings = newest.and_then(|it| judging.judge(&it));
        if let Some(findings) = findings.filter(|it| !it.is_same_as(&told)) {
            told = findings.clone();
            shared.found(findings);
        }
        if is_over {
            break;
        }
        thread::sleep(STEP);
    }
}

/// Whether there is a terminal to draw on and to read keys from.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What is left when the screen has ended.
struct Shown {
    /// What was done.
    log: Vec<String>,
    /// Something is still being done.
    waits: bool,
}

fn show(options: Options, mut desk: Desk<'_>) -> Result<Shown> {
    let terminal = Terminal::take(options.mouse).context("cannot use the terminal")?;
    let log = tui::run(terminal, options, &mut desk).context("the terminal has gone")?;
    Ok(Shown {
        log,
        waits: desk.waits(),
    })
}

/// How the screen is to look.
pub(crate) fn theme(colors: ScreenColors, ascii: bool, color: Color) -> Theme {
    let colors = match (color, colors) {
        (Color::Never, _) => Colors::Mono,
        (Color::Auto, _) if is_color_refused() => Colors::Mono,
        (Color::Auto | Color::Always, ScreenColors::Usual) => Colors::Usual,
        (Color::Auto | Color::Always, ScreenColors::Tcpview) => Colors::TcpView,
        (Color::Auto | Color::Always, ScreenColors::Mono) => Colors::Mono,
    };
    let of_environment = |name| std::env::var(name).unwrap_or_default();
    // The console of the kernel has no such characters.
    let plain = ["linux", "dumb", "vt100", "vt220", "ansi"];
    // `foreground;background`, as rxvt, Konsole and others set it; 7 and 15 are white.
    let background = of_environment("COLORFGBG");
    let light = matches!(background.rsplit(';').next(), Some("7" | "15"));
    Theme {
        colors,
        ascii: ascii || plain.contains(&of_environment("TERM").as_str()),
        light,
    }
}

/// Whoever shows things hears that no more will come, whatever ends the fold.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// Whoever folds hears that nobody looks any more, whatever ends the screen.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

/// Takes what is observed, and publishes what is known.
pub(crate) struct Publisher<'a> {
    shared: &'a Shared,
    has_published: bool,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            has_published: false,
        }
    }
}

impl Reader for Publisher<'_> {
    fn take(&mut self, observed: Observed, tracker: &mut Tracker) {
        tracker.apply(observed, &mut |_, _, _| {});
    }

    fn taken(&mut self, tracker: &Tracker, watch: &mut Watch) {
        // There is something to see at once.
        if !self.has_published {
            self.refresh(tracker, watch);
        }
    }

    fn refresh(&mut self, tracker: &Tracker, watch: &mut Watch) {
        self.has_published = true;
        self.shared.publish(tracker, watch);
    }

    fn is_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Relaxed)
    }

    fn every(&self) -> Option<Duration> {
        let millis = self.shared.refresh.load(Ordering::Relaxed);
        Some(Duration::from_millis(millis))
    }
}
