//! `whocalls lookup --online`, against servers of this test on this computer.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::setting::Folder;

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/story");
/// Made up, after the WHOIS text in the Guide to Quick Forensics.
const ANSWER: &str = include_str!("../../../../examples/answers/rdap/ip/216.6.0.28");
const BLOCK: &str = "\
NetRange:       216.6.0.0 - 216.6.1.255
CIDR:           216.6.0.0/23
NetName:        SYRIAN-5
NetHandle:      NET-216-6-0-0-2
Parent:         NET-216-6-0-0-1
NetType:        REASSIGNED
Organization:   STE (Syrian Telecommunications Establishment) (SSTE)
";

/// A server that answers each request in the same way, and tells what it was asked.
struct Server {
    place: String,
    asked: Receiver<String>,
}

impl Server {
    fn start(answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let (tell, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                thread::spawn(move || serve(stream, answer, &tell));
            }
        });
        Self { place, asked }
    }

    fn at(&self, source: &str) -> String {
        format!("--at={source}=http://{}/", self.place)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn serve(stream: TcpStream, answer: fn(&str) -> String, tell: &Sender<String>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut head = String::new();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        head.push_str(&line);
        head.push('\n');
    }
    let said = answer(&head);
    let _ = tell.send(head);
    let mut stream = stream;
    let _ = stream.write_all(said.as_bytes());
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/rdap+json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

fn registry(head: &str) -> String {
    if head.starts_with("GET /ip/216.6.0.28 ") {
        ok(ANSWER)
    } else {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    }
}

fn lookup(arguments: &[&str]) -> Run {
    let mut command = Command::new(WHOCALLS);
    command.arg("lookup").args(arguments);
    // Other tests of this computer record it.
    Run::of(command.arg("--from-this-computer"))
}

fn copy_of_story(folder: &Folder) -> String {
    let case = folder.file("case");
    let copied = Command::new("cp").arg("-r").arg(STORY).arg(&case).status();
    assert!(copied.unwrap().success());
    case.to_str().unwrap().to_owned()
}

#[test]
fn the_answer_begins_as_whois_prints_it() {
    let server = Server::start(registry);
    let run = lookup(&["216.6.0.28", "--online=rdap", &server.at("rdap")]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert!(run.text().starts_with(BLOCK), "{}", run.text());
    let (talk, text) = (run.talk(), run.text());
    assert!(talk.contains("[x] RDAP: 1 question to 127.0.0.1"), "{talk}");
    assert!(text.contains("RDAP (127.0.0.1, 20"), "{text}");
    assert!(!text.contains("not known here"), "{text}");
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(
        asked[0].contains("Accept: application/rdap+json"),
        "{asked:?}"
    );
    assert!(
        asked[0].to_lowercase().contains("user-agent: whocalls\n"),
        "{asked:?}"
    );

    let run = lookup(&["216.6.0.28", "--json", "--online=rdap", &server.at("rdap")]);
    let document: Value = serde_json::from_str(&run.text()).unwrap();
    let item = &document["items"][0];
    assert_eq!(item["not_known"], Value::Array(Vec::new()));
    let answer = &item["answers"][0];
    assert_eq!(answer["source"], "rdap");
    assert_eq!(answer["registration"]["country"], "SY");
    assert_eq!(answer["registration"]["organisation"]["handle"], "SSTE");
    assert_eq!(answer["replies"][0]["bytes"], ANSWER.len());
    assert_eq!(answer["failure"], Value::Null);
}

#[test]
fn of_a_case_everything_is_shown_first_and_kept_then() {
    let (server, folder) = (Server::start(registry), Folder::new());
    let case = copy_of_story(&folder);
    let without = Run::of(Command::new(WHOCALLS).args(["lookup", "--case", &case]));
    assert_eq!(without.code, Some(0), "{}", without.talk());
    let talk = without.talk();
    assert!(talk.contains("Nothing was sent."), "{talk}");
    assert!(talk.contains("216.6.0.28"), "{talk}");
    assert!(
        talk.contains("[ ] "),
        "hashes of no package are not ticked: {talk}"
    );
    assert!(!Path::new(&format!("{case}.review.sqlite")).exists());

    let at = server.at("rdap");
    let arguments = ["--case", &case, "--online=rdap", &at];
    // Without somebody who can be asked, nothing goes out.
    let run = lookup(&arguments);
    assert_eq!(run.code, Some(2), "{}", run.talk());
    assert_eq!(server.asked().len(), 0);

    let run = lookup(&[&arguments[..], &["--yes"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert!(run.text().contains(BLOCK), "{}", run.text());
    let asked = server.asked();
    assert_eq!(
        asked.len(),
        1,
        "private addresses are never asked about: {asked:?}"
    );

    let review = format!("{case}.review.sqlite");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&review).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    let again = lookup(&[&arguments[..], &["--yes"]].concat());
    assert_eq!(again.code, Some(0), "{}", again.talk());
    assert!(
        again
            .talk()
            .contains("the answer is there and young enough: 1."),
        "{}",
        again.talk()
    );
    assert!(again.text().contains(BLOCK), "{}", again.text());
    assert_eq!(server.asked().len(), 0);

    // From now on the holder is known where the case is shown, and the case is as it was.
    let list = Run::of(Command::new(WHOCALLS).args(["list", &case, "--json", "dst:216.6.0.28"]));
    let document: Value = serde_json::from_str(&list.text()).unwrap();
    let address = &document["connections"][0]["address"];
    assert_eq!(
        address["holder"],
        "STE (Syrian Telecommunications Establishment)"
    );
    assert_eq!(address["holder_source"], "rdap");
    let verified = Run::of(Command::new(WHOCALLS).args(["verify", &case]));
    assert_eq!(verified.code, Some(0), "{}", verified.talk());
}

#[test]
fn what_fails_is_said_and_the_rest_goes_on() {
    let registry = Server::start(registry);
    let broken = Server::start(|_| "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nnono".to_owned());
    let pages = Server::start(|_| ok("<html><body>Log in first</body></html>"));
    let half =
        Server::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"ip\":".to_owned());
    let away = Server::start(|_| {
        "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n".to_owned()
    });
    let arguments = [
        "216.6.0.28",
        "--online=rdap,internetdb,greynoise,tor,feodo",
        &registry.at("rdap"),
        &broken.at("internetdb"),
        &pages.at("greynoise"),
        &half.at("tor"),
        &away.at("feodo"),
    ];
    let run = lookup(&arguments);
    assert_eq!(run.code, Some(3), "{}\n{}", run.text(), run.talk());
    let text = run.text();
    assert!(text.starts_with(BLOCK), "{text}");
    for said in [
        "it said 500",
        "an answer that cannot be read",
        "ended in the middle",
        "which was not followed",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let all = lookup(&[
        "216.6.0.28",
        "--online=internetdb",
        &broken.at("internetdb"),
    ]);
    assert_eq!(all.code, Some(1), "{}", all.talk());
}

#[test]
fn a_key_is_sent_and_never_shown() {
    const KEY: &str = "0123456789abcdef-secret";
    let server = Server::start(|_| ok("{\"data\":{\"attributes\":{}}}"));
    let folder = Folder::new();
    let (keys, case) = (folder.file("keys"), copy_of_story(&folder));
    fs::write(&keys, format!("# mine\nvirustotal = {KEY}\n")).unwrap();
    let keys = keys.to_str().unwrap();
    let at = server.at("virustotal");
    let arguments = [
        "--case",
        &case,
        "--online=virustotal",
        &at,
        "--keys",
        keys,
        "--yes",
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| fs::set_permissions(keys, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let open = lookup(&arguments);
        assert_eq!(open.code, Some(2), "{}", open.talk());
        assert!(open.talk().contains("others may read"), "{}", open.talk());
        assert_eq!(server.asked().len(), 0);
        mode(0o600);
    }
    let run = lookup(&arguments);
    let asked = server.asked();
    assert!(asked.iter().any(|it| it.contains(KEY)), "{asked:?}");
    let review = fs::read(format!("{case}.review.sqlite")).unwrap();
    let review = String::from_utf8_lossy(&review);
    for said in [run.text(), run.talk(), review.into_owned()] {
        assert!(!said.contains(KEY), "{said}");
    }
}

#[test]
fn what_is_not_of_the_internet_is_not_asked_about() {
    let server = Server::start(registry);
    let at = server.at("rdap");
    let own = [
        "10.0.0.1",
        "fe80::1",
        "printer.local",
        "192.168.0.0/16",
        "fritz.box.home.arpa",
    ];
    let run = lookup(&[&own[..], &["--online=rdap", &at]].concat());
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert!(run.talk().contains("Nobody is asked."), "{}", run.talk());
    let run = lookup(&[
        "216.6.0.28",
        "--never",
        "216.6.0.0/16",
        "--online=rdap",
        &at,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert!(run.talk().contains("Never asked about"), "{}", run.talk());
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn nobody_is_asked_from_the_computer_under_examination() {
    let server = Server::start(registry);
    let at = server.at("rdap");
    let mut watch = Command::new(WHOCALLS)
        .args(["watch", "--ndjson", "--for", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(watch.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let run = Run::of(Command::new(WHOCALLS).args(["lookup", "216.6.0.28", "--online=rdap", &at]));
    let _ = watch.kill();
    let _ = watch.wait();
    assert_eq!(run.code, Some(1), "{}", run.talk());
    let talk = run.talk();
    let said = "This is the computer under examination. Asking from here tells others, perhaps the attacker, \
                that someone is looking. Take the case to another computer, or add --from-this-computer.";
    assert!(talk.contains(said), "{talk}");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn a_source_that_is_typed_as_an_item_asks_nobody() {
    let run = lookup(&["216.6.0.28", "--online", "rdap"]);
    assert_eq!(run.code, Some(2), "{}", run.talk());
    assert!(run.talk().contains("--online=rdap"), "{}", run.talk());
    // Named, and without its key.
    let run = lookup(&["216.6.0.28", "--online=virustotal"]);
    assert_eq!(run.code, Some(1), "{}", run.talk());
}

#[test]
fn what_was_called_bad_stays_so_when_nobody_answers_any_more() {
    let bad = Server::start(|_| {
        ok(
            "{\"data\":{\"id\":\"216.6.0.28\",\"attributes\":{\"last_analysis_stats\":{\"malicious\":40,\
            \"harmless\":3,\"suspicious\":0,\"undetected\":0,\"timeout\":0}}}}",
        )
    });
    let broken = Server::start(|_| "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nnono".to_owned());
    let folder = Folder::new();
    let (keys, case) = (folder.file("keys"), copy_of_story(&folder));
    fs::write(&keys, "virustotal = abc\n").unwrap();
    let _ = Command::new("chmod").arg("600").arg(&keys).status();
    let ask = |server: &Server| {
        let at = server.at("virustotal");
        let keys = keys.to_str().unwrap();
        let ask = [
            "--online=virustotal",
            &at,
            "--keys",
            keys,
            "--yes",
            "--json",
        ];
        let run = lookup(&[&["--case", &case][..], &ask].concat());
        let document: Value = serde_json::from_str(&run.text()).unwrap();
        let items = document["items"].as_array().unwrap();
        let item = items.iter().find(|it| it["item"] == "216.6.0.28").unwrap();
        item["answers"][0]["opinion"]["standing"].clone()
    };
    assert_eq!(ask(&bad), "bad");
    // Long ago, so that it is asked again.
    let review = record::review::Review::write(Path::new(&format!("{case}.review.sqlite")));
    let mut older = Vec::new();
    let mut review = review.unwrap();
    review.each(&mut |it| older.push(it)).unwrap();
    drop(review);
    fs::remove_file(format!("{case}.review.sqlite")).unwrap();
    review = record::review::Review::write(Path::new(&format!("{case}.review.sqlite"))).unwrap();
    for mut it in older {
        it.asked =
            model::Timestamp::from_unix_nanos(it.asked.unix_nanos() - 30 * 86_400_000_000_000);
        review.add(&it, "test").unwrap();
    }
    drop(review);
    assert_eq!(ask(&broken), "bad");
    assert_eq!(broken.asked().len(), 1);
}

#[test]
fn what_is_gone_is_named_with_what_took_its_place() {
    let run = lookup(&["216.6.0.28", "--online=riskiq"]);
    assert_eq!(run.code, Some(2));
    assert!(run.talk().contains("Microsoft Defender"), "{}", run.talk());
    let run = lookup(&["216.6.0.28", "--online=nosuch"]);
    assert_eq!(run.code, Some(2));
    assert!(run.talk().contains("virustotal"), "{}", run.talk());
}
