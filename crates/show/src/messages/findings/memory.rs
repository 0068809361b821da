//! Sentences about the memory of a process, and about who holds it.

use super::{KEEP_RUNNING, Message, NOTHING_BY_ITSELF, RESTART, Told, place};

pub(super) const MESSAGES: &[Message] = &[
    Message {
        rule: "code_changed",
        title: |told| {
            match told.kind() {
                "restored" => "Debugged or injected",
                "written" => "Program was written to",
                "instrumented" => "Instrumented",
                "breakpoints" => "Breakpoints",
                _ => "Program text changed",
            }
            .into()
        },
        explanation: |told| {
            let (who, place) = (told.who, place(told));
            match told.kind() {
                "restored" => format!(
                    "{who} was debugged or injected, restored: its program text in memory was written to{place} \
                     and has the bytes of the file again. A debugger that has left and a hook that was taken \
                     back leave the same trace."
                ),
                "written" => format!(
                    "The program text of {who} in memory was written to{place}. What the file has there could \
                     not be read, so nobody can say whether it differs."
                ),
                "instrumented" => format!(
                    "The program text of {who} in memory is not that of its file{place}. It has a library of a \
                     tool that changes running programs: {by}.",
                    by = told.fact("instrumented_by").unwrap_or_default(),
                ),
                "breakpoints" => format!(
                    "In the program text of {who} there are breakpoints{place}{by}.",
                    by = by_tracer(told),
                ),
                _ => format!(
                    "The program text of {who} in memory is not that of its file{place}{bytes}{by}. Somebody has \
                     changed what it does while it ran.",
                    bytes = bytes(told),
                    by = by_tracer(told),
                ),
            }
        },
        innocent: |told| {
            match told.kind() {
                "restored" | "written" => {
                    "Debuggers, profilers and crash reporters write to a program and take it back."
                }
                "instrumented" => "Whoever examines programs with such a tool (frida) has this.",
                "breakpoints" => {
                    "A debugger, or a tool that traces programs (uprobes), has put them there: developers and \
                     administrators use such."
                }
                _ => {
                    "Debuggers, and programs that protect or examine others, change programs, too. Who uses one \
                     here knows of it."
                }
            }
            .into()
        },
        next: |told| {
            match told.kind() {
                "restored" | "written" | "breakpoints" => {
                    "Ask whether somebody has debugged this program here. If not, keep a recording (whocalls \
                     record)."
                }
                _ => KEEP_RUNNING,
            }
            .into()
        },
    },
    Message {
        rule: "foreign_system_call",
        title: |_| "Call from no file".into(),
        explanation: |told| {
            format!(
                "A thread of {who} waits in a system call that was made from memory which belongs to no \
                 file{at}. Code that was put into a program does so.",
                who = told.who,
                at = at(told),
            )
        },
        innocent: |_| {
            "No ordinary program was seen to do so, also none that makes code while it runs. Tools that examine \
             programs from within do."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "foreign_thread",
        title: |_| "Thread from no file".into(),
        explanation: |told| {
            format!(
                "A thread of {who} began to run in memory which belongs to no file{at}. Code that another \
                 program has put into it does so.",
                who = told.who,
                at = at(told),
            )
        },
        innocent: |_| {
            "Programs that make code while they run (browsers, .NET, Java) begin their threads in files. \
             Protection of games and some security programs do not."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "hollowed",
        title: |_| "Another program inside".into(),
        explanation: |told| match told.kind() {
            "entry-elsewhere" => format!(
                "{who} began to run outside of its own file{at}: another program may run under its name.",
                who = told.who,
                at = at(told),
            ),
            _ => format!(
                "The file of {} is not in the memory of its process: another program runs under its name.",
                told.who
            ),
        },
        innocent: |_| {
            "Some protected or packed programs unpack themselves into memory and let go of their file.".into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "executable_memory",
        title: |_| "Code of no file".into(),
        explanation: |told| {
            let engine = match told.fact("engine") {
                Some(engine) => format!(
                    " It has {engine}, which may have made it; whether that one is as its package has it is not \
                     known, or it seldom does so."
                ),
                None => " No part of it is known to make code while it runs.".to_owned(),
            };
            format!(
                "{who} has executable memory that belongs to no file{size}{at}.{engine}",
                who = told.who,
                size = told
                    .fact("size")
                    .map_or_else(String::new, |it| format!(", {it}")),
                at = at(told),
            )
        },
        innocent: |_| {
            "Programs with an engine of their own (JIT: scripts, Java, emulators, databases) make code while \
             they run; not all engines are known here."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "memfd_code",
        title: |told| {
            match told.kind() {
                "elf-in-memory" => "Library in memory only",
                _ => "Code in memory only",
            }
            .into()
        },
        explanation: |told| {
            let what = match told.kind() {
                "elf-in-memory" => {
                    "a library that lies in memory only and never was in a file system"
                }
                _ => "code out of a file that lies in memory only",
            };
            format!(
                "{who} runs {what}{place}.",
                who = told.who,
                place = place(told)
            )
        },
        innocent: |_| {
            "Some programs load parts of themselves so, and tools that examine programs do; .NET keeps the code \
             that it makes there."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "memfd_program",
        title: |_| "Program without a file".into(),
        explanation: |told| {
            let runtime = told.fact("runtime");
            let runtime = runtime.map_or_else(String::new, |it| {
                format!(" Nobody can change it any more, and {it}, which starts containers, is above it.")
            });
            format!(
                "{who} runs from memory: its program never was in a file system.{runtime}",
                who = told.who,
            )
        },
        innocent: |_| {
            "Container runtimes (runc), and a few programs that protect themselves, start so."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "deleted_program",
        title: |told| {
            match told.kind() {
                "replaced" => "Restart needed",
                "replaced-by-stranger" => "Another in its place",
                _ => "Program file is gone",
            }
            .into()
        },
        explanation: |told| match told.kind() {
            "replaced-by-stranger" => format!(
                "The program of {who} runs, and its file is gone; {what} has its place now{place}, which no \
                 update puts there. A look at the path shows something else than what runs.",
                who = told.who,
                what = in_its_place(told),
                place = place(told),
            ),
            "replaced" => format!(
                "Another file has the place of the program of {who} now{place}. The former one still runs.",
                who = told.who,
                place = place(told),
            ),
            _ => format!(
                "The program of {who} runs, and its file is gone{place}. Who wants to leave no traces does so.",
                who = told.who,
                place = place(told),
            ),
        },
        innocent: |told| {
            match told.kind() {
                "replaced-by-stranger" => {
                    "Programs that people install themselves are renewed so, and those of developers whenever \
                     they are built."
                }
                _ => {
                    "Updates and removed packages leave programs running whose files are gone, until they are \
                     started again."
                }
            }
            .into()
        },
        next: |told| match told.kind() {
            "replaced" => RESTART.into(),
            _ => KEEP_RUNNING.into(),
        },
    },
    Message {
        rule: "traced",
        title: |_| "Held by another".into(),
        explanation: |told| {
            let holder = told.first_of(&["path", "name"]);
            format!(
                "{holder}{pid} holds {who} as a debugger does: it can read and change all of it.",
                holder = holder.unwrap_or_else(|| "Another process".to_owned()),
                pid = told
                    .fact("pid")
                    .map_or_else(String::new, |it| format!(" (pid {it})")),
                who = told.who,
            )
        },
        innocent: |_| {
            "Debuggers and tracers (gdb, strace) do this for developers and administrators; some programs hold \
             themselves, to report when they crash."
                .into()
        },
        next: |_| "Ask whether somebody is debugging this program here.".into(),
    },
    Message {
        rule: "hidden_process",
        title: |_| "Hidden process".into(),
        explanation: |told| {
            format!(
                "{} lives and is not in the list of all processes, also on a second look. Something within the \
                 kernel, or before it, may hide it.",
                told.who
            )
        },
        innocent: |_| {
            "Some systems show people only their own processes; a process can also end just while it is looked \
             for."
                .into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "covered_process",
        title: |_| "Covered process".into(),
        explanation: |told| {
            let by = told.fact("name");
            format!(
                "Something else{by} is mounted over the folder of {who} in /proc, so that ordinary tools do not \
                 see what it is.",
                by = by.map_or_else(String::new, |it| format!(" ({it})")),
                who = told.who,
            )
        },
        innocent: |_| {
            "Hardly any ordinary program does so; some sandboxes cover parts of /proc.".into()
        },
        next: |_| KEEP_RUNNING.into(),
    },
    Message {
        rule: "ended_when_we_started",
        title: |_| "Ended when we looked".into(),
        explanation: |told| {
            let after = told.fact("after");
            let again = match (told.fact("again"), told.fact("after_us")) {
                (Some(again), Some(after)) => {
                    format!(" It ran again {after} after whocalls had ended, as {again}.")
                }
                (Some(again), None) => format!(" Since then it runs again, as {again}."),
                (None, _) => String::new(),
            };
            let script = told.fact("path");
            format!(
                "{who}{script} had run for a while, and ended{after} after whocalls began.{again} Some programs \
                 look for who looks at them.",
                who = told.who,
                script = script.map_or_else(String::new, |it| format!(", which ran {it},")),
                after = after.map_or_else(String::new, |it| format!(" {it}")),
            )
        },
        innocent: |_| {
            "Programs end all the time, and some are started again by the system: this may be chance.".into()
        },
        next: |told| match told.fact("again") {
            Some(_) => KEEP_RUNNING.into(),
            None => NOTHING_BY_ITSELF.into(),
        },
    },
];

fn at(told: &Told<'_>) -> String {
    told.fact("address")
        .map_or_else(String::new, |it| format!(", at {it}"))
}

fn bytes(told: &Told<'_>) -> String {
    match (told.fact("bytes"), told.fact("expected")) {
        (Some(bytes), Some(expected)) => format!(" ({bytes} in the place of {expected})"),
        (Some(_) | None, _) => String::new(),
    }
}

fn by_tracer(told: &Told<'_>) -> String {
    let tracer = told.fact("tracer");
    tracer.map_or_else(String::new, |it| format!(", and {it} holds it"))
}

/// What lies where the program was.
fn in_its_place(told: &Told<'_>) -> &'static str {
    match told.fact("name").as_deref() {
        Some("copy") => "a copy of it",
        Some("pipe") => "a pipe",
        Some("folder") => "a folder",
        Some("socket") => "a socket",
        Some("device") => "a device",
        Some("no program") => "a file that is no program",
        Some("modified") => "a file that is not as its package has it",
        Some(_) | None => "a program of no package",
    }
}
