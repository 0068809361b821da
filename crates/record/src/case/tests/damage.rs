//! A case that somebody has changed, and what of it can be read all the same.

use super::*;

const EVENTS: [&str; 2] = ["events/000001.ndjson", "events/000002.ndjson"];

/// What was told when it was opened, what when it was read, and the events that came out.
struct Came {
    problems: Vec<String>,
    faults: Vec<String>,
    events: Vec<u8>,
}

fn came(folder: &Folder, identities: Option<&Identities>) -> Came {
    let case = OpenCase::open(&folder.0, identities).unwrap();
    let mut came = Came {
        problems: case.problems().iter().map(ToString::to_string).collect(),
        faults: Vec::new(),
        events: Vec::new(),
    };
    for segment in case.segments(Kind::Events) {
        let failed = match case.read(segment) {
            Ok(mut reader) => reader
                .read_to_end(&mut came.events)
                .map_err(|error| case.fault(segment, error))
                .err(),
            Err(error) => Some(error),
        };
        came.faults.extend(failed.map(|error| {
            assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
            error.to_string()
        }));
    }
    came
}

/// Changes a sealed case, and looks at what is told when it is opened, when it is read, and how much
/// of its events is still there.
fn check(
    change: impl Fn(&Folder),
    problem: Option<&str>,
    fault: Option<&str>,
    events: impl AsRef<[u8]>,
) {
    let folder = Folder::new();
    sealed_case(&folder, None);
    change(&folder);
    let came = came(&folder, None);
    let has = |told: &[String], expected: Option<&str>| match expected {
        Some(expected) => told.iter().any(|told| told.contains(expected)),
        None => told.is_empty(),
    };
    assert!(has(&came.problems, problem), "{:?}", came.problems);
    assert!(has(&came.faults, fault), "{:?}", came.faults);
    assert_eq!(came.events, events.as_ref());
}

fn put(name: &'static str, content: impl Into<Vec<u8>>) -> impl Fn(&Folder) {
    let content = content.into();
    move |folder| fs::write(folder.path(name), &content).unwrap()
}

#[test]
fn what_was_changed_is_known_when_it_was_read() {
    let mut changed = lines(0, 10);
    changed[8] = b'7';
    let all = [changed.clone(), lines(10, 10)].concat();
    check(
        put(EVENTS[0], changed),
        None,
        Some("events/000001.ndjson: it was changed"),
        all,
    );
    let zeros = vec![0; lines(0, 10).len()];
    let all = [zeros.clone(), lines(10, 10)].concat();
    check(
        put(EVENTS[0], zeros),
        None,
        Some("events/000001.ndjson: it was changed: it is full of zeros"),
        all,
    );
}

#[test]
fn another_length_is_known_before() {
    check(
        put(EVENTS[1], ""),
        Some("events/000002.ndjson: it was changed: it has 0 bytes, and had"),
        Some("events/000002.ndjson"),
        lines(0, 10),
    );
}

#[test]
fn a_file_of_another_length_is_not_read_to_its_end() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    // Nobody waits until a TiB of zeros is hashed.
    let file = fs::File::create(folder.path("packets/000001.pcapng")).unwrap();
    file.set_len(1 << 40).unwrap();
    let problems = folder.verify().problems;
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(
        matches!(&told[..], [one] if one.contains("it has 1099511627776 bytes, and had")),
        "{told:?}"
    );
}

#[test]
fn what_is_missing_does_not_keep_the_rest_from_being_read() {
    let remove =
        |name: &'static str| move |folder: &Folder| fs::remove_file(folder.path(name)).unwrap();
    let told = Some("events/000001.ndjson: it is missing");
    check(remove(EVENTS[0]), told, None, lines(10, 10));
    let all = lines(0, 20);
    check(remove(LOG), Some("log.ndjson: it is missing"), None, &all);
    check(
        remove(CASE_JSON),
        Some("case.json: it is missing"),
        None,
        &all,
    );
    check(
        remove(MANIFEST),
        Some("manifest.sha256: it is missing"),
        None,
        &all,
    );
}

#[test]
fn the_log_has_to_be_that_of_the_seal() {
    let edit = |from: &'static str, to: &'static str| {
        move |folder: &Folder| {
            let text = fs::read_to_string(folder.path(LOG)).unwrap();
            fs::write(folder.path(LOG), text.replacen(from, to, 1)).unwrap();
        }
    };
    let told = Some("log.ndjson, line 3: it does not follow");
    check(edit("file_added", "file_adder"), told, None, lines(0, 20));
}

#[test]
fn names_that_lead_out_are_told_and_not_followed() {
    let change = |folder: &Folder| {
        let text = fs::read_to_string(folder.path(MANIFEST)).unwrap();
        let text = text.replacen("  events/000001", "  ../000001", 1);
        fs::write(folder.path(MANIFEST), text).unwrap();
    };
    let told = Some(": the name leads out of the case");
    check(change, told, None, lines(0, 20));
}

