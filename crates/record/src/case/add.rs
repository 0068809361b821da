//! Whole files that are added to a case: while it is written, and one more behind its seal.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::output::{self, Raw, Spare, SpareState, Written, most_encrypted};
use super::{Case, DERIVED, Error, FOLDERS, Inner, KEPT_FOR_LINES, LOG, Line, Seal, log, name};
use crate::crypt::Recipients;

impl Case {
    /// Adds a whole file: `snapshots/first.json`, `imports/1-name/...`. It has its name only when
    /// all of it is on the disk. In an encrypted case it gets `.age` behind it.
    ///
    /// Errors: a name that cannot be, or is there already; of `from` ([`Error::Read`]); of the place.
    pub fn add(&self, time: Timestamp, name: &str, from: &mut dyn Read) -> Result<(), Error> {
        check_name(name)?;
        self.put(time, name, true, from)
    }

    /// Adds the file of a program as `programs/<sha256>`, once however often it is added. Tells the
    /// SHA-256 of its content.
    ///
    /// Errors: as [`Case::add`].
    pub fn add_program(&self, time: Timestamp, from: &mut dyn Read) -> Result<String, Error> {
        let copy = {
            let mut inner = self.lock();
            inner.copies += 1;
            format!("programs/copy-{}", inner.copies)
        };
        let (copied, sha256) = self.copy(&copy, true, from)?;
        let name = self.name_on_disk(&format!("programs/{sha256}"), true);
        let is_there = self.lock().manifest.has(&name);
        if is_there {
            self.forget(copied)?;
        } else {
            self.keep(time, &name, copied)?;
        }
        Ok(sha256)
    }

    /// Adds a short file to the sealed case, and seals it again, as an import does. The seal that was
    /// there stays that of what was there. After an error nothing of the file is in the case, and it
    /// is sealed as before where [`Case::is_sealed`] says so; else it is not sealed, and consistent.
    ///
    /// Errors: a name that cannot be, or is there already; of the place; it was not sealed.
    pub fn add_and_seal(&self, time: Timestamp, name: &str, content: &[u8]) -> Result<Seal, Error> {
        check_name(name)?;
        let (spare, recipients) = (&self.0.spare, self.0.recipients.as_ref());
        let name = self.name_on_disk(name, true);
        let temporary = format!("{name}.new");
        let mut inner = self.lock();
        let Some(mark) = inner.manifest.log_marks().last().cloned() else {
            let file = LOG.to_owned();
            return Err(Error::StillOpen { file });
        };
        inner.make_folder_of(&name)?;
        // What is cut off from here on was not sealed, and is not taken for changed.
        inner.manifest.begin_import();
        let written = inner
            .write_manifest(spare)
            .and_then(|()| inner.write_whole(&temporary, spare, recipients, content))
            .and_then(|written| {
                let named = inner.place.rename(&temporary, &name);
                named.map(|()| written).map_err(Error::write(&name))
            });
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                inner.take_import_back(&temporary, spare);
                return Err(error);
            }
        };
        let facts = inner.list(&name, &written, spare)?;
        let mark = match recipients {
            // Such a log is sealed with what it holds.
            Some(_) => mark,
            None => {
                inner.append(time, log::FILE_ADDED, facts)?;
                inner.log.mark()
            }
        };
        inner.end_with(mark, spare)
    }

    /// Puts what was computed from the case beside it, as `derived/NAME`: outside of manifest and log,
    /// since it can be computed again. To be called when the case is sealed.
    ///
    /// Errors: a name that cannot be; no room; of the place.
    pub fn add_derived(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let name = self.name_on_disk(&format!("{DERIVED}/{name}"), true);
        self.claim(&name, content.len() as u64 + KEPT_FOR_LINES)?;
        let (spare, recipients) = (&self.0.spare, self.0.recipients.as_ref());
        let mut inner = self.lock();
        inner.make_folder_of(&name)?;
        inner.write_whole(&name, spare, recipients, content)?;
        inner.sync(&name)
    }

    /// Whether all that is in it is sealed.
    pub fn is_sealed(&self) -> bool {
        self.lock().manifest.is_sealed()
    }

    pub(super) fn put(
        &self,
        time: Timestamp,
        name: &str,
        is_sealed: bool,
        from: &mut dyn Read,
    ) -> Result<(), Error> {
        let (copied, _) = self.copy(name, is_sealed, from)?;
        self.keep(time, &self.name_on_disk(name, is_sealed), copied)
    }

    pub(super) fn name_on_disk(&self, name: &str, is_sealed: bool) -> String {
        match is_sealed && self.is_encrypted() {
            true => format!("{name}.age"),
            false => name.to_owned(),
        }
    }

    /// Writes a file that has no name yet, and tells the SHA-256 of what it was made of.
    fn copy(
        &self,
        name: &str,
        is_sealed: bool,
        from: &mut dyn Read,
    ) -> Result<(Copied, String), Error> {
        let temporary = format!("{}.new", self.name_on_disk(name, is_sealed)).to_lowercase();
        let file = {
            let mut inner = self.lock();
            inner.make_folder_of(&temporary)?;
            let spare = &self.0.spare;
            let made = spare.with(|| inner.create(&temporary));
            made.map_err(Error::write(&temporary))?
        };
        let recipients = self.0.recipients.as_ref().filter(|_| is_sealed);
        let mut claimed = 0;
        let copied =
            self.fill(file, recipients, name, from, &mut claimed)
                .map(|(written, sha256)| {
                    let from = temporary.clone();
                    (
                        Copied {
                            from,
                            written,
                            claimed,
                        },
                        sha256,
                    )
                });
        if copied.is_err() {
            let mut inner = self.lock();
            inner.used = inner.used.saturating_sub(claimed);
            inner.discard(&temporary);
        }
        copied
    }

    fn fill(
        &self,
        file: File,
        recipients: Option<&Recipients>,
        name: &str,
        from: &mut dyn Read,
        claimed: &mut u64,
    ) -> Result<(Written, String), Error> {
        let mut claim = |bytes| -> Result<(), Error> {
            self.claim(name, bytes)?;
            *claimed += bytes;
            Ok(())
        };
        if let Some(recipients) = recipients {
            claim(most_encrypted(0, recipients))?;
        }
        let raw = Raw::new(file, Arc::clone(&self.0.spare));
        let copied = output::copy(raw, recipients, name, from, &mut |bytes| {
            // An encrypted chunk of 64 KiB has 16 bytes more.
            claim(bytes + 16)?;
            match self.0.spare.state() {
                SpareState::Full => self.check_space(),
                SpareState::Enough | SpareState::Low => Ok(()),
            }
        })?;
        Ok((copied.written, copied.sha256))
    }

    /// Removes a copied file again.
    fn forget(&self, copied: Copied) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.used = inner.used.saturating_sub(copied.claimed);
        let removed = inner.place.remove(&copied.from);
        removed.map_err(Error::write(&copied.from))
    }

    /// Gives a copied file its name and its lines.
    fn keep(&self, time: Timestamp, name: &str, copied: Copied) -> Result<(), Error> {
        let Copied {
            from,
            written,
            claimed,
        } = copied;
        let mut inner = self.lock();
        inner.notice(time);
        inner.used = inner.used.saturating_sub(claimed);
        let fault = match inner.finished {
            true => Some(Error::Finished {
                file: name.to_owned(),
            }),
            false => inner
                .place
                .rename(&from, name)
                .err()
                .map(Error::write(name)),
        };
        if let Some(fault) = fault {
            inner.discard(&from);
            return Err(fault);
        }
        inner.used += written.bytes;
        let facts = inner.list(name, &written, &self.0.spare)?;
        inner.tell(time, log::FILE_ADDED, facts)
    }
}

