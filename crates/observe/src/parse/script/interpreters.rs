//! The options of interpreters, as far as they tell where the script stands.

use super::Kind;

/// Options of one letter as text, each letter one; longer ones as words with their hyphens.
pub(super) struct Interpreter {
    /// The names of its file; a version may follow.
    pub(super) names: &'static [&'static str],
    /// What the name of its file begins with.
    pub(super) begins: &'static [&'static str],
    pub(super) kind: Kind,
    /// What stands before the script and is no option: `node inspect`.
    pub(super) commands: &'static [&'static str],
    /// The text of the program follows, and no file.
    pub(super) text: &'static str,
    pub(super) text_words: &'static [&'static str],
    /// The name of a module follows.
    pub(super) module: &'static str,
    /// The text comes from standard input, whatever follows.
    pub(super) input: &'static str,
    /// A person types into it.
    pub(super) interactive: &'static str,
    /// Something else follows, in the same argument or the next.
    pub(super) values: &'static str,
    pub(super) value_words: &'static [&'static str],
    /// What is left of the argument belongs to it.
    pub(super) attached: &'static str,
    /// A file follows that is run before.
    pub(super) loads: &'static str,
    pub(super) load_words: &'static [&'static str],
    /// The script follows.
    pub(super) file: &'static str,
    pub(super) file_words: &'static [&'static str],
    /// Folders and archives of code follow, with colons between.
    pub(super) path_words: &'static [&'static str],
    /// `-abc` is one option, never three.
    pub(super) letters_are_words: bool,
    /// What is no option is the name of a class.
    pub(super) runs_classes: bool,
    /// What is no option is the text of the program.
    pub(super) first_is_text: bool,
}

const NONE: Interpreter = Interpreter {
    names: &[],
    begins: &[],
    kind: Kind::Other,
    commands: &[],
    text: "",
    text_words: &[],
    module: "",
    input: "",
    interactive: "",
    values: "",
    value_words: &[],
    attached: "",
    loads: "",
    load_words: &[],
    file: "",
    file_words: &[],
    path_words: &[],
    letters_are_words: false,
    runs_classes: false,
    first_is_text: false,
};

