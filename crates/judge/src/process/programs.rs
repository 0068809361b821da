//! Kinds of programs, by the names of their files. A name proves nothing: where one would make a finding
//! milder, the rule also asks where the file is or whether its package is intact.

use std::borrow::Cow;

use super::paths::{file_name, is_windows};

const SHELLS: [&str; 19] = [
    "sh",
    "bash",
    "rbash",
    "dash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "lksh",
    "oksh",
    "fish",
    "csh",
    "tcsh",
    "yash",
    "pwsh",
    "nu",
    "elvish",
    // Of Windows.
    "cmd",
    "powershell",
];

/// Without the numbers of their versions.
const INTERPRETERS: [&str; 37] = [
    "python",
    "pypy",
    "perl",
    "ruby",
    "jruby",
    "php",
    "php-cgi",
    "php-fpm",
    "node",
    "nodejs",
    "bun",
    "deno",
    "qjs",
    "gjs",
    "lua",
    "luajit",
    "tclsh",
    "wish",
    "expect",
    "awk",
    "gawk",
    "mawk",
    "java",
    "groovy",
    "mono",
    "mono-sgen",
    "dotnet",
    "guile",
    "Rscript",
    "beam.smp",
    // Of Windows.
    "wscript",
    "cscript",
    "mshta",
    "rundll32",
    "regsvr32",
    "msbuild",
    "installutil",
];

/// What moves data from and to anywhere, as it is told.
const TRANSFER_TOOLS: [&str; 34] = [
    "curl",
    "wget",
    "wget2",
    "aria2c",
    "axel",
    "nc",
    "netcat",
    "ncat",
    "nc.openbsd",
    "nc.traditional",
    "socat",
    "ssh",
    "scp",
    "sftp",
    "rsync",
    "rclone",
    "ftp",
    "lftp",
    "tnftp",
    "tftp",
    "telnet",
    "rsh",
    "rcp",
    "smbclient",
    "openssl",
    "gnutls-cli",
    "http",
    "https",
    "croc",
    // Of Windows.
    "bitsadmin",
    "certutil",
    "plink",
    "pscp",
    "psftp",
];

/// Of these what one has to have an account for: whoever runs them has set it up.
const LOGIN_TOOLS: [&str; 4] = ["ssh", "scp", "sftp", "rsync"];

/// What opens documents and mail that strangers have made.
const READERS: [&str; 48] = [
    "soffice.bin",
    "soffice",
    "oosplash",
    "libreoffice",
    "wps",
    "et",
    "wpp",
    "wpspdf",
    "onlyoffice",
    "DesktopEditors",
    "abiword",
    "gnumeric",
    "calligrawords",
    "evince",
    "papers",
    "okular",
    "atril",
    "xreader",
    "xpdf",
    "xpdf.real",
    "mupdf",
    "mupdf-gl",
    "zathura",
    "qpdfview",
    "acroread",
    "foxitreader",
    "thunderbird",
    "thunderbird-bin",
    "evolution",
    "geary",
    "kmail",
    "claws-mail",
    "sylpheed",
    "balsa",
    // Of Windows.
    "winword",
    "excel",
    "powerpnt",
    "outlook",
    "onenote",
    "msaccess",
    "mspub",
    "visio",
    "wordpad",
    "acrord32",
    "acrobat",
    "foxitpdfreader",
    "sumatrapdf",
    "hh",
];

/// What people write, call and play with: it always has a window, or a place in the tray.
const WITH_WINDOW: [&str; 20] = [
    "thunderbird",
    "thunderbird-bin",
    "signal-desktop",
    "element-desktop",
    "slack",
    "discord",
    "Discord",
    "teams",
    "skypeforlinux",
    "telegram-desktop",
    "zoom",
    "spotify",
    "soffice.bin",
    "evolution",
    // Of Windows.
    "outlook",
    "winword",
    "ms-teams",
    "whatsapp",
    "signal",
    "telegram",
];

const BROWSERS: [&str; 26] = [
    "firefox",
    "firefox-bin",
    "firefox-esr",
    "firefox.real",
    "librewolf",
    "waterfox",
    "palemoon",
    "chromium",
    "chromium-browser",
    "chrome",
    "google-chrome",
    "brave",
    "brave-browser",
    "vivaldi-bin",
    "vivaldi",
    "opera",
    "msedge",
    "microsoft-edge",
    "epiphany",
    "epiphany-browser",
    "falkon",
    "konqueror",
    "qutebrowser",
    "midori",
    "mullvadbrowser.real",
    "mullvadbrowser",
];

/// What holds others to look into them.
const DEBUGGERS: [&str; 18] = [
    "gdb",
    "gdbserver",
    "gdb-multiarch",
    "lldb",
    "lldb-server",
    "strace",
    "ltrace",
    "rr",
    "dlv",
    "delve",
    "valgrind",
    "perf",
    "bpftrace",
    "uftrace",
    "radare2",
    "r2",
    "edb",
    "drgn",
];

const BUILD_TOOLS: [&str; 24] = [
    "make",
    "gmake",
    "ninja",
    "cmake",
    "ctest",
    "meson",
    "cargo",
    "rustc",
    "go",
    "gcc",
    "cc",
    "g++",
    "clang",
    "bazel",
    "sbt",
    "mvn",
    "gradle",
    "dpkg-buildpackage",
    "debuild",
    "rpmbuild",
    "makepkg",
    "abuild",
    "configure",
    "ccache",
];

