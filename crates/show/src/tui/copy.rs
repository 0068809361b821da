//! To the clipboard of the person, by the terminal: OSC 52 (xterm, "Operating System Commands").
//! It works over SSH, and reads nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Terminals take about so much at once.
const MOST: usize = 74_000;

/// What is written to the terminal so that it keeps `text`.
pub(super) fn sequence(text: &str) -> String {
    let end = text.floor_char_boundary(MOST);
    let text = text.get(..end).unwrap_or_default();
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_text_reaches_the_terminal_as_it_is() {
        assert_eq!(sequence("a\x1b[2J"), "\x1b]52;c;YRtbMko=\x07");
        assert!(sequence(&"ü".repeat(MOST)).len() < 2 * MOST);
    }
}
