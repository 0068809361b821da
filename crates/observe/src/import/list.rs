//! Lists of sockets that tools of a computer write, a line for each. A format reads the lines; here
//! they become connections with their owners.
//!
//! Which side opened a connection is told by the whole list: it came in where somebody listens at
//! its local end. So the rows are gathered before they are given out, up to a limit.

mod direction;
mod end;
mod give;
mod services;
mod state;
mod when;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;

use model::{Gap, Imported, Protocol, Source, State, Text};

pub(super) use self::end::{End, Family};
pub(super) use self::state::state;
pub(super) use self::when::When;
pub(super) use self::words::{ip_protocol, is_odd_number, number, word, words};

use self::direction::Listeners;
use self::end::Longest;
use super::field::NO_NUMBER;
use super::format::{Format, Out};
use super::input::Input;
use super::lines::{self, Lines};

/// So many rows are gathered before they are given out. A list that is longer is given out in
/// parts; each part knows the listeners of those before it.
const MOST_ROWS: usize = 1_000_000;
/// So many lines are read, or rows given out, at once.
const AT_ONCE: usize = 4096;
/// More processes than that do not hold one socket.
const MOST_HOLDERS: usize = 4096;
/// Lines that may still turn out to be a title or a header.
const MOST_HELD: usize = 3;

/// One socket of a list.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) protocol: Protocol,
    pub(super) state: State,
    pub(super) local: End,
    pub(super) remote: End,
    pub(super) inode: Option<u64>,
    pub(super) uid: Option<u32>,
    /// Processes that hold it, in the order of the list.
    pub(super) holders: Vec<u32>,
    pub(super) opened: Option<When>,
    pub(super) bytes_sent: Option<u64>,
    pub(super) bytes_received: Option<u64>,
    pub(super) packets_sent: Option<u64>,
    pub(super) packets_received: Option<u64>,
    /// Its number among the rows; a line of `lsof -F0` may end two.
    nth: u64,
}

impl Row {
    pub(super) fn new(protocol: Protocol, state: State, local: End, remote: End) -> Self {
        Self {
            protocol,
            state: state_of(protocol, state),
            local,
            remote,
            inode: None,
            uid: None,
            holders: Vec::new(),
            opened: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            nth: 0,
        }
    }
}

/// Only some protocols have states; the word `UNCONN` stands for none.
fn state_of(protocol: Protocol, state: State) -> State {
    if protocol.has_connections() {
        state
    } else {
        State::Open
    }
}

/// What a list says of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) name: Option<Text>,
    pub(super) path: Option<Text>,
    pub(super) user: Option<Text>,
    pub(super) uid: Option<u32>,
    /// Services of Windows for which it holds sockets.
    pub(super) services: BTreeSet<Text>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A socket.
    Row,
    /// It heads a list; a title may stand before it.
    Header,
    /// It belongs to another line, or tells of something that is no socket of a network.
    Known,
    /// It was not understood, and why.
    Odd(&'static str),
}

/// A way in which a tool writes its list.
pub(super) trait Reading: Default + Send + 'static {
    /// The name of the tool, as a person types it.
    const TOOL: &'static str;
    /// Any words may stand before the first row: the header in another language.
    const HEADED_BY_ANY_WORDS: bool = false;

    fn line(&mut self, line: &[u8], list: &mut List) -> Line;

    /// There are no more lines.
    fn end(&mut self, _list: &mut List) {}
}

/// What was read of a list.
#[derive(Default)]
pub(super) struct List {
    rows: VecDeque<Row>,
    programs: BTreeMap<u32, Program>,
    longest: Longest,
    /// `*` stands for any address of IPv6 (a newer `ss`) or of IPv4 (an older one).
    any_is_v6: Option<bool>,
    /// Of times: the day comes before the month.
    day_first: Option<bool>,
    gaps: Vec<Gap>,
    /// The line that is read has a number in it that cannot be; the rest of it is kept.
    has_odd_number: bool,
    /// So many rows were added.
    added: u64,
    /// Of the line that is read.
    number: u64,
}

