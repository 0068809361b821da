//! Which key does what: one table for the hand, the footer and the help.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::view::View;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Show(View),
    NextView,
    PreviousView,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Unfold,
    Fold,
    UnfoldRest,
    Detail,
    Back,
    Filter,
    Sort,
    Reverse,
    Group,
    Pivot,
    HideListeners,
    HideLoopback,
    HideLocalNetwork,
    Pause,
    Freeze,
    Mark,
    OnlyMarked,
    CopyRow,
    CopyFilter,
    Save,
    Menu,
    Refresh,
    Times,
    Earlier,
    Later,
    ZoomIn,
    ZoomOut,
    NotSeen,
    Help,
    Redraw,
    Quit,
}

/// A row of the help.
pub(super) struct Binding {
    pub(super) shown: &'static str,
    codes: &'static [KeyCode],
    action: Action,
    pub(super) help: &'static str,
    /// In the footer. `None`: not there.
    footer: Option<&'static str>,
}

const fn binding(
    shown: &'static str,
    codes: &'static [KeyCode],
    action: Action,
    help: &'static str,
    footer: Option<&'static str>,
) -> Binding {
    Binding {
        shown,
        codes,
        action,
        help,
        footer,
    }
}

use Action as A;
use KeyCode::Char as C;

/// In the order of the footer and of the help. The views have the keys 1 to 7.
#[rustfmt::skip]
pub(super) const BINDINGS: [Binding; 35] = [
    binding("Enter", &[KeyCode::Enter], A::Detail, "all that is known of the row, and close it again", Some("details")),
    binding("/", &[C('/')], A::Filter, "filter: Tab completes, Enter keeps it, Esc takes it away", Some("filter")),
    binding("→ l", &[KeyCode::Right, C('l')], A::Unfold, "open what is folded under the row", Some("open")),
    binding("← h", &[KeyCode::Left, C('h')], A::Fold, "fold it, or go to the row above it", None),
    binding("o", &[C('o')], A::UnfoldRest, "open and fold what is counted only", Some("all")),
    binding(".", &[C('.'), KeyCode::Menu], A::Menu, "what can be done with the row", Some("menu")),
    binding("Space", &[C(' ')], A::Pause, "hold the picture; nothing is lost meanwhile", Some("hold")),
    binding("?", &[C('?'), KeyCode::F(1)], A::Help, "this help", Some("help")),
    binding("q", &[C('q')], A::Quit, "end", Some("quit")),
    binding("Tab", &[KeyCode::Tab], A::NextView, "the next view; 1 to 7 a certain one", None),
    binding("Shift-Tab", &[KeyCode::BackTab], A::PreviousView, "the view before", None),
    binding("↑ k", &[KeyCode::Up, C('k')], A::Up, "up", None),
    binding("↓ j", &[KeyCode::Down, C('j')], A::Down, "down", None),
    binding("PgUp", &[KeyCode::PageUp], A::PageUp, "a page up", None),
    binding("PgDn", &[KeyCode::PageDown], A::PageDown, "a page down", None),
    binding("Home g", &[KeyCode::Home, C('g')], A::First, "to the first row", None),
    binding("End G", &[KeyCode::End, C('G')], A::Last, "to the last row", None),
    binding("Esc", &[KeyCode::Esc], A::Back, "back: closes what is open, then takes the filter away", None),
    binding("s", &[C('s')], A::Sort, "sort by the next column; a click on its heading does it too", None),
    binding("S", &[C('S')], A::Reverse, "turn the order round", None),
    binding("b", &[C('b')], A::Group, "put connections together: by process, destination, user, port", None),
    binding("p", &[C('p')], A::Pivot, "only what belongs to the row, in the view of connections", None),
    binding("L", &[C('L')], A::HideListeners, "hide and show listeners", None),
    binding("B", &[C('B')], A::HideLoopback, "hide and show what stays on this computer", None),
    binding("N", &[C('N')], A::HideLocalNetwork, "hide and show the local network", None),
    binding("f", &[C('f')], A::Freeze, "keep the order of the rows; new ones come last", None),
    binding("m", &[C('m')], A::Mark, "mark the row", None),
    binding("M", &[C('M')], A::OnlyMarked, "only marked rows, and all again", None),
    binding("y", &[C('y')], A::CopyRow, "copy the row (by the terminal, OSC 52); Y copies the filter", None),
    binding("Y", &[C('Y')], A::CopyFilter, "copy the filter", None),
    binding("e", &[C('e')], A::Save, "save marked rows, else all shown, as CSV or JSON", None),
    binding("R", &[C('R')], A::Refresh, "refresh every 0.5, 1, 2 or 5 seconds", None),
    binding("t", &[C('t')], A::Times, "times of day (UTC), or how long ago", None),
    binding("n", &[C('n')], A::NotSeen, "all that could not be seen, and why", None),
    binding("[ ] + -", &[], A::Earlier, "time: earlier, later, less of it, more of it", None),
];

/// Keys that have no row of their own in the help.
const MORE: [(KeyCode, Action); 5] = [
    (C('['), A::Earlier),
    (C(']'), A::Later),
    (C('+'), A::ZoomIn),
    (C('='), A::ZoomIn),
    (C('-'), A::ZoomOut),
];

/// What a key asks for where nothing is being written. `None`: nothing.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            C('c') => Some(A::Quit),
            C('l') => Some(A::Redraw),
            C('d') => Some(A::PageDown),
            C('u') => Some(A::PageUp),
            _ => None,
        };
    }
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    if let C(digit @ '1'..='7') = key.code {
        let place = digit.to_digit(10)?.checked_sub(1)?;
        return View::at(usize::try_from(place).ok()?).map(A::Show);
    }
    let bound = BINDINGS.iter().find(|it| it.codes.contains(&key.code));
    let more = || MORE.iter().find(|(code, _)| *code == key.code);
    bound
        .map(|it| it.action)
        .or_else(|| more().map(|(_, action)| *action))
}

/// Key and word of each that works, in the order in which they are to be shown.
pub(super) fn footer(works: impl Fn(Action) -> bool) -> Vec<(&'static str, &'static str)> {
    let with_word = BINDINGS.iter().filter_map(|it| Some((it, it.footer?)));
    let working = with_word.filter(|(it, _)| works(it.action));
    // One key is enough to be told here.
    let first = |shown: &'static str| shown.split(' ').next().unwrap_or(shown);
    working.map(|(it, word)| (first(it.shown), word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_stands_once() {
        let mut codes: Vec<KeyCode> = Vec::new();
        let more = MORE.iter().map(|(code, _)| *code);
        for code in BINDINGS
            .iter()
            .flat_map(|it| it.codes.iter().copied())
            .chain(more)
        {
            assert!(!codes.contains(&code), "{code:?}");
            codes.push(code);
        }
    }

    #[test]
    fn every_key_of_the_footer_works() {
        for (shown, word) in footer(|_| true) {
            assert!(!word.is_empty() && !shown.is_empty());
        }
        let key = |code| action(KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(key(C('3')), Some(A::Show(View::Processes)));
        assert_eq!(key(C('q')), Some(A::Quit));
        assert_eq!(key(C('8')), None);
    }
}
