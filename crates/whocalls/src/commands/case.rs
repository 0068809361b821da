//! Opening a case, and going through what it tells.

pub(crate) mod damage;
pub(super) mod heard;
pub(super) mod packets;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use anyhow::{Context, Result, anyhow};
use model::{Event, EventKind, Gap, Observed, Restated, Snapshot, Text, Timestamp};
use record::case::{Error, Kind, OpenCase};
use record::crypt::Identities;
use record::lines::{self, Line, Read, Start};
use track::{Limits, Told, Tracker};

use self::damage::Damage;
use self::heard::Progress;
use super::data;
use super::imports::{self, Imports};
use super::record::recipients::{explained, short_bytes};
use super::record::{into, running};
use crate::arguments::{IdentityArguments, Moment};
use crate::exit::Exit;
use crate::output::{Talk, Usage};

/// What is read of a segment at once.
const BUFFER: usize = 256 * 1024;
/// A private key is short.
const LONGEST_KEY_FILE: u64 = 64 * 1024;

/// Whether a word of a command line is the folder of a case.
pub(super) fn is_case(word: &str) -> bool {
    let folder = Path::new(word);
    [record::case::MANIFEST, record::case::START_HERE]
        .iter()
        .any(|file| folder.join(file).is_file())
}

/// Whether it is being recorded on this computer just now, as far as this user may know.
pub(super) fn is_being_recorded(case: &Path) -> bool {
    let Ok(own) = case.canonicalize() else {
        return false;
    };
    let running = running::recordings().unwrap_or_default().running;
    let mut cases = running.iter().map(|it| Path::new(&it.case).canonicalize());
    cases.any(|case| case.is_ok_and(|case| case == own))
}

/// Opens the folder of a case.
///
/// Errors: no case, a newer format, encrypted and no key that fits.
pub(super) fn open(folder: &Path, identity: &IdentityArguments) -> Result<Arc<OpenCase>> {
    let named = identities(&identity.identity)?;
    match OpenCase::open(folder, named.as_ref()) {
        Ok(case) => Ok(Arc::new(case)),
        Err(Error::Encrypted { .. }) if into::can_ask() => {
            let file = into::question("The case is encrypted. The file with the private key: ")?;
            let named = identities(&[file.into()])?;
            Ok(Arc::new(OpenCase::open(folder, named.as_ref())?))
        }
        Err(error @ Error::Encrypted { .. }) => {
            Err(anyhow!("{error}\nhelp: --identity FILE names it"))
        }
        Err(error) => Err(error.into()),
    }
}

fn identities(files: &[PathBuf]) -> Result<Option<Identities>> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut all = String::new();
    for file in files {
        let cannot = || format!("cannot read the private key in {}", file.display());
        let open = File::open(file).with_context(cannot)?;
        let bytes = short_bytes(open, LONGEST_KEY_FILE).with_context(cannot)?;
        // What is no text is for the parser to name: it may be a key that is itself encrypted.
        all.push_str(&String::from_utf8_lossy(&bytes));
        all.push('\n');
    }
    let names: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
    let read = Identities::parse(&all, &names.join(", "));
    read.map(Some).map_err(explained)
}

/// What a case tells, one thing after the other, as the run saw it.
pub(super) struct Story {
    case: Arc<OpenCase>,
    reads: lines::Replay,
    lines: vec::IntoIter<Line>,
    /// Sizes of the segments, and how far it is.
    bytes: Vec<u64>,
    segment: usize,
    byte: u64,
    start: Start,
    /// The last line of the run has been read.
    ended: bool,
    /// What was not read.
    pub(super) missing: Missing,
}

/// What could not be read of a case.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// Lines that this build does not know.
    pub(super) unknown: u64,
    /// It ends where it was cut off: the recording was interrupted.
    pub(super) cut: bool,
    /// It goes on: it is being recorded just now.
    live: bool,
    /// It was never sealed, although nothing is cut off in it.
    pub(super) unsealed: bool,
    /// The first segments were let go, as was wished.
    pub(super) beginning: bool,
    /// What is not as it was recorded.
    pub(super) damage: Damage,
    /// What was not understood of its imports, for a person.
    imports: String,
    imports_lost: bool,
}

