//! What was told of a file so far, and what all its forms share: the head, processes, connections, gaps.

use std::collections::HashSet;
use std::sync::Arc;

use model::{BootId, Gap, Imported, Process, ProcessId, SavedLook, Source, Tier};

use super::super::format::Out;
use super::super::json::Value;
use super::super::told::Devices;
use super::connection::connection;
use super::members::Members;
use super::process::{self, process};

/// So many processes are told; what further ones own has no owner.
const MOST_PROCESSES: usize = 1 << 18;
/// So many bytes of command lines and parents are kept of all processes together.
const MOST_TEXT: usize = 64 << 20;
const MOST_GAPS: usize = 4096;

#[derive(Default)]
pub(super) struct Known {
    pub(super) devices: Devices,
    pub(super) look: SavedLook,
    told: HashSet<ProcessId>,
    text: usize,
    /// Processes of which texts were left out, and processes for which there was no room.
    cut: u64,
    let_go: u64,
    gaps: usize,
}

impl Known {
    /// Which computer it was, when, and how it was looked at: a member of the document, or of the line
    /// that a stream begins with.
    pub(super) fn head(&mut self, name: &[u8], value: Value<'_>, out: &Out) {
        let members = Members::only(value);
        match name {
            b"host" => self.look.host = value.text(),
            b"boot" => self.look.boot = boot(value),
            b"taken" => self.look.taken = members.time("", out),
            b"tier" => self.look.tier = members.word("", &Tier::ALL, Tier::word),
            b"every_process" => self.look.every_process = members.is_true(""),
            b"left_out" => {
                let left_out = Members::of(value);
                self.look.waiting_left_out = left_out.number("waiting");
                self.look.others_left_out = left_out.number("others");
            }
            _ => {}
        }
    }

    pub(super) fn tell_look(&self, out: &mut Out) {
        let look = Box::new(self.look.clone());
        out.seen.push(Imported::Look(look));
    }

    /// Errors, in words: what of it makes no sense.
    pub(super) fn process(&mut self, value: Value<'_>, out: &mut Out) -> Result<(), &'static str> {
        let process = process(&Members::of(value), out).ok_or("a process without an id")?;
        self.tell(process, out);
        Ok(())
    }

    /// Errors, in words: what of it makes no sense.
    pub(super) fn connection(
        &mut self,
        value: Value<'_>,
        out: &mut Out,
    ) -> Result<(), &'static str> {
        let connection = connection(&Members::of(value), self, out)?;
        out.seen.push(Imported::Connection(Box::new(connection)));
        Ok(())
    }

    /// The process that the short form within a connection names. It is told where nothing else tells of
    /// it. `None`: it names none, or there was no room for it.
    pub(super) fn brief(&mut self, members: &Members<'_>, out: &mut Out) -> Option<ProcessId> {
        let id = process::id(members.value("id"), out)?;
        if !self.told.contains(&id)
            && let Some(process) = process(members, out)
        {
            self.tell(process, out);
        }
        self.told.contains(&id).then_some(id)
    }

    fn tell(&mut self, mut process: Process, out: &mut Out) {
        if self.told.len() >= MOST_PROCESSES && !self.told.contains(&process.id) {
            self.let_go += 1;
            return;
        }
        self.told.insert(process.id);
        self.text = self.text.saturating_add(text_of(&process));
        if self.text > MOST_TEXT {
            self.cut += 1;
            process.command_line = None;
            process.parents = Vec::new();
            process.examined = None;
        }
        out.seen.push(Imported::Process(Arc::new(process)));
    }

    /// Errors, in words: what of it makes no sense.
    pub(super) fn gap(&mut self, value: Value<'_>, out: &mut Out) -> Result<(), &'static str> {
        let gap = Members::of(value);
        let text = |name| gap.value(name).string().unwrap_or_default();
        let text = |name| String::from_utf8_lossy(&text(name)).into_owned();
        let id = text("id");
        if id.is_empty() || self.gaps >= MOST_GAPS {
            return Err("a gap without an id, or one too many");
        }
        self.gaps += 1;
        let source = gap.word("source", &Source::ALL, Source::word);
        out.seen.push(Imported::Gap(Gap {
            source: source.unwrap_or(Source::Log),
            why: text("why"),
            missed: text("missed"),
            since: gap.time("since", out),
            until: gap.time("until", out),
            count: gap.number("count"),
            id,
        }));
        Ok(())
    }

    /// All is read.
    pub(super) fn end(&mut self, out: &mut Out) {
        let limits = [
            (
                std::mem::take(&mut self.cut),
                "texts_let_go",
                "more than 64 MiB of command lines, of parents and of what was found in processes",
                "these of some processes",
            ),
            (
                std::mem::take(&mut self.let_go),
                "processes_let_go",
                "the file tells of more than 262,144 processes",
                "further processes, and the owners of their connections",
            ),
        ];
        for (count, id, why, missed) in limits.into_iter().filter(|it| it.0 > 0) {
            let gap = Gap::standing(id, Source::Log, why, missed);
            let count = Some(count);
            out.seen.push(Imported::Gap(Gap { count, ..gap }));
        }
    }
}

/// What is kept of texts that can be long.
fn text_of(process: &Process) -> usize {
    let arguments = process.command_line.iter().flatten();
    let arguments = arguments.map(|it| it.bytes().len());
    let parents = process.parents.iter();
    let parents =
        parents.map(|it| it.name.bytes().len() + it.path.as_ref().map_or(0, |it| it.bytes().len()));
    let checks = process.examined.iter().flat_map(|it| &it.checks);
    let traces = checks.filter_map(|it| match &it.outcome {
        model::Outcome::Found { traces, .. } => Some(traces),
        model::Outcome::NothingFound | model::Outcome::NotTestable(_) => None,
    });
    let traces = traces
        .flatten()
        .flat_map(|it| [&it.path, &it.package, &it.name]);
    let traces = traces.flatten().map(|it| it.bytes().len());
    arguments.chain(parents).chain(traces).sum()
}

/// All zeros: it was a file itself.
fn boot(value: Value<'_>) -> Option<BootId> {
    let text = std::str::from_utf8(value.plain()?).ok()?;
    BootId::parse(text).filter(|it| it.0 != [0; 16])
}
