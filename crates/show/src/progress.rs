//! How a recording goes, as one line.

use std::time::Duration;

use crate::messages::progress as texts;
use crate::quantity::bytes;
use crate::visible::{display_width, shorten_end};

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub elapsed: Duration,
    pub events: u64,
    /// `None`: packets are not recorded.
    pub packets: Option<u64>,
    pub lost_events: u64,
    pub lost_packets: u64,
    /// On disk.
    pub bytes_written: u64,
    /// `None`: not known.
    pub bytes_free: Option<u64>,
}

/// One line of at most `width` columns. Where room is short, what can be missed best is left out;
/// the time and what was lost stay.
pub fn progress(progress: &Progress, width: usize) -> String {
    // Each with its worth: the lowest leaves first.
    let mut parts = vec![
        (u8::MAX, texts::elapsed(progress.elapsed)),
        (2, texts::events(progress.events)),
    ];
    parts.extend(progress.packets.map(|it| (3, texts::packets(it))));
    parts.push((
        u8::MAX,
        texts::lost(progress.lost_events, progress.lost_packets),
    ));
    parts.push((1, texts::written(&bytes(progress.bytes_written))));
    let free = progress.bytes_free;
    parts.extend(free.map(|it| (4, texts::free(&bytes(it)))));
    loop {
        let texts: Vec<&str> = parts.iter().map(|it| it.1.as_str()).collect();
        let line = texts.join("  ");
        let lowest = parts.iter().enumerate();
        let lowest = lowest.filter(|(_, (worth, _))| *worth < u8::MAX);
        let lowest = lowest.min_by_key(|(_, (worth, _))| *worth);
        match lowest.map(|(place, _)| place) {
            Some(place) if display_width(&line) > width => drop(parts.remove(place)),
            Some(_) | None => return shorten_end(&line, width).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOES_WELL: Progress = Progress {
        elapsed: Duration::from_secs(751),
        events: 12_345,
        packets: Some(1_234_567),
        lost_events: 0,
        lost_packets: 0,
        bytes_written: 812 << 20,
        bytes_free: Some(21 << 30),
    };

    fn check(at: Progress, width: usize, expected: &str) {
        assert_eq!(progress(&at, width), expected);
    }

    #[test]
    fn all_of_it_where_there_is_room() {
        check(
            GOES_WELL,
            100,
            "00:12:31  12,345 events  1,234,567 packets  0 lost  812 MiB written  21 GiB free",
        );
        let days = Progress {
            elapsed: Duration::from_secs(3 * 86_400 + 5),
            packets: None,
            events: 1,
            bytes_free: None,
            ..GOES_WELL
        };
        check(days, 100, "72:00:05  1 event  0 lost  812 MiB written");
    }

    #[test]
    fn what_was_lost_is_told_by_its_kind_and_stays() {
        let lost = Progress {
            lost_events: 3,
            lost_packets: 1_000,
            ..GOES_WELL
        };
        let lost_line = "LOST: 3 events, 1,000 packets";
        assert!(progress(&lost, 120).contains(lost_line));
        check(lost, 39, &format!("00:12:31  {lost_line}"));
    }

    #[test]
    fn the_less_room_the_less_is_told() {
        check(
            GOES_WELL,
            64,
            "00:12:31  12,345 events  1,234,567 packets  0 lost  21 GiB free",
        );
        check(GOES_WELL, 30, "00:12:31  0 lost  21 GiB free");
        check(GOES_WELL, 20, "00:12:31  0 lost");
    }

    proptest! {
        #[test]
        fn fits(events: u64, packets: u64, lost: u64, bytes: u64, width in 0_usize..200) {
            let at = Progress {
                events,
                packets: Some(packets),
                lost_packets: lost,
                bytes_written: bytes,
                bytes_free: Some(bytes),
                ..GOES_WELL
            };
            prop_assert!(display_width(&progress(&at, width)) <= width);
        }
    }
}
