//! Which key does what: one table for the hand, the footer and the help.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::view::View;
use crate::messages::{frame, keys as help};

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
    Rhythm,
    Whose,
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
    /// To another moment of a case.
    StepBack,
    StepOn,
    LeapBack,
    LeapOn,
    ToBegin,
    ToEnd,
    Wireshark,
    Recording,
    NotSeen,
    Help,
    Redraw,
    Quit,
}

/// A row of the help.
pub(super) struct Binding {
    pub(super) shown: &'static str,
    codes: &'static [KeyCode],
    pub(super) action: Action,
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

/// In the order of the footer and of the help. The views have the keys 1 to 8.
#[rustfmt::skip]
pub(super) const BINDINGS: [Binding; 43] = [
    binding("<", &[C('<')], A::StepBack, help::STEP_BACK, Some(frame::STEP_BACK)),
    binding(">", &[C('>')], A::StepOn, help::STEP_ON, Some(frame::STEP_ON)),
    binding("{ }", &[], A::LeapBack, help::LEAP, None),
    binding("^ $", &[], A::ToBegin, help::TO_ENDS, None),
    binding(help::ENTER_KEY, &[KeyCode::Enter], A::Detail, help::DETAIL, Some(frame::DETAILS)),
    binding("/", &[C('/')], A::Filter, help::FILTER, Some(frame::FILTER)),
    binding("→ l", &[KeyCode::Right, C('l')], A::Unfold, help::UNFOLD, Some(frame::OPEN)),
    binding("← h", &[KeyCode::Left, C('h')], A::Fold, help::FOLD, None),
    binding("o", &[C('o')], A::UnfoldRest, help::UNFOLD_REST, Some(frame::ALL)),
    binding(".", &[C('.'), KeyCode::Menu], A::Menu, help::MENU, Some(frame::MENU)),
    binding("b", &[C('b')], A::Rhythm, help::RHYTHM, Some(frame::RHYTHM)),
    binding("w", &[C('w')], A::Whose, help::WHOSE, None),
    binding(help::SPACE_KEY, &[C(' ')], A::Pause, help::PAUSE, Some(frame::HOLD)),
    binding("?", &[C('?'), KeyCode::F(1)], A::Help, help::HELP, Some(frame::HELP)),
    binding("q", &[C('q')], A::Quit, help::QUIT, Some(frame::QUIT)),
    binding(help::TAB_KEY, &[KeyCode::Tab], A::NextView, help::NEXT_VIEW, None),
    binding(help::SHIFT_TAB_KEYS, &[KeyCode::BackTab], A::PreviousView, help::PREVIOUS_VIEW, None),
    binding("↑ k", &[KeyCode::Up, C('k')], A::Up, help::UP, None),
    binding("↓ j", &[KeyCode::Down, C('j')], A::Down, help::DOWN, None),
    binding(help::PAGE_UP_KEY, &[KeyCode::PageUp], A::PageUp, help::PAGE_UP, None),
    binding(help::PAGE_DOWN_KEY, &[KeyCode::PageDown], A::PageDown, help::PAGE_DOWN, None),
    binding(help::HOME_KEYS, &[KeyCode::Home, C('g')], A::First, help::FIRST, None),
    binding(help::END_KEYS, &[KeyCode::End, C('G')], A::Last, help::LAST, None),
    binding(help::ESCAPE_KEY, &[KeyCode::Esc], A::Back, help::BACK, None),
    binding("s", &[C('s')], A::Sort, help::SORT, None),
    binding("S", &[C('S')], A::Reverse, help::REVERSE, None),
    binding("c", &[C('c')], A::Group, help::GROUP, None),
    binding("p", &[C('p')], A::Pivot, help::PIVOT, None),
    binding("L", &[C('L')], A::HideListeners, help::HIDE_LISTENERS, None),
    binding("B", &[C('B')], A::HideLoopback, help::HIDE_LOOPBACK, None),
    binding("N", &[C('N')], A::HideLocalNetwork, help::HIDE_LOCAL_NETWORK, None),
    binding("f", &[C('f')], A::Freeze, help::FREEZE, None),
    binding("m", &[C('m')], A::Mark, help::MARK, None),
    binding("M", &[C('M')], A::OnlyMarked, help::ONLY_MARKED, None),
    binding("y", &[C('y')], A::CopyRow, help::COPY_ROW, None),
    binding("Y", &[C('Y')], A::CopyFilter, help::COPY_FILTER, None),
    binding("e", &[C('e')], A::Save, help::SAVE, None),
    binding("W", &[C('W')], A::Wireshark, help::WIRESHARK, None),
    binding("r", &[C('r')], A::Recording, help::RECORDING, None),
    binding("R", &[C('R')], A::Refresh, help::REFRESH, None),
    binding("t", &[C('t')], A::Times, help::TIMES, None),
    binding("n", &[C('n')], A::NotSeen, help::NOT_SEEN, None),
    binding("[ ] + -", &[], A::Earlier, help::TIME, None),
];

/// Keys that have no row of their own in the help.
const MORE: [(KeyCode, Action); 9] = [
    (C('{'), A::LeapBack),
    (C('}'), A::LeapOn),
    (C('^'), A::ToBegin),
    (C('$'), A::ToEnd),
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
    if let C(digit @ '1'..='8') = key.code {
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
        assert_eq!(key(C('8')), Some(A::Show(View::Names)));
        assert_eq!(key(C('9')), None);
    }
}
