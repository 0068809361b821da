//! Names, paths and arguments are written by whoever runs a program: on screens nothing of them
//! acts, and in JSON nothing of them is lost.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Look, Run, TIERS, WHOCALLS, copy_to, look, only, whocalls};
use crate::setting::{Folder, Need, find, lacks, wait_for};

/// Newline, tab, escape sequences, control characters of C1, bidi, invisible and invalid.
const HOSTILE: &[u8] = b"a\n\t\r\x1b[2J\x1b]0;x\x07\xc2\x9b31m\xe2\x80\xaegpj.exe\xe2\x81\xa6\xe2\x80\x8b\xff\xfe,\"' \x7f";

/// At most 15 bytes; the kernel cuts.
const HOSTILE_NAME: &[u8] = b"n\n\x1b[2J\xe2\x80\xae,\"\xff";

#[test]
fn hostile_paths_and_arguments_are_shown_and_do_not_act() {
    let Some(scene) = Scene::new("path") else {
        return;
    };
    let path = scene.folder.file(OsStr::from_bytes(HOSTILE));
    for tier in TIERS {
        let look = look(tier);
        let process = scene.process(&look);
        assert_exact(process, "path", path.as_os_str().as_bytes());
        assert_eq!(process["path_state"], "present");
        let arguments = process["command_line"].as_array().unwrap();
        assert_eq!(arguments.len(), 4, "{arguments:?}");
        assert_eq!(arguments[3], String::from_utf8_lossy(HOSTILE).as_ref());
        assert_eq!(process["command_line_hex"][3], hex(HOSTILE));
        assert_eq!(process["command_line_truncated"], false);
        // The name of the file, cut to 15 bytes.
        let name = String::from_utf8_lossy(&HOSTILE[..15]).into_owned();
        assert_eq!(process["name"], name.as_str());
    }
    assert_nothing_acts();
}

#[test]
fn a_hostile_name_is_shown_and_does_not_act() {
    let Some(scene) = Scene::new("name") else {
        return;
    };
    for tier in TIERS {
        let look = look(tier);
        let name = String::from_utf8_lossy(HOSTILE_NAME).into_owned();
        assert_eq!(scene.process(&look)["name"], name.as_str(), "{tier:?}");
    }
    assert_nothing_acts();
}

#[test]
fn a_deleted_program_keeps_its_path() {
    let Some(scene) = Scene::new("deleted") else {
        return;
    };
    let path = scene.folder.file(OsStr::from_bytes(HOSTILE));
    wait_for("the end of the file", || (!path.exists()).then_some(()));
    for tier in TIERS {
        let look = look(tier);
        let process = scene.process(&look);
        assert_exact(process, "path", path.as_os_str().as_bytes());
        assert_eq!(process["path_state"], "deleted", "{tier:?}");
    }
    assert_nothing_acts();
}

#[test]
fn a_program_without_a_file_is_told_as_such() {
    let Some(scene) = Scene::new("memfd") else {
        return;
    };
    for tier in TIERS {
        let look = look(tier);
        let process = scene.process(&look);
        assert_eq!(process["path_state"], "memfd", "{tier:?}");
        let path = process["path"].as_str().unwrap();
        assert!(path.contains("memfd:"), "{path}");
        assert!(!path.contains("(deleted)"), "{path}");
    }
    assert_nothing_acts();
}

#[test]
fn a_command_line_of_a_mebibyte_is_cut_and_said_to_be() {
    let Some(scene) = Scene::new("long") else {
        return;
    };
    for tier in TIERS {
        let look = look(tier);
        let process = scene.process(&look);
        assert_eq!(process["command_line_truncated"], true, "{tier:?}");
        let arguments = process["command_line"].as_array().unwrap();
        let bytes: usize = arguments.iter().map(|it| it.as_str().unwrap().len()).sum();
        assert!((1000..1_000_000).contains(&bytes), "{bytes}");
        assert_eq!(arguments[0], "sh");
        assert_eq!(arguments[1], "-c");
    }
    assert_nothing_acts();
}

#[test]
fn the_name_of_an_interface_does_not_act() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3")]) || !here.connect(&there) {
        return;
    }
    // The kernel forbids only white space, slashes and colons.
    let name = "v\u{1b}[2J\u{202e}";
    here.ip(&["link", "set", "cable", "down"]);
    here.ip(&["link", "set", "cable", "name", name]);
    let script = "
keep(socket(AF_PACKET, SOCK_RAW, htons(3))).bind((NAME, 3))
bound = listener(('127.0.0.1', 1001)); bound.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, NAME.encode())
ready()
";
    let script = script.replace("NAME", "'v\\x1b[2J\\u202e'");
    let (_actor, _) = Actor::start(Place::Inside(&here), &script);
    for tier in TIERS {
        let look = look(tier);
        let seen = look.inside(&here);
        assert_eq!(seen.len(), 2);
        for seen in seen {
            assert_eq!(seen.0["interface"], name, "{tier:?}");
        }
    }
    assert_nothing_acts();
}

