//! Findings of a recording: what stands beside the case is what the case gives when it is judged again.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::recording::Recording;
use crate::room::on;
use crate::setting::{Need, lacks};

/// An address of a network where anybody can rent a server, by the tables within the program.
const SERVER: &str = "52.1.2.3";

const CALL: &str = "waiting = listener(('52.1.2.3', 443))
ready()
for _ in range(40):
    caller(('52.1.2.3', 443)).sendall(b'hello')
    keep(waiting.accept())
ready()
for one in kept: (one[0] if isinstance(one, tuple) else one).close()
ready()";

/// A shell that somebody types into over the network, if only over loopback; and who types.
#[expect(clippy::disallowed_methods, reason = "to a listener of this test")]
fn shell_of_somebody_else() -> (Child, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (typing, _) = listener.accept().unwrap();
    let again = || Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    let mut shell = Command::new("sh");
    let shell = shell
        .arg("-i")
        .stdin(again())
        .stdout(again())
        .stderr(again());
    (shell.spawn().unwrap(), typing)
}

#[test]
fn judging_a_case_gives_the_findings_of_the_live_run() {
    if lacks(&[Need::Root]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.ip(&["addr", "add", &format!("{SERVER}/32"), "dev", "lo"]);
    let (mut actor, _) = Actor::start(Place::Inside(&namespace), CALL);
    let (mut shell, _typing) = shell_of_somebody_else();
    let recording = Recording::start(&["--depth", "events"]);
    actor.go_on();
    std::thread::sleep(std::time::Duration::from_secs(7));
    actor.go_on();
    let recorded = recording.stop();
    recorded.went_well();
    let live = fs::read(recorded.case.join("derived/findings.ndjson")).unwrap();
    let again = on(&recorded.case, &["check"], &["--ndjson"]);
    assert_eq!(again.code, Some(0), "{}", again.talk());
    let text = String::from_utf8(live).unwrap();
    assert_eq!(again.text(), text);
    let as_recorded = on(&recorded.case, &["check"], &["--ndjson", "--as-recorded"]);
    assert_eq!(as_recorded.code, Some(0), "{}", as_recorded.talk());
    assert_eq!(as_recorded.text(), text);
    let lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(lines[0]["type"], "start");
    let hosting = lines
        .iter()
        .find(|it| it["rule"] == "hosting" && it["facts"]["connections"].as_u64() >= Some(40));
    assert!(hosting.is_some(), "{lines:#?}");
    // What was looked for in processes is in the case, too.
    let run = format!("\"{}-", shell.id());
    let is_of_shell = |it: &Value| it["evidence"].to_string().contains(&run);
    let of_shell = lines
        .iter()
        .find(|it| it["rule"] == "shell_socket" && is_of_shell(it));
    assert!(of_shell.is_some(), "{lines:#?}");
    shell.kill().unwrap();
    shell.wait().unwrap();
    // It stands outside of what is sealed, and the case says what it was judged with.
    let manifest = fs::read_to_string(recorded.case.join("manifest.sha256")).unwrap();
    assert!(!manifest.contains("derived"), "{manifest}");
    let about = fs::read_to_string(recorded.case.join("case.json")).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    assert!(
        about["judged_with"]["rules"].as_u64() >= Some(1),
        "{about:#}"
    );
    assert!(
        about["judged_with"]["limits"]["pairs"].is_u64(),
        "{about:#}"
    );
    let verified = on(&recorded.case, &["verify"], &[]);
    assert_eq!(verified.code, Some(0), "{}", verified.talk());
}
