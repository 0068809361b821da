//! Reads segments ahead on a thread of its own, so that whoever folds does not wait.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Cut, Error, Line, Lines};

/// So many lines are handed on at once, and so many times that may wait.
const BATCH: usize = 512;
const AHEAD: usize = 16;

/// Opens one segment when its turn comes.
pub type Segment = Box<dyn FnOnce() -> io::Result<Box<dyn BufRead>> + Send>;

/// The lines of segments, in order. What a later segment restates is left out, unless the segment
/// before it is missing.
#[derive(Debug)]
pub struct Replay(Receiver<Read>);

/// What is read ahead.
#[derive(Debug)]
pub enum Read {
    /// Some lines more. `byte`: how far in this segment.
    Lines { lines: Vec<Line>, byte: u64 },
    /// A segment is over.
    Segment {
        /// Its place among those that were given, from 0.
        place: usize,
        unknown: u64,
        cut: Option<Cut>,
        /// It could not be read to its end. The next one follows.
        error: Option<Error>,
    },
}

impl Replay {
    /// Begins to read at once.
    ///
    /// Errors: no thread can be started.
    pub fn of(segments: Vec<Segment>) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(AHEAD);
        let thread = thread::Builder::new().name("replay".to_owned());
        thread.spawn(move || {
            let mut before = None;
            for (place, open) in segments.into_iter().enumerate() {
                if read(place, open, &mut before, &sender).is_none() {
                    return;
                }
            }
        })?;
        Ok(Self(receiver))
    }
}

impl Iterator for Replay {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        self.0.recv().ok()
    }
}

/// `before`: number of the segment that was read to its end before. `None`: nobody listens.
fn read(
    place: usize,
    open: Segment,
    before: &mut Option<u32>,
    sender: &SyncSender<Read>,
) -> Option<()> {
    let over = |unknown, cut, error| Read::Segment {
        place,
        unknown,
        cut,
        error,
    };
    let mut lines = match open() {
        Ok(reader) => Lines::new(reader),
        Err(error) => {
            *before = None;
            return sender.send(over(0, None, Some(error.into()))).ok();
        }
    };
    let (mut batch, mut error, mut follows, mut number) = (Vec::new(), None, false, None);
    while let Some(line) = lines.next() {
        match line {
            Ok(Line::Start(start)) => {
                follows = before.and_then(|before| before.checked_add(1)) == Some(start.segment);
                number = Some(start.segment);
                batch.push(Line::Start(start));
            }
            Ok(Line::Restated(_)) if follows => {}
            Ok(line) => batch.push(line),
            Err(failed) => error = Some(failed),
        }
        if batch.len() >= BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            let byte = lines.byte();
            sender.send(Read::Lines { lines: full, byte }).ok()?;
        }
    }
    *before = number.filter(|_| error.is_none());
    let byte = lines.byte();
    sender.send(Read::Lines { lines: batch, byte }).ok()?;
    sender.send(over(lines.unknown(), lines.cut(), error)).ok()
}
