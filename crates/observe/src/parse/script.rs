//! Which files an interpreter runs, out of its arguments (python(1), perlrun(1), ruby(1), node(1),
//! php(1), bash(1), lua(1), java(1), ld.so(8) and the manual pages of the others).
//!
//! Text that stands in the arguments themselves (`-c`, `-e`) is no file. The kernel has taken the line
//! `#!` of a script apart already: its interpreter stands first, the script where it would stand if it
//! had been called by hand.

pub(crate) mod environment;
mod interpreters;

use model::Text;

use self::interpreters::{INTERPRETERS, Interpreter};

/// So many files of one call are told; a class path may name thousands.
pub(crate) const MOST_FILES: usize = 1024;

/// What an interpreter was told to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Called {
    /// What it runs or loads, as it stands in the arguments.
    pub(crate) files: Vec<File>,
    /// There are more of them than are told.
    pub(crate) more: bool,
    /// Its text comes from standard input.
    pub(crate) reads_input: bool,
    /// It was told that a person types into it.
    pub(crate) is_interactive: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: Text,
    /// It is one of several places where that could lie: it counts only when it is there.
    pub(crate) guessed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Other,
    /// Holds its script open while it runs.
    Shell,
    /// What it runs are programs: the loader, an emulator.
    Loader,
}

/// `None`: the program of that name is none that is known. `program`: the name of its file.
pub(crate) fn called(program: &[u8], arguments: &[Text]) -> Option<Called> {
    let (interpreter, arguments) = interpreter(program, arguments)?;
    let mut reader = Reader {
        interpreter,
        called: Called {
            kind: interpreter.kind,
            ..Called::default()
        },
        class_path: None,
    };
    let mut rest = arguments.iter();
    let ended = reader.read(&mut rest);
    let mut called = reader.called;
    called.reads_input = ended == End::Nothing && called.files.iter().all(|it| it.guessed);
    Some(called)
}

/// What a name begins with before its version: `python3.11`, `luajit-2.1.0`.
fn is_called(file: &[u8], name: &str) -> bool {
    let Some(rest) = file.strip_prefix(name.as_bytes()) else {
        return false;
    };
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    rest.first().is_none_or(u8::is_ascii_digit)
}

/// Whether a program of that name runs scripts or other programs, whatever it is told. `program`: the name
/// of its file.
pub(crate) fn runs_others(program: &[u8]) -> bool {
    is_many(program) || named(program).is_some()
}

/// Many programs in one file, told apart by what they are called.
fn is_many(program: &[u8]) -> bool {
    matches!(program, b"busybox" | b"toybox")
}

fn named(name: &[u8]) -> Option<&'static Interpreter> {
    let mut all = INTERPRETERS.iter();
    all.find(|it| {
        let emulates = it
            .begins
            .iter()
            .any(|begin| name.starts_with(begin.as_bytes()));
        emulates || it.names.iter().any(|known| is_called(name, known))
    })
}

/// The interpreter, and its arguments without the name.
fn interpreter<'given>(
    program: &[u8],
    arguments: &'given [Text],
) -> Option<(&'static Interpreter, &'given [Text])> {
    let (first, rest) = arguments.split_first()?;
    if let Some(found) = named(program) {
        return Some((found, rest));
    }
    if !is_many(program) {
        return None;
    }
    let name = file_name(first.bytes());
    let name = name.strip_prefix(b"-").unwrap_or(name);
    if let Some(found) = named(name) {
        return Some((found, rest));
    }
    let (applet, rest) = rest.split_first()?;
    named(applet.bytes()).map(|found| (found, rest))
}

/// What stands behind the last slash.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    File,
    /// The text stands in the arguments, or is named in another way.
    Text,
    /// It reads its text from standard input; or the arguments end where something has to follow.
    Nothing,
}

struct Reader {
    interpreter: &'static Interpreter,
    called: Called,
    class_path: Option<Text>,
}

