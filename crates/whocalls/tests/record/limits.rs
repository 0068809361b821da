//! Little room: on the disk, or as was wished.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Run, WHOCALLS};
use crate::recording::{Recording, contains, lines};
use crate::room::{Room, on};
use crate::setting::{Need, command, lacks, run, skip, wait_for};

#[test]
fn a_full_disk_ends_it_cleanly() {
    let Some(ended) = on_small_disk(
        "size=160m",
        "(WHEN_BEGUN; head -c 95000000 /dev/zero > DISK/filled) & \
         WHOCALLS record --into DISK --copy-programs none --for 15; echo code $?; \
         wait; cd DISK/whocalls-*; WHOCALLS verify .; echo verified $?; ls; cat log.ndjson",
    ) else {
        return;
    };
    let text = ended.text();
    assert!(text.contains("code 3\n"), "{text}{}", ended.talk());
    assert!(ended.talk().contains("nearly full"), "{}", ended.talk());
    assert!(text.contains("verified 0\n"), "{text}");
    assert!(!text.contains("\nreserve\n"), "{text}");
    let log = lines(&text[text.find('{').unwrap()..]);
    let low = log.iter().find(|line| line["what"] == "space_low");
    assert!(
        low.is_some_and(|line| line["free_bytes"].as_u64().is_some()),
        "{text}"
    );
    assert_eq!(log.last().unwrap()["what"], "closed");
    let ended = &log[log.len() - 2];
    assert_eq!(
        (&ended["what"], &ended["by"]),
        (&"ended".into(), &"disk_full".into()),
        "{text}"
    );
}

/// What is sent past the queues of the kernel passes the capture, too.
#[test]
fn who_sends_by_a_packet_socket_is_named_as_a_gap() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (actor, _) = Actor::start(Place::Inside(&namespace), SENDS_FRAMES);
    let recorded = recording.stop();
    recorded.went_well();
    let talk = recorded.run.talk();
    if talk.contains("Much will be missed") && skip("there are no events here") {
        return;
    }
    let named = format!("(process {})", actor.pid());
    let gaps = talk
        .lines()
        .filter(|line| line.contains("sends by a packet socket") && line.contains(&named));
    assert_eq!(gaps.count(), 1, "{talk}");
}

const SENDS_FRAMES: &str = r"
for number in range(2):
    made = keep(socket(AF_PACKET, SOCK_DGRAM))
    made.setsockopt(263, 20, 1)
    for again in range(5):
        made.sendto(b'x' * 40, ('lo', 0x88b5, 0, 0, bytes(6)))
ready()
";

#[test]
fn large_programs_do_not_end_it() {
    let Some(ended) = on_small_disk(
        "size=700m",
        "cp $(command -v sleep) DISK/large; truncate -s 300M DISK/large; \
         cp $(command -v sleep) DISK/small; \
         (WHEN_BEGUN; DISK/large 1; DISK/small 1) & \
         WHOCALLS record --into DISK --depth events --for 8; echo code $?; \
         wait; cd DISK/whocalls-*; WHOCALLS verify .; echo verified $?; cat log.ndjson",
    ) else {
        return;
    };
    let text = ended.text();
    assert!(text.contains("code 0\n"), "{text}{}", ended.talk());
    assert!(text.contains("verified 0\n"), "{text}{}", ended.talk());
    let log = lines(&text[text.find('{').unwrap()..]);
    let said = |what| log.iter().filter(|line| line["what"] == what).count();
    assert!(said("program_not_copied") >= 1, "{text}");
    assert!(said("program_copied") >= 1, "{text}");
}

#[test]
fn a_disk_that_gets_full_at_once_ends_it_too() {
    let Some(ended) = on_small_disk(
        "size=160m",
        "(WHEN_BEGUN; cat /dev/zero > DISK/filled) & \
         WHOCALLS record --into DISK --copy-programs none --for 15; echo code $?; \
         wait; cd DISK/whocalls-*; WHOCALLS verify .; echo verified $?",
    ) else {
        return;
    };
    let text = ended.text();
    assert!(text.contains("code 3\n"), "{text}{}", ended.talk());
    assert!(text.contains("verified 0\n"), "{text}{}", ended.talk());
}

