//! A program that was started with the loader of programs (ld.so(8)) by hand, so that the name of the
//! process, its program file and the rules that hang on them are those of the loader.

use model::{Outcome, Sign, Text, Trace, Untested};

use super::{Kept, Subject};

/// ld.so(8): options that are followed by their value.
const WITH_VALUE: [&[u8]; 7] = [
    b"--argv0",
    b"--audit",
    b"--glibc-hwcaps-mask",
    b"--glibc-hwcaps-prepend",
    b"--inhibit-rpath",
    b"--library-path",
    b"--preload",
];

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let link = subject.program()?.link.bytes();
    let path = link.strip_suffix(b" (deleted)").unwrap_or(link);
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    if !is_loader(file) {
        return Ok(Outcome::NothingFound);
    }
    let loaded = subject.arguments().ok().and_then(loaded).cloned();
    Ok(Outcome::of(vec![Trace {
        path: loaded,
        name: Some(path.into()),
        ..Trace::new(Sign::ByLoader)
    }]))
}

/// By its name: of glibc (`ld-linux-x86-64.so.2`, `ld-2.31.so`, `ld64.so.2`, `ld.so.1`), musl
/// (`ld-musl-x86_64.so.1`, and `libc.so` under that name's real one) or uClibc.
fn is_loader(file: &[u8]) -> bool {
    let rest = file.strip_prefix(b"ld");
    let rest = rest.map(|rest| rest.strip_prefix(b"64").unwrap_or(rest));
    let is_ld = rest
        .is_some_and(|rest| rest == b".so" || rest.starts_with(b".so.") || rest.starts_with(b"-"));
    (is_ld && file.windows(3).any(|it| it == b".so")) || file == b"libc.so"
}

/// The program that it was told to start. `None`: none, or it cannot be told.
fn loaded(arguments: &[Text]) -> Option<&Text> {
    let mut arguments = arguments.iter().skip(1);
    loop {
        let argument = arguments.next()?;
        if WITH_VALUE.contains(&argument.bytes()) {
            arguments.next()?;
        } else if !argument.bytes().starts_with(b"--") {
            return Some(argument);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_and_what_is_called_like_one() {
        for name in [
            "ld-linux-x86-64.so.2",
            "ld-2.31.so",
            "ld.so",
            "ld64.so.2",
            "ld-musl-x86_64.so.1",
            "ld-uClibc.so.0",
        ] {
            assert!(is_loader(name.as_bytes()), "{name}");
        }
        for name in ["ld", "ld.bfd", "ld-watch", "ldap.so", "sleep", "libc.so.6"] {
            assert!(!is_loader(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn the_program_among_the_arguments() {
        let line = [
            "ld.so",
            "--library-path",
            "/opt/lib",
            "--verify",
            "/tmp/x",
            "--audit",
        ];
        let line = line.map(Text::from);
        assert_eq!(loaded(&line), Some(&Text::from("/tmp/x")));
        assert_eq!(loaded(&line[..3]), None);
    }
}