#[test]
fn what_the_person_types_does_not_act_in_error_messages() {
    let typed = "\u{1b}[2J\u{202e}\u{9b}x";
    let invocations: [&[&str]; 6] = [
        &["list", &format!("proc:{typed} )")],
        &["list", &format!("{typed}:1")],
        &["list", "--sort", typed],
        &[&format!("--{typed}")],
        &[typed],
        &["man", typed],
    ];
    let mut wrong = Vec::new();
    for invocation in invocations {
        let run = whocalls(invocation);
        assert_eq!(run.code, Some(2), "{invocation:?}: {}", run.talk());
        if let Some(found) = acting(&run.talk()) {
            wrong.push(format!("{invocation:?}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_folder_it_lies_in_does_not_act_in_doctor() {
    let folder = Folder::new();
    let hostile = folder.file(OsStr::from_bytes(HOSTILE));
    fs::create_dir(&hostile).unwrap();
    let program = copy_to(&hostile);
    let run = Run::of(Command::new(program).arg("doctor"));
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert_eq!(acting(&String::from_utf8_lossy(&run.out)), None);
    assert_eq!(acting(&run.talk()), None);
}

/// A hostile program that holds a listener.
struct Scene {
    _actor: Actor,
    pid: u32,
    namespace: Namespace,
    folder: Folder,
}

impl Scene {
    fn new(what: &str) -> Option<Self> {
        if lacks(&[Need::Program("python3")]) {
            return None;
        }
        let namespace = Namespace::new()?;
        let folder = Folder::new();
        let script = SCRIPT
            .replace("WHAT", what)
            .replace("SHELL", find("sh").unwrap().to_str().unwrap())
            .replace("FOLDER", folder.path().to_str().unwrap())
            .replace("HOSTILE_NAME", &python_bytes(HOSTILE_NAME))
            .replace("HOSTILE", &python_bytes(HOSTILE));
        let (actor, words) = Actor::start(Place::Inside(&namespace), &script);
        let pid = words[0].parse().unwrap();
        let file = format!("/proc/{pid}/cmdline");
        wait_for("the hostile program", || {
            let started = fs::read(&file).ok()?.starts_with(b"sh\0") || what == "name";
            started.then_some(())
        });
        Some(Self {
            _actor: actor,
            pid,
            namespace,
            folder,
        })
    }

    fn process<'a>(&self, look: &'a Look) -> &'a Value {
        let seen = look.inside(&self.namespace);
        let seen = only(&seen, |seen| seen.local() == "127.0.0.1:1001");
        assert_eq!(seen.pids(), [self.pid]);
        look.process(self.pid)
    }
}

fn assert_nothing_acts() {
    for arguments in [
        &["list", "-a"][..],
        &["list", "-a", "--group", "process"],
        &["list", "-a", "--csv"],
        &["list", "--processes"],
        &["list", "-a", "--json"],
        &["list", "-a", "--ndjson"],
        &["list", "--processes", "--json"],
    ] {
        // What is shown does not depend on how it was read, and this way is quicker.
        let run = whocalls(&[arguments, &["--polling"]].concat());
        assert_eq!(run.code, Some(0), "{}", run.talk());
        // Lines of CSV end as RFC 4180 has it.
        let text = run.text().replace("\r\n", "\n");
        assert_eq!(acting(&text), None, "{arguments:?}");
        assert_eq!(acting(&run.talk()), None, "{arguments:?}");
    }
    let mut colored = Command::new(WHOCALLS);
    colored.args(["list", "-a", "--polling", "--color", "always"]);
    let text = Run::of(&mut colored).text();
    // Only colours of its own.
    for part in text.split('\u{1b}').skip(1) {
        let own = part.strip_prefix('[').and_then(|rest| {
            let (codes, _) = rest.split_once('m')?;
            codes
                .chars()
                .all(|it| it.is_ascii_digit() || it == ';')
                .then_some(())
        });
        assert!(own.is_some(), "{part:?}");
    }
    // One row for each connection, whatever is in it.
    let csv = whocalls(&["list", "-a", "--polling", "--csv"]).text();
    let columns = csv.lines().map(|line| {
        let mut quoted = false;
        let commas = line.chars().filter(|it| {
            quoted ^= *it == '"';
            *it == ',' && !quoted
        });
        commas.count() + 1
    });
    for (line, columns) in csv.lines().zip(columns) {
        assert_eq!(columns, 21, "{line}");
    }
}

/// The first character that does something to a screen, or to the order of what is read.
fn acting(text: &str) -> Option<char> {
    text.chars().find(|it| {
        let bidi = matches!(
            *it,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
        bidi || it.is_control() && *it != '\n'
    })
}

/// The text as far as it is one, and the bytes where it is none.
fn assert_exact(process: &Value, name: &str, bytes: &[u8]) {
    assert_eq!(process[name], String::from_utf8_lossy(bytes).as_ref());
    assert_eq!(process[format!("{name}_hex")], hex(bytes));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn python_bytes(bytes: &[u8]) -> String {
    format!("bytes.fromhex('{}')", hex(bytes))
}

const SCRIPT: &str = r#"
what, shell, path = 'WHAT', 'SHELL', os.path.join(b'FOLDER', HOSTILE)
made = listener(('127.0.0.1', 1001))
os.set_inheritable(made.fileno(), True)
if what == 'name':
    PR_SET_NAME = 15
    ctypes.CDLL(None).prctl(PR_SET_NAME, HOSTILE_NAME, 0, 0, 0)
    ready(os.getpid())
with open(shell, 'rb') as file:
    program = file.read()
if what == 'memfd':
    memory = os.memfd_create(HOSTILE[:40].split(b'\xff')[0].decode())
    os.write(memory, program)
    path = b'/proc/self/fd/%d' % memory
else:
    with open(path, 'wb') as file:
        file.write(program)
    os.chmod(path, 0o755)
arguments = [b'sh', b'-c', b'read line', HOSTILE]
if what == 'long':
    arguments[3:] = [HOSTILE * 2000] * 14
child = os.fork()
if child == 0:
    os.execv(path, arguments)
made.close()
if what == 'deleted':
    while os.readlink('/proc/%d/exe' % child).encode('utf-8', 'surrogateescape') != path:
        time.sleep(0.01)
    os.unlink(path)
ready(child)
"#;
