//! The bytes of a file, unpacked where they are packed by gzip, and never more than a bound.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::Error;

/// Larger files are refused, and so is what grows beyond it when unpacked.
pub const LARGEST: u64 = 128 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];

pub(super) fn whole(input: impl Read) -> Result<Vec<u8>, Error> {
    let bytes = bounded(input, false)?;
    if !bytes.starts_with(GZIP) {
        return Ok(bytes);
    }
    match bounded(MultiGzDecoder::new(bytes.as_slice()), true) {
        Err(Error::Read(error)) if is_damage(&error) => Err(Error::DamagedGzip(error.to_string())),
        other => other,
    }
}

fn bounded(input: impl Read, unpacked: bool) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::TooLarge {
            most: LARGEST,
            unpacked,
        });
    }
    Ok(bytes)
}

fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &mut dyn Read) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        io::copy(bytes, &mut packed).unwrap();
        packed.flush().unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_once() {
        let once = packed(&mut b"evil.example".as_slice());
        assert_eq!(whole(once.as_slice()).unwrap(), b"evil.example");
        let twice = packed(&mut once.as_slice());
        assert_eq!(whole(twice.as_slice()).unwrap(), once);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = packed(&mut io::repeat(b'a').take(LARGEST + 1));
        assert!(bomb.len() < 4 << 20);
        let error = whole(bomb.as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 128 MiB when unpacked");
    }

    #[test]
    fn what_is_cut_is_damaged() {
        let mut cut = packed(&mut b"evil.example and more".as_slice());
        cut.truncate(cut.len() - 12);
        assert!(matches!(whole(cut.as_slice()), Err(Error::DamagedGzip(_))));
    }
}
