//! The live screen: one thread folds and publishes snapshots, this one shows them and fulfils what
//! the person asks for.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{Observed, Snapshot, Timestamp};
use observe::writer::Writer;
use observe::{Watch, WatchOptions};
use show::filter::Filter;
use show::tui::{self, Colors, Deed, Options, Outside, Status, Terminal, Theme};
use track::Tracker;

use super::deeds::Hands;
use super::fold::{Ends, Fold, Outcome, Reader};
use super::newest::Newest;
use crate::arguments::{Color, ScreenColors, WatchArguments};
use crate::commands::filter;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{Talk, Usage, is_color_refused};

/// How often a new snapshot is made at first.
const REFRESH: Duration = Duration::from_secs(1);

pub(super) fn run(
    arguments: &WatchArguments,
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    if !is_possible() {
        let text = "the live screen needs a terminal\n\
                    help: 'whocalls watch --ndjson' streams what happens, and 'whocalls list' takes one look";
        return Err(Usage(text.to_owned()).into());
    }
    if arguments.until_exit {
        let text = "the live screen cannot share its terminal with a program\n\
                    help: 'whocalls watch --ndjson --until-exit -- PROGRAM' streams what it does";
        return Err(Usage(text.to_owned()).into());
    }
    filter::read(
        &arguments.words,
        &arguments.filter,
        Filter::parse_for_screen,
    )?;
    // Keys are read after the rights are gone.
    Terminal::prepare().context("cannot read keys from the terminal")?;
    let interrupt = Interrupt::listen()?;
    // Its name is of no more use once the rights are gone.
    let user = observe::user();
    let writer = Writer::start();
    let mut watch = Watch::start(WatchOptions {
        polling: arguments.polling,
        allow_actions: arguments.allow_actions,
    })?;
    let hands = Hands {
        actions: watch.actions(),
        writer,
    };
    let start = Instant::now();
    let refresh = arguments.refresh.unwrap_or(REFRESH);
    let shared = Shared::new(refresh, user, watch.now());
    let ends = Ends {
        interrupt: &interrupt,
        at: arguments.time.map(|time| start + time),
        program: None,
    };
    let fold = Fold::new(watch, Publisher(&shared), refresh, ends);
    let options = Options {
        theme: theme(arguments, color),
        mouse: !arguments.no_mouse,
        refresh,
        actions: arguments.allow_actions,
        filter: filter::text(&arguments.words, &arguments.filter),
    };
    let (log, outcome) = thread::scope(|scope| {
        let thread = thread::Builder::new().name("fold".to_owned());
        let folding = thread.spawn_scoped(scope, || {
            let _over = Over(&shared);
            fold.run()
        })?;
        // Whatever ends this, the fold ends with it.
        let gone = Gone(&shared);
        let (wishes, fulfilled) = (channel(), channel());
        let (to_hands, answers) = (wishes.0, fulfilled.1);
        let thread = thread::Builder::new().name("deeds".to_owned());
        thread.spawn_scoped(scope, move || hands.work(&wishes.1, &fulfilled.0))?;
        let log = show(options, &shared, to_hands, &answers).map(|mut shown| {
            if shown.waits {
                talk.say("Waiting for what was asked for last ...\n");
            }
            // Nobody wishes for anything any more: it ends with the last answer.
            shown.log.extend(&answers);
            shown.log
        });
        drop(gone);
        let outcome = folding.join();
        let outcome = outcome.map_err(|_| anyhow!("the thread that watches has failed"))?;
        Ok::<_, anyhow::Error>((log?, outcome?))
    })?;
    Ok(finish(&log, &outcome, &shared, strict, talk))
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

fn show(
    options: Options,
    shared: &Shared,
    wishes: Sender<Deed>,
    answers: &Receiver<String>,
) -> Result<Shown> {
    let terminal = Terminal::take(options.mouse).context("cannot use the terminal")?;
    let mut desk = Desk {
        shared,
        wishes,
        answers,
        waiting: 0,
    };
    let log = tui::run(terminal, options, &mut desk).context("the terminal has gone")?;
    Ok(Shown {
        log,
        waits: desk.waiting > 0,
    })
}

fn finish(log: &[String], outcome: &Outcome, shared: &Shared, strict: bool, talk: Talk) -> Exit {
    for line in log {
        talk.say(&format!("{line}\n"));
    }
    let gaps = shared.newest.get().map_or(0, |it| it.gaps.len());
    if outcome.totals.lost > 0 || strict && gaps > 0 {
        Exit::Lost
    } else {
        Exit::Done
    }
}

fn theme(arguments: &WatchArguments, color: Color) -> Theme {
    let colors = match (color, arguments.colors) {
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
        ascii: arguments.ascii || plain.contains(&of_environment("TERM").as_str()),
        light,
    }
}

/// What the two threads share.
struct Shared {
    newest: Newest,
    status: Mutex<Status>,
    /// Milliseconds.
    refresh: AtomicU64,
    /// The person has had enough.
    gone: AtomicBool,
    /// The fold has ended.
    over: AtomicBool,
    /// Counts the snapshots.
    published: AtomicU64,
}

impl Shared {
    fn new(refresh: Duration, user: String, since: Timestamp) -> Self {
        let status = Status {
            user,
            since,
            online: None,
            events: 0,
            lost: 0,
            let_go: 0,
            forgotten: 0,
        };
        let shared = Self {
            newest: Newest::default(),
            status: Mutex::new(status),
            refresh: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            over: AtomicBool::new(false),
            published: AtomicU64::new(0),
        };
        shared.every(refresh);
        shared
    }

    fn every(&self, refresh: Duration) {
        let millis = u64::try_from(refresh.as_millis()).unwrap_or(u64::MAX);
        self.refresh.store(millis, Ordering::Relaxed);
    }

    fn status(&self) -> Status {
        let status = self.status.lock();
        status.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, tracker: &Tracker, watch: &Watch) {
        let totals = watch.totals();
        {
            let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            status.online = observe::is_online();
            status.events = totals.events;
            status.lost = totals.lost;
            let let_go = tracker.let_go();
            status.let_go = let_go.closed_connections;
            status.forgotten = let_go.pairs;
        }
        self.newest.put(tracker.snapshot());
        self.published.fetch_add(1, Ordering::Release);
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
struct Publisher<'a>(&'a Shared);

impl Reader for Publisher<'_> {
    fn take(&mut self, observed: Observed, tracker: &mut Tracker, watch: &Watch) {
        let first = matches!(observed, Observed::Look(_));
        tracker.apply(observed, &mut |_, _, _| {});
        // There is something to see at once.
        if first {
            self.0.publish(tracker, watch);
        }
    }

    fn refresh(&mut self, tracker: &Tracker, watch: &Watch) {
        self.0.publish(tracker, watch);
    }

    fn is_gone(&self) -> bool {
        self.0.gone.load(Ordering::Relaxed)
    }

    fn every(&self) -> Option<Duration> {
        let millis = self.0.refresh.load(Ordering::Relaxed);
        Some(Duration::from_millis(millis))
    }
}

/// Where the screen gets its snapshots, and brings its wishes.
struct Desk<'a> {
    shared: &'a Shared,
    wishes: Sender<Deed>,
    answers: &'a Receiver<String>,
    /// How many wishes have no answer yet.
    waiting: usize,
}

impl Outside for Desk<'_> {
    fn newest(&mut self) -> Option<(Arc<Snapshot>, Status)> {
        if self.shared.published.swap(0, Ordering::Acquire) == 0 {
            return None;
        }
        Some((self.shared.newest.get()?, self.shared.status()))
    }

    fn fulfil(&mut self, deed: Deed) {
        match deed {
            Deed::Refresh(refresh) => self.shared.every(refresh),
            // Whoever fulfils it lives as long as the screen.
            Deed::Save { .. } | Deed::Close { .. } | Deed::End { .. } => {
                self.waiting += usize::from(self.wishes.send(deed).is_ok());
            }
        }
    }

    fn told(&mut self) -> Option<String> {
        let answer = self.answers.try_recv().ok()?;
        self.waiting = self.waiting.saturating_sub(1);
        Some(answer)
    }

    fn is_over(&mut self) -> bool {
        self.shared.over.load(Ordering::Relaxed)
    }
}
