use super::*;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use proptest::prelude::*;
use rustix::net::{SendFlags, send};

/// A folder of this test, and a process for it that is a thread with the rights of this test.
struct Desk {
    process: Process,
    folder: PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("whocalls-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (here, there) = second::pair().unwrap();
        let open = rustix::fs::open(&folder, rights::SUBFOLDER, Mode::empty()).unwrap();
        thread::spawn(move || {
            wire::send_answer(there.as_fd(), &Ok(Answer::NOTHING)).unwrap();
            answer_all(there.as_fd(), open)
        });
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let process = Process::over(here, child, true).unwrap();
        Self { process, folder }
    }

    fn check(&self, request: Request<'_>, expected: Result<(), ErrorKind>) {
        let done = self.process.ask(request).map(drop);
        assert_eq!(done.map_err(|error| error.kind()), expected, "{request:?}");
    }

    fn create(&self, name: &str, text: &str) {
        let answer = self.process.ask(Request::Create(name)).unwrap();
        answer.file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_file_is_made_written_closed_and_dropped() {
    let desk = Desk::new("made");
    desk.check(Request::MakeFolder("events"), Ok(()));
    desk.check(Request::MakeFolder("events"), Ok(()));
    desk.create("events/1.ndjson.part", "one");
    desk.create("case.json", "{}");
    let file = desk.folder.join("events/1.ndjson.part");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&desk.folder.join("events")), 0o700);
    desk.check(
        Request::Rename("events/1.ndjson.part", "events/1.ndjson"),
        Ok(()),
    );
    assert_eq!(desk.text("events/1.ndjson"), "one");
    for text in ["first", "second"] {
        desk.create("manifest.sha256.new", text);
        desk.check(
            Request::Replace("manifest.sha256.new", "manifest.sha256"),
            Ok(()),
        );
        assert_eq!(desk.text("manifest.sha256"), text);
    }
    desk.check(Request::Sync, Ok(()));
    desk.check(Request::Remove("events/1.ndjson"), Ok(()));
    desk.check(Request::Remove("events/1.ndjson"), Err(ErrorKind::NotFound));
    desk.check(Request::Sync, Ok(()));
    let space = desk.process.ask(Request::Space).unwrap().space;
    assert!(space.free_bytes <= space.total_bytes && space.total_bytes > 0);
}

#[test]
fn a_file_can_be_written_and_not_read() {
    let desk = Desk::new("written");
    let answer = desk.process.ask(Request::Create("case.json")).unwrap();
    let mut file = answer.file.unwrap();
    file.write_all(b"x").unwrap();
    assert!(file.read(&mut [0; 1]).is_err());
}

#[test]
fn nothing_is_overwritten() {
    let desk = Desk::new("kept");
    desk.create("case.json", "kept");
    desk.create("a.part", "other");
    let exists = Err(ErrorKind::AlreadyExists);
    desk.check(Request::Create("case.json"), exists);
    desk.check(Request::Rename("a.part", "case.json"), exists);
    assert_eq!(desk.text("case.json"), "kept");
    // It goes on after that.
    desk.check(Request::Rename("a.part", "a"), Ok(()));
}

#[test]
fn no_link_is_followed() {
    let desk = Desk::new("links");
    let elsewhere = Desk::new("elsewhere");
    let aim = elsewhere.folder.join("aim");
    symlink(&aim, desk.folder.join("log.ndjson")).unwrap();
    symlink(&elsewhere.folder, desk.folder.join("events")).unwrap();
    desk.create("1.part", "");
    desk.check(Request::Create("log.ndjson"), Err(ErrorKind::AlreadyExists));
    desk.check(
        Request::Rename("1.part", "log.ndjson"),
        Err(ErrorKind::AlreadyExists),
    );
    for request in [
        Request::Create("events/1.part"),
        Request::MakeFolder("events/a"),
        Request::MakeFolder("events"),
        Request::Rename("1.part", "events/1"),
    ] {
        let error = desk.process.ask(request).unwrap_err();
        let errno = Errno::from_io_error(&error).unwrap();
        assert!(
            [Errno::LOOP, Errno::NOTDIR].contains(&errno),
            "{request:?}: {errno}"
        );
    }
    assert_eq!(fs::read_dir(&elsewhere.folder).unwrap().count(), 0);
}

