//! Reads segments ahead on threads of their own, several at once, so that whoever folds does not
//! wait. What comes out is in order all the same.

use std::io::{self, BufRead};
use std::iter::Enumerate;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::vec;

use super::{Cut, Error, Line, Lines};

/// So many lines are handed on at once, and so many times that may wait for each segment: nearly all
/// of one that is full, so that a thread that is ahead is not stopped soon.
const BATCH: usize = 512;
const AHEAD: usize = 256;
/// What is read ahead takes memory.
const MOST_THREADS: usize = 4;

/// Opens one segment when its turn comes.
pub type Segment = Box<dyn FnOnce() -> io::Result<Box<dyn BufRead>> + Send>;

/// The lines of segments, in order. What a later segment restates is left out, unless the segment
/// before it is missing.
#[derive(Debug)]
pub struct Replay {
    /// Of each segment that is read, in order.
    segments: Receiver<Receiver<Read>>,
    /// The one that is read, and its number once that is known.
    current: Option<(Receiver<Read>, Option<u32>)>,
    /// Number of the segment before, if it was read to its end.
    before: Option<u32>,
    /// What the current segment restates is known.
    follows: bool,
}

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

/// What no thread has begun.
struct Waiting {
    segments: Enumerate<vec::IntoIter<Segment>>,
    /// Where the lines of a segment that is begun can be got. It holds few: no thread is far ahead.
    begun: SyncSender<Receiver<Read>>,
}

impl Replay {
    /// Begins to read at once.
    ///
    /// Errors: no thread can be started.
    pub fn of(segments: Vec<Segment>) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(MOST_THREADS).min(segments.len());
        let (begun, receiver) = sync_channel(1);
        let waiting = Arc::new(Mutex::new(Waiting {
            segments: segments.into_iter().enumerate(),
            begun,
        }));
        for number in 0..threads {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new().name("replay".to_owned());
            let started = thread.spawn(move || read_all(&waiting));
            // One is enough.
            if number == 0 {
                started?;
            }
        }
        Ok(Self {
            segments: receiver,
            current: None,
            before: None,
            follows: false,
        })
    }

    /// Notes which segment this is, and leaves out what is known.
    fn pick(&mut self, lines: &mut Vec<Line>) {
        if let (Some(Line::Start(start)), Some((_, number))) = (lines.first(), &mut self.current) {
            let next = self.before.and_then(|before| before.checked_add(1));
            self.follows = next == Some(start.segment);
            *number = Some(start.segment);
        }
        if self.follows {
            lines.retain(|line| !matches!(line, Line::Restated(_)));
        }
    }
}

impl Iterator for Replay {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            let Some((receiver, number)) = &self.current else {
                self.current = Some((self.segments.recv().ok()?, None));
                continue;
            };
            let Ok(mut read) = receiver.recv() else {
                // Its thread has failed, and so has told no end.
                self.before = None;
                self.follows = false;
                self.current = None;
                continue;
            };
            match &mut read {
                Read::Lines { lines, .. } => self.pick(lines),
                Read::Segment { error, .. } => {
                    self.before = number.filter(|_| error.is_none());
                    self.follows = false;
                    self.current = None;
                }
            }
            return Some(read);
        }
    }
}

/// Reads one segment after the other, as long as somebody wants them.
fn read_all(waiting: &Mutex<Waiting>) {
    while let Some((place, open, sender)) = begin(waiting) {
        if read(place, open, &sender).is_none() {
            return;
        }
    }
}

/// The next segment, and where its lines go. `None`: there is none, or nobody listens.
fn begin(waiting: &Mutex<Waiting>) -> Option<(usize, Segment, SyncSender<Read>)> {
    // Whoever waits here keeps the others from overtaking.
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let (place, open) = waiting.segments.next()?;
    let (sender, receiver) = sync_channel(AHEAD);
    waiting.begun.send(receiver).ok()?;
    Some((place, open, sender))
}

