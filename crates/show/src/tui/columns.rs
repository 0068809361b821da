//! The columns of each view: which fit, and what stands in them.

mod cells;

pub(super) use self::cells::{Filler, mark};
use super::view::View;
use crate::messages::columns as titles;
use crate::order::Sort;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `+`, `~`, `-`, or the mark of the person.
    Sign,
    /// The tree, where there is one.
    Name,
    Process,
    Pid,
    User,
    Protocol,
    State,
    Local,
    Remote,
    Open,
    Calls,
    Failed,
    Destinations,
    Who,
    Sent,
    Received,
    Opened,
    Closed,
    Last,
    /// What came of it.
    Outcome,
    /// How often a name was asked for.
    Asked,
    First,
    Answer,
    /// Whether a connection followed.
    Then,
    /// What is to be done with a finding.
    Word,
    /// What was found.
    Title,
    /// What the checks of a process said.
    Checks,
    Time,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) title: &'static str,
    pub(super) width: usize,
    pub(super) right: bool,
}

/// A column as it is wanted: how narrow it may be, and how wide it likes to be.
struct Wanted {
    kind: Kind,
    title: &'static str,
    least: usize,
    best: usize,
    /// The lowest leaves first where room is short.
    rank: u8,
}

const fn wanted(kind: Kind, title: &'static str, least: usize, best: usize, rank: u8) -> Wanted {
    Wanted {
        kind,
        title,
        least,
        best,
        rank,
    }
}

/// Never leaves.
const STAYS: u8 = u8::MAX;

fn wanted_by(view: View) -> Vec<Wanted> {
    use Kind as K;
    let sign = wanted(K::Sign, " ", 1, 1, STAYS);
    let sent = wanted(K::Sent, titles::SENT, 5, 5, 50);
    let received = wanted(K::Received, titles::RECEIVED, 5, 5, 49);
    let open = wanted(K::Open, titles::OPEN, 5, 5, 80);
    let calls = wanted(K::Calls, titles::CALLS, 6, 6, 70);
    let failed = wanted(K::Failed, titles::FAILED, 6, 6, 60);
    let time = |least, rank| wanted(K::Time, "", least, 60, rank);
    match view {
        View::Overview => vec![
            sign,
            wanted(K::Name, titles::PROGRAM, 16, 40, STAYS),
            open,
            wanted(K::Destinations, titles::DESTINATIONS, 4, 4, 40),
            calls,
            failed,
            sent,
            received,
            time(12, 90),
        ],
        View::Connections => vec![
            sign,
            wanted(K::Process, titles::PROCESS, 11, 20, STAYS),
            wanted(K::Pid, titles::PID, 7, 9, 80),
            wanted(K::User, titles::USER, 7, 10, 30),
            wanted(K::Protocol, titles::PROTOCOL, 5, 6, 70),
            wanted(K::State, titles::STATE, 11, 12, 75),
            wanted(K::Local, titles::LOCAL, 19, 30, 35),
            wanted(K::Remote, titles::REMOTE, 21, 46, STAYS),
            sent,
            received,
            wanted(K::Opened, titles::OPENED, 8, 8, 32),
            time(12, 60),
        ],
        View::Processes => vec![
            sign,
            wanted(K::Name, titles::PROCESS_TREE, 26, 70, STAYS),
            wanted(K::Pid, titles::PID, 7, 8, 90),
            wanted(K::User, titles::USER, 8, 12, 65),
            wanted(K::Checks, titles::CHECKS, 8, 17, 72),
            open,
            failed,
            sent,
            received,
            time(12, 75),
        ],
        View::Destinations => vec![
            sign,
            wanted(K::Name, titles::DESTINATION, 24, 48, STAYS),
            wanted(K::Who, titles::CALLED_BY, 12, 30, 85),
            open,
            calls,
            failed,
            sent,
            received,
            time(12, 75),
        ],
        View::Timeline => vec![
            sign,
            wanted(K::Process, titles::PROGRAM, 12, 20, STAYS),
            wanted(K::Remote, titles::DESTINATION, 19, 40, 80),
            wanted(K::Calls, titles::CALLS, 6, 7, 70),
            wanted(K::Last, titles::LAST, 8, 8, 30),
            wanted(K::Time, "", 20, 400, STAYS),
        ],
        View::History => vec![
            sign,
            wanted(K::Opened, titles::OPENED, 8, 8, 85),
            wanted(K::Closed, titles::CLOSED, 8, 8, 60),
            wanted(K::Process, titles::PROCESS, 11, 20, STAYS),
            wanted(K::Pid, titles::PID, 7, 9, 65),
            wanted(K::Protocol, titles::PROTOCOL, 5, 6, 40),
            wanted(K::Remote, titles::REMOTE, 21, 46, STAYS),
            wanted(K::Outcome, titles::OUTCOME, 11, 40, 80),
            sent,
            received,
            time(12, 30),
        ],
        View::Findings => vec![
            sign,
            wanted(K::Word, titles::WORD, 12, 12, STAYS),
            wanted(K::Title, titles::FOUND, 23, 24, STAYS),
            wanted(K::Process, titles::PROGRAM, 10, 20, 90),
            wanted(K::Remote, titles::DESTINATION, 15, 46, 85),
            wanted(K::First, titles::SINCE, 7, 8, 60),
            wanted(K::Calls, titles::CONNECTIONS, 5, 6, 70),
        ],
        View::Names => vec![
            sign,
            wanted(K::Name, titles::NAME, 22, 48, STAYS),
            wanted(K::Who, titles::ASKED_BY, 12, 30, 85),
            wanted(K::Asked, titles::ASKED, 5, 6, 70),
            wanted(K::First, titles::FIRST, 8, 8, 40),
            wanted(K::Last, titles::LAST, 8, 8, 55),
            wanted(K::Answer, titles::ANSWER, 15, 40, 80),
            wanted(K::Then, titles::THEN, 14, 24, 75),
            sent,
            received,
            time(12, 52),
        ],
    }
}

