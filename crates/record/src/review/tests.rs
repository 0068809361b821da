use std::time::Duration;

use model::{Enrichment, Failure, OnlineSource, Question, Reply, Text, Timestamp};

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("whocalls-review-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        path_of(&self.0.join("case"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_nanos(seconds * 1_000_000_000)
}

fn answer(question: Question, asked: i64, failure: Option<Failure>) -> Enrichment {
    Enrichment {
        source: OnlineSource::Rdap,
        question,
        asked: at(asked),
        replies: vec![Reply {
            asked: "https://rdap.example/ip/192.0.2.7".to_owned(),
            host: "rdap.example".to_owned(),
            status: Some(200),
            bytes: vec![0, 159, 146, 150],
        }],
        failure,
    }
}

fn questions() -> Vec<Question> {
    vec![
        Question::Address("192.0.2.7".parse().unwrap()),
        Question::Address("2001:db8::7".parse().unwrap()),
        Question::Network(model::Network::new("198.51.100.0".parse().unwrap(), 24).unwrap()),
        Question::Name("www.example.com".to_owned()),
        Question::Hash(model::FileHash::Sha256([7; 32])),
        Question::Hash(model::FileHash::Md5([7; 16])),
    ]
}

fn failures() -> Vec<Failure> {
    let why = || "why".to_owned();
    vec![
        Failure::TimedOut(Duration::from_millis(1500)),
        Failure::AskedTooOften(None),
        Failure::AskedTooOften(Some(Duration::from_secs(300))),
        Failure::Status(500, Some(Text::from("oops"))),
        Failure::Refused(None),
        Failure::Unreadable(why()),
        Failure::TooLarge(1 << 20),
        Failure::Cut,
        Failure::Redirected {
            to: "http://192.0.2.1/".to_owned(),
            why: why(),
        },
        Failure::Certificate(why()),
        Failure::Unreachable(why()),
        Failure::Proxy(why()),
        Failure::NotResolved(why()),
        Failure::NobodyToAsk,
        Failure::NoKey,
    ]
}

#[test]
fn what_was_added_comes_back() {
    let folder = Folder::new("back");
    let mut all = Vec::new();
    let mut review = Review::write(&folder.file()).unwrap();
    for question in questions() {
        all.push(answer(question, 1, None));
    }
    for failure in failures() {
        all.push(answer(
            Question::Name("x.example".to_owned()),
            2,
            Some(failure),
        ));
    }
    for it in &all {
        review.add(it, "1").unwrap();
    }
    drop(review);
    let review = Review::read(&folder.file()).unwrap().unwrap();
    let mut found = Vec::new();
    assert_eq!(review.each(&mut |it| found.push(it)).unwrap(), 0);
    assert_eq!(found, all);
    for question in questions() {
        let all = review.of(OnlineSource::Rdap, &question).unwrap();
        assert_eq!(all[0].question, question);
        let other = review.of(OnlineSource::Whois, &question).unwrap();
        assert_eq!(other, []);
    }
}

#[test]
fn the_newest_counts_and_the_older_stay() {
    let mut review = Review::in_memory().unwrap();
    let question = Question::Name("www.example.com".to_owned());
    for asked in [10, 30, 20] {
        review
            .add(&answer(question.clone(), asked, None), "1")
            .unwrap();
    }
    let all = review.of(OnlineSource::Rdap, &question).unwrap();
    let times: Vec<_> = all.iter().map(|it| it.asked).collect();
    assert_eq!(times, [at(30), at(20), at(10)]);
    let mut count = 0;
    review.each(&mut |_| count += 1).unwrap();
    assert_eq!(count, 3);
}

#[test]
fn questions_wait_until_they_are_asked() {
    let folder = Folder::new("wait");
    let review = Review::write(&folder.file()).unwrap();
    for (place, question) in (0..).zip(questions()) {
        review.ask_elsewhere(&question, at(place)).unwrap();
        review.ask_elsewhere(&question, at(100)).unwrap();
    }
    drop(review);
    let review = Review::write(&folder.file()).unwrap();
    let first = questions().remove(0);
    assert!(review.is_to_be_asked(&first).unwrap());
    review.ask_no_more(&first).unwrap();
    assert!(!review.is_to_be_asked(&first).unwrap());
    let left: Vec<_> = review
        .to_ask()
        .unwrap()
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(left, questions()[1..]);
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let folder = Folder::new("foreign");
    let file = folder.file();
    assert!(Review::read(&file).unwrap().is_none());
    fs::write(&file, b"no database at all, but some text of somebody").unwrap();
    assert!(matches!(Review::read(&file), Err(Error::Sqlite(..))));
    assert!(matches!(Review::write(&file), Err(Error::Sqlite(..))));
    fs::remove_file(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE x (y)").unwrap();
    drop(other);
    assert!(matches!(Review::read(&file), Err(Error::Foreign(_))));
    assert!(matches!(Review::write(&file), Err(Error::Foreign(_))));
    fs::remove_file(&file).unwrap();
    drop(Review::write(&file).unwrap());
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    drop(newer);
    assert!(matches!(Review::read(&file), Err(Error::Newer(_))));
}

#[test]
#[cfg(unix)]
fn nobody_waits_for_what_is_no_file() {
    let folder = Folder::new("fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.file())
        .status();
    assert!(made.unwrap().success());
    assert!(matches!(
        Review::read(&folder.file()),
        Err(Error::NoFile(_))
    ));
    assert!(matches!(
        Review::write(&folder.file()),
        Err(Error::NoFile(_))
    ));
}

#[test]
fn what_is_damaged_is_an_error_and_no_panic() {
    let folder = Folder::new("damaged");
    let mut review = Review::write(&folder.file()).unwrap();
    for question in questions() {
        review.add(&answer(question, 1, None), "1").unwrap();
    }
    drop(review);
    let whole = fs::read(folder.file()).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(folder.file(), &bytes).unwrap();
        if let Ok(Some(review)) = Review::read(&folder.file()) {
            let _ = review.each(&mut |_| {});
            let _ = review.to_ask();
        }
    }
}

#[test]
fn it_stands_beside_the_case() {
    for case in ["/x/case", "/x/case/", "/x/case/."] {
        assert_eq!(path_of(Path::new(case)), Path::new("/x/case.review.sqlite"));
    }
    let here = std::env::current_dir().unwrap();
    assert_eq!(path_of(Path::new(".")), path_of(&here));
}

#[test]
fn what_was_in_memory_is_a_file_in_the_end() {
    let folder = Folder::new("bytes");
    let mut review = Review::in_memory().unwrap();
    for (seconds, question) in (1..).zip(questions()) {
        review.ask_elsewhere(&question, at(seconds)).unwrap();
    }
    fs::write(folder.file(), review.bytes().unwrap()).unwrap();
    let read = Review::read(&folder.file()).unwrap().unwrap();
    assert_eq!(read.to_ask().unwrap(), review.to_ask().unwrap());
    drop(read);
    // Others can add to it.
    let mut more = Review::write(&folder.file()).unwrap();
    let [question, ..] = &questions()[..] else {
        panic!("no question");
    };
    more.add(&answer(question.clone(), 9, None), "1").unwrap();
    more.ask_no_more(question).unwrap();
    assert_eq!(more.to_ask().unwrap().len(), questions().len() - 1);
}
