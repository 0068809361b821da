//! The list of apk, `/lib/apk/db/installed` (apk-tools: apk-v2(5), the letters of the index and of the
//! files).

use super::{Digest, base64};

/// A file of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    /// Its folder, without the first and the last `/`.
    pub(crate) folder: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) package: &'a [u8],
    pub(crate) version: &'a [u8],
    /// Which one it is, counted from 0.
    pub(crate) number: u32,
    /// `None`: none, or one that is not known here.
    pub(crate) digest: Option<Digest>,
}

/// All files of all packages.
pub(crate) fn listed(file: &[u8]) -> impl Iterator<Item = Listed<'_>> {
    let mut lines = file.split(|byte| *byte == b'\n').chain([&b""[..]]);
    let [mut folder, mut package, mut version] = [&b""[..]; 3];
    let mut number = 0_u32;
    let mut before: Option<Listed<'_>> = None;
    std::iter::from_fn(move || {
        loop {
            let Some(line) = lines.next() else {
                return before.take();
            };
            let (letter, value) = match line {
                [letter, b':', value @ ..] => (*letter, value),
                _ => (b' ', &b""[..]),
            };
            // The facts of a file follow its name.
            if letter == b'Z' {
                if let Some(file) = before.as_mut() {
                    file.digest = digest(value);
                }
                continue;
            }
            let complete = match letter {
                b'a' => None,
                _ => before.take(),
            };
            match letter {
                b'P' => package = value,
                b'V' => version = value,
                b'F' => folder = value,
                b'R' => {
                    before = Some(Listed {
                        folder,
                        name: value,
                        package,
                        version,
                        number,
                        digest: None,
                    });
                }
                b' ' if line.is_empty() => {
                    [folder, package, version] = [&b""[..]; 3];
                    number = number.saturating_add(1);
                }
                _ => {}
            }
            if complete.is_some() {
                return complete;
            }
        }
    })
}

/// `Q1` is SHA-1, `Q2` SHA-256, both in base64.
fn digest(value: &[u8]) -> Option<Digest> {
    match value {
        [b'Q', b'1', rest @ ..] => base64(rest).map(Digest::Sha1),
        [b'Q', b'2', rest @ ..] => base64(rest).map(Digest::Sha256),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_of_packages() {
        let file = b"C:Q1x=\nP:musl\nV:1.2.5-r0\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n\
            Z:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\nR:second\nF:usr/bin\nR:third\nZ:odd\n\n\
            P:busybox\nV:1.36-r1\nF:bin\nR:busybox\nZ:Q1AAECAwQFBgcICQoLDA0ODxAREhM=";
        let found: Vec<_> = listed(file).collect();
        assert_eq!(found.len(), 4);
        let sum = Digest::Sha1(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        let first = Listed {
            folder: b"lib",
            name: b"ld-musl-x86_64.so.1",
            package: b"musl",
            version: b"1.2.5-r0",
            number: 0,
            digest: Some(sum),
        };
        assert_eq!(found[0], first);
        assert_eq!((found[1].name, found[1].digest), (&b"second"[..], None));
        assert_eq!((found[2].folder, found[2].digest), (&b"usr/bin"[..], None));
        assert_eq!((found[3].package, found[3].number), (&b"busybox"[..], 1));
        assert_eq!(found[3].digest, Some(sum));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            prop_assert!(listed(&bytes).count() <= bytes.len());
        }
    }
}
