//! The script that an interpreter runs.

use model::{Text, Untested};

use super::super::Subject;
use super::super::root::Root;

/// Names of interpreters and shells; digits, dots and dashes may follow (`python3.11`, `php8.2`).
const INTERPRETERS: [&[u8]; 24] = [
    b"ash", b"bash", b"bun", b"busybox", b"csh", b"dash", b"deno", b"fish", b"gjs", b"java",
    b"ksh", b"lua", b"luajit", b"mksh", b"mono", b"node", b"nodejs", b"perl", b"php", b"pwsh",
    b"python", b"ruby", b"sh", b"zsh",
];
/// Of these `-e` means something else than a text to run.
const SHELLS: [&[u8]; 9] = [
    b"ash", b"bash", b"busybox", b"csh", b"dash", b"fish", b"ksh", b"sh", b"zsh",
];
/// Options behind which no script comes: a text is run instead, or what has no path.
const TEXTS: [&[u8]; 4] = [b"-m", b"--eval", b"--command", b"-Command"];

/// Its path. `None`: the program is none that runs scripts, or what it runs is no file.
pub(super) fn of(subject: &Subject, root: &Root) -> Result<Option<Vec<u8>>, Untested> {
    let program = subject.program()?;
    let name = program.link.bytes().split(|byte| *byte == b'/').next_back();
    if !is_interpreter(name.unwrap_or_default()) {
        return Ok(None);
    }
    let is_shell = name.is_some_and(|name| SHELLS.contains(&name));
    let script = match script(subject.arguments()?, is_shell) {
        Runs::File(script) => script,
        // It may stand in the rest.
        Runs::Nothing if !subject.has_all_arguments() => return Err(Untested::TooLarge),
        Runs::Nothing | Runs::Text => return Ok(None),
    };
    let path = if script.starts_with(b"/") {
        script.to_vec()
    } else {
        let folder = subject.link(c"cwd")?;
        [folder.bytes(), b"/", script].concat()
    };
    // What cannot be found is no script, but for instance a name of the interpreter's own.
    let found = root.find(&path).unwrap_or(None);
    Ok(found
        .filter(|found| found.is_file())
        .map(|found| found.path))
}

/// Whether a program of this name runs scripts.
pub(super) fn is_interpreter(name: &[u8]) -> bool {
    INTERPRETERS.iter().any(|known| {
        let rest = name.strip_prefix(*known);
        let of_version = |byte: &u8| byte.is_ascii_digit() || b".-".contains(byte);
        rest.is_some_and(|rest| rest.iter().all(of_version))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Runs<'a> {
    File(&'a [u8]),
    Text,
    Nothing,
}

/// The first argument that is no option, unless one before it is a text to run.
fn script(arguments: &[Text], is_shell: bool) -> Runs<'_> {
    for argument in arguments.iter().skip(1).map(Text::bytes) {
        // `-lc`, `-ne`: the last of several.
        let letters = argument
            .strip_prefix(b"-")
            .filter(|it| !it.starts_with(b"-"));
        let is_text = match letters.and_then(|letters| letters.last()) {
            Some(b'c') => true,
            Some(b'e' | b'E') => !is_shell,
            Some(_) | None => false,
        };
        if is_text || TEXTS.contains(&argument) {
            return Runs::Text;
        }
        if !argument.starts_with(b"-") && !argument.is_empty() {
            return Runs::File(argument);
        }
    }
    Runs::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_run_scripts() {
        for name in ["python3.11", "sh", "php8.2", "node", "ruby3.1"] {
            assert!(is_interpreter(name.as_bytes()), "{name}");
        }
        for name in ["sleep", "shred", "pythonish", ""] {
            assert!(!is_interpreter(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn what_they_run() {
        let check = |arguments: &[&str], expected: Runs<'_>| {
            let arguments: Vec<_> = arguments.iter().map(|it| Text::from(*it)).collect();
            let is_shell = arguments.first().is_some_and(|it| it.bytes() == b"sh");
            assert_eq!(script(&arguments, is_shell), expected);
        };
        check(&["python3", "-u", "/a/b.py", "x"], Runs::File(b"/a/b.py"));
        check(&["java", "-jar", "/a/b.jar"], Runs::File(b"/a/b.jar"));
        check(&["sh", "-c", "/a/b"], Runs::Text);
        check(&["sh", "-lc", "/a/b"], Runs::Text);
        check(&["sh", "-e", "/a/b"], Runs::File(b"/a/b"));
        check(&["perl", "-ne", "/a/b"], Runs::Text);
        check(&["python3", "-m", "x"], Runs::Text);
        check(&["bash"], Runs::Nothing);
    }
}
