//! unzip(1), python3, sha256sum(1) and age(1) judge what is packed. Where one is missing, what it
//! would judge is skipped, and said so.

use std::process::{Command, Stdio};

use serde_json::Map;

use super::*;
use crate::case::tests::about;
use crate::case::{CASE_JSON, Case, Kind, LOG, Limits, START_HERE, Settings};
use crate::crypt::{Identities, new_keys};
use crate::place::Directory;

/// A folder that goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("whocalls-pack-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A small case that was sealed, and a folder in it that is empty.
    fn case(&self) -> PathBuf {
        let case = self.path("whocalls-lab-1");
        fs::create_dir(&case).unwrap();
        let mut random = 1_u64;
        let noise: Vec<u8> = (0..700_000)
            .map(|_| {
                // xorshift (Marsaglia): nothing to compress.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random as u8
            })
            .collect();
        let about = about();
        let at = about.began;
        let settings = Settings {
            about,
            limits: Limits::default(),
            recipients: None,
        };
        let written = Case::begin(Box::new(Directory::new(&case)), settings).unwrap();
        let mut events = written.stream(Kind::Events);
        events.begin(at).unwrap();
        let lines = b"{\"type\": \"event\"}\n".repeat(50_000);
        events.write(&lines).unwrap();
        events.close(at, 50_000).unwrap();
        written.add(at, "imports/noise", &mut &noise[..]).unwrap();
        written.add(at, "snapshots/empty", &mut &b""[..]).unwrap();
        written.finish(at, Map::new()).unwrap();
        fs::create_dir_all(case.join("programs")).unwrap();
        case
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn pack_quietly(case: &Path, out: &Path, recipients: Option<&Recipients>) -> Result<Packed, Error> {
    let mut quiet = |_| ControlFlow::Continue(());
    pack(case, out, recipients, Damaged::Refuse, &mut quiet)
}

/// What the program writes to its standard output; `None` when it is not installed, which is said.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    let output = match command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: what {program} says of a packed case: {error}");
            return None;
        }
    };
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    Some(output.stdout)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The zip has the case in it, and the manifest is right about it.
fn check_zip(folder: &Folder, zip: &str, case: &Path) {
    run(&folder.0, "unzip", &["-tqq", zip]);
    let list = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert not z.testzip()
for i in z.infolist(): print(i.filename, i.date_time[0] > 2000 or i.is_dir())";
    if let Some(names) = run(&folder.0, "python3", &["-c", list, zip]) {
        let expected = "\
whocalls-lab-1/START-HERE.txt True
whocalls-lab-1/case.json True
whocalls-lab-1/manifest.sha256 True
whocalls-lab-1/log.ndjson True
whocalls-lab-1/events/000001.ndjson True
whocalls-lab-1/imports/noise True
whocalls-lab-1/snapshots/empty True
whocalls-lab-1/events/ True
whocalls-lab-1/imports/ True
whocalls-lab-1/programs/ True
whocalls-lab-1/snapshots/ True
";
        assert_eq!(text(names), expected);
    }
    if run(&folder.0, "unzip", &["-qq", "-d", "back", zip]).is_some() {
        let back = folder.path("back/whocalls-lab-1");
        run(
            &back,
            "sha256sum",
            &["--check", "--quiet", "--strict", MANIFEST],
        );
        let same = [case.to_str().unwrap(), back.to_str().unwrap()];
        run(&folder.0, "diff", &["-r", same[0], same[1]]);
    }
}

