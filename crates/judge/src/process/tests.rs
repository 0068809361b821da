//! Each rule with what it must find, and the innocent twin of it.

use std::sync::Arc;

use model::{
    BootId, Check, Display, Examined, Outcome, Package, PackageManager, PackageState, Parent,
    Process, ProcessId, Sign, Text, Timestamp, Trace,
};

use super::comes_back::Again;
use super::*;

fn id(pid: u32) -> ProcessId {
    ProcessId {
        boot: BootId([0; 16]),
        pid,
        start_ticks: pid.into(),
    }
}

/// A process with one thing after the other found in it.
struct Made {
    process: Process,
    examined: Examined,
    talks: bool,
    serves_here: bool,
    open_to_others: bool,
}

fn intact(path: &str) -> Made {
    Made {
        process: Process {
            path: Some(Text::from(path)),
            name: Text::from(paths::file_name(path)),
            command_line: Some(vec![Text::from(paths::file_name(path))]),
            ..Process::unknown(id(7))
        },
        examined: Examined::default(),
        talks: false,
        serves_here: false,
        open_to_others: false,
    }
    .package(PackageState::Intact)
}

fn unpackaged(path: &str) -> Made {
    intact(path).package(PackageState::Unpackaged)
}

impl Made {
    fn package(mut self, state: PackageState) -> Self {
        self.examined.package = Some(Package {
            state,
            name: None,
            version: None,
            manager: None,
        });
        if self.examined.outcome(Check::Package).is_none() {
            self.examined.put(Check::Package, Outcome::NothingFound);
        }
        self
    }

    fn app_image(mut self) -> Self {
        self.examined.package.as_mut().unwrap().manager = Some(PackageManager::AppImage);
        self
    }

    /// Nobody has asked yet.
    fn no_package(mut self) -> Self {
        self.examined = Examined::default();
        self
    }

    fn trace(mut self, check: Check, trace: Trace) -> Self {
        let mut traces = self.examined.traces(check).to_vec();
        traces.push(trace);
        self.examined.put(check, Outcome::of(traces));
        self
    }

    fn sign(self, check: Check, sign: Sign) -> Self {
        self.trace(check, Trace::new(sign))
    }

    fn file(self, check: Check, sign: Sign, path: &str) -> Self {
        self.trace(check, Trace::of_file(sign, path))
    }

    fn named(self, check: Check, sign: Sign, name: &str) -> Self {
        let trace = Trace {
            name: Some(Text::from(name)),
            ..Trace::new(sign)
        };
        self.trace(check, trace)
    }

    fn engine(self, path: &str) -> Self {
        self.file(Check::ExecutableMemory, Sign::Engine, path)
    }

    fn executable(self) -> Self {
        self.sign(Check::ExecutableMemory, Sign::WritableAndExecutable)
    }

    fn below(mut self, parents: &[&str]) -> Self {
        let parent = |(pid, path): (u32, &&str)| Parent {
            pid,
            name: Text::from(paths::file_name(path)),
            path: Some(Text::from(*path)),
        };
        self.process.parents = (20..).zip(parents).map(parent).collect();
        self
    }

    fn arguments(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|it| Text::from(*it));
        self.process.command_line = Some(arguments.collect());
        self
    }

    fn unit(mut self, unit: &str) -> Self {
        self.process.unit = Some(Text::from(unit));
        self
    }

    fn display(mut self, display: Display) -> Self {
        self.examined.display = Some(display);
        self
    }

    fn talks(mut self) -> Self {
        self.talks = true;
        self
    }

    fn open_to_others(mut self) -> Self {
        self.open_to_others = true;
        self
    }

    fn serves_here(mut self) -> Self {
        self.serves_here = true;
        self
    }

    fn look(&self) -> Vec<(&'static str, Reason)> {
        let process = Process {
            examined: Some(Arc::new(self.examined.clone())),
            ..self.process.clone()
        };
        let life = Life {
            talks: self.talks,
            serves_here: self.serves_here,
            open_to_others: self.open_to_others,
            ..Life::default()
        };
        let found = super::look(&Looked {
            process: &process,
            life,
        });
        let rules: Vec<_> = rule::rules().map(|it| it.word()).collect();
        let reason = |(number, fit): (usize, Fit)| {
            let Why::Reason(reason) = fit.why else {
                panic!("{fit:?}");
            };
            (rules[number], *reason)
        };
        found.into_iter().map(reason).collect()
    }

    /// What is found beyond what is to know of.
    #[track_caller]
    fn gives(self, expected: &[(&str, Severity)]) {
        let found = self.look();
        let found: Vec<_> = found
            .iter()
            .map(|(word, reason)| (*word, reason.severity))
            .filter(|(_, severity)| *severity > Severity::Informational)
            .collect();
        assert_eq!(found, expected, "{:?}", self.process.path);
    }

    #[track_caller]
    fn gives_to_know(self, word: &str) {
        let found = self.look();
        let found: Vec<_> = found
            .iter()
            .map(|(word, reason)| (*word, reason.severity))
            .collect();
        assert_eq!(found, [(word, Severity::Informational)]);
    }
}

const SLEEP: &str = "/usr/bin/sleep";
const PYTHON: &str = "/usr/bin/python3.11";
const NODE: &str = "/usr/bin/node";
const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";
use Severity::{High, Low, Medium};

