use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use observe::actions::{How, end_process};

use super::*;
use crate::interrupt::Interrupt;

/// A folder that goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("whocalls-running-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        runtime::make_folder(&path).unwrap();
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

/// Where a process that stands in for a recording says so.
const STAND_IN: &str = "WHOCALLS_STAND_IN";
/// What it is like.
const MANNER: &str = "WHOCALLS_STAND_IN_MANNER";

/// The process itself; nothing where it is run as a test.
#[test]
fn stands_in() {
    let Some(folder) = std::env::var_os(STAND_IN).map(PathBuf::from) else {
        return;
    };
    let manner = std::env::var(MANNER).unwrap();
    // It takes three seconds for its end, and would not outlive a second signal.
    let interrupt = (manner == "slow").then(|| Interrupt::listen().unwrap());
    let pid = std::process::id();
    let mut process = *live().unwrap().iter().find(|id| id.pid == pid).unwrap();
    if manner == "older" {
        process.start_ticks -= 1;
    }
    let mut announcement =
        Announcement::make_in(&folder, process, Path::new("/media/stick/case"), began()).unwrap();
    let more = Progress {
        events: u64::MAX,
        ..PROGRESS
    };
    announcement.update(began(), &more).unwrap();
    announcement.update(began(), &PROGRESS).unwrap();
    fs::write(folder.join(format!("{pid}.ready")), "").unwrap();
    match interrupt {
        Some(interrupt) => {
            interrupt.wait(Duration::from_secs(60));
            thread::sleep(Duration::from_secs(3));
        }
        None => thread::sleep(Duration::from_secs(60)),
    }
}

/// Stands for a recording. It is fetched when it ends, as a shell or a service manager would.
struct Recorder(Option<JoinHandle<()>>, ProcessId);

impl Recorder {
    fn start(folder: &Folder, manner: &str) -> Self {
        let name = "commands::record::running::tests::stands_in";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(STAND_IN, &folder.0)
            .env(MANNER, manner)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let ready = folder.0.join(format!("{}.ready", child.id()));
        let began = Instant::now();
        while !ready.exists() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it does not begin"
            );
            thread::sleep(Duration::from_millis(10));
        }
        let live = live().unwrap();
        let id = live.iter().find(|id| id.pid == child.id()).unwrap();
        let fetches = thread::spawn(move || drop(child.wait()));
        Self(Some(fetches), *id)
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
    let recorder = Recorder::start(&folder, "usual");
    let found = folder.found();
    let progress = Some((began(), PROGRESS));
    assert_eq!(
        found.running,
        [Recording {
            process: recorder.1,
            case: "/media/stick/case".to_owned(),
            began: began(),
            progress,
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
    // It holds its file, and says that it is another one with its number.
    let recorder = Recorder::start(&folder, "older");
    assert_eq!(folder.found().running, []);
    let mut other = recorder.1;
    other.start_ticks -= 1;
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
fn a_file_that_names_somebody_elses_process_is_not_believed() {
    let folder = Folder::new("foreign");
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let live = live().unwrap();
    let process = *live.iter().find(|id| id.pid == bystander.id()).unwrap();
    // We hold it, and it names the other one.
    let made = Announcement::make_in(&folder.0, process, Path::new("/case"), began()).unwrap();
    assert_eq!(folder.found().running, []);
    // Nobody holds it.
    drop(made);
    let found = folder.found();
    assert_eq!(found.running, []);
    assert!(chosen(&found, Some(process.pid)).is_err());
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn stops_a_recording_and_waits_for_its_end() {
    let folder = Folder::new("stop");
    let recorder = Recorder::start(&folder, "slow");
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

    let recorder = Recorder::start(&folder, "usual");
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
        Recorder::start(&folder, "usual"),
        Recorder::start(&folder, "usual"),
    ];
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
    let recorder = Recorder::start(&folder, "usual");
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

#[test]
fn programs_are_told_the_same_in_json() {
    let recording = Recording {
        process: ProcessId {
            boot: BootId([7; 16]),
            pid: 812,
            start_ticks: 5,
        },
        case: "/media/\u{202e}stick\n".to_owned(),
        began: Timestamp::from_unix_nanos(1_795_342_500_000_000_000),
        progress: None,
    };
    let recordings = Recordings {
        running: vec![recording],
        hidden: vec!["/run/whocalls: no".to_owned()],
    };
    let text = document(&recordings);
    assert!(
        text.contains("\\u202e") && text.lines().count() == 1,
        "{text}"
    );
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], "whocalls/1");
    assert_eq!(document["recordings"][0]["pid"], 812);
    assert_eq!(document["recordings"][0]["case"], "/media/\u{202e}stick\n");
    assert!(document["recordings"][0]["progress"].is_null());
    assert_eq!(document["hidden"][0], "/run/whocalls: no");
}
