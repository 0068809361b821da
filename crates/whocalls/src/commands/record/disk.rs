//! The thread that writes one stream of the case. It alone waits for the disk.

use std::time::{Duration, Instant};

use record::case::{Error, Stream};

use super::queue::{Job, Queue, Taken};
use super::run::{Run, Stop};

/// How long to wait for something to write.
const STEP: Duration = Duration::from_millis(100);
/// How often to ask for room, and whether the segment is full.
const LOOKED_EACH: Duration = Duration::from_millis(500);

/// Writes until the queue is closed, and closes the last segment. What fails stops the run.
pub(super) fn write_all(queue: &Queue, mut stream: Stream, on_disk_each: Duration, run: &Run) {
    // Nobody is to wait for this thread when it has ended, whatever ended it.
    let _abandoned = Abandoned(queue);
    if let Err(error) = try_write_all(queue, &mut stream, on_disk_each, run) {
        run.stop(Stop::Failed(error.into()));
    }
}

fn try_write_all(
    queue: &Queue,
    stream: &mut Stream,
    on_disk_each: Duration,
    run: &Run,
) -> Result<(), Error> {
    let mut count = 0;
    let mut flushed = Instant::now();
    let mut looked = Instant::now();
    let mut is_flushed = true;
    loop {
        match queue.take(STEP) {
            Taken::Job(Job::Write { batch, count: more }) => {
                let written = stream.write_pieces(&batch.pieces());
                if written.is_ok() {
                    count += more;
                    is_flushed = false;
                    run.count_bytes(batch.len() as u64);
                } else {
                    run.count_unwritten(more);
                }
                queue.written(batch);
                stop_for_room(written, run)?;
                if stream.is_due(observe::now()) {
                    queue.ask_for_next();
                }
            }
            Taken::Job(Job::Next) => {
                let now = observe::now();
                stop_for_room(stream.close(now, count), run)?;
                count = 0;
                stop_for_room(stream.begin(now).map(drop), run)?;
            }
            Taken::Nothing => {}
            Taken::Over => break,
        }
        if !is_flushed && flushed.elapsed() >= on_disk_each {
            stop_for_room(stream.flush_to_disk(), run)?;
            flushed = Instant::now();
            is_flushed = true;
        }
        if looked.elapsed() >= LOOKED_EACH {
            looked = Instant::now();
            if stream.is_due(observe::now()) {
                queue.ask_for_next();
            }
        }
    }
    stop_for_room(stream.close(observe::now(), count), run)
}

/// That there is no room left is no failure: the run ends cleanly. Where the disk was full before
/// that was noticed, what could not be written is counted.
fn stop_for_room(result: Result<(), Error>, run: &Run) -> Result<(), Error> {
    match result {
        Err(error @ (Error::SpaceLow { .. } | Error::SizeReached { .. })) => {
            run.stop(Stop::NoRoom(error));
            Ok(())
        }
        other => other,
    }
}

struct Abandoned<'a>(&'a Queue);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
