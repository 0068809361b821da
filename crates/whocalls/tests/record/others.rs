//! What others on the same computer may ask of a recording: how far it is, and to end.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::program::{Run, WHOCALLS, copy_to, whocalls};
use crate::recording::{Recorded, Recording};
use crate::room::Room;
use crate::setting::{Folder, Need, command, lacks, wait_for};

#[test]
fn others_can_ask_how_far_it_is_and_end_it() {
    if lacks(&[Need::Root]) {
        return;
    }
    let first = Recording::start(&["--depth", "events"]);
    let second = Recording::start(&[]);
    let line = |pid: u32| {
        let status = whocalls(&["record", "status"]);
        assert_eq!(status.code, Some(0), "{}", status.talk());
        let text = status.text();
        let line = text
            .lines()
            .position(|line| line.split_whitespace().next() == Some(pid.to_string().as_str()));
        line.map(|line| {
            text.lines()
                .skip(line)
                .take(2)
                .collect::<Vec<_>>()
                .join("\n")
        })
    };
    for recording in [&first, &second] {
        let name = recording
            .case()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let shown = wait_for("numbers", || {
            line(recording.pid()).filter(|shown| shown.contains("events"))
        });
        assert!(shown.contains(&name), "{shown}");
    }
    let several = whocalls(&["record", "stop"]);
    assert_eq!(several.code, Some(1), "{}", several.talk());
    for recording in [&first, &second] {
        assert!(
            several.talk().contains(&recording.pid().to_string()),
            "{}",
            several.talk()
        );
    }
    let nobody = whocalls(&["record", "stop", "1"]);
    assert_ne!(nobody.code, Some(0), "{}", nobody.talk());

    let pid = first.pid();
    let stopped = stop(pid, first);
    stopped.went_well();
    let ended = stopped.ended();
    assert_eq!(
        (&ended["by"], &ended["sender"]["user"]),
        (&"record_stop".into(), &"root".into()),
        "{ended}"
    );
    let talk = stopped.run.talk();
    assert!(
        talk.contains("It was ended by record stop, SIGTERM from whocalls (process ")
            && talk.contains(") of the user root (0)."),
        "{talk}"
    );
    assert!(line(pid).is_none());
    assert!(line(second.pid()).is_some());
    let pid = second.pid();
    stop(pid, second).went_well();
    assert!(line(pid).is_none());
}

/// Ends it from outside.
fn stop(pid: u32, recording: Recording) -> Recorded {
    stop_by(Command::new(WHOCALLS), pid, recording)
}

fn stop_by(mut whocalls: Command, pid: u32, mut recording: Recording) -> Recorded {
    whocalls.args(["record", "stop", &pid.to_string()]);
    let asking = thread::spawn(move || Run::of(&mut whocalls));
    // Nobody else fetches it: it would be there for ever.
    wait_for("its end", || recording.child.try_wait().unwrap());
    let asked = asking.join().unwrap();
    assert_eq!(asked.code, Some(0), "{}", asked.talk());
    let said = format!("Ended {pid}. ");
    assert!(asked.talk().contains(&said), "{}", asked.talk());
    recording.end()
}

#[test]
fn an_ordinary_user_finds_it_whatever_the_environment_says() {
    if lacks(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    let programs = Folder::new();
    let program = copy_to(programs.path());
    // A user whom nobody else is: the folder in /tmp has its number.
    let user = 1_000_000 + std::process::id();
    let announced = format!("/tmp/whocalls-{user}");
    let _ = fs::remove_dir_all(&announced);
    let room = Room::new();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(room.path(), Some(user), None).unwrap();
    let as_user = |user: u32| {
        let mut command = command("setpriv");
        command
            .env_clear()
            .current_dir("/")
            .arg(format!("--reuid={user}"))
            .args(["--clear-groups", "--inh-caps=-all"])
            .arg(&program);
        command
    };
    let recording = Recording::start_as(as_user(user), room, &["--depth", "events"]);
    assert!(
        !recording.talk().contains("will not find"),
        "{}",
        recording.talk()
    );
    let pid = recording.pid();
    let found = |user: u32| {
        let status = Run::of(as_user(user).args(["record", "status"]));
        assert_eq!(status.code, Some(0), "{}", status.talk());
        status.text().contains(&format!("{pid}  since"))
    };
    wait_for("its numbers", || found(user).then_some(()));
    // It is for its user only, and what others put there is not believed.
    assert!(!found(user + 1));
    let other = Run::of(as_user(user + 1).args(["record", "stop", &pid.to_string()]));
    assert_eq!(other.code, Some(1), "{}", other.talk());
    assert!(other.talk().contains("there is none"), "{}", other.talk());
    chown(&announced, Some(user + 1), None).unwrap();
    let status = Run::of(as_user(user).args(["record", "status"]));
    assert!(
        status.text().contains("not believed") && !found(user),
        "{}",
        status.text()
    );
    chown(&announced, Some(user), None).unwrap();
    let stopped = stop_by(as_user(user), pid, recording);
    assert_eq!(stopped.run.code, Some(0), "{}", stopped.run.talk());
    let ended = stopped.ended();
    assert_eq!(
        (&ended["by"], &ended["sender"]["uid"]),
        (&"record_stop".into(), &user.into())
    );
    assert!(Path::new(&announced).is_dir());
    fs::remove_dir_all(&announced).unwrap();
}
