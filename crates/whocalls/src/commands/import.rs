//! `whocalls import`: captures, logs and lists of other tools into a case, as they are.

mod chosen;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use observe::import::{Import, Options};
use record::case::{Added, Append, Appended, By, CASE_JSON, Error, Limits};
use record::crypt::Recipients;
use record::place::{Directory, Space};
use show::quantity::bytes;
use show::visible::harmless;

use self::chosen::{Choice, Chosen};
use super::case;
use super::imports::not_understood;
use super::record::{about, recipients};
use crate::arguments::ImportArguments;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk, Usage};

const SHOWN_EACH: Duration = Duration::from_millis(500);

pub(crate) fn run(arguments: &ImportArguments, talk: Talk) -> Result<Exit> {
    output::keep_files_private();
    let interrupt = Interrupt::listen()?;
    let choice = Choice::of(arguments)?;
    let case = arguments.case.as_path();
    let recipients = for_whom(arguments)?;
    check_running(case)?;
    let by = By {
        host: observe::host_name().lossy().into_owned(),
        by: observe::user(),
        tool: about::tool(),
    };
    let place = Box::new(place(case));
    let now = observe::now();
    let append = Append::open(case, place, recipients, Limits::default(), by, now);
    let mut append = append.map_err(explained)?;
    let mut copying = Copying {
        interrupt: &interrupt,
        shown: Instant::now(),
        is_shown: io::stderr().is_terminal() && !talk.quiet,
        done: 0,
        total: choice.bytes(),
    };
    let (mut added, mut ruined) = (Vec::new(), String::new());
    let mut failed = None;
    for chosen in &choice.files {
        match copying.copy(&mut append, chosen) {
            Ok(one) => {
                if let Some(twin) = append.twin(&one) {
                    talk.say(&format!(
                        "{}: the case has the same content already, as {twin}.\n",
                        chosen.path.display()
                    ));
                }
                let copy = (!append.is_encrypted()).then(|| case.join(&one.name));
                let stop = || interrupt.is_asked();
                let (path, known) = (&chosen.path, chosen.is_known());
                ruined.push_str(&misread(path, known, &one, copy.as_deref(), &stop));
                added.push(one);
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    copying.clear();
    // What is whole is sealed, also where the next one failed.
    let sealed = append.finish(observe::now()).map_err(explained);
    let sealed = match (sealed, failed) {
        (Ok(sealed), failed) => {
            say(&added, &sealed, case, talk)?;
            failed.map_or(Ok(sealed), Err)?
        }
        (Err(_), Some(failed)) => return Err(failed),
        (Err(error), None) => return Err(error),
    };
    choice.say_left_out(talk);
    talk.say(&ruined);
    Ok(
        match sealed.seal.is_none() || choice.has_left_out() || !ruined.is_empty() {
            true => Exit::Lost,
            false => Exit::Done,
        },
    )
}

/// Copies one file after the other, and says how far it is.
struct Copying<'a> {
    interrupt: &'a Interrupt,
    shown: Instant,
    is_shown: bool,
    done: u64,
    total: u64,
}

impl Copying<'_> {
    fn copy(&mut self, append: &mut Append, chosen: &Chosen) -> Result<Added> {
        let cannot = || format!("cannot import {}", chosen.path.display());
        let mut file = File::open(&chosen.path).with_context(cannot)?;
        let before = self.done;
        let mut progress = |bytes: u64| {
            self.done = before + bytes;
            self.show();
            match self.interrupt.is_asked() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let foreign = chosen.foreign();
        let added = append.add(observe::now(), &foreign, &mut file, &mut progress);
        added.map_err(|error| explained(error).context(cannot()))
    }

    /// Where nobody listens, nothing is said.
    fn show(&mut self) {
        if !self.is_shown || self.shown.elapsed() < SHOWN_EACH {
            return;
        }
        self.shown = Instant::now();
        let percent = self.done.saturating_mul(100) / self.total.max(1);
        let line = format!(
            "\r\x1b[K{percent:3} %  {} of {}",
            bytes(self.done),
            bytes(self.total)
        );
        let _ = io::stderr().write_all(line.as_bytes());
    }

    fn clear(&self) {
        if self.is_shown {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

/// Reads the copy of a file, and gives what was not understood of it in words; empty: nothing.
/// `copy`: where it lies; `None`: it is encrypted, and the file that it was made of is read, as long
/// as that is the same still. `is_known`: it was of a known kind when it was copied.
fn misread(
    path: &Path,
    is_known: bool,
    added: &Added,
    copy: Option<&Path>,
    is_asked_to_stop: &dyn Fn() -> bool,
) -> String {
    let is_other = || {
        let name = path.display();
        format!(
            "{name}: it was changed meanwhile: how much of the copy is understood is not known\n"
        )
    };
    let mut import = match Import::open(copy.unwrap_or(path), Options::default()) {
        Ok(import) => import,
        // What is of no kind was taken as it is.
        Err(_) if !is_known => return String::new(),
        Err(_) => return is_other(),
    };
    let mut seen = Vec::new();
    loop {
        seen.clear();
        match import.next(&mut seen) {
            Ok(true) if !is_asked_to_stop() => {}
            // What was not read is not known to be whole.
            Ok(true) => return format!("{}: not read to its end\n", path.display()),
            Ok(false) => break,
            Err(error) => return format!("{}: {error}\n", path.display()),
        }
    }
    let sha256 = || record::sha256(&mut File::open(path)?);
    if copy.is_none() && sha256().ok().as_ref() != Some(&added.sha256) {
        return is_other();
    }
    not_understood(path, import.kind(), import.skipped())
}

/// What came of it: a line for each file, as sha256sum has them, and the seals.
fn say(added: &[Added], sealed: &Appended, case: &Path, talk: Talk) -> Result<()> {
    if added.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for Added { name, sha256, .. } in added {
        text.push_str(&format!("{sha256}  {name}\n"));
    }
    if let Some(seal) = &sealed.seal {
        text.push_str(&format!("seal {}  {seal}\n", sealed.seals.len()));
    }
    output::stdout()?
        .write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    let all: u64 = added.iter().map(|one| one.bytes).sum();
    let files = match added.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let case = case.display();
    talk.say(&format!(
        "Copied {files}, {}, into {case}. Before each stands the SHA-256 of the file as it was.\n",
        bytes(all)
    ));
    talk.say(match (&sealed.seal, sealed.seals.len()) {
        (None, _) => {
            "The case has no seal: its recording was interrupted. What was imported has its line in \
             the manifest.\n"
        }
        (Some(_), 1) => "The case is sealed. Write the seal down, or send it to somebody.\n",
        (Some(_), _) => {
            "The case has a new seal. Write it down, or send it to somebody; earlier seals stay \
             valid.\n"
        }
    });
    Ok(())
}

/// For whom a case is encrypted. `None`: it is not.
fn for_whom(arguments: &ImportArguments) -> Result<Option<Recipients>> {
    let in_file = match &arguments.recipients_file {
        Some(file) => {
            let read = recipients::of_file(file)?;
            Some(read.ok_or_else(|| anyhow!("there is no file {}", file.display()))?)
        }
        None => None,
    };
    let is_encrypted = arguments.case.join(format!("{CASE_JSON}.age")).is_file();
    // A key.txt beside whocalls encrypts what is recorded, and nothing that is added to a plain case.
    let named = match is_encrypted {
        true => recipients::of_recording(&arguments.recipient)?,
        false => recipients::of_command_line(&arguments.recipient)?,
    };
    recipients::both(named, in_file)
}

/// Errors: wrong usage: it is being recorded on this computer.
fn check_running(case: &Path) -> Result<()> {
    // Where this cannot be told, a case that grows is known by its files.
    if case::is_being_recorded(case) {
        return Err(explained(Error::StillRecorded));
    }
    Ok(())
}

fn place(case: &Path) -> Directory {
    let path = case.to_owned();
    Directory::with_room(case, move || {
        let space = observe::places::space(&path)?;
        let endless = Space {
            free_bytes: u64::MAX,
            total_bytes: 0,
        };
        Ok(space.map_or(endless, |space| Space {
            free_bytes: space.free_bytes,
            total_bytes: space.total_bytes,
        }))
    })
}

fn explained(error: Error) -> anyhow::Error {
    if matches!(error, Error::NotEncrypted) {
        return Usage(error.to_string()).into();
    }
    match help(&error) {
        Some(help) => anyhow!("{error}\nhelp: {help}"),
        None => error.into(),
    }
}

/// What the person can do.
fn help(error: &Error) -> Option<&'static str> {
    if let Error::Write { source, .. } = error {
        let is_closed = matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        );
        return is_closed.then_some(
            "the case cannot be written to where it lies; copy it to a place where it can, and import \
             there",
        );
    }
    if matches!(error, Error::NoRecipients) {
        return Some("--recipient or --recipients-file names them, or a key.txt beside whocalls");
    }
    if matches!(error, Error::StillRecorded) {
        return Some("'whocalls record status' tells what runs; import when it has ended");
    }
    matches!(error, Error::Busy).then_some("wait until it has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_told_of_the_copy() {
        let whole =
            b"{\"timestamp\":\"2026-11-22T10:00:00.000000+0000\",\"event_type\":\"stats\"}\n";
        let odd = [whole.as_slice(), b"nonsense\n"].concat();
        let [first, second] = ["first", "second"].map(|name| {
            std::env::temp_dir().join(format!("whocalls-copy-{name}-{}", std::process::id()))
        });
        std::fs::write(&first, whole).unwrap();
        std::fs::write(&second, &odd).unwrap();
        let check = |path: &Path, copy: Option<&Path>, content: &[u8], expected: Option<&str>| {
            let added = Added {
                name: "imports/1-eve.json/eve.json".to_owned(),
                sha256: record::sha256(&mut &*content).unwrap(),
                bytes: content.len() as u64,
            };
            let told = misread(path, true, &added, copy, &|| false);
            match expected {
                Some(expected) => assert!(told.contains(expected), "{told}"),
                None => assert_eq!(told, ""),
            }
        };
        let odd_part = Some("1 part not understood");
        check(&first, Some(&second), &odd, odd_part);
        check(&second, Some(&first), whole, None);
        check(&first, None, whole, None);
        check(&second, None, &odd, odd_part);
        check(&first, None, &odd, Some("was changed meanwhile"));
        std::fs::remove_file(&first).unwrap();
        check(&first, None, whole, Some("was changed meanwhile"));
        std::fs::remove_file(&second).unwrap();
    }
}
