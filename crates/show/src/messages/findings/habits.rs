//! Sentences about what a program does to one destination over time: how often, for how long, how much.
//! Numbers come with what they are measured against.

use model::Fact;

use super::{KEEP_RUNNING, Message, Told, ask, look_up};

/// What is closer than that is called exact.
const EXACT: f64 = 0.005;

pub(super) const MESSAGES: &[Message] = &[
    Message {
        rule: "beacon",
        title: |_| "Calls at a steady pace".into(),
        explanation: |told| {
            format!(
                "{who} called {other}{port} {beats}{rhythm}{sizes}.{away}{watched}",
                who = told.who,
                other = told.other(),
                port = port(told),
                beats = beats(told),
                rhythm = rhythm(told),
                sizes = sizes(told),
                away = away(told),
                watched = watched(told),
            )
        },
        innocent: |_| {
            "Update checkers, mail, chat, weather and whatever synchronises call at a steady pace, too: ask \
             whether the program is one of these, and whether the other side is theirs."
                .into()
        },
        next: |told| look_up(told),
    },
    Message {
        rule: "heartbeat",
        title: |_| "Heartbeat in connection".into(),
        explanation: |told| {
            format!(
                "{who} said something to {other}{port} {beats}{rhythm}{sizes}, all inside one connection: a \
                 list of connections shows one call.{watched}",
                who = told.who,
                other = told.other(),
                port = port(told),
                beats = beats(told),
                rhythm = rhythm(told),
                sizes = sizes(told),
                watched = watched(told),
            )
        },
        innocent: |_| {
            "Chat, mail, remote desktops, VPNs and ssh keep their connections alive by saying something now \
             and then."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "permanent",
        title: |told| match told.fact("opened_again") {
            Some(_) => "Always connected again".into(),
            None => "Permanent connection".into(),
        },
        explanation: permanent,
        innocent: |_| {
            "Mail, chat, VPNs, Tor, synchronised folders and whatever pushes news keep a connection open for \
             good, and some of it protects people: it is no reason to end it."
                .into()
        },
        next: |told| look_up(told),
    },
    Message {
        rule: "dead_server",
        title: |_| "Calls a silent server".into(),
        explanation: |told| {
            let failed = many(told, "failed");
            format!(
                "{who} called {other}{port} {failed} times{rhythm}. No call got through: it was refused, or \
                 no answer came. Servers of spyware are taken down, and what calls them is still \
                 here.{watched}",
                who = told.who,
                other = told.other(),
                port = port(told),
                rhythm = rhythm(told),
                watched = watched(told),
            )
        },
        innocent: |_| {
            "A printer, a server at work or a VPN that cannot be reached from here is called in vain, too; and \
             while a computer is offline all programs are."
                .into()
        },
        next: |told| look_up(told),
    },
    Message {
        rule: "upload",
        title: |told| {
            match told.kind() {
                "pictures" => "Uploads alike in size",
                "keystrokes" => "Small steady uploads",
                _ => "Sends more than it gets",
            }
            .into()
        },
        explanation: |told| {
            let sent = many(told, "sent");
            let received = many(told, "received");
            let kind = match told.kind() {
                "pictures" => " in pieces of much the same size, as pictures of a screen have",
                "keystrokes" => " in many small pieces at a steady pace, as what is typed would be",
                _ => "",
            };
            format!(
                "{who} sent {sent} to {other}{port}{kind}, and got {received} back.{watched}",
                who = told.who,
                other = told.other(),
                port = port(told),
                watched = watched(told),
            )
        },
        innocent: |_| {
            "Backups, photos that are put into a cloud, video calls and mail with large files send more than \
             they get."
                .into()
        },
        next: |told| look_up(told),
    },
    Message {
        rule: "guessing",
        title: |_| "Many logins tried".into(),
        explanation: |told| {
            format!(
                "{callers} called {who}{port} {count} times, where one logs in. Whoever is on the \
                 internet sees guesses at passwords all day; whether one was right is not to be seen here.",
                callers = "Other computers",
                who = told.who,
                count = many(told, "connections"),
                port = local_port(told),
            )
        },
        innocent: |_| {
            "Everything that can be reached from the internet is tried; a program of your own that logs in \
             again and again looks the same."
                .into()
        },
        next: |_| {
            "See in the log of that service whether one of these logins succeeded, and whether it has to be \
             reachable from outside."
                .into()
        },
    },
    Message {
        rule: "regular_caller",
        title: |_| "Called at a steady pace".into(),
        explanation: |told| {
            format!(
                "{other} called {who}{port} {beats}{rhythm}{sizes}.{watched}",
                who = told.who,
                other = told.other(),
                port = local_port(told),
                beats = beats(told),
                rhythm = rhythm(told),
                sizes = sizes(told),
                watched = watched(told),
            )
        },
        innocent: |_| {
            "Services that watch whether a server is up, and programs that fetch news from it, call so.".into()
        },
        next: |told| look_up(told),
    },
    Message {
        rule: "first_contact",
        title: |_| "First contact".into(),
        explanation: |told| {
            let count = many(told, "connections");
            let alone = match told.fact("calls") {
                Some(_) => {
                    " It calls nobody else, nobody asked a name for this address, it shows no window, and what \
                     it says is short or the same each time."
                }
                None => "",
            };
            format!(
                "{who}, which is of no package, called {other} for the first time while this computer was \
                 being watched ({count} connections in all).{alone}",
                who = told.who,
                other = told.other(),
            )
        },
        innocent: |_| {
            "A program that somebody has started just now, or that calls less often than it was watched, does \
             so."
                .into()
        },
        next: ask,
    },
];

fn permanent(told: &Told<'_>) -> String {
    let lasted = told.fact("at_least");
    let share = match told.finding.fact("of_the_look") {
        Some(Fact::Share(share)) if *share >= 0.95 => {
            ", all the time that somebody watched".to_owned()
        }
        // What is this small says nothing.
        Some(Fact::Share(share)) if *share < 0.05 => String::new(),
        Some(share) => format!(
            "; its longest stretch is {} of the time that somebody watched",
            super::fact(share)
        ),
        None => String::new(),
    };
    let lasted = lasted.map_or_else(String::new, |it| format!(" for more than {it}"));
    let again = match told.finding.fact("opened_again") {
        Some(Fact::Count(1)) => " It was opened again once, within a minute.".to_owned(),
        Some(again) => format!(
            " It was opened again {} times, within a minute each time.",
            super::fact(again)
        ),
        None => String::new(),
    };
    let heartbeat = told.measured("heartbeat");
    let heartbeat =
        heartbeat.map_or_else(String::new, |it| format!(" It says something every {it}."));
    format!(
        "{who} was connected with {other}{port}{lasted}{share}.{again}{heartbeat} Spyware keeps one connection \
         open for good, or calls again and again.",
        who = told.who,
        other = told.other(),
        port = port(told),
    )
}

fn port(told: &Told<'_>) -> String {
    told.fact("port")
        .map_or_else(String::new, |it| format!(" at port {it}"))
}

/// `42 times, every 1 min`.
fn beats(told: &Told<'_>) -> String {
    format!("{} times", many(told, "beats"))
}

fn many(told: &Told<'_>, name: &str) -> String {
    told.fact(name).unwrap_or_else(|| "many".to_owned())
}

fn local_port(told: &Told<'_>) -> String {
    told.fact("local_port")
        .map_or_else(String::new, |it| format!(" at port {it}"))
}

/// How even it is, and how likely that is by accident.
fn rhythm(told: &Told<'_>) -> String {
    let Some(period) = told.measured("period") else {
        let gap = told.measured("mean_gap");
        return gap.map_or_else(String::new, |gap| {
            format!(" without a pause, every {gap} on average, as no person does")
        });
    };
    let mut text = format!(", every {period}");
    match told.finding.fact("jitter") {
        Some(Fact::Share(jitter)) if *jitter < EXACT => text += " to the dot",
        Some(jitter) => {
            let jitter = super::fact(jitter);
            text += &format!(" (half of the times within {jitter} of it)");
        }
        None => {}
    }
    if let (Some(Fact::Count(beats)), Some(Fact::Count(expected))) =
        (told.finding.fact("beats"), told.finding.fact("expected"))
        && expected > beats
    {
        text += &format!("; {} calls in between are missing", expected - beats);
    }
    if let Some(Fact::Share(chance)) = told.finding.fact("chance") {
        text += &match chance {
            chance if *chance < 1e-6 => {
                "; unrelated calls would be this even less than once in a million times".to_owned()
            }
            chance if *chance < 0.01 => format!(
                "; unrelated calls would be this even about once in {} times",
                super::grouped_number(whole(1.0 / chance))
            ),
            _ => String::new(),
        };
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between a hundred and a million"
)]
fn whole(value: f64) -> u64 {
    value.clamp(1.0, 1e7).round() as u64
}

fn sizes(told: &Told<'_>) -> String {
    let alike = matches!(told.finding.fact("alike"), Some(Fact::Share(alike)) if *alike >= 0.9);
    match told.fact("bytes_each") {
        Some(bytes) if alike => format!(", with much the same size each time ({bytes})"),
        Some(_) | None => String::new(),
    }
}

fn away(told: &Told<'_>) -> String {
    told.fact("while_away").map_or_else(String::new, |calls| {
        format!(" Of these calls {calls} came while nobody was at the computer.")
    })
}

/// How long the look was, so that nobody takes what was not seen for what did not happen.
fn watched(told: &Told<'_>) -> String {
    let program = match told.finding.fact("program_is") {
        Some(Fact::Text(is)) if is == "unpackaged" => " The program is of no package.",
        Some(Fact::Text(is)) if is == "ordinary" => " The program is from a package and unchanged.",
        Some(_) | None => "",
    };
    match told.finding.fact("watched") {
        Some(Fact::Duration(watched)) if !watched.is_zero() => {
            let watched = super::fact(&Fact::Duration(*watched));
            format!("{program} Somebody watched for at least {watched}.")
        }
        Some(_) | None => program.to_owned(),
    }
}
