//! `START-HERE.txt`: for the person who finds the folder, perhaps years later, perhaps afraid.

use std::fmt::Write as _;

use super::{About, Depth};

/// The whole text. It is the same on every computer but for what is in `about`.
pub(super) fn text(about: &About, is_encrypted: bool) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "\
This folder is a case of whocalls
=================================

It holds what one computer did on the network while somebody watched it:
which programs called whom, and when.

Computer:  {host}
Begun:     {began} (UTC)
Case:      {id}

{content}

Please do not change, rename or add anything in this folder. Work on a copy.


How to open it
--------------
On another computer, not on the one that was examined:

    whocalls open THIS-FOLDER{identity}
{open}

How to check it
---------------
    whocalls verify THIS-FOLDER

tells whether the files are as they were written. Compare the seal that it
shows with the one that was written down. Without whocalls, inside this folder:

    sha256sum -c manifest.sha256
    certutil -hashfile FILE SHA256     on Windows, for each file

When the recording was interrupted (no power, stick pulled out), there is no
seal. What was closed can still be checked, and most of the rest can be read.

The seal shows that these files have not changed since the seal was written
down. It does not show who made them, nor that the computer told the truth.

If this may go to court, ask a lawyer or an accredited examiner before doing
more.

Use a new or wiped stick for each computer; a stick that was in a suspect
computer is hostile.


Which file is what
------------------
    START-HERE.txt    this text
    case.json         which computer, when, by whom, with what settings
    log.ndjson        what was done, and what could not be seen
    events/           connections and programs, in the order of time
",
        host = harmless(&about.host),
        began = about.began,
        id = harmless(&about.id),
        content = content(about.depth),
        identity = if is_encrypted {
            " --identity KEY-FILE"
        } else {
            ""
        },
        open = if is_encrypted {
            "
It is encrypted. KEY-FILE is the file with the private key. Whoever made the
key has it; it is not in this folder, and must never be on a suspect computer.
"
        } else {
            "
It is NOT encrypted: who has this folder can read all of it.
"
        },
    );
    if about.depth != Depth::Events {
        text.push_str("    packets/          the traffic itself; Wireshark opens these files\n");
    }
    text.push_str(
        "    snapshots/        what was open at the beginning and at the end
    programs/         copies of programs that looked odd. DO NOT START THEM
    imports/          files from elsewhere that somebody added
    manifest.sha256   the list of all files that are closed, for checking

A folder of this list that is not there: there was nothing to put into it.
log.ndjson says why, where that was known.
",
    );
    text.push_str(if is_encrypted {
        "\nFiles that end in .age are encrypted. Files with .part or .new in the name were
still being written.\n"
    } else {
        "\nFiles with .part or .new in the name were still being written.\n"
    });
    text
}

fn content(depth: Depth) -> &'static str {
    match depth {
        Depth::Full => {
            "It may contain passwords, messages and names of sources: the whole traffic was
to be kept, and what this computer gave of it is here. Show it only to people
you trust."
        }
        Depth::Headers => {
            "It may contain names of people and places that were called: the beginning of
each packet was to be kept, and what this computer gave of it is here. Show it
only to people you trust."
        }
        Depth::Events => {
            "It may contain names of people and places that were called. The traffic itself
was not kept. Show it only to people you trust."
        }
    }
}

/// A name that somebody chose, so that it stays on its line and nothing in it acts.
fn harmless(name: &str) -> String {
    name.chars()
        .take(200)
        .map(|character| match model::acts_or_hides(character) {
            true => '?',
            false => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::tests::about;

    fn check(is_encrypted: bool, depth: Depth, sentences: &[&str]) {
        let about = About { depth, ..about() };
        let text = text(&about, is_encrypted);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for sentence in sentences {
            assert!(flat.contains(sentence), "{sentence}: {text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(text.lines().count() < 75, "{text}");
    }

    #[test]
    fn the_sentences_that_matter_are_there() {
        let always = [
            "The seal shows that these files have not changed since the seal was written down. It \
             does not show who made them, nor that the computer told the truth.",
            "If this may go to court, ask a lawyer or an accredited examiner before doing more.",
            "Use a new or wiped stick for each computer; a stick that was in a suspect computer is \
             hostile.",
            "whocalls verify",
            "sha256sum -c manifest.sha256",
            "whocalls open",
        ];
        check(false, Depth::Full, &always);
        check(true, Depth::Events, &always);
        check(
            false,
            Depth::Full,
            &[
                "NOT encrypted",
                "passwords",
                "packets/",
                "the whole traffic was to be kept",
                "A folder of this list that is not there: there was nothing to put into it.",
            ],
        );
        check(
            true,
            Depth::Headers,
            &[
                "--identity KEY-FILE",
                ".age",
                "the beginning of each packet was to be kept",
            ],
        );
    }

    #[test]
    fn the_name_of_a_computer_stays_on_its_line() {
        let host = "a\n\u{202e}b".to_owned();
        let text = text(&About { host, ..about() }, false);
        assert!(text.contains("Computer:  a??b\n"), "{text}");
    }
}