#[test]
fn packs_a_case() {
    let folder = Folder::new("plain");
    let case = folder.case();
    let out = folder.path("case.zip");
    let mut told = Vec::new();
    let mut progress = |progress: Progress| {
        told.push(progress);
        ControlFlow::Continue(())
    };
    let packed = pack(&case, &out, None, Damaged::Refuse, &mut progress).unwrap();
    assert_eq!(packed.files, 7);
    assert_eq!(packed.bytes, fs::metadata(&out).unwrap().len());
    // What can be compressed is.
    assert!((700_000..712_000).contains(&packed.bytes), "{packed:?}");
    assert!(packed.problems.is_empty() && packed.strangers.is_empty());
    assert!(told.is_sorted_by_key(|progress| progress.done_bytes));
    let end = told.last().unwrap();
    assert_eq!(end.done_bytes, end.total_bytes);
    check_zip(&folder, "case.zip", &case);
    if let Some(line) = run(&folder.0, "sha256sum", &["case.zip"]) {
        assert_eq!(text(line), format!("{}  case.zip\n", packed.sha256));
    }
}

#[test]
fn packs_for_recipients_and_leaves_no_plain_copy() {
    let folder = Folder::new("sealed");
    let case = folder.case();
    let (identities, recipients) = new_keys();
    let packed = pack_quietly(&case, &folder.path("case.zip.age"), Some(&recipients)).unwrap();
    let sealed = fs::read(folder.path("case.zip.age")).unwrap();
    assert_eq!(packed.bytes, sealed.len() as u64);
    let mut names: Vec<_> = fs::read_dir(&folder.0)
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["case.zip.age", "whocalls-lab-1"]);
    for plain in [&b"START-HERE"[..], b"PK\x03\x04", b"PK\x01\x02"] {
        assert!(!sealed.windows(plain.len()).any(|window| window == plain));
    }
    let mut zip = Vec::new();
    identities
        .open(&sealed[..])
        .unwrap()
        .read_to_end(&mut zip)
        .unwrap();
    fs::write(folder.path("case.zip"), zip).unwrap();
    check_zip(&folder, "case.zip", &case);
}

#[test]
fn age_opens_a_packed_case() {
    let folder = Folder::new("age");
    let case = folder.case();
    if run(&folder.0, "age-keygen", &["-o", "identity.txt"]).is_none() {
        return;
    }
    let identity = fs::read_to_string(folder.path("identity.txt")).unwrap();
    let recipients = Identities::parse(&identity, "identity.txt")
        .unwrap()
        .recipients();
    pack_quietly(&case, &folder.path("case.zip.age"), Some(&recipients)).unwrap();
    let Some(zip) = run(
        &folder.0,
        "age",
        &["-d", "-i", "identity.txt", "case.zip.age"],
    ) else {
        return;
    };
    fs::write(folder.path("case.zip"), zip).unwrap();
    check_zip(&folder, "case.zip", &case);
}

/// What is wrong, after which there is no output.
fn refused(folder: &Folder, case: &Path) -> Vec<String> {
    let out = folder.path("refused.zip");
    let error = pack_quietly(case, &out, None).unwrap_err();
    assert!(!out.exists());
    if let Error::Damaged(problems) = &error {
        return texts(problems);
    }
    vec![error.to_string()]
}

fn texts(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_case_that_is_being_written_has_what_is_of_use() {
    let folder = Folder::new("open");
    let case = folder.path("whocalls-lab-1");
    fs::create_dir(&case).unwrap();
    let (about, limits) = (about(), Limits::default());
    let settings = Settings {
        about,
        limits,
        recipients: None,
    };
    let written = Case::begin(Box::new(Directory::new(&case)), settings).unwrap();
    assert!(case.join("reserve").is_file());
    let contents = contents::of(&case, Damaged::Refuse).unwrap();
    assert!(!contents.is_sealed);
    let names: Vec<_> = contents.files.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, [START_HERE, CASE_JSON, MANIFEST, LOG]);
    written
        .finish(crate::case::tests::about().began, Map::new())
        .unwrap();
    assert!(contents::of(&case, Damaged::Refuse).unwrap().is_sealed);
}

fn pack_anyway(folder: &Folder, case: &Path) -> Packed {
    let out = folder.path("anyway.zip");
    let mut quiet = |_| ControlFlow::Continue(());
    let packed = pack(case, &out, None, Damaged::PackAnyway, &mut quiet).unwrap();
    run(&folder.0, "unzip", &["-tqq", "anyway.zip"]);
    fs::remove_file(out).unwrap();
    packed
}

