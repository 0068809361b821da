//! The terminal itself: made ready, read, painted, and left as it was, however the run ends.

use std::io::{self, Stdout, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{self, DisableMouseCapture, EnableMouseCapture, Event};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;

use super::screen::{Reaction, Screen};
use super::{Options, Outside, copy, draw};

/// A key is heard at once; whatever else happens, this soon.
const STEP: Duration = Duration::from_millis(50);

/// Whether there is something to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, ready to be used. Giving it up restores it.
pub struct Terminal {
    terminal: ratatui::Terminal<CrosstermBackend<Stdout>>,
    _taken: Taken,
}

impl Terminal {
    /// Opens what reading keys needs. Call it before rights are given up.
    ///
    /// Errors: there is no terminal.
    pub fn prepare() -> io::Result<()> {
        event::poll(Duration::ZERO).map(|_| ())
    }

    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        let taken = Taken;
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout();
        execute!(out, EnterAlternateScreen, Hide)?;
        if mouse {
            execute!(out, EnableMouseCapture)?;
        }
        let terminal = ratatui::Terminal::new(CrosstermBackend::new(out))?;
        Ok(Self {
            terminal,
            _taken: taken,
        })
    }
}

/// Gives the terminal back, also when only half of it was taken.
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Restores the terminal, once.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        // Nobody is left to hear of a failure.
        let _ = execute!(out, DisableMouseCapture, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = out.flush();
    }
}

/// Shows what `outside` has until the person has had enough. Gives what was done meanwhile, a line
/// each, for the record.
///
/// Errors: the terminal has gone.
pub fn run(
    mut terminal: Terminal,
    options: Options,
    outside: &mut impl Outside,
) -> io::Result<Vec<String>> {
    let mut screen = Screen::new(options);
    let mut changed = true;
    while !outside.is_over() {
        if let Some((snapshot, status)) = outside.newest() {
            screen.show(snapshot, status);
            changed = true;
        }
        while let Some(told) = outside.told() {
            screen.tell(told);
            changed = true;
        }
        if screen.has_ended() {
            break;
        }
        while let Some(answer) = outside.preserved() {
            screen.preserved(answer);
            changed = true;
        }
        if changed {
            let painted = terminal.terminal.draw(|frame| {
                let area = frame.area();
                draw::screen(&mut screen, area, frame.buffer_mut());
            });
            painted?;
            changed = false;
        }
        let mut wait = STEP;
        // All that is there at once: pasted text and a held key must not be painted one by one.
        while event::poll(wait)? {
            wait = Duration::ZERO;
            changed = true;
            let reaction = match event::read()? {
                Event::Key(key) => screen.key(key),
                Event::Mouse(mouse) => screen.mouse(mouse),
                Event::Resize(..) | Event::FocusGained | Event::FocusLost | Event::Paste(_) => {
                    Reaction::Nothing
                }
            };
            match reaction {
                Reaction::Nothing => {}
                Reaction::Quit => return Ok(screen.into_log()),
                Reaction::Redraw => terminal.terminal.clear()?,
                Reaction::Deed(deed) => outside.fulfil(deed),
                Reaction::Copy(text) => {
                    let mut out = io::stdout();
                    out.write_all(copy::sequence(&text).as_bytes())?;
                    out.flush()?;
                }
            }
        }
    }
    Ok(screen.into_log())
}
