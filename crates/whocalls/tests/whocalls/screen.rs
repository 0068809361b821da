//! The live screen as a person has it: in a terminal. tmux is the terminal; it presses the keys and
//! tells what stands there.

mod findings;
mod names;
mod rhythm;
pub(crate) mod terminal;
mod whose;

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{WHOCALLS, copy_to};
use crate::room::{Room, copy_of};
use crate::setting::{Folder, Need, command, is_root, lacks, skip, unique, wait_for};
use terminal::{CLEAR, SIZE, Screen, TMUX, in_one_line, rows, runs};

#[test]
fn what_happens_stands_in_every_view() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (name, other) = (name(), name());
    let (actor, port) = Actor::start(Place::Inside(&namespace), &named(&name, CALLS));
    let (_other, _) = Actor::start(Place::Inside(&namespace), &named(&other, CALLS));
    let both = format!("proc:{name} or proc:{other}");
    let screen = Screen::start(&[], &[WHOCALLS, "watch", &both]);
    screen.press(&["2"]);
    let first = screen.until("the rows of both programs", |shown| {
        shown.contains(&name) && shown.contains(&other)
    });

    screen.filter(&format!("proc:{name}"));
    screen.until("the rows of one program", |shown| {
        rows(shown).contains(&name) && !rows(shown).contains(&other)
    });

    // Who looks again and again only does not see what fails at once.
    if first.contains("MISSES MUCH") {
        skip("calls are not told live here: attempts are left out");
    } else {
        for (view, sign) in [
            ("1", "tries 192.0.2.9:81"),
            ("2", "192.0.2.9:81"),
            ("4", "192.0.2.9"),
            ("5", "192.0.2.9:81"),
            ("6", "192.0.2.9:81"),
        ] {
            screen.press(&[view]);
            let what = format!("the attempts in view {view}");
            screen.until(&what, |shown| rows(shown).contains(sign));
        }
    }
    for (view, title, sign) in [
        ("1", "PROGRAM", "OTHER PROGRAMS (1)"),
        ("3", "PROCESS, WHERE IT GOES", &actor.pid().to_string()),
        ("4", "DESTINATION", "127.0.0.1"),
        ("5", "PROGRAM", &format!("127.0.0.1:{}", port[0])),
        ("7", "WHAT TO DO", "Nothing found here"),
        ("2", "STATE", "established"),
    ] {
        screen.press(&[view]);
        let what = format!("view {view}");
        screen.until(&what, |shown| {
            shown.contains(title) && rows(shown).contains(sign)
        });
    }

    screen.press(&["Enter"]);
    let path = python().to_str().unwrap().to_owned();
    screen.until("the details", |shown| shown.contains(&path));
    screen.press(&["Enter"]);
    screen.until("the rows alone", |shown| !shown.contains(&path));

    screen.filter(&format!("pid:{} rport:{}", actor.pid(), port[0]));
    screen.menu("close the connection");
    screen.until("a refusal", |shown| {
        shown.contains("not possible: start whocalls watch with --allow-actions")
    });
    screen.menu(&format!("end {name} ({}) (SIGTERM)", actor.pid()));
    screen.until("a refusal", |shown| {
        shown.contains("not possible: start whocalls watch with --allow-actions")
    });
    screen.press(&["q"]);
    screen.has_been_left();
}