/// The columns that fit into `width`, one blank between them.
pub(super) fn fitting(view: View, width: usize) -> Vec<Column> {
    let mut all = wanted_by(view);
    let total = |all: &[Wanted], of: fn(&Wanted) -> usize| {
        all.iter().map(of).sum::<usize>() + all.len().saturating_sub(1)
    };
    while total(&all, |it| it.least) > width {
        let ranks = all.iter().enumerate().map(|(place, it)| (it.rank, place));
        match ranks.min().filter(|(rank, _)| *rank != STAYS) {
            Some((_, place)) => drop(all.remove(place)),
            None => break,
        }
    }
    let mut spare = width.saturating_sub(total(&all, |it| it.least));
    let mut columns: Vec<Column> = all.iter().map(Wanted::narrow).collect();
    // A little for each in turn, so that none is starved.
    while spare > 0 {
        let mut grown = false;
        for (column, wanted) in columns.iter_mut().zip(&all) {
            if spare > 0 && column.width < wanted.best {
                column.width += 1;
                spare -= 1;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    columns
}

impl Wanted {
    fn narrow(&self) -> Column {
        Column {
            kind: self.kind,
            title: self.title,
            width: self.least,
            right: matches!(
                self.kind,
                Kind::Sent
                    | Kind::Received
                    | Kind::Open
                    | Kind::Calls
                    | Kind::Failed
                    | Kind::Destinations
                    | Kind::Asked
            ),
        }
    }
}

/// Whether the rows of a view can be put in order by a column.
pub(super) fn is_sortable(view: View, kind: Kind) -> bool {
    if view.is_of_connections() {
        return sort_of(kind).is_some();
    }
    let by_amount = matches!(
        kind,
        Kind::Name | Kind::Open | Kind::Calls | Kind::Failed | Kind::Sent | Kind::Received
    );
    match view {
        View::Overview => by_amount || kind == Kind::Destinations,
        View::Processes | View::Destinations => by_amount,
        View::Timeline => by_amount || matches!(kind, Kind::Process | Kind::Remote | Kind::Last),
        View::Names => {
            matches!(
                kind,
                Kind::Name
                    | Kind::Who
                    | Kind::Asked
                    | Kind::First
                    | Kind::Last
                    | Kind::Then
                    | Kind::Sent
                    | Kind::Received
            )
        }
        View::Findings => kind != Kind::Sign,
        View::Connections | View::History => false,
    }
}

/// The columns that connections can be put in order by, as they stand from left to right.
pub(super) fn sort_of(kind: Kind) -> Option<Sort> {
    Some(match kind {
        Kind::Process | Kind::Name => Sort::Process,
        Kind::Pid => Sort::Pid,
        Kind::User => Sort::User,
        Kind::Protocol => Sort::Protocol,
        Kind::State => Sort::State,
        Kind::Local => Sort::Local,
        Kind::Remote => Sort::Remote,
        Kind::Sent => Sort::Sent,
        Kind::Received => Sort::Received,
        Kind::Opened => Sort::Opened,
        Kind::Closed => Sort::Closed,
        Kind::Sign
        | Kind::Open
        | Kind::Calls
        | Kind::Failed
        | Kind::Destinations
        | Kind::Who
        | Kind::Last
        | Kind::Outcome
        | Kind::Asked
        | Kind::First
        | Kind::Answer
        | Kind::Then
        | Kind::Word
        | Kind::Title
        | Kind::Checks
        | Kind::Time => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_every_width() {
        for view in View::ALL {
            for width in 40..300 {
                let columns = fitting(view, width);
                let taken: usize = columns.iter().map(|it| it.width + 1).sum();
                assert!(taken <= width + 1, "{view:?} {width}: {taken}");
            }
        }
    }

    #[test]
    fn eighty_columns_have_room_for_time() {
        for view in View::ALL.into_iter().filter(|it| *it != View::Findings) {
            let columns = fitting(view, 80);
            let time = columns.iter().any(|it| it.kind == Kind::Time);
            let has_others = matches!(view, View::History | View::Names);
            assert!(time || has_others, "{view:?}");
        }
    }
}