pub(super) const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        names: &["python", "pypy", "micropython"],
        text: "c",
        module: "m",
        interactive: "i",
        values: "WXQ",
        value_words: &["--check-hash-based-pycs"],
        ..NONE
    },
    Interpreter {
        names: &["perl"],
        text: "eE",
        values: "I",
        attached: "MmFixCDV",
        ..NONE
    },
    Interpreter {
        names: &["ruby", "jruby", "truffleruby"],
        text: "e",
        values: "ICE",
        value_words: &["--encoding", "--external-encoding", "--internal-encoding"],
        attached: "FKTWix",
        loads: "r",
        ..NONE
    },
    Interpreter {
        names: &["node", "nodejs", "electron"],
        commands: &["inspect", "debug"],
        text: "ep",
        text_words: &["--eval", "--print", "--test"],
        values: "C",
        value_words: &[
            "--conditions",
            "--title",
            "--env-file",
            "--env-file-if-exists",
            "--icu-data-dir",
            "--input-type",
            "--inspect-port",
            "--openssl-config",
            "--redirect-warnings",
        ],
        loads: "r",
        load_words: &["--require", "--import", "--loader", "--experimental-loader"],
        ..NONE
    },
    Interpreter {
        names: &["bun", "deno"],
        commands: &["run", "x", "serve"],
        text: "ep",
        text_words: &["--eval", "eval", "--print"],
        values: "c",
        value_words: &["--config", "--cwd", "--import-map", "--lock", "--env-file"],
        loads: "r",
        load_words: &["--preload", "--require", "--import"],
        ..NONE
    },
    Interpreter {
        names: &["php", "php-cgi"],
        text: "rRBE",
        text_words: &[
            "--run",
            "--process-code",
            "--process-begin",
            "--process-end",
        ],
        values: "cdzSt",
        value_words: &[
            "--php-ini",
            "--define",
            "--zend-extension",
            "--server",
            "--docroot",
        ],
        file: "fF",
        file_words: &["--file", "--process-file"],
        ..NONE
    },
    Interpreter {
        names: &[
            "sh", "dash", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "oksh", "ash", "yash",
            "posh", "hush",
        ],
        kind: Kind::Shell,
        text: "c",
        input: "s",
        interactive: "i",
        values: "oO",
        load_words: &["--rcfile", "--init-file"],
        ..NONE
    },
    Interpreter {
        names: &["fish", "csh", "tcsh", "bsd-csh", "elvish", "nu", "xonsh"],
        kind: Kind::Shell,
        text: "c",
        text_words: &["--command", "--commands"],
        input: "s",
        interactive: "i",
        value_words: &[
            "--init-command",
            "--features",
            "--profile",
            "--config",
            "--env-config",
        ],
        ..NONE
    },
    Interpreter {
        names: &["lua", "luajit", "texlua", "luau"],
        values: "el",
        attached: "jO",
        ..NONE
    },
    Interpreter {
        names: &["java"],
        letters_are_words: true,
        runs_classes: true,
        text_words: &["-m", "--module"],
        value_words: &[
            "-p",
            "--module-path",
            "--upgrade-module-path",
            "--add-modules",
            "--add-exports",
            "--add-opens",
            "--add-reads",
            "--limit-modules",
            "--patch-module",
            "--source",
            "--enable-native-access",
        ],
        load_words: &["-javaagent", "-agentpath"],
        file_words: &["-jar"],
        path_words: &["-cp", "-classpath", "--class-path"],
        ..NONE
    },
    Interpreter {
        names: &["mono", "mono-sgen", "dotnet"],
        commands: &["exec"],
        letters_are_words: true,
        value_words: &[
            "--config",
            "--depsfile",
            "--runtimeconfig",
            "--additionalprobingpath",
        ],
        ..NONE
    },
    Interpreter {
        names: &["pwsh", "powershell"],
        letters_are_words: true,
        text_words: &[
            "-c",
            "-Command",
            "-command",
            "-e",
            "-ec",
            "-EncodedCommand",
            "-CommandWithArgs",
        ],
        value_words: &[
            "-ExecutionPolicy",
            "-ep",
            "-ex",
            "-WorkingDirectory",
            "-wd",
            "-WindowStyle",
            "-w",
        ],
        file_words: &["-f", "-File", "-file"],
        ..NONE
    },
    Interpreter {
        names: &["tclsh", "wish", "jimsh"],
        value_words: &["-encoding"],
        ..NONE
    },
    Interpreter {
        names: &["expect"],
        values: "c",
        file: "f",
        ..NONE
    },
    Interpreter {
        names: &["awk", "gawk", "mawk", "original-awk", "nawk"],
        values: "Fve",
        file: "fE",
        file_words: &["--file", "--exec"],
        first_is_text: true,
        ..NONE
    },
    Interpreter {
        names: &["gjs", "gjs-console"],
        text: "c",
        text_words: &["--command"],
        values: "I",
        ..NONE
    },
    Interpreter {
        names: &["guile"],
        text: "c",
        values: "eLCx",
        loads: "l",
        file: "s",
        ..NONE
    },
    Interpreter {
        names: &["julia"],
        text: "eE",
        text_words: &["--eval", "--print"],
        values: "CJpt",
        loads: "L",
        load_words: &["--load"],
        ..NONE
    },
    Interpreter {
        names: &["R"],
        letters_are_words: true,
        text_words: &["-e"],
        file_words: &["--file", "-f"],
        ..NONE
    },
    Interpreter {
        names: &["ld.so"],
        begins: &["ld-linux", "ld-musl-", "ld-2.", "ld64.so"],
        kind: Kind::Loader,
        letters_are_words: true,
        value_words: &[
            "--library-path",
            "--inhibit-rpath",
            "--argv0",
            "--glibc-hwcaps-prepend",
            "--glibc-hwcaps-mask",
        ],
        load_words: &["--preload", "--audit"],
        ..NONE
    },
    Interpreter {
        begins: QEMU_USER,
        kind: Kind::Loader,
        letters_are_words: true,
        value_words: &[
            "-L", "-E", "-U", "-0", "-s", "-g", "-cpu", "-d", "-D", "-dfilter", "-p", "-r", "-R",
            "-B", "-seed", "-plugin", "-t", "-tb-size", "-trace",
        ],
        ..NONE
    },
];

/// Not `qemu-system-`, `qemu-img` and the like, which start no program of this computer.
const QEMU_USER: &[&str] = &[
    "qemu-aarch64",
    "qemu-alpha",
    "qemu-arm",
    "qemu-cris",
    "qemu-hexagon",
    "qemu-hppa",
    "qemu-i386",
    "qemu-loongarch64",
    "qemu-m68k",
    "qemu-microblaze",
    "qemu-mips",
    "qemu-or1k",
    "qemu-ppc",
    "qemu-riscv",
    "qemu-s390x",
    "qemu-sh4",
    "qemu-sparc",
    "qemu-x86_64",
    "qemu-xtensa",
    "box64",
    "box86",
    "FEXInterpreter",
];