fn differing(length: u64) -> Trace {
    Trace {
        address: Some(0x7f00_0000_1000),
        length: Some(length),
        bytes: Some(vec![0xe9, 1, 2]),
        expected: Some(vec![0x55, 0x48, 0x89]),
        ..Trace::of_file(Sign::Differs, LIBC)
    }
}

#[test]
fn text_that_was_changed() {
    let changed = || intact(SLEEP).trace(Check::CodeChanged, differing(42));
    changed().gives(&[("code_changed", Medium)]);
    let found = changed().look();
    let facts = &found[0].1.facts;
    let text = |text: &str| Fact::Text(text.to_owned());
    for (name, expected) in [
        ("kind", text("differs")),
        ("path", text(LIBC)),
        ("address", text("0x7f0000001000")),
        ("bytes", text("e90102")),
        ("expected", text("554889")),
        ("differing", Fact::Count(42)),
    ] {
        assert!(facts.contains(&(name, expected)), "{name} {facts:?}");
    }
    changed()
        .sign(Check::SystemCalls, Sign::OutsideFiles)
        .gives(&[("code_changed", High), ("foreign_system_call", High)]);
    // A debugger that left, and one that is there.
    let restored = || intact(SLEEP).file(Check::CodeChanged, Sign::Restored, LIBC);
    restored().gives(&[("code_changed", Low)]);
    restored()
        .file(Check::Traced, Sign::Tracer, "/usr/bin/gdb")
        .gives(&[("code_changed", Low), ("traced", Low)]);
    intact(SLEEP).gives(&[]);
}

#[test]
fn threads_that_began_outside_of_files() {
    let at = |sign, address| Trace {
        address: Some(address),
        length: Some(0x1000),
        ..Trace::new(sign)
    };
    let program = r"C:\Program Files\Example\example.exe";
    let thread =
        |address| unpackaged(program).trace(Check::Threads, at(Sign::StartedOutside, address));
    thread(0x5000).gives(&[("foreign_thread", Medium)]);
    thread(0x5000)
        .trace(Check::ExecutableMemory, at(Sign::Executable, 0x4800))
        .gives(&[("foreign_thread", High), ("executable_memory", Medium)]);
}

/// SBCL writes to the picture of memory that it has loaded, .NET to barriers in its own text.
#[test]
fn text_that_an_engine_writes_to() {
    let sbcl = "/usr/bin/sbcl";
    let of = |made: Made| {
        let made = made.file(
            Check::CodeChanged,
            Sign::ByEngine,
            "/usr/lib/sbcl/sbcl.core",
        );
        made.executable().engine(sbcl)
    };
    of(intact(sbcl)).gives(&[]);
    of(intact(sbcl).no_package()).gives(&[]);
    // Nobody can compare it.
    of(unpackaged("/home/lena/bin/sbcl")).gives(&[("executable_memory", Low)]);
    // It is not the one of the package, or there is none.
    of(intact(sbcl).package(PackageState::Modified))
        .gives(&[("code_changed", High), ("executable_memory", Medium)]);
    intact(sbcl)
        .file(
            Check::CodeChanged,
            Sign::ByEngine,
            "/usr/lib/sbcl/sbcl.core",
        )
        .gives(&[("code_changed", Medium)]);
    // Text that it does not write to.
    of(intact(sbcl))
        .trace(Check::CodeChanged, differing(5))
        .gives(&[("code_changed", Medium)]);
}

#[test]
fn breakpoints_of_a_debugger() {
    let stopped = || intact(SLEEP).file(Check::CodeChanged, Sign::Breakpoints, LIBC);
    let traced = |by: &str| stopped().file(Check::Traced, Sign::Tracer, by);
    traced("/usr/bin/gdb").gives(&[("code_changed", Low), ("traced", Low)]);
    traced("/home/lena/gdb").gives(&[("code_changed", Medium), ("traced", Low)]);
    stopped().gives(&[("code_changed", Medium)]);
}

#[test]
fn who_instruments_itself() {
    let of = |path: &str, check| {
        let made = intact(PYTHON).trace(Check::CodeChanged, differing(5));
        made.file(check, Sign::UnpackagedLibrary, path)
    };
    let host = of("/home/lena/venv/lib/frida/_frida.abi3.so", Check::Package);
    let found = host.look();
    let reason = &found[0].1;
    assert_eq!(
        (reason.thing.as_str(), reason.severity),
        ("instrumented", Medium)
    );
    // What was put into it from outside lies in memory.
    let victim = intact(PYTHON).trace(Check::CodeChanged, differing(5)).file(
        Check::MemfdCode,
        Sign::ElfInMemory,
        "/memfd:frida-agent-64.so (deleted)",
    );
    victim.gives(&[("code_changed", High), ("memfd_code", High)]);
}

#[test]
fn another_program_in_the_place_of_its_own() {
    let mapped = |sign| intact(SLEEP).sign(Check::ProgramMapping, sign);
    mapped(Sign::NotMapped).gives(&[("hollowed", High)]);
    mapped(Sign::EntryElsewhere).gives(&[("hollowed", High)]);
    mapped(Sign::EntryElsewhere)
        .sign(Check::Loader, Sign::ByLoader)
        .gives(&[("by_loader", Low)]);
}