#[test]
fn names_are_checked_by_the_one_that_makes_files() {
    for request in [
        Request::Create("../a"),
        Request::Create("/tmp/a"),
        Request::MakeFolder(".."),
        Request::Rename("a.part", "../a"),
        Request::Rename("case.json", "other.json"),
        Request::Replace("a.new", "case.json"),
        Request::Remove("case.json"),
    ] {
        let desk = Desk::new("names");
        desk.create("case.json", "");
        // It ends: whoever asks so is not the one that started it any more.
        desk.check(request, Err(ErrorKind::BrokenPipe));
        desk.check(Request::Space, Err(ErrorKind::BrokenPipe));
        assert_eq!(fs::read_dir(&desk.folder).unwrap().count(), 1);
    }
}

#[test]
fn what_is_no_request_ends_it() {
    let long = [&2_u32.to_ne_bytes()[..], &9_u32.to_ne_bytes(), b"a"].concat();
    let file = wire::bytes(Request::Create("a"));
    for packet in [
        b"?".to_vec(),
        vec![0; 8],
        long,
        [&file[..], b"b"].concat(),
        vec![b'a'; 4096],
    ] {
        let desk = Desk::new("request");
        {
            let socket = desk.process.socket.lock().unwrap();
            send(socket.as_ref().unwrap(), &packet, SendFlags::NOSIGNAL).unwrap();
        }
        desk.check(Request::Space, Err(ErrorKind::BrokenPipe));
        assert_eq!(fs::read_dir(&desk.folder).unwrap().count(), 0);
    }
}

#[test]
fn what_is_no_answer_is_none() {
    for packet in [&b"?"[..], &[0xff; 24], &[0; 25]] {
        let (here, there) = second::pair().unwrap();
        send(&there, packet, SendFlags::empty()).unwrap();
        let asked = wire::exchange(here.as_fd(), Request::Space);
        assert_eq!(asked.err(), Some(Errno::BADMSG), "{packet:?}");
    }
    // A file where none was asked for, and none where one was.
    let (here, there) = second::pair().unwrap();
    wire::send_answer(there.as_fd(), &Ok(Answer::NOTHING)).unwrap();
    let asked = wire::exchange(here.as_fd(), Request::Create("a"));
    assert_eq!(asked.err(), Some(Errno::BADMSG));
    let file = Answer {
        file: Some(File::open("/dev/null").unwrap()),
        ..Answer::NOTHING
    };
    wire::send_answer(there.as_fd(), &Ok(file)).unwrap();
    let asked = wire::exchange(here.as_fd(), Request::Space);
    assert_eq!(asked.err(), Some(Errno::BADMSG));
}

#[test]
fn an_ordinary_file_system_keeps_permissions() {
    let desk = Desk::new("permissions");
    let open = rustix::fs::open(&desk.folder, rights::SUBFOLDER, Mode::empty()).unwrap();
    assert_eq!(keeps_permissions(open.as_fd()), Ok(true));
    assert_eq!(fs::metadata(&desk.folder).unwrap().mode() & 0o7777, 0o700);
}

proptest! {
    #[test]
    fn requests_come_back_as_they_were(first: String, second: String, kind in 1..8_u32) {
        let request = match kind {
            1 => Request::MakeFolder(&first),
            2 => Request::Create(&first),
            3 => Request::Rename(&first, &second),
            4 => Request::Replace(&first, &second),
            5 => Request::Remove(&first),
            6 => Request::Sync,
            _ => Request::Space,
        };
        let bytes = wire::bytes(request);
        prop_assert_eq!(wire::request(&bytes), Some(request));
    }

    #[test]
    fn no_request_is_too_much(bytes: Vec<u8>) {
        let _ = wire::request(&bytes);
    }
}
