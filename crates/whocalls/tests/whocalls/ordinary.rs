//! An ordinary user sees every connection, and whose the own ones are.

use std::path::Path;
use std::process::Command;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Look, Run, copy_to, look, only};
use crate::setting::{Folder, Need, command, lacks};

/// setpriv and these give up all that root has; 65534 is `nobody`.
const NOBODY: [&str; 4] = [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all",
];

#[test]
fn nobody_sees_all_sockets_and_the_own_processes() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("setpriv")]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let (roots, _) = Actor::start(Place::Inside(&namespace), ROOTS);
    let mut own = as_nobody(&namespace, &python());
    own.current_dir("/");
    let (own, _) = Actor::start_as(own, OWN);

    for tier in [None, Some("--polling")] {
        let list = |more: &[&str]| {
            let mut command = as_nobody(&namespace, &program);
            command.args(["list", "--all", "--json"]).args(tier);
            Run::of(command.args(more))
        };
        let look = Look(list(&[]).json());
        assert_eq!(look.tier(), "polling");
        let seen = look.inside(&namespace);
        assert_eq!(seen.len(), 7, "{seen:#?}");
        for local in ["127.0.0.1:1001", "[::1]:1002", "127.0.0.1:2001"] {
            let seen = only(&seen, |seen| {
                seen.local() == local && seen.word("state") != "established"
            });
            assert_eq!(seen.pids(), [0; 0]);
            assert_eq!(seen.why(), Some("no_rights"));
            assert_eq!(seen.0["uid"], 0);
        }
        for local in ["127.0.0.1:11003", "127.0.0.1:12003"] {
            let seen = only(&seen, |seen| seen.local() == local);
            assert_eq!(seen.pids(), [own.pid()], "{tier:?}: {seen:#?}");
            assert_eq!(seen.0["uid"], 65534);
        }
        assert!(roots.pid() != own.pid());
        let gaps = look.0["gaps"].as_array().unwrap();
        let mut whys = gaps.iter().map(|gap| gap["why"].as_str().unwrap());
        assert!(
            whys.any(|why| why.contains("root")),
            "no gap says what root would add: {gaps:#?}"
        );
        assert_eq!(list(&["--strict"]).code, Some(3), "{tier:?}");
    }

    let mut doctor = as_nobody(&namespace, &program);
    let doctor = Run::of(doctor.arg("doctor"));
    assert_eq!(doctor.code, Some(0), "{}", doctor.talk());
    assert!(doctor.text().contains("CAP_BPF"), "{}", doctor.text());
    let processes = Run::of(as_nobody(&namespace, &program).args(["list", "--processes"]));
    assert_eq!(processes.code, Some(0), "{}", processes.talk());
    let before = Run::of(as_nobody(&namespace, &program).args(["list", "--before"]));
    assert_eq!(before.code, Some(0), "{}", before.talk());
}

#[test]
fn the_one_who_started_it_sees_the_own_process() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, words) = Actor::start(Place::Home, HOME);
    let look = look(None);
    let seen: Vec<_> = look.connections().collect();
    let seen = only(&seen, |seen| seen.local() == words[0]);
    assert_eq!(seen.pids(), [actor.pid()]);
    let process = look.process(actor.pid());
    assert_eq!(process["path"], python().to_str().unwrap());
    assert_eq!(process["uid"], rustix::process::getuid().as_raw());
}

fn as_nobody(namespace: &Namespace, program: &Path) -> Command {
    let setpriv = command("setpriv");
    let mut inside = namespace.command(setpriv.get_program());
    inside.args(NOBODY).arg(program);
    inside
}

const ROOTS: &str = r#"
both(('127.0.0.1', 1001))
listener(('::1', 1002), AF_INET6)
keep(socket(AF_INET, SOCK_DGRAM)).bind(('127.0.0.1', 2001))
ready()
"#;

const OWN: &str = r#"
made = keep(socket()); made.bind(("127.0.0.1", 11003)); made.listen()
keep(socket(AF_INET, SOCK_DGRAM)).bind(("127.0.0.1", 12003))
ready()
"#;

const HOME: &str = r#"
made = listener(('127.0.0.1', 0))
ready('%s:%d' % made.getsockname())
"#;
