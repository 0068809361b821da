//! A file that is added behind the seal by whoever recorded the case.

use std::sync::Mutex;

use super::crash::{Sick, State};
use super::*;

const NAME: &str = "snapshots/last-phone.json";

#[test]
fn what_comes_after_the_seal_gets_another_one() {
    let (identities, recipients) = crypt::new_keys();
    for (recipients, identities) in [(None, None), (Some(recipients), Some(identities))] {
        let folder = Folder::new();
        let case = begin(
            &folder,
            Settings {
                recipients,
                ..settings()
            },
        );
        assert!(case.add_and_seal(at(1), NAME, b"{}\n").is_err());
        assert_eq!(folder.verify().outcome, Outcome::Unsealed);
        let first = case.finish(at(2), Map::new()).unwrap();
        assert!(case.add_and_seal(at(3), "../odd", b"{}\n").is_err());
        assert_eq!(folder.verify().outcome, Outcome::Sealed);
        let second = case.add_and_seal(at(3), NAME, b"{}\n").unwrap();
        let verified = folder.verify();
        assert_eq!(verified.problems, []);
        assert_eq!(
            (verified.outcome, verified.seals),
            (Outcome::Sealed, vec![first, second])
        );
        let open = OpenCase::open(&folder.0, identities.as_ref()).unwrap();
        assert_eq!(open.problems(), []);
        assert_eq!(read(open.file(NAME).unwrap()).unwrap(), b"{}\n");
    }
}

#[test]
fn what_was_computed_lies_beside_and_is_encrypted_where_the_case_is() {
    const FINDINGS: &[u8] = b"{\"rule\":\"known_bad\"}\n";
    let (identities, recipients) = crypt::new_keys();
    for (recipients, name) in [
        (None, "derived/findings.ndjson"),
        (Some(recipients), "derived/findings.ndjson.age"),
    ] {
        let folder = Folder::new();
        let is_encrypted = recipients.is_some();
        let settings = Settings {
            recipients,
            ..settings()
        };
        let case = begin(&folder, settings);
        let seal = case.finish(at(2), Map::new()).unwrap();
        let manifest = fs::read(folder.path(MANIFEST)).unwrap();
        case.add_derived("findings.ndjson", FINDINGS).unwrap();
        let beside = fs::read_dir(folder.path("derived")).unwrap();
        let beside: Vec<_> = beside.map(|it| it.unwrap().path()).collect();
        assert_eq!(beside, [folder.path(name)]);
        let written = fs::read(folder.path(name)).unwrap();
        let mut read = Vec::new();
        if is_encrypted {
            let text = String::from_utf8_lossy(&written);
            assert!(!text.contains("known_bad"), "{text}");
            let mut open = identities.open(&written[..]).unwrap();
            open.read_to_end(&mut read).unwrap();
        } else {
            read = written;
        }
        assert_eq!(read, FINDINGS);
        // Neither the seal nor what it is of knows of it.
        assert_eq!(fs::read(folder.path(MANIFEST)).unwrap(), manifest);
        let verified = folder.verify();
        assert_eq!(
            (verified.outcome, verified.seals),
            (Outcome::Sealed, vec![seal])
        );
        assert!(case.add_derived("../odd", FINDINGS).is_err());
    }
}

/// Adds the file where the deed of this number fails, and all after it unless it recovers. `false`:
/// it came to its end before that.
fn fails_at(deed: u64, recovers: bool, recipients: Option<Recipients>) -> bool {
    let folder = Folder::new();
    let state = Arc::new(Mutex::new(State {
        left: u64::MAX,
        recovers,
        undo: Vec::new(),
    }));
    let place = Sick {
        place: Directory::new(&folder.0),
        root: folder.0.clone(),
        state: Arc::clone(&state),
    };
    let settings = Settings {
        recipients,
        ..settings()
    };
    let case = Case::begin(Box::new(place), settings).unwrap();
    let first = case.finish(at(2), Map::new()).unwrap();
    let manifest = fs::read(folder.path(MANIFEST)).unwrap();
    state.lock().unwrap().left = deed;
    let added = case.add_and_seal(at(3), NAME, b"{}\n");
    let verified = folder.verify();
    assert_eq!(verified.problems, [], "deed {deed}");
    assert_eq!(verified.seals.first(), Some(&first));
    let is_sealed = verified.outcome == Outcome::Sealed;
    // What was not made sure of is not taken for sealed.
    assert!(is_sealed || !case.is_sealed(), "deed {deed}");
    if added.is_ok() {
        assert!(is_sealed);
        return false;
    }
    if case.is_sealed() {
        assert_eq!(fs::read(folder.path(MANIFEST)).unwrap(), manifest);
    }
    let is_named = [NAME.to_owned(), format!("{NAME}.age")];
    let is_named = is_named.iter().any(|name| folder.path(name).exists());
    // Where only one thing failed and the file was not there yet, the seal stands as before.
    assert!(!recovers || is_sealed || is_named, "deed {deed}");
    true
}

#[test]
fn where_it_fails_the_seal_stays_or_is_known_to_be_gone() {
    for recipients in [None, Some(crypt::new_keys().1)] {
        for recovers in [true, false] {
            let mut deed = 1;
            while fails_at(deed, recovers, recipients.clone()) {
                deed += 1;
                assert!(deed < 100);
            }
            assert!(deed > 8, "{deed}");
        }
    }
}
