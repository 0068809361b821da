//! Text that somebody else chose.

use std::borrow::Cow;
use std::fmt;

/// Bytes that a program, a file system or the other side chose: names, paths, arguments.
///
/// Usually UTF-8, never certainly; kept as they came. Whoever shows one to a person makes
/// control and bidi characters visible first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Vec<u8>);

impl Text {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` when the bytes are not UTF-8.
    pub fn as_utf8(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// As UTF-8, with U+FFFD in place of bytes that are not.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Whether a character steers the screen or the order of letters, leaves nothing to see, or looks
/// different everywhere (private use).
///
/// General_Category Cc, Co and nearly all of Cf and Zs, Default_Ignorable_Code_Point, and the
/// noncharacters (Unicode 17). Not U+3000, the wide blank of Japanese names.
pub fn acts_or_hides(character: char) -> bool {
    match character {
        ' '..='~' => false,
        '\u{00A0}' // no-break space
        | '\u{00AD}' // soft hyphen
        | '\u{034F}' // combining grapheme joiner
        | '\u{061C}' // Arabic letter mark
        | '\u{070F}' // Syriac abbreviation mark
        | '\u{115F}'..='\u{1160}' // Hangul fillers
        | '\u{1680}' // Ogham space
        | '\u{17B4}'..='\u{17B5}' // Khmer inherent vowels
        | '\u{180B}'..='\u{180F}' // Mongolian variation selectors, vowel separator
        | '\u{2000}'..='\u{200F}' // spaces, zero-width characters, direction marks
        | '\u{2028}'..='\u{202F}' // line and paragraph separators, embeddings, overrides
        | '\u{205F}'..='\u{206F}' // word joiner, invisible operators, isolates
        | '\u{2800}' // blank Braille pattern
        | '\u{3164}' // Hangul filler
        | '\u{E000}'..='\u{F8FF}' // private use
        | '\u{FDD0}'..='\u{FDEF}' // noncharacters
        | '\u{FE00}'..='\u{FE0F}' // variation selectors
        | '\u{FEFF}' // byte order mark
        | '\u{FFA0}' // halfwidth Hangul filler
        | '\u{FFF0}'..='\u{FFFC}' // interlinear annotation, object replacement
        | '\u{13430}'..='\u{1343F}' // Egyptian format controls
        | '\u{1BCA0}'..='\u{1BCA3}' // shorthand format controls
        | '\u{1D173}'..='\u{1D17A}' // musical format controls
        | '\u{E0000}'..='\u{E0FFF}' // tags, variation selectors
        | '\u{F0000}'.. => true, // private use
        _ => character.is_control() || u32::from(character) & 0xFFFE == 0xFFFE,
    }
}