#[test]
fn what_somebody_has_added_is_not_shown() {
    let told = Some("events/000009.ndjson: it is not in the manifest");
    check(
        put("events/000009.ndjson", "{}\n"),
        told,
        None,
        lines(0, 20),
    );
}

#[test]
fn what_case_json_tells_is_used_also_where_it_was_changed() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    let path = folder.path(CASE_JSON);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("laptop", "LAPTOP")).unwrap();
    let case = OpenCase::open(&folder.0, None).unwrap();
    assert_eq!(case.about().unwrap().host, "LAPTOP");
    assert_eq!(case.problems().len(), 1, "{:?}", case.problems());
    fs::write(&path, vec![0; text.len()]).unwrap();
    let case = OpenCase::open(&folder.0, None).unwrap();
    assert!(case.about().is_none());
    assert_eq!(case.problems().len(), 1, "{:?}", case.problems());
}

#[test]
fn a_changed_byte_is_told_also_where_all_is_encrypted() {
    let (identities, recipients) = crypt::new_keys();
    let folder = Folder::new();
    sealed_case(&folder, Some(recipients));
    let path = folder.path("events/000001.ndjson.age");
    let whole = fs::read(&path).unwrap();
    for at in [0, 60, 100, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        let came = came(&folder, Some(&identities));
        assert_eq!(came.faults.len(), 1, "byte {at}: {:?}", came.faults);
        assert!(
            came.faults[0].contains("events/000001.ndjson"),
            "{:?}",
            came.faults
        );
        assert!(came.events.ends_with(&lines(10, 10)));
    }
    fs::write(&path, whole).unwrap();
    let log = folder.path("log.ndjson.age");
    let mut changed = fs::read(&log).unwrap();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&log, changed).unwrap();
    let came = came(&folder, Some(&identities));
    assert!(
        came.problems[0].contains("log.ndjson"),
        "{:?}",
        came.problems
    );
    assert_eq!(came.events, lines(0, 20));
}

#[test]
fn what_was_put_behind_the_end_is_not_read() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    let name = "events/000001.ndjson";
    let file = fs::File::options().write(true).open(folder.path(name));
    // Reading all of it would take longer than anybody waits.
    file.unwrap().set_len(1 << 40).unwrap();
    let case = OpenCase::open(&folder.0, None).unwrap();
    let problems: Vec<_> = case.problems().iter().map(Problem::file).collect();
    assert_eq!(problems, [Some(name)]);
    assert_eq!(content(&case, Kind::Events), lines(0, 20));
}

#[test]
fn what_was_encrypted_to_the_same_key_elsewhere_is_not_taken_for_its_own() {
    let (identities, recipients) = crypt::new_keys();
    let (folder, other) = (Folder::new(), Folder::new());
    sealed_case(&folder, Some(recipients.clone()));
    sealed_case(&other, Some(recipients));
    let name = "events/000002.ndjson.age";
    fs::copy(other.path(name), folder.path(name)).unwrap();
    let line = |folder: &Folder| {
        let text = fs::read_to_string(folder.path(MANIFEST)).unwrap();
        let line = text.lines().find(|line| line.ends_with(name));
        (text.clone(), line.unwrap().to_owned())
    };
    let ((text, own), (_, foreign)) = (line(&folder), line(&other));
    fs::write(folder.path(MANIFEST), text.replace(&own, &foreign)).unwrap();
    // Without the key nobody can tell; the seal is another one.
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let case = OpenCase::open(&folder.0, Some(&identities)).unwrap();
    let problems: Vec<_> = case.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(name), "{problems:?}");
    let other = OpenCase::open(&other.0, Some(&identities)).unwrap();
    assert_eq!(other.problems(), []);
}

#[test]
fn a_log_that_the_key_of_the_case_does_not_open_is_told() {
    let (identities, recipients) = crypt::new_keys();
    let (_, strange) = crypt::new_keys();
    let (folder, other) = (Folder::new(), Folder::new());
    sealed_case(&folder, Some(recipients));
    sealed_case(&other, Some(strange));
    let log = "log.ndjson.age";
    fs::copy(other.path(log), folder.path(log)).unwrap();
    // Its line and its mark in the manifest, as whoever puts another log there would write them.
    let lines = |folder: &Folder| {
        let text = fs::read_to_string(folder.path(MANIFEST)).unwrap();
        let of_log = text.lines().filter(|line| line.contains("log"));
        let of_log: Vec<String> = of_log.map(str::to_owned).collect();
        (text, of_log)
    };
    let ((mut text, own), (_, foreign)) = (lines(&folder), lines(&other));
    assert_eq!(own.len(), 2, "{own:?}");
    for (own, foreign) in own.iter().zip(&foreign) {
        text = text.replace(own, foreign);
    }
    fs::write(folder.path(MANIFEST), text).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let came = came(&folder, Some(&identities));
    assert!(
        matches!(&came.problems[..], [one] if one.contains(log)),
        "{:?}",
        came.problems
    );
    assert_eq!(came.events, super::lines(0, 20));
}
