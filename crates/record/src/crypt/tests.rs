use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// Content and tag of a chunk (the specification's "Payload").
const CHUNK: usize = 64 * 1024;
const SEALED_CHUNK: usize = CHUNK + 16;

/// The pair in the specification's own examples; it protects nothing.
const PRIVATE: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const OTHER_PUBLIC: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn seal(content: &[u8], recipients: &Recipients, piece: usize) -> Vec<u8> {
    let mut file = SealedFile::new(Vec::new(), recipients).unwrap();
    for piece in content.chunks(piece) {
        file.write_all(piece).unwrap();
    }
    file.finish().unwrap()
}

/// What can be read, and how the reading ended.
fn read(file: &[u8], identities: &Identities) -> (Vec<u8>, Result<(), Error>) {
    let mut content = Vec::new();
    let mut open = match identities.open(file) {
        Ok(open) => open,
        Err(error) => return (content, Err(error)),
    };
    let end = match open.read_to_end(&mut content) {
        Ok(_) => Ok(()),
        Err(error) => Err(match Error::inside(&error) {
            Some(&Error::CutShort { readable_bytes }) => Error::CutShort { readable_bytes },
            Some(&Error::Changed { readable_bytes }) => Error::Changed { readable_bytes },
            _ => panic!("an error of another kind: {error}"),
        }),
    };
    (content, end)
}

/// Bytes of which no two chunks are alike.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 16)) as u8).collect()
}

/// Where the chunks begin.
fn chunks_begin(file: &[u8]) -> usize {
    header(&mut &file[..]).unwrap().len()
}

fn about_chunks() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..64_usize,
        CHUNK - 3..CHUNK + 3,
        2 * CHUNK - 3..2 * CHUNK + 3,
        0..4 * CHUNK,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reads_back_what_it_wrote(length in about_chunks(), piece in 1..3 * CHUNK) {
        let (identities, recipients) = new_keys();
        let content = content(length);
        let (back, end) = read(&seal(&content, &recipients, piece.max(512)), &identities);
        prop_assert!(end.is_ok());
        prop_assert!(back == content);
    }

    #[test]
    fn reads_the_complete_chunks_of_what_was_cut_off(length in about_chunks(), keep in 0.0..1.0) {
        let (identities, recipients) = new_keys();
        let content = content(length);
        let file = seal(&content, &recipients, CHUNK);
        let kept = (file.len() as f64 * keep) as usize;
        check_cut(&file, &content, kept, &identities);
    }

    #[test]
    fn never_reads_what_was_not_written(
        length in about_chunks(), at in 0.0..1.0, changed in 1..=255_u8,
    ) {
        let (identities, recipients) = new_keys();
        let content = content(length);
        let mut file = seal(&content, &recipients, CHUNK);
        let at = (file.len() as f64 * at) as usize;
        file[at] ^= changed;
        let (back, end) = read(&file, &identities);
        prop_assert!(end.is_err());
        prop_assert!(content.starts_with(&back));
    }

    #[test]
    fn never_panics(begins in 0..4_usize, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (identities, _) = new_keys();
        let beginnings = ["", "age-encryption.org/v1\n", "age-encryption.org/v1\n-> X25519 ", "age-"];
        let file = [beginnings[begins].as_bytes(), &bytes].concat();
        prop_assert!(read(&file, &identities).1.is_err());
    }

    #[test]
    fn no_text_is_too_odd_for_keys(text in "[\u{feff}#\n\r ageAGE1\\-SECRTKY]{0,80}|.{0,80}") {
        let _ = Recipients::parse(&text, "key.txt");
        let _ = Identities::parse(&text, "identity.txt");
    }
}

fn check_cut(file: &[u8], content: &[u8], kept: usize, identities: &Identities) {
    let (back, end) = read(&file[..kept], identities);
    let complete = kept.saturating_sub(chunks_begin(file)) / SEALED_CHUNK;
    let readable = content.len().min(complete * CHUNK);
    assert!(back == content[..readable], "cut at {kept}");
    match end {
        Err(Error::CutShort { readable_bytes }) => assert_eq!(readable_bytes, readable as u64),
        other => panic!("cut at {kept}: {other:?}"),
    }
}

#[test]
fn is_cut_off_at_any_byte_of_the_header_and_about_chunks() {
    let (identities, recipients) = new_keys();
    let content = content(2 * CHUNK + 10);
    let file = seal(&content, &recipients, CHUNK);
    let begin = chunks_begin(&file);
    let about = |place: usize| place - 20..(place + 20).min(file.len());
    let places = (0..begin + 20)
        .chain(about(begin + SEALED_CHUNK))
        .chain(about(begin + 2 * SEALED_CHUNK))
        .chain(file.len() - 30..file.len());
    for kept in places {
        check_cut(&file, &content, kept, &identities);
    }
}

