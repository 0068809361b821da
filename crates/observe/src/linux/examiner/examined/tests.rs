//! What goes over the socket comes back, and never takes more room than there is.

use super::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn text() -> impl Strategy<Value = Text> {
    vec(any::<u8>(), 0..30).prop_map(|bytes| bytes.as_slice().into())
}

fn traced() -> impl Strategy<Value = Trace> {
    let piece = || of(vec(any::<u8>(), 0..=Trace::MOST_BYTES));
    let texts = (of(text()), of(text()), of(text()));
    let numbers = (of(any::<u64>()), of(any::<u64>()), of(any::<u32>()));
    (select(Sign::ALL), texts, numbers, piece(), piece()).prop_map(
        |(sign, (path, package, name), (address, length, pid), bytes, expected)| Trace {
            sign,
            path,
            package,
            address,
            length,
            bytes,
            expected,
            pid,
            name,
        },
    )
}

fn said() -> impl Strategy<Value = Outcome> {
    let found = (vec(traced(), 1..=Outcome::MOST_TRACES), any::<u32>());
    prop_oneof![
        Just(Outcome::NothingFound),
        select(Untested::ALL).prop_map(Outcome::NotTestable),
        found.prop_map(|(traces, more)| Outcome::Found { traces, more }),
    ]
}

/// Any that there is room for.
pub(in super::super) fn examined() -> impl Strategy<Value = Examined> {
    let package = (
        select(PackageState::ALL),
        of(text()),
        of(text()),
        of(select(PackageManager::ALL)),
    );
    let package = package.prop_map(|(state, name, version, manager)| Package {
        state,
        name,
        version,
        manager,
    });
    let checks = vec((select(Check::ALL), said()), 0..30);
    (checks, of(package), of(select(Display::ALL))).prop_map(|(checks, package, display)| {
        let mut examined = Examined {
            package,
            display,
            ..Examined::default()
        };
        for (check, outcome) in checks {
            examined.put(check, outcome);
        }
        examined
    })
}

fn full(text: usize) -> Examined {
    let long: Text = vec![b'x'; text].as_slice().into();
    let trace = Trace {
        path: Some(long.clone()),
        package: Some(long.clone()),
        name: Some(long.clone()),
        address: Some(1),
        length: Some(2),
        bytes: Some(vec![3; Trace::MOST_BYTES]),
        expected: Some(vec![4; Trace::MOST_BYTES]),
        pid: Some(5),
        sign: Sign::Differs,
    };
    let mut examined = Examined {
        package: Some(Package {
            state: PackageState::Intact,
            name: Some(long.clone()),
            version: Some(long),
            manager: Some(PackageManager::Dpkg),
        }),
        display: Some(Display::Shown),
        ..Examined::default()
    };
    for check in Check::ALL {
        let traces = vec![trace.clone(); Outcome::MOST_TRACES];
        examined.put(*check, Outcome::Found { traces, more: 3 });
    }
    examined
}

fn back(bytes: &[u8]) -> Examined {
    let mut reader = Reader::new(bytes);
    let found = parse(&mut reader).unwrap();
    assert!(reader.is_empty());
    found
}

#[test]
fn every_check_keeps_a_trace_whatever_the_room() {
    for (text, most) in [
        (4096, 64 * 1024),
        (4096, LEAST),
        (9000, 30_000),
        (40, 20_000),
    ] {
        let bytes = bytes(&full(text), most);
        assert!(bytes.len() <= most, "{} {most}", bytes.len());
        let found = back(&bytes);
        assert_eq!(found.checks.len(), Check::ALL.len());
        for made in &found.checks {
            let Outcome::Found { traces, more } = &made.outcome else {
                panic!("{made:?}");
            };
            let all = traces.len() + usize::try_from(*more).unwrap();
            assert_eq!(all, Outcome::MOST_TRACES + 3);
            let first = &traces[0];
            assert_eq!((first.sign, first.address), (Sign::Differs, Some(1)));
        }
    }
}

#[test]
fn where_there_is_room_nothing_is_left_out() {
    let all = full(40);
    assert_eq!(back(&bytes(&all, 64 * 1024)), all);
}

proptest! {
    #[test]
    fn never_takes_more_room_than_there_is(found in examined(), most in LEAST..20_000) {
        let bytes = bytes(&found, most);
        prop_assert!(bytes.len() <= most);
        let less = back(&bytes);
        prop_assert_eq!(less.checks.len(), found.checks.len());
    }
}