impl Missing {
    /// What the command ends with, where nothing else went wrong.
    pub(super) fn exit(&self) -> Exit {
        if !self.damage.is_none() {
            Exit::Damaged
        } else if self.cut || self.unsealed || self.unknown > 0 || self.imports_lost {
            Exit::Lost
        } else {
            Exit::Done
        }
    }
}

impl Missing {
    /// Keeps what its imports came to.
    pub(super) fn add_imports(&mut self, imports: &mut Imports, talk: Talk) {
        self.damage.join(imports.take_damage());
        self.imports = imports.text(talk);
        self.imports_lost = imports.is_loss();
    }
}

/// One thing that a case tells.
#[expect(
    clippy::large_enum_variant,
    reason = "there are millions of the large one, and the other comes once"
)]
pub(super) enum Tale {
    Observed(Observed),
    /// The run up to here is missing; this is what was known then.
    Resumed(Box<Restated>),
}

impl Tale {
    /// When it was. `None`: it is of no one time.
    pub(super) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Observed(Observed::Event(event)) => Some(event.time),
            Self::Observed(Observed::Look(look)) => Some(look.taken),
            Self::Observed(Observed::Counts(counts)) => counts.first().map(|it| it.time),
            Self::Observed(Observed::Process(_) | Observed::Gap(_)) => None,
            Self::Resumed(state) => Some(state.taken),
        }
    }

    pub(super) fn is_event(&self) -> bool {
        matches!(self, Self::Observed(Observed::Event(_)))
    }

    pub(super) fn apply(self, tracker: &mut Tracker, told: &mut Told<'_>) {
        match self {
            Self::Observed(observed) => tracker.apply(observed, told),
            Self::Resumed(state) => tracker.resume(*state, told),
        }
    }
}

impl Story {
    /// Errors: they cannot be read, or are of a newer format.
    pub(super) fn of(case: &Arc<OpenCase>) -> Result<Self> {
        let segments: Vec<_> = case.segments(Kind::Events).cloned().collect();
        let bytes = segments.iter().map(|segment| segment.bytes).collect();
        let first = case.first_number(Kind::Events);
        let readers = segments.into_iter().map(|segment| {
            let case = Arc::clone(case);
            let open = move || -> io::Result<Box<dyn BufRead>> {
                let reader = case.read(&segment).map_err(io::Error::other)?;
                Ok(Box::new(BufReader::with_capacity(BUFFER, reader)))
            };
            Box::new(open) as lines::Segment
        });
        let about = case.about();
        let mut story = Self {
            case: Arc::clone(case),
            reads: lines::Replay::of(readers.collect())?,
            lines: Vec::new().into_iter(),
            bytes,
            segment: 0,
            byte: 0,
            ended: false,
            start: Start {
                segment: 0,
                host: model::Host {
                    name: about.map_or_else(Text::default, |about| about.host.clone().into()),
                    boot: model::BootId([0; 16]),
                },
                taken: about.map_or(Timestamp::from_unix_nanos(0), |about| about.began),
                tier: model::Tier::Import,
            },
            missing: Missing {
                beginning: first.is_some_and(|first| first > 1),
                // It ended before the first event.
                cut: first.is_none(),
                live: !case.was_sealed() && is_being_recorded(case.path()),
                unsealed: !case.was_sealed(),
                unknown: 0,
                damage: Damage::of(case),
                imports: String::new(),
                imports_lost: false,
            },
        };
        // The first line of what can be read is such a one, or that is damage.
        if let Some(Line::Start(start)) = story.line()? {
            story.start = start;
        }
        Ok(story)
    }