#[test]
fn refuses_a_damaged_case_unless_told() {
    let folder = Folder::new("damaged");
    let case = folder.case();
    write(
        &case.join("events/000001.ndjson"),
        &b"{\"type\": \"Event\"}\n".repeat(50_000),
    );
    let other = "events/000001.ndjson: it was changed";
    assert_eq!(refused(&folder, &case), [other]);

    fs::remove_file(case.join("snapshots/empty")).unwrap();
    let missing = "snapshots/empty: it is missing";
    assert_eq!(refused(&folder, &case), [missing]);

    let packed = pack_anyway(&folder, &case);
    assert_eq!(texts(&packed.problems), [missing, other]);
    assert_eq!(packed.files, 6);
}

#[test]
fn refuses_names_that_lead_elsewhere() {
    let folder = Folder::new("names");
    let case = folder.case();
    let manifest = fs::read_to_string(case.join(MANIFEST)).unwrap();
    let line = |name: &str| format!("{manifest}{}  {name}\n", "0".repeat(64));
    let last = manifest.lines().count() + 1;
    let expected = format!("manifest.sha256, line {last}: ");
    let check = |text: &str| {
        write(&case.join(MANIFEST), text.as_bytes());
        let told = refused(&folder, &case);
        assert!(told[0].starts_with(&expected), "{text}: {told:?}");
    };
    for name in [
        "../secret",
        "/etc/passwd",
        "events/../../x",
        "events//x",
        "a\\..\\b",
        "C:x",
        ".",
    ] {
        check(&line(name));
    }
    for odd in [
        "hello\n",
        "0123  a\n",
        &format!("{}  a\n", "g".repeat(64)),
        "\u{0}\n",
    ] {
        check(&format!("{manifest}{odd}"));
    }
    write(&case.join(MANIFEST), &[0; 500]);
    let zeros = ["manifest.sha256: it is full of zeros"];
    assert_eq!(refused(&folder, &case), zeros);
    // Even so all that lies there can be taken along.
    let packed = pack_anyway(&folder, &case);
    assert_eq!(
        (packed.files, texts(&packed.problems)),
        (7, zeros.map(str::to_owned).to_vec())
    );
    write(&case.join(MANIFEST), b"# whocalls case 99\n");
    write(&case.join("case.json"), b"{\"format\": 99}");
    let newer = refused(&folder, &case);
    assert!(
        newer[0].ends_with("is in format 99; this build reads up to 1"),
        "{newer:?}"
    );
}

