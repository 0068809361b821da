//! whocalls held against itself: one look after the other, and one way of reading against the other.

use std::collections::BTreeSet;

use super::scenes::{COMING_AND_GOING, EVERY_KIND};
use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Look, Seen, TIERS, look};
use crate::setting::{Need, lacks, skip};

#[test]
fn what_stays_is_seen_amid_what_comes_and_goes() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Inside(&namespace), COMING_AND_GOING);
    for tier in TIERS {
        for _ in 0..4 {
            let look = look(tier);
            let seen = look.inside(&namespace);
            let staying = |seen: &&Seen<'_>| {
                seen.local().starts_with("127.0.0.9:") || seen.remote().starts_with("127.0.0.9:")
            };
            let staying: Vec<_> = seen.iter().filter(staying).collect();
            assert_eq!(staying.len(), 1 + 2 * 50, "{tier:?}");
            for seen in staying {
                assert_eq!(seen.pids(), [actor.pid()], "{tier:?}: {seen:#?}");
            }
            let cookies = seen.iter().map(|seen| seen.0["socket"]["cookie"].as_u64());
            let cookies: Vec<_> = cookies.flatten().collect();
            let different: BTreeSet<_> = cookies.iter().collect();
            assert_eq!(cookies.len(), different.len(), "{tier:?}");
        }
    }
}

#[test]
fn bpf_and_netlink_tell_the_same() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.ip(&["route", "add", "198.51.100.0/24", "dev", "lo"]);
    let (_actor, _) = Actor::start(Place::Inside(&namespace), EVERY_KIND);
    // Sockets that end by themselves do so between the looks as well: what two looks through BPF tell alike
    // has to be in the one between them, and what that one tells in one of the two.
    let before = look(None);
    if before.tier() != "full" {
        let gap = before.gap("no_ebpf").expect("a gap that says why");
        skip(&format!("no BPF here: {}", gap["why"]));
        return;
    }
    let polling = look(Some("--polling"));
    let after = look(None);
    assert_eq!((polling.tier(), after.tier()), ("polling", "full"));
    let facts = |look: &Look| -> BTreeSet<_> {
        let seen = look.inside(&namespace);
        seen.iter().map(|seen| comparable(*seen)).collect()
    };
    let (before, polling, after) = (facts(&before), facts(&polling), facts(&after));
    let stayed = &before & &after;
    assert!(stayed.len() > 40, "{}", stayed.len());
    let missing: Vec<_> = stayed.difference(&polling).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let either = &before | &after;
    let beyond: Vec<_> = polling.difference(&either).collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
}

/// All of a connection but what belongs to the way it was read.
fn comparable(seen: Seen<'_>) -> String {
    let mut facts = seen.0.clone();
    let own = facts.as_object_mut().unwrap();
    own.remove("owner");
    // The wall clock moves on between the two runs.
    own["process"]
        .as_object_mut()
        .map(|process| process.remove("started"));
    // Text tables know no cookies, and ids are made from them.
    if own["protocol"] == "icmp" || own["protocol"] == "raw" {
        own.remove("id");
        own.remove("socket");
    }
    format!(
        "{} {} {} {facts}",
        seen.word("protocol"),
        seen.local(),
        seen.remote()
    )
}
