//! The list of what to ask from another computer as a page of text, for a printer or a stick. Lines of ours
//! begin with `#`, so that the page is what `whocalls lookup -` reads.

use std::fmt::Write as _;

use model::{Question, Snapshot, Timestamp};

use super::ToAskItem;
use super::seen::{Seen, seen};
use crate::messages::whose as texts;
use crate::tui::{Mode, Status};
use crate::visible::{display_width, shorten_end, visible, visible_str};
use crate::wireshark::quoted;

/// What a printer has room for in a line.
const WIDTH: usize = 96;
/// Where what is said of an item begins; hashes are longer.
const ITEM_WIDTH: usize = 24;
const TXT: &str = ".txt";

/// Whether a file of this name is to hold the page.
pub(in crate::tui) fn fits(name: &str) -> bool {
    name.len() > TXT.len() && name.to_ascii_lowercase().ends_with(TXT)
}

/// `file`: what it will be called.
pub(in crate::tui) fn page(
    items: &[ToAskItem],
    snapshot: &Snapshot,
    status: &Status,
    file: &str,
) -> String {
    let case = match &status.mode {
        Mode::Live { recording } => recording.as_ref().map(|it| it.name.as_str()),
        Mode::Case(replay) => Some(replay.name.as_str()),
    };
    let case = case.map(visible_str);
    let host = visible(&snapshot.host.name);
    let all: Vec<_> = items
        .iter()
        .map(|it| seen(&it.question, snapshot))
        .collect();
    let mut page = String::new();
    let mut line = |text: &str| {
        let _ = writeln!(page, "{text}");
    };
    line(texts::PAGE_TITLE);
    line(&texts::page_of(
        &host,
        case.as_deref(),
        &minute(snapshot.taken),
    ));
    line(texts::PAGE_TIMES);
    line(&texts::page_how(&visible_str(&quoted(file.as_bytes()))));
    if all.iter().any(|it| it.is_unpackaged) {
        line(texts::PAGE_HASHES);
    }
    line("");
    for (item, seen) in items.iter().zip(&all) {
        let question = item.question.to_string();
        let about = about(item, seen);
        let room = WIDTH.saturating_sub(display_width(&question).max(ITEM_WIDTH) + 3);
        let about = shorten_end(&about, room);
        line(&format!("{question:ITEM_WIDTH$} # {about}"));
    }
    page
}

fn about(item: &ToAskItem, seen: &Seen<'_>) -> String {
    let mut parts = vec![kind(&item.question).to_owned()];
    // A hash leaves little room: the program says more than the time.
    if !matches!(item.question, Question::Hash(_)) {
        parts.extend(seen.first.map(|it| texts::first(&minute(it))));
    }
    parts.push(programs(seen));
    parts.join(", ")
}

/// `2026-11-22 10:36`.
fn minute(time: Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    text.get(..16).unwrap_or(&text).to_owned()
}

fn programs(seen: &Seen<'_>) -> String {
    let Some((name, path)) = seen.programs.first() else {
        return texts::NOT_SEEN_THEN.to_owned();
    };
    let mut text = visible(name).into_owned();
    let others = seen.programs.len() - 1;
    if others > 0 {
        text.push_str(&texts::and_others(others));
    }
    if let Some(path) = path {
        text.push(' ');
        text.push_str(&visible(path));
    }
    text
}

fn kind(question: &Question) -> &'static str {
    match question {
        Question::Address(_) | Question::Network(_) => texts::ADDRESS,
        Question::Name(_) => texts::NAME,
        Question::Hash(_) => texts::FILE,
    }
}

/// For the screen: kind, item, when and by whom it was seen, whether it was answered.
pub(in crate::tui) fn short(item: &ToAskItem, snapshot: &Snapshot) -> String {
    let seen = seen(&item.question, snapshot);
    let answered = item.answered.map(|it| {
        let time = it.to_string();
        texts::answered(time.get(..10).unwrap_or(&time))
    });
    let about = [Some(about(item, &seen)), answered];
    let about: Vec<_> = about.into_iter().flatten().collect();
    format!(
        "{:ITEM_WIDTH$} {}",
        item.question.to_string(),
        about.join(", ")
    )
}
