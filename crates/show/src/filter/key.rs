//! The keys of the filter language, and what kind of value each takes.

use super::glob::Case;
use super::number::{Plain, Unit};
use super::words::{self, Word};

/// What a term asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Proc,
    Pid,
    User,
    Uid,
    Exe,
    Unit,
    Container,
    Netns,
    Dst,
    Src,
    Port,
    Lport,
    Rport,
    Name,
    Proto,
    State,
    Dir,
    Inode,
    New,
    Up,
    Down,
    Every,
    Severity,
    Rule,
    Owner,
    Ja4,
}

/// Keys whose fact a run that watches cannot know, and why. Their values are read all the same.
pub(super) const NOT_KNOWN_OVER_TIME: [(Key, &str); 3] = [NO_RHYTHM, NO_SEVERITY, NO_RULES];
/// The same, for one look.
pub(super) const NOT_KNOWN_AT_ONE_MOMENT: [(Key, &str); 6] = [
    NO_NAMES,
    NO_GREETINGS,
    NO_OPENING,
    NO_RHYTHM,
    NO_SEVERITY,
    NO_RULES,
];

const NO_NAMES: (Key, &str) = (
    Key::Name,
    "one look does not tell which names were asked for or greeted; whocalls watch does",
);
const NO_GREETINGS: (Key, &str) = (
    Key::Ja4,
    "one look does not tell how a connection began; whocalls watch does",
);
const NO_OPENING: (Key, &str) = (
    Key::New,
    "one look does not tell when a connection was opened; whocalls watch does",
);
const NO_RHYTHM: (Key, &str) = (Key::Every, ON_THE_SCREEN);
const NO_SEVERITY: (Key, &str) = (Key::Severity, ON_THE_SCREEN);
const NO_RULES: (Key, &str) = (Key::Rule, ON_THE_SCREEN);
const ON_THE_SCREEN: &str = "what rules find is known to the screen and to whocalls check";

/// Words that other tools use, and the key that means it here.
const ELSEWHERE: [(&str, Key); 34] = [
    ("process", Key::Proc),
    ("program", Key::Proc),
    ("comm", Key::Proc),
    ("cmd", Key::Proc),
    ("path", Key::Exe),
    ("file", Key::Exe),
    ("image", Key::Exe),
    ("service", Key::Unit),
    ("cgroup", Key::Unit),
    ("namespace", Key::Netns),
    ("ns", Key::Netns),
    ("remote", Key::Dst),
    ("raddr", Key::Dst),
    ("daddr", Key::Dst),
    ("addr", Key::Dst),
    ("ip", Key::Dst),
    ("local", Key::Src),
    ("laddr", Key::Src),
    ("saddr", Key::Src),
    ("sport", Key::Lport),
    ("dport", Key::Rport),
    ("host", Key::Name),
    ("domain", Key::Name),
    ("dns", Key::Name),
    ("sni", Key::Name),
    ("protocol", Key::Proto),
    ("direction", Key::Dir),
    ("age", Key::New),
    ("sent", Key::Up),
    ("received", Key::Down),
    ("period", Key::Every),
    ("risk", Key::Severity),
    ("finding", Key::Rule),
    ("why", Key::Owner),
];

/// What the values of a key are.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text(Case),
    Number(Unit, Plain),
    Address,
    Word(&'static [Word]),
}