#[test]
fn a_change_in_the_middle_is_no_cut() {
    let (identities, recipients) = new_keys();
    let content = content(3 * CHUNK + 10);
    let mut file = seal(&content, &recipients, CHUNK);
    let middle = chunks_begin(&file) + SEALED_CHUNK + 100;
    file[middle] ^= 1;
    let (back, end) = read(&file, &identities);
    assert!(back == content[..CHUNK]);
    assert!(
        matches!(end, Err(Error::Changed { readable_bytes }) if readable_bytes == CHUNK as u64)
    );
}

#[test]
fn each_recipient_can_read_it_and_nobody_else() {
    let (first, first_recipient) = new_keys();
    let (second, second_recipient) = new_keys();
    let (stranger, _) = new_keys();
    let both = first_recipient.and(second_recipient).unwrap();
    let file = seal(b"who calls?", &both, 512);
    assert_eq!(read(&file, &first).0, b"who calls?");
    assert_eq!(read(&file, &second).0, b"who calls?");
    assert!(matches!(read(&file, &stranger).1, Err(Error::WrongKey)));
}

#[test]
fn says_what_a_file_is_not() {
    let (identities, _) = new_keys();
    let check = |file: &[u8], expected: &str| {
        let (back, end) = read(file, &identities);
        assert!(back.is_empty());
        assert_eq!(end.unwrap_err().to_string(), expected);
    };
    check(
        b"",
        "the file ends too early; 0 bytes of its content can be read",
    );
    check(
        b"age-encryption.org/v1",
        "the file ends too early; 0 bytes of its content can be read",
    );
    check(&[0; 5000], "this is no age file");
    check(b"PK\x03\x04 a zip", "this is no age file");
    check(
        b"age-encryption.org/v2\n-> X\n",
        "this age file is of a newer version than this build can read",
    );
    let damaged = "the header of this age file is damaged";
    check(b"age-encryption.org/v1\n--- no\n0123456789abcdef", damaged);
    let endless = [
        b"age-encryption.org/v1\n".to_vec(),
        b"-> a\n".repeat(100_000),
    ]
    .concat();
    check(&endless, damaged);
    let no_line = [b"age-encryption.org/v1\n".to_vec(), vec![b'a'; 1_000_000]].concat();
    check(&no_line, damaged);
    // Made with age(1): a passphrase.
    check(
        b"age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n\
          w6dFHGkBXyDuyeiF5ZYrXOBwmBGqAvoVTxUgXTMsf8c\n\
          --- qCuzIIvbVBjGRpVfWUA4Nn3CBVQ4FGOsBKJPWtlBUsI\n0123456789abcdef",
        "this file was encrypted with a passphrase, not for a public key",
    );
}

