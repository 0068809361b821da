//! Whose something is, and the list of what to ask from another computer.

use super::counted;

pub(crate) const TITLE: &str = "WHOSE IS IT";
pub(crate) const LIST_TITLE: &str = "TO ASK FROM ANOTHER COMPUTER";

pub(crate) const ADDRESS: &str = "address";
pub(crate) const NAME: &str = "name";
pub(crate) const FILE: &str = "file";

/// `which`: of `all`, from 1.
pub(crate) fn which(which: usize, all: usize, kind: &str) -> String {
    format!("{which} of {all}: {kind}")
}

pub(crate) const LOOKING_UP: &str = "looking it up on this computer …";
pub(crate) const NOTHING_HERE: &str =
    "no address, name or program file with a known hash in this row";
pub(crate) const NOTHING_SENT: &str = "Nothing was sent: all of this is known on this computer.";
pub(crate) const ASKING_TELLS_ITS_MAKER: &str = "The program is of no package, as far as is known: if it \
    was made for one person, asking others about its hash tells its maker that it was found.";

pub(crate) fn not_to_be_asked(why: &str) -> String {
    format!("Not added to the list of what to ask from another computer: {why}.")
}

/// `kept`: where.
pub(crate) fn added(items: usize, kept: &str) -> String {
    format!(
        "Added to the list of what to ask from another computer: {}, {kept}.",
        counted(items, "item", "items")
    )
}

pub(crate) fn not_on_list(items: usize, kept: &str) -> String {
    format!(
        "Not on the list of what to ask from another computer ({}, {kept}): a adds it.",
        counted(items, "item", "items")
    )
}

pub(crate) fn in_list(items: usize, kept: &str) -> String {
    format!("{}, {kept}", counted(items, "item", "items"))
}

pub(crate) const KEPT_NOWHERE: &str = "kept in memory only: e saves it";
pub(crate) const KEPT_SAVED: &str = "saved as it is now";

pub(crate) fn kept_in(file: &str) -> String {
    format!("kept in {file}")
}

pub(crate) fn kept_at_the_end(file: &str) -> String {
    format!("put into {file} when the recording ends")
}

pub(crate) const LIST_IS_EMPTY: &str =
    "Nothing is on the list. w on a row adds what stands at its other end.";
pub(crate) const LIST_HOW: &str = "On a computer that is not under examination: whocalls lookup --online ITEM; or, with the \
    list saved as a file: whocalls lookup --online - < FILE. Do not open any of them in a browser.";

pub(crate) fn answered(day: &str) -> String {
    format!("answered on {day}")
}

// Saving.

/// When no other name is written.
pub(crate) const FILE_NAME: &str = "ask-elsewhere.txt";
pub(crate) const SAVES_LIST: &str = "Enter alone is ask-elsewhere.txt; saves the list as one page of text, in the folder where \
    whocalls was started; .txt; never over another file";
pub(crate) const WRONG_ENDING: &str = "the name has to end in .txt";
pub(crate) const NOTHING_TO_SAVE: &str = "nothing to save: the list is empty";

/// Before it ends.
pub(crate) fn before_the_end(items: usize) -> String {
    format!(
        "The list of what to ask from another computer ({}) is kept nowhere. Enter saves it and ends \
         (alone: ask-elsewhere.txt; .txt), Esc ends without it.",
        counted(items, "item", "items")
    )
}

pub(crate) fn saving(items: usize) -> String {
    format!("saving {} …", counted(items, "item", "items"))
}

/// In place of a file, when the run ended before anybody could be asked.
pub(crate) fn kept_nowhere(items: &str) -> String {
    format!("to ask from another computer, and saved nowhere: {items}")
}

pub(crate) fn not_kept(why: &str) -> String {
    format!("the list of what to ask from another computer is not kept: {why}")
}

// The page.

pub(crate) const PAGE_TITLE: &str =
    "# To ask from another computer: whose these are, and whether they are known";

pub(crate) fn page_of(host: &str, case: Option<&str>, until: &str) -> String {
    match case {
        Some(case) => format!("# Computer: {host}. Case: {case}. As known at {until}."),
        None => format!("# Computer: {host}, watched and not recorded. As known at {until}."),
    }
}

pub(crate) const PAGE_TIMES: &str = "# All times are UTC. This list is no evidence and has no seal: what was seen is in the case, if any.";

/// `file`: as a shell reads it.
pub(crate) fn page_how(file: &str) -> String {
    format!(
        "#\n# On a computer that is NOT under examination, with this file:\n#\n\
         #     whocalls lookup --online - < {file}\n#\n\
         # It says first what it asks of whom, and what each of them learns.\n\
         # Do not open any of these in a browser, and search for them in quotes only: whoever opens one\n\
         # tells the other side that somebody looks."
    )
}

pub(crate) const PAGE_HASHES: &str = "# To ask about the hash of a program that is of no package may tell its maker that it was found.";

pub(crate) fn first(time: &str) -> String {
    format!("first {time}")
}

pub(crate) fn and_others(programs: usize) -> String {
    format!(
        " and {},",
        counted(programs, "other program", "other programs")
    )
}

pub(crate) const NOT_SEEN_THEN: &str = "not seen in what is shown";

// The footer.

pub(crate) const ADD: &str = "add";
pub(crate) const TAKE_OFF: &str = "take off";
pub(crate) const THE_LIST: &str = "the list";
pub(crate) const SAVE: &str = "save";
pub(crate) const OTHER: &str = "address, name";
pub(crate) const END_WITHOUT: &str = "end without";
pub(crate) const SAVE_AND_END: &str = "save and end";