    /// A tracker for it.
    pub(super) fn tracker(&self, limits: Limits) -> Tracker {
        Tracker::new(self.start.host.clone(), self.start.tier, limits)
            .with_addresses(data::addresses())
    }

    pub(super) fn start(&self) -> &Start {
        &self.start
    }

    /// How much has been read, and how much there is, in bytes.
    pub(super) fn progress(&self) -> (u64, u64) {
        let done: u64 = self.bytes.iter().take(self.segment).sum();
        (done + self.byte, self.bytes.iter().sum())
    }

    /// `None`: that was all. What is damaged is passed over, and is in `missing`.
    ///
    /// Errors: it cannot be read, or is of a newer format.
    pub(super) fn next(&mut self) -> Result<Option<Tale>> {
        while let Some(line) = self.line()? {
            match line {
                Line::Observed(observed) => return Ok(Some(Tale::Observed(observed))),
                Line::Restated(state) => return Ok(Some(Tale::Resumed(state))),
                Line::Start(_) => {}
                Line::End(_) => self.ended = true,
                Line::Unknown => self.missing.unknown += 1,
            }
        }
        // A run that was not cut off says so in its last line, unless that is damaged.
        self.missing.cut |= !self.ended && self.missing.damage.is_none();
        Ok(None)
    }

    /// Reads the segment to its end that has been begun, so that all that was taken of it is known to
    /// be as it was recorded.
    ///
    /// Errors: as [`Story::next`].
    fn check_begun(&mut self) -> Result<()> {
        let segment = self.segment;
        while segment == self.segment && self.line()?.is_some() {
            self.lines = Vec::new().into_iter();
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Line>> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(Some(line));
            }
            match self.reads.next() {
                None => return Ok(None),
                Some(Read::Lines { lines, byte }) => {
                    self.lines = lines.into_iter();
                    self.byte = byte;
                }
                Some(Read::Segment {
                    place,
                    unknown: _,
                    cut,
                    error,
                }) => {
                    if let Some(error) = error {
                        self.failed(place, error)?;
                    } else {
                        self.is_over(place, cut.is_some());
                    }
                    self.segment = place + 1;
                    self.byte = 0;
                }
            }
        }
    }

    /// A segment was read to its end.
    fn is_over(&mut self, place: usize, is_cut: bool) {
        match self.case.segments(Kind::Events).nth(place) {
            Some(segment) if is_cut && segment.is_closed => {
                let text = format!(
                    "{}: it ends in the middle, and was closed all the same",
                    segment.name
                );
                self.missing.damage.add(&segment.name, text);
            }
            segment => {
                self.missing.cut |= is_cut || segment.is_some_and(|it| !it.is_closed);
            }
        }
    }

    /// A damaged case is something else than a disk that cannot be read.
    fn failed(&mut self, place: usize, error: lines::Error) -> Result<()> {
        let Some(segment) = self.case.segments(Kind::Events).nth(place) else {
            return Err(error.into());
        };
        match error {
            lines::Error::Read(error) => {
                Ok(self.missing.damage.take(self.case.fault(segment, error))?)
            }
            lines::Error::Foreign | lines::Error::Damaged { .. } => {
                let text = format!("{}: {error}", segment.name);
                self.missing.damage.add(&segment.name, text);
                Ok(())
            }
            lines::Error::TooNew { .. } => {
                Err(anyhow::Error::new(error).context(format!("in {}", segment.name)))
            }
        }
    }
}

/// What of a case is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Only the events that were recorded.
    Recording,
    /// Also the captures and logs that were imported into it and, where somebody is to judge, its packets.
    WithImports,
}

