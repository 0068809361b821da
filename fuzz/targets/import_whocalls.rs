#![no_main]
//! Looks and streams that whocalls itself wrote.

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use model::{Imported, Trace};
use observe::import::{Import, Options};

fuzz_target!(|data: &[u8]| {
    for kind in [Some("whocalls look"), Some("whocalls stream"), None] {
        let Ok(mut import) = Import::of_bytes(data.to_vec(), kind, Options::default()) else {
            continue;
        };
        let mut seen = Vec::new();
        while import.next(&mut seen).expect("memory") {}
        let (mut told, mut owners) = (HashSet::new(), Vec::new());
        for seen in seen {
            match seen {
                Imported::Connection(connection) => {
                    assert!(kind.is_none() || connection.socket.cookie.is_some());
                    owners.extend(connection.owner.process());
                    owners.extend(connection.also_held_by);
                }
                Imported::Process(process) => {
                    assert_ne!(process.id.pid, 0);
                    let checks = process.examined.iter().flat_map(|it| &it.checks);
                    let places: HashSet<_> = checks.clone().map(|it| it.check).collect();
                    assert_eq!(places.len(), checks.clone().count(), "a check comes once");
                    for check in checks {
                        let traces = process.examined.as_ref().unwrap().traces(check.check);
                        let bytes = traces.iter().flat_map(|it| [&it.bytes, &it.expected]);
                        assert!(bytes.flatten().all(|it| it.len() <= Trace::MOST_BYTES));
                    }
                    told.insert(process.id);
                }
                Imported::Gap(gap) => assert!(!gap.id.is_empty()),
                Imported::Name(_)
                | Imported::Device(_)
                | Imported::Span(..)
                | Imported::Look(_) => {}
            }
        }
        assert!(kind.is_none() || owners.iter().all(|owner| told.contains(owner)));
    }
});
