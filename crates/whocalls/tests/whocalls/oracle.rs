//! `ss` of iproute2 is asked before and after whocalls: both must tell the same.

mod itself;
mod row;
mod scenes;

use std::collections::BTreeSet;

use self::row::{Row, rows_of_ss};
use self::scenes::{AT_HOME, EVERY_KIND, ON_A_CABLE, SEVERAL_HOLDERS};
use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{TIERS, look};
use crate::setting::{Need, command, lacks, skip};

/// How often a comparison is begun anew because sockets came and went meanwhile.
const ATTEMPTS: usize = 8;

#[test]
fn every_kind_of_socket_is_as_ss_shows_it() {
    let needs = [Need::Program("python3"), Need::Program("ss")];
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&needs) {
        return;
    }
    // What is sent there comes back on the loopback and ends.
    namespace.ip(&["route", "add", "198.51.100.0/24", "dev", "lo"]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), EVERY_KIND);
    for missing in &words {
        skip(&format!("this kernel has no {missing}"));
    }
    for tier in TIERS {
        let look = compare(&namespace, tier);
        let seen: Vec<_> = look.iter().map(|row| row.state.as_str()).collect();
        for state in [
            "syn_sent",
            "syn_received",
            "established",
            "fin_wait_1",
            "fin_wait_2",
            "close_wait",
            "time_wait",
            "listen",
            "open",
        ] {
            assert!(seen.contains(&state), "the scene has no {state}");
        }
        let ping: Vec<_> = look.iter().filter(|row| row.protocol == "icmp").collect();
        let expected = if words.iter().any(|word| word == "ping_sockets") {
            0
        } else {
            3
        };
        assert_eq!(ping.len(), expected, "{ping:?}");
        for row in ping {
            assert_eq!(row.pids.len(), 1, "{row}");
        }
    }
}

#[test]
fn sockets_of_several_holders_are_as_ss_shows_them() {
    let needs = [Need::Program("python3"), Need::Program("ss")];
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&needs) {
        return;
    }
    let (actor, words) = Actor::start(Place::Inside(&namespace), SEVERAL_HOLDERS);
    let child: u32 = words[0].parse().unwrap();
    let mut both = vec![actor.pid(), child];
    both.sort_unstable();
    for tier in TIERS {
        let rows = compare(&namespace, tier);
        let pids = |local: &str| {
            let row = rows.iter().find(|row| row.local == local);
            row.unwrap_or_else(|| panic!("nothing at {local}"))
                .pids
                .clone()
        };
        assert_eq!(pids("127.0.0.1:1001"), both, "made before the fork");
        assert_eq!(pids("127.0.0.1:1002"), [child], "handed over");
        assert_eq!(pids("127.0.0.1:1003"), [0; 0], "on its way");
        assert_eq!(pids("127.0.0.1:1004"), [actor.pid()], "held twice by one");
    }
}

#[test]
fn the_sockets_of_this_namespace_are_as_ss_shows_them() {
    if lacks(&[Need::Program("python3"), Need::Program("ss")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Home, AT_HOME);
    let home =
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata("/proc/self/ns/net").unwrap());
    for tier in TIERS {
        let mut extra = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            let before = rows_of_ss(command("ss"));
            let seen = look(tier);
            let after = rows_of_ss(command("ss"));
            let seen: BTreeSet<_> = seen
                .of_netns(home)
                .into_iter()
                .filter_map(Row::of)
                .collect();
            let mut stayed = before.intersection(&after).peekable();
            assert!(stayed.peek().is_some());
            for row in stayed {
                // Where ss knows no owner whocalls may know more.
                let same = |other: &Row| {
                    let pids = if row.pids.is_empty() {
                        Vec::new()
                    } else {
                        other.pids.clone()
                    };
                    *row == Row {
                        pids,
                        ..other.clone()
                    }
                };
                assert!(
                    seen.iter().any(same),
                    "{tier:?}: not seen: {row}\n{}",
                    listed(&seen)
                );
            }
            let known: BTreeSet<_> = before.union(&after).map(|row| row.cookie).collect();
            let is_extra = |row: &&Row| row.cookie.is_some() && !known.contains(&row.cookie);
            extra = seen.iter().filter(is_extra).cloned().collect();
            let ours = seen.iter().filter(|row| row.pids == [actor.pid()]);
            assert_eq!(ours.count(), 5);
            if extra.is_empty() {
                break;
            }
        }
        // Other tests open and close sockets here, but not all the time.
        assert!(
            extra.is_empty(),
            "{tier:?}: ss does not know: {}",
            listed(&extra)
        );
    }
}

#[test]
fn sockets_of_a_cable_are_as_ss_shows_them() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("ss")]) || !here.connect(&there) {
        return;
    }
    // Link-local addresses belong to an interface.
    let (_actor, words) = Actor::start(Place::Inside(&here), ON_A_CABLE);
    for tier in TIERS {
        let rows = compare(&here, tier);
        let local = rows.iter().filter(|row| row.local.starts_with("[fe80:"));
        let names: Vec<_> = local.map(|row| row.interface.as_deref()).collect();
        assert_eq!(names, [Some("cable"); 4], "{tier:?}");
        assert_eq!(rows.len(), words[0].parse::<usize>().unwrap());
    }
}

/// Compares all of a quiet namespace; gives what was seen.
fn compare(namespace: &Namespace, tier: Option<&str>) -> BTreeSet<Row> {
    for _ in 0..ATTEMPTS {
        let before = rows_of_ss(namespace.command("ss"));
        let seen = look(tier);
        let after = rows_of_ss(namespace.command("ss"));
        if before != after {
            continue;
        }
        let seen: Vec<_> = seen
            .inside(namespace)
            .into_iter()
            .filter_map(Row::of)
            .collect();
        let count = seen.len();
        let seen: BTreeSet<_> = seen.into_iter().collect();
        assert_eq!(seen.len(), count, "{tier:?}: some are there twice");
        // ss has no word for ping sockets.
        let known: BTreeSet<_> = seen
            .iter()
            .filter(|row| row.protocol != "icmp")
            .cloned()
            .collect();
        let missing: BTreeSet<_> = before.difference(&known).cloned().collect();
        let extra: BTreeSet<_> = known.difference(&before).cloned().collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{tier:?}\nonly ss shows:\n{}only whocalls shows:\n{}",
            listed(&missing),
            listed(&extra)
        );
        return seen;
    }
    panic!("the namespace does not come to rest");
}

fn listed(rows: &BTreeSet<Row>) -> String {
    rows.iter().map(|row| format!("  {row}\n")).collect()
}
