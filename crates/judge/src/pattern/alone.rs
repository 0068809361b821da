//! A program of no package that talks to one address only, for which nobody asked a name, and shows itself
//! nowhere: what people use has a window, a name to call, or more than one whom it calls. This much can be
//! said before there is a rhythm.

use std::time::Duration;

use model::NetworkKind;

use super::habit::{Called, Habit, Standing, seconds};
use super::statistics::{median, middle};

/// Who calls by address in the open, or for others.
const FOR_OTHERS: [NetworkKind; 4] = [
    NetworkKind::Tor,
    NetworkKind::Relay,
    NetworkKind::Vpn,
    NetworkKind::PublicResolver,
];

/// In seconds: what follows closer than this may be one piece of work.
const APART: f64 = 30.0;
/// Of all calls so many are alike: two of three.
const ALIKE: (usize, usize) = (2, 3);
/// How far sizes may lie from their middle: who reads pages asks for another one each time, and gets another one.
const SAME: f64 = 0.05;
/// The same of what was sent, where the same comes back.
const SENT: f64 = 0.2;
/// Bytes: who only asks whether there is anything to do says no more.
const SMALL: u64 = 4096;
/// Who has run for so long, and goes on, has not just been started to do something.
const GOES_ON: Duration = Duration::from_secs(600);

/// Whether it is such a program.
pub(super) fn is_alone(habit: &Habit<'_>) -> bool {
    let hides = habit.standing == Standing::Unpackaged && !habit.shows;
    let only = habit.callers.of_program <= 1 && habit.callers.here <= 1;
    let is_other = habit.is_inbound() || habit.is_made_to_call() || habit.is_of_platform();
    let nameless =
        habit.name.is_none() && habit.names_seen && habit.goes_out() && !habit.is_of_many();
    hides && only && nameless && !is_other && !habit.has_kind(&FOR_OTHERS)
}

/// Whether it says the same each time; or has said little once, and goes on.
pub(super) fn says_the_same(habit: &Habit<'_>) -> bool {
    let calls = habit.calls();
    let ended = calls.iter().filter(|it| it.failed || it.closed.is_some());
    let ended: Vec<&Called> = ended.collect();
    match ended.as_slice() {
        [] => false,
        [one] => {
            let is_small = one.bytes_sent <= SMALL && one.bytes_received <= SMALL;
            is_small && habit.runs_for >= Some(GOES_ON)
        }
        [first, .., last] => seconds(first.opened, last.opened) >= APART && are_alike(&ended),
    }
}

fn are_alike(calls: &[&Called]) -> bool {
    let middle_of = |size: fn(&Called) -> u64| {
        let sizes: Vec<f64> = calls.iter().map(|it| bytes(size(it))).collect();
        median(&middle::sorted(&sizes))
    };
    let (sent, received) = (
        middle_of(|it| it.bytes_sent),
        middle_of(|it| it.bytes_received),
    );
    let close = |size: u64, middle: f64, part: f64| (bytes(size) - middle).abs() <= middle * part;
    let alike = calls.iter().filter(|it| {
        let answer = close(it.bytes_received, received, SAME);
        close(it.bytes_sent, sent, if answer { SENT } else { SAME })
    });
    let (part, whole) = ALIKE;
    alike.count() * whole >= calls.len() * part
}

#[expect(clippy::cast_precision_loss, reason = "sizes need no more digits")]
fn bytes(size: u64) -> f64 {
    size as f64
}