#[test]
fn executable_memory_is_for_engines_of_packages() {
    intact(SLEEP)
        .executable()
        .gives(&[("executable_memory", Medium)]);
    intact(NODE).executable().engine(NODE).gives(&[]);
    // Called like an engine.
    let named = unpackaged("/home/lena/bin/node").executable();
    named
        .engine("/home/lena/bin/node")
        .gives(&[("executable_memory", Low)]);
    let modified = intact(NODE).package(PackageState::Modified).executable();
    modified
        .engine(NODE)
        .gives(&[("executable_memory", Medium)]);
    // The engine is not that of the package.
    intact("/usr/bin/app")
        .executable()
        .engine("/usr/local/lib/libluajit.so")
        .file(
            Check::Package,
            Sign::UnpackagedLibrary,
            "/usr/local/lib/libluajit.so",
        )
        .gives(&[
            ("executable_memory", Medium),
            ("unpackaged_library", Medium),
        ]);
    intact(PYTHON)
        .executable()
        .engine("/home/lena/venv/_cffi_backend.so")
        .file(
            Check::Package,
            Sign::UnpackagedLibrary,
            "/home/lena/venv/_cffi_backend.so",
        )
        .gives(&[("executable_memory", Low)]);
    // A part that hardly ever makes code, and that most programs have.
    let helper = || {
        let made = intact("/usr/sbin/sshd").executable();
        made.engine("/usr/lib/x86_64-linux-gnu/libpcre2-8.so.0.11.2")
    };
    helper().gives(&[("executable_memory", Low)]);
    helper()
        .file(Check::CodeChanged, Sign::Restored, LIBC)
        .gives(&[("code_changed", Low), ("executable_memory", Medium)]);
    // Nobody knows yet, and nobody can know.
    intact(NODE)
        .no_package()
        .executable()
        .engine(NODE)
        .gives(&[]);
    intact(NODE)
        .package(PackageState::NotTestable)
        .executable()
        .engine(NODE)
        .gives(&[("executable_memory", Low)]);
}

#[test]
fn code_in_files_of_memory() {
    let of = |sign| intact(SLEEP).file(Check::MemfdCode, sign, "/memfd:x (deleted)");
    of(Sign::ElfInMemory).gives(&[("memfd_code", Medium)]);
    of(Sign::CodeInMemory).gives(&[("memfd_code", Medium)]);
    let dotnet = intact("/usr/lib/dotnet/dotnet").engine("/usr/lib/dotnet/libclrjit.so");
    dotnet
        .file(
            Check::MemfdCode,
            Sign::CodeInMemory,
            "/memfd:doublemapper (deleted)",
        )
        .gives(&[]);
}

#[test]
fn programs_without_a_file() {
    let of = |sign| {
        intact("/memfd:x (deleted)")
            .no_package()
            .sign(Check::ProgramFile, sign)
    };
    of(Sign::Memfd).gives(&[("memfd_program", Medium)]);
    of(Sign::SealedMemfd).gives(&[("memfd_program", Medium)]);
    let shim = "/usr/bin/containerd-shim-runc-v2";
    of(Sign::SealedMemfd)
        .below(&[shim, "/usr/lib/systemd/systemd"])
        .gives(&[("memfd_program", Low)]);
    of(Sign::Memfd)
        .below(&[shim])
        .gives(&[("memfd_program", Medium)]);
    of(Sign::SealedMemfd)
        .below(&["/tmp/containerd-shim-runc-v2"])
        .gives(&[("memfd_program", Medium)]);
    // Below the first process of a container, too: it adopts whoever has lost its parent.
    let mut orphan = of(Sign::SealedMemfd).below(&["/task-init"]);
    orphan.process.parents[0].pid = 1;
    orphan.gives(&[("memfd_program", Medium)]);
    of(Sign::Memfd)
        .named(Check::KernelName, Sign::LikeKernel, "[kworker/0:1]")
        .gives(&[("memfd_program", High), ("kernel_name", High)]);
    let gone = |sign| unpackaged("/home/lena/x (deleted)").sign(Check::ProgramFile, sign);
    gone(Sign::Deleted).gives(&[("deleted_program", Medium)]);
    gone(Sign::Replaced).gives(&[("deleted_program", Low)]);
    intact(SLEEP)
        .sign(Check::ProgramFile, Sign::Replaced)
        .gives_to_know("deleted_program");
}

#[test]
fn programs_whose_place_something_else_has() {
    let of = |name: Option<&str>| {
        let trace = Trace {
            name: name.map(Text::from),
            ..Trace::of_file(Sign::ReplacedByStranger, "/home/lena/x")
        };
        unpackaged("/home/lena/x (deleted)").trace(Check::ProgramFile, trace)
    };
    for name in [None, Some("copy"), Some("pipe"), Some("no program")] {
        of(name).gives(&[("deleted_program", Medium)]);
    }
    of(None)
        .sign(Check::KernelName, Sign::LikeKernel)
        .gives(&[("deleted_program", High), ("kernel_name", High)]);
    // What renews itself, or was made anew, and shows itself; with its own copy nobody does so.
    of(None).serves_here().gives(&[("deleted_program", Low)]);
    of(None)
        .display(Display::Shown)
        .gives(&[("deleted_program", Low)]);
    of(None)
        .below(&["/usr/bin/cargo"])
        .gives(&[("deleted_program", Low)]);
    of(Some("copy"))
        .serves_here()
        .gives(&[("deleted_program", Medium)]);
    of(None)
        .below(&["/home/lena/cargo"])
        .gives(&[("deleted_program", Medium)]);
}

