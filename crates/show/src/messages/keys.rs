//! The help: what each key does. Also what keys are called.

// The names; a key that is a sign is called by it.

pub(crate) const ENTER_KEY: &str = "Enter";
pub(crate) const SPACE_KEY: &str = "Space";
pub(crate) const TAB_KEY: &str = "Tab";
pub(crate) const SHIFT_TAB_KEYS: &str = "Shift-Tab";
pub(crate) const PAGE_UP_KEY: &str = "PgUp";
pub(crate) const PAGE_DOWN_KEY: &str = "PgDn";
pub(crate) const HOME_KEYS: &str = "Home g";
pub(crate) const END_KEYS: &str = "End G";
pub(crate) const ESCAPE_KEY: &str = "Esc";
pub(crate) const UP_DOWN_KEYS: &str = "↑↓";
pub(crate) const LEFT_RIGHT_KEYS: &str = "←→";

// The page.

// Of a case.
pub(crate) const STEP_BACK: &str = "the moment before: a sixtieth of the axis";
pub(crate) const STEP_ON: &str = "the moment after; a click on the axis goes anywhere";
pub(crate) const LEAP: &str = "a quarter of the axis back, or on";
pub(crate) const TO_ENDS: &str = "to the begin or the end of what was recorded";

pub(crate) const TITLE: &str = "KEYS";

pub(crate) const DETAIL: &str =
    "all that is known of the row, and close it again; of a finding then its connections";
pub(crate) const FILTER: &str = "filter: Tab completes, Enter keeps it, Esc takes it away";
pub(crate) const UNFOLD: &str = "open what is folded under the row";
pub(crate) const FOLD: &str = "fold it, or go to the row above it";
pub(crate) const UNFOLD_REST: &str = "open and fold what is counted only";
pub(crate) const MENU: &str = "what can be done with the row";
pub(crate) const RHYTHM: &str =
    "the rhythm of its calls: gaps between them, sizes, days and hours; what the rules say of it";
pub(crate) const WHOSE: &str = "whose it is, as far as is known here; puts it on the list of what to ask from another computer";
pub(crate) const PAUSE: &str = "hold the picture; nothing is lost meanwhile";
pub(crate) const HELP: &str = "this help";
pub(crate) const QUIT: &str = "end";
pub(crate) const NEXT_VIEW: &str = "the next view; 1 to 8 a certain one";
pub(crate) const PREVIOUS_VIEW: &str = "the view before";
pub(crate) const UP: &str = "up";
pub(crate) const DOWN: &str = "down";
pub(crate) const PAGE_UP: &str = "a page up";
pub(crate) const PAGE_DOWN: &str = "a page down";
pub(crate) const FIRST: &str = "to the first row";
pub(crate) const LAST: &str = "to the last row";
pub(crate) const BACK: &str = "back: closes what is open, then takes the filter away";
pub(crate) const SORT: &str = "sort by the next column; a click on its heading does it too";
pub(crate) const REVERSE: &str = "turn the order round";
pub(crate) const GROUP: &str = "put connections together: by process, destination, user, port";
pub(crate) const PIVOT: &str = "only what belongs to the row, in the view of connections";
pub(crate) const HIDE_LISTENERS: &str = "hide and show listeners";
pub(crate) const HIDE_LOOPBACK: &str = "hide and show what stays on this computer";
pub(crate) const HIDE_LOCAL_NETWORK: &str = "hide and show the local network";
pub(crate) const FREEZE: &str = "keep the order of the rows; new ones come last";
pub(crate) const MARK: &str = "mark the row";
pub(crate) const ONLY_MARKED: &str = "only marked rows, and all again";
pub(crate) const COPY_ROW: &str = "copy the row (by the terminal, OSC 52); Y copies the filter";
pub(crate) const COPY_FILTER: &str = "copy the filter";
pub(crate) const SAVE: &str = "save marked rows, else all shown, as CSV or JSON";
pub(crate) const WIRESHARK: &str = "the command that opens its packets in Wireshark; copies it too";
pub(crate) const RECORDING: &str = "what is recorded, or how to record";
pub(crate) const REFRESH: &str = "refresh every 0.5, 1, 2 or 5 seconds";
pub(crate) const TIMES: &str = "times of day (UTC; of other days the date), or how long ago";
pub(crate) const NOT_SEEN: &str = "all that could not be seen, and why";
pub(crate) const TIME: &str = "time: earlier, later, less of it, more of it";

/// What signs of a case mean, above the others.
pub(crate) const SIGNS_OF_CASE: &str = "▼ the moment that is shown   · later than that";

/// What signs mean, below the keys.
pub(crate) const SIGNS: [&str; 5] = [
    "+ new   ~ changed   - ended, for a few seconds   * marked",
    "time strip: ▃▄▅▆█ calls (1, 2, 5, 20, 100 and more)   ─ open   × failed   ░ not seen",
    "OPEN 3+2: three connections and two that wait for others",
    "● a finding to look at first   ▲ a finding to look at   (what is to be noted has no sign)",
    "◆ stands out by what is plain to see; nothing is called ordinary yet",
];
