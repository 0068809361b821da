//! What goes in comes out again, and nothing odd does harm.

pub(super) mod any;
mod damaged;

use model::{Observed, Restated};
use proptest::prelude::*;

use self::any::{HOST, any_observed, any_restated, host, time};
use super::{Encoder, Line, Lines};

/// The lines of one segment that starts as all do.
fn segment(write: impl FnOnce(&mut Encoder, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new();
    encoder.start(&host(), time(0), model::Tier::Full, 1, &mut out);
    write(&mut encoder, &mut out);
    out
}

fn read(bytes: &[u8]) -> Vec<Line> {
    Lines::new(bytes).map(Result::unwrap).collect()
}

fn observed(lines: Vec<Line>) -> Vec<Observed> {
    let observed = lines.into_iter().filter_map(|line| match line {
        Line::Observed(observed) => Some(observed),
        Line::Start(_) | Line::Restated(_) | Line::End(_) | Line::Unknown => None,
    });
    observed.collect()
}

/// `Observed` cannot be compared; this says all that is in it, users in their order.
fn told(observed: &Observed) -> String {
    let Observed::Look(look) = observed else {
        return format!("{observed:?}");
    };
    let mut look = look.clone();
    let mut users: Vec<_> = std::mem::take(&mut look.users).into_iter().collect();
    users.sort();
    format!("{look:?} {users:?}")
}

#[test]
fn a_segment_starts_and_ends() {
    let bytes = segment(|encoder, out| encoder.end(time(9), 3, out));
    let lines = read(&bytes);
    let [Line::Start(start), Line::End(end)] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!((&start.host, start.segment), (&host(), 1));
    assert_eq!((end.time, end.events, end.lost), (time(9), 0, 3));
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text.lines().next().unwrap(),
        r#"{"schema":"whocalls/1","type":"start","segment":1,"host":"lena-laptop","boot":"07070707070707070707070707070707","taken":"2026-11-22T10:15:00.000000000Z","tier":"full"}"#
    );
    assert_eq!(HOST, host().name.lossy());
}

proptest! {
    #[test]
    fn what_is_observed_reads_back(all in prop::collection::vec(any_observed(), 0..12)) {
        let bytes = segment(|encoder, out| {
            for observed in &all {
                encoder.observed(observed, out);
            }
        });
        let text = std::str::from_utf8(&bytes).unwrap();
        let acts = |it: char| it != '\n' && model::acts_or_hides(it);
        prop_assert!(!text.chars().any(acts));
        let again = observed(read(&bytes));
        let all: Vec<_> = all.iter().map(told).collect();
        let again: Vec<_> = again.iter().map(told).collect();
        prop_assert_eq!(again, all);
    }

    #[test]
    fn what_is_restated_reads_back(state in any_restated()) {
        let bytes = segment(|encoder, out| encoder.restate(&state, out));
        for line in bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).unwrap();
            prop_assert_eq!(&line["restated"], true);
        }
        let again: Vec<Restated> = read(&bytes).into_iter().filter_map(|line| match line {
            Line::Restated(state) => Some(*state),
            Line::Start(_) | Line::Observed(_) | Line::End(_) | Line::Unknown => None,
        }).collect();
        prop_assert_eq!(again, vec![state]);
    }
}
