//! How much memory rings may take: the kernel gives what is asked for, and ends other programs when
//! there is no more.

use model::{Gap, Source};

use crate::parse::meminfo;

/// The most of what is available that rings take.
const PART: u64 = 4;

/// So much of what was asked for; and what that means, when it is less.
pub(super) fn granted(wanted: u64) -> (u64, Option<Gap>) {
    let file = std::fs::read("/proc/meminfo");
    let available = file.ok().and_then(|file| meminfo::available(&file));
    share(wanted, available)
}

fn share(wanted: u64, available: Option<u64>) -> (u64, Option<Gap>) {
    let most = available.map_or(wanted, |available| available / PART);
    if wanted <= most {
        return (wanted, None);
    }
    let gap = Gap::standing(
        "ring_memory",
        Source::Capture,
        format!(
            "packets may wait in {} MiB of memory instead of {} MiB: no more than a quarter of what is available is taken",
            most >> 20,
            wanted >> 20
        ),
        "packets, when more come at once than can be written",
    );
    (most, Some(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_granted() {
        assert_eq!(share(256 << 20, Some(1 << 30)), (256 << 20, None));
        assert_eq!(share(u64::MAX, None), (u64::MAX, None));
    }

    #[test]
    fn no_more_than_a_quarter_is_taken() {
        let (bytes, gap) = share(100 << 30, Some(8 << 30));
        assert_eq!(bytes, 2 << 30);
        let why = gap.unwrap().why;
        assert!(why.contains("2048 MiB"), "{why}");
        assert!(why.contains("102400 MiB"), "{why}");
    }

    #[test]
    fn this_computer_has_memory() {
        let (bytes, gap) = granted(u64::MAX);
        assert!((1 << 20..u64::MAX / 4).contains(&bytes), "{bytes}");
        assert!(gap.is_some());
    }
}
