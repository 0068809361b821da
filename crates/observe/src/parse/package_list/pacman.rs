//! The lists of pacman, below `/var/lib/pacman/local/NAME-VERSION-RELEASE` (alpm-files(5),
//! alpm-mtree(5), mtree(5)).

use super::{Digest, hexadecimal};

/// Name and version out of the name of a package's folder.
pub(crate) fn name_and_version(folder: &[u8]) -> Option<(&[u8], &[u8])> {
    let release = folder.iter().rposition(|byte| *byte == b'-')?;
    let version = folder.get(..release)?;
    let version = version.iter().rposition(|byte| *byte == b'-')?;
    let name = folder.get(..version).filter(|name| !name.is_empty())?;
    Some((name, folder.get(version + 1..)?))
}

/// `files`: all paths of a package, without the first `/`; folders end in one.
pub(crate) fn paths(files: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = files.split(|byte| *byte == b'\n');
    let files = lines.skip_while(|line| *line != b"%FILES%").skip(1);
    let files = files.take_while(|line| !line.starts_with(b"%"));
    files.filter(|line| !line.is_empty() && !line.ends_with(b"/"))
}

/// What `mtree`, unpacked, says is in the file at `path`, which is without the first `/`. SHA-256 where
/// there is one, else MD5.
pub(crate) fn digest(mtree: &[u8], path: &[u8]) -> Option<Digest> {
    let mut lines = mtree.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let mut words = line.split(|byte| *byte == b' ');
        let name = words.next()?.strip_prefix(b"./")?;
        if !is(name, path) {
            return None;
        }
        let (mut md5, mut sha256) = (None, None);
        for word in words {
            if let Some(value) = word.strip_prefix(b"sha256digest=") {
                sha256 = hexadecimal(value).map(Digest::Sha256);
            } else if let Some(value) = word.strip_prefix(b"sha256=") {
                sha256 = hexadecimal(value).map(Digest::Sha256);
            } else if let Some(value) = word.strip_prefix(b"md5digest=") {
                md5 = hexadecimal(value).map(Digest::Md5);
            }
        }
        sha256.or(md5)
    })
}

/// Whether a name of mtree is this path: what is no plain letter is written as `\NNN`, in octal.
fn is(mut name: &[u8], path: &[u8]) -> bool {
    let mut path = path.iter();
    while let Some((first, rest)) = name.split_first() {
        let octal = rest.first_chunk::<3>().filter(|_| *first == b'\\');
        let escaped = octal.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        let byte = escaped.unwrap_or(*first);
        name = match escaped {
            Some(_) => rest.get(3..).unwrap_or_default(),
            None => rest,
        };
        if path.next() != Some(&byte) {
            return false;
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn name_and_version_of_a_folder() {
        let check = |folder: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(name, version)| (name.as_bytes(), version.as_bytes()));
            assert_eq!(name_and_version(folder.as_bytes()), expected, "{folder}");
        };
        check("gcc-libs-14.1.1+r1-1", Some(("gcc-libs", "14.1.1+r1-1")));
        check("bash-5.2.037-2", Some(("bash", "5.2.037-2")));
        check("a-1", None);
        check("-1-1", None);
        check("ALPM_DB_VERSION", None);
    }

    #[test]
    fn paths_without_folders() {
        let files = b"%FILES%\nusr/\nusr/bin/\nusr/bin/a b\n\n%BACKUP%\netc/x\tabc\n";
        assert_eq!(paths(files).collect::<Vec<_>>(), [b"usr/bin/a b"]);
    }

    #[test]
    fn the_strongest_digest() {
        let sha = "ab".repeat(32);
        let md5 = "cd".repeat(16);
        let mtree = format!(
            "#mtree\n/set type=file uid=0\n./usr/bin/a\\040b time=1.0 size=3 md5digest={md5} \
             sha256digest={sha}\n./c time=1.0 md5digest={md5}\n./d time=1.0 type=link link=c\n"
        );
        let check = |path: &str, expected| {
            assert_eq!(digest(mtree.as_bytes(), path.as_bytes()), expected);
        };
        check("usr/bin/a b", Some(Digest::Sha256([0xab; 32])));
        check("c", Some(Digest::Md5([0xcd; 16])));
        check("d", None);
        check("usr/bin/a", None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, path: Vec<u8>) {
            let _ = (name_and_version(&bytes), paths(&bytes).count());
            let _ = (digest(&bytes, &path), is(&bytes, &path));
        }
    }
}
