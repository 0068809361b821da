//! Blocks that name processes.

use model::{Parent, Text};

use super::super::fields::Fields;
use super::super::notes;
use super::super::processes::{Facts, Index, Processes};

/// More are in no capture; each is remembered.
const MOST_BLOCKS: usize = 1 << 20;
/// The Wireshark Foundation's number, and what it calls a process information block.
const WIRESHARK: u32 = 32_622;
const PROCESS_ENTRY: u32 = 3;

const COMMENT: u16 = 1;
const NAME: u16 = 2;
const PATH: u16 = 3;
const COMMAND_LINE: u16 = 4;
const PARENT: u16 = 5;
const USER_ID: u16 = 6;
const USER: u16 = 7;
const STARTED: u16 = 9;

/// All blocks so far, by their number in the file. `None`: nobody.
#[derive(Default)]
pub(super) struct Blocks(Vec<Option<Index>>);

impl Blocks {
    pub(super) fn get(&self, number: u32) -> Option<Index> {
        *self.0.get(usize::try_from(number).ok()?)?
    }

    /// Apple's form: a pid, and its name as an option. `None`: cut, or too many.
    pub(super) fn apple(&mut self, mut body: Fields<'_>, processes: &mut Processes) -> Option<()> {
        let mut facts = Facts {
            pid: body.u32()?,
            ..Facts::default()
        };
        let mut ours = None;
        for (code, value) in body.options() {
            match code {
                NAME if facts.name.is_none() => facts.name = Some(Text::from(value.bytes)),
                COMMENT => ours = ours.or_else(|| notes::of_whocalls(value.bytes)),
                _ => {}
            }
        }
        if let Some(ours) = ours.filter(|ours| ours.pid == facts.pid) {
            facts.add(ours);
        }
        // 0 and -1 are nobody; 0 with a name is the kernel.
        let is_nobody = facts.pid == u32::MAX || (facts.pid == 0 && facts.name.is_none());
        let index = (!is_nobody).then(|| processes.tell(facts)).flatten();
        self.push(index)
    }

    /// Wireshark 5's form, in a custom block: its numbers are always little-endian. Other custom
    /// blocks are passed by.
    pub(super) fn custom(&mut self, mut body: Fields<'_>, processes: &mut Processes) -> Option<()> {
        if body.u32()? != WIRESHARK {
            return Some(());
        }
        body.is_big_endian = false;
        while body.bytes.len() >= 8 {
            let (kind, length) = (body.u32()?, body.size()?);
            let entry = body.padded(length)?;
            if kind == PROCESS_ENTRY {
                let index = processes.tell(wireshark(body.with(entry))?);
                self.push(index)?;
            }
        }
        Some(())
    }

    fn push(&mut self, index: Option<Index>) -> Option<()> {
        if self.0.len() >= MOST_BLOCKS {
            return None;
        }
        self.0.push(index);
        Some(())
    }
}

fn wireshark(mut entry: Fields<'_>) -> Option<Facts> {
    let mut facts = Facts {
        pid: entry.u32()?,
        ..Facts::default()
    };
    for (code, mut value) in entry.options() {
        let text = |value: Fields<'_>| Some(Text::from(value.bytes));
        match code {
            NAME => facts.name = text(value),
            PATH => facts.path = text(value),
            COMMAND_LINE => {
                // Some end the last one too.
                let arguments = value.bytes.strip_suffix(&[0]).unwrap_or(value.bytes);
                let arguments = arguments.split(|byte| *byte == 0);
                facts.command_line = Some(arguments.map(Text::from).collect());
            }
            PARENT => {
                facts.parent = value.u32().map(|pid| Parent {
                    pid,
                    name: Text::default(),
                    path: None,
                });
            }
            USER_ID => facts.uid = value.u32(),
            USER => facts.user = text(value),
            STARTED => {
                let started = value.u64().and_then(|started| i64::try_from(started).ok());
                facts.started = started;
            }
            _ => {}
        }
    }
    Some(facts)
}