/// `None`: nobody listens.
fn read(place: usize, open: Segment, sender: &SyncSender<Read>) -> Option<()> {
    let over = |unknown, cut, error| Read::Segment {
        place,
        unknown,
        cut,
        error,
    };
    let mut lines = match open() {
        Ok(reader) => Lines::new(reader),
        Err(error) => return sender.send(over(0, None, Some(error.into()))).ok(),
    };
    let (mut batch, mut error) = (Vec::with_capacity(BATCH), None);
    while let Some(line) = lines.next() {
        match line {
            Ok(line) => batch.push(line),
            Err(failed) => error = Some(failed),
        }
        if batch.len() >= BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            let byte = lines.byte();
            sender.send(Read::Lines { lines: full, byte }).ok()?;
        }
    }
    let byte = lines.byte();
    sender.send(Read::Lines { lines: batch, byte }).ok()?;
    // Whoever hands the bytes on may find out at their end that they are not the ones that were
    // written: that is the better reason.
    if error.is_some()
        && let Err(changed) = lines.skip_rest()
    {
        error = Some(changed.into());
    }
    sender.send(over(lines.unknown(), lines.cut(), error)).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use model::{BootId, Gap, Host, Observed, Restated, Source, Text, Tier, Timestamp};

    use super::*;
    use crate::lines::Encoder;

    /// A segment of so many gaps, whose texts count on; it restates what was before.
    fn segment(number: u32, gaps: std::ops::Range<usize>) -> Vec<u8> {
        let host = Host {
            name: Text::from("lena-laptop"),
            boot: BootId([1; 16]),
        };
        let taken = Timestamp::from_unix_nanos(1);
        let (mut encoder, mut bytes) = (Encoder::new(), Vec::new());
        encoder.start(&host, taken, Tier::Full, number, &mut bytes);
        let state = Restated {
            taken,
            time: taken,
            boot_ns: 1,
            home_netns: None,
            users: Default::default(),
            remembered: Vec::new(),
            gaps: Vec::new(),
            later_gaps: Vec::new(),
            lost: false,
            processes: Vec::new(),
            connections: Vec::new(),
            answers: Vec::new(),
            names: Vec::new(),
        };
        encoder.restate(&state, &mut bytes);
        for gap in gaps {
            let gap = Gap::standing("gap", Source::Ebpf, gap.to_string(), "nothing");
            encoder.observed(&Observed::Gap(gap), &mut bytes);
        }
        bytes
    }

    /// The numbers of the gaps, which segments restate something, and which end with an error.
    fn replayed(segments: Vec<Vec<u8>>) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
        let open = |bytes: Vec<u8>| -> Segment {
            Box::new(|| Ok(Box::new(BufReader::new(Cursor::new(bytes)))))
        };
        let replay = Replay::of(segments.into_iter().map(open).collect()).unwrap();
        let (mut gaps, mut restated, mut broken, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for read in replay {
            match read {
                Read::Lines { lines, .. } => {
                    for line in lines {
                        match line {
                            Line::Observed(Observed::Gap(gap)) => {
                                gaps.push(gap.why.parse().unwrap())
                            }
                            Line::Restated(_) => restated.push(at),
                            Line::Start(_) => {}
                            other @ (Line::Observed(_) | Line::End(_) | Line::Unknown) => {
                                panic!("{other:?}")
                            }
                        }
                    }
                }
                Read::Segment { place, error, .. } => {
                    assert_eq!(place, at);
                    broken.extend(error.map(|_| place));
                    at += 1;
                }
            }
        }
        (gaps, restated, broken)
    }

    #[test]
    fn segments_that_are_read_at_once_come_in_order() {
        let each = 3 * BATCH + 7;
        let segments = (0..9).map(|place| {
            let number = u32::try_from(place + 1).unwrap();
            segment(number, place * each..(place + 1) * each)
        });
        let (gaps, restated, broken) = replayed(segments.collect());
        assert_eq!(gaps, (0..9 * each).collect::<Vec<_>>());
        // What the first one restates, nobody has told before.
        assert_eq!((restated, broken), (vec![0], vec![]));
    }

    #[test]
    fn what_follows_a_hole_or_a_fault_is_restated() {
        let mut damaged = segment(4, 30..40);
        damaged.extend(b"{\n");
        let segments = vec![
            segment(1, 0..10),
            segment(3, 20..30),
            damaged,
            segment(5, 40..50),
        ];
        let (gaps, restated, broken) = replayed(segments);
        assert_eq!(gaps, (0..10).chain(20..50).collect::<Vec<_>>());
        assert_eq!((restated, broken), (vec![0, 1, 3], vec![2]));
    }

    #[test]
    fn nobody_goes_on_reading_for_nobody() {
        let segments = (1..4)
            .map(|number| segment(number, 0..10))
            .collect::<Vec<_>>();
        let waiting = segments.into_iter().map(|bytes| -> Segment {
            Box::new(|| Ok(Box::new(BufReader::new(Cursor::new(bytes)))))
        });
        drop(Replay::of(waiting.collect()).unwrap());
        assert!(Replay::of(Vec::new()).unwrap().next().is_none());
    }
}
