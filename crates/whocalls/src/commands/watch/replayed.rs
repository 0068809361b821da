//! The lines that a watch would have given, of a case.

use std::time::Duration;

use anyhow::{Context, Result};
use observe::Totals;
use show::filter::Filter;
use track::Limits;

use super::lines::Lines;
use super::pick::Pick;
use super::queue::Queue;
use super::stream;
use crate::commands::case::{Missing, Story, Tale, lost};
use crate::commands::fold::{End, Outcome, Reader};
use crate::commands::screen::newest::Newest;
use crate::output::Out;

/// Lines are taken out before they are so many: none is dropped.
const ROOM: u32 = 1_000_000;
/// After so many things, what is known of processes is brought up to date.
const KEPT_EACH: usize = 20_000;
const PIECE: usize = 512;

/// Writes all that matches.
///
/// Errors: the case is damaged; nobody reads any more, or the disk is full.
pub(crate) fn write(mut story: Story, filter: Filter, out: Out) -> Result<Missing> {
    let mut tracker = story.tracker(Limits::CASE.without_pairs());
    let (queue, newest) = (Queue::new(ROOM), Newest::default());
    let start = story.start();
    let (host, tier, mut time) = (start.host.clone(), start.tier, start.taken);
    let mut lines = Lines::new(Pick::new(filter, None), host, tier, &queue, &newest);
    let mut written = stream::Lines::new(out);
    let mut items = Vec::new();
    let (mut tales, mut events) = (0_usize, 0);
    let mut write = |lines: &mut Lines<'_>| -> Result<()> {
        lines.hand_on();
        loop {
            queue.take(Duration::ZERO, &mut items);
            if items.is_empty() {
                return Ok(());
            }
            let told = written.tell_all(&mut items);
            told.context("cannot write the lines")?;
        }
    };
    while let Some(tale) = story.next()? {
        time = tale.time().unwrap_or(time);
        tales += 1;
        events += u64::from(tale.is_event());
        match tale {
            Tale::Observed(observed) => lines.take(observed, &mut tracker),
            Tale::Resumed(state) => lines.resume(*state, &mut tracker),
        }
        if tales.is_multiple_of(PIECE) {
            write(&mut lines)?;
        }
        if tales.is_multiple_of(KEPT_EACH) {
            lines.keep(&tracker);
        }
    }
    write(&mut lines)?;
    let outcome = Outcome {
        time,
        totals: Totals {
            events,
            lost: lost(&tracker.snapshot().gaps),
        },
        end: End::Reader,
        program: None,
    };
    let ended = written.end(&outcome, queue.dropped());
    ended.context("cannot write the lines")?;
    Ok(story.missing)
}
