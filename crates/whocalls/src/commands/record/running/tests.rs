use std::process::Command;
use std::thread::JoinHandle;

use super::*;

/// A folder that goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("whocalls-running-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Who is found in it.
    fn found(&self) -> Recordings {
        recordings_in(&[self.0.join("none"), self.0.clone()], &live().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Stands for a recording. It is fetched when it ends, as a shell or a service manager would.
struct Recorder(Option<JoinHandle<()>>, ProcessId);

impl Recorder {
    fn start(command: &str) -> Self {
        let mut child = Command::new("sh").args(["-c", command]).spawn().unwrap();
        let live = live().unwrap();
        let id = live.iter().find(|id| id.pid == child.id()).unwrap();
        let fetches = thread::spawn(move || drop(child.wait()));
        Self(Some(fetches), *id)
    }

    fn announce(&self, folder: &Folder) -> Announcement {
        Announcement::make_in(&folder.0, self.1, Path::new("/media/stick/case"), began()).unwrap()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = end_process(ProcessTarget::of(self.1), How::Hard);
        let _ = self.0.take().map(JoinHandle::join);
    }
}

fn began() -> Timestamp {
    Timestamp::parse("2026-11-22T10:15:00.000000000Z").unwrap()
}

const PROGRESS: Progress = Progress {
    elapsed: Duration::from_secs(75),
    events: 1234,
    packets: Some(99),
    lost_events: 0,
    lost_packets: 2,
    bytes_written: 5_000_000,
    bytes_free: None,
};

#[test]
fn a_recording_is_found_as_long_as_it_runs() {
    let folder = Folder::new("found");
    let recorder = Recorder::start("exec sleep 60");
    let mut announcement = recorder.announce(&folder);
    let expected = Recording {
        process: recorder.1,
        case: "/media/stick/case".to_owned(),
        began: began(),
        progress: None,
    };
    assert_eq!(folder.found().running.first(), Some(&expected));

    announcement
        .update(
            began(),
            &Progress {
                events: u64::MAX,
                ..PROGRESS
            },
        )
        .unwrap();
    announcement.update(began(), &PROGRESS).unwrap();
    let found = folder.found();
    let progress = Some((began(), PROGRESS));
    assert_eq!(
        found.running,
        [Recording {
            progress,
            ..expected
        }]
    );
    let text = status(&found, 120);
    assert!(
        text.starts_with(&format!("{}  since 2026-11-22T10:15", recorder.1.pid)),
        "{text}"
    );
    assert!(text.contains("/media/stick/case"), "{text}");

    drop(recorder);
    assert_eq!(folder.found().running, []);
    // Whoever records next clears away what is left of it.
    assert_eq!(announcements(&folder.0).unwrap().len(), 1);
    remove_dead(&folder.0, &live().unwrap());
    assert_eq!(announcements(&folder.0).unwrap().len(), 0);
}

#[test]
fn another_process_with_the_same_number_is_not_it() {
    let folder = Folder::new("reused");
    let recorder = Recorder::start("exec sleep 60");
    let (_, mut other) = (recorder.1, recorder.1);
    other.start_ticks -= 1;
    Announcement::make_in(&folder.0, other, Path::new("/case"), began()).unwrap();
    assert_eq!(folder.found().running, []);
    // It may have ended since it was found.
    let gone = Recording {
        process: other,
        case: "/case".to_owned(),
        began: began(),
        progress: None,
    };
    assert!(stop(&gone, Duration::from_secs(5)).unwrap());
    assert!(live().unwrap().contains(&recorder.1));
}

#[test]
fn stops_a_recording_and_waits_for_its_end() {
    let folder = Folder::new("stop");
    // It takes three seconds for its end, and would not outlive a second signal.
    let recorder = Recorder::start("trap 'trap - TERM; sleep 3; exit' TERM; sleep 60 & wait");
    recorder.announce(&folder);
    // The shell has to get to its trap.
    thread::sleep(Duration::from_millis(300));
    let found = folder.found();
    let recording = chosen(&found, None).unwrap();
    let began = Instant::now();
    assert!(!stop(recording, Duration::ZERO).unwrap());
    assert!(live().unwrap().contains(&recorder.1));
    while live().unwrap().contains(&recorder.1) && began.elapsed() < Duration::from_secs(20) {
        thread::sleep(STEP);
    }
    assert!(
        began.elapsed() >= Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(folder.found().running, []);

    let recorder = Recorder::start("exec sleep 60");
    recorder.announce(&folder);
    let found = folder.found();
    assert!(
        stop(
            chosen(&found, Some(recorder.1.pid)).unwrap(),
            Duration::from_secs(20)
        )
        .unwrap()
    );
}

#[test]
fn asks_which_of_several() {
    let folder = Folder::new("several");
    let recorders = [
        Recorder::start("exec sleep 60"),
        Recorder::start("exec sleep 60"),
    ];
    for recorder in &recorders {
        recorder.announce(&folder);
    }
    let found = folder.found();
    let pid = recorders[1].1.pid;
    assert_eq!(chosen(&found, Some(pid)).unwrap().process, recorders[1].1);
    let text = |error: anyhow::Error| error.to_string();
    assert!(text(chosen(&found, None).unwrap_err()).contains(&pid.to_string()));
    assert!(text(chosen(&found, Some(1)).unwrap_err()).contains("there is none"));
    let none = Recordings::default();
    assert!(text(chosen(&none, None).unwrap_err()).contains("none that this user may know of"));
    assert!(status(&none, 80).starts_with("no recording"));
}

#[test]
fn what_is_no_announcement_is_passed_over() {
    let folder = Folder::new("odd");
    let recorder = Recorder::start("exec sleep 60");
    recorder.announce(&folder);
    let path = folder.0.join(format!("{}.{ENDING}", recorder.1.pid));
    let whole = fs::read(&path).unwrap();
    let odd: [&[u8]; 5] = [
        b"",
        b"{}\n",
        b"\xff\xff\n",
        b"null\nnull\n",
        &whole[..whole.len() / 2],
    ];
    for (number, odd) in odd.into_iter().enumerate() {
        fs::write(folder.0.join(format!("{number}.{ENDING}")), odd).unwrap();
    }
    fs::create_dir(folder.0.join(format!("folder.{ENDING}"))).unwrap();
    let found = folder.found();
    assert_eq!(found.running.len(), 1);
    assert_eq!(found.hidden, <[String; 0]>::default());
    // A file that is just being made anew still says which recording it is.
    let torn = [whole.as_slice(), b"{\"at\": \"20"].concat();
    let torn = recording(std::str::from_utf8(&torn).unwrap()).unwrap();
    assert_eq!(torn.progress, None);
}
