//! Files that start programs when somebody logs in or the computer starts: which programs they name.
//! Desktop entries (Desktop Entry Specification 1.5), units of systemd (systemd.service(5)), tables of
//! cron (crontab(5)), start files of shells.
//!
//! What a shell would make of its file cannot be known without running it: what is found here are the
//! words in it that name a file.

use model::Text;

/// A word that may name a program or a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: Text,
    /// It stands where a command begins, so that it is looked for in the folders of programs.
    pub(crate) begins: bool,
}

/// Longer words are no paths.
const LONGEST_WORD: usize = 4096;
/// Quotes in quotes, as in `sh -c "sh -c '...'"`.
const DEEPEST: usize = 2;
/// Words behind which a command begins.
const BEFORE: [&[u8]; 18] = [
    b"exec", b"nohup", b"setsid", b"env", b"sudo", b"nice", b"command", b"eval", b"then", b"do",
    b"else", b"if", b"while", b"until", b"!", b"{", b"time", b"doas",
];

/// Of a start file of a shell; of any shell, as far as these words go.
pub(crate) fn shell(file: &[u8], most: usize) -> Vec<Word> {
    let mut found = Vec::new();
    words(file, true, 0, most, &mut found);
    found
}

/// Of an entry of a desktop. Empty: it is switched off.
pub(crate) fn desktop_entry(file: &[u8], most: usize) -> Vec<Word> {
    let mut found = Vec::new();
    let mut ours = false;
    for line in file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.starts_with(b"[") {
            ours = line == b"[Desktop Entry]";
        }
        let Some((key, value)) = key_and_value(line).filter(|_| ours) else {
            continue;
        };
        match key {
            b"Hidden" if value == b"true" => return Vec::new(),
            b"X-GNOME-Autostart-enabled" if value == b"false" => return Vec::new(),
            b"Exec" => words(value, false, 0, most, &mut found),
            _ => {}
        }
    }
    found
}

/// Of a unit of systemd, or a piece of one.
pub(crate) fn unit(file: &[u8], most: usize) -> Vec<Word> {
    let mut found = Vec::new();
    // A backslash at the end of a line goes on in the next one.
    let mut whole = Vec::new();
    for line in file.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if whole.is_empty() && matches!(line.first(), Some(b'#' | b';')) {
            continue;
        }
        if let Some(line) = line.strip_suffix(b"\\") {
            whole.extend(line);
            whole.push(b' ');
            continue;
        }
        whole.extend(line);
        let exec = key_and_value(&whole).filter(|(key, _)| key.starts_with(b"Exec"));
        if let Some((_, value)) = exec {
            let prefixes = |byte: &u8| b"@-:+!|".contains(byte);
            let begin = value.iter().position(|byte| !prefixes(byte));
            let value = value.get(begin.unwrap_or_default()..).unwrap_or_default();
            words(value, false, 0, most, &mut found);
        }
        whole.clear();
    }
    found
}

/// Of a table of cron; with a user in each line in those of the computer.
pub(crate) fn crontab(file: &[u8], with_user: bool, most: usize) -> Vec<Word> {
    let mut found = Vec::new();
    for line in file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        let times = match line.first() {
            None | Some(b'#') => continue,
            Some(b'@') => 1,
            Some(b'*' | b'0'..=b'9' | b'-') => 5,
            // Settings, and names of days, which do not stand first.
            Some(_) => continue,
        };
        let mut rest = line;
        for _ in 0..times + usize::from(with_user) {
            let end = rest.iter().position(u8::is_ascii_whitespace);
            rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
            rest = rest.trim_ascii_start();
        }
        words(rest, false, 0, most, &mut found);
    }
    found
}

fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (line.get(..at)?, line.get(at + 1..)?);
    Some((key.trim_ascii(), value.trim_ascii()))
}

/// Takes a text apart as a shell does, as far as it goes without running it.
fn words(text: &[u8], comments: bool, depth: usize, most: usize, found: &mut Vec<Word>) {
    let mut word = Vec::new();
    let mut quote = None;
    let mut begins = true;
    let mut bytes = text.iter().copied().chain([b'\n']);
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None | Some(b'"'), b'\\') => match bytes.next() {
                Some(b'\n') | None => {}
                Some(next) => word.push(next),
            },
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => word.push(byte),
            (None, b'#') if comments && word.is_empty() => {
                bytes.by_ref().find(|byte| *byte == b'\n');
                begins = true;
            }
            (
                None,
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'`' | b'<'
                | b'>',
            ) => {
                if !word.is_empty() {
                    let goes_on = begins && is_before(&word);
                    give(std::mem::take(&mut word), begins, depth, most, found);
                    begins = goes_on;
                }
                if !matches!(byte, b' ' | b'\t' | b'\r' | b'<' | b'>') {
                    begins = true;
                }
            }
            (None, _) => word.push(byte),
        }
        // A quote that never ends is no path.
        if word.len() > 64 * LONGEST_WORD {
            word.clear();
        }
    }
    // The last quote was not closed: what is in it counts all the same.
    if !word.is_empty() {
        give(word, begins, depth, most, found);
    }
}