/// A file that is on the disk and has no name yet.
struct Copied {
    from: String,
    written: Written,
    claimed: u64,
}

impl Inner {
    fn write_whole(
        &mut self,
        name: &str,
        spare: &Arc<Spare>,
        recipients: Option<&Recipients>,
        mut content: &[u8],
    ) -> Result<Written, Error> {
        let made = self.create(name).map_err(Error::write(name))?;
        let raw = Raw::new(made, Arc::clone(spare));
        let copied = output::copy(raw, recipients, name, &mut content, &mut |_| Ok(()))?;
        Ok(copied.written)
    }

    /// Nothing was added: the seal that was there is to stand again. Where that cannot be, the case
    /// stays without one.
    fn take_import_back(&mut self, temporary: &str, spare: &Spare) {
        self.discard(temporary);
        if !self.open.is_empty() {
            return;
        }
        self.manifest.forget_import();
        if self.write_manifest(spare).is_err() {
            self.manifest.begin_import();
        }
    }

    /// Gives a file that has its name its line in the manifest, and tells what the log is to tell.
    fn list(&mut self, name: &str, written: &Written, spare: &Spare) -> Result<Value, Error> {
        self.sync(name)?;
        let line = Line::new(name.to_owned(), &written.sha256);
        let facts = json!({ "file": name, "sha256": line.sha256, "bytes": written.bytes });
        self.manifest.add(line);
        self.write_manifest(spare)?;
        Ok(facts)
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let folder = name.split_once('/').map(|(folder, _)| folder);
    let is_in_folder = folder.is_some_and(|folder| FOLDERS.contains(&folder));
    let is_unfinished = name.contains(".part") || name.ends_with(".new");
    let why = match name::fault(name) {
        Some(why) => why,
        None if !is_in_folder => "it is in none of the folders for files",
        None if is_unfinished || name.ends_with(".age") => "its ending is for other files",
        None => return Ok(()),
    };
    let name = name.to_owned();
    Err(Error::Name { name, why })
}