#[test]
fn libraries_that_are_gone() {
    let of = |sign, path: &str| intact(SLEEP).file(Check::LibraryFiles, sign, path);
    of(Sign::Deleted, "/tmp/x.so (deleted)").gives(&[("missing_library", Medium)]);
    of(Sign::Deleted, "/usr/lib/libssl.so.1.1 (deleted)").gives(&[("missing_library", Low)]);
    of(Sign::Replaced, LIBC).gives_to_know("missing_library");
    intact(SLEEP)
        .file(Check::MappedFiles, Sign::OtherFile, LIBC)
        .gives(&[("swapped_file", Medium)]);
}

#[test]
fn places_where_anybody_may_write() {
    let of = |path: &str| unpackaged(path).file(Check::Places, Sign::TemporaryProgram, path);
    of("/dev/shm/x").gives(&[("temporary_program", Medium)]);
    of("/dev/shm/x")
        .sign(Check::KernelName, Sign::LikeKernel)
        .gives(&[("temporary_program", High), ("kernel_name", High)]);
    of("/tmp/go-build1/x")
        .below(&["/usr/bin/go"])
        .gives(&[("temporary_program", Low)]);
    of("/tmp/.mount_NextclAb/usr/bin/nextcloud")
        .app_image()
        .gives(&[("temporary_program", Low)]);
    let library = |made: Made| made.file(Check::Places, Sign::TemporaryLibrary, "/tmp/x.so");
    library(intact(SLEEP)).gives(&[("temporary_library", Medium)]);
    library(intact("/usr/bin/java").engine("/usr/lib/jvm/libjvm.so"))
        .gives(&[("temporary_library", Low)]);
    library(unpackaged("/home/lena/app")).gives(&[("temporary_library", Low)]);
    library(intact(PYTHON).file(Check::CodeChanged, Sign::Restored, LIBC))
        .gives(&[("code_changed", Low), ("temporary_library", Medium)]);
    let script = intact("/usr/bin/dash").file(Check::Places, Sign::TemporaryScript, "/tmp/x.sh");
    script.gives(&[("temporary_script", Medium)]);
    intact("/usr/bin/dash").gives(&[]);
}

#[test]
fn places_that_are_hidden() {
    let of = |sign, path: &str| intact(PYTHON).file(Check::Places, sign, path);
    of(Sign::HiddenScript, "/home/lena/.cache/x.py").gives(&[("hidden_place", Medium)]);
    of(Sign::HiddenScript, "/home/lena/.local/bin/tool").gives(&[("hidden_place", Low)]);
    of(Sign::HiddenProgram, "/home/lena/bin/.x").gives(&[("hidden_place", Medium)]);
    of(Sign::HiddenProgram, "/home/lena/.local/share/x/x").gives(&[("hidden_place", Low)]);
}

#[test]
fn places_that_are_too_deep() {
    let overlong = |name: Option<&str>| {
        let trace = Trace {
            length: Some(5006),
            name: name.map(Text::from),
            ..Trace::of_file(Sign::OverlongPath, "/home/lena/d/d")
        };
        intact(PYTHON).trace(Check::Places, trace)
    };
    for name in [None, Some("library"), Some("script")] {
        overlong(name).gives(&[("hidden_place", Medium)]);
    }
    let found = overlong(None).look();
    let facts = &found[0].1.facts;
    assert!(facts.contains(&("path_bytes", Fact::Bytes(5006))));
    assert!(facts.contains(&("what", Fact::Text("program".to_owned()))));
    overlong(None)
        .file(Check::Places, Sign::TemporaryProgram, "/tmp/d/x")
        .gives(&[("temporary_program", High), ("hidden_place", High)]);
}

#[test]
fn libraries_before_all_others() {
    let of = |made: Made, path: &str| made.file(Check::Preload, Sign::Preloaded, path);
    of(intact(SLEEP), "/tmp/x.so").gives(&[("preload", Medium)]);
    of(intact(SLEEP), "/usr/local/lib/x.so")
        .file(
            Check::Package,
            Sign::UnpackagedLibrary,
            "/usr/local/lib/x.so",
        )
        .gives(&[("preload", Medium), ("unpackaged_library", Medium)]);
    of(
        intact("/usr/lib/firefox-esr/firefox-esr"),
        "/usr/lib/firefox-esr/libmozsandbox.so",
    )
    .gives_to_know("preload");
    let torsocks = Trace {
        package: Some(Text::from("torsocks")),
        ..Trace::of_file(Sign::Preloaded, "/usr/lib/torsocks/libtorsocks.so")
    };
    intact("/usr/bin/curl")
        .trace(Check::Preload, torsocks)
        .gives_to_know("preload");
    // A browser that protects, in the home of who uses it.
    let browser = "/home/lena/tor-browser/Browser/";
    of(
        unpackaged(&format!("{browser}firefox.real")),
        &format!("{browser}libmozsandbox.so"),
    )
    .gives(&[("preload", Low)]);
    of(
        unpackaged(&format!("{browser}TorBrowser/Tor/tor")),
        &format!("{browser}libmozsandbox.so"),
    )
    .gives(&[("preload", Low)]);
    // It ended before its files were compared.
    let mut ended = of(
        intact("/usr/lib/firefox-esr/firefox-esr").package(PackageState::NotTestable),
        "/usr/lib/firefox-esr/libmozsandbox.so",
    );
    let why = Outcome::NotTestable(model::Untested::Ended);
    ended.examined.put(Check::Package, why);
    ended.gives(&[]);
    of(unpackaged("/tmp/a/b/x"), "/tmp/a/b/x.so").gives(&[("preload", Medium)]);
}

