//! Lines that are not as we write them.

use proptest::prelude::*;

use super::{observed, read, segment};
use crate::lines::tests::any::any_observed;
use crate::lines::{Cut, Error, Line, Lines};

/// The error at the end of a segment with these lines after the first.
fn check(rest: &[u8], expected: &str) {
    let mut bytes = segment(|_, _| {});
    bytes.extend(rest);
    let mut lines = Lines::new(bytes.as_slice());
    let error = lines.by_ref().find_map(Result::err);
    assert_eq!(error.unwrap().to_string(), expected);
    assert!(lines.next().is_none());
}

#[test]
fn an_error_names_the_line_the_byte_and_why() {
    let first = segment(|_, _| {}).len();
    check(
        b"{\"type\":\"event\",\"seq\":1x}\n",
        &format!(
            "cannot read events: line 2, byte {}: expected `,` or `}}`",
            first + 23
        ),
    );
    check(
        b"{\"type\":\"event\",\"seq\":1}\n",
        &format!(
            "cannot read events: line 2, byte {}: missing field `time`",
            first + 23
        ),
    );
    check(
        b"\n{\"type\":\"gap\"}\n",
        &format!("cannot read events: line 2, byte {first}: EOF while parsing a value"),
    );
    check(
        b"{\"type\":\"later\"}\n{\"type\":\"look_end\"}\n",
        &format!(
            "cannot read events: line 3, byte {}: it belongs to a look, and no look has begun",
            first + 17
        ),
    );
    check(
        br#"{"type":"process","id":"7-9-01020304","same":true}
"#,
        &format!("cannot read events: line 2, byte {first}: a process id is of another boot"),
    );
    check(
        br#"{"type":"process","id":"7-9-07070707","same":true}
"#,
        &format!(
            "cannot read events: line 2, byte {first}: a process is said to be the same, and was not told of before"
        ),
    );
    check(
        &b"[".repeat(17 << 20),
        &format!("cannot read events: line 2, byte {first}: the line is longer than 16 MiB"),
    );
    let deep = [b"{\"type\":".as_slice(), &b"[".repeat(1 << 20), b"\n"].concat();
    let mut bytes = segment(|_, _| {});
    bytes.extend(deep);
    let error = Lines::new(bytes.as_slice()).find_map(Result::err);
    assert!(
        matches!(error, Some(Error::Damaged { line: 2, .. })),
        "{error:?}"
    );
}

#[test]
fn other_files_are_told_apart() {
    let first = |bytes: &[u8]| Lines::new(bytes).next().unwrap();
    assert!(matches!(first(b"hello\n"), Err(Error::Foreign)));
    assert!(matches!(
        first(b"{\"type\":\"start\"}\n"),
        Err(Error::Foreign)
    ));
    assert!(matches!(
        first(b"{\"schema\":\"other/1\"}\n"),
        Err(Error::Foreign)
    ));
    let newer = first(b"{\"schema\":\"whocalls/2\",\"type\":\"start\"}\n");
    assert!(matches!(newer, Err(Error::TooNew { found }) if found == "whocalls/2"));
    let damaged = first(b"{\"schema\":\"whocalls/1\",\"type\":\"start\"}\n");
    assert!(matches!(damaged, Err(Error::Damaged { line: 1, .. })));
    // Zeros have no end of a line.
    let zeros = vec![0; 4096];
    let mut lines = Lines::new(zeros.as_slice());
    assert!(lines.next().is_none());
    assert_eq!(lines.cut().unwrap().bytes, 4096);
}

#[test]
fn what_a_newer_build_wrote_is_counted() {
    let rest = br#"{"type":"finding","id":"1"}
{"type":"event","seq":1,"time":"2026-11-22T10:15:00.000000000Z","boot_ns":1,"source":"ebpf","kind":"thought"}
{"kind":"tick","new":{"a":[1]},"source":"ebpf","boot_ns":1,"time":"2026-11-22T10:15:00.000000000Z","seq":2,"type":"event"}
"#;
    let mut bytes = segment(|_, _| {});
    bytes.extend(rest);
    let mut lines = Lines::new(bytes.as_slice());
    let all: Vec<_> = lines.by_ref().map(Result::unwrap).collect();
    assert!(matches!(
        all.as_slice(),
        [
            Line::Start(_),
            Line::Unknown,
            Line::Unknown,
            Line::Observed(_)
        ]
    ));
    assert_eq!((lines.unknown(), lines.cut()), (2, None));
}

proptest! {
    /// A crash cuts anywhere: what ended before it reads as it was, the rest is given up.
    #[test]
    fn a_cut_is_given_up(all in prop::collection::vec(any_observed(), 1..4), at: prop::sample::Index) {
        let bytes = segment(|encoder, out| all.iter().for_each(|it| encoder.observed(it, out)));
        let kept = &bytes[..at.index(bytes.len())];
        let mut lines = Lines::new(kept);
        let whole: Vec<_> = lines.by_ref().map(Result::unwrap).collect();
        let ends = kept.is_empty() || kept.ends_with(b"\n");
        let bytes_given_up = kept.len() - kept.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        match lines.cut() {
            Some(Cut { bytes, look }) => {
                prop_assert_eq!(usize::try_from(bytes).unwrap(), bytes_given_up);
                prop_assert!(look || !ends);
            }
            None => prop_assert!(ends),
        }
        let whole = observed(whole).len();
        prop_assert!(whole <= observed(read(&bytes)).len());
    }

    #[test]
    fn never_panics(all in prop::collection::vec(any_observed(), 1..4), changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..5)) {
        let mut bytes = segment(|encoder, out| all.iter().for_each(|it| encoder.observed(it, out)));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Lines::new(bytes.as_slice()).for_each(drop);
    }

    #[test]
    fn never_panics_on_anything(rest: Vec<u8>) {
        let mut bytes = segment(|_, _| {});
        bytes.extend(&rest);
        Lines::new(bytes.as_slice()).for_each(drop);
        Lines::new(rest.as_slice()).for_each(drop);
    }
}
