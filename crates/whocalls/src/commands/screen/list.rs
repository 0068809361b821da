//! The list of what to ask from another computer, behind the screen: what is known here of an item, and
//! where the list is kept.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use model::{Question, Timestamp};
use observe::writer::Writer;
use record::review::{Review, path_of};
use show::tui::{Kept, Known, ToAsk, ToAskItem, Told};
use show::visible::harmless;

use crate::commands::lookup::answered_of;
use crate::commands::{data, known};
use crate::output::{self, Talk};

/// The list, and what was on it before.
pub(crate) struct List {
    keeping: Keeping,
    /// Computers about which nobody is asked.
    hosts: Vec<String>,
    items: Vec<(Question, Timestamp)>,
    before: Vec<ToAskItem>,
}

enum Keeping {
    /// The screen has it; the person saves it.
    Nowhere,
    /// In this file, which is beside a case.
    AtOnce(PathBuf),
    /// In a new file of this name beside a case that is being recorded, when the screen is over: nobody who
    /// has given up the rights can make one earlier, and the writer never writes over one.
    AtTheEnd {
        writer: io::Result<Writer>,
        name: String,
    },
}

impl List {
    pub(crate) fn in_memory() -> Self {
        Self {
            keeping: Keeping::Nowhere,
            hosts: vec![observe::host_name().lossy().into_owned()],
            items: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Beside a case that is there. What cannot be read is said, and the list is then kept nowhere.
    pub(crate) fn beside(case: &Path, host: Option<&str>, talk: Talk) -> Self {
        let mut list = Self::in_memory();
        list.hosts.extend(host.map(str::to_owned));
        let path = path_of(case);
        output::keep_files_private();
        match before(&path, talk) {
            Ok(before) => {
                list.before = before;
                list.keeping = Keeping::AtOnce(path);
            }
            Err(error) => talk.say(&format!(
                "The list of what to ask from another computer is not used: {error:#}\n"
            )),
        }
        list
    }

    /// Beside a case that is being recorded. To be called before the rights are given up.
    pub(crate) fn of_recording(case: &Path) -> Self {
        let path = path_of(case);
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let Some((folder, name)) = path.parent().zip(name) else {
            return Self::in_memory();
        };
        Self {
            keeping: Keeping::AtTheEnd {
                writer: Writer::start_in(folder),
                name,
            },
            ..Self::in_memory()
        }
    }

    /// For the screen.
    pub(crate) fn to_ask(&self) -> ToAsk {
        ToAsk {
            items: self.before.clone(),
            kept: match &self.keeping {
                Keeping::Nowhere => Kept::Nowhere,
                Keeping::AtOnce(path) => {
                    let name = path.file_name().unwrap_or_default();
                    Kept::AtOnce(name.to_string_lossy().into_owned())
                }
                Keeping::AtTheEnd { name, .. } => Kept::AtTheEnd(name.clone()),
            },
        }
    }

    /// What is known here; with what went wrong beside it.
    pub(super) fn look_up(&mut self, item: String, adds: bool) -> Vec<Told> {
        let review = match &self.keeping {
            Keeping::AtOnce(path) => Review::read(path).ok().flatten(),
            Keeping::Nowhere | Keeping::AtTheEnd { .. } => None,
        };
        let found = match known::here() {
            Some(here) => here.look_up(&item, &self.hosts, review.as_ref()),
            None => Err("nothing is known here: the tables were not opened".to_owned()),
        };
        let question = found.as_ref().ok().and_then(|it| it.question.clone().ok());
        let mut told = Vec::new();
        let is_added = adds && question.is_some();
        if let Some(question) = question.filter(|_| adds) {
            told.extend(self.add(question));
        }
        let known = Known {
            item,
            found: found.map(Box::new),
            is_added,
        };
        told.insert(0, Told::Known(Box::new(known)));
        told
    }

    /// `None`: it is where it is to be.
    pub(super) fn add(&mut self, question: Question) -> Option<Told> {
        let now = observe::now();
        if let Keeping::AtOnce(path) = &self.keeping {
            let added = Review::write(path).and_then(|it| it.ask_elsewhere(&question, now));
            return added.err().map(not_kept);
        }
        if !self.items.iter().any(|it| it.0 == question) {
            self.items.push((question, now));
        }
        None
    }

    /// `None`: it is no longer where it was.
    pub(super) fn take_off(&mut self, question: &Question) -> Option<Told> {
        if let Keeping::AtOnce(path) = &self.keeping {
            let taken = Review::write(path).and_then(|it| it.ask_no_more(question));
            return taken.err().map(not_kept);
        }
        self.items.retain(|it| it.0 != *question);
        None
    }

    /// The screen is over. `None`: nothing is left to be done.
    pub(super) fn finish(self) -> Option<String> {
        let Keeping::AtTheEnd { writer, name } = self.keeping else {
            return None;
        };
        if self.items.is_empty() {
            return None;
        }
        let saved = writer.map_err(anyhow::Error::from).and_then(|mut writer| {
            let mut review = Review::in_memory()?;
            for (question, added) in &self.items {
                review.ask_elsewhere(question, *added)?;
            }
            Ok(writer.save(&name, &review.bytes()?)?)
        });
        let items = self.items.iter().map(|it| it.0.to_string());
        let items = items.collect::<Vec<_>>().join(" ");
        Some(match saved {
            Ok(path) => format!(
                "to ask from another computer: {items}; kept in {}",
                harmless(&path.display().to_string())
            ),
            Err(error) => format!(
                "to ask from another computer: {items}; not kept beside the case: {error:#}"
            ),
        })
    }
}

/// What is in the file already.
fn before(path: &Path, talk: Talk) -> Result<Vec<ToAskItem>> {
    let Some(review) = Review::read(path)? else {
        return Ok(Vec::new());
    };
    let tables = data::tables(talk);
    let mut items = Vec::new();
    for (question, _) in review.to_ask()? {
        let answered = answered_of(&question, &review, &tables)?;
        items.push(ToAskItem { question, answered });
    }
    Ok(items)
}

fn not_kept(error: record::review::Error) -> Told {
    Told::NotKept(format!("{:#}", anyhow::Error::from(error)))
}
