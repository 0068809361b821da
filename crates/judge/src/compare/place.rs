//! Where a program is, without the parts of its path that change with every version of it.

use model::Text;

/// A hash within a path is that long, in the stores of Nix and Guix.
const HASH: usize = 32;
/// What an `AppImage` adds to the name of the folder that it is mounted at.
const RANDOM: usize = 6;

/// Two versions of one program have this in common: numbers, the hashes of stores and the random names of
/// mounts are left out. `None`: nothing of it changes.
pub(super) fn without_version(path: &Text) -> Option<String> {
    let path = path.as_utf8()?;
    let parts = path.split('/').map(part);
    let without = parts.collect::<Vec<_>>().join("/");
    (without != path).then_some(without)
}

fn part(part: &str) -> String {
    if let Some((hash, name)) = part.split_once('-')
        && hash.len() == HASH
        && hash.bytes().all(|it| it.is_ascii_alphanumeric())
    {
        return format!("#-{}", without_numbers(name));
    }
    if part.starts_with(".mount_") {
        let cut = part.len().saturating_sub(RANDOM);
        return format!("{}#", part.get(..cut).unwrap_or(part));
    }
    without_numbers(part)
}

fn without_numbers(text: &str) -> String {
    let mut without = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '0'..='9' if without.ends_with('#') => {}
            '0'..='9' => without.push('#'),
            // `3.11` and `4` are numbers of the same kind.
            '.' if without.ends_with('#') => {}
            other => without.push(other),
        }
    }
    without
}

/// The name that the kernel keeps of a program: the last part of its path, cut after 15 bytes.
pub(super) fn short_name(path: &Text) -> &[u8] {
    const LONGEST: usize = 15;
    let bytes = path.bytes();
    let begin = bytes.iter().rposition(|it| matches!(it, b'/' | b'\\'));
    let name = bytes.get(begin.map_or(0, |it| it + 1)..).unwrap_or(bytes);
    name.get(..LONGEST).unwrap_or(name)
}

/// Whether it is a path, and no bare name.
pub(super) fn is_path(program: &Text) -> bool {
    program.bytes().iter().any(|it| matches!(it, b'/' | b'\\'))
}

/// The same, of what makes a program the same one.
pub(super) fn is_path_of(key: &super::program::ProgramKey) -> bool {
    key.program.as_ref().is_some_and(is_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_program_have_one_place() {
        let check = |one: &str, other: &str, same: bool| {
            let place = |path: &str| without_version(&path.into()).unwrap_or(path.to_owned());
            assert_eq!(place(one) == place(other), same, "{one} {other}");
        };
        let store = "/nix/store/";
        check("/usr/bin/python3.11", "/usr/bin/python3.12", true);
        check("/usr/bin/python3", "/usr/bin/python3.12", true);
        check(
            "/snap/firefox/4336/usr/lib/firefox",
            "/snap/firefox/4400/usr/lib/firefox",
            true,
        );
        check(
            &format!("{store}0c8f0b4ixkyq2h8i0b7gwbr6dcl3zq5v-curl-8.4.0/bin/curl"),
            &format!("{store}zz8f0b4ixkyq2h8i0b7gwbr6dcl3zq5v-curl-8.5.1/bin/curl"),
            true,
        );
        check(
            "/tmp/.mount_Signalab12XY/signal",
            "/tmp/.mount_SignalQQ77zz/signal",
            true,
        );
        check(
            "/tmp/.mount_Signalab12XY/signal",
            "/tmp/.mount_OtherQQ77zz/signal",
            false,
        );
        check("/usr/bin/curl", "/usr/bin/wget", false);
        assert_eq!(without_version(&"/usr/bin/curl".into()), None);
    }

    #[test]
    fn the_kernel_keeps_fifteen_bytes() {
        assert_eq!(
            short_name(&"/usr/lib/systemd/systemd-timesyncd".into()),
            b"systemd-timesyn"
        );
        assert_eq!(short_name(&"C:\\Windows\\cmd.exe".into()), b"cmd.exe");
        assert_eq!(short_name(&"curl".into()), b"curl");
        assert!(is_path(&"/x".into()) && !is_path(&"x".into()));
    }
}
