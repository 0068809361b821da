//! What is said otherwise on Windows. Helps and examples are written for Linux, where they belong to; what does
//! not hold on Windows stands here, beside what is said there.

use clap::{Arg, Command};

/// What would be seen with more rights, after a sentence that ends there. On Windows `doctor` says it to whom it
/// helps.
pub(crate) const WITH_MORE_RIGHTS: &str = if cfg!(windows) {
    ""
} else {
    " As root it may see all."
};

/// What to do where a folder cannot be written to.
pub(crate) const NO_RIGHT_TO_WRITE: &str = if cfg!(windows) {
    "name another folder, or start it with 'Run as administrator'"
} else {
    "name another folder, or run it with sudo"
};

/// What to do where there is no such folder.
pub(crate) const NO_SUCH_FOLDER: &str = if cfg!(windows) {
    "name a folder that is there: the case gets a new one in it. Where a stick was meant, look in the \
     Explorer which letter it has"
} else {
    "name a folder that is there: the case gets a new one in it. Where a stick was meant, mount it first; \
     mkdir -p would make the folder on the computer itself"
};

/// What to do where a drive cannot be written to.
pub(crate) const READ_ONLY: &str = if cfg!(windows) {
    "name a folder on another drive, or take the write protection off this one"
} else {
    "name a folder on another drive, or mount this one for writing"
};

/// Who may end which recording.
pub(crate) const WHO_STOPS: &str = if cfg!(windows) {
    "a recording is ended by the user who began it, or with Ctrl-C in its own console"
} else {
    "a recording of root or of a service is ended by root, that of a user by this user"
};

/// Why a process that was ended still runs.
pub(crate) const STILL_RUNS: &str = if cfg!(windows) {
    "it waits for Windows, for example for a disk, and ends as soon as it can"
} else {
    "it waits for the kernel, for example for a disk, and ends as soon as it can"
};

/// How a text is looked for by a filter, as the shell takes it.
pub(crate) fn as_text(word: &str) -> String {
    if cfg!(windows) {
        format!(r#""\"{word}\"""#)
    } else {
        format!("'\"{word}\"'")
    }
}

/// In helps: what is said on Linux, and on Windows. A console of Windows takes `"` for a quotation mark, and not
/// `'`.
const IN_HELP: [(&str, &str); 15] = [
    (
        "Read by netlink and /proc only, even where BPF works",
        "Look again and again only, even where event tracing (ETW) works",
    ),
    (
        "the kernel or the queue had no\nroom",
        "Windows or the queue had no\nroom",
    ),
    (
        "record --into /media/stick          everything",
        r"record --into E:\cases              everything",
    ),
    (
        "of all network namespaces together",
        "of all interfaces together",
    ),
    ("For a service manager:", "For a scheduled task:"),
    (
        "Keep the rights to close connections and to end processes, in a process of its own; each is asked \
         about before",
        "Allow to close connections and to end processes; each is asked about before",
    ),
    (
        "keep the rights to close connections and to end processes, in a process of its own; each is asked \
         about before",
        "allow to close connections and to end processes; each is asked about before",
    ),
    (
        "Do not ask the process to end, but end it (SIGKILL)",
        "Do not ask its windows to close, but end it (TerminateProcess)",
    ),
    (", for your eyes only (mode 0600)", ", for your eyes only"),
    (
        "Without whocalls, in the folder of the case:\nsha256sum",
        "Without whocalls, on Linux, in the folder of\nthe case: sha256sum",
    ),
    ("'proc:firefox or port:443'", "\"proc:firefox or port:443\""),
    (
        "'proc:updater dst:203.0.113.9'",
        "\"proc:updater dst:203.0.113.9\"",
    ),
    ("'dst:203.0.113.9'", "dst:203.0.113.9"),
    ("'CERT of X'", "\"CERT of X\""),
    ("'[2001:db8::7]:443'", "[2001:db8::7]:443"),
];

/// The command line, with its helps as they hold on this system.
pub(crate) fn adapted(command: Command) -> Command {
    if cfg!(windows) {
        for_windows(command)
    } else {
        command
    }
}

fn for_windows(mut command: Command) -> Command {
    if let Some(text) = command
        .get_after_help()
        .and_then(|it| on_windows(&it.to_string()))
    {
        command = command.after_help(text);
    }
    command
        .mut_args(argument_for_windows)
        .mut_subcommands(for_windows)
}

fn argument_for_windows(argument: Arg) -> Arg {
    let text = argument
        .get_help()
        .and_then(|it| on_windows(&it.to_string()));
    match text {
        Some(text) => argument.help(text),
        None => argument,
    }
}

/// `None`: the same.
fn on_windows(text: &str) -> Option<String> {
    let wanting = IN_HELP.iter().filter(|(here, _)| text.contains(here));
    let said = wanting.fold(text.to_owned(), |text, (here, there)| {
        text.replace(here, there)
    });
    (said != text).then_some(said)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::arguments::Arguments;

    /// Of all commands.
    fn helps(command: &Command) -> String {
        let mut text = command.clone().render_long_help().to_string();
        for below in command.get_subcommands() {
            text.push_str(&helps(below));
        }
        // However long the lines are.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn all_that_is_said_otherwise_is_said() {
        let (here, there) = (Arguments::command(), for_windows(Arguments::command()));
        let (here, there) = (helps(&here), helps(&there));
        for (linux, windows) in IN_HELP {
            let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let (linux, windows) = (joined(linux), joined(windows));
            if !cfg!(windows) {
                assert!(here.contains(&linux), "{linux}");
            }
            assert!(there.contains(&windows), "{windows}");
            assert!(
                !there.contains(&linux) || windows.contains(&linux),
                "{linux}"
            );
        }
    }

    #[test]
    fn nothing_of_linux_is_said_on_windows() {
        let said = helps(&for_windows(Arguments::command()));
        // The one sentence that is not ours.
        let said = said.replace("(see a summary with '-h')", "");
        let words = [
            "netlink",
            "/proc",
            "BPF",
            "kernel",
            " root ",
            "sudo",
            "/media",
            "setcap",
            "SIGKILL",
            "SIGTERM",
            "namespace",
            "0600",
            "/dev",
            "systemd",
            " '",
        ];
        for word in words {
            let before = said.split(word).next().unwrap();
            let last: Vec<_> = before.split(' ').rev().take(5).collect();
            assert!(before == said, "{word}, after (backwards) {last:?}");
        }
    }
}