#[test]
fn without_room_it_does_not_begin() {
    let Some(ended) = on_small_disk(
        "size=48m",
        "WHOCALLS record --into DISK --for 3; echo code $?; ls -A DISK",
    ) else {
        return;
    };
    assert!(ended.talk().contains("not enough room"), "{}", ended.talk());
    assert!(!ended.talk().contains("Recording into"), "{}", ended.talk());
    assert_eq!(ended.text(), "code 1\n", "{}", ended.talk());
}

/// Runs a script with a small DISK of its own. `None`: not here, and that has been said.
fn on_small_disk(options: &str, script: &str) -> Option<Run> {
    if lacks(&[Need::Root, Need::Program("unshare")]) {
        return None;
    }
    if run("unshare", &["--mount", "true"]).is_err() {
        skip("no mounts here");
        return None;
    }
    let room = Room::new();
    let disk = room.path().to_str().unwrap();
    let script = format!("mount -t tmpfs -o {options} none DISK && {{ {script}; }}");
    let begun =
        "until grep -q look_end DISK/whocalls-*/events/*.part; do sleep 0.1; done 2>/dev/null";
    let script = script
        .replace("WHEN_BEGUN", begun)
        .replace("DISK", disk)
        .replace("WHOCALLS", WHOCALLS);
    let mut unshare = command("unshare");
    let ended = Run::of(unshare.args(["--mount", "sh", "-c", &script]));
    assert!(!ended.talk().contains("panicked"), "{}", ended.talk());
    Some(ended)
}