#[test]
fn one_connection_is_closed_a_process_ended_and_the_rest_saved() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (name, sleeper) = (name(), name());
    let (mut server, port) = Actor::start(Place::Inside(&namespace), SERVER);
    let client = named(&name, CLIENT).replace("PORT", &port[0]);
    let (mut client, ports) = Actor::start(Place::Inside(&namespace), &client);
    let client_pid = client.pid();
    let (asleep, _) = Actor::start(Place::Inside(&namespace), &named(&sleeper, LISTENS));
    server.go_on();
    let screen = Screen::start(&[], &[WHOCALLS, "watch", "--allow-actions"]);
    screen.press(&["2"]);

    screen.filter(&format!("pid:{client_pid} lport:{}", ports[0]));
    screen.until("the row of one connection", |shown| {
        rows(shown).contains(&format!(":{} ", ports[0]))
            && !rows(shown).contains(&format!(":{} ", ports[1]))
    });
    screen.menu("close the connection");
    screen.until("the question", |shown| {
        let shown = in_one_line(shown);
        shown.contains("Type CLOSE to go on.") && shown.contains(&format!("{name} ({client_pid})"))
    });
    // Something else than what is asked for does nothing.
    screen.write("close");
    screen.press(&["Enter"]);
    screen.until("that nothing was done", |shown| {
        shown.contains("nothing was done")
    });
    screen.menu("close the connection");
    screen.until("the question", |shown| {
        in_one_line(shown).contains("Type CLOSE to go on.")
    });
    screen.write("CLOSE");
    screen.press(&["Enter"]);
    let told = screen.until("what came of it", |shown| {
        shown.contains("closed: ") || shown.contains("CONFIG_INET_DIAG_DESTROY")
    });
    let closes = told.contains("closed: ");
    if closes {
        client.go_on();
        assert_eq!(server.go_on(), ["over", "heard"]);
    } else {
        skip("this kernel cannot close connections");
    }

    screen.filter(&format!("pid:{}", asleep.pid()));
    let row = format!("{sleeper} ");
    screen.until("the row of the sleeper", |shown| rows(shown).contains(&row));
    screen.menu(&format!("end {sleeper} ({}) (SIGTERM)", asleep.pid()));
    screen.until("the question", |shown| {
        in_one_line(shown).contains("Type END to go on.")
    });
    assert!(runs(asleep.pid()));
    screen.write("END");
    screen.press(&["Enter"]);
    wait_for("the end of the process", || {
        (!runs(asleep.pid())).then_some(())
    });
    screen.until("what came of it", |shown| shown.contains("ended: "));
    assert!(runs(client_pid), "another process was ended");

    screen.filter(&format!("pid:{client_pid} lport:{}", ports[1]));
    screen.until("the other connection", |shown| {
        rows(shown).contains(&format!(":{} ", ports[1]))
    });
    let saved = screen.work.join("mine.csv");
    for word in ["saved: ", "whocalls overwrites nothing"] {
        screen.press(&["e", CLEAR]);
        screen.write("mine.csv");
        screen.until("the name", |shown| shown.contains("save as mine.csv"));
        screen.press(&["Enter"]);
        screen.until(word, |shown| shown.contains(word));
        let text = fs::read_to_string(&saved).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().contains("remote"), "{text}");
        assert!(lines.next().unwrap().contains(&ports[1]), "{text}");
        assert_eq!(lines.next(), None, "{text}");
    }
    screen.press(&["q"]);
    // What was done is told once more, to be kept.
    let left = screen.has_been_left();
    assert!(!closes || left.contains("closed: "), "{left}");
    assert!(left.contains("ended: "), "{left}");
    assert!(left.contains(&asleep.pid().to_string()), "{left}");
}

#[test]
fn the_terminal_is_left_as_it_was() {
    if lacks(&[TMUX]) {
        return;
    }
    for way in ["q", "C-c", "SIGTERM", "SIGINT"] {
        let screen = Screen::start(&[], &[WHOCALLS, "watch"]);
        assert_eq!(screen.modes(), "1 0 1", "alternate screen, cursor, mouse");
        match way {
            "SIGTERM" => screen.signal(Signal::TERM),
            "SIGINT" => screen.signal(Signal::INT),
            key => screen.press(&[key]),
        }
        screen.has_been_left();
    }
}

#[test]
fn it_ends_with_its_terminal() {
    if lacks(&[TMUX]) {
        return;
    }
    let screen = Screen::start(&[], &[WHOCALLS, "watch"]);
    let pid = screen.pid();
    screen.tmux(&["kill-server"]);
    wait_for("the end of whocalls", || (!runs(pid)).then_some(()));
}

#[test]
fn any_size_will_do() {
    if lacks(&[TMUX]) {
        return;
    }
    let screen = Screen::start(&[], &[WHOCALLS, "watch"]);
    for (width, height) in [(40, 10), (200, 50), (20, 5), (80, 24), (300, 100), SIZE] {
        let (columns, lines) = (width.to_string(), height.to_string());
        screen.tmux(&["resize-window", "-x", &columns, "-y", &lines]);
        for view in ["1", "2", "3", "4", "5", "6", "7", "8"] {
            screen.press(&[view]);
            let what = format!("view {view} in {width} x {height}");
            screen.until(&what, |shown| {
                let last = shown.lines().last().unwrap_or_default();
                match width {
                    20 => shown.contains("too small"),
                    _ => {
                        let number = shown.lines().count();
                        number == height && last.contains("q quit")
                    }
                }
            });
        }
    }
    screen.press(&["q"]);
    screen.has_been_left();
}

#[test]
fn what_is_damaged_of_a_case_is_said_when_it_is_left() {
    if lacks(&[TMUX]) {
        return;
    }
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/story");
    let [events, packets] = ["events/000001.ndjson", "packets/000001.pcapng"];
    for (file, what) in [(packets, "it is missing"), (events, "it was changed")] {
        let room = Room::new();
        let case = copy_of(&story, &room);
        let mut bytes = fs::read(case.join(file)).unwrap();
        fs::remove_file(case.join(file)).unwrap();
        if file == events {
            let last = bytes.iter().rposition(|byte| *byte == b'9').unwrap();
            bytes[last] = b'8';
            fs::write(case.join(file), bytes).unwrap();
        }
        let screen = Screen::begin(&[], &[WHOCALLS, "open", case.to_str().unwrap()]);
        // All that can be read is there to be looked at.
        screen.until("a program of the case", |shown| shown.contains("iexplore"));
        screen.until("what came of the check", |shown| shown.contains("CHANGED"));
        screen.press(&["q"]);
        let left = screen.has_been_left_with(4);
        let left: String = left.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(left.contains(&format!("{file}: {what}")), "{left}");
    }
}