impl List {
    pub(super) fn add(&mut self, row: Row) {
        self.longest.see(&row.local);
        self.longest.see(&row.remote);
        if let Some(when) = row.opened {
            if self.gaps.is_empty() {
                self.gaps.push(of_no_zone());
            }
            self.day_first = self.day_first.or(when.shows_day_first());
        }
        self.added += 1;
        let nth = self.added;
        self.rows.push_back(Row { nth, ..row });
    }

    /// The line that is read has a number in it that cannot be.
    pub(super) fn has_odd_number(&mut self) {
        self.has_odd_number = true;
    }

    /// Those that wait to be given out.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = &mut Row> {
        self.rows.iter_mut()
    }

    /// The row that was added last.
    pub(super) fn last(&mut self) -> Option<&mut Row> {
        self.rows.back_mut()
    }

    /// Of a process that the list names. Windows gives 0 to connections that nobody holds any more:
    /// that is none.
    pub(super) fn program(&mut self, pid: u32) -> Option<&mut Program> {
        (pid != 0).then(|| self.programs.entry(pid).or_default())
    }

    /// The row that was added last is held by this process too.
    pub(super) fn held_by(&mut self, pid: u32) {
        let Some(row) = self.rows.back_mut().filter(|_| pid != 0) else {
            return;
        };
        if row.holders.len() < MOST_HOLDERS && !row.holders.contains(&pid) {
            row.holders.push(pid);
            self.programs.entry(pid).or_default();
        }
    }

    /// Columns are narrower than usual, and what is too long for them is cut.
    pub(super) fn is_narrow(&mut self) {
        self.longest.is_narrow();
    }

    /// What `*` stands for. The first that tells is right.
    pub(super) fn any_is_v6(&mut self, v6: bool) {
        self.any_is_v6.get_or_insert(v6);
    }
}

/// A list that has times does not say of which time zone.
fn of_no_zone() -> Gap {
    Gap::standing(
        "time_zone_unknown",
        Source::Log,
        "the list has times of its computer and does not say of which time zone; they are taken as \
         UTC, --clock-offset puts them right",
        "when connections began, by up to 14 hours",
    )
}

/// A format whose files are such lists.
pub(super) struct Listed<R> {
    reading: R,
    lines: Lines,
    line: Vec<u8>,
    list: List,
    listeners: Listeners,
    held: VecDeque<Held>,
    /// Rows that wait to be given out have come to the limit, or are all.
    giving: bool,
    ended: bool,
}

/// A line that was not understood, and may yet turn out to be a title or a header.
struct Held {
    number: u64,
    why: &'static str,
    words: usize,
    digits: bool,
}

/// A new reader of a list.
pub(super) fn open<R: Reading>() -> Box<dyn Format> {
    Box::new(Listed::<R> {
        reading: R::default(),
        lines: Lines::default(),
        line: Vec::new(),
        list: List::default(),
        listeners: Listeners::default(),
        held: VecDeque::new(),
        giving: false,
        ended: false,
    })
}

/// Whether a file begins with such a list. Some lines of other things may come first; after its first
/// row or header most lines are of the list, else it is a text that shows one.
pub(super) fn recognises<R: Reading>(head: &[u8]) -> bool {
    let head = lines::decoded(head);
    let (mut reading, mut list) = (R::default(), List::default());
    let (mut known, mut odd, mut begun) = (0_usize, 0_usize, false);
    let mut whole = lines::of_head(&head).peekable();
    while let Some(line) = whole.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        // The last line of a beginning may be cut.
        let last = whole.peek().is_none();
        match reading.line(line, &mut list) {
            Line::Row | Line::Header => {
                begun = true;
                known += 1;
            }
            Line::Known if begun => known += 1,
            Line::Odd(_) if begun && !last && !is_command::<R>(line) => odd += 1,
            Line::Known | Line::Odd(_) => {}
        }
    }
    begun && known > odd
}