/// All that a case tells up to a moment; of all of it where none is given. With what could not be
/// read on the way, which is yet to be said. `named` is handed each event that tells a name.
///
/// Errors: it cannot be read, or is of a newer format.
pub(super) fn replay(
    case: &Arc<OpenCase>,
    at: Option<Moment>,
    wanted: Wanted,
    limits: Limits,
    named: &mut dyn FnMut(&Event),
    talk: Talk,
) -> Result<(Snapshot, Missing)> {
    let mut story = Story::of(case)?;
    let mut tracker = story.tracker(limits);
    let begun = story.start().taken;
    let until = at.map(|at| at.from(begun));
    let is_before = until.is_some_and(|until| until < begun);
    let mut is_told = !is_before;
    let mut goes_on = false;
    while let Some(tale) = story.next()? {
        if let (Some(time), Some(until)) = (tale.time(), until)
            && time > until
        {
            goes_on = true;
            break;
        }
        if let Tale::Observed(Observed::Event(event)) = &tale
            && event.kind == EventKind::NameSeen
        {
            named(event);
        }
        tale.apply(&mut tracker, &mut |_, _, _| {});
    }
    let mut snapshot = tracker.snapshot();
    let mut heard = None;
    if wanted == Wanted::WithImports && limits.pairs > 0 {
        let mut progress = Progress::new(talk);
        let mut say = |done, total| {
            progress.say(done, total);
            true
        };
        // Before imports, whose connections would be those of the packets as well.
        let told = heard::heard(case, &snapshot, until, &mut story.missing, &mut say)?;
        progress.end();
        heard = Some(told);
    }
    if wanted == Wanted::WithImports {
        let mut imports = Imports::of_case(case);
        if !imports.is_empty() {
            let taken = snapshot.taken;
            let mut named = |event: &Event| {
                if until.is_none_or(|until| event.time <= until) {
                    named(event);
                }
            };
            imports::fold(
                &mut imports,
                &mut tracker,
                &mut |_, _, _| {},
                &mut named,
                talk,
            )?;
            snapshot = tracker.snapshot();
            if let Some(until) = until {
                let covered = imports.covered();
                snapshot = imports::at_in_case(snapshot, imports.connections(), covered, until);
                snapshot.taken = if is_before { until } else { taken };
                is_told |= imports.covered().has_begun(until);
            }
        }
        story.missing.add_imports(&mut imports, talk);
    }
    if let Some(heard) = heard {
        snapshot = heard.put(snapshot, None);
    }
    if !is_told {
        let text = format!("the recording began later, at {begun}\nhelp: --at is in UTC");
        return Err(Usage(text).into());
    }
    if is_before {
        talk.say(&format!(
            "The recording began later, at {begun}; this is what its imports tell.\n"
        ));
    }
    if goes_on {
        story.check_begun()?;
    }
    if until.is_some() && !goes_on {
        talk.say(&format!(
            "The recording ended before, at {}; this is how it stood then.\n",
            snapshot.taken
        ));
    }
    Ok((snapshot, story.missing))
}

/// Says what of a case was not read, when all else has been said.
pub(super) fn say_missing(missing: &Missing, talk: Talk) {
    missing.damage.say();
    talk.say(&missing_text(missing));
}

/// The same, but for what is damaged.
pub(super) fn missing_text(missing: &Missing) -> String {
    let mut text = missing.imports.clone();
    if missing.live {
        text += "It is still being recorded: this is what stood in it a moment ago.\n";
    } else if missing.cut {
        text += "The recording was interrupted: what happened in its last moment is missing.\n";
    } else if missing.unsealed {
        text += "The case was never sealed: it was ended before that, or its seal was taken out.\n";
    }
    if missing.beginning {
        text += "The oldest events were let go, to stay below --max-size; the log says which.\n";
    }
    if missing.unknown > 0 {
        text += &format!(
            "{} lines are of a kind that this build does not know; a newer one may.\n",
            missing.unknown
        );
    }
    text
}

/// Events of which the gaps say that there was no room for them.
pub(super) fn lost(gaps: &[Gap]) -> u64 {
    let of_events = gaps.iter().filter(|gap| gap.id == "events_lost");
    of_events.filter_map(|gap| gap.count).sum()
}