#[test]
fn a_hostile_name_does_not_act_on_the_terminal() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Home, HOSTILE);
    let pid = actor.pid().to_string();
    let screen = Screen::start(&[], &[WHOCALLS, "watch", &format!("pid:{pid}")]);
    let written = screen.folder.file("written");
    let keep = format!("cat > '{}'", written.display());
    screen.tmux(&["pipe-pane", "-o", &keep]);
    for view in ["1", "2", "3", "4", "5", "6", "7", "8", "2"] {
        screen.press(&[view, "C-l"]);
        screen.until("a view", |shown| shown.contains("Findings"));
    }
    screen.press(&["Enter", "C-l"]);
    let shown = screen.until("the details", |shown| shown.contains("arguments"));
    assert!(
        shown.contains("U+202E"),
        "no mark of what is not shown: {shown}"
    );
    screen.press(&["q"]);
    screen.has_been_left();
    let bytes = fs::read(&written).unwrap();
    assert!(
        bytes.len() > 1000,
        "nothing was kept of what whocalls wrote"
    );
    let acting: [&[u8]; 5] = [
        b"\x1b[1;35mh",
        b"\x1b]0;",
        "\u{202e}".as_bytes(),
        "\u{9b}".as_bytes(),
        "\u{200b}".as_bytes(),
    ];
    for sequence in acting {
        let found = bytes.windows(sequence.len()).any(|it| it == sequence);
        assert!(!found, "{sequence:?} reached the terminal");
    }
}

#[test]
fn an_ordinary_user_is_told_that_much_is_missed() {
    if lacks(&[TMUX, Need::Program("python3"), Need::Program("setpriv")]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let name = name();
    let (own, _) = if is_root() {
        let mut own = command("setpriv");
        own.args(NOBODY).arg(python()).current_dir("/");
        Actor::start_as(own, &named(&name, LISTENS))
    } else {
        Actor::start(Place::Home, &named(&name, LISTENS))
    };
    let setpriv = command("setpriv");
    let setpriv = setpriv.get_program().to_str().unwrap();
    let mut before = Vec::new();
    if is_root() {
        before.push(setpriv);
        before.extend(NOBODY);
    }
    let screen = Screen::start(&before, &[program.to_str().unwrap(), "watch"]);
    screen.until("what is missed", |shown| {
        shown.contains("MISSES MUCH")
            && shown.contains("NOT SEEN")
            && shown.contains("tier polling")
    });
    screen.press(&["2"]);
    screen.filter(&format!("pid:{}", own.pid()));
    screen.until("the own row", |shown| rows(shown).contains(&name));
    screen.press(&["n"]);
    screen.until("what root would add", |shown| shown.contains("root has it"));
    screen.press(&["Escape"]);
    screen.until("the rows", |shown| shown.contains("q quit"));
    screen.press(&["q"]);
    screen.has_been_left();
}

/// setpriv and these give up all that root has; 65534 is `nobody`.
const NOBODY: [&str; 4] = [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all",
];

/// A name for a process, of at most 15 bytes, that no other one has.
fn name() -> String {
    format!("c{}", unique())
}

fn named(name: &str, script: &str) -> String {
    format!("open('/proc/self/comm', 'w').write('{name}')\n{script}")
}

/// Holds a connection and tries again and again what is not reachable.
const CALLS: &str = "
_, _, waiting = both(('127.0.0.1', 0))
def attempts():
    while True:
        with socket() as made:
            made.connect_ex(('192.0.2.9', 81))
        time.sleep(0.3)
threading.Thread(target=attempts, daemon=True).start()
ready(waiting.getsockname()[1])
";

const SERVER: &str = "
waiting = listener(('127.0.0.1', 0))
ready(waiting.getsockname()[1])
ends = [keep(waiting.accept()[0]) for _ in range(2)]
ready()
def came(end):
    end.setblocking(False)
    try:
        return 'heard' if end.recv(1) else 'over'
    except BlockingIOError:
        return 'nothing'
    except OSError:
        return 'over'
ready(*map(came, ends))
";

const CLIENT: &str = "
first, second = (caller(('127.0.0.1', PORT)) for _ in range(2))
ready(first.getsockname()[1], second.getsockname()[1])
second.send(b'x')
ready()
";

const LISTENS: &str = "
listener(('127.0.0.1', 0))
ready()
";

/// In the name of the process and in its arguments: colours, the title of the terminal, C1, bidi
/// and what is not visible.
const HOSTILE: &str = r"
hostile = '\x1b[1;35mh\x1b]0;title\x07\x9b31m\u202egpj.exe\u200b'
if len(sys.argv) == 1:
    again = open('/proc/self/cmdline', 'rb').read().split(b'\0')[:-1]
    os.execv('/proc/self/exe', [*again, hostile.encode()])
open('/proc/self/comm', 'wb').write(b'\x1b[1;35mh\xe2\x80\xae\x1b]0;')
listener(('127.0.0.1', 0))
ready()
";