#[test]
fn who_is_held_and_who_calls_itself_something_else() {
    intact(SLEEP)
        .file(Check::Traced, Sign::Tracer, "/usr/bin/strace")
        .gives(&[("traced", Low)]);
    intact(SLEEP)
        .named(Check::KernelName, Sign::LikeKernel, "[kworker/0:1]")
        .gives(&[("kernel_name", High)]);
    intact(SLEEP)
        .named(Check::OtherName, Sign::LikeOther, "/usr/bin/ssh")
        .gives(&[("other_name", Medium)]);
    let mut thread = intact("").named(Check::KernelName, Sign::LikeKernel, "kworker");
    thread.process.kernel_thread = true;
    thread.gives(&[]);
}

#[test]
fn files_and_their_packages() {
    let of = |made: Made, sign, path: &str| made.file(Check::Package, sign, path);
    let modified = intact(SLEEP).package(PackageState::Modified);
    of(modified, Sign::ModifiedProgram, SLEEP).gives(&[("modified_program", Medium)]);
    of(intact(SLEEP), Sign::ModifiedLibrary, LIBC).gives(&[("modified_program", Medium)]);
    let library = "/opt/x/x.so";
    of(intact(SLEEP), Sign::UnpackagedLibrary, library).gives(&[("unpackaged_library", Low)]);
    of(intact(SLEEP), Sign::UnpackagedLibrary, library)
        .file(Check::CodeChanged, Sign::Restored, LIBC)
        .gives(&[("code_changed", Low), ("unpackaged_library", Medium)]);
    of(intact(PYTHON), Sign::UnpackagedLibrary, library).gives_to_know("unpackaged_library");
    unpackaged("/opt/x/x").gives_to_know("unpackaged_program");
    intact(SLEEP).gives(&[]);
}

#[test]
fn processes_that_are_hidden() {
    let of = |check, sign| intact(SLEEP).sign(check, sign);
    of(Check::Hidden, Sign::NotListed).gives(&[("hidden_process", High)]);
    of(Check::Covered, Sign::MountedOver).gives(&[("covered_process", High)]);
}

#[test]
fn shells_on_a_socket() {
    let of = |path: &str, name: &str| {
        let made = intact(path).named(Check::StandardSockets, Sign::InputSocket, name);
        made.named(Check::StandardSockets, Sign::OutputSocket, name)
    };
    let tcp = "tcp 203.0.113.9:4444";
    of("/usr/bin/dash", tcp).gives(&[("shell_socket", Medium)]);
    of(PYTHON, tcp).gives(&[("shell_socket", Medium)]);
    of("/usr/bin/dash", tcp)
        .sign(Check::KernelName, Sign::LikeKernel)
        .gives(&[("kernel_name", High), ("shell_socket", High)]);
    of("/usr/sbin/in.ftpd", tcp).gives(&[]);
    of("/usr/bin/dash", tcp)
        .below(&["/usr/sbin/inetd"])
        .gives(&[("shell_socket", Low)]);
    of("/usr/bin/dash", tcp)
        .unit("echo@3-192.0.2.1:7-192.0.2.2:40000.service")
        .gives(&[("shell_socket", Low)]);
    // What sshd, Node.js and systemd give to what they start.
    of("/usr/bin/bash", "unix")
        .below(&["/usr/sbin/sshd"])
        .gives(&[]);
    of("/usr/bin/bash", "unix").below(&[NODE]).gives(&[]);
    of("/usr/bin/bash", "unix")
        .below(&["/home/lena/.cache/x"])
        .gives(&[("shell_socket", Low)]);
    intact("/usr/bin/dash")
        .named(
            Check::StandardSockets,
            Sign::OutputSocket,
            "unix /run/systemd/journal/stdout",
        )
        .gives(&[]);
}