impl Reader {
    fn read(&mut self, rest: &mut std::slice::Iter<'_, Text>) -> End {
        let mut is_first = true;
        while let Some(argument) = rest.next() {
            let bytes = argument.bytes();
            let was_first = std::mem::take(&mut is_first);
            if bytes == b"--" {
                return rest.next().map_or(End::Nothing, |file| self.script(file));
            }
            if bytes == b"-" {
                return End::Nothing;
            }
            let is_option = match bytes.first() {
                Some(b'-') => true,
                Some(b'+') => self.interpreter.kind == Kind::Shell,
                _ => false,
            };
            if !is_option {
                let commands = self.interpreter.commands;
                if was_first && commands.iter().any(|it| it.as_bytes() == bytes) {
                    continue;
                }
                return self.script(argument);
            }
            let ended = match self.word(bytes, rest) {
                Word::Ends(ended) => Some(ended),
                Word::GoesOn => None,
                Word::NoSuch => self.letters(bytes.get(1..).unwrap_or_default(), rest),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
        End::Nothing
    }

    /// An option that is written out: `--eval`, `-jar`, `--require=FILE`.
    fn word(&mut self, bytes: &[u8], rest: &mut std::slice::Iter<'_, Text>) -> Word {
        let by = bytes.iter().position(|byte| matches!(byte, b'=' | b':'));
        let (name, attached) = match by {
            Some(at) => (bytes.get(..at).unwrap_or(bytes), bytes.get(at + 1..)),
            None => (bytes, None),
        };
        let is = |words: &[&str]| words.iter().any(|word| word.as_bytes() == name);
        let it = self.interpreter;
        if is(it.text_words) {
            return Word::Ends(End::Text);
        }
        let takes = is(it.value_words) || is(it.load_words) || is(it.file_words);
        if !takes && !is(it.path_words) {
            let is_long = bytes.starts_with(b"--") || it.letters_are_words;
            return if is_long { Word::GoesOn } else { Word::NoSuch };
        }
        let value = match attached {
            Some(value) => Some(Text::from(value)),
            None => rest.next().cloned(),
        };
        let Some(value) = value else {
            return Word::Ends(End::Nothing);
        };
        if is(it.path_words) {
            self.class_path = Some(value);
        } else if is(it.file_words) {
            self.push(&value, false);
            return Word::Ends(End::File);
        } else if is(it.load_words) {
            // What an agent is told stands behind its file.
            let file = value.bytes().split(|byte| *byte == b'=').next();
            self.push(&file.unwrap_or_default().into(), true);
        }
        Word::GoesOn
    }

    /// Options of one letter, several in one argument: `-Bc`, `-lane`, `+o`.
    fn letters(&mut self, letters: &[u8], rest: &mut std::slice::Iter<'_, Text>) -> Option<End> {
        let it = self.interpreter;
        let is = |among: &str, letter: u8| among.as_bytes().contains(&letter);
        for (at, letter) in letters.iter().enumerate() {
            let attached = letters.get(at + 1..).filter(|rest| !rest.is_empty());
            let letter = *letter;
            self.called.is_interactive |= is(it.interactive, letter);
            if is(it.text, letter) {
                // Shells take the text out of the next argument, and what stands behind the letter as letters.
                let mut behind = attached.unwrap_or_default().iter();
                let is_shell = it.kind == Kind::Shell;
                self.called.is_interactive |= is_shell && behind.any(|it| *it == b'i');
                return Some(End::Text);
            } else if is(it.module, letter) {
                let Some(value) = attached.map(Text::from).or_else(|| rest.next().cloned()) else {
                    return Some(End::Nothing);
                };
                self.module(value.bytes());
                return Some(End::Text);
            } else if is(it.input, letter) {
                return Some(End::Nothing);
            } else if is(it.attached, letter) {
                break;
            } else if is(it.values, letter) || is(it.loads, letter) || is(it.file, letter) {
                let value = attached.map(Text::from).or_else(|| rest.next().cloned());
                let Some(value) = value else {
                    return Some(End::Nothing);
                };
                if is(it.file, letter) {
                    self.push(&value, false);
                    return Some(End::File);
                }
                if is(it.loads, letter) {
                    self.push(&value, true);
                }
                break;
            }
        }
        None
    }

    fn script(&mut self, file: &Text) -> End {
        if self.interpreter.first_is_text {
            return End::Text;
        }
        if !self.interpreter.runs_classes || file.bytes().ends_with(b".java") {
            self.push(file, false);
        } else {
            self.class(file.bytes());
        }
        End::File
    }

    /// `python -m a.b`: the folder that it stands in comes first.
    fn module(&mut self, name: &[u8]) {
        let path = with_slashes(name);
        self.push(&[&path, &b".py"[..]].concat().into(), true);
        self.push(&[&path, &b"/__main__.py"[..]].concat().into(), true);
    }

    /// `java -cp a.jar:b Main`: archives, and folders that have that class.
    fn class(&mut self, name: &[u8]) {
        let class = [&with_slashes(name), &b".class"[..]].concat();
        let path = self.class_path.take().unwrap_or_else(|| ".".into());
        for place in path.bytes().split(|byte| *byte == b':') {
            if place.ends_with(b".jar") || place.ends_with(b".zip") {
                self.push(&place.into(), true);
            } else if !place.ends_with(b"*") {
                let place = if place.is_empty() { b"." } else { place };
                self.push(&[place, b"/", &class].concat().into(), true);
            }
        }
    }

    fn push(&mut self, path: &Text, guessed: bool) {
        if path.is_empty() {
            return;
        }
        if self.called.files.len() >= MOST_FILES {
            self.called.more = true;
            return;
        }
        let path = path.clone();
        self.called.files.push(File { path, guessed });
    }
}

enum Word {
    Ends(End),
    GoesOn,
    NoSuch,
}

fn with_slashes(name: &[u8]) -> Vec<u8> {
    let slash = |byte: &u8| if *byte == b'.' { b'/' } else { *byte };
    name.iter().map(slash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(line: &str) -> (Vec<Text>, String) {
        let arguments: Vec<Text> = line.split(' ').map(Text::from).collect();
        let name = String::from_utf8_lossy(file_name(arguments[0].bytes())).into_owned();
        (arguments, name)
    }

    /// The files that a call runs for certain.
    fn check(line: &str, expected: &[&str]) {
        let (arguments, name) = given(line);
        let found = called(name.as_bytes(), &arguments).unwrap();
        let files = found.files.iter().filter(|it| !it.guessed);
        let files: Vec<_> = files.map(|it| it.path.lossy().into_owned()).collect();
        assert_eq!(files, expected, "{line}");
    }

    fn check_guessed(line: &str, expected: &[&str]) {
        let (arguments, name) = given(line);
        let found = called(name.as_bytes(), &arguments).unwrap();
        let files = found.files.iter().filter(|it| it.guessed);
        let files: Vec<_> = files.map(|it| it.path.lossy().into_owned()).collect();
        assert_eq!(files, expected, "{line}");
    }

    fn check_input(line: &str, expected: bool) {
        let (arguments, name) = given(line);
        let found = called(name.as_bytes(), &arguments).unwrap();
        assert_eq!(found.reads_input, expected, "{line}");
    }

    #[test]
    fn scripts_are_found() {
        check("python3.11 /tmp/x.py", &["/tmp/x.py"]);
        check("python3 -u -W ignore -Xdev x.py -c y", &["x.py"]);
        check("/usr/bin/perl -w -I lib -Mstrict a.pl b", &["a.pl"]);
        check("ruby -rjson -I lib x.rb", &["x.rb"]);
        check("node --inspect -r ./pre.js app.js", &["app.js"]);
        check("nodejs inspect app.js", &["app.js"]);
        check("php -d display_errors=1 x.php", &["x.php"]);
        check("php8.2 -q -f x.php -- -v", &["x.php"]);
        check("sh x.sh", &["x.sh"]);
        check("bash -x -o pipefail +o errexit ./x.sh -c", &["./x.sh"]);
        check("dash -- -x", &["-x"]);
        check("lua5.4 -e a=1 -l m x.lua", &["x.lua"]);
        check("java -Xmx1g -jar /tmp/a.jar b", &["/tmp/a.jar"]);
        check("java A.java", &["A.java"]);
        check("busybox sh /tmp/x", &["/tmp/x"]);
        check("gawk -f x.awk y", &["x.awk"]);
        check("deno run -A x.ts", &["x.ts"]);
        check(
            "ld-linux-x86-64.so.2 --library-path /a --argv0 b /tmp/p c",
            &["/tmp/p"],
        );
        check("qemu-aarch64-static -L /usr/x /tmp/p -v", &["/tmp/p"]);
    }

    #[test]
    fn text_is_no_file() {
        for line in [
            "python3 -c /tmp/x.py /tmp/y",
            "python3 -Bc /tmp/x.py",
            "perl -MPOSIX -lane /tmp/x /tmp/y",
            "perl -e /tmp/x /tmp/y",
            "ruby -ne /tmp/x /tmp/y",
            "node -pe /tmp/x",
            "node --eval=/tmp/x /tmp/y",
            "php -r /tmp/x /tmp/y",
            "bash -xec /tmp/x.sh",
            "sh -s /tmp/x.sh",
            "lua -e /tmp/x",
            "python3 - /tmp/x",
            "java Main /tmp/x",
            "awk /tmp/x /tmp/y",
        ] {
            check(line, &[]);
        }
    }

    #[test]
    fn other_code_is_named_too() {
        check_guessed("python3 -m a.b /tmp/x", &["a/b.py", "a/b/__main__.py"]);
        check_guessed("node --require=/tmp/p.js x.js", &["/tmp/p.js"]);
        check_guessed("java -javaagent:/tmp/a.jar=x -jar b.jar", &["/tmp/a.jar"]);
        check_guessed(
            "java -cp /tmp/a.jar:/b:c/* x.Main",
            &["/tmp/a.jar", "/b/x/Main.class"],
        );
        check_guessed("bash --rcfile /tmp/rc", &["/tmp/rc"]);
    }

    #[test]
    fn knows_what_reads_its_text() {
        check_input("bash", true);
        check_input("python3 -u -", true);
        check_input("sh -s x", true);
        check_input("sh x", false);
        check_input("python3 -c x", false);
        check_input("java Main", false);
        // What has to follow was not read, or is not there.
        check_input("python3 -W", true);
        check_input("python3 -m", true);
        check_input("java -jar", true);
    }

    #[test]
    fn what_runs_others() {
        for name in [
            "python3.11",
            "sh",
            "php8.2",
            "node",
            "ruby3.1",
            "busybox",
            "ld-linux-x86-64.so.2",
            "qemu-aarch64-static",
        ] {
            assert!(runs_others(name.as_bytes()), "{name}");
        }
        for name in ["sleep", "shred", "pythonish", "qemu-system-x86_64", ""] {
            assert!(!runs_others(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn others_are_none() {
        for name in ["sleep", "php-fpm8.2", "pythonista", "shutdown", "busybox"] {
            assert_eq!(
                called(name.as_bytes(), &["x".into(), "y".into()]),
                None,
                "{name}"
            );
        }
        assert_eq!(called(b"sh", &[]), None);
    }

    proptest! {
        #[test]
        fn never_panics(name in 0_usize..INTERPRETERS.len(), arguments: Vec<Vec<u8>>) {
            let interpreter = INTERPRETERS.get(name).unwrap();
            let name = interpreter.names.first().or(interpreter.begins.first()).unwrap();
            let arguments: Vec<_> = arguments.into_iter().map(Text::from).collect();
            if let Some(found) = called(name.as_bytes(), &arguments) {
                prop_assert!(found.files.len() <= MOST_FILES);
            }
        }
    }
}