#[test]
fn a_greatest_size_is_kept_to() {
    const MOST: u64 = 12 << 20;
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    namespace.ip(&["address", "add", "192.0.2.9/32", "dev", "lo"]);
    let mut recording = Recording::start(&["--max-size", "12M"]);
    let (actor, words) = Actor::start(Place::Inside(&namespace), FLOOD);
    let case = recording.case();
    wait_for("segments to be let go", || {
        let size = size_of(&case);
        assert!(size.is_none_or(|size| size <= MOST), "{size:?}");
        thread::sleep(Duration::from_millis(40));
        let log = std::fs::read_to_string(case.join("log.ndjson")).unwrap();
        (log.matches("segment_dropped").count() >= 3).then_some(())
    });
    // What the first file told of names, later ones tell again. Where there are no events, no names
    // are read.
    if !recording.talk().contains("Much will be missed") {
        wait_for("names in a later file", || {
            if recording.child.try_wait().unwrap().is_some() {
                // It was too much at once, as is said below.
                return Some(());
            }
            let files = std::fs::read_dir(case.join("packets")).unwrap().flatten();
            let mut later = files.filter(|it| !it.file_name().as_bytes().starts_with(b"000001"));
            let named = b"\xc0\x00\x02\x09kept.example\0";
            let tells = |bytes: Vec<u8>| contains(&bytes, named);
            later
                .any(|it| std::fs::read(it.path()).is_ok_and(tells))
                .then_some(())
        });
    }
    let recorded = recording.stop();
    // A busy computer may hand over more at once than there is to let go of: then it ends cleanly.
    let is_full = recorded.ended()["by"] == "size";
    if is_full {
        assert_eq!(recorded.run.code, Some(3), "{}", recorded.run.talk());
        let verified = on(&recorded.case, &["verify"], &[]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    } else {
        recorded.went_well();
    }
    assert!(size_of(&recorded.case).unwrap() <= MOST);
    let log = recorded.log();
    let dropped: Vec<_> = log
        .iter()
        .filter(|line| line["what"] == "segment_dropped")
        .collect();
    assert!(dropped.len() >= 3, "{log:#?}");
    for line in &dropped {
        let name = line["file"].as_str().unwrap();
        assert!(!recorded.case.join(name).exists(), "{line}");
        assert!(
            line["sha256"].is_string() && line["began"].is_string(),
            "{line}"
        );
    }
    assert!(
        dropped
            .iter()
            .any(|line| line["packets"].as_u64() > Some(0)),
        "{dropped:#?}"
    );
    // The newest packets stay, however many events there are.
    let of_packets =
        |line: &&Value, what: &str| line["what"] == what && line["packets"].as_u64() > Some(0);
    let newest = log.iter().rfind(|line| of_packets(line, "segment_closed"));
    let name = newest.unwrap()["file"].as_str().unwrap();
    assert!(is_full || recorded.case.join(name).exists(), "{log:#?}");
    let listed = on(
        &recorded.case,
        &["list", "-a", "--json"],
        &[&format!("pid:{}", actor.pid())],
    );
    if is_full {
        return;
    }
    assert_eq!(listed.code, Some(0), "{}", listed.talk());
    let events_dropped = dropped.iter().any(|line| line["events"].as_u64() > Some(0));
    assert_eq!(
        listed.talk().contains("let go"),
        events_dropped,
        "{}",
        listed.talk()
    );
    let listed = crate::program::Look(listed.json());
    assert!(
        listed.connections().any(|it| it.local() == words[0]),
        "{:#}",
        listed.0
    );
    let numbers: Vec<_> = std::fs::read_dir(recorded.case.join("events"))
        .unwrap()
        .collect();
    if events_dropped {
        assert!(
            !recorded.case.join("events/000001.ndjson").exists(),
            "{numbers:?}"
        );
    }
}

/// What it took at one moment. `None`: files came or went meanwhile, so that some were never there
/// together.
fn size_of(case: &Path) -> Option<u64> {
    let sizes = || {
        let folders = [
            case.to_path_buf(),
            case.join("events"),
            case.join("packets"),
        ];
        let entries = folders.iter().flat_map(std::fs::read_dir).flatten();
        let about = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.path(), entry.metadata().ok()?))
        });
        about
            .filter(|(_, about)| about.is_file())
            .map(|(path, about)| (path, about.len()))
            .collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (sizes(), sizes());
    // They only grow: so large was each of them at least when the last one was looked at.
    before
        .keys()
        .eq(after.keys())
        .then(|| before.values().sum())
}

/// One socket that is open all the time, much data, and many short connections, which are many events.
/// What comes in a second is little beside the whole case: a busy computer takes it all at once.
const FLOOD: &str = r"
receiver, sender = (keep(socket(AF_INET, SOCK_DGRAM)) for _ in range(2))
for each in receiver, sender:
    each.bind(('127.0.0.1', 0))
waiting = listener(('127.0.0.1', 0), backlog=64)
named = listener(('192.0.2.9', 0))
caller(named.getsockname()).sendall(b'GET / HTTP/1.1\r\nHost: kept.example\r\n\r\n')

def flood():
    while True:
        for _ in range(2):
            sender.sendto(b'x' * 8000, receiver.getsockname())
            receiver.recv(9000)
        for _ in range(20):
            made = socket()
            made.connect(waiting.getsockname())
            waiting.accept()[0].close()
            made.close()
        time.sleep(0.01)

threading.Thread(target=flood, daemon=True).start()
ready('%s:%d' % sender.getsockname())
";

#[test]
fn a_greatest_size_that_cannot_be_is_said() {
    if lacks(&[Need::Root]) {
        return;
    }
    let arguments = ["--max-size", "100k", "--for", "1"];
    let refused = Recording::spawn(
        std::process::Command::new(WHOCALLS),
        Room::new(),
        &arguments,
    );
    let refused = refused.end();
    assert!(refused.run.code == Some(2), "{:?}", refused.run);
    assert!(
        refused.run.talk().contains("--max-size"),
        "{}",
        refused.run.talk()
    );
    assert!(refused.room.case().is_none(), "an empty folder is left");
}