#[test]
fn shells_over_pipes() {
    let end = |path: &str, package: Option<&str>| Trace {
        package: package.map(Text::from),
        pid: Some(41),
        name: Some(Text::from("tcp 203.0.113.9:4444")),
        ..Trace::of_file(Sign::ShellOverPipe, path)
    };
    let of = |ends: &[&Trace]| {
        let shell = intact("/usr/bin/dash").arguments(&["sh", "-i"]);
        let all = ends.iter();
        all.fold(shell, |made, end| {
            made.trace(Check::StandardSockets, (*end).clone())
        })
    };
    let (nc, python) = (
        end("/usr/bin/nc.openbsd", Some("netcat-openbsd")),
        end("/usr/bin/python3.11", Some("python3.11-minimal")),
    );
    of(&[&nc]).gives(&[("shell_socket", Medium)]);
    of(&[&python]).gives(&[("shell_socket", Medium)]);
    of(&[&end("/home/lena/.x/agent", None)]).gives(&[("shell_socket", Medium)]);
    of(&[&nc])
        .sign(Check::KernelName, Sign::LikeKernel)
        .gives(&[("kernel_name", High), ("shell_socket", High)]);
    let found = of(&[&nc]).look();
    let facts = &found[0].1.facts;
    let text = |text: &str| Fact::Text(text.to_owned());
    assert!(facts.contains(&("kind", text("pipe"))));
    assert!(facts.contains(&("path", text("/usr/bin/nc.openbsd"))));
    // One that it reads from, and one that it writes to.
    let at = |path: &str, package, name: &str| Trace {
        name: Some(Text::from(name)),
        ..end(path, package)
    };
    let curl = end("/usr/bin/curl", Some("curl"));
    let there = at("/usr/bin/curl", Some("curl"), "tcp 198.51.100.7:80");
    of(&[&curl, &there]).gives(&[("shell_socket", Medium)]);
    of(&[&curl, &nc]).gives(&[("shell_socket", Medium)]);
    // What was downloaded is run by the runner of a build server.
    let worker = "/home/lena/actions-runner/bin/Runner.Worker";
    let worker = at(worker, None, "tcp 198.51.100.9:443");
    of(&[&curl, &worker]).gives(&[("shell_socket", Low)]);
    // The runner itself, an editor, a container; and sessions over ssh.
    let runner = end("/usr/bin/gitlab-runner", Some("gitlab-runner"));
    of(&[&runner]).gives(&[("shell_socket", Low)]);
    of(&[&end("/usr/local/bin/containerd", None)]).gives(&[("shell_socket", Low)]);
    of(&[&end("/tmp/containerd", None)]).gives(&[("shell_socket", Medium)]);
    let sshd = end("/usr/sbin/sshd", Some("openssh-server"));
    of(&[&sshd]).gives(&[]);
    of(&[&curl, &sshd]).gives(&[]);
    of(&[]).gives(&[]);
}

#[test]
fn who_reads_all_packets() {
    let of = |made: Made| made.named(Check::Sniffer, Sign::PacketSocket, "eth0");
    of(unpackaged("/opt/x/x")).gives(&[("sniffer", Medium)]);
    of(intact("/usr/sbin/dhclient")).gives(&[("sniffer", Low)]);
    of(intact(PYTHON).arguments(&["python3", "/root/x.py"])).gives(&[("sniffer", Medium)]);
    of(intact(PYTHON).arguments(&["python3", "/usr/bin/scapy"])).gives(&[("sniffer", Low)]);
    of(unpackaged("/mnt/stick/whocalls").package(PackageState::ThisTool)).gives(&[]);
}

#[test]
fn ways_in_that_nobody_installed() {
    let opens = |path: &str| unpackaged(path).open_to_others();
    opens("/home/lena/bin/x").gives(&[("listener", Low)]);
    unpackaged("/home/lena/bin/x").serves_here().gives(&[]);
    intact("/usr/sbin/nginx").open_to_others().gives(&[]);
}

#[test]
fn documents_do_not_call() {
    let office = ["/usr/bin/dash", "/usr/lib/libreoffice/program/soffice.bin"];
    let of = |path: &str| intact(path).below(&office);
    of("/usr/bin/curl").talks().gives(&[("odd_parent", Medium)]);
    of("/usr/bin/dash").talks().gives(&[("odd_parent", Medium)]);
    of("/usr/bin/dash").gives(&[]);
    of("/usr/lib/firefox-esr/firefox-esr").talks().gives(&[]);
    let script = "/usr/bin/gnome-browser-connector-host";
    let helper = intact(PYTHON).arguments(&["python3", script]).talks();
    helper
        .below(&["/usr/lib/firefox-esr/firefox-esr"])
        .gives(&[("odd_parent", Low)]);
    intact("/usr/bin/curl")
        .below(&[
            "/usr/bin/bash",
            "/usr/libexec/gnome-terminal-server",
            office[1],
        ])
        .talks()
        .gives(&[]);
}

#[test]
fn programs_that_start_themselves() {
    let unit = "/home/lena/.config/systemd/user/x.service";
    let of = |made: Made| made.file(Check::StartsItself, Sign::UserUnit, unit);
    of(unpackaged("/home/lena/bin/x")).gives(&[("starts_itself", Medium)]);
    of(unpackaged("/home/lena/bin/syncthing").serves_here()).gives(&[("starts_itself", Low)]);
    let shows = |path: &str, display| of(unpackaged(path).display(display));
    shows("/home/lena/Signal/x", Display::Shown).gives(&[("starts_itself", Low)]);
    // That it is connected to a display shows it to nobody.
    shows("/home/lena/Signal/x", Display::NoWindow).gives(&[("starts_itself", Medium)]);
    shows("/home/lena/Signal/signal-desktop", Display::NoWindow).gives(&[("starts_itself", Low)]);
    of(unpackaged("/tmp/.mount_NextclAb/usr/bin/nextcloud").app_image())
        .gives(&[("starts_itself", Low)]);
    of(intact("/usr/bin/syncthing")).gives(&[]);
    of(unpackaged("/opt/x/x")).gives(&[("starts_itself", Low)]);
    of(intact(PYTHON).arguments(&["python3", "/home/lena/.x/x.py"]))
        .gives(&[("starts_itself", Medium)]);
    of(intact(PYTHON).arguments(&["python3", "/usr/bin/tool"])).gives(&[]);
}