/// The names, or the error.
fn recipients(text: &str) -> String {
    match Recipients::parse(text, "key.txt") {
        Ok(recipients) => recipients.names().join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn reads_a_key_file() {
    let check = |text: &str, expected: &str| assert_eq!(recipients(text), expected, "{text:?}");
    check(PUBLIC, PUBLIC);
    check(
        &format!("\u{feff}# the lab\r\n\r\n  {PUBLIC}\t\r\n# and\r\n{OTHER_PUBLIC}"),
        &format!("{PUBLIC} {OTHER_PUBLIC}"),
    );
    check(&format!("{PUBLIC}\n{PUBLIC}\n"), PUBLIC);
    check("", "there is no public key in key.txt");
    check("# nothing\n\n", "there is no public key in key.txt");
    let fault =
        |line, why: &str| format!("cannot read the public key in key.txt, line {line}: {why}");
    let wrong = PUBLIC.replace("yev2", "yev3");
    check(
        &format!("{OTHER_PUBLIC}\n\n{wrong}"),
        &fault(3, "a character is wrong or missing"),
    );
    check(&PUBLIC[..40], &fault(1, "a character is wrong or missing"));
    check("hello", &fault(1, "it does not begin with age1"));
    check(
        "ssh-ed25519 AAAAC3Nz",
        &fault(1, "keys of SSH are not used here"),
    );
    let other = "keys that need a plugin or are post-quantum are not used here";
    check(
        "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt",
        &fault(1, other),
    );
    check(
        &format!("{PUBLIC} # lab"),
        &fault(1, "there is more than a key in the line"),
    );
}

#[test]
fn refuses_a_private_key_wherever_it_stands_and_never_shows_it() {
    let lower = PRIVATE.to_lowercase();
    for text in [
        PRIVATE.to_owned(),
        format!("# created: today\n# public key: {PUBLIC}\n{PRIVATE}\n"),
        format!("{PUBLIC}\nhello\n{PRIVATE}"),
        format!("{PUBLIC}\n# {PRIVATE}\n"),
        format!("key={PRIVATE}"),
        lower,
    ] {
        let error = Recipients::parse(&text, "key.txt").unwrap_err();
        assert!(matches!(error, Error::PrivateKey { .. }), "{text}");
        let told = format!("{error} {error:?} {}", error.help().unwrap()).to_uppercase();
        assert!(told.contains("MUST NEVER BE ON A SUSPECT COMPUTER"));
        assert!(!told.contains("1GQ9778"), "{told}");
    }
}

#[test]
fn reads_a_file_of_private_keys_and_never_shows_them() {
    let text = format!("# created: 2026-11-22\n# public key: {PUBLIC}\n{PRIVATE}\n");
    let identities = Identities::parse(&text, "identity.txt").unwrap();
    assert_eq!(identities.recipients().names(), [PUBLIC]);
    assert_eq!(format!("{identities:?}"), "Identities(1)");

    let check = |text: &str, expected: &str| {
        let error = Identities::parse(text, "id").unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        assert!(!format!("{error:?}").contains("1GQ9778"));
    };
    let fault = |line, why: &str| format!("cannot read the private key in id, line {line}: {why}");
    check("", "there is no private key in id");
    check(
        PUBLIC,
        &fault(1, "it is a public key (age1...); the private one is needed"),
    );
    check(
        &format!("#\n{}", &PRIVATE[..60]),
        &fault(2, "a character is wrong or missing"),
    );
    check(
        "hello",
        &fault(1, "it does not begin with AGE-SECRET-KEY-1"),
    );
    check("age-encryption.org/v1\n-> scrypt", "id is itself encrypted");
    check(
        "-----BEGIN AGE ENCRYPTED FILE-----\n",
        "id is itself encrypted",
    );
}

#[test]
fn knows_its_limits() {
    let many = |count: usize| {
        (0..count)
            .map(|_| new_keys().1.names().remove(0) + "\n")
            .collect::<String>()
    };
    let most = Recipients::parse(&many(MOST_RECIPIENTS), "key.txt").unwrap();
    let file = seal(b"", &most, 1);
    assert!(chunks_begin(&file) < LONGEST_HEADER / 2);
    let too_many = Recipients::parse(&many(MOST_RECIPIENTS + 1), "key.txt");
    assert!(matches!(too_many, Err(Error::TooManyKeys { .. })));
    assert!(matches!(
        most.and(new_keys().1),
        Err(Error::TooManyKeys { .. })
    ));
}

/// A folder that goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("whocalls-crypt-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether age(1) and age-keygen(1) are installed; a test without them is skipped by name.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn has_age(test: &str) -> bool {
    let runs = |program: &str| {
        let mut command = Command::new(program);
        let status = command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    let has = runs("age") && runs("age-keygen");
    if !has {
        eprintln!("skipped: {test}: age is not installed");
    }
    has
}

/// What it writes to its standard output.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    let output = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    output.stdout
}

#[test]
fn age_reads_what_we_write_and_we_what_it_writes() {
    if !has_age("age_reads_what_we_write_and_we_what_it_writes") {
        return;
    }
    let folder = Folder::new("oracle");
    let path = |name: &str| folder.0.join(name);
    run(&folder.0, "age-keygen", &["-o", "identity.txt"]);
    let identity = std::fs::read_to_string(path("identity.txt")).unwrap();
    let identities = Identities::parse(&identity, "identity.txt").unwrap();
    let recipients = identities.recipients();
    // It prints the public key too, as a comment that people copy.
    assert!(identity.contains(&format!("# public key: {}", recipients.names()[0])));
    let both = new_keys().1.and(recipients.clone()).unwrap();
    std::fs::write(path("key.txt"), both.names().join("\n")).unwrap();

    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 77] {
        let content = content(length);
        std::fs::write(path("ours.age"), seal(&content, &both, 1000)).unwrap();
        let back = run(&folder.0, "age", &["-d", "-i", "identity.txt", "ours.age"]);
        assert!(back == content, "{length}");

        std::fs::write(path("plain"), &content).unwrap();
        let theirs = run(&folder.0, "age", &["-R", "key.txt", "plain"]);
        let (back, end) = read(&theirs, &identities);
        assert!(end.is_ok() && back == content, "{length}");
    }
}
