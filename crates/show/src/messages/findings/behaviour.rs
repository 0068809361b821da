//! Sentences about what a process does, how it was started and whether it shows itself.

use super::{KEEP_RUNNING, Message, Told, ask, is_of_windows, place};

pub(super) const MESSAGES: &[Message] = &[
    Message {
        rule: "shell_socket",
        title: |told| {
            match told.kind() {
                "pipe" => "Shell on a connection",
                _ => "Shell on a socket",
            }
            .into()
        },
        explanation: |told| {
            if told.kind() == "pipe" {
                return over_pipe(told);
            }
            let which = match told.kind() {
                "input" => "reads its commands from a socket",
                "output" => "answers into a socket",
                _ => "reads its commands from a socket and answers into it",
            };
            let socket = told.fact("name");
            let server = told.fact("server");
            format!(
                "{who} {which}{socket}: somebody elsewhere may be typing.{server}",
                who = told.who,
                socket = socket.map_or_else(String::new, |it| format!(" ({it})")),
                server =
                    server.map_or_else(String::new, |it| format!(" It was handed to it by {it}.")),
            )
        },
        innocent: |told| {
            match told.kind() {
                "pipe" => {
                    "Editors, assistants that write programs, and runners of build servers hand commands to a \
                     shell so."
                }
                _ => {
                    "Servers that start a script for each connection (inetd, units of systemd), and remote \
                     shells that an administrator has set up, look like this."
                }
            }
            .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "sniffer",
        title: |_| "Reads all packets".into(),
        explanation: |told| {
            let interface = told.fact("name");
            format!(
                "{who} reads the packets of all programs{interface}.",
                who = told.who,
                interface = interface.map_or_else(String::new, |it| format!(" on {it}")),
            )
        },
        innocent: |_| {
            "What gives this computer its address and what looks after wireless networks does so (dhclient, \
             NetworkManager, wpa_supplicant), and what people look at networks with (tcpdump, Wireshark)."
                .into()
        },
        next: ask,
    },
    Message {
        rule: "odd_parent",
        title: |_| "Started by a reader".into(),
        explanation: |told| {
            let argument = told.fact("argument");
            format!(
                "{parent}, which opens what strangers have made, has started {who}{argument}, and that uses the \
                 network. A document or a page may have done so.",
                parent = told
                    .fact("parent")
                    .unwrap_or_else(|| "A program".to_owned()),
                who = told.who,
                argument = argument.map_or_else(String::new, |it| format!(" with {it}")),
            )
        },
        innocent: |_| {
            "Extensions of browsers and of office programs start helpers: managers of passwords, downloads, \
             spelling."
                .into()
        },
        next: |_| {
            "Ask what was opened when it began, and keep that document or mail without opening it again.".into()
        },
    },
    Message {
        rule: "starts_itself",
        title: |_| "Starts by itself".into(),
        explanation: |told| {
            let file = told.fact("file");
            let shown = told.fact("shows_itself");
            format!(
                "{who}{file} is started whenever somebody logs in or the computer starts ({kind}){place}. It is \
                 of no package.{shown}",
                who = told.who,
                file = file.map_or_else(String::new, |it| format!(" ({it})")),
                kind = told.fact("kind").unwrap_or_default(),
                place = place(told),
                shown = match shown.as_deref() {
                    Some("window") => " It shows on the display.",
                    Some("page") => " It can be opened on this computer, in a browser.",
                    Some(_) | None => "",
                },
            )
        },
        innocent: |_| {
            "Programs that people install themselves start so: to share and to sync files (Syncthing, \
             Nextcloud), to chat. If one protects or serves you, leave it as it is."
                .into()
        },
        next: ask,
    },
    Message {
        rule: "no_window",
        title: |_| "No window".into(),
        explanation: |told| {
            let headless = match told.fact("started").as_deref() {
                Some("headless") => " It was told to be without one.",
                Some(_) | None => "",
            };
            format!(
                "{who} uses the network and is a program that people look at, but it has {display}.{headless}",
                who = told.who,
                display = told
                    .fact("display")
                    .unwrap_or_else(|| "no window".to_owned()),
            )
        },
        innocent: |_| {
            "Tests and scripts run browsers without a window; programs that were put aside, or into the tray, \
             have none for a while."
                .into()
        },
        next: ask,
    },
    Message {
        rule: "listener",
        title: |_| "Open to other computers".into(),
        explanation: |told| {
            format!(
                "{who} waits for calls of other computers{place}, and {whose}: a way in that nobody \
                 installed.",
                who = told.who,
                whose = match is_of_windows(told) {
                    true => "is not signed by a publisher that this computer trusts",
                    false => "is of no package",
                },
                place = place(told),
            )
        },
        innocent: |_| {
            "Programs that share files or screens, games and what developers try out wait for calls, too."
                .into()
        },
        next: ask,
    },
];

/// What it reads and writes are pipes; the connection is of somebody else.
fn over_pipe(told: &Told<'_>) -> String {
    let connection = told.fact("name");
    format!(
        "{who} reads its commands from a pipe and answers into one. At the other end is {other}, which has a \
         connection{connection}: somebody elsewhere may be typing.",
        who = told.who,
        other = told
            .fact("path")
            .unwrap_or_else(|| "another program".to_owned()),
        connection = connection.map_or_else(String::new, |it| format!(" ({it})")),
    )
}