#[test]
fn files_that_give_rights() {
    let of = |made: Made| made.sign(Check::FileRights, Sign::SetUid);
    of(unpackaged("/opt/x/x")).gives(&[("file_rights", Medium)]);
    of(intact("/usr/bin/sudo")).gives(&[]);
    of(intact("/usr/bin/sudo").package(PackageState::NotTestable)).gives(&[("file_rights", Low)]);
}

#[test]
fn browsers_without_a_window() {
    let browser = "/usr/lib/chromium/chromium";
    let of = |display| intact(browser).display(display).talks();
    of(Display::NoConnection).gives(&[("no_window", Medium)]);
    of(Display::Shown).gives(&[]);
    of(Display::NotTestable).gives(&[]);
    // It runs on, connected to a display, and shows nothing there.
    of(Display::NoWindow).gives(&[("no_window", Medium)]);
    of(Display::NoWindow)
        .arguments(&["chromium", "--headless=new"])
        .below(&["/usr/bin/chromedriver"])
        .gives(&[("no_window", Low)]);
    // What goes on in the tray, and what never had a window.
    let other = |path: &str| intact(path).display(Display::NoWindow).talks();
    other("/usr/lib/thunderbird/thunderbird").gives(&[("no_window", Low)]);
    for ordinary in [
        "/usr/bin/picom",
        "/usr/bin/xfce4-clipman",
        "/usr/libexec/at-spi2-registryd",
    ] {
        other(ordinary).gives(&[]);
    }
    let headless = || of(Display::NoConnection).arguments(&["chromium", "--headless=new"]);
    headless()
        .below(&[browser, "/usr/bin/bash"])
        .gives(&[("no_window", Low)]);
    headless()
        .below(&["/usr/bin/chromedriver"])
        .gives(&[("no_window", Low)]);
    headless()
        .below(&["/usr/bin/timeout", "/usr/bin/bash"])
        .gives(&[("no_window", Low)]);
    headless()
        .below(&["/usr/lib/systemd/systemd"])
        .gives(&[("no_window", Medium)]);
    // What calls is a process below the one that was told so.
    let first = intact(browser)
        .arguments(&["chromium", "--headless"])
        .process;
    let helper = of(Display::NoConnection).arguments(&["chromium", "--type=utility"]);
    let helper = helper.below(&[browser, "/usr/bin/bash"]);
    let process = Process {
        examined: Some(Arc::new(helper.examined)),
        ..helper.process
    };
    let life = Life {
        talks: true,
        first: Some(&first),
        ..Life::default()
    };
    let looked = Looked {
        process: &process,
        life,
    };
    assert_eq!(super::no_window::look(&looked)[0].severity, Low);
    intact("/usr/bin/curl")
        .display(Display::NoConnection)
        .talks()
        .gives(&[]);
}

#[test]
fn who_ended_when_we_began() {
    let at = |seconds: i64| {
        Some(Timestamp::from_unix_nanos(
            1_000_000_000 * (1_000 + seconds),
        ))
    };
    let check = |started, ended, again: Option<&Process>, expected: &[Severity]| {
        let again = again.map(|process| Again {
            process,
            after_us: None,
        });
        let made = unpackaged("/home/lena/x");
        let process = Process {
            started: at(started),
            ended: at(ended),
            examined: Some(Arc::new(made.examined)),
            ..made.process
        };
        let life = Life {
            begun: at(0),
            again,
            ..Life::default()
        };
        let looked = Looked {
            process: &process,
            life,
        };
        let found = super::ended_early::look(&looked);
        let found: Vec<_> = found.iter().map(|it| it.severity).collect();
        assert_eq!(found, expected, "{started} {ended}");
    };
    check(-60, 3, None, &[Low]);
    check(-60, 3, Some(&unpackaged("/home/lena/y").process), &[Medium]);
    check(-60, 30, None, &[]);
    check(-60, -1, None, &[]);
    check(-1, 1, None, &[]);
    check(2, 3, None, &[]);
}

/// Seconds since whocalls began.
fn at(seconds: i64) -> Option<Timestamp> {
    let nanos = 1_000_000_000 * (1_000 + seconds);
    Some(Timestamp::from_unix_nanos(nanos))
}

/// A run of a program with the same bytes as all others here.
fn run(number: u32, path: &str, state: PackageState, started: i64) -> Process {
    let made = intact(path).package(state);
    Process {
        id: id(number),
        started: at(started),
        sha256: Some([7; 32]),
        examined: Some(Arc::new(made.examined)),
        ..made.process
    }
}

fn script(number: u32, arguments: &[&str], started: i64) -> Process {
    let made = intact("/usr/bin/python3.11").arguments(arguments);
    Process {
        id: id(number),
        started: at(started),
        sha256: Some([7; 32]),
        examined: Some(Arc::new(made.examined)),
        ..made.process
    }
}