const CONTAINER_RUNTIMES: [&str; 17] = [
    "runc",
    "crun",
    "youki",
    "runsc",
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v1",
    "containerd-shim-runc-v2",
    "dockerd",
    "docker",
    "docker-init",
    "podman",
    "conmon",
    "conmonrs",
    "crio",
    "buildkitd",
    "lxc-start",
];

/// What starts one other program, and stays above it.
const WRAPPERS: [&str; 8] = [
    "timeout",
    "sudo",
    "doas",
    "strace",
    "time",
    "dbus-run-session",
    "catatonit",
    "tini",
];

/// What starts browsers without a window: drivers of tests.
const DRIVERS: [&str; 6] = [
    "chromedriver",
    "geckodriver",
    "msedgedriver",
    "operadriver",
    "playwright",
    "WebKitWebDriver",
];

/// What hands its sockets to what it starts.
const SOCKET_SERVERS: [&str; 14] = [
    "inetd",
    "xinetd",
    "inetutils-inetd",
    "openbsd-inetd",
    "rlinetd",
    "tcpsvd",
    "tcpserver",
    "s6-tcpserver",
    "in.rshd",
    "rshd",
    "sshd",
    "sshd-session",
    "dropbear",
    "systemd-socket-activate",
];

/// Python 3.11 is `python`.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.' || it == '-')
}

fn is_one_of(path: &str, names: &[&str]) -> bool {
    let name = name_of(path);
    names.contains(&name.as_ref()) || names.contains(&without_version(&name))
}

fn is_called(path: &str, names: &[&str]) -> bool {
    names.contains(&name_of(path).as_ref())
}

/// Windows does not tell capitals from small letters, and names its programs `.exe`.
fn name_of(path: &str) -> Cow<'_, str> {
    let name = file_name(path);
    if !is_windows(path) {
        return Cow::Borrowed(name);
    }
    let name = name.to_ascii_lowercase();
    Cow::Owned(name.strip_suffix(".exe").unwrap_or(&name).to_owned())
}

/// Also busybox, when it was called as one.
pub(crate) fn is_shell(path: &str, arguments: &[String]) -> bool {
    if !is_busybox(path) {
        return is_one_of(path, &SHELLS);
    }
    called(arguments).any(|it| SHELLS.contains(&it))
}

pub(crate) fn is_interpreter(path: &str) -> bool {
    is_one_of(path, &INTERPRETERS)
}

pub(crate) fn is_transfer_tool(path: &str, arguments: &[String]) -> bool {
    if !is_busybox(path) {
        return is_one_of(path, &TRANSFER_TOOLS);
    }
    called(arguments).any(|it| TRANSFER_TOOLS.contains(&it))
}

/// Logs in, or copies, to where its arguments say.
pub(crate) fn is_login_tool(path: &str) -> bool {
    LOGIN_TOOLS.contains(&file_name(path))
}

fn is_busybox(path: &str) -> bool {
    ["busybox", "toybox"].contains(&file_name(path))
}

/// As what a program of many names was called.
fn called(arguments: &[String]) -> impl Iterator<Item = &str> {
    let first = arguments.iter().take(2).map(|it| file_name(it));
    first.map(|it| it.trim_start_matches('-'))
}

pub(crate) fn is_browser(path: &str) -> bool {
    let is_explorer = is_windows(path) && name_of(path) == "iexplore";
    is_explorer || is_called(path, &BROWSERS)
}

pub(crate) fn has_a_window(path: &str) -> bool {
    is_called(path, &WITH_WINDOW)
}

pub(crate) fn is_reader(path: &str) -> bool {
    is_called(path, &READERS)
}

pub(crate) fn is_debugger(path: &str) -> bool {
    is_called(path, &DEBUGGERS)
}

pub(crate) fn is_build_tool(path: &str) -> bool {
    is_one_of(path, &BUILD_TOOLS)
}

pub(crate) fn is_container_runtime(path: &str) -> bool {
    is_called(path, &CONTAINER_RUNTIMES)
}

pub(crate) fn is_wrapper(path: &str) -> bool {
    is_called(path, &WRAPPERS)
}

pub(crate) fn is_driver(path: &str) -> bool {
    is_called(path, &DRIVERS)
}

pub(crate) fn is_socket_server(path: &str) -> bool {
    is_called(path, &SOCKET_SERVERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_many_names() {
        assert!(is_interpreter("/usr/bin/python3.11") && is_interpreter("/usr/bin/perl5.36.0"));
        assert!(is_interpreter("/usr/bin/php8.2") && !is_interpreter("/usr/bin/pythonista"));
        assert!(is_interpreter("/usr/lib/erlang/erts-13/bin/beam.smp"));
        let arguments = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert!(is_shell("/usr/bin/dash", &[]));
        assert!(is_shell(r"C:\Windows\System32\cmd.exe", &[]));
        assert!(is_browser(r"C:\Program Files\Mozilla Firefox\Firefox.EXE"));
        assert!(is_interpreter(r"C:\Python311\python.exe") && !is_browser("/opt/Firefox"));
        assert!(is_shell("/bin/busybox", &arguments(&["-sh"])));
        assert!(is_shell("/bin/busybox", &arguments(&["busybox", "sh"])));
        assert!(!is_shell("/bin/busybox", &arguments(&["httpd"])));
        assert!(is_transfer_tool("/bin/busybox", &arguments(&["wget", "x"])));
    }
}
