//! Whether it is called like a thread of the kernel, and has a file.
//!
//! ps(1) writes the names of threads of the kernel in brackets; who wants to be overlooked calls itself so.

use model::{Outcome, PackageState, Sign, Text, Trace, Untested};

use super::{Kept, Subject, package};

/// Names of threads of the kernel: what begins so, and goes on with nothing, a digit or a sign.
const NAMES: [&[u8]; 38] = [
    b"kthreadd",
    b"kworker",
    b"ksoftirqd",
    b"migration",
    b"rcu_preempt",
    b"rcu_sched",
    b"rcu_bh",
    b"rcu_gp",
    b"rcu_par_gp",
    b"rcu_tasks_kthread",
    b"rcu_tasks_rude_kthread",
    b"rcu_tasks_trace_kthread",
    b"rcuop",
    b"rcuog",
    b"rcuos",
    b"rcub",
    b"rcuc",
    b"cpuhp",
    b"idle_inject",
    b"kdevtmpfs",
    b"kauditd",
    b"khungtaskd",
    b"oom_reaper",
    b"kcompactd",
    b"ksmd",
    b"khugepaged",
    b"kintegrityd",
    b"kblockd",
    b"blkcg_punt_bio",
    b"kswapd",
    b"kthrotld",
    b"mm_percpu_wq",
    b"slub_flushwq",
    b"watchdogd",
    b"jbd2",
    b"scsi_eh_",
    b"irq",
    b"kstrp",
];
/// Kernel: TASK_COMM_LEN, less the NUL.
const LONGEST_SHORT: usize = 15;
/// A worker shows more than its short name (fs/proc/array.c, proc_task_name).
const LONGEST: usize = 64;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, kept) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

fn found(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    // Threads of the kernel have none.
    let program = subject.program()?;
    let arguments = subject.arguments()?;
    let first = arguments.first().map(Text::bytes).unwrap_or_default();
    let short = &subject.stat().name;
    let name = if in_brackets(first) {
        Text::from(first)
    } else if is_kernel(short.bytes()) && !is_own(short.bytes(), subject, kept) {
        short.clone()
    } else {
        return Ok(Outcome::NothingFound);
    };
    let trace = Trace {
        name: Some(name),
        ..Trace::of_file(Sign::LikeKernel, program.link.clone())
    };
    Ok(Outcome::of(vec![trace]))
}

/// Whether it is written as ps(1) writes a thread of the kernel. Some programs put a title in brackets
/// (`[celeryd: ...]`); names of the kernel have no blanks.
fn in_brackets(name: &[u8]) -> bool {
    let inner = name.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]"));
    inner.is_some_and(|inner| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-/:.+>".contains(byte);
        !inner.is_empty() && inner.len() <= LONGEST && inner.iter().all(plain)
    })
}

fn is_kernel(name: &[u8]) -> bool {
    NAMES.iter().any(|known| {
        // The short name is cut off.
        let known = known.get(..LONGEST_SHORT).unwrap_or(known);
        let rest = name.strip_prefix(known);
        rest.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_alphabetic()))
    })
}

/// Whether its file is truly called so, and of a package.
fn is_own(name: &[u8], subject: &Subject, kept: &mut Kept) -> bool {
    let Ok(program) = subject.program() else {
        return false;
    };
    let file = program.link.bytes().split(|byte| *byte == b'/').next_back();
    let file = file.unwrap_or_default();
    let called_so = file.get(..LONGEST_SHORT).unwrap_or(file) == name;
    called_so
        && package::of_program(subject, kept).is_some_and(|package| {
            package.name.is_some() && package.state != PackageState::Modified
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::super::tried::{Folder, Running};
    use super::*;

    #[test]
    fn names_of_the_kernel_and_others() {
        for name in [
            "kworker/0:1",
            "kworker/u4:2-ev",
            "ksoftirqd/0",
            "kthreadd",
            "rcu_preempt",
            "rcu_tasks_trace",
            "jbd2/sda1-8",
            "irq/9-acpi",
            "migration/1",
        ] {
            assert!(is_kernel(name.as_bytes()), "{name}");
        }
        for name in ["bash", "irqbalance", "kworkerd", "(sd-pam)", "watchdog", ""] {
            assert!(!is_kernel(name.as_bytes()), "{name}");
        }
        for name in ["[kworker/0:1]", "[kworker/u8:0-events_unbound]", "[x]"] {
            assert!(in_brackets(name.as_bytes()), "{name}");
        }
        for name in [
            "[",
            "[]",
            "[celeryd: a@b:Main]",
            "(sd-pam)",
            "[kworker/0:1] x",
            "-bash",
        ] {
            assert!(!in_brackets(name.as_bytes()), "{name}");
        }
    }

    fn check_of(running: Option<Running>) -> Outcome {
        let subject = running.as_ref().and_then(Running::subject).unwrap();
        check(&subject, &mut Kept::default())
    }

    #[test]
    fn a_program_that_is_called_like_the_kernel() {
        let mut command = Command::new("sleep");
        command.arg0("[kworker/0:1]").arg("1000");
        let outcome = check_of(Running::start(&mut command, "sleep"));
        let Outcome::Found { traces, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(traces[0].sign, Sign::LikeKernel);
        assert_eq!(traces[0].name, Some("[kworker/0:1]".into()));
        let mut command = Command::new("sleep");
        let plain = check_of(Running::start(command.arg("1000"), "sleep"));
        assert_eq!(plain, Outcome::NothingFound);
    }

    #[test]
    fn a_file_that_is_called_like_the_kernel() {
        let folder = Folder::new("kernel-name");
        for (name, found) in [("kswapd0", true), ("kitchen", false)] {
            let copy = folder.0.join(name);
            std::fs::copy("/bin/sleep", &copy).unwrap();
            let outcome = check_of(Running::start(Command::new(copy).arg("1000"), name));
            assert_eq!(outcome.word() == "found", found, "{name}: {outcome:?}");
        }
    }
}
