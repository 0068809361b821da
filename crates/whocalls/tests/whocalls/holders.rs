//! Whose socket it is, where a process is not one thread with one table of descriptors.

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Look, Run, TIERS, WHOCALLS, look, only};
use crate::setting::{Need, command, lacks, run, skip, wait_for};

#[test]
fn a_process_whose_first_thread_has_ended_still_owns_its_sockets() {
    let Some(scene) = Scene::new(FIRST_THREAD_ENDED) else {
        return;
    };
    let status = format!("/proc/{}/status", scene.actor.pid());
    wait_for("the end of the first thread", || {
        let text = std::fs::read_to_string(&status).ok()?;
        text.contains("State:\tZ").then_some(())
    });
    scene.check("127.0.0.1:1001", &[scene.actor.pid()]);
}

#[test]
fn a_thread_with_descriptors_of_its_own_owns_its_sockets() {
    let Some(scene) = Scene::new(OWN_DESCRIPTORS) else {
        return;
    };
    scene.check("127.0.0.1:1001", &[scene.actor.pid()]);
}

#[test]
fn a_process_in_a_pid_namespace_is_known_by_the_pid_seen_from_here() {
    let Some(scene) = Scene::new(PID_NAMESPACE) else {
        return;
    };
    let pid: u32 = scene.words[0].parse().unwrap();
    scene.check("127.0.0.1:1001", &[pid]);
}

#[test]
fn a_program_that_started_another_is_known_by_the_new_one() {
    let Some(scene) = Scene::new(ANOTHER_PROGRAM) else {
        return;
    };
    let pid: u32 = scene.words[0].parse().unwrap();
    wait_for("the other program", || {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name == "sleep\n").then_some(())
    });
    scene.check("127.0.0.1:1001", &[pid]);
    for tier in TIERS {
        assert_eq!(look(tier).process(pid)["name"], "sleep", "{tier:?}");
    }
}

#[test]
fn the_oldest_holder_owns_and_the_others_are_named_by_age() {
    let Some(scene) = Scene::new(WORKERS) else {
        return;
    };
    let children = scene.words.iter().map(|word| word.parse::<u32>().unwrap());
    for tier in TIERS {
        let look = look(tier);
        let seen = look.inside(&scene.namespace);
        let seen = only(&seen, |seen| seen.local() == "127.0.0.1:1001");
        assert_eq!(seen.0["process"]["pid"], scene.actor.pid(), "{tier:?}");
        let others = seen.0["also_held_by"].as_array().unwrap();
        let others: Vec<_> = others.iter().map(|other| other["pid"].clone()).collect();
        assert_eq!(others, children.clone().collect::<Vec<_>>(), "{tier:?}");
    }
}

#[test]
fn owners_are_known_from_inside_a_time_namespace_too() {
    let Some(scene) = Scene::new("listener(('127.0.0.1', 1001)); ready()") else {
        return;
    };
    // Boot, as processes in there see it, was a day earlier.
    let shift = ["--time", "--boottime", "86400"];
    if run("unshare", &[&shift[..], &["true"]].concat()).is_err() {
        skip("no time namespaces here");
        return;
    }
    for tier in TIERS {
        let mut command = command("unshare");
        command.args(shift).arg(WHOCALLS);
        command.args(["list", "--all", "--json"]).args(tier);
        let look = Look(Run::of(&mut command).json());
        let seen = look.inside(&scene.namespace);
        let seen = only(&seen, |seen| seen.local() == "127.0.0.1:1001");
        assert_eq!(seen.pids(), [scene.actor.pid()], "{tier:?}: {seen:#?}");
    }
}

#[test]
fn owners_are_known_from_deep_inside_pid_namespaces_too() {
    if lacks(&[
        Need::Root,
        Need::Program("python3"),
        Need::Program("unshare"),
    ]) {
        return;
    }
    let deeper = ["unshare", "--pid", "--fork", "--mount-proc"];
    if run("unshare", &[&deeper[1..], &["true"]].concat()).is_err() {
        skip("no PID namespaces here");
        return;
    }
    let script = "
import subprocess, sys
from socket import *
made = socket(); made.bind(('127.0.0.1', 0)); made.listen()
filter = 'lport:%d' % made.getsockname()[1]
sys.exit(subprocess.run(sys.argv[1:] + [filter]).returncode)
";
    for depth in [1, 2, 6] {
        for tier in TIERS {
            let mut command = command("env");
            command.args(deeper.repeat(depth));
            command.arg(python()).args(["-I", "-c", script]);
            command
                .args([WHOCALLS, "list", "--all", "--json"])
                .args(tier);
            let look = Look(Run::of(&mut command).json());
            let seen: Vec<_> = look.connections().collect();
            let seen = only(&seen, |seen| seen.word("state") == "listen");
            assert_eq!(seen.pids(), [1], "depth {depth}, {tier:?}: {seen:#?}");
        }
    }
}

struct Scene {
    // The program ends before its namespace does.
    actor: Actor,
    words: Vec<String>,
    namespace: Namespace,
}

impl Scene {
    fn new(script: &str) -> Option<Self> {
        if lacks(&[Need::Program("python3")]) {
            return None;
        }
        let namespace = Namespace::new()?;
        let (actor, words) = Actor::start(Place::Inside(&namespace), script);
        Some(Self {
            actor,
            words,
            namespace,
        })
    }

    fn check(&self, local: &str, pids: &[u32]) {
        for tier in TIERS {
            let look = look(tier);
            let seen = look.inside(&self.namespace);
            let seen = only(&seen, |seen| seen.local() == local);
            assert_eq!(seen.pids(), pids, "{tier:?}: {seen:#?}");
        }
    }
}

const FIRST_THREAD_ENDED: &str = r#"
def other():
    listener(('127.0.0.1', 1001))
    ready()
    stay()
threading.Thread(target=other).start()
# The system call ends this thread only; the function of that name would end the process.
number = {'x86_64': 60, 'aarch64': 93}[os.uname().machine]
ctypes.CDLL(None).syscall(number, 0)
"#;

const OWN_DESCRIPTORS: &str = r#"
CLONE_FILES = 0x400
def other():
    if ctypes.CDLL(None).unshare(CLONE_FILES) != 0:
        os._exit(1)
    listener(('127.0.0.1', 1001))
    ready()
    stay()
threading.Thread(target=other).start()
"#;

const PID_NAMESPACE: &str = r#"
CLONE_NEWPID = 0x20000000
if ctypes.CDLL(None).unshare(CLONE_NEWPID) != 0:
    os._exit(1)
here, there = socketpair()
child = os.fork()
if child == 0:
    listener(('127.0.0.1', 1001))
    there.send(b'done')
    stay()
here.recv(10)
ready(child)
"#;

const ANOTHER_PROGRAM: &str = r#"
made = listener(('127.0.0.1', 1001))
os.set_inheritable(made.fileno(), True)
child = os.fork()
if child == 0:
    os.execvp('sleep', ['sleep', '60'])
made.close()
ready(child)
"#;

const WORKERS: &str = r#"
listener(('127.0.0.1', 1001))
children = []
for _ in range(3):
    # Ages are counted in ticks of 10 ms.
    time.sleep(0.03)
    children.append(os.fork())
    if children[-1] == 0:
        stay()
ready(*children)
"#;