/// Whether a command begins behind it: words that start what follows, settings, options of these.
fn is_before(word: &[u8]) -> bool {
    BEFORE.contains(&word) || word.contains(&b'=') || word.starts_with(b"-")
}

fn give(word: Vec<u8>, begins: bool, depth: usize, most: usize, found: &mut Vec<Word>) {
    if depth < DEEPEST && word.iter().any(u8::is_ascii_whitespace) {
        words(&word, false, depth + 1, most, found);
    }
    // A setting may be what is started further down.
    if let Some((_, value)) = key_and_value(&word).filter(|_| depth < DEEPEST) {
        give(value.to_vec(), false, depth + 1, most, found);
    }
    let names = begins || word.contains(&b'/');
    if names && word.len() <= LONGEST_WORD && found.len() < most {
        found.push(Word {
            text: word.into(),
            begins,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(words: &[Word]) -> Vec<&str> {
        let texts = words.iter().map(|word| word.text.as_utf8().unwrap());
        texts.collect()
    }

    #[test]
    fn words_of_a_shell() {
        let file = b"# ~/comment/x\nalias l='ls -l /x/y'\nif [ -x \"$HOME/a b/c\" ]; then\n\
            nohup ~/.x/run --quiet 'arg /z' >/dev/null 2>&1 &\nfi\nupdate\\\n -q";
        let found = shell(file, 100);
        let found = texts(&found);
        for there in ["$HOME/a b/c", "~/.x/run", "/dev/null", "/x/y", "update"] {
            assert!(found.contains(&there), "{there} in {found:?}");
        }
        assert!(!found.contains(&"~/comment/x") && !found.contains(&"--quiet"));
        assert_eq!(shell(file, 2).len(), 2);
    }

    #[test]
    fn a_command_begins_behind_what_starts_it() {
        let found = shell(b"A=b nohup first other & second; exec third", 100);
        let begin: Vec<_> = found.iter().filter(|word| word.begins).collect();
        let begin: Vec<_> = begin
            .iter()
            .map(|word| word.text.as_utf8().unwrap())
            .collect();
        assert_eq!(begin, ["A=b", "nohup", "first", "second", "exec", "third"]);
    }

    #[test]
    fn entries_of_a_desktop() {
        let file =
            b"[Desktop Entry]\nName=x\nExec = \"/opt/my x/run\" %U\n[Desktop Action y]\nExec=/no\n";
        let found = desktop_entry(file, 10);
        assert!(texts(&found).contains(&"/opt/my x/run"), "{found:?}");
        assert!(!texts(&found).contains(&"/no"), "{found:?}");
        let off = b"[Desktop Entry]\nExec=/x\nHidden=true\n";
        assert!(desktop_entry(off, 10).is_empty());
        let off = b"[Desktop Entry]\nExec=/x\nX-GNOME-Autostart-enabled=false\n";
        assert!(desktop_entry(off, 10).is_empty());
    }

    #[test]
    fn units_of_systemd() {
        let file =
            b"[Service]\n#ExecStart=/no\nExecStart=-@%h/a/b \\\n  --x /c/d\nEnvironment=X=/no\n\
            ExecStartPre=sh -c '/e/f &'\n";
        let found = unit(file, 10);
        let found = texts(&found);
        assert_eq!(found, ["%h/a/b", "/c/d", "sh", "/e/f", "/e/f &"]);
    }

    #[test]
    fn tables_of_cron() {
        let file = b"# /no\nSHELL=/no/sh\n*/5 * * * * /a/b c\n@reboot python3 /d/e.py\n";
        let found = crontab(file, false, 10);
        assert_eq!(texts(&found), ["/a/b", "python3", "/d/e.py"]);
        let found = crontab(b"17 * * * * root cd / && /a/b\n", true, 10);
        assert_eq!(texts(&found), ["cd", "/", "/a/b"]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            for found in [
                shell(&bytes, 20),
                desktop_entry(&bytes, 20),
                unit(&bytes, 20),
                crontab(&bytes, true, 20),
            ] {
                prop_assert!(found.len() <= 20);
            }
        }

        #[test]
        fn finds_any_path_in_quotes(path in "/[a-z/ ]{1,30}[a-z]") {
            let file = format!("run '{path}'");
            let found = shell(file.as_bytes(), 100);
            prop_assert!(found.iter().any(|word| word.text.as_utf8() == Some(&path)));
        }
    }
}