/// What came back of the first one, which ended 3 s after we began: its number, and after how long we
/// were gone. We end after 20 s.
fn back(mut one: Process, others: &[(Process, bool)]) -> Option<(u32, Option<u64>)> {
    one.ended = at(3);
    let ending = ending(&one, at(0)).unwrap();
    let others = others.iter().map(|(other, talks)| (other, *talks));
    let again = comes_back(&one, ending, at(20), others)?;
    let after_us = again.after_us.map(|it| it.as_secs());
    Some((again.process.id.pid, after_us))
}

#[test]
fn who_comes_back_under_another_name() {
    use PackageState::{Intact, Unpackaged};
    let check = |path, state, other, started, expected: bool| {
        let one = run(1, path, state, -90);
        let other = (run(2, other, state, started), true);
        assert_eq!(back(one, &[other]).is_some(), expected, "{path}");
    };
    check("/home/lena/x", Unpackaged, "/home/lena/y", 5, true);
    check("/home/lena/x", Unpackaged, "/home/lena/x", 5, true);
    check("/home/lena/x", Unpackaged, "/home/lena/y", 1, false);
    check("/usr/bin/git", Intact, "/usr/lib/git-core/git", 5, false);
    // A compiler is started over and over.
    let compiler = |number, started| run(number, "/home/lena/rustc", Unpackaged, started);
    assert_eq!(back(compiler(1, -9), &[(compiler(2, 5), false)]), None);
}

#[test]
fn who_comes_back_when_we_have_gone() {
    let program = |number, started| run(number, "/home/lena/x", PackageState::Unpackaged, started);
    let check = |started: &[i64], expected| {
        let others = (2..).zip(started);
        let others: Vec<_> = others
            .map(|(number, started)| (program(number, *started), true))
            .collect();
        assert_eq!(back(program(1, -9), &others), expected, "{started:?}");
    };
    check(&[24], Some((2, Some(4))));
    // What comes back while we are there waits for nobody, and nobody waits for so long.
    check(&[10, 24], None);
    check(&[90], None);
    // What ends by itself again and again did not end for us.
    let short = |number, started| {
        let ended = at(started + 4);
        (
            Process {
                ended,
                ..program(number, started)
            },
            true,
        )
    };
    let waited = (program(2, 24), true);
    let with = |short: &[(Process, bool)]| {
        let others: Vec<_> = short.iter().chain([&waited]).cloned().collect();
        back(program(1, -9), &others)
    };
    assert_eq!(with(&[short(3, -60), short(4, -40)]), Some((2, Some(4))));
    assert_eq!(with(&[short(3, -60), short(4, -40), short(5, -20)]), None);
    let named = |path: &'static str| move |number, at| script(number, &["python3", path], at);
    let own = named("/home/lena/x.py");
    assert_eq!(back(own(1, -9), &[(own(2, 24), true)]), Some((2, Some(4))));
    assert_eq!(
        back(named("x.py")(1, -9), &[(own(2, 24), true)]),
        Some((2, Some(4)))
    );
    // Another script of the same interpreter, one of a package, and code that nobody compares.
    let other = named("/home/lena/y.py")(2, 24);
    assert_eq!(back(own(1, -90), &[(other, true)]), None);
    let packaged = named("/usr/bin/update");
    assert_eq!(back(packaged(1, -90), &[(packaged(2, 24), true)]), None);
    let code = |number, at| script(number, &["python3", "-c", "import x"], at);
    assert_eq!(back(code(1, -90), &[(code(2, 24), true)]), None);
}

#[test]
fn who_goes_on_through_a_child() {
    let one = || script(1, &["python3", "/home/lena/x.py"], -9);
    let child = |started, name: &str, talks| {
        let mut child = script(2, &["python3", name], started);
        child.parents = vec![model::Parent {
            pid: 1,
            name: "python3".into(),
            path: None,
        }];
        (child, talks)
    };
    let other = "/home/lena/updater.py";
    assert_eq!(back(one(), &[child(2, other, true)]), Some((2, None)));
    assert_eq!(
        back(one(), &[child(2, "/home/lena/x.py", true)]),
        Some((2, None))
    );
    // It was there before us, has nothing to say, is of a package, or of somebody else with the number.
    assert_eq!(back(one(), &[child(-5, other, true)]), None);
    assert_eq!(back(one(), &[child(2, other, false)]), None);
    assert_eq!(back(one(), &[child(2, "/usr/bin/update", true)]), None);
    assert_eq!(back(one(), &[child(4, other, true)]), None);
}

#[test]
fn a_second_reason_is_named() {
    let found = intact(SLEEP)
        .trace(Check::CodeChanged, differing(42))
        .executable()
        .look();
    let second = found[0].1.facts.last().unwrap();
    let expected = Fact::Text("executable_memory".to_owned());
    assert_eq!(second, &("second_reason", expected));
}

#[test]
fn who_lacks_everything_is_never_accused() {
    let nothing = Process::unknown(id(1));
    let life = Life {
        talks: true,
        ..Life::default()
    };
    let looked = Looked {
        process: &nothing,
        life,
    };
    assert_eq!(super::look(&looked), []);
}
