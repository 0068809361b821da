//! Who or what has ended a recording: for its log, and in words.

use model::{Snapshot, Text, Tier};
use observe::signals::{Asked, Console, Program, Sender};
use record::case::Error;
use serde_json::{Value, json};
use show::visible::visible;

use crate::commands::fold::End;

/// The unit in which the kernel tells when a process began, in nanoseconds.
const TICK_NS: u64 = 10_000_000;

#[derive(Debug)]
pub(super) enum Ended<'a> {
    Run(&'a End),
    NoRoom(&'a Error),
    Failed(&'a anyhow::Error),
}

impl Ended<'_> {
    /// The facts of the line `ended`. `last` is what was known at the end.
    pub(super) fn facts(&self, last: Option<&Snapshot>) -> Value {
        match self {
            Self::Run(End::Asked(Some(asked))) => of_signal(asked, last),
            Self::Run(End::Asked(None)) => json!({ "by": "signal", "signal": null }),
            Self::Run(End::Time) => json!({ "by": "time" }),
            Self::Run(End::Program) => json!({ "by": "program" }),
            Self::Run(End::Reader) => json!({ "by": "screen" }),
            Self::NoRoom(error @ Error::SizeReached { .. }) => {
                json!({ "by": "size", "why": error.to_string() })
            }
            Self::NoRoom(error) => json!({ "by": "disk_full", "why": error.to_string() }),
            Self::Failed(error) => json!({ "by": "failure", "why": format!("{error:#}") }),
        }
    }

    /// Whether somebody may still sit at its terminal, and there was no trouble.
    pub(super) fn is_from_here(&self) -> bool {
        match self {
            Self::Run(End::Asked(Some(asked))) => {
                matches!(
                    asked.by,
                    Sender::Console(Console::Interrupt | Console::Break)
                ) || by_kernel(asked) == "keyboard" && asked.by == Sender::Kernel
            }
            Self::Run(End::Asked(None) | End::Time | End::Program | End::Reader) => true,
            Self::NoRoom(_) | Self::Failed(_) => false,
        }
    }

    /// `None`: whoever reads it knows, or is told otherwise.
    pub(super) fn in_words(&self, last: Option<&Snapshot>) -> Option<String> {
        let Self::Run(End::Asked(Some(asked))) = self else {
            return None;
        };
        if let Sender::Console(event) = asked.by {
            return words_of_console(event).map(str::to_owned);
        }
        if asked.by == Sender::RecordStop {
            return Some("It was ended by record stop.\n".to_owned());
        }
        let signal = signal(asked.signal);
        let Sender::Process {
            pid,
            uid,
            user,
            is_certain,
            ..
        } = &asked.by
        else {
            let is_terminal = by_kernel(asked) == "terminal_closed";
            return is_terminal.then(|| "It ended because its terminal was closed.\n".to_owned());
        };
        let program = program(asked, last);
        let whose = user.as_ref().map_or_else(
            || format!("of the user {uid}"),
            |user| format!("of the user {} ({uid})", visible(user)),
        );
        let process = match (&program, pid) {
            (Some(program), Some(pid)) => format!("{} (process {pid})", visible(&program.name)),
            (None, Some(pid)) => format!("process {pid}, which had ended already,"),
            (_, None) => "a process outside of this container".to_owned(),
        };
        let claimed = if *is_certain {
            ""
        } else {
            ", as it says itself"
        };
        Some(if is_stop(program.as_ref()) {
            // Any program can call itself so: who sent the signal stands beside it.
            format!("It was ended by record stop, {signal} from {process} {whose}{claimed}.\n")
        } else {
            format!("It was ended by {signal} from {process} {whose}{claimed}.\n")
        })
    }
}

fn of_signal(asked: &Asked, last: Option<&Snapshot>) -> Value {
    if let Sender::Console(event) = asked.by {
        return of_console(event);
    }
    if asked.by == Sender::RecordStop {
        // Not by a signal, and Windows does not tell by whom.
        return json!({ "by": "record_stop", "signal": null, "sender": null });
    }
    let signal = signal(asked.signal);
    let Sender::Process {
        pid,
        uid,
        user,
        is_certain,
        ..
    } = &asked.by
    else {
        return json!({ "by": by_kernel(asked), "signal": signal });
    };
    let program = program(asked, last);
    let is_stop = is_stop(program.as_ref());
    let text = |text: &Text| text.lossy().into_owned();
    json!({
        "by": if is_stop { "record_stop" } else { "signal" },
        "signal": signal,
        "sender": {
            "pid": pid,
            "uid": uid,
            "user": user.as_ref().map(text),
            "name": program.as_ref().map(|it| text(&it.name)),
            "command_line": program
                .filter(|it| !it.arguments.is_empty())
                .map(|it| it.arguments.iter().map(text).collect::<Vec<_>>()),
            "certain": is_certain,
        },
    })
}

/// A console of Windows has no signals, but events of its own.
fn of_console(event: Console) -> Value {
    let (by, event) = match event {
        Console::Interrupt => ("console", "CTRL_C_EVENT"),
        Console::Break => ("console", "CTRL_BREAK_EVENT"),
        Console::Closed => ("terminal_closed", "CTRL_CLOSE_EVENT"),
        Console::LogOff => ("log_off", "CTRL_LOGOFF_EVENT"),
        Console::ShutDown => ("shutdown", "CTRL_SHUTDOWN_EVENT"),
    };
    json!({ "by": by, "signal": event })
}

/// `None`: who pressed the keys knows.
fn words_of_console(event: Console) -> Option<&'static str> {
    match event {
        Console::Interrupt | Console::Break => None,
        Console::Closed => Some("It ended because its console was closed.\n"),
        Console::LogOff => Some("It ended because the user logged off.\n"),
        Console::ShutDown => Some("It ended because the computer was shut down.\n"),
    }
}

