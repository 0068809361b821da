//! What the live screen says to a person, in English: every sentence, heading, label and word of it
//! stands here, by the place where it is shown. Word order and plural forms are part of the text, so
//! another language is another table and no change elsewhere.
//!
//! Texts that the screen shares with tables and commands stay with those: the questions before
//! something is ended in [`crate::actions`], why a call failed in [`crate::errors`], why an owner is
//! not known in `crate::table::owner`, sizes and lengths of time in [`crate::quantity`], what is
//! wrong with a filter in [`crate::filter`], the lines about gaps in [`crate::gaps`]. States,
//! protocols and the like are words of the filter language too (`model`) and the same in every
//! language.

pub(crate) mod answers;
pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod columns;
pub(crate) mod comparison;
pub(crate) mod detail;
pub(crate) mod dialogs;
pub(crate) mod differences;
pub(crate) mod findings;
pub(crate) mod frame;
pub(crate) mod keys;
pub(crate) mod lookup;
pub(crate) mod names;
mod platform;
pub(crate) mod progress;
pub(crate) mod rhythm;
pub(crate) mod rows;
pub(crate) mod whose;

use std::fmt::Display;

/// `1 gap`, `2 gaps`.
fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let what = if count == N::from(1) { one } else { many };
    format!("{count} {what}")
}

/// `1 packet`, `1,234,567 packets`.
fn grouped(count: u64, one: &str, many: &str) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let what = if count == 1 { one } else { many };
    format!("{text} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_put_in_groups_of_three() {
        assert_eq!(grouped(1, "packet", "packets"), "1 packet");
        assert_eq!(grouped(999, "packet", "packets"), "999 packets");
        assert_eq!(grouped(1_234_567, "packet", "packets"), "1,234,567 packets");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(0_u64, "gap", "gaps"), "0 gaps");
        assert_eq!(counted(1_u64, "gap", "gaps"), "1 gap");
        assert_eq!(counted(2_usize, "gap", "gaps"), "2 gaps");
    }
}