#[test]
fn strangers_are_named_and_stay_behind() {
    let folder = Folder::new("strangers");
    let case = folder.case();
    write(&case.join("notes.txt"), b"mine");
    write(&case.join("more/notes.txt"), b"mine");
    write(&case.join("derived/findings.ndjson"), b"{}");
    let packed = pack_quietly(&case, &folder.path("case.zip"), None).unwrap();
    assert_eq!(packed.strangers, ["more", "notes.txt"]);
    for name in ["notes.txt", "more", "derived"] {
        let path = case.join(name);
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    check_zip(&folder, "case.zip", &case);
    // Among the files of the case it is no stranger, but damage.
    write(&case.join("events/notes.txt"), b"mine");
    let told = ["events/notes.txt: it is not in the manifest"];
    assert_eq!(refused(&folder, &case), told);
}

#[cfg(unix)]
#[test]
fn follows_no_links() {
    let folder = Folder::new("links");
    let case = folder.case();
    write(&folder.path("outside/secret"), b"secret");
    for to in ["../../outside/secret", "../../outside", "nowhere"] {
        let link = case.join("programs/linked");
        std::os::unix::fs::symlink(to, &link).unwrap();
        assert_eq!(refused(&folder, &case), ["programs/linked: it is a link"]);
        let packed = pack_anyway(&folder, &case);
        assert_eq!((packed.files, packed.problems.len()), (7, 1));
        fs::remove_file(link).unwrap();
    }
    // Not even for the manifest.
    fs::rename(case.join(MANIFEST), folder.path("manifest")).unwrap();
    std::os::unix::fs::symlink("../manifest", case.join(MANIFEST)).unwrap();
    assert_eq!(refused(&folder, &case), ["manifest.sha256: it is a link"]);
}

#[test]
fn overwrites_nothing_and_stays_outside_of_the_case() {
    let folder = Folder::new("place");
    let case = folder.case();
    let out = folder.path("case.zip");
    write(&out, b"precious");
    assert!(matches!(
        pack_quietly(&case, &out, None),
        Err(Error::Exists(_))
    ));
    assert_eq!(fs::read(&out).unwrap(), b"precious");
    for inside in ["case.zip", "events/case.zip", "events/../case.zip"] {
        let inside = case.join(inside);
        assert!(matches!(
            pack_quietly(&case, &inside, None),
            Err(Error::Inside(_))
        ));
        assert!(!inside.exists());
    }
    assert!(matches!(
        pack_quietly(&folder.0, &folder.path("x"), None),
        Err(Error::Case(case::Error::Foreign { .. }))
    ));
    let nowhere = pack_quietly(&case, &folder.path("no/where.zip"), None);
    assert!(matches!(nowhere, Err(Error::Write { .. })));
    assert_eq!(file_name(&case, false).unwrap(), "whocalls-lab-1.zip");
    assert_eq!(
        file_name(&case.join("events/.."), true).unwrap(),
        "whocalls-lab-1.zip.age"
    );
}

#[test]
fn what_is_stopped_leaves_nothing_behind() {
    let folder = Folder::new("stopped");
    let case = folder.case();
    let out = folder.path("case.zip");
    let mut stop = |progress: Progress| match progress.done_bytes > 1_000_000 {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let stopped = pack(&case, &out, None, Damaged::Refuse, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert!(!out.exists());
}

#[test]
fn a_full_disk_is_an_error() {
    // /dev/full takes nothing: what is written to it fails as on a full disk.
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let folder = Folder::new("full");
    let case = folder.case();
    let contents = contents::of(&case, Damaged::Refuse).unwrap();
    let mut packing = Packing {
        case: &case,
        out: Path::new("/dev/full"),
        folder: "x".to_owned(),
        damaged: Damaged::Refuse,
        problems: Vec::new(),
        files: 0,
        done_bytes: 0,
        total_bytes: 0,
        progress: &mut |_| ControlFlow::Continue(()),
    };
    let error = packing.all(full, &contents, None).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}

/// A file of more than 4 GiB, as a zip has to tell its length differently then. It is sparse, and
/// takes a minute even so.
#[test]
#[ignore = "takes long; run it with --ignored in a release build"]
fn packs_more_than_4_gib() {
    let folder = Folder::new("large");
    let case = folder.path("whocalls-lab-2");
    write(&case.join(MANIFEST), b"# whocalls case 1\n");
    let long = (4 << 30) + 77;
    for name in [
        "events/000001.ndjson.part.000001.age",
        "packets/000001.pcapng.part",
    ] {
        write(&case.join(name), b"");
        let file = File::options().write(true).open(case.join(name)).unwrap();
        file.set_len(long).unwrap();
    }
    let packed = pack_quietly(&case, &folder.path("case.zip"), None).unwrap();
    assert!(packed.bytes > 4 << 30);
    run(&folder.0, "unzip", &["-tqq", "case.zip"]);
    let list =
        "import zipfile; print([i.file_size for i in zipfile.ZipFile('case.zip').infolist()])";
    if let Some(sizes) = run(&folder.0, "python3", &["-c", list]) {
        assert_eq!(text(sizes), format!("[18, {long}, {long}, 0, 0]\n"));
    }
}
