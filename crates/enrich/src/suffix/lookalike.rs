//! Letters that look like others: with them a name can pass for another one.

/// A character of a name and the letter of ASCII that it is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookalike {
    pub character: char,
    pub looks_like: char,
}

/// Each character of a text that is easily taken for a letter of ASCII, once, in order.
pub fn lookalikes(text: &str) -> Vec<Lookalike> {
    let mut found: Vec<Lookalike> = Vec::new();
    for character in text.chars() {
        let row = ALIKE.iter().find(|(_, others)| others.contains(character));
        let known = found.iter().any(|it| it.character == character);
        if let Some((looks_like, _)) = row
            && !known
        {
            found.push(Lookalike {
                character,
                looks_like: *looks_like,
            });
        }
    }
    found
}

/// The letters of other scripts that look the same in most typefaces (after Unicode's
/// confusables.txt, UTS #39): Cyrillic, Greek, Armenian, and variants of Latin.
#[rustfmt::skip]
const ALIKE: [(char, &str); 26] = [
    ('a', "\u{430}\u{251}\u{3b1}\u{1ea1}"),
    ('b', "\u{184}\u{44c}\u{13cf}"),
    ('c', "\u{441}\u{3f2}\u{1d04}"),
    ('d', "\u{501}\u{257}\u{13e7}"),
    ('e', "\u{435}\u{4bd}\u{1eb9}\u{212e}"),
    ('f', "\u{192}\u{584}\u{3dd}"),
    ('g', "\u{261}\u{581}\u{1d83}"),
    ('h', "\u{4bb}\u{570}\u{13c2}"),
    ('i', "\u{456}\u{131}\u{3b9}\u{1ecb}\u{269}"),
    ('j', "\u{458}\u{3f3}"),
    ('k', "\u{43a}\u{3ba}\u{138}"),
    ('l', "\u{4cf}\u{5c0}\u{1c0}\u{217c}"),
    ('m', "\u{43c}\u{217f}\u{1d0d}"),
    ('n', "\u{578}\u{57c}\u{43f}"),
    ('o', "\u{43e}\u{3bf}\u{585}\u{3c3}\u{1d0f}\u{1ecd}"),
    ('p', "\u{440}\u{3c1}\u{2ca3}"),
    ('q', "\u{51b}\u{563}\u{566}"),
    ('r', "\u{433}\u{1d26}\u{2c85}"),
    ('s', "\u{455}\u{1bd}\u{1e63}"),
    ('t', "\u{442}\u{3c4}\u{1d1b}"),
    ('u', "\u{57d}\u{3c5}\u{1d1c}\u{1ee5}"),
    ('v', "\u{475}\u{3bd}\u{1d20}"),
    ('w', "\u{51d}\u{461}\u{561}\u{1d21}"),
    ('x', "\u{445}\u{3c7}\u{2179}"),
    ('y', "\u{443}\u{4af}\u{3b3}\u{1d8c}\u{1ef5}"),
    ('z', "\u{1d22}\u{290}\u{1e93}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_other_scripts_are_told() {
        let found = lookalikes("p\u{430}yp\u{430}l\u{456}");
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.character, it.looks_like))
            .collect();
        assert_eq!(told, [('\u{430}', 'a'), ('\u{456}', 'i')]);
        assert!(lookalikes("paypal-bücher").is_empty());
    }

    #[test]
    fn each_stands_in_one_row() {
        let all: Vec<char> = ALIKE
            .iter()
            .flat_map(|(_, others)| others.chars())
            .collect();
        let once: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), once.len());
        assert!(all.iter().all(|it| !it.is_ascii()));
    }
}