/// A terminal sends SIGINT for its keys, and SIGHUP when it is closed.
fn by_kernel(asked: &Asked) -> &'static str {
    match signal(asked.signal).as_str() {
        "SIGINT" => "keyboard",
        "SIGHUP" => "terminal_closed",
        _ => "signal",
    }
}

/// The numbers are those of every Linux.
fn signal(number: i32) -> String {
    match number {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

/// What the sender ran: as it said itself, or as was recorded of it when it had ended by then.
fn program(asked: &Asked, last: Option<&Snapshot>) -> Option<Program> {
    let Sender::Process { pid, program, .. } = &asked.by else {
        return None;
    };
    program.clone().or_else(|| recorded(asked, (*pid)?, last?))
}

/// `None`: not every process is told of, or none with this number ran when the signal came.
fn recorded(asked: &Asked, pid: u32, last: &Snapshot) -> Option<Program> {
    (last.tier != Tier::Polling).then_some(())?;
    let began = |ticks: u64| ticks.saturating_mul(TICK_NS);
    let of_pid = last.processes.values().filter(|it| it.id.pid == pid);
    let newest = of_pid
        .filter(|it| began(it.id.start_ticks) <= asked.boot_ns)
        .max_by_key(|it| it.id.start_ticks)?;
    let ran = asked.boot_ns - began(newest.id.start_ticks);
    let sent = newest.started?.unix_nanos() + i64::try_from(ran).ok()?;
    // Ticks are rounded down.
    let tick = i64::try_from(TICK_NS).ok()?;
    let ran_then = |ended: model::Timestamp| ended.unix_nanos() + tick >= sent;
    newest.ended.is_none_or(ran_then).then(|| Program {
        name: newest.name.clone(),
        arguments: newest.command_line.clone().unwrap_or_default(),
    })
}

fn is_stop(program: Option<&Program>) -> bool {
    let arguments = program.map_or(&[][..], |program| &program.arguments);
    let mut words = arguments.iter().skip(1);
    words.any(|word| word.bytes() == b"record") && words.any(|word| word.bytes() == b"stop")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(signal: i32, by: Sender) -> End {
        End::Asked(Some(Asked {
            signal,
            boot_ns: 5,
            by,
        }))
    }

    fn of(arguments: &[&str]) -> Sender {
        Sender::Process {
            pid: Some(7),
            uid: 1000,
            user: Some("lena".into()),
            is_certain: true,
            program: arguments.first().map(|name| Program {
                name: (*name).into(),
                arguments: arguments.iter().map(|it| Text::from(*it)).collect(),
            }),
        }
    }

    #[test]
    fn who_is_not_there_is_not_asked() {
        let check = |end: &End, is_from_here| {
            assert_eq!(Ended::Run(end).is_from_here(), is_from_here, "{end:?}");
        };
        check(&End::Time, true);
        check(&asked(2, Sender::Kernel), true);
        check(&asked(1, Sender::Kernel), false);
        check(&asked(15, of(&["whocalls", "record", "stop"])), false);
        check(&asked(2, of(&["kill"])), false);
        check(&asked(2, Sender::Console(Console::Interrupt)), true);
        check(&asked(15, Sender::Console(Console::Closed)), false);
        check(&asked(15, Sender::RecordStop), false);
    }

    fn check(end: &End, by: &str, words: &str) {
        let ended = Ended::Run(end);
        assert_eq!(ended.facts(None)["by"], by);
        assert_eq!(ended.in_words(None).unwrap_or_default(), words);
    }

    #[test]
    fn it_is_said_who_or_what_ended_it() {
        check(&End::Time, "time", "");
        check(&End::Program, "program", "");
        check(&End::Reader, "screen", "");
        check(&asked(2, Sender::Kernel), "keyboard", "");
        check(
            &asked(1, Sender::Kernel),
            "terminal_closed",
            "It ended because its terminal was closed.\n",
        );
        let console = |event| asked(15, Sender::Console(event));
        check(&console(Console::Interrupt), "console", "");
        check(
            &console(Console::Closed),
            "terminal_closed",
            "It ended because its console was closed.\n",
        );
        check(
            &console(Console::ShutDown),
            "shutdown",
            "It ended because the computer was shut down.\n",
        );
        check(
            &asked(15, Sender::RecordStop),
            "record_stop",
            "It was ended by record stop.\n",
        );
        check(
            &asked(15, of(&["whocalls", "record", "stop", "5"])),
            "record_stop",
            "It was ended by record stop, SIGTERM from whocalls (process 7) of the user lena (1000).\n",
        );
        check(
            &asked(15, of(&["ba\u{202e}sh", "stop", "record"])),
            "signal",
            "It was ended by SIGTERM from ba‹U+202E›sh (process 7) of the user lena (1000).\n",
        );
        check(
            &asked(15, of(&[])),
            "signal",
            "It was ended by SIGTERM from process 7, which had ended already, of the user lena \
             (1000).\n",
        );
        let outside = Sender::Process {
            pid: None,
            uid: 0,
            user: None,
            is_certain: false,
            program: None,
        };
        check(
            &asked(15, outside),
            "signal",
            "It was ended by SIGTERM from a process outside of this container of the user 0, as it \
             says itself.\n",
        );
    }

    #[test]
    fn what_ended_it_by_itself_is_said() {
        let full = Error::SizeReached {
            file: "events".to_owned(),
            max_size: 5,
        };
        assert_eq!(Ended::NoRoom(&full).facts(None)["by"], "size");
        let low = Error::SpaceLow { free: 1, floor: 2 };
        assert_eq!(Ended::NoRoom(&low).facts(None)["by"], "disk_full");
        let error = anyhow::anyhow!("it burns").context("cannot write");
        let failed = Ended::Failed(&error).facts(None);
        assert_eq!(
            (&failed["by"], &failed["why"]),
            (&"failure".into(), &"cannot write: it burns".into())
        );
    }
}
