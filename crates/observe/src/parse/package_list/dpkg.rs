//! The lists of dpkg (dpkg(1), deb-md5sums(5), dpkg-divert(1)), below `/var/lib/dpkg`.

use super::{Digest, hexadecimal};

/// `info/NAME.list` or `info/NAME:ARCHITECTURE.list`: all paths of a package, its folders among them.
pub(crate) fn paths(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = list.split(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"/") && *line != b"/.")
}

/// `info/NAME.md5sums`: what is in its files. Their paths are without the first `/`. Configuration
/// files are not in it.
pub(crate) fn sums(file: &[u8]) -> impl Iterator<Item = (&[u8], Digest)> {
    file.split(|byte| *byte == b'\n').filter_map(|line| {
        let (sum, path) = line.split_at_checked(32)?;
        let path = path.strip_prefix(b"  ").or(path.strip_prefix(b" *"))?;
        let path = path.strip_prefix(b"./").unwrap_or(path);
        Some((path, Digest::Md5(hexadecimal(sum)?)))
    })
}

/// A package of `status` (deb822(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Installed<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) architecture: &'a [u8],
    pub(crate) version: &'a [u8],
}

/// The packages of `status` whose files are there.
pub(crate) fn installed(status: &[u8]) -> Vec<Installed<'_>> {
    let mut packages = Vec::new();
    let mut fields = [&b""[..]; 4];
    let lines = status.split(|byte| *byte == b'\n');
    // The last one may have no empty line behind it.
    for line in lines.chain([&b""[..]]) {
        if line.is_empty() {
            let [name, architecture, version, status] = std::mem::take(&mut fields);
            let has_files = !status.ends_with(b" not-installed") && !status.ends_with(b"-files");
            if !name.is_empty() && has_files {
                packages.push(Installed {
                    name,
                    architecture,
                    version,
                });
            }
            continue;
        }
        let names: [&[u8]; 4] = [b"Package:", b"Architecture:", b"Version:", b"Status:"];
        for (field, name) in fields.iter_mut().zip(names) {
            if let Some(value) = line.strip_prefix(name) {
                *field = value.trim_ascii();
            }
        }
    }
    packages
}

/// A file that was moved away for that of another package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Diversion<'a> {
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
    /// The package whose file stands there instead. Empty: none, somebody's own.
    pub(crate) by: &'a [u8],
}

/// `diversions`: three lines for each.
pub(crate) fn diversions(file: &[u8]) -> Vec<Diversion<'_>> {
    let mut lines = file.split(|byte| *byte == b'\n');
    let mut found = Vec::new();
    while let (Some(from), Some(to), Some(by)) = (lines.next(), lines.next(), lines.next()) {
        let by = if by == b":" { b"" } else { by };
        found.push(Diversion { from, to, by });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_and_sums() {
        let list = b"/.\n/usr\n/usr/bin/a b\n\nno path\n";
        let found: Vec<_> = paths(list).collect();
        assert_eq!(found, [&b"/usr"[..], b"/usr/bin/a b"]);
        let file = b"000102030405060708090a0b0c0d0e0f  usr/bin/a b\nshort  x\n\
            000102030405060708090a0b0c0d0e0f  ./b\n";
        let found: Vec<_> = sums(file).collect();
        let sum = Digest::Md5(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        assert_eq!(found, [(&b"usr/bin/a b"[..], sum), (b"b", sum)]);
    }

    #[test]
    fn packages_whose_files_are_there() {
        let status = b"Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\
            Description: x\n Package: no\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: c\nVersion: 4\n";
        let found = installed(status);
        let a = Installed {
            name: b"a",
            architecture: b"amd64",
            version: b"1:2-3",
        };
        let c = Installed {
            name: b"c",
            architecture: b"",
            version: b"4",
        };
        assert_eq!(found, [a, c]);
    }

    #[test]
    fn files_that_were_moved_away() {
        let found = diversions(b"/bin/sh\n/bin/sh.distrib\ndash\n/a\n/b\n:\n/cut\n");
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].to, found[0].by),
            (&b"/bin/sh.distrib"[..], &b"dash"[..])
        );
        assert_eq!((found[1].from, found[1].by), (&b"/a"[..], &b""[..]));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = (paths(&bytes).count(), sums(&bytes).count());
            let _ = (installed(&bytes), diversions(&bytes));
        }

        #[test]
        fn reads_back_a_sum(sum: [u8; 16], path in "[a-z/ ]{1,20}") {
            let mut line: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            line.push_str("  ");
            line.push_str(&path);
            let found: Vec<_> = sums(line.as_bytes()).collect();
            prop_assert_eq!(found, [(path.as_bytes(), Digest::Md5(sum))]);
        }
    }
}
