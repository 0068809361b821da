//! Where a case goes: where the person says; else beside whocalls when that lies on a removable
//! drive; else whoever records is asked. Never silently onto the computer under examination.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::interrupt::Interrupt;
use crate::output::{Talk, Usage};
use crate::platform;

const LONGEST_ANSWER: u64 = 4096;
/// How soon a signal is heard while an answer is waited for.
const STEP: Duration = Duration::from_millis(50);

/// Whether somebody can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The folder in which the folder of the case is to be made.
///
/// Errors: wrong usage: it was not said, and nobody can be asked.
pub(crate) fn folder(asked_for: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = asked_for {
        check(folder)?;
        return Ok(folder.to_path_buf());
    }
    let beside = observe::places::program_folder();
    if let Some(folder) = beside.filter(|folder| observe::places::is_removable(folder)) {
        return Ok(folder);
    }
    if !can_ask() {
        let text = "where the recording goes was not said, and there is no terminal to ask on\n\
                    help: --into FOLDER, best on a stick: what is written to the computer under \
                    examination may overwrite traces";
        return Err(Usage(text.to_owned()).into());
    }
    ask()
}

fn ask() -> Result<PathBuf> {
    let drives = observe::places::removable_places();
    let mut text = String::from(
        "Where is the recording to go? A new folder is made there. Best is a stick: what is written \
         to the computer under examination may overwrite traces.\n",
    );
    for (number, drive) in (1..).zip(&drives) {
        text.push_str(&format!("  {number}  {}\n", drive.display()));
    }
    text.push_str(if drives.is_empty() {
        "No removable drive is there. The folder, or Enter to stop: "
    } else {
        "Its number, another folder, or Enter to stop: "
    });
    loop {
        let answer = question(&text)?;
        if answer.is_empty() {
            return Err(Usage("nothing was recorded: no folder was named".to_owned()).into());
        }
        let number = answer
            .parse::<usize>()
            .ok()
            .and_then(|it| it.checked_sub(1));
        let drive = number.and_then(|number| drives.get(number).cloned());
        let folder = drive.unwrap_or_else(|| answer.into());
        match check(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => ASKING.say(&format!("{error:#}\n")),
        }
        "Another folder, or Enter to stop: ".clone_into(&mut text);
    }
}

/// Whether a case can be made there, before anything else is asked.
///
/// Errors: it cannot.
fn check(folder: &Path) -> Result<()> {
    let checked = observe::places::check_folder(folder);
    checked.map_err(|error| {
        let (why, help) = explained(folder, &error);
        anyhow!(
            "cannot record into {}: {why}\nhelp: {help}",
            folder.display()
        )
    })
}

/// Why a case cannot be made there, and what to do.
fn explained(folder: &Path, error: &io::Error) -> (String, &'static str) {
    let kind = error.kind();
    if kind == ErrorKind::NotFound {
        let missing = first_missing(folder);
        let what = match missing.is_symlink() {
            true => "a link leads nowhere:",
            false => "there is no folder",
        };
        (
            format!("{what} {}", missing.display()),
            platform::NO_SUCH_FOLDER,
        )
    } else if kind == ErrorKind::NotADirectory {
        let help = "name a folder: the case gets a new one in it";
        ("it is no folder, or leads through a file".to_owned(), help)
    } else if kind == ErrorKind::PermissionDenied {
        let why = "there is no right to write there".to_owned();
        (why, platform::NO_RIGHT_TO_WRITE)
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        let why = "what is mounted there is read-only".to_owned();
        (why, platform::READ_ONLY)
    } else {
        (error.to_string(), "name another folder")
    }
}

/// The uppermost folder on the way that is not there.
fn first_missing(folder: &Path) -> &Path {
    let mut missing = folder;
    for above in folder.ancestors().skip(1) {
        if above.as_os_str().is_empty() || above.symlink_metadata().is_ok() {
            break;
        }
        missing = above;
    }
    missing
}

const ASKING: Talk = Talk {
    quiet: false,
    verbose: false,
};

/// What a person answers on the terminal.
///
/// Errors: the terminal is gone.
pub(crate) fn question(text: &str) -> Result<String> {
    ASKING.say(text);
    answer()
}

/// What a person answers who may have gone. `None`: nothing, until then; or a signal came, or the
/// terminal has gone.
pub(super) fn question_until(text: &str, end: Instant, interrupt: &Interrupt) -> Option<String> {
    ASKING.say(text);
    let (tell, told) = channel();
    let thread = thread::Builder::new().name("answer".to_owned());
    // Where no answer comes it waits until the program ends.
    let begun = thread.spawn(move || tell.send(answer()));
    begun.ok()?;
    while !interrupt.is_asked() && Instant::now() < end {
        match told.recv_timeout(STEP) {
            Ok(answer) => return answer.ok(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    ASKING.say("\n");
    None
}

fn answer() -> Result<String> {
    let mut answer = String::new();
    let stdin = io::stdin().lock();
    let read = stdin.take(LONGEST_ANSWER).read_line(&mut answer);
    read.context("cannot read the answer")?;
    Ok(answer.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_and_what_to_do() {
        let own = std::env::temp_dir();
        let name = format!("whocalls-into-{}", std::process::id());
        let check = |below: &str, named: &str| {
            let folder = own.join(below);
            let said = super::check(&folder).unwrap_err().to_string();
            let (tried, help) = said.split_once("\nhelp: ").unwrap();
            let missing = own.join(named).display().to_string();
            assert_eq!(
                tried,
                format!(
                    "cannot record into {}: there is no folder {missing}",
                    folder.display()
                )
            );
            assert!(help.starts_with("name a folder that is there"), "{help}");
        };
        check(&name, &name);
        check(&format!("{name}/cases/today"), &name);
        let file = own.join(&name);
        std::fs::write(&file, "").unwrap();
        for folder in [file.clone(), file.join("below")] {
            let said = super::check(&folder).unwrap_err().to_string();
            assert!(
                said.contains("no folder, or") && said.contains("\nhelp: "),
                "{said}"
            );
        }
        std::fs::remove_file(&file).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
            let said = super::check(&file).unwrap_err().to_string();
            std::fs::remove_file(&file).unwrap();
            assert!(said.contains(": a link leads nowhere: /"), "{said}");
        }
        // Named from where we are, there is no folder above it.
        assert_eq!(first_missing(Path::new("nothing")), Path::new("nothing"));
    }
}
