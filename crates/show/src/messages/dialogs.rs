//! What stands over the rows for a while: the menu, what is written, and pages to read.

use super::{counted, platform};
pub(crate) use platform::{IS_THE_KERNEL, WIRESHARK_HOW};

pub(crate) const FILTER_PROMPT: &str = "filter ";
pub(crate) const SAVE_PROMPT: &str = "save as ";

// Saving.

pub(crate) const SAVES_ALL: &str = "Enter alone is whocalls.csv; saves all rows that are shown, in the folder where whocalls was \
                                    started; .csv or .json; never over another file";
pub(crate) const SAVES_MARKED: &str = "Enter alone is whocalls.csv; saves the marked rows, in the folder where whocalls was \
                                       started; .csv or .json; never over another file";
pub(crate) const NOTHING_TO_SAVE: &str =
    "nothing to save: no marked row is in this view, or nothing is shown";
/// When no other is written.
pub(crate) const FILE_NAME: &str = "whocalls.csv";
pub(crate) const NO_PATH: &str =
    "a name without '/' that does not begin with a dot: the folder is where whocalls was started";
pub(crate) const WRONG_ENDING: &str = "the name has to end in .csv or .json";

pub(crate) fn saving(connections: usize) -> String {
    let what = counted(connections, "connection", "connections");
    format!("saving {what} …")
}

pub(crate) fn cannot_save(why: &str) -> String {
    format!("cannot save: {why}")
}

// The menu.

pub(crate) const DETAIL: &str = "all that is known of it";
pub(crate) const RHYTHM: &str = "how often and how evenly it calls";
pub(crate) const WHOSE: &str = "whose it is; to be asked from another computer";
pub(crate) const ONLY_THIS: &str = "only what belongs to it";
pub(crate) const MARK: &str = "mark it";
pub(crate) const COPY: &str = "copy it";
pub(crate) const SAVE: &str = "save what is shown";
pub(crate) const WIRESHARK: &str = "open its packets in Wireshark …";
pub(crate) const CLOSE: &str = "close the connection …";

/// `hard`: without asking it first.
pub(crate) fn end(name: &str, pid: u32, hard: bool) -> String {
    let how = if hard {
        platform::ENDED_AT_ONCE
    } else {
        platform::ASKED_TO_END
    };
    format!("end {name} ({pid}) {how} …")
}

pub(crate) fn impossible_entry(label: &str, why: &str) -> String {
    format!("{label}  ({why})")
}

pub(crate) fn not_possible(why: &str) -> String {
    format!("not possible: {why}")
}

pub(crate) const NOT_ALLOWED: &str = "start whocalls watch with --allow-actions";
pub(crate) const NO_PACKETS: &str = "no packets of its time were recorded";
pub(crate) const ONLY_TCP: &str = "only TCP has connections that can be closed";
pub(crate) const HAS_ENDED: &str = "it has ended";

// Before a question, while recording.

pub(crate) const COPYING: &str = "copying the program first …";
pub(crate) const COPIED: &str = "The program's file and its memory map were copied into the case.";
pub(crate) const NO_PROGRAM_TO_COPY: &str =
    "Its program is not known, so that nothing of it could be copied.";

pub(crate) fn not_copied(why: &str) -> String {
    format!(
        "The program's file and its memory map could not be copied: {why}. What lives only in memory is lost when it ends."
    )
}

// After a question.

pub(crate) const NOTHING_DONE: &str = "nothing was done";

/// `word`: what had to be typed.
pub(crate) fn nothing_done_without(word: &str) -> String {
    format!("nothing was done: that was not {word}")
}

// Pages.

pub(crate) const WIRESHARK_TITLE: &str = "OPEN IN WIRESHARK";

pub(crate) const WIRESHARK_NEVER_LEFT: &str = "This attempt never left this computer: nothing of it can be \
                                               among the packets, and the commands show none of it.";

pub(crate) fn more_files(files: usize) -> String {
    let files = counted(files, "earlier file", "earlier files");
    format!("{files} of its time not listed")
}

pub(crate) const NOT_SEEN_TITLE: &str = "NOT SEEN";

pub(crate) fn lines_below(title: &str, lines: usize) -> String {
    let lines = counted(lines, "more line", "more lines");
    format!("{title}  {lines} below")
}