/// A prompt, and what was typed there to make the list.
fn is_command<R: Reading>(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    if line.len() > 256 {
        return false;
    }
    let mut words = words(line);
    let is_tool = |word: &[u8]| {
        let name = word
            .rsplit(|byte| b"/\\>".contains(byte))
            .next()
            .unwrap_or(word);
        let name = name.to_ascii_lowercase();
        name.strip_suffix(b".exe").unwrap_or(&name) == R::TOOL.as_bytes()
    };
    let is_prompt = |word: &[u8]| word.ends_with(b">") || matches!(word.last(), Some(b'$' | b'#'));
    let begins = |word: &[u8]| {
        is_prompt(word) || matches!(word, b"sudo" | b"doas" | b"%") || word.ends_with(b"%")
    };
    match words.clone().position(is_tool) {
        Some(0) => words.nth(1).is_none_or(is_option),
        Some(at) => words.clone().nth(at - 1).is_some_and(begins),
        None => line.len() < 128 && words.next_back().is_some_and(is_prompt),
    }
}

fn is_option(word: &[u8]) -> bool {
    matches!(word.first(), Some(b'-' | b'/' | b'|' | b'>'))
}

impl<R: Reading> Format for Listed<R> {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        if self.giving {
            // The last row may go on in the next lines.
            let keep = usize::from(!self.ended);
            self.giving = give::some(&mut self.list, &self.listeners, AT_ONCE, keep, out);
            return Ok(self.giving || !self.ended);
        }
        for _ in 0..AT_ONCE {
            let Some((number, line)) = self.lines.next(input, out)? else {
                self.end(out);
                return Ok(true);
            };
            self.line.clear();
            self.line.extend(line);
            self.list.number = number;
            self.take(out);
        }
        if self.list.rows.len() > MOST_ROWS {
            self.begin_to_give();
        }
        Ok(true)
    }
}

impl<R: Reading> Listed<R> {
    fn take(&mut self, out: &mut Out) {
        if self.line.trim_ascii().is_empty() {
            return;
        }
        self.list.has_odd_number = false;
        let told = self.reading.line(&self.line, &mut self.list);
        if self.list.has_odd_number && !matches!(told, Line::Odd(_)) {
            self.lines.skip(out, NO_NUMBER);
        }
        match told {
            Line::Odd(_) if is_command::<R>(&self.line) => {}
            Line::Odd(why) => {
                if self.lines.open_end() {
                    self.skip_held(out);
                    self.lines.skip(out, why);
                    return;
                }
                self.held
                    .push_back(Held::of(&self.line, self.list.number, why));
                if self.held.len() > MOST_HELD {
                    skip(self.held.pop_front(), out);
                }
            }
            Line::Header => {
                self.held.pop_back_if(|line| line.is_title());
                self.skip_held(out);
            }
            Line::Row => {
                if R::HEADED_BY_ANY_WORDS
                    && self.held.pop_back_if(|line| line.is_header()).is_some()
                {
                    self.held.pop_back_if(|line| line.is_title());
                }
                self.skip_held(out);
            }
            Line::Known => self.skip_held(out),
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.list.has_odd_number = false;
        self.reading.end(&mut self.list);
        if self.list.has_odd_number {
            self.lines.skip(out, NO_NUMBER);
        }
        self.skip_held(out);
        for gap in self.list.gaps.drain(..) {
            out.seen.push(Imported::Gap(gap));
        }
        self.ended = true;
        self.begin_to_give();
    }

    fn begin_to_give(&mut self) {
        give::settle(&mut self.list);
        self.listeners.see(&self.list.rows);
        self.giving = true;
    }

    fn skip_held(&mut self, out: &mut Out) {
        while !self.held.is_empty() {
            skip(self.held.pop_front(), out);
        }
    }
}

fn skip(held: Option<Held>, out: &mut Out) {
    if let Some(held) = held {
        out.skip(|| format!("line {}", held.number), || held.why.to_owned());
    }
}

impl Held {
    fn of(line: &[u8], number: u64, why: &'static str) -> Self {
        Self {
            number,
            why,
            words: words(line).count(),
            digits: line.iter().any(u8::is_ascii_digit),
        }
    }

    fn is_title(&self) -> bool {
        !self.digits
    }

    /// It has a word for a column each.
    fn is_header(&self) -> bool {
        !self.digits && self.words >= 3
    }
}

#[cfg(test)]
mod tests;
