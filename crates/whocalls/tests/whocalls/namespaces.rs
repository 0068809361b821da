//! Sockets of network namespaces, whoever is in them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{TIERS, look, only, whocalls};
use crate::setting::{Need, lacks, run, skip, unique};

#[test]
fn each_socket_has_its_namespace() {
    let (Some(lived_in), Some(visited), Some(left)) =
        (Namespace::new(), Namespace::new(), Namespace::new())
    else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (inhabitant, _) = Actor::start(Place::Inside(&lived_in), INHABITANT);
    let visit = VISITOR.replace("NAMESPACE", visited.file().to_str().unwrap());
    let (visitor, _) = Actor::start(Place::Home, &visit);
    // Ends at once; what stays is TIME_WAIT.
    drop(Actor::start(Place::Inside(&left), LAST_WORDS));

    for tier in TIERS {
        let look = look(tier);
        for (namespace, actor) in [(&lived_in, &inhabitant), (&visited, &visitor)] {
            let seen = look.inside(namespace);
            let at = |local: &str, state: &str| {
                only(&seen, |seen| {
                    seen.local() == local && seen.word("state") == state
                })
            };
            for seen in [at("127.0.0.1:1001", "listen"), at("127.0.0.1:2001", "open")] {
                assert_eq!(seen.pids(), [actor.pid()], "{tier:?}");
            }
            let waiting = at("127.0.0.1:1001", "established");
            assert_eq!(waiting.pids(), [0; 0], "never accepted");
            assert_eq!(waiting.why(), Some("no_holder"), "{tier:?}");
        }
        let seen = look.inside(&left);
        let waiting = only(&seen, |seen| seen.local() == "127.0.0.1:1002");
        assert_eq!(waiting.word("state"), "time_wait", "{tier:?}");
        assert_eq!(waiting.why(), Some("before_start"));
        assert_eq!(seen.len(), 1, "{tier:?}: {seen:#?}");
    }
}

#[test]
fn a_socket_whose_namespace_has_no_door_is_seen_by_bpf() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let (actor, words) = Actor::start(Place::Home, NO_DOOR);
    let number: u64 = words[0].parse().unwrap();
    let look = look(None);
    if look.tier() != "full" {
        skip("no BPF here");
        return;
    }
    let seen = look.of_netns(number);
    let seen = only(&seen, |seen| seen.local() == "127.0.0.1:1001");
    assert_eq!(seen.pids(), [actor.pid()]);
    assert!(look.gap("namespace_not_entered").is_some());
}

#[test]
fn sockets_that_polling_cannot_reach_are_not_passed_over_in_silence() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let (_actor, _) = Actor::start(Place::Home, NO_DOOR);
    let look = look(Some("--polling"));
    let gap = look.gap("no_ebpf").unwrap();
    let missed = gap["missed"].as_str().unwrap();
    assert!(missed.contains("mounted nowhere"), "{missed}");
}

#[test]
fn a_namespace_that_vanishes_meanwhile_does_no_harm() {
    let Some(stays) = Namespace::new() else {
        return;
    };
    let (_actor, _) = Actor::start(Place::Inside(&stays), INHABITANT);
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let name = format!("whocalls-{}", unique());
            // The kernel takes its time to clear away many of them.
            for _ in 0..50 {
                if enough.load(Ordering::Relaxed) {
                    break;
                }
                let _ = run("ip", &["netns", "add", &name]);
                let _ = run("ip", &["netns", "del", &name]);
            }
        });
        // Panics only after the other thread has been told.
        let looks: Vec<_> = TIERS
            .iter()
            .cycle()
            .take(8)
            .map(|tier| {
                let mut arguments = vec!["list", "--all", "--json"];
                arguments.extend(tier);
                whocalls(&arguments)
            })
            .collect();
        enough.store(true, Ordering::Relaxed);
        for look in looks {
            let look = crate::program::Look(look.json());
            let seen = look.inside(&stays);
            only(&seen, |seen| seen.local() == "127.0.0.1:2001");
        }
    });
}

const INHABITANT: &str = r#"
listener(('127.0.0.1', 1001)); caller(('127.0.0.1', 1001))
keep(socket(AF_INET, SOCK_DGRAM)).bind(('127.0.0.1', 2001))
ready()
"#;

const VISITOR: &str = r#"
CLONE_NEWNET = 0x40000000
def enter(file):
    if ctypes.CDLL(None).setns(os.open(file, os.O_RDONLY), CLONE_NEWNET) != 0:
        os._exit(1)
home = os.open('/proc/self/ns/net', os.O_RDONLY)
enter('NAMESPACE')
listener(('127.0.0.1', 1001)); caller(('127.0.0.1', 1001))
keep(socket(AF_INET, SOCK_DGRAM)).bind(('127.0.0.1', 2001))
if ctypes.CDLL(None).setns(home, CLONE_NEWNET) != 0:
    os._exit(1)
ready()
"#;

const LAST_WORDS: &str = r#"
waiting = listener(('127.0.0.1', 1001))
calling = socket(); calling.bind(('127.0.0.1', 1002)); calling.connect(('127.0.0.1', 1001))
accepted, _ = waiting.accept()
calling.close(); accepted.close(); waiting.close()
ready()
"#;

const NO_DOOR: &str = r#"
CLONE_NEWNET = 0x40000000
home = os.open('/proc/self/ns/net', os.O_RDONLY)
if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
    os._exit(1)
number = os.stat('/proc/self/ns/net').st_ino
import fcntl
lo = socket(); fcntl.ioctl(lo, 0x8914, struct.pack('16sh22x', b'lo', 1)); lo.close()
listener(('127.0.0.1', 1001))
if ctypes.CDLL(None).setns(home, CLONE_NEWNET) != 0:
    os._exit(1)
ready(number)
"#;
