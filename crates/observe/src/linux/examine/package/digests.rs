//! What is in files, hashed once for each version of a file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use md5::Md5;
use model::Untested;
use sha1::Sha1;
use sha2::Sha256;

use super::super::root::{Found, Version, status};
use crate::parse::package_list::Digest;

/// Larger files are not read.
const MOST_BYTES: u64 = 1 << 30;
const BUFFER: usize = 256 * 1024;
const MOST_KEPT: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Md5,
    Sha1,
    Sha256,
}

impl Kind {
    pub(super) fn of(digest: &Digest) -> Self {
        match digest {
            Digest::Md5(_) => Self::Md5,
            Digest::Sha1(_) => Self::Sha1,
            Digest::Sha256(_) => Self::Sha256,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Digests(HashMap<(Version, Kind), Digest>);

impl Digests {
    /// Of a file that lies on this computer.
    pub(super) fn digest(&mut self, found: &Found, kind: Kind) -> Result<Digest, Untested> {
        let version = Version::of(&found.seen);
        if let Some(digest) = self.0.get(&(version, kind)) {
            return Ok(*digest);
        }
        if version.size > MOST_BYTES {
            return Err(Untested::TooLarge);
        }
        let mut file = found.open()?;
        let digest = read(&mut file, kind).map_err(|_| Untested::Unreadable)?;
        let after = status(&file).map_err(|_| Untested::Unreadable)?;
        // It is being written: whoever asks again gets an answer.
        if Version::of(&after) != version {
            return Err(Untested::NotFinished);
        }
        if self.0.len() >= MOST_KEPT {
            self.0.clear();
        }
        self.0.insert((version, kind), digest);
        Ok(digest)
    }
}

fn read(file: &mut File, kind: Kind) -> io::Result<Digest> {
    Ok(match kind {
        Kind::Md5 => Digest::Md5(hash::<Md5>(file)?.into()),
        Kind::Sha1 => Digest::Sha1(hash::<Sha1>(file)?.into()),
        Kind::Sha256 => Digest::Sha256(hash::<Sha256>(file)?.into()),
    })
}

fn hash<D: sha2::Digest>(file: &mut File) -> io::Result<sha2::digest::Output<D>> {
    let mut hash = D::new();
    let mut buffer = vec![0; BUFFER];
    // It may have grown since it was asked for its size.
    let mut file = file.take(MOST_BYTES);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize()),
            Ok(length) => hash.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::root::Root;
    use super::*;

    #[test]
    fn known_sums() {
        let folder = std::env::temp_dir().join(format!("whocalls-digests-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("abc"), "abc").unwrap();
        let found = Root::at(&folder).find(b"/abc").unwrap().unwrap();
        let mut digests = Digests::default();
        let check = |digests: &mut Digests, kind, expected: &str| {
            let digest = digests.digest(&found, kind).unwrap();
            let bytes = match &digest {
                Digest::Md5(bytes) => &bytes[..],
                Digest::Sha1(bytes) => &bytes[..],
                Digest::Sha256(bytes) => &bytes[..],
            };
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text, expected);
            assert_eq!(Kind::of(&digest), kind);
        };
        // RFC 1321, A.5; FIPS 180-2, A.1 and B.1.
        check(&mut digests, Kind::Md5, "900150983cd24fb0d6963f7d28e17f72");
        check(
            &mut digests,
            Kind::Sha1,
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        );
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        check(&mut digests, Kind::Sha256, sha256);
        assert_eq!(digests.0.len(), 3);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
