#![no_main]
//! Text for the screen: one line, nothing that acts or hides, cut to any width.

use libfuzzer_sys::fuzz_target;
use model::Text;
use show::visible::{display_width, shorten_end, shorten_middle, shorten_start, visible};

fuzz_target!(|input: (u8, &[u8])| {
    let (width, text) = (usize::from(input.0), Text::from(input.1));
    let shown = visible(&text);
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!shown.contains(harmful), "{shown:?}");
    assert_eq!(shown.trim_matches(' '), &*shown);
    assert!(!shown.contains("  "), "{shown:?}");
    assert_eq!(shown.is_empty(), text.is_empty());
    for cut in [
        shorten_end(&shown, width),
        shorten_middle(&shown, width),
        shorten_start(&shown, width),
    ] {
        assert!(display_width(&cut) <= width, "{cut:?} in {width}");
    }
});