impl Key {
    pub(super) const ALL: [Self; 26] = [
        Self::Proc,
        Self::Pid,
        Self::User,
        Self::Uid,
        Self::Exe,
        Self::Unit,
        Self::Container,
        Self::Netns,
        Self::Dst,
        Self::Src,
        Self::Port,
        Self::Lport,
        Self::Rport,
        Self::Name,
        Self::Proto,
        Self::State,
        Self::Dir,
        Self::Inode,
        Self::New,
        Self::Up,
        Self::Down,
        Self::Every,
        Self::Severity,
        Self::Rule,
        Self::Owner,
        Self::Ja4,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Proc => "proc",
            Self::Pid => "pid",
            Self::User => "user",
            Self::Uid => "uid",
            Self::Exe => "exe",
            Self::Unit => "unit",
            Self::Container => "container",
            Self::Netns => "netns",
            Self::Dst => "dst",
            Self::Src => "src",
            Self::Port => "port",
            Self::Lport => "lport",
            Self::Rport => "rport",
            Self::Name => "name",
            Self::Proto => "proto",
            Self::State => "state",
            Self::Dir => "dir",
            Self::Inode => "inode",
            Self::New => "new",
            Self::Up => "up",
            Self::Down => "down",
            Self::Every => "every",
            Self::Severity => "severity",
            Self::Rule => "rule",
            Self::Owner => "owner",
            Self::Ja4 => "ja4",
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Proc | Self::Exe | Self::Unit | Self::Container => Kind::Text(Case::Matters),
            Self::User | Self::Name | Self::Ja4 | Self::Rule => Kind::Text(Case::Ignored),
            Self::Pid | Self::Uid | Self::Netns => Kind::Number(Unit::U32, Plain::Exactly),
            Self::Port | Self::Lport | Self::Rport => Kind::Number(Unit::U16, Plain::Exactly),
            Self::Inode => Kind::Number(Unit::U64, Plain::Exactly),
            Self::Up | Self::Down => Kind::Number(Unit::Bytes, Plain::Exactly),
            Self::New => Kind::Number(Unit::Time, Plain::AtMost),
            Self::Every => Kind::Number(Unit::Time, Plain::About),
            Self::Severity => Kind::Number(Unit::Severity, Plain::Exactly),
            Self::Dst | Self::Src => Kind::Address,
            Self::Proto => Kind::Word(&words::PROTOCOLS),
            Self::State => Kind::Word(&words::STATES),
            Self::Dir => Kind::Word(&words::DIRECTIONS),
            Self::Owner => Kind::Word(&words::OWNERS),
        }
    }

    /// The key of that name, in any case.
    pub(super) fn find(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.word().eq_ignore_ascii_case(word))
    }

    /// The key that somebody may have meant by a word that is none. `None`: no key is near.
    pub(super) fn nearest(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        if let Some((_, key)) = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == word) {
            return Some(*key);
        }
        let length = word.chars().take(MOST_LETTERS + 1).count();
        if length > MOST_LETTERS {
            return None;
        }
        Self::ALL
            .into_iter()
            .map(|key| (distance(&word, key.word()), key))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= 2 && *distance < length)
            .map(|(_, key)| key)
    }

    /// All keys, for a help line.
    pub(super) fn list() -> String {
        Self::ALL.map(Self::word).join(", ")
    }
}

/// Longer words are not near any key.
const MOST_LETTERS: usize = 16;

/// How many letters to add, drop or replace to get from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, letter) in from.chars().enumerate() {
        let (mut diagonal, mut left) = (above, above + 1);
        let mut next = vec![left];
        for (wanted, up) in to.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(letter != wanted);
            left = replaced.min(left + 1).min(up + 1);
            diagonal = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &str) {
        let nearest = Key::nearest(word).map_or("nothing", Key::word);
        assert_eq!(nearest, expected, "{word}");
    }

    #[test]
    fn finds_the_key_that_was_meant() {
        check("prco", "proc");
        check("prt", "port");
        check("Usr", "user");
        check("stat", "state");
        check("severty", "severity");
        check("contaner", "container");
        check("process", "proc");
        check("remote", "dst");
        check("dport", "rport");
        check("https", "nothing");
        check("x", "nothing");
        check("", "nothing");
        check(&"proc".repeat(9_000), "nothing");
    }

    #[test]
    fn counts_edits() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn keys_are_found_by_their_word() {
        for key in Key::ALL {
            assert_eq!(Key::find(&key.word().to_ascii_uppercase()), Some(key));
            assert!(ELSEWHERE.iter().all(|(word, _)| *word != key.word()));
        }
    }
}
