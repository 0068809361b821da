//! Sentences about the files of a process, where they are and where they come from.

use super::{KEEP_RUNNING, Message, NOTHING_BY_ITSELF, RESTART, Told, ask, is_of_windows, place};

pub(super) const MESSAGES: &[Message] = &[
    Message {
        rule: "missing_library",
        title: |told| {
            match told.kind() {
                "replaced" => "Restart needed",
                _ => "Library file is gone",
            }
            .into()
        },
        explanation: |told| {
            let what = match told.kind() {
                "replaced" => "has the place of another file now",
                _ => "is gone",
            };
            format!(
                "{who} uses a library whose file {what}{place}{more}.",
                who = told.who,
                place = place(told),
                more = more(told, "libraries", "library", "libraries"),
            )
        },
        innocent: |_| {
            "Updates leave programs running with libraries whose files are gone, until they are started again."
                .into()
        },
        next: |told| match told.kind() {
            "replaced" => RESTART.into(),
            _ => KEEP_RUNNING.into(),
        },
    },
    Message {
        rule: "swapped_file",
        title: |_| "File was swapped".into(),
        explanation: |told| {
            format!(
                "What {who} has in memory is not the file that lies at its path{place}{more}: another one was \
                 mounted over it for this process, or it was exchanged. A look at the path shows the wrong \
                 file.",
                who = told.who,
                place = place(told),
                more = more(told, "files", "file", "files"),
            )
        },
        innocent: |_| {
            "Containers, sandboxes and updates have other files at the same paths.".into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "temporary_program",
        title: |_| "Temporary program".into(),
        explanation: |told| {
            format!(
                "The program {who} runs from a folder in which anybody may write{place}. Programs are installed \
                 elsewhere.",
                who = told.who,
                place = place(told),
            )
        },
        innocent: |told| {
            let itself = match is_of_windows(told) {
                true => "",
                false => " (AppImage)",
            };
            format!(
                "Installers, programs in one file that unpack themselves{itself}, and tests of developers run \
                 from there."
            )
            .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "temporary_library",
        title: |_| "Temporary library".into(),
        explanation: |told| {
            format!(
                "{who} uses a library out of a folder in which anybody may write{place}{more}.",
                who = told.who,
                place = place(told),
                more = more(told, "libraries", "library", "libraries"),
            )
        },
        innocent: |_| {
            "Java, and programs that are packed into one file, unpack libraries there.".into()
        },
        next: ask,
    },
    Message {
        rule: "temporary_script",
        title: |_| "Temporary script".into(),
        explanation: |told| {
            format!(
                "{who} runs a script out of a folder in which anybody may write{place}{setting}.",
                who = told.who,
                place = place(told),
                setting = setting(told),
            )
        },
        innocent: |_| "Installers, and people who try something, run scripts from there.".into(),
        next: |_| {
            "Keep a copy of the script before it is gone, without running it, and show it to somebody you trust \
             who helps with such things."
                .into()
        },
    },
    Message {
        rule: "hidden_place",
        title: |told| {
            match told.kind() {
                "overlong" => "Too deep to be seen",
                _ => "In a hidden place",
            }
            .into()
        },
        explanation: |told| {
            if told.kind() == "overlong" {
                return overlong(told);
            }
            let what = match told.kind() {
                "script" => "runs a script",
                "library" => "uses a library",
                _ => "runs",
            };
            format!(
                "{who} {what} from a folder, or of a name, that begins with a dot{place}{setting}: most file \
                 managers do not show it.",
                who = told.who,
                place = place(told),
                setting = setting(told),
            )
        },
        innocent: |told| {
            match told.kind() {
                "overlong" => {
                    "Tests of file systems, and scripts that went wrong, make folders so deep; programs are not \
                     kept there."
                }
                _ => {
                    "People's own programs often are in such folders (.local, .cargo, .nvm), put there by the \
                     tools that install them."
                }
            }
            .into()
        },
        next: |told| match told.kind() {
            "overlong" => KEEP_RUNNING.into(),
            _ => ask(told),
        },
    },
    Message {
        rule: "preload",
        title: |_| "Preloaded library".into(),
        explanation: |told| {
            let how = match told.kind() {
                "preloaded-everywhere" => {
                    "into every program on this computer (/etc/ld.so.preload)"
                }
                "audits" => "as one that watches the loading of all others (LD_AUDIT)",
                _ => "before all others (LD_PRELOAD)",
            };
            format!(
                "A library was put into {who} {how}{place}. It can answer in the place of any other.",
                who = told.who,
                place = place(told),
            )
        },
        innocent: |_| {
            "Sandboxes of browsers, torsocks, proxychains and tools that measure memory work so. If it is one \
             that protects, leave it as it is."
                .into()
        },
        next: ask,
    },
    Message {
        rule: "by_loader",
        title: |_| "Started by the loader".into(),
        explanation: |told| {
            format!(
                "{who} is the loader of programs, called by hand for another program{place}: so that one needs \
                 no right to be executed, and its name is not shown.",
                who = told.who,
                place = place(told),
            )
        },
        innocent: |_| {
            "Programs that bring their own libraries, and tools that build systems, start programs so.".into()
        },
        next: ask,
    },
    Message {
        rule: "kernel_name",
        title: |_| "Called like the kernel".into(),
        explanation: |told| {
            let name = told.fact("name").unwrap_or_default();
            format!(
                "{who} calls itself{name}, like a thread of the kernel. Those have no file; this process has one.",
                who = told.who,
                name = if name.is_empty() {
                    name
                } else {
                    format!(" {name}")
                },
            )
        },
        innocent: |_| "Hardly any ordinary program calls itself so.".into(),
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "other_name",
        title: |_| "Called like another".into(),
        explanation: |told| {
            let other = told.first_of(&["path", "name"]);
            let package = told.fact("package");
            format!(
                "{who} calls itself like {other}{package}, and is another program.",
                who = told.who,
                other = other.unwrap_or_else(|| "another program".to_owned()),
                package = package.map_or_else(String::new, |it| format!(" of the package {it}")),
            )
        },
        innocent: |_| {
            "Wrappers start a program under the name of the one that they stand for.".into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "modified_program",
        title: |told| {
            match is_of_windows(told) {
                true => "Not as it was signed",
                false => "Not as in its package",
            }
            .into()
        },
        explanation: |told| {
            if is_of_windows(told) {
                return not_as_signed(told);
            }
            let what = match told.kind() {
                "library" => "A library of",
                _ => "The program",
            };
            let package = told.fact("package");
            format!(
                "{what} {who} has other bytes than its package{package} has for it{place}{more}.",
                who = told.who,
                package = package.map_or_else(String::new, |it| format!(" {it}")),
                place = place(told),
                more = more(told, "files", "file", "files"),
            )
        },
        innocent: |_| {
            "Administrators put other versions in place, and an update that is under way looks like this.".into()
        },
        next: |told| {
            let one = match is_of_windows(told) {
                true => "that its maker publishes",
                false => "of the package",
            };
            format!("Keep a copy of the file. From another, healthy system, compare it with the one {one}.")
                .into()
        },
    },
    Message {
        rule: "unpackaged_library",
        title: |told| {
            match is_of_windows(told) {
                true => "Library without a signature",
                false => "Library of no package",
            }
            .into()
        },
        explanation: |told| {
            if is_of_windows(told) {
                return unsigned_library(told);
            }
            format!(
                "{who} comes from a package and uses a library that is of none{place}{more}.",
                who = told.who,
                place = place(told),
                more = more(told, "libraries", "library", "libraries"),
            )
        },
        innocent: |told| {
            match is_of_windows(told) {
                true => "Plug-ins and extensions, and what smaller makers publish, are often not signed.",
                false => {
                    "Drivers, plug-ins and extensions that people install by themselves are of no package."
                }
            }
            .into()
        },
        next: ask,
    },
    Message {
        rule: "unpackaged_program",
        title: |told| {
            match is_of_windows(told) {
                true => "Program without a signature",
                false => "Program of no package",
            }
            .into()
        },
        explanation: |told| {
            let whose = match is_of_windows(told) {
                true => "is not signed by a publisher that this computer trusts",
                false => "is of no package of this system",
            };
            format!(
                "{who} {whose}{place}. That says little by itself.",
                who = told.who,
                place = place(told),
            )
        },
        innocent: |told| {
            match is_of_windows(told) {
                true => "Many programs are not signed: those of smaller makers, and what somebody built.",
                false => "Many programs are installed in other ways: downloaded, or built here.",
            }
            .into()
        },
        next: |_| NOTHING_BY_ITSELF.into(),
    },
    Message {
        rule: "file_rights",
        title: |_| "Gives rights".into(),
        explanation: |told| {
            let rights = told.fact("rights").unwrap_or_default();
            format!(
                "The file of {who} gives rights to whoever starts it{rights}{place}, and no package of this \
                 system vouches for it.",
                who = told.who,
                rights = if rights.is_empty() {
                    rights
                } else {
                    format!(" ({rights})")
                },
                place = place(told),
            )
        },
        innocent: |_| {
            "Administrators give rights to single tools: to look at the network, for example."
                .into()
        },
        next: ask,
    },
];

fn not_as_signed(told: &Told<'_>) -> String {
    let what = match told.kind() {
        "library" => "A library of",
        _ => "The program",
    };
    format!(
        "{what} {who} has other bytes than its maker has signed{place}{more}.",
        who = told.who,
        place = place(told),
        more = more(told, "files", "file", "files"),
    )
}

fn unsigned_library(told: &Told<'_>) -> String {
    format!(
        "{who} is signed and uses a library that is not signed by a publisher that this computer \
         trusts{place}{more}.",
        who = told.who,
        place = place(told),
        more = more(told, "libraries", "library", "libraries"),
    )
}

fn overlong(told: &Told<'_>) -> String {
    let does = match told.fact("what").as_deref() {
        Some("script") => "runs a script",
        Some("library") => "uses a library",
        Some(_) | None => "runs",
    };
    let long = told.fact("path_bytes");
    format!(
        "{who} {does} out of folders so deep that its path{long} is longer than Linux takes or shows{place}: \
         nothing that lists programs can name it, and nobody can open it by its path.",
        who = told.who,
        long = long.map_or_else(String::new, |it| format!(" ({it})")),
        place = place(told),
    )
}

/// `, as its environment says (BASH_ENV)`, or nothing.
fn setting(told: &Told<'_>) -> String {
    let name = told.fact("name").filter(|it| it != "deleted");
    name.map_or_else(String::new, |it| {
        format!(", as its environment says ({it})")
    })
}

/// `, and 2 more files`, by a fact that counts them all.
fn more(told: &Told<'_>, fact: &str, one: &str, many: &str) -> String {
    match told.finding.fact(fact) {
        Some(model::Fact::Count(count)) if *count > 1 => {
            format!(
                ", and {}",
                super::counted(count - 1, &format!("more {one}"), &format!("more {many}"))
            )
        }
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use model::{About, Confidence, Fact, Finding, FindingId, Severity};

    use super::super::said;

    fn check(path: &str, title: &str, word: &str) {
        let finding = Finding {
            id: FindingId([0; 16]),
            rule: "unpackaged_program",
            severity: Severity::Informational,
            confidence: Confidence::Low,
            facts: vec![("path", Fact::Text(path.to_owned()))],
            evidence: Vec::new(),
            attack: Vec::new(),
            about: About::default(),
        };
        let said = said(&finding, "tool");
        assert_eq!(said.title, title);
        assert!(said.explanation.contains(word), "{}", said.explanation);
    }

    #[test]
    fn whose_a_program_is_tells_a_package_or_a_signature() {
        check(
            "/opt/tool",
            "Program of no package",
            "of no package of this system",
        );
        check(
            r"/c:\tool",
            "Program of no package",
            "of no package of this system",
        );
        check(
            r"C:\tool\tool.exe",
            "Program without a signature",
            "not signed by a publisher",
        );
    }
}
